//! The lock is released before the walk.

#[scalar]
pub struct Node(u64);

#[state]
pub struct Heap { pub first: Node, pub next: Map<Node, Node>, pub owner: Option<Pid> }

#[layer]
impl Raw for Heap {
    #[op]
    fn acquire(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn release(&mut self, me: Pid) { self.owner = None; }
    #[op]
    fn first(&mut self, me: Pid) -> Node { self.first }
    #[op]
    fn next(&mut self, me: Pid, at: Node) -> Option<Node> { self.next.get(&at).cloned() }
    #[op]
    fn link(&mut self, me: Pid, at: Node, to: Node) { self.next.insert(at, to); }
}

#[layer(protocol = Raw, nilpotent)]
impl Guarded for Heap {
    #[allowed(release, first, next, link)]
    fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
}

#[layer]
impl Lists for Heap {
    #[op]
    fn last(&mut self, me: Pid) -> Node {
        when(self.owner.is_none());
        let mut at = self.first;
        while let Some(next) = self.next.get(&at).cloned() { at = next; }
        at
    }
    #[op]
    fn link(&mut self, me: Pid, at: Node, to: Node) { when(self.owner.is_none()); self.next.insert(at, to); }
}

#[implement(Lists, over = Guarded, by = movers)]
impl Walks {
    fn last(lo: &mut impl Guarded) -> Node {
    // ^^^^ CS0307 shape
        lo.acquire();
        let first = lo.first();
        let mut at = first;
        while let Some(next) = lo.next(at) { at = next; }
        lo.release();
        first
    }
    fn link(lo: &mut impl Guarded, at: Node, to: Node) { lo.acquire(); lo.link(at, to); lo.release(); }
}
