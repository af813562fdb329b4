//! The two operations belong to different processes: one process cannot access the data of another.

#[state]
pub struct Desks { pub papers: Map<Pid, u64> }

#[layer]
impl Office for Desks {
    #[op(both)]
    fn put(&mut self, me: Pid, desk: Pid, paper: u64) { self.papers.insert(me, paper); }
}
