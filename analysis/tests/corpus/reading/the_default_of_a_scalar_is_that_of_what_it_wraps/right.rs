//! `#[scalar]` derives a default: that of the number or string that it wraps.

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
    fn clear(&mut self, me: Pid) { *self = File { head: Part(0), tail: Part(0) }; }
}

#[implement(Files, over = Posix, by = movers)]
impl Truncated {
    fn clear(lo: &mut impl Posix) { lo.truncate(); }
}
