//! A procedure that may never end after its commit point is not the same as a step that may never end: others see what was set.

#[scalar]
pub struct Node(u64);

#[state]
pub struct Heap { pub flag: bool, pub next: Map<Node, Node> }

#[layer]
impl Parts for Heap {
    #[op]
    fn read(&mut self, me: Pid) -> bool { self.flag }
    #[op]
    fn set(&mut self, me: Pid) { self.flag = true; }
    #[op]
    fn snapshot(&mut self, me: Pid) -> Map<Node, Node> { self.next.clone() }
    #[op]
    fn walk(&mut self, me: Pid, from: Node) {
        let mut at = from;
        while let Some(next) = self.next.get(&at).cloned() { at = next; }
    }
}

#[layer]
impl Whole for Heap {
    #[op]
    fn read(&mut self, me: Pid) -> bool { self.flag }
    #[op]
    fn walk_and_set(&mut self, me: Pid, from: Node) {
        let mut at = from;
        while let Some(next) = self.next.get(&at).cloned() { at = next; }
        self.flag = true;
    }
}

#[implement(Whole, over = Parts, by = movers, pass(read))]
impl Code {
    fn walk_and_set(lo: &mut impl Parts, from: Node) {
        let next = lo.snapshot();
        lo.set();
        let mut at = from;
        while let Some(to) = next.get(&at).cloned() { at = to; }
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0903 shape
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0903 atomic-spec
    }
}
