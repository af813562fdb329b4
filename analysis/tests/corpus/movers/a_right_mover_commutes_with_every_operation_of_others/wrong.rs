//! A right mover commutes with every operation of every other process: a write to a process's own temporary file does, a write to a shared
//! one does not.

#[scalar]
pub struct Message(String);

#[state]
pub struct Spool { pub tmp: Map<Option<Pid>, Message>, pub mailbox: Set<Message> }

fn name_for(me: Pid) -> Option<Pid> { None }

#[layer]
impl Files for Spool {
    #[op]
    fn create(&mut self, me: Pid, message: Message) { self.tmp.insert(name_for(me), message); }
    #[op]
    fn link(&mut self, me: Pid) {
        when(self.tmp.contains(&name_for(me)));
        let message = self.tmp[&name_for(me)].clone();
        self.mailbox.insert(message);
    }
}

#[layer]
impl Mail for Spool {
    #[op]
    fn deliver(&mut self, me: Pid, message: Message) {
        self.tmp.insert(name_for(me), message);
        self.mailbox.insert(message);
    }
}

#[implement(Mail, over = Files, by = movers)]
impl CreateThenLink {
    fn deliver(lo: &mut impl Files, message: Message) {
        lo.create(message);
        lo.link();
    //  ^^^^^^^^^ CS0310 shape
    }
}
