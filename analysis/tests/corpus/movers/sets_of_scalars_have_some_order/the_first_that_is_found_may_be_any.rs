//! Either of two users may be found first in a set.

#[scalar]
pub struct User(u64);

#[state]
pub struct Doors { pub last: Option<User> }

#[layer]
impl House for Doors {
    #[op]
    fn enter(&mut self, me: Pid, user: User) -> bool {
        let both: Set<User> = Set::from([user, self.last.unwrap_or(user)]);
        both.iter().find(|_| true) == Some(user)
    }
}

#[layer]
impl Palace for Doors {
    #[op]
    fn enter(&mut self, me: Pid, user: User) -> bool { true }
}

#[implement(Palace, over = House, by = movers)]
impl Always {
    fn enter(lo: &mut impl House, user: User) -> bool { lo.enter(user) }
//     ^^^^^ CS0307 atomic-spec
}
