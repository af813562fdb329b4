//! The walk starts one link too late.

#[state]
pub struct Heap { pub next: Map<u64, u64>, pub owner: Option<Pid> }

#[layer]
impl Raw for Heap {
    #[op]
    fn acquire(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn release(&mut self, me: Pid) { self.owner = None; }
    #[op]
    fn next(&mut self, me: Pid, at: u64) -> Option<u64> { self.next.get(&at).cloned() }
    #[op]
    fn link(&mut self, me: Pid, at: u64, to: u64) { self.next.insert(at, to); }
}

#[layer(protocol = Raw, nilpotent)]
impl Guarded for Heap {
    #[allowed(release, next, link)]
    fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
}

#[layer]
impl Lists for Heap {
    #[op]
    fn contains(&mut self, me: Pid, item: u64) -> bool {
        when(self.owner.is_none());
        let mut now = self.next.get(&0).cloned();
        while let Some(at) = now {
            if at >= item { break; }
            now = self.next.get(&at).cloned();
        }
        now == Some(item)
    }
    #[op]
    fn link(&mut self, me: Pid, at: u64, to: u64) { when(self.owner.is_none()); self.next.insert(at, to); }
}

#[implement(Lists, over = Guarded, by = movers)]
impl Walks {
    fn contains(lo: &mut impl Guarded, item: u64) -> bool {
//     ^^^^^^^^ CS0307 shape
        lo.acquire();
        let mut now = lo.next(1);
        while let Some(at) = now {
            if at >= item { break; }
            now = lo.next(at);
        }
        lo.release();
        now == Some(item)
    }
    fn link(lo: &mut impl Guarded, at: u64, to: u64) { lo.acquire(); lo.link(at, to); lo.release(); }
}
