//! One file system for all users, with a lock for each.

use cspec::prelude::*;

use super::{mail::*, mail_fs_inode::*, mail_fs_path::*, mail_fs_path_abs::*, outside::*};

/// A directory of a user, and a name in it.
pub type File = (User, Dir, String);

/// The files of all users, and the lock of each user there is.
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

    /// There is no room for the files of a user who does not exist.
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

    /// A temporary file may stay.
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

/// A name and what it leads to might as well be one: no file is written under two names, and none after it is published.
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
