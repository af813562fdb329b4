//! Obligations cover all states of the type, not only reachable ones: no operation sets `broken`.

#[state]
pub struct Machine { pub broken: bool, pub moved: bool }

#[layer]
impl Arm for Machine {
    #[init]
    fn init(&self) -> bool { !self.broken && !self.moved }
    #[op(right)]
    fn turn(&mut self, me: Pid) {  }
    #[op]
    fn look(&mut self, me: Pid) -> bool { self.moved }
}
