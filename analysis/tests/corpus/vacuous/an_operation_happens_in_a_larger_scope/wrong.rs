//! An operation without a step within the scope may have one beyond it: the warning says so.

#[state]
pub struct Cell { pub value: u64 }

#[layer]
impl Low for Cell {
    #[invariant]
    fn positive(&self) -> bool { self.value > 0 }
    #[op]
    fn lower(&mut self, me: Pid) { when(self.value * 2 == 90 + 4); self.value = self.value - 1; }
    // ^^^^^ CS1003 no-panic
}
