//! A call may be looked at in two cases of what others have left. But others may come from one case to the other while it waits: so it has to
//! move left from both.

#[state]
pub struct Switch { pub on: bool, pub level: u64, pub told: u64 }

#[layer]
impl Steps for Switch {
    #[op]
    fn level(&mut self, me: Pid) -> u64 { self.level }
    #[op]
    fn is_on(&mut self, me: Pid) -> bool { self.on }
    #[op]
    fn tell(&mut self, me: Pid) { emit(1); }
    #[op]
    fn turn(&mut self, me: Pid) {
        self.on = !self.on;
        self.level = if self.on { 1 } else { 0 };
        emit(2);
    }
}

#[layer(inherit(Steps: turn))]
impl Whole for Switch {
    #[op]
    fn look(&mut self, me: Pid) -> bool {
        let on = self.on;
        emit(1);
        on
    }
}

#[implement(Whole, over = Steps, by = movers, pass(turn))]
impl Look {
    fn look(lo: &mut impl Steps) -> bool {
        let level = lo.level();
        let on = lo.is_on();
        lo.tell();
    //  ^^^^^^^^^ CS0307 shape
        let now = lo.is_on();
        now
    }
}
