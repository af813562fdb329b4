//! The two directories are parts of one tree of files.

use cspec::prelude::*;

use super::{mail::*, mail_fs_path::*, mail_fs_string::*, outside::*};

/// The two directories of each user.
#[state]
#[derive(Copy)]
pub enum Dir {
    Tmp,
    Mail,
}

/// A directory of one user, and the name of a file in it.
pub type FilePath = (Dir, String);

/// The files of one user, and a lock.
#[state]
pub struct Tree {
    pub files: Map<FilePath, Message>,
    pub locked: bool,
}

impl Tree {
    pub fn create_at(&mut self, path: FilePath) -> bool {
        let ok = maybe();
        if ok {
            self.files.insert(path, Message::EMPTY);
        }
        ok
    }

    pub fn write_at(&mut self, path: FilePath, message: Message) -> bool {
        if maybe() {
            return false;
        }
        when(self.files.get(&path) == Some(&Message::EMPTY));
        let ok = maybe();
        self.files.insert(path, if ok { message } else { any() });
        ok
    }

    pub fn link_at(&mut self, from: FilePath, to: FilePath) -> Linked {
        if maybe() {
            return Linked::Failed;
        }
        if self.files.contains(&to) {
            return Linked::Taken;
        }
        when(self.files.contains(&from));
        self.files.insert(to, self.files[&from].clone());
        Linked::Done
    }

    /// The files in one directory, by name.
    pub fn folder(&self, dir: Dir) -> Map<String, Message> {
        let inside = self.files.iter().filter(|((it, _), _)| *it == dir);
        inside.map(|((_, name), message)| (name.clone(), message.clone())).collect()
    }
}

#[layer(
    ops = MailFSString,
    inherit(MailFSString: pid, random),
    inherit(Lock in locked: lock, unlock),
    inherit(Outside: accept, request, respond)
)]
impl MailFSPathAbs for Tree {
    #[init]
    fn empty(&self) -> bool {
        self.files.is_empty() && !self.locked
    }

    #[op]
    fn create_tmp(&mut self, me: Pid, name: String) -> bool {
        self.create_at((Dir::Tmp, name))
    }

    #[op]
    fn write_tmp(&mut self, me: Pid, name: String, message: Message) -> bool {
        self.write_at((Dir::Tmp, name), message)
    }

    #[op]
    fn unlink_tmp(&mut self, me: Pid, name: String) {
        if maybe() {
            self.files.remove(&(Dir::Tmp, name));
        }
    }

    #[op]
    fn link_mail(&mut self, me: Pid, from: String, to: String) -> Linked {
        self.link_at((Dir::Tmp, from), (Dir::Mail, to))
    }

    #[op]
    fn list(&mut self, me: Pid) -> Set<String> {
        self.folder(Dir::Mail).keys()
    }

    #[op]
    fn read(&mut self, me: Pid, name: String) -> Option<Message> {
        self.files.get(&(Dir::Mail, name)).cloned()
    }

    #[op]
    fn delete(&mut self, me: Pid, name: String) {
        self.files.remove(&(Dir::Mail, name));
    }
}

#[implement(MailFSPathAbs, over = MailFSPath, by = movers, pass(pid, random, lock, unlock, accept, request, respond))]
impl Paths {
    fn create_tmp(lo: &mut impl MailFSPath, name: String) -> bool {
        lo.create((Dir::Tmp, name))
    }

    fn write_tmp(lo: &mut impl MailFSPath, name: String, message: Message) -> bool {
        lo.write((Dir::Tmp, name), message)
    }

    fn unlink_tmp(lo: &mut impl MailFSPath, name: String) {
        lo.unlink((Dir::Tmp, name));
    }

    fn link_mail(lo: &mut impl MailFSPath, from: String, to: String) -> Linked {
        lo.link((Dir::Tmp, from), (Dir::Mail, to))
    }

    fn list(lo: &mut impl MailFSPath) -> Set<String> {
        lo.list(Dir::Mail)
    }

    fn read(lo: &mut impl MailFSPath, name: String) -> Option<Message> {
        lo.read((Dir::Mail, name))
    }

    fn delete(lo: &mut impl MailFSPath, name: String) {
        lo.unlink((Dir::Mail, name));
    }
}
