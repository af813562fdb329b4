//! Picking up locks the mailbox, lists it, reads the messages, and unlocks it.

use cspec::prelude::*;

use super::{mail::*, mail_server_lock_abs::*, mailbox_tmp_abs::*, outside::*};

#[layer(
    inherit(MailServerLockAbs: init, deliver),
    inherit(Files in mail: list, read, delete),
    inherit(Outside: accept, request, respond)
)]
impl Mailbox for Owned {
    #[op]
    fn lock(&mut self, me: Pid) {
        when(self.owner.is_none());
        self.owner = Some(me);
    }

    #[op]
    fn unlock(&mut self, me: Pid) {
        self.owner = None;
    }
}

/// Only the owner of the lock reads, deletes and unlocks. A delivery needs no lock.
#[layer(protocol = Mailbox)]
impl MailboxByOwner for Owned {
    #[allowed(read, delete, unlock)]
    fn by_owner(&self, me: Pid) -> bool {
        self.owner == Some(me)
    }
}

/// The lock below is one bit. Its owner is ghost state.
#[implement(Mailbox, over = MailboxTmpAbs, by = abstraction)]
impl GhostOwner {
    #[abstraction]
    fn owned(lo: &Spool) -> Owned {
        let owner: Option<Pid> = any();
        when(owner.is_some() == lo.locked);
        Owned { mail: lo.mail.clone(), owner }
    }
}
