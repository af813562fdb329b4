//! A small integer reaches its limit soon: that is among the values that are looked at.

#[state]
pub struct Count { pub value: u8 }

#[layer]
impl Counter for Count {
    #[op]
    fn inc(&mut self, me: Pid) { self.value += 1; }
//                               ^^^^^^^^^^^^^^^ CS0702 no-panic
}
