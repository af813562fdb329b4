// `next` calls the closure for the first element only. If it were called for all, `look` would fail where `peek` is wrong.
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

    /// Wrong: none, also if only a later item is large.
    #[op]
    fn peek(&mut self, me: Pid) -> Option<u64> {
        if self.all.iter().any(|it| *it >= 1) { None } else { self.all.first().copied() }
    }
}

#[layer(inherit(Low: push))]
impl High for Items {
    #[op]
    fn look(&mut self, me: Pid) -> Option<u64> {
        self.all.iter().map(|it| small(*it)).next()
//                               ^^^^^^^^^^ CS0102
    }
}

fn small(item: u64) -> u64 {
    assert!(item < 1);
    item
}

#[implement(High, over = Low, by = movers, pass(push))]
impl Code {
    fn look(lo: &mut impl Low) -> Option<u64> {
        lo.peek()
    }
}
