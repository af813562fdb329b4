//! A name refers to a file, which may have several names and whose contents show under each. So a process writes its own file before it
//! gives it a second name.

use cspec::prelude::*;

use super::{mail::*, mail_fs_merged::*, mail_fs_path_abs::*, outside::*};

/// The file that names refer to.
#[scalar]
pub struct Inode(pub u64);

/// A temporary file that a process has created and not yet unlinked, under its first name.
#[state]
pub struct Handle {
    pub file: File,
    pub inode: Inode,
    /// Whether it was written or linked; a sealed file is never written again.
    pub sealed: bool,
}

/// The names of all users' files, what the files contain, the one file that each process has open, and the lock of each user.
#[state]
pub struct Inodes {
    pub names: Map<File, Inode>,
    pub contents: Map<Inode, Message>,
    pub handles: Map<Pid, Handle>,
    pub locks: Map<User, bool>,
}

impl Inodes {
    /// Whether a process has made this file and still has it open.
    fn has_open(&self, me: Pid, file: &File) -> bool {
        self.handles.get(&me).is_some_and(|handle| handle.file == *file)
    }

    /// Whether the handle's name refers to its file and is temporary. Until the file is sealed, it is empty and has no other name.
    pub fn keeps(&self, handle: &Handle) -> bool {
        self.names.get(&handle.file) == Some(&handle.inode)
            && handle.file.1 == Dir::Tmp
            && (handle.sealed
                || self.contents.get(&handle.inode) == Some(&Message::EMPTY)
                    && self.names.iter().all(|(file, inode)| *inode != handle.inode || *file == handle.file))
    }

    /// Whether no other process has this file open.
    pub fn is_alone(&self, me: Pid, mine: &Handle) -> bool {
        self.handles.iter().all(|(other, theirs)| *other == me || theirs.inode != mine.inode)
    }
}

#[layer(
    ops = MailFSMerged,
    inherit(MailFSMerged: pid, random),
    inherit(Lock in locks[user: User]: lock, unlock),
    inherit(Outside: accept, request, respond)
)]
impl MailFSInode for Inodes {
    #[init]
    fn empty(&self) -> bool {
        self.names.is_empty()
            && self.contents.is_empty()
            && self.handles.is_empty()
            && self.locks.values().all(|locked| !*locked)
    }

    /// Creates a temporary file and opens it. If the name is taken, it fails and changes nothing.
    #[op]
    fn create(&mut self, me: Pid, file: File) -> bool {
        if maybe() || file.1 != Dir::Tmp || self.names.contains(&file) {
            return false;
        }
        let inode: Inode = any();
        when(self.locks.contains(&file.0) && !self.contents.contains(&inode));
        self.names.insert(file.clone(), inode);
        self.contents.insert(inode, Message::EMPTY);
        self.handles.insert(me, Handle { file, inode, sealed: false });
        true
    }

    /// Writes the file that the caller has open, whatever names it has by now.
    #[op]
    fn write(&mut self, me: Pid, file: File, message: Message) -> bool {
        if maybe() {
            return false;
        }
        when(self.has_open(me, &file) && !self.handles[&me].sealed);
        let ok = maybe();
        let inode = self.handles[&me].inode;
        self.contents.insert(inode, if ok { message } else { any() });
        self.handles[&me].sealed = true;
        ok
    }

    /// Links the file that the caller has open under another name.
    #[op]
    fn link(&mut self, me: Pid, from: File, to: File) -> Linked {
        if maybe() {
            return Linked::Failed;
        }
        if self.names.contains(&to) {
            return Linked::Taken;
        }
        when(self.has_open(me, &from) && self.locks.contains(&to.0));
        let inode = self.handles[&me].inode;
        self.names.insert(to, inode);
        self.handles[&me].sealed = true;
        Linked::Done
    }

    /// Deletes a message, or the caller's own temporary file.
    #[op]
    fn unlink(&mut self, me: Pid, file: File) {
        if self.has_open(me, &file) {
            self.handles.remove(&me);
            self.names.remove(&file);
        } else if file.1 == Dir::Mail {
            self.names.remove(&file);
        }
    }

    #[op]
    fn list(&mut self, me: Pid, user: User, dir: Dir) -> Set<String> {
        when(self.locks.contains(&user));
        let names = self.names.keys();
        names.iter().filter(|it| it.0 == user && it.1 == dir).map(|it| it.2.clone()).collect()
    }

    #[op]
    fn read(&mut self, me: Pid, file: File) -> Option<Message> {
        let inode = self.names.get(&file)?;
        self.contents.get(inode).cloned()
    }

    #[op]
    fn exists(&mut self, me: Pid, user: User) -> bool {
        self.locks.contains(&user)
    }
}
