//! The types that mail consists of, and the operations on the messages of one user that many layers share.

use cspec::prelude::*;

/// The name of a user.
#[scalar]
pub struct User(pub String);

/// The contents of a message.
#[scalar]
pub struct Message(pub Vec<u8>);

impl Message {
    /// The contents of a file after it was created and before it is written.
    pub const EMPTY: Message = Message(Vec::new());
}

/// The name of a message: the process that delivered it, and a number of that process's choice.
#[state]
#[derive(Copy)]
pub struct MsgId {
    pub pid: Pid,
    pub number: u64,
}

/// The result of an attempt to link a file under a name.
#[state]
#[derive(Copy)]
pub enum Linked {
    /// The file now has the name.
    Done,
    /// Another file has the name.
    Taken,
    /// The attempt failed: there is no such file, no space, and so on.
    Failed,
}

/// The messages of one user.
#[state]
pub struct Messages {
    pub mbox: Map<MsgId, Message>,
}

impl Messages {
    /// Stores the message under any free name, or fails and stores nothing.
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

/// Lists the names, reads one message, and deletes one.
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

/// A lock, which one process holds at a time.
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
