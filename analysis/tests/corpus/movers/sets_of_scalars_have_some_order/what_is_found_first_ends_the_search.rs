//! Whether the second of two users is tested may depend on which one comes first.

#[scalar]
pub struct User(u64);

#[state]
pub struct Doors { pub last: Option<User> }

#[layer]
impl House for Doors {
    #[op]
    fn enter(&mut self, me: Pid, user: User) -> bool {
        let both: Set<User> = Set::from([user, self.last.unwrap_or(user)]);
        let asked: Seq<User> = both.iter().filter(|it| *it == user || both.len() == 2).collect();
        asked[0] == user
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
