//! Others see that a procedure has begun, although it can never end. Above it cannot even begin.

#[state]
pub struct Room { pub owner: Option<Pid> }

#[layer]
impl Doors for Room {
    #[op]
    fn enter(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn is_free(&mut self, me: Pid) -> bool { self.owner.is_none() }
}

#[layer(inherit(Doors: enter, is_free))]
impl Halls for Room {
    #[op]
    fn enter_twice(&mut self, me: Pid) {
    // ^^^^^^^^^^^ CS1001 no-panic
        when(self.owner.is_none());
        self.owner = Some(me);
        when(self.owner.is_none());
    }
}

#[implement(Halls, over = Doors, by = movers, pass(enter, is_free))]
impl Twice {
    fn enter_twice(lo: &mut impl Doors) {
    // ^^^^^^^^^^^ CS1004 atomic-spec
        lo.enter();
        lo.enter();
    //  ^^^^^^^^^^ CS0306 shape
    }
}
