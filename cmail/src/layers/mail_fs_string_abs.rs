//! Names of files are strings. The operations still generate them for the caller.

use cspec::prelude::*;

use super::{mail::*, mail_fs::*, mail_fs_string::*, names::*, outside::*};

/// The two directories of one user, and a lock on `mbox`.
#[state]
pub struct Folders {
    pub tmp: Map<String, Message>,
    pub mbox: Map<String, Message>,
    pub locked: bool,
}

impl Folders {
    pub fn create(&mut self, name: String) -> bool {
        let ok = maybe();
        if ok {
            self.tmp.insert(name, Message::EMPTY);
        }
        ok
    }

    pub fn write(&mut self, name: String, message: Message) -> bool {
        if maybe() {
            return false;
        }
        when(self.tmp.get(&name) == Some(&Message::EMPTY));
        let ok = maybe();
        self.tmp.insert(name, if ok { message } else { any() });
        ok
    }

    pub fn link(&mut self, from: String, to: String) -> Linked {
        if maybe() {
            return Linked::Failed;
        }
        if self.mbox.contains(&to) {
            return Linked::Taken;
        }
        when(self.tmp.contains(&from));
        self.mbox.insert(to, self.tmp[&from].clone());
        Linked::Done
    }
}

#[layer(
    ops = MailFS,
    inherit(MailFS: pid, random),
    inherit(Lock in locked: lock, unlock),
    inherit(Outside: accept, request, respond)
)]
impl MailFSStringAbs for Folders {
    #[init]
    fn empty(&self) -> bool {
        self.tmp.is_empty() && self.mbox.is_empty() && !self.locked
    }

    #[op]
    fn create_tmp(&mut self, me: Pid) -> bool {
        self.create(temporary(me))
    }

    #[op]
    fn write_tmp(&mut self, me: Pid, message: Message) -> bool {
        self.write(temporary(me), message)
    }

    #[op]
    fn unlink_tmp(&mut self, me: Pid) {
        if maybe() {
            self.tmp.remove(&temporary(me));
        }
    }

    #[op]
    fn link_mail(&mut self, me: Pid, number: u64) -> Linked {
        self.link(temporary(me), encode(&MsgId { pid: me, number }))
    }

    #[op]
    fn list(&mut self, me: Pid) -> Set<MsgId> {
        self.mbox.keys().iter().filter_map(|name| decode(name)).collect()
    }

    #[op]
    fn read(&mut self, me: Pid, id: MsgId) -> Option<Message> {
        self.mbox.get(&encode(&id)).cloned()
    }

    #[op]
    fn delete(&mut self, me: Pid, id: MsgId) {
        self.mbox.remove(&encode(&id));
    }
}

#[implement(
    MailFSStringAbs,
    over = MailFSString,
    by = movers,
    pass(pid, random, lock, unlock, accept, request, respond)
)]
impl OwnNames {
    fn create_tmp(lo: &mut impl MailFSString) -> bool {
        let me = lo.pid();
        lo.create_tmp(temporary(me))
    }

    fn write_tmp(lo: &mut impl MailFSString, message: Message) -> bool {
        let me = lo.pid();
        lo.write_tmp(temporary(me), message)
    }

    fn unlink_tmp(lo: &mut impl MailFSString) {
        let me = lo.pid();
        lo.unlink_tmp(temporary(me));
    }

    fn link_mail(lo: &mut impl MailFSString, number: u64) -> Linked {
        let me = lo.pid();
        lo.link_mail(temporary(me), encode(&MsgId { pid: me, number }))
    }

    fn list(lo: &mut impl MailFSString) -> Set<MsgId> {
        lo.list().iter().filter_map(|name| decode(name)).collect()
    }

    fn read(lo: &mut impl MailFSString, id: MsgId) -> Option<Message> {
        lo.read(encode(&id))
    }

    fn delete(lo: &mut impl MailFSString, id: MsgId) {
        lo.delete(encode(&id));
    }
}
