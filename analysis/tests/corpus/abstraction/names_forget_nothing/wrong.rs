//! Two processes must not share a name: a name without the process stands for two things.

#[state]
pub struct Ids { pub flags: Map<(Pid, u64), bool> }
#[state]
pub struct Names { pub flags: Map<String, bool> }
pub fn encode(pid: Pid, number: u64) -> String { format!("{number}") }

#[layer]
impl ById for Ids {
    #[init]
    fn empty(&self) -> bool { self.flags.is_empty() }
    #[op]
    fn clear(&mut self, me: Pid, number: u64) { self.flags.remove(&(me, number)); }
//     ^^^^^ CS0501 simulation
    #[op]
    fn get(&mut self, me: Pid, pid: Pid, number: u64) -> Option<bool> { self.flags.get(&(pid, number)).copied() }
//     ^^^ CS0501 simulation
}
#[layer(ops = ById)]
impl ByName for Names {
    #[init]
    fn empty(&self) -> bool { self.flags.is_empty() }
    #[op]
    fn clear(&mut self, me: Pid, number: u64) { self.flags.remove(&encode(me, number)); }
    #[op]
    fn get(&mut self, me: Pid, pid: Pid, number: u64) -> Option<bool> { self.flags.get(&encode(pid, number)).copied() }
}
#[implement(ById, over = ByName, by = abstraction)]
impl Encoded {
    #[abstraction]
    fn names(hi: &Ids) -> Names {
        Names { flags: hi.flags.iter().map(|((pid, number), flag)| (encode(*pid, *number), *flag)).collect() }
    }
}
