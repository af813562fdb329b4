//! A loop changes something in every turn and has no exit.

#[scalar]
pub struct Name(u64);

#[state]
pub struct State { pub count: u64, pub log: Seq<u64>, pub names: Set<Name> }

#[layer]
impl Layer for State {
    #[op]
    fn run(&mut self, me: Pid) {
        loop {
            if self.log.pop().is_none() { break; }
        }
    }
}
