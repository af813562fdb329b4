//! Many users. What is done for one does not touch the mail of another.

use cspec::prelude::*;

use super::{mail::*, mail_server_per_user::*, outside::*};

/// The messages of every user there is.
#[state]
pub struct Mail {
    pub boxes: Map<User, Messages>,
}

#[layer(
    inherit(MailServerPerUser in boxes[user: User]: init, deliver, pickup, delete),
    inherit(Outside: accept, request, respond)
)]
impl MailServerComposed for Mail {
    /// Whether there is such a user. `false` may be said of anyone.
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
