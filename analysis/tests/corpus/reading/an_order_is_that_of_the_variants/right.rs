//! A set is in the order of the variants.

#[state]
pub enum Urgency { Low = 1, High = 5 }

#[state]
pub struct Waiting { pub all: Set<Urgency> }

#[layer]
impl Low for Waiting {
    #[op]
    fn first(&mut self, me: Pid) -> Option<Urgency> { self.all.first().cloned() }
}

#[layer(ops = Low)]
impl Up for Waiting {
    #[op]
    fn first(&mut self, me: Pid) -> Option<Urgency> {
        if self.all.contains(&Urgency::Low) { return Some(Urgency::Low); }
        if self.all.is_empty() { None } else { Some(Urgency::High) }
    }
}

#[implement(Up, over = Low, by = abstraction)]
impl Same {
    #[abstraction]
    fn same(lo: &Waiting, hi: &Waiting) -> bool { lo == hi }
}
