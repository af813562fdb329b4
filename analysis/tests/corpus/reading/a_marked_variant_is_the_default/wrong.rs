//! The default of an enum is the variant that is marked.

#[state]
pub enum Mode { On, #[default] Off }

#[state]
pub struct Switches { pub mode: Total<Pid, Mode> }

#[layer]
impl Low for Switches {
    #[init]
    fn init(&self) -> bool { self.mode.is_default() }
    #[op]
    fn is_on(&mut self, me: Pid) -> bool { self.mode[me] == Mode::On }
}

#[state]
pub struct Nothing { pub nothing: bool }

#[layer]
impl Up for Nothing {
    #[op]
    fn is_on(&mut self, me: Pid) -> bool { true }
//     ^^^^^ CS0501 simulation
}

#[implement(Up, over = Low, by = abstraction)]
impl Always {
    #[abstraction]
    fn related(lo: &Switches, hi: &Nothing) -> bool { lo.mode.is_default() }
}
