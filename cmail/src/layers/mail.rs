//! What mail is made of, and what can be done with the messages of one user whatever else there is.

use cspec::prelude::*;

/// Whom mail is for.
#[scalar]
pub struct User(pub String);

/// The contents of a message.
#[scalar]
pub struct Message(pub Vec<u8>);

impl Message {
    /// What a file contains that has been created and not yet written.
    pub const EMPTY: Message = Message(Vec::new());
}

/// The name of a message: the process that delivered it, and a number of that process's choice.
#[state]
#[derive(Copy)]
pub struct MsgId {
    pub pid: Pid,
    pub number: u64,
}

/// What became of an attempt to give a file a name.
#[state]
#[derive(Copy)]
pub enum Linked {
    /// It has the name.
    Done,
    /// The name is another file's.
    Taken,
    /// It did not work: there is no such file, no room, and so on.
    Failed,
}

/// The messages of one user.
#[state]
pub struct Messages {
    pub mbox: Map<MsgId, Message>,
}

impl Messages {
    /// A message arrives under a name that is free, or does not arrive.
    pub fn receive(&mut self, message: Message) -> bool {
        if maybe() {
            return false;
        }
        let id: MsgId = any();
        when(!self.mbox.contains(&id));
        self.mbox.insert(id, message);
        true
    }
}

/// Looking at the names, at one message, and removing one.
#[layer]
impl Files for Messages {
    #[op]
    fn list(&mut self, me: Pid) -> Set<MsgId> {
        self.mbox.keys()
    }

    #[op]
    fn read(&mut self, me: Pid, id: MsgId) -> Option<Message> {
        self.mbox.get(&id).cloned()
    }

    #[op]
    fn delete(&mut self, me: Pid, id: MsgId) {
        self.mbox.remove(&id);
    }
}

/// What is held by one process at a time.
#[layer]
impl Lock for bool {
    #[op]
    fn lock(&mut self, me: Pid) {
        when(!*self);
        *self = true;
    }

    #[op]
    fn unlock(&mut self, me: Pid) {
        *self = false;
    }
}
