//! A stack promises nothing after a failure, so its top layer must not fail.

#[state]
pub struct Guarded { pub owner: Option<Pid>, pub value: u64 }

#[layer]
impl Lower for Guarded {
    #[op]
    fn write(&mut self, me: Pid, value: u64) { assert!(self.owner == Some(me)); self.value = value; }
//                                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0701 never-fails
}

#[layer(inherit(Lower: write))]
impl Upper for Guarded {}

#[implement(Upper, over = Lower, by = movers, pass(write))]
impl Same {}

#[stack]
pub type Tower<L> = Same<L>;
