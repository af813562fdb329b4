//! A relation that is a conjunction with an equation takes that part of the upper state from the lower one. It costs no more than a function,
//! also for collections and numbers. An equation that need not hold takes nothing.

#[state]
pub struct Word { pub count: u64, pub holders: Set<Pid>, pub names: Map<Pid, u64> }
#[state]
pub struct Held { pub word: Word, pub ghost: bool }

#[layer]
impl Raw for Word {
    #[init]
    fn new(&self) -> bool { self.count == 0 && self.holders.is_empty() && self.names.is_empty() }
    #[op]
    fn enter(&mut self, me: Pid) { self.count = self.count.saturating_add(1); self.holders.insert(me); self.names.insert(me, self.count); }
    #[op]
    fn many(&mut self, me: Pid) -> bool { self.count > 1 && self.names.values().all(|it| *it > 0) }
}

#[layer(ops = Raw)]
impl Ghost for Held {
    #[init]
    fn new(&self) -> bool { self.word.count == 0 && self.word.holders.is_empty() && self.word.names.is_empty() && !self.ghost }
    #[op]
    fn enter(&mut self, me: Pid) { self.word.count = self.word.count.saturating_add(1); self.word.holders.insert(me); self.word.names.insert(me, self.word.count); self.ghost = true; }
    #[op]
    fn many(&mut self, me: Pid) -> bool { self.word.count > 1 && self.word.names.values().all(|it| *it > 0) }
    // ^^^^ CS0501 simulation
}

#[implement(Ghost, over = Raw, by = abstraction)]
impl Add {
    #[abstraction]
    fn word(lo: &Word, hi: &Held) -> bool { if lo.count > 1 { return true; } hi.word == *lo }
}
