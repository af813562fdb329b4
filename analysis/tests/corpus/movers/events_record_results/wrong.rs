//! An event of an external operation records its result, so that the result must be the same above.

#[state]
pub struct Nothing { pub used: bool }

#[layer]
impl Console for Nothing {
    #[op(external)]
    fn ask(&mut self, me: Pid, question: u64) -> u64 { external() }
}

#[layer(inherit(Console: ask))]
impl Users for Nothing {}

#[implement(Users, over = Console, by = movers)]
impl Deaf {
    fn ask(lo: &mut impl Console, question: u64) -> u64 {
    // ^^^ CS0307 atomic-spec
        let answer = lo.ask(question);
        0
    }
}
