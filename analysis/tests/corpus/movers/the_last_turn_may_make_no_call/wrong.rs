//! A loop may end in a turn that makes no call. What the turns before it have read is then out of date.

#[state]
pub struct Two { pub x: u8, pub y: u8 }

#[layer]
impl Parts for Two {
    #[op]
    fn x(&mut self, me: Pid) -> u8 { self.x }
    #[op]
    fn y(&mut self, me: Pid) -> u8 { self.y }
    #[op]
    fn set(&mut self, me: Pid, x: u8, y: u8) { self.x = x; self.y = y; }
}

#[layer]
impl Whole for Two {
    #[op]
    fn set(&mut self, me: Pid, x: u8, y: u8) { self.x = x; self.y = y; }
    #[op]
    fn both(&mut self, me: Pid) -> (u8, u8) { (self.x, self.y) }
}

#[implement(Whole, over = Parts, by = movers, pass(set))]
impl Code {
    fn both(lo: &mut impl Parts) -> (u8, u8) {
        let (mut x, mut y) = (0, 0);
        let (mut first, mut second) = (true, true);
        loop {
            if first {
                x = lo.x();
            //      ^^^^^^ CS0307 shape
                first = false;
            } else if second {
                y = lo.y();
                second = false;
            } else {
                return (x, y);
            }
        }
    }
}
