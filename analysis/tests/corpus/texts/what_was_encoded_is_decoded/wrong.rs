//! Decoding an encoded string yields the same parts.

#[state]
pub struct Nothing { pub unit: bool }
pub fn encode(pid: Pid, number: u64) -> String { format!("{pid}.{number}") }
pub fn decode(name: &str) -> Option<(Pid, u64)> {
    let (pid, number) = name.split_once('-')?;
    Some((pid.parse::<Pid>().ok()?, number.parse::<u64>().ok()?))
}
#[layer]
impl Low for Nothing {
    #[op]
    fn name(&mut self, me: Pid) -> String { any() }
}
#[layer]
impl High for Nothing {
    #[op]
    fn promise(&mut self, me: Pid, pid: Pid, number: u64) -> bool { true }
}
#[implement(High, over = Low, by = movers)]
impl Keep {
    fn promise(lo: &mut impl Low, pid: Pid, number: u64) -> bool { let name = lo.name(); decode(&encode(pid, number)) == Some((pid, number)) }
//     ^^^^^^^ CS0307 atomic-spec
}
