

#[scalar]
pub struct Tok(u64);
pub const TOK: Tok = Tok(1);

#[state]
pub struct Store {
    pub table0: Map<Tok, u64>,
}

impl Store {
    fn do_dog(&mut self, me: Pid, arg: u64) -> bool { self.table0.contains(&TOK)
    }
}

#[layer]
impl Low for Store {
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
    fn do_dog(&mut self, me: Pid, arg: u64) -> bool { self.table0.contains(&TOK)
    }
}

#[layer(ops = Low)]
impl High for Seen {
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
