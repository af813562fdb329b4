//! Plan 2: an attempt to link reports whether the name was taken.

use cspec::prelude::*;

use super::{deliver::*, mail::*, mail_fs::*, mailbox_tmp_abs::*, outside::*};

#[layer(
    inherit(Deliver: init, create_write_tmp, unlink_tmp, list, read, delete, lock, unlock),
    inherit(Outside: accept, request, respond)
)]
impl TryDeliver for Spool {
    #[op]
    fn link_mail(&mut self, me: Pid) -> Linked {
        self.link(me, any())
    }
}

#[implement(
    TryDeliver,
    over = MailFS,
    by = movers,
    pass(unlink_tmp, list, read, delete, lock, unlock, accept, request, respond)
)]
impl LinkRandom {
    fn create_write_tmp(lo: &mut impl MailFS, message: Message) -> bool {
        lo.create_tmp() && lo.write_tmp(message)
    }

    fn link_mail(lo: &mut impl MailFS) -> Linked {
        let number = lo.random();
        lo.link_mail(number)
    }
}
