//! One file system for all users, with a lock for each.

use cspec::prelude::*;

use super::{mail::*, mail_fs_inode::*, mail_fs_path::*, mail_fs_path_abs::*, outside::*};

/// A directory of a user, and a name in it.
pub type File = (User, Dir, String);

/// The files of all users, and a lock for every existing user.
#[state]
pub struct Merged {
    pub files: Map<File, Message>,
    pub locks: Map<User, bool>,
}

#[layer(
    inherit(MailFSPath: pid, random),
    inherit(Lock in locks[user: User]: lock, unlock),
    inherit(Outside: accept, request, respond)
)]
impl MailFSMerged for Merged {
    #[init]
    fn empty(&self) -> bool {
        self.files.is_empty() && self.locks.values().all(|locked| !*locked)
    }

    /// A file can be created only for a user who exists.
    #[op]
    fn create(&mut self, me: Pid, file: File) -> bool {
        let ok = maybe();
        if ok {
            when(self.locks.contains(&file.0));
            self.files.insert(file, Message::EMPTY);
        }
        ok
    }

    #[op]
    fn write(&mut self, me: Pid, file: File, message: Message) -> bool {
        if maybe() {
            return false;
        }
        when(self.files.get(&file) == Some(&Message::EMPTY));
        let ok = maybe();
        self.files.insert(file, if ok { message } else { any() });
        ok
    }

    #[op]
    fn link(&mut self, me: Pid, from: File, to: File) -> Linked {
        if maybe() {
            return Linked::Failed;
        }
        if self.files.contains(&to) {
            return Linked::Taken;
        }
        when(self.files.contains(&from) && self.locks.contains(&to.0));
        self.files.insert(to, self.files[&from].clone());
        Linked::Done
    }

    /// A temporary file may remain, since no operation reads it.
    #[op]
    fn unlink(&mut self, me: Pid, file: File) {
        if file.1 == Dir::Mail || maybe() {
            self.files.remove(&file);
        }
    }

    #[op]
    fn list(&mut self, me: Pid, user: User, dir: Dir) -> Set<String> {
        when(self.locks.contains(&user));
        let inside = self.files.keys();
        inside.iter().filter(|it| it.0 == user && it.1 == dir).map(|it| it.2.clone()).collect()
    }

    #[op]
    fn read(&mut self, me: Pid, file: File) -> Option<Message> {
        self.files.get(&file).cloned()
    }

    #[op]
    fn exists(&mut self, me: Pid, user: User) -> bool {
        self.locks.contains(&user)
    }
}

/// Names and files need not be distinguished: no file is written while it has two names, or after it is published.
#[implement(MailFSMerged, over = MailFSInode, by = abstraction)]
impl FollowNames {
    #[abstraction]
    fn files(lo: &Inodes) -> Merged {
        when(lo.names.values().all(|inode| lo.contents.contains(inode)));
        when(lo.handles.iter().all(|(pid, handle)| lo.keeps(handle) && lo.is_alone(*pid, handle)));
        let files = lo.names.iter().map(|(file, inode)| (file.clone(), lo.contents[inode].clone())).collect();
        Merged { files, locks: lo.locks.clone() }
    }
}
