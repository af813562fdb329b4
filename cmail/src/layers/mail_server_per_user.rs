//! One user's mail: delivering, picking up and deleting are atomic.

use cspec::prelude::*;

use super::{mail::*, mail_server_lock_abs::*, outside::*};

#[layer(inherit(Files: delete), inherit(Outside: accept, request, respond))]
impl MailServerPerUser for Messages {
    #[init]
    fn empty(&self) -> bool {
        self.mbox.is_empty()
    }

    #[op]
    fn deliver(&mut self, me: Pid, message: Message) -> bool {
        self.receive(message)
    }

    #[op]
    fn pickup(&mut self, me: Pid) -> Map<MsgId, Message> {
        self.mbox.clone()
    }
}

#[implement(MailServerPerUser, over = MailServerLockAbs, by = abstraction)]
impl HideLock {
    #[abstraction]
    fn messages(lo: &Owned) -> Messages {
        lo.mail.clone()
    }
}
