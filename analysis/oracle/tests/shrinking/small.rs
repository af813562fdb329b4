

#[state]
pub struct Store {
    pub number1: u64,
}

impl Store {
    fn do_cat(&mut self, me: Pid) -> u64 {
        emit(1); 1
    }
}

#[layer]
impl Low for Store {
    #[op]
    fn cat(&mut self, me: Pid) -> u64 {
        self.do_cat(me)
    }
}

#[state]
pub struct Seen {
    pub number1: u64,
}

impl Seen {
    fn do_cat(&mut self, me: Pid) -> u64 {
         1
    }
}

#[layer(ops = Low)]
impl High for Seen {
    #[op]
    fn cat(&mut self, me: Pid) -> u64 {
        self.do_cat(me)
    }
}

#[implement(High, over = Low, by = abstraction)]
impl View {
    #[abstraction]
    fn seen(lo: &Store, hi: &Seen) -> bool {
        hi.number1 == lo.number1
    }
}
