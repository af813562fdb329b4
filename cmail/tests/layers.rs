//! The layers as executable models, the codec of names, and how short the proof is.

use std::fs;

use cmail::layers::*;
use cspec::model::{Choices, Domain, Explorer, Outcome, outcomes, run};
use cspec::prelude::*;
use cspec::{Keyed, Layer, Model, Operation, Spec};

fn alice() -> User {
    User("alice".into())
}

fn bob() -> User {
    User("bob".into())
}

fn hello() -> Message {
    Message("hello".into())
}

/// Alice and Bob, no files.
fn two_users() -> Inodes {
    Inodes { locks: Map::from([(alice(), false), (bob(), false)]), ..Inodes::default() }
}

/// The result of a delivery to Alice, the messages in her mailbox afterwards, and the number in Bob's.
type Seen = (bool, Vec<Message>, usize);

fn deliver_and_look<T: MailServerComposed>(top: &mut T) -> Seen {
    let delivered = top.deliver(alice(), hello());
    let hers = top.pickup(alice()).values().cloned().collect();
    (delivered, hers, top.pickup(bob()).len())
}

fn domain() -> Domain {
    Domain::default().list([Message::EMPTY, hello()])
}

/// A whole stack over the model of the file system.
macro_rules! over_the_model {
    ($plan:ident, $below:expr) => {{
        let files = MergedByUser::new(FollowNames(Model::<dyn MailFSInode>::new(two_users(), Pid(7))));
        let stack: $plan<Model<dyn MailFSInode>> = PerUser(HideLock(AtomicReader(GhostOwner(AtomicDeliver($below(
            Encoded(OwnNames(Directories(Paths(files)))),
        ))))));
        stack
    }};
}

#[test]
fn what_is_delivered_is_picked_up_under_both_plans() {
    let nothing: Seen = (false, Vec::new(), 0);
    let one: Seen = (true, vec![hello()], 0);
    let expected = [Outcome::done(nothing), Outcome::done(one)];
    let plan_1 = outcomes(&domain(), || deliver_and_look(&mut over_the_model!(ListPid, |lo| LinkNext(FilterList(lo)))));
    assert_eq!(plan_1, expected);
    let plan_2 =
        outcomes(&domain(), || deliver_and_look(&mut over_the_model!(TryNumbers, |lo| LinkRetry(LinkRandom(lo)))));
    assert_eq!(plan_2, expected);
}

#[test]
fn many_deliveries_never_lose_or_mix_messages() {
    let first = |lo| LinkNext(FilterList(lo));
    let mut delivered = 0;
    for seed in 0..300 {
        let run = run(&domain(), Choices::Random { seed }, || {
            let mut top = over_the_model!(ListPid, first);
            let hers = (0..3).filter(|_| top.deliver(alice(), hello())).count();
            let his = (0..2).filter(|_| top.deliver(bob(), Message::EMPTY)).count();
            let mail = top.pickup(alice());
            assert!(mail.values().all(|it| *it == hello()));
            assert_eq!((mail.len(), top.pickup(bob()).len()), (hers, his));
            for id in mail.keys() {
                top.delete(alice(), id);
            }
            assert!(top.pickup(alice()).is_empty());
            hers + his
        });
        match run.outcome {
            Some(Outcome::Done { value, .. }) => delivered += value,
            Some(Outcome::Failed { message }) => panic!("seed {seed}: {message}"),
            None => {}
        }
    }
    assert!(delivered > 0, "no delivery worked");
}

#[test]
fn only_users_that_exist_are_said_to() {
    let asked = outcomes(&domain(), || {
        let mut top = over_the_model!(ListPid, |lo| LinkNext(FilterList(lo)));
        (top.check_user(alice()), top.check_user(User("eve".into())))
    });
    assert_eq!(asked, [Outcome::done((true, false))]);
}

#[test]
fn what_a_client_asks_and_hears_is_in_the_trace() {
    let all = outcomes(&domain(), || {
        let mut top = over_the_model!(ListPid, |lo| LinkNext(FilterList(lo)));
        top.respond(Connection(1), Response::NoSuchUser);
    });
    let [one] = all.as_slice() else { panic!("one outcome, not {all:?}") };
    assert!(format!("{:?}", one.events()).contains("NoSuchUser"));
}

/// The number of steps of the operation in this state, after checking that the layer has an initial state.
fn steps<L, O>(state: &L::State, op: O) -> usize
where
    L: Layer + Spec<O, L::State> + ?Sized,
    O: Operation,
{
    let domain = Domain { entries: 1, pids: 1, ..domain() }.list([alice(), bob()]);
    let mut explorer = Explorer::<L>::new(domain);
    assert!(!explorer.initial().is_empty(), "{} starts nowhere", O::NAME);
    explorer.steps(state, Pid(0), &op).len()
}

#[test]
fn every_layer_has_the_transitions_of_its_specification() {
    let composed = Mail { boxes: Map::from([(alice(), Messages::default())]) };
    let deliver = |user| Keyed { key: user, op: __MailServerPerUser::deliver((hello(),)) };
    // The delivery fails, or the message gets one of the two names of the domain.
    assert_eq!(steps::<dyn MailServerComposed, _>(&composed, deliver(alice())), 3);
    assert_eq!(steps::<dyn MailServerComposed, _>(&composed, deliver(bob())), 0);
    assert_eq!(steps::<dyn MailServerComposed, _>(&composed, __MailServerComposed::check_user((alice(),))), 2);
    assert_eq!(steps::<dyn MailServerComposed, _>(&composed, __MailServerComposed::check_user((bob(),))), 1);
    assert_eq!(steps::<dyn MailServerPerUser, _>(&Messages::default(), __MailServerPerUser::pickup(())), 1);

    let held = Owned { owner: Some(Pid(1)), ..Owned::default() };
    assert_eq!(steps::<dyn MailServerLockAbs, _>(&held, __MailServerPerUser::pickup(())), 1);
    assert_eq!(steps::<dyn Mailbox, _>(&held, __Mailbox::lock(())), 0);
    assert_eq!(steps::<dyn Mailbox, _>(&held, __Mailbox::unlock(())), 1);
    assert_eq!(steps::<dyn MailboxByOwner, _>(&held, __Mailbox::unlock(())), 0);

    let written = Spool { tmp: Map::from([(Pid(0), hello())]), ..Spool::default() };
    // The temporary file has one of two contents or does not exist; the message gets one of two names or does not arrive.
    assert_eq!(steps::<dyn MailboxTmpAbs, _>(&written, __MailServerPerUser::deliver((hello(),))), 9);
    assert_eq!(steps::<dyn Deliver, _>(&Spool::default(), __Deliver::create_write_tmp((hello(),))), 4);
    assert_eq!(steps::<dyn Deliver, _>(&written, __Deliver::link_mail(())), 3);
    assert_eq!(steps::<dyn DeliverWritten, _>(&Spool::default(), __Deliver::link_mail(())), 0);
    assert_eq!(steps::<dyn DeliverListPid, _>(&written, __DeliverListPid::list_pid(())), 3);
    assert_eq!(steps::<dyn DeliverListPidFree, _>(&written, __DeliverListPid::link_mail((0,))), 2);
    assert_eq!(steps::<dyn TryDeliver, _>(&written, __TryDeliver::link_mail(())), 3);
    assert_eq!(steps::<dyn MailFS, _>(&Spool::default(), __MailFS::create_tmp(())), 2);
    // Only an empty file is written.
    assert_eq!(steps::<dyn MailFS, _>(&written, __MailFS::write_tmp((hello(),))), 1);
    assert_eq!(steps::<dyn MailFS, _>(&written, __MailFS::random(())), 2);

    let taken = Folders {
        tmp: Map::from([(temporary(Pid(0)), hello())]),
        mbox: Map::from([("0.1".to_owned(), hello()), ("junk".to_owned(), hello())]),
        locked: true,
    };
    let linked = |state: &Folders| steps::<dyn MailFSStringAbs, _>(state, __MailFS::link_mail((1,)));
    assert_eq!((linked(&taken), linked(&Folders { mbox: Map::new(), ..taken.clone() })), (2, 2));
    assert_eq!(steps::<dyn MailFSStringAbs, _>(&taken, __MailFS::lock(())), 0);
    assert_eq!(steps::<dyn MailFSString, _>(&taken, __MailFSString::read(("junk".to_owned(),))), 1);

    let tree = Tree { files: Map::from([((Dir::Tmp, "a".to_owned()), hello())]), locked: false };
    assert_eq!(steps::<dyn MailFSPathAbs, _>(&tree, __MailFSString::list(())), 1);
    assert_eq!(steps::<dyn MailFSPath, _>(&tree, __MailFSPath::unlink(((Dir::Mail, "a".to_owned()),))), 1);

    let merged = Merged { locks: two_users().locks, ..Merged::default() };
    let eve = User("eve".into());
    let create = |user| __MailFSMerged::create(((user, Dir::Tmp, "a".to_owned()),));
    assert_eq!(steps::<dyn MailFSMerged, _>(&merged, create(alice())), 2);
    assert_eq!(steps::<dyn MailFSMerged, _>(&merged, create(eve.clone())), 1);
    assert_eq!(steps::<dyn MailFSMerged, _>(&merged, Keyed { key: eve, op: __Lock::unlock(()) }), 0);
}

/// The layer below the paper's distinguishes a file from its names.
#[test]
fn what_is_written_shows_under_every_name() {
    let [tmp, mail] = [(Dir::Tmp, "a"), (Dir::Mail, "b")].map(|(dir, name)| (alice(), dir, name.to_owned()));
    let seen = outcomes(&domain(), || {
        let mut files = Model::<dyn MailFSInode>::new(two_users(), Pid(7));
        when(files.create(tmp.clone()));
        let linked_first = maybe();
        when(!linked_first || files.link(tmp.clone(), mail.clone()) == Linked::Done);
        let written = files.write(tmp.clone(), hello());
        when(linked_first || files.link(tmp.clone(), mail.clone()) == Linked::Done);
        let again = files.create(tmp.clone());
        files.unlink(tmp.clone());
        (linked_first, written, again, files.read(mail.clone()))
    });
    let published = |message: &Option<Message>| *message == Some(hello());
    for outcome in seen.iter().filter_map(Outcome::value) {
        let (linked_first, written, again, message) = outcome;
        assert!(!again, "a name that is taken is not made again");
        assert!(!written || (!linked_first && published(message)), "{outcome:?}");
    }
    assert!(seen.iter().filter_map(Outcome::value).any(|(_, written, _, _)| *written));
}

#[test]
fn names_are_read_as_they_are_written() {
    for (pid, number) in [(0, 0), (7, 12), (u128::MAX, u64::MAX)] {
        let id = MsgId { pid: Pid(pid), number };
        assert_eq!(decode(&encode(&id)), Some(id));
    }
    let junk =
        ["", ".", "7", "7.", ".7", "7.7.7", "07.7", "7.07", "+7.7", "7.+7", "7.18446744073709551616", "a.b", "7 .7"];
    for name in junk {
        assert_eq!(decode(name), None, "{name:?}");
    }
}

/// A reader has to read the specifications, procedures and relations of the paper's layers and both plans: this is how long they are.
#[test]
fn the_layers_stay_short() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/layers");
    let mut lines = 0;
    for entry in fs::read_dir(folder).expect("the layers are there") {
        let path = entry.expect("a readable folder").path();
        // Excluded: programs that use the stack, and what lies below the paper's bottom.
        if path.ends_with("clients.rs") || path.ends_with("mail_fs_inode.rs") {
            continue;
        }
        let text = fs::read_to_string(path).expect("a readable file");
        let code = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
        lines += code.count();
    }
    println!("{lines} lines of code");
    assert!((400..1000).contains(&lines), "{lines} lines of code");
}
