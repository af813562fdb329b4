//! The mailbox has an owner, who does not matter yet.

use cspec::prelude::*;

use super::{mail::*, mail_server_per_user::*, mailbox::*, outside::*};

/// The messages of one user, and who holds the lock on them.
#[state]
pub struct Owned {
    pub mail: Messages,
    pub owner: Option<Pid>,
}

#[layer(inherit(MailServerPerUser in mail: deliver, pickup, delete), inherit(Outside: accept, request, respond))]
impl MailServerLockAbs for Owned {
    #[init]
    fn empty(&self) -> bool {
        self.mail.mbox.is_empty() && self.owner.is_none()
    }
}

/// Reading what is listed takes many steps. Under the lock nothing that is listed goes away, so they might as well be one.
#[implement(MailServerLockAbs, over = MailboxByOwner, by = movers, pass(deliver, accept, request, respond))]
impl AtomicReader {
    fn pickup(lo: &mut impl MailboxByOwner) -> Map<MsgId, Message> {
        let mut mail = Map::new();
        lo.lock();
        for id in lo.list() {
            if let Some(message) = lo.read(id) {
                mail.insert(id, message);
            }
        }
        lo.unlock();
        mail
    }

    fn delete(lo: &mut impl MailboxByOwner, id: MsgId) {
        lo.lock();
        lo.delete(id);
        lo.unlock();
    }
}
