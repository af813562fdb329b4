//! The caller passes the names of files explicitly; the operations no longer choose the caller's own file.

use cspec::prelude::*;

use super::{mail::*, mail_fs_path_abs::*, mail_fs_string_abs::*, outside::*};

#[layer(inherit(MailFSStringAbs: init, pid, random, lock, unlock), inherit(Outside: accept, request, respond))]
impl MailFSString for Folders {
    #[op]
    fn create_tmp(&mut self, me: Pid, name: String) -> bool {
        self.create(name)
    }

    #[op]
    fn write_tmp(&mut self, me: Pid, name: String, message: Message) -> bool {
        self.write(name, message)
    }

    #[op]
    fn unlink_tmp(&mut self, me: Pid, name: String) {
        if maybe() {
            self.tmp.remove(&name);
        }
    }

    #[op]
    fn link_mail(&mut self, me: Pid, from: String, to: String) -> Linked {
        self.link(from, to)
    }

    #[op]
    fn list(&mut self, me: Pid) -> Set<String> {
        self.mbox.keys()
    }

    #[op]
    fn read(&mut self, me: Pid, name: String) -> Option<Message> {
        self.mbox.get(&name).cloned()
    }

    #[op]
    fn delete(&mut self, me: Pid, name: String) {
        self.mbox.remove(&name);
    }
}

#[implement(MailFSString, over = MailFSPathAbs, by = abstraction)]
impl Directories {
    #[abstraction]
    fn folders(lo: &Tree) -> Folders {
        Folders { tmp: lo.folder(Dir::Tmp), mbox: lo.folder(Dir::Mail), locked: lo.locked }
    }
}
