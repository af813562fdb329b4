//! A failure below must be matched by a failure above: a layer that does not fail requires that no layer below it fails.

#[state]
pub struct Guarded { pub owner: Option<Pid>, pub value: u64 }

#[layer]
impl Strict for Guarded {
    #[op]
    fn write(&mut self, me: Pid, value: u64) { assert!(self.owner == Some(me)); self.value = value; }
    //                                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0701 atomic-spec
}

#[layer]
impl Lenient for Guarded {
    #[op]
    fn set(&mut self, me: Pid, value: u64) { self.value = value; }
}

#[implement(Lenient, over = Strict, by = movers)]
impl Careless {
    fn set(lo: &mut impl Strict, value: u64) { lo.write(value); }
}
