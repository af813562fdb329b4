//! The default is no other value.

#[scalar]
pub struct Part(pub u64);

#[state]
pub struct File { pub head: Part, pub tail: Part }

#[layer]
impl Posix for File {
    #[op]
    fn truncate(&mut self, me: Pid) { *self = File::default(); }
}

#[layer]
impl Files for File {
    #[op]
    fn clear(&mut self, me: Pid) { *self = File { head: Part(0), tail: Part(1) }; }
}

#[implement(Files, over = Posix, by = movers)]
impl Truncated {
    fn clear(lo: &mut impl Posix) { lo.truncate(); }
//     ^^^^^ CS0307 atomic-spec
}
