use cspec::prelude::*;

#[scalar]
pub struct Tok(u64);
pub const TOK: Tok = Tok(1);

#[state]
pub struct Store {
    pub table0: Map<Tok, u64>,
    pub flag1: bool,
}

impl Store {
    fn do_ant(&mut self, me: Pid, arg: u64) -> u64 {
        when(!(!self.flag1)); self.table0.insert(TOK, arg); self.table0.insert(TOK, 2); arg
    }
    fn do_bee(&mut self, me: Pid, arg: Tok) -> bool {
        self.flag1 = true; if !(!self.flag1) { self.table0.insert(TOK, 2); } self.table0.contains(&TOK)
    }
    fn do_cat(&mut self, me: Pid) -> bool {
        self.flag1 = false; !(maybe())
    }
    fn do_dog(&mut self, me: Pid, arg: u64) -> bool {
        self.table0.insert(TOK, arg); if self.table0.values().all(|it| *it == 0) { self.table0.remove(&TOK); } else { self.flag1 = arg < 2; } self.table0.contains(&TOK)
    }
}

#[layer]
impl Low for Store {
    #[init]
    fn init(&self) -> bool {
        (self.table0.is_empty() || !self.flag1)
    }
    #[op]
    fn ant(&mut self, me: Pid, arg: u64) -> u64 {
        self.do_ant(me, arg)
    }
    #[op]
    fn bee(&mut self, me: Pid, arg: Tok) -> bool {
        self.do_bee(me, arg)
    }
    #[op]
    fn cat(&mut self, me: Pid) -> bool {
        self.do_cat(me)
    }
    #[op]
    fn dog(&mut self, me: Pid, arg: u64) -> bool {
        self.do_dog(me, arg)
    }
}

#[state]
pub struct Seen {
    pub table0: Map<Tok, u64>,
}

impl Seen {
    fn do_ant(&mut self, me: Pid, arg: u64) -> u64 {
        when(!(maybe())); self.table0.insert(TOK, arg); self.table0.insert(TOK, 2); arg
    }
    fn do_bee(&mut self, me: Pid, arg: Tok) -> bool {
         if !(maybe()) { self.table0.insert(TOK, 2); } self.table0.contains(&TOK)
    }
    fn do_cat(&mut self, me: Pid) -> bool {
         !(maybe())
    }
    fn do_dog(&mut self, me: Pid, arg: u64) -> bool {
        self.table0.insert(TOK, arg); if self.table0.values().all(|it| *it == 0) { self.table0.remove(&TOK); } else {  } self.table0.contains(&TOK)
    }
}

#[layer(ops = Low)]
impl High for Seen {
    #[init]
    fn init(&self) -> bool {
        true
    }
    #[op]
    fn ant(&mut self, me: Pid, arg: u64) -> u64 {
        self.do_ant(me, arg)
    }
    #[op]
    fn bee(&mut self, me: Pid, arg: Tok) -> bool {
        self.do_bee(me, arg)
    }
    #[op]
    fn cat(&mut self, me: Pid) -> bool {
        self.do_cat(me)
    }
    #[op]
    fn dog(&mut self, me: Pid, arg: u64) -> bool {
        self.do_dog(me, arg)
    }
}

#[implement(High, over = Low, by = abstraction)]
impl View {
    #[abstraction]
    fn seen(lo: &Store, hi: &Seen) -> bool {
        (lo.table0.is_empty() || hi.table0 == lo.table0)
    }
}
