//! The operation does not fail where it is given zero, and the procedure panics.

#[state]
pub struct Word { pub share: u64 }

#[layer]
impl Atomic for Word {
    #[op]
    fn set(&mut self, me: Pid, share: u64) { self.share = share; }
}

#[layer]
impl Shares for Word {
    #[op]
    fn divide(&mut self, me: Pid, among: u64) {
        if among != 0 { self.share = 8 / among; }
    }
}

#[implement(Shares, over = Atomic, by = movers)]
impl Divided {
    fn divide(lo: &mut impl Atomic, among: u64) {
        lo.set(8 / among);
//             ^^^^^^^^^ CS0702 atomic-spec
    }
}
