//! A file is created empty and written later; one listing replaces `list_pid`; a process can ask for its own number and for random ones.

use cspec::prelude::*;

use super::{deliver_list_pid::*, mail::*, mail_fs_string_abs::*, mailbox_tmp_abs::*, names::*, outside::*};

#[layer(
    inherit(DeliverListPid: init, link_mail, unlink_tmp, list, read, delete, lock, unlock),
    inherit(Outside: accept, request, respond)
)]
impl MailFS for Spool {
    #[op]
    fn create_tmp(&mut self, me: Pid) -> bool {
        let ok = maybe();
        if ok {
            self.tmp.insert(me, Message::EMPTY);
        }
        ok
    }

    #[op]
    fn write_tmp(&mut self, me: Pid, message: Message) -> bool {
        if maybe() {
            return false;
        }
        when(self.tmp.get(&me) == Some(&Message::EMPTY));
        let ok = maybe();
        self.tmp.insert(me, if ok { message } else { any() });
        ok
    }

    #[op]
    fn pid(&mut self, me: Pid) -> Pid {
        me
    }

    #[op]
    fn random(&mut self, me: Pid) -> u64 {
        any()
    }
}

/// Only names that the mail server generates occur in its directories.
#[implement(MailFS, over = MailFSStringAbs, by = abstraction)]
impl Encoded {
    #[abstraction]
    fn folders(hi: &Spool) -> Folders {
        Folders {
            tmp: hi.tmp.iter().map(|(pid, message)| (temporary(*pid), message.clone())).collect(),
            mbox: hi.mail.mbox.iter().map(|(id, message)| (encode(id), message.clone())).collect(),
            locked: hi.locked,
        }
    }
}
