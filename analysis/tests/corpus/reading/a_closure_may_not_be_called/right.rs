// What consumes all of an iterator calls its closures for each element, so they may fail.
use cspec::prelude::*;

#[state]
pub struct Items {
    pub all: Seq<u64>,
}

#[layer]
impl Low for Items {
    #[op]
    fn push(&mut self, me: Pid, value: u64) {
        self.all.push(value);
    }

    #[op]
    fn all(&mut self, me: Pid) -> Seq<u64> {
        self.all.clone()
    }
}

#[layer(inherit(Low: push))]
impl High for Items {
    #[op]
    fn look(&mut self, me: Pid) -> Seq<u64> {
        for item in self.all.iter().map(|it| small(*it)) {
            assert!(item == 0);
        }
        self.all.iter().map(|it| small(*it)).filter(|it| *it == 0).collect()
    }
}

fn small(item: u64) -> u64 {
    assert!(item < 1);
    item
}

#[implement(High, over = Low, by = movers, pass(push))]
impl Code {
    fn look(lo: &mut impl Low) -> Seq<u64> {
        lo.all()
    }
}
