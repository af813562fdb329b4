//! The second write comes after the first has let go.

#[state]
pub struct Guarded { pub owner: Option<Pid>, pub value: u64 }

#[layer]
impl Parts for Guarded {
    #[init]
    fn init(&self) -> bool { self.owner.is_none() && self.value == 0 }
    #[op]
    fn enter(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn write(&mut self, me: Pid, value: u64) { assert!(self.owner == Some(me)); self.value = value; self.owner = None; }
}

#[layer(inherit(Parts: init, enter))]
impl Whole for Guarded {
    #[op]
    fn write(&mut self, me: Pid, value: u64) { assert!(self.owner == Some(me)); self.value = value; self.owner = None; }
//     ^^^^^ CS0701 never-fails
}

#[implement(Whole, over = Parts, by = movers, pass(enter, write))]
impl Through {}

#[stack]
pub type Writers<M> = Through<M>;

#[client(Writers, processes(2))]
fn careless(process: u64, top: &mut impl Whole) {
    top.enter();
    top.write(process);
    top.write(process + 1);
}
