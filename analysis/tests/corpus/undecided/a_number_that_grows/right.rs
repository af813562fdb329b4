//! The state grows in every turn, so no turn starts in an earlier state.

#[scalar]
pub struct Name(u64);

#[state]
pub struct State { pub count: u64, pub log: Seq<u64>, pub names: Set<Name> }

#[layer]
impl Layer for State {
    #[op]
    fn run(&mut self, me: Pid) {
        while maybe() {
            self.count = self.count.min(2).saturating_sub(1);
        }
    }
}
