//! An unsigned number cannot become negative.

#[state]
pub struct Count { pub value: u64 }

#[layer]
impl Counter for Count {
    #[op]
    fn dec(&mut self, me: Pid) { self.value = self.value.saturating_sub(1); }
}
