//! The state gets temporary files. A delivery may leave anything in them.

use cspec::prelude::*;

use super::{deliver::*, mail::*, mailbox::*, outside::*};

/// The messages of one user, a temporary file for each process that delivers to the user, and a lock on the messages.
#[state]
pub struct Spool {
    pub tmp: Map<Pid, Message>,
    pub mail: Messages,
    pub locked: bool,
}

impl Spool {
    /// Links the caller's temporary file into the mailbox, which copies its contents.
    pub fn link(&mut self, me: Pid, number: u64) -> Linked {
        let id = MsgId { pid: me, number };
        if maybe() {
            return Linked::Failed;
        }
        if self.mail.mbox.contains(&id) {
            return Linked::Taken;
        }
        when(self.tmp.contains(&me));
        self.mail.mbox.insert(id, self.tmp[&me].clone());
        Linked::Done
    }
}

#[layer(
    ops = Mailbox,
    inherit(Files in mail: list, read, delete),
    inherit(Lock in locked: lock, unlock),
    inherit(Outside: accept, request, respond)
)]
impl MailboxTmpAbs for Spool {
    #[init]
    fn empty(&self) -> bool {
        self.tmp.is_empty() && self.mail.mbox.is_empty() && !self.locked
    }

    #[op]
    fn deliver(&mut self, me: Pid, message: Message) -> bool {
        self.tmp = any();
        self.mail.receive(message)
    }
}

/// No other process reads the temporary file: the message appears when it is linked.
#[implement(MailboxTmpAbs, over = DeliverWritten, by = movers, pass(list, read, delete, lock, unlock, accept, request, respond))]
impl AtomicDeliver {
    fn deliver(lo: &mut impl DeliverWritten, message: Message) -> bool {
        let ok = lo.create_write_tmp(message) && lo.link_mail();
        lo.unlink_tmp();
        ok
    }
}
