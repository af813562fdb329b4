//! The version decides first, not who wrote it.

use std::cmp::Ordering;

#[state]
pub struct Stamp { pub by: u8, pub version: u8 }

#[state]
pub struct Cell { pub stamp: Stamp }

#[layer]
impl Low for Cell {
    #[op]
    fn advance(&mut self, me: Pid, to: Stamp) -> bool {
        match to.cmp(&self.stamp) {
            Ordering::Greater => { self.stamp = to; true }
            Ordering::Less | Ordering::Equal => false,
        }
    }
}

#[layer]
impl Up for Cell {
    #[op]
    fn advance(&mut self, me: Pid, to: Stamp) -> bool {
        let newer = to.version > self.stamp.version || to.version == self.stamp.version && to.by > self.stamp.by;
        if newer { self.stamp = to; }
        newer
    }
}

#[implement(Up, over = Low, by = movers, pass(advance))]
//                                            ^^^^^^^ CS0307 atomic-spec
impl Same {}
