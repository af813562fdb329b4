//! A fact about a component may be a lower bound, which survives the changes of other processes.

#[state]
pub struct Tickets { pub next: u64 }

#[layer]
impl Steps for Tickets {
    #[op]
    fn draw(&mut self, me: Pid) -> u64 { let mine = self.next; self.next += 1; mine }
    #[op]
    fn reset(&mut self, me: Pid) { self.next = 0; }
    #[op]
    fn issued(&mut self, me: Pid, ticket: u64) { when(self.next > ticket); }
}

#[layer(inherit(Steps: reset))]
impl Whole for Tickets {
    #[op]
    fn draw(&mut self, me: Pid) -> u64 { let mine = self.next; self.next += 1; mine }
}

#[implement(Whole, over = Steps, by = movers, pass(reset))]
impl Draw {
    fn draw(lo: &mut impl Steps) -> u64 {
        let mine = lo.draw();
        lo.issued(mine);
    //  ^^^^^^^^^^^^^^^ CS0310 shape
        mine
    }
}
