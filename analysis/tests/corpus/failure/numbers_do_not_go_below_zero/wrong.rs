//! An unsigned number cannot become negative.

#[state]
pub struct Count { pub value: u64 }

#[layer]
impl Counter for Count {
    #[op]
    fn dec(&mut self, me: Pid) { self.value = self.value - 1; }
    //                                        ^^^^^^^^^^^^^^ CS0702 no-panic
}
