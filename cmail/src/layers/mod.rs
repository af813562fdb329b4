//! The stack of the mail server, one file for each layer. A file begins with what its layer adds, and contains the implementation of that
//! layer over the one below. Top to bottom: `mail_server_composed`, `mail_server_per_user`, `mail_server_lock_abs`, `mailbox`,
//! `mailbox_tmp_abs`, `deliver`, then `deliver_list_pid` or `try_deliver`, then `mail_fs`, `mail_fs_string_abs`, `mail_fs_string`,
//! `mail_fs_path_abs`, `mail_fs_path`, `mail_fs_merged`, `mail_fs_inode`. What they share is in `mail`, `names` and `outside`. `stacks`
//! puts them together, and `clients` uses them.

mod clients;
mod deliver;
mod deliver_list_pid;
mod mail;
mod mail_fs;
mod mail_fs_inode;
mod mail_fs_merged;
mod mail_fs_path;
mod mail_fs_path_abs;
mod mail_fs_string;
mod mail_fs_string_abs;
mod mail_server_composed;
mod mail_server_lock_abs;
mod mail_server_per_user;
mod mailbox;
mod mailbox_tmp_abs;
mod names;
mod outside;
mod stacks;
mod try_deliver;

pub use self::{
    deliver::*, deliver_list_pid::*, mail::*, mail_fs::*, mail_fs_inode::*, mail_fs_merged::*, mail_fs_path::*,
    mail_fs_path_abs::*, mail_fs_string::*, mail_fs_string_abs::*, mail_server_composed::*, mail_server_lock_abs::*,
    mail_server_per_user::*, mailbox::*, mailbox_tmp_abs::*, names::*, outside::*, stacks::*, try_deliver::*,
};
