//! A row does not say who runs the job. Only the process that has made it `Running` can be between `claim` and `finish`.
use cspec::prelude::*;

#[scalar]
pub struct Id(u64);

#[state]
pub enum Status {
    Waiting,
    Running,
    Done,
}

#[state]
pub struct Table {
    pub jobs: Map<Id, Status>,
    pub results: Map<Id, u64>,
}

#[layer]
impl Rows for Table {
    #[init]
    fn init(&self) -> bool {
        self.jobs.is_empty() && self.results.is_empty()
    }
    #[op]
    fn add(&mut self, me: Pid, id: Id) {
        if !self.jobs.contains(&id) {
            self.jobs.insert(id, Status::Waiting);
        }
    }
    #[op]
    fn claim(&mut self, me: Pid, id: Id) -> bool {
        if self.jobs.get(&id) != Some(&Status::Waiting) {
            return false;
        }
        self.jobs.insert(id, Status::Running);
        true
    }
    #[op]
    fn store(&mut self, me: Pid, id: Id, result: u64) {
        self.results.insert(id, result);
    }
    #[op]
    fn finish(&mut self, me: Pid, id: Id) {
        self.jobs.insert(id, Status::Done);
    }
}

#[layer(inherit(Rows: init, add))]
impl Jobs for Table {
    #[op]
    fn run(&mut self, me: Pid, id: Id, result: u64) -> bool {
        if self.jobs.get(&id) != Some(&Status::Waiting) {
            return false;
        }
        self.results.insert(id, result);
        self.jobs.insert(id, Status::Done);
        true
    }
}

#[implement(Jobs, over = Rows, by = movers, pass(add))]
impl Claims {
    fn run(lo: &mut impl Rows, id: Id, result: u64) -> bool {
        if !lo.claim(id) {
            return false;
        }
        lo.store(id, result);
        lo.finish(id);
        true
    }
}
