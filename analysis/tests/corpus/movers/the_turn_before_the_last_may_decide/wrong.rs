//! A loop is left because of what the turn before has read: that read may be the commit point. What is read after the loop is another step.

#[state]
pub struct Mail { pub number: u8, pub size: u8 }

#[layer]
impl Parts for Mail {
    #[op]
    fn number(&mut self, me: Pid) -> u8 { self.number }
    #[op]
    fn size(&mut self, me: Pid) -> u8 { self.size }
    #[op]
    fn set(&mut self, me: Pid, number: u8, size: u8) { self.number = number; self.size = size; }
}

#[layer(inherit(Parts: set))]
impl Whole for Mail {
    #[op]
    fn wait(&mut self, me: Pid) -> u8 { when(self.number != 0); self.size }
}

#[implement(Whole, over = Parts, by = movers, pass(set))]
impl Code {
    fn wait(lo: &mut impl Parts) -> u8 {
        let mut number = lo.number();
    //                   ^^^^^^^^^^^ CS0307 shape
        while number == 0 {
            number = lo.number();
        }
        lo.size()
    }
}
