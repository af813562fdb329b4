//! A macro of the package shadows the standard one.

#[cfg(feature = "fast")]
mod cell {
    #[state]
    pub struct Cell { pub value: u64 }
}

#[cfg(not(feature = "fast"))]
mod cell {
    #[state]
    pub struct Cell { #[cfg(test)] pub reads: u64, pub value: u64, pub owner: Option<Pid> }
}

use cell::Cell;

#[cfg_attr(all(), layer)]
impl Raw for Cell {
    #[op]
    fn lock(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn unlock(&mut self, me: Pid) { self.owner = None; }
    #[op]
    fn read(&mut self, me: Pid) -> u64 { #[cfg(test)] { self.reads += 1; } self.value }
    #[op]
    fn write(&mut self, me: Pid, value: u64) { self.value = value; }
    #[cfg(feature = "fast")]
    #[op]
    fn write(&mut self, me: Pid) { self.value = 0; }
}

#[layer(protocol = Raw)]
impl Ruled for Cell {
    #[allowed(unlock, read, write)]
    fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
}

#[layer]
impl Counter for Cell {
    #[op]
    fn raise(&mut self, me: Pid, to: u64) -> bool {
        when(self.owner.is_none() || self.owner == Some(me));
        let raises = self.value < to;
        if raises { self.value = to; }
        self.owner = None;
        raises
    }
}

macro_rules! matches {
    ($value:expr, $pattern:pat) => { false };
}

#[implement(Counter, over = Ruled, by = movers)]
impl Section {
    #[must_use]
    #[tracing::instrument(skip_all)]
    fn raise(lo: &mut impl Ruled, to: u64) -> bool {
        #[cfg(not(feature = "fast"))]
        lo.lock();
        let raises = matches!(lo.read() < to, true);
//                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0106
        if raises && !cfg!(feature = "fast") { lo.write(to); }
        lo.unlock();
        raises
    }
}
