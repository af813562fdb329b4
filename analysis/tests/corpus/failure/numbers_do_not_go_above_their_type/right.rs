//! A small integer reaches its limit soon: that is among the values that are looked at.

#[state]
pub struct Count { pub value: u8 }

#[layer]
impl Counter for Count {
    #[op]
    fn inc(&mut self, me: Pid) { when(self.value < 255); self.value += 1; }
}
