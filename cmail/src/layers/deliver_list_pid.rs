//! Plan 1: a process lists the numbers that it has used, and links under another one.

use cspec::prelude::*;

use super::{deliver::*, mail::*, mail_fs::*, mailbox_tmp_abs::*, outside::*};

#[layer(
    inherit(Deliver: init, create_write_tmp, unlink_tmp, list, read, delete, lock, unlock),
    inherit(Outside: accept, request, respond)
)]
impl DeliverListPid for Spool {
    /// A superset of the numbers that the caller has used. An exact set would not move right past a deletion by another process, which can
    /// remove one of them.
    #[op]
    fn list_pid(&mut self, me: Pid) -> Set<u64> {
        let listed: Set<u64> = any();
        when(self.mail.mbox.keys().iter().all(|id| id.pid != me || listed.contains(&id.number)));
        listed
    }

    #[op]
    fn link_mail(&mut self, me: Pid, number: u64) -> Linked {
        self.link(me, number)
    }
}

/// A process links only under a free number.
#[layer(protocol = DeliverListPid)]
impl DeliverListPidFree for Spool {
    #[allowed(link_mail)]
    fn is_free(&self, me: Pid, number: u64) -> bool {
        !self.mail.mbox.contains(&MsgId { pid: me, number })
    }
}

#[implement(
    DeliverListPid,
    over = MailFS,
    by = movers,
    pass(link_mail, unlink_tmp, list, read, delete, lock, unlock, accept, request, respond)
)]
impl FilterList {
    fn create_write_tmp(lo: &mut impl MailFS, message: Message) -> bool {
        lo.create_tmp() && lo.write_tmp(message)
    }

    fn list_pid(lo: &mut impl MailFS) -> Set<u64> {
        let me = lo.pid();
        lo.list().iter().filter(|id| id.pid == me).map(|id| id.number).collect()
    }
}
