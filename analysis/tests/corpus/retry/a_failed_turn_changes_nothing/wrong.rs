//! A failed turn of a retry loop must change nothing: here a failed send has already written.

#[state]
pub struct Spool { pub tmp: Option<u64>, pub sent: Option<u64> }

#[layer]
impl Tries for Spool {
    #[op]
    fn try_send(&mut self, me: Pid, message: u64) -> bool {
        self.tmp = None;
        if maybe() { return false; }
        self.sent = Some(message);
        true
    }
}

#[layer]
impl Sends for Spool {
    #[op]
    fn send(&mut self, me: Pid, message: u64) { self.tmp = None; self.sent = Some(message); }
}

#[implement(Sends, over = Tries, by = retry)]
impl Retry {
    fn send(lo: &mut impl Tries, message: u64) {
        loop {
    //  ^^^^^^ CS0310 turn
            if lo.try_send(message) { return; }
        }
    }
}
