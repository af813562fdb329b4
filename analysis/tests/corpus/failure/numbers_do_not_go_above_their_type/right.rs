//! A small integer soon reaches its limit, which is among the explored values.

#[state]
pub struct Count { pub value: u8 }

#[layer]
impl Counter for Count {
    #[op]
    fn inc(&mut self, me: Pid) { when(self.value < 255); self.value += 1; }
}
