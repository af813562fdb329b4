//! A file is named by its path, so that one operation unlinks files in either directory.

use cspec::prelude::*;

use super::{mail::*, mail_fs_merged::*, mail_fs_path_abs::*, outside::*};

#[layer(inherit(MailFSPathAbs: init, pid, random, lock, unlock), inherit(Outside: accept, request, respond))]
impl MailFSPath for Tree {
    #[op]
    fn create(&mut self, me: Pid, path: FilePath) -> bool {
        self.create_at(path)
    }

    #[op]
    fn write(&mut self, me: Pid, path: FilePath, message: Message) -> bool {
        self.write_at(path, message)
    }

    #[op]
    fn link(&mut self, me: Pid, from: FilePath, to: FilePath) -> Linked {
        self.link_at(from, to)
    }

    /// A temporary file may remain, since no operation reads it.
    #[op]
    fn unlink(&mut self, me: Pid, path: FilePath) {
        if path.0 == Dir::Mail || maybe() {
            self.files.remove(&path);
        }
    }

    #[op]
    fn list(&mut self, me: Pid, dir: Dir) -> Set<String> {
        self.folder(dir).keys()
    }

    #[op]
    fn read(&mut self, me: Pid, path: FilePath) -> Option<Message> {
        self.files.get(&path).cloned()
    }
}

#[implement(
    MailFSPath,
    over = MailFSMerged,
    by = partition(user),
    check = exists,
    pass(pid, random, accept, request, respond)
)]
impl MergedByUser {
    #[abstraction]
    fn slice(lo: &Merged, user: &User) -> Option<Tree> {
        let locked = *lo.locks.get(user)?;
        let own = lo.files.iter().filter(|((it, _, _), _)| it == user);
        let files = own.map(|((_, dir, name), message)| ((*dir, name.clone()), message.clone())).collect();
        Some(Tree { files, locked })
    }

    fn create(lo: &mut impl MailFSMerged, user: User, path: FilePath) -> bool {
        lo.create((user, path.0, path.1))
    }

    fn write(lo: &mut impl MailFSMerged, user: User, path: FilePath, message: Message) -> bool {
        lo.write((user, path.0, path.1), message)
    }

    fn link(lo: &mut impl MailFSMerged, user: User, from: FilePath, to: FilePath) -> Linked {
        lo.link((user.clone(), from.0, from.1), (user, to.0, to.1))
    }

    fn unlink(lo: &mut impl MailFSMerged, user: User, path: FilePath) {
        lo.unlink((user, path.0, path.1));
    }

    fn list(lo: &mut impl MailFSMerged, user: User, dir: Dir) -> Set<String> {
        lo.list(user, dir)
    }

    fn read(lo: &mut impl MailFSMerged, user: User, path: FilePath) -> Option<Message> {
        lo.read((user, path.0, path.1))
    }

    fn lock(lo: &mut impl MailFSMerged, user: User) {
        lo.lock(user);
    }

    fn unlock(lo: &mut impl MailFSMerged, user: User) {
        lo.unlock(user);
    }
}
