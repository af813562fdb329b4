//! Turns that change something are made, so a read before them is not at the time of the last one.

#[state]
pub struct Room { pub x: bool, pub open: bool, pub seated: Set<Pid> }

#[layer]
impl Parts for Room {
    #[op]
    fn read(&mut self, me: Pid) -> bool { self.x }
    #[op]
    fn set(&mut self, me: Pid, x: bool) { self.x = x; }
    #[op]
    fn open(&mut self, me: Pid) { self.open = true; }
    #[op]
    fn sit(&mut self, me: Pid) -> bool {
        when(self.open);
        let is_new = !self.seated.contains(&me);
        self.seated.insert(me);
        is_new
    }
}

#[layer(inherit(Parts: set, open))]
impl Whole for Room {
    #[op]
    fn sit_and_read(&mut self, me: Pid) -> bool {
        when(self.open);
        self.seated.insert(me);
        self.x
    }
}

#[implement(Whole, over = Parts, by = movers, pass(set, open))]
impl Code {
    fn sit_and_read(lo: &mut impl Parts) -> bool {
        let read = lo.read();
        let mut again = true;
        while again {
            again = lo.sit();
        //          ^^^^^^^^ CS0307 shape
        }
        read
    }
}
