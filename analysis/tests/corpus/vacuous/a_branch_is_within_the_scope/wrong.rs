//! A branch that needs more entries than the scope allows is not explored.

#[state]
pub struct Cache { pub entries: Map<u64, bool> }

#[layer]
impl Evict for Cache {
    #[op]
    fn evict(&mut self, me: Pid) {
        if self.entries.len() > 7 {
//                                ^ CS1003 no-panic
            self.entries = Map::new();
        }
    }
}
