//! Procedures run as they are written, and conditions have one value: choices, guards and events belong in operations.

#[state]
pub struct Board { pub shown: bool, pub owner: Option<Pid> }

#[layer]
impl Steps for Board {
    #[init]
    fn init(&self) -> bool { !self.shown }
    #[op]
    fn show(&mut self, me: Pid) { self.shown = true; }
    #[op]
    fn look(&mut self, me: Pid) -> bool { emit(self.shown); self.shown }
}

#[layer(protocol = Steps)]
impl Ruled for Board {
    #[allowed(look)]
    fn anybody(&self, me: Pid) -> bool { true }
}

#[layer(inherit(Steps: init, look))]
impl Whole for Board {
    #[op]
    fn show(&mut self, me: Pid, twice: bool) { when(twice); self.shown = true; }
}

#[implement(Whole, over = Ruled, by = movers)]
impl Shown {
    fn show(lo: &mut impl Ruled, twice: bool) {
        lo.show();
        when(twice);
//      ^^^^^^^^^^^ CS0102
    }
    fn look(lo: &mut impl Ruled) -> bool { lo.look() }
}
