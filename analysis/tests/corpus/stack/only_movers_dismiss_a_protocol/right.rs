//! Only procedures by movers are checked against a protocol; a stack with another pattern there is rejected.

#[state]
pub struct Guarded { pub owner: Option<Pid>, pub value: u64 }

#[layer]
impl Raw for Guarded {
    #[op]
    fn write(&mut self, me: Pid, value: u64) { self.value = value; }
}

#[layer(protocol = Raw)]
impl Ruled for Guarded {
    #[allowed(write)]
    fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
}

#[layer]
impl Whole for Guarded {
    #[op]
    fn set(&mut self, me: Pid, value: u64) { self.value = value; }
}

#[layer(inherit(Raw: write))]
impl Bottom for Guarded {}

#[implement(Whole, over = Raw, by = retry)]
impl Writes {
    fn set(lo: &mut impl Raw, value: u64) { lo.write(value) }
}

#[implement(Raw, over = Bottom, by = movers, pass(write))]
impl Same {}

#[stack]
pub type Tower<L> = Writes<Same<L>>;
