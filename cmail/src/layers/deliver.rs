//! A delivery writes a temporary file of the process, links it into the mailbox, and unlinks it.

use cspec::prelude::*;

use super::{deliver_list_pid::*, mail::*, mailbox_tmp_abs::*, outside::*, try_deliver::*};

#[layer(inherit(MailboxTmpAbs: init, list, read, delete, lock, unlock), inherit(Outside: accept, request, respond))]
impl Deliver for Spool {
    /// Writes the message to the caller's temporary file. If it fails, anything may be there.
    #[op]
    fn create_write_tmp(&mut self, me: Pid, message: Message) -> bool {
        if maybe() {
            return false;
        }
        let ok = maybe();
        self.tmp.insert(me, if ok { message } else { any() });
        ok
    }

    /// Links the temporary file: the commit point.
    #[op]
    fn link_mail(&mut self, me: Pid) -> bool {
        self.link(me, any()) == Linked::Done
    }

    /// The file may remain, since no operation reads it.
    #[op]
    fn unlink_tmp(&mut self, me: Pid) {
        if maybe() {
            self.tmp.remove(&me);
        }
    }
}

/// A process may link only after it has written its temporary file.
#[layer(protocol = Deliver)]
impl DeliverWritten for Spool {
    #[allowed(link_mail)]
    fn has_written(&self, me: Pid) -> bool {
        self.tmp.contains(&me)
    }
}

/// Plan 1: a number greater than all that the caller has used. Other processes never use the caller's numbers.
#[implement(
    Deliver,
    over = DeliverListPidFree,
    by = movers,
    pass(create_write_tmp, unlink_tmp, list, read, delete, lock, unlock, accept, request, respond)
)]
impl LinkNext {
    fn link_mail(lo: &mut impl DeliverListPidFree) -> bool {
        match Self::next(&lo.list_pid()) {
            Some(number) => lo.link_mail(number) == Linked::Done,
            None => false,
        }
    }

    fn next(listed: &Set<u64>) -> Option<u64> {
        match listed.iter().max() {
            Some(last) => last.checked_add(1),
            None => Some(0),
        }
    }
}

/// Plan 2: tries arbitrary numbers until one is free.
#[implement(
    Deliver,
    over = TryDeliver,
    by = retry,
    pass(create_write_tmp, unlink_tmp, list, read, delete, lock, unlock, accept, request, respond)
)]
impl LinkRetry {
    fn link_mail(lo: &mut impl TryDeliver) -> bool {
        loop {
            let linked = lo.link_mail();
            if linked != Linked::Taken {
                return linked == Linked::Done;
            }
        }
    }
}
