//! If the digits of two numbers are adjacent, strings with different parts may be equal, so only some numbers are explored.

#[state]
pub struct Nothing { pub unit: bool }

#[layer]
impl Low for Nothing {
    #[op]
    fn name(&mut self, me: Pid) -> String { any() }
}

#[layer]
impl High for Nothing {
    #[op]
    fn promise(&mut self, me: Pid, a: u64, b: u64) -> bool { true }
}

#[implement(High, over = Low, by = movers)]
impl Keep {
    fn promise(lo: &mut impl Low, a: u64, b: u64) -> bool {
        let name = lo.name();
        name == format!("{a}.{b}") || true
    }
}
