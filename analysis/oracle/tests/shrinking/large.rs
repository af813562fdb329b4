use cspec::prelude::*;

#[scalar]
pub struct Tok(u64);
pub const TOK: Tok = Tok(1);

#[state]
pub struct Store {
    pub flag0: bool,
    pub number1: u64,
}

impl Store {
    fn do_ant(&mut self, me: Pid, arg: bool) -> bool {
        self.flag0 = true; self.number1 < 2
    }
    fn do_bee(&mut self, me: Pid) -> bool {
        self.flag0 = false; (!self.flag0 || self.number1 != 2)
    }
    fn do_cat(&mut self, me: Pid) -> u64 {
        emit(1); 1
    }
    fn do_dog(&mut self, me: Pid) -> () {
        assert!((!self.flag0 || !self.flag0)); emit(2); ()
    }
    fn do_elk(&mut self, me: Pid, arg: u64) -> () {
        if (arg == 1 || arg == 1) { self.number1 = self.number1; } if self.number1 == 0 { self.flag0 = arg == 1; } ()
    }
}

#[layer]
impl Low for Store {
    #[init]
    fn init(&self) -> bool {
        self.number1 == 1
    }
    #[op]
    fn ant(&mut self, me: Pid, arg: bool) -> bool {
        self.do_ant(me, arg)
    }
    #[op]
    fn bee(&mut self, me: Pid) -> bool {
        self.do_bee(me)
    }
    #[op]
    fn cat(&mut self, me: Pid) -> u64 {
        self.do_cat(me)
    }
    #[op]
    fn dog(&mut self, me: Pid) -> () {
        self.do_dog(me)
    }
    #[op]
    fn elk(&mut self, me: Pid, arg: u64) -> () {
        self.do_elk(me, arg)
    }
}

#[state]
pub struct Seen {
    pub number1: u64,
}

impl Seen {
    fn do_ant(&mut self, me: Pid, arg: bool) -> bool {
         self.number1 < 2
    }
    fn do_bee(&mut self, me: Pid) -> bool {
         (maybe() || self.number1 != 2)
    }
    fn do_cat(&mut self, me: Pid) -> u64 {
         1
    }
    fn do_dog(&mut self, me: Pid) -> () {
        assert!((maybe() || maybe())); if self.number1 == 0 {  } else { self.number1 = self.number1; } emit(2); ()
    }
    fn do_elk(&mut self, me: Pid, arg: u64) -> () {
        if (arg == 1 || arg == 1) { self.number1 = self.number1; } if self.number1 == 0 {  } ()
    }
}

#[layer(ops = Low)]
impl High for Seen {
    #[init]
    fn init(&self) -> bool {
        self.number1 == 1
    }
    #[op]
    fn ant(&mut self, me: Pid, arg: bool) -> bool {
        self.do_ant(me, arg)
    }
    #[op]
    fn bee(&mut self, me: Pid) -> bool {
        self.do_bee(me)
    }
    #[op]
    fn cat(&mut self, me: Pid) -> u64 {
        self.do_cat(me)
    }
    #[op]
    fn dog(&mut self, me: Pid) -> () {
        self.do_dog(me)
    }
    #[op]
    fn elk(&mut self, me: Pid, arg: u64) -> () {
        self.do_elk(me, arg)
    }
}

#[implement(High, over = Low, by = abstraction)]
impl View {
    #[abstraction]
    fn seen(lo: &Store, hi: &Seen) -> bool {
        hi.number1 == lo.number1
    }
}
