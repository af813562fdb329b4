//! The new element is at its index, not behind it.

#[state]
pub struct Queue { pub first: Option<u8>, pub jobs: Seq<u8> }

#[layer]
impl Low for Queue {
    #[op]
    fn put(&mut self, me: Pid, job: u8) -> Option<u8> {
        let mut two = Seq::from([1, 2]);
        two.insert(0, job);
        two.reverse();
        two.truncate(2);
        two.last().copied()
    }
}

#[layer]
impl Up for Queue {
    #[op]
    fn put(&mut self, me: Pid, job: u8) -> Option<u8> { Some(job) }
}

#[implement(Up, over = Low, by = movers, pass(put))]
//                                            ^^^ CS0307 atomic-spec
impl Same {}
