//! A number that does not fit is refused.

#[state]
pub struct Cell { pub value: u8 }

#[layer]
impl Low for Cell {
    #[op]
    fn put(&mut self, me: Pid, to: u16) -> bool {
        let Ok(to) = u8::try_from(to) else { return false };
        self.value = to;
        true
    }
}

#[layer]
impl Up for Cell {
    #[op]
    fn put(&mut self, me: Pid, to: u16) -> bool {
        let fits = to <= 255;
        if fits { self.value = to as u8; }
        fits
    }
}

#[implement(Up, over = Low, by = movers, pass(put))]
impl Same {}
