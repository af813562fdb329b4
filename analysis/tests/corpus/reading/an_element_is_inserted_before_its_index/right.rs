//! The element that was at the index is behind the new one.

#[state]
pub struct Queue { pub first: Option<u8>, pub jobs: Seq<u8> }

#[layer]
impl Low for Queue {
    #[op]
    fn put(&mut self, me: Pid, job: u8) -> Option<u8> {
        let mut two = Seq::from([1, 2]);
        two.insert(1, job);
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
impl Same {}
