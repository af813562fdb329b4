//! Mail for many users. An operation on one user's mailbox does not affect the others.

use cspec::prelude::*;

use super::{mail::*, mail_server_per_user::*, outside::*};

/// The messages of every existing user.
#[state]
pub struct Mail {
    pub boxes: Map<User, Messages>,
}

#[layer(
    inherit(MailServerPerUser in boxes[user: User]: init, deliver, pickup, delete),
    inherit(Outside: accept, request, respond)
)]
impl MailServerComposed for Mail {
    /// Whether the user exists. The answer may be `false` for any user.
    #[op]
    fn check_user(&mut self, me: Pid, user: User) -> bool {
        maybe() && self.boxes.contains(&user)
    }
}

#[implement(
    MailServerComposed,
    over = MailServerPerUser,
    by = partition(user),
    check = check_user,
    pass(deliver, pickup, delete, accept, request, respond)
)]
impl PerUser {}
