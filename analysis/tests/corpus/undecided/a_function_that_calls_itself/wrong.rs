//! A function calls itself for ever.

#[scalar]
pub struct Name(u64);

#[state]
pub struct State { pub count: u64, pub log: Seq<u64>, pub names: Set<Name> }

fn deeper(n: u64) -> u64 { deeper(n) }
//                         ^^^^^^^^^ CS0903 no-panic

#[layer]
impl Layer for State {
    #[op]
    fn run(&mut self, me: Pid) {
        self.count = deeper(self.count % 3);
    }
}
