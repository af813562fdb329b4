//! A right mover emits nothing: moved past another step, it would reorder the trace.

#[state]
pub struct Journal { pub last: u64 }

#[layer]
impl Steps for Journal {
    #[op]
    fn log(&mut self, me: Pid, entry: u64) { emit(entry); }
    #[op]
    fn commit(&mut self, me: Pid, entry: u64) { self.last = entry; }
}

#[layer]
impl Whole for Journal {
    #[op]
    fn put(&mut self, me: Pid, entry: u64) { emit(entry); self.last = entry; }
}

#[implement(Whole, over = Steps, by = movers)]
impl LogThenCommit {
    fn put(lo: &mut impl Steps, entry: u64) {
        lo.log(entry);
        lo.commit(entry);
    //  ^^^^^^^^^^^^^^^^ CS0310 shape
    }
}
