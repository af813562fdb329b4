//! An operation that moves left in some states does so if the earlier calls have established such a state: a listed file stays, but other
//! files may appear.

#[scalar]
pub struct Name(u64);

#[state]
pub struct Folders { pub mailbox: Set<Name>, pub picked: Option<Name> }

#[layer]
impl Steps for Folders {
    #[op]
    fn pick(&mut self, me: Pid) -> Name {
        let name = choose(&self.mailbox);
        self.picked = Some(name);
        name
    }
    #[op]
    fn open(&mut self, me: Pid, name: Name) -> bool { self.mailbox.contains(&name) }
    #[op]
    fn create(&mut self, me: Pid, name: Name) { self.mailbox.remove(&name); }
}

#[layer(inherit(Steps: create))]
impl Whole for Folders {
    #[op]
    fn look(&mut self, me: Pid) -> bool { self.picked = Some(choose(&self.mailbox)); true }
}

#[implement(Whole, over = Steps, by = movers, pass(create))]
impl PickThenOpen {
    fn look(lo: &mut impl Steps) -> bool {
        let name = lo.pick();
        //         ^^^^^^^^^ CS0307 shape
        lo.open(name)
    }
}
