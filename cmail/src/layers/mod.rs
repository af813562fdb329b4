//! The stack of the mail server: one file a layer, each opening with the one fact that it adds, and holding the implementation
//! of that layer over the one below.

mod deliver;
mod deliver_list_pid;
mod mail;
mod mail_fs;
mod mail_server_lock_abs;
mod mail_server_per_user;
mod mailbox;
mod mailbox_tmp_abs;
mod outside;
mod try_deliver;

pub use self::{
    deliver::*, deliver_list_pid::*, mail::*, mail_fs::*, mail_server_lock_abs::*, mail_server_per_user::*, mailbox::*,
    mailbox_tmp_abs::*, outside::*, try_deliver::*,
};
