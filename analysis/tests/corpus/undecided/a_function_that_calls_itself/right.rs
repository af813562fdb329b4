//! A function calls itself for ever.

#[scalar]
pub struct Name(u64);

#[state]
pub struct State { pub count: u64, pub log: Seq<u64>, pub names: Set<Name> }

fn deeper(n: u64) -> u64 { if n == 0 { 0 } else { deeper(n - 1) } }

#[layer]
impl Layer for State {
    #[op]
    fn run(&mut self, me: Pid) {
        self.count = deeper(self.count % 3);
    }
}
