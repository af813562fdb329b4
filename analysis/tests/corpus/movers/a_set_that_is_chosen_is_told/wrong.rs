//! A step chooses a set that no later step reads. The counterexample shows this step with the chosen set.

#[state]
pub struct Board { pub drafts: Map<Pid, u64>, pub notes: Map<u64, u64>, pub gone: Set<Pid> }

#[layer]
impl Raw for Board {
    #[op]
    fn sweep(&mut self, me: Pid) {
        let all: Set<Pid> = any();
        when(self.drafts.keys().iter().all(|it| all.contains(it)) && all.contains(&me));
        self.gone = all;
        self.drafts = Map::new();
        self.notes = Map::new();
    }
}

#[layer]
impl Whole for Board {
    #[op]
    fn sweep(&mut self, me: Pid) {
        let all: Set<Pid> = any();
        when(self.drafts.keys().iter().all(|it| all.contains(it)) && all.contains(&me));
        self.gone = all;
        self.drafts = Map::new();
    }
}

#[implement(Whole, over = Raw, by = movers, pass(sweep))]
//                                               ^^^^^ CS0307 atomic-spec
impl Swept {}
