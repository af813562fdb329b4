//! A left mover emits nothing: a reply sent after the commit point may come after the reply of another process.

#[state]
pub struct Server { pub last: u64 }

#[layer]
impl Steps for Server {
    #[op]
    fn commit(&mut self, me: Pid, request: u64) { self.last = request; }
    #[op]
    fn reply(&mut self, me: Pid, request: u64) { emit(request); }
}

#[layer]
impl Whole for Server {
    #[op]
    fn serve(&mut self, me: Pid, request: u64) { self.last = request; emit(request); }
}

#[implement(Whole, over = Steps, by = movers)]
impl CommitThenReply {
    fn serve(lo: &mut impl Steps, request: u64) {
        lo.commit(request);
        lo.reply(request);
    //  ^^^^^^^^^^^^^^^^^ CS0310 shape
    }
}
