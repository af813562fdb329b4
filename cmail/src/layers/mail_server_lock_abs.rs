//! The state gets an owner of the mailbox, which no operation uses yet.

use cspec::prelude::*;

use super::{mail::*, mail_server_per_user::*, mailbox::*, outside::*};

/// The messages of one user, and the process that holds the lock on them.
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

/// Reading the listed messages takes many steps. While the lock is held no message disappears, so they are equivalent to one step.
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
