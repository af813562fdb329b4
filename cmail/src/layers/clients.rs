//! Small programs for the end-to-end search, which assumes nothing of the proof: every trace of theirs over the file system must be a trace
//! of the top layer.

use cspec::prelude::*;

use super::*;

/// Delivers a message if the user exists, and reports the result.
fn deliver(top: &mut impl MailServerComposed, user: User, message: Message) {
    if top.check_user(user.clone()) {
        let ok = top.deliver(user, message);
        top.respond(Connection(0), Response::Delivered(ok));
    }
}

/// Picks up the mail of a user, and reports what was there.
fn pickup(top: &mut impl MailServerComposed, user: User) {
    if top.check_user(user.clone()) {
        let mail = top.pickup(user);
        top.respond(Connection(0), Response::Mail(mail));
    }
}

#[client(ListPid, TryNumbers, processes(2, 3))]
fn all_deliver(process: u64, top: &mut impl MailServerComposed) {
    deliver(top, User("alice".into()), Message("hello".into()));
}

#[client(ListPid, TryNumbers, processes(2, 3))]
fn one_picks_up(process: u64, top: &mut impl MailServerComposed) {
    if process == 0 {
        pickup(top, User("alice".into()));
    } else {
        deliver(top, User("alice".into()), Message("hello".into()));
    }
}

#[client(ListPid, TryNumbers, processes(2, 3))]
fn another_picks_up(process: u64, top: &mut impl MailServerComposed) {
    if process == 0 {
        pickup(top, User("bob".into()));
    } else {
        deliver(top, User("alice".into()), Message("hello".into()));
    }
}

/// The first process delivers and picks up, the others delete whatever they find.
#[client(ListPid, TryNumbers, processes(2, 3))]
fn others_delete(process: u64, top: &mut impl MailServerComposed) {
    let alice = User("alice".into());
    if process == 0 {
        deliver(top, alice.clone(), Message("hello".into()));
        pickup(top, alice);
    } else if top.check_user(alice.clone()) {
        for (id, _) in top.pickup(alice.clone()) {
            top.delete(alice.clone(), id);
            top.respond(Connection(0), Response::Deleted);
        }
    }
}
