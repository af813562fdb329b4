//! Compares the models with the real system: several operating-system processes make random calls on one root, of the lowest layer or
//! of the top layer through the whole stack, and only results that the model allows are accepted. Deliberately wrong file systems
//! and models show that this can fail. `CMAIL_HISTORIES` sets how many histories are made of each kind.

use std::fs::{self, File as Handle};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use cspec::prelude::*;
use fastrand::Rng;
use rustix::fs::{FileType, RawDir};

use super::record::{Call, Entry, Recorder, digest};
use super::*;
use crate::bottom::{Bottom, Client, Disk, Durability, Incarnations, Root};
use crate::server::store::{Plan, list_pid, try_numbers};

/// How a file system is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    /// A message is renamed to its place, replacing an existing one; there are few names, so that this happens.
    RenamesOver,
    /// Every process gets the lock.
    NoLock,
    /// A listing takes many calls.
    ShortListing,
}

impl Mistake {
    const ALL: [Mistake; 3] = [Mistake::RenamesOver, Mistake::NoLock, Mistake::ShortListing];
}

/// The file system of the server, or one that is wrong in one way.
struct Files {
    bottom: Bottom,
    root: PathBuf,
    mistake: Option<Mistake>,
}

impl Files {
    fn is(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    fn path(&self, file: &File) -> PathBuf {
        self.root.join(&file.0.0).join(dir_name(file.1)).join(&file.2)
    }
}

#[bottom]
impl MailFSInode for Files {
    fn pid(&mut self) -> Pid {
        if self.is(Mistake::RenamesOver) { Pid(1) } else { self.bottom.pid() }
    }

    fn random(&mut self) -> u64 {
        if self.is(Mistake::RenamesOver) { self.bottom.random() % 4 } else { self.bottom.random() }
    }

    fn exists(&mut self, user: User) -> bool {
        self.bottom.exists(user)
    }

    fn create(&mut self, file: File) -> bool {
        self.bottom.create(file)
    }

    fn write(&mut self, file: File, message: Message) -> bool {
        self.bottom.write(file, message)
    }

    fn link(&mut self, from: File, to: File) -> Linked {
        if !self.is(Mistake::RenamesOver) {
            return self.bottom.link(from, to);
        }
        match fs::rename(self.path(&from), self.path(&to)) {
            Ok(()) => Linked::Done,
            Err(_) => Linked::Failed,
        }
    }

    fn unlink(&mut self, file: File) {
        self.bottom.unlink(file);
    }

    fn list(&mut self, user: User, dir: Dir) -> Set<String> {
        if !self.is(Mistake::ShortListing) {
            return self.bottom.list(user, dir);
        }
        let directory = Handle::open(self.root.join(&user.0).join(dir_name(dir))).expect("the mailbox is there");
        // Room for two entries or three.
        let mut buffer = Vec::with_capacity(104);
        let mut entries = RawDir::new(&directory, buffer.spare_capacity_mut());
        let mut names = Set::new();
        // Some listings are slow, so that other processes deliver meanwhile.
        let pause = Duration::from_micros(if fastrand::bool() { 50 } else { 0 });
        while let Some(entry) = entries.next() {
            let entry = entry.expect("the mailbox can be listed");
            if entry.file_type() == FileType::RegularFile {
                names.insert(entry.file_name().to_str().expect("names are text").to_owned());
            }
            sleep(pause);
        }
        names
    }

    fn read(&mut self, file: File) -> Option<Message> {
        if self.is(Mistake::NoLock) {
            sleep(Duration::from_micros(300));
        }
        self.bottom.read(file)
    }

    fn lock(&mut self, user: User) {
        if !self.is(Mistake::NoLock) {
            self.bottom.lock(user);
        }
    }

    fn unlock(&mut self, user: User) {
        if !self.is(Mistake::NoLock) {
            self.bottom.unlock(user);
        }
    }

    fn accept(&mut self) -> Connection {
        self.bottom.accept()
    }

    fn request(&mut self, client: Connection) -> Request {
        self.bottom.request(client)
    }

    fn respond(&mut self, client: Connection, response: Response) {
        self.bottom.respond(client, response);
    }
}

/// The layer whose operations are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Bottom,
    Top(Plan),
}

impl Level {
    const ALL: [Level; 3] = [Level::Bottom, Level::Top(Plan::List), Level::Top(Plan::Retry)];
}

/// The environment variable with the instructions for a process of these tests: root, level, mistake and seed, one on each line.
const TOLD: &str = "CMAIL_SIDE_BY_SIDE";
const PROCESSES: u64 = 4;
const CALLS: usize = 150;

/// One of several processes; the tests below start it.
#[test]
#[ignore = "a process of the other tests"]
fn one_process() {
    let Ok(told) = std::env::var(TOLD) else { return };
    let [path, level, mistake, seed] = told.lines().collect::<Vec<_>>()[..] else { panic!("{told:?}") };
    let level = Level::ALL.into_iter().find(|it| format!("{it:?}") == level).expect("a level");
    let mistake = Mistake::ALL.into_iter().find(|it| format!("{it:?}") == mistake);
    let mut random = Rng::with_seed(seed.parse().expect("a number"));
    let root = Arc::new(Root::open(Path::new(path)).expect("a root"));
    let recorder = Recorder::append_to(&Path::new(path).join(".cmail/record")).expect("a record");
    let incarnations = Arc::new(Incarnations::new(&root).expect("a process"));
    let durability = Durability::unsynced(&root);
    let disk = Disk::new(root, incarnations, durability);
    let files = Files { bottom: Bottom::new(disk, Recorder::default()), root: path.into(), mistake };
    match level {
        Level::Bottom => call_bottom(files, &recorder, &mut random),
        Level::Top(plan) => call_top(files, plan, &recorder, &mut random),
    }
}

/// Calls of the lowest layer, with few names. As the layers above guarantee, a process locks only what it has not locked, unlocks only what
/// it has, and has one temporary file at a time. One name carries its number: a file of this name needs none on disk.
fn call_bottom(mut files: Files, recorder: &Recorder, random: &mut Rng) {
    let process = files.bottom.process();
    let (mut open, mut locked) = (None::<File>, None::<User>);
    for _ in 0..CALLS {
        let user = User(["u1", "u2"][random.usize(..2)].to_owned());
        let file =
            |dir, names: &[&str], random: &mut Rng| (user.clone(), dir, names[random.usize(..names.len())].to_owned());
        let own = crate::layers::temporary(process);
        let temporary = file(Dir::Tmp, &["a", "b", "c", &own], random);
        let mail = file(Dir::Mail, &["1", "2", "3", "4", "5", "6"], random);
        let start = recorder.now();
        let call = match (random.u8(..10), &open, &locked) {
            (0 | 1, None, _) => {
                let result = files.create(temporary.clone());
                open = result.then(|| temporary.clone());
                Call::Create { file: place(temporary), result }
            }
            (0 | 1, Some(file), _) => {
                let message = ["", "one", "two", "three"][random.usize(..4)].as_bytes();
                let result = files.write(file.clone(), Message(message.to_vec()));
                Call::Write { file: place(file.clone()), message: digest(message), result }
            }
            (2 | 3, Some(from), _) => {
                let to = (from.0.clone(), Dir::Mail, mail.2);
                let result = linked_name(files.link(from.clone(), to.clone()));
                Call::Link { from: place(from.clone()), to: place(to), result }
            }
            (4, Some(_), _) => {
                let file = open.take().expect("it is open");
                files.unlink(file.clone());
                Call::Unlink { file: place(file) }
            }
            (2..=4, None, _) => {
                files.unlink(mail.clone());
                Call::Unlink { file: place(mail) }
            }
            (5, _, _) => {
                let result = files.list(user.clone(), Dir::Mail).iter().cloned().collect();
                Call::List { user: user.0, dir: dir_name(Dir::Mail), result }
            }
            (6 | 7, _, _) => {
                // Files that are named for processes are not read.
                let file = if random.bool() || temporary.2 == own { mail } else { temporary };
                let result = files.read(file.clone()).map(|message| digest(&message.0));
                Call::Read { file: place(file), result }
            }
            (8, _, None) => {
                files.lock(user.clone());
                locked = Some(user.clone());
                Call::Lock { user: user.0 }
            }
            (8, _, Some(user)) => {
                let user = user.clone();
                files.unlock(user.clone());
                locked = None;
                Call::Unlock { user: user.0 }
            }
            _ => {
                let result = files.exists(user.clone());
                Call::Exists { user: user.0, result }
            }
        };
        recorder.record(process, start, || call);
    }
    // When a process ends, its lock is released, and the record would not say when.
    if let Some(user) = locked {
        let start = recorder.now();
        files.unlock(user.clone());
        recorder.record(process, start, || Call::Unlock { user: user.0 });
    }
}

fn place(file: File) -> Place {
    (file.0.0, dir_name(file.1), file.2)
}

/// Calls of the top layer, each by a new process.
fn call_top(mut files: Files, plan: Plan, recorder: &Recorder, random: &mut Rng) {
    let mut seen = Vec::new();
    for _ in 0..CALLS {
        files.bottom.admit(Client::default());
        let process = files.bottom.process();
        let start = recorder.now();
        let call = match plan {
            Plan::List => one_call(&mut list_pid(&mut files), process, random, &mut seen),
            Plan::Retry => one_call(&mut try_numbers(&mut files), process, random, &mut seen),
        };
        recorder.record(process, start, || call);
    }
}

fn one_call(mail: &mut impl MailServerComposed, process: Pid, random: &mut Rng, seen: &mut Vec<(User, MsgId)>) -> Call {
    let user = User(["u1", "u2"][random.usize(..2)].to_owned());
    match (random.u8(..10), seen.is_empty()) {
        (0..5, _) => {
            let text = format!("from {process}").into_bytes();
            let message = digest(&text);
            let result = mail.deliver(user.clone(), Message(text));
            Call::Deliver { user: user.0, message, result }
        }
        (5..8, false) => {
            let (user, id) = seen.swap_remove(random.usize(..seen.len()));
            mail.delete(user.clone(), id);
            Call::Delete { user: user.0, id: encode(&id) }
        }
        _ => {
            let found = mail.pickup(user.clone());
            seen.retain(|(of, _)| *of != user);
            seen.extend(found.iter().map(|(id, _)| (user.clone(), *id)));
            let result = found.iter().map(|(id, message)| (encode(id), digest(&message.0))).collect();
            Call::Pickup { user: user.0, result }
        }
    }
}

/// The calls of several processes on a new root below this directory.
fn history(parent: &Path, level: Level, mistake: Option<Mistake>, seed: u64) -> Vec<Entry> {
    let directory = tempfile::tempdir_in(parent).expect("a scratch directory");
    let path = directory.path();
    let root = Root::init(path).expect("a root");
    for user in ["u1", "u2"] {
        root.add_user(user).expect("a mailbox");
    }
    let start = |process: u64| {
        let mistake = mistake.map_or_else(|| "none".to_owned(), |mistake| format!("{mistake:?}"));
        let told = format!("{}\n{level:?}\n{mistake}\n{}", path.display(), seed * PROCESSES + process);
        let program = std::env::current_exe().expect("this test");
        let name = "conform::side_by_side::one_process";
        Command::new(program).args([name, "--exact", "--ignored", "-q"]).env(TOLD, told).output()
    };
    std::thread::scope(|scope| {
        let processes: Vec<_> = (0..PROCESSES).map(|process| scope.spawn(move || start(process))).collect();
        for process in processes {
            let output = process.join().expect("no panic").expect("it starts");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
    });
    let entries = read(&path.join(".cmail/record")).expect("the record can be read");
    assert!(entries.len() as u64 >= PROCESSES * CALLS as u64, "the record has a gap");
    entries
}

fn histories() -> u64 {
    std::env::var("CMAIL_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

#[test]
fn what_the_file_system_does_is_what_the_models_allow() {
    let (mut calls, mut taken, mut not_made, mut messages) = (0, 0, 0, 0);
    for parent in [std::env::temp_dir(), PathBuf::from("/dev/shm")] {
        for level in Level::ALL {
            for seed in 0..histories() {
                let entries = history(&parent, level, None, seed);
                let report = check(&entries);
                assert!(report.refusals.is_empty(), "{level:?}, seed {seed}: {}", report.refusals[0]);
                calls += report.calls;
                for entry in entries {
                    match entry.call {
                        Call::Link { result, .. } => taken += usize::from(result == "taken"),
                        Call::Create { result, .. } => not_made += usize::from(!result),
                        Call::Pickup { result, .. } => messages += result.len(),
                        _ => {}
                    }
                }
            }
        }
    }
    println!("{calls} calls, {taken} names taken, {not_made} files not made, {messages} messages picked up");
    // Whether the processes interfere depends on the machine.
    assert!(taken > 0 && not_made > 0 && messages > 100, "{taken} {not_made} {messages}");
}

/// Each is rejected within a hundred histories.
#[test]
fn file_systems_that_are_wrong_are_refused() {
    let parent = std::env::temp_dir();
    // A directory that is not ordered by hashes may be listed in many calls, as long as nothing is removed.
    let ext4 = nix::sys::statfs::statfs(&parent)
        .is_ok_and(|status| status.filesystem_type() == nix::sys::statfs::EXT4_SUPER_MAGIC);
    for level in Level::ALL {
        for mistake in Mistake::ALL {
            let seeds = match (level, mistake) {
                (Level::Top(_), Mistake::ShortListing) if !ext4 => {
                    let _ = writeln!(std::io::stderr(), "SKIPPED: {} is not on ext4", parent.display());
                    continue;
                }
                // Plan 1 first looks which names are taken.
                (Level::Top(Plan::List), Mistake::RenamesOver) => continue,
                _ => 0..100,
            };
            let refused = seeds
                .clone()
                .position(|seed| !check(&history(&parent, level, Some(mistake), seed)).refusals.is_empty());
            let refused = refused.unwrap_or_else(|| panic!("{level:?}: {mistake:?} is not refused"));
            println!("{level:?}: {mistake:?} is refused in history {}", refused + 1);
        }
    }
}

/// A model in which a link replaces an existing name; and one in which a pickup removes.
#[test]
fn models_that_are_wrong_refuse_the_file_system() {
    let replacing = |state: &Inodes, entry: &Entry| match &entry.call {
        Call::Link { to, .. } => {
            let mut state = state.clone();
            state.names.remove(&file(to));
            bottom_step(&state, entry)
        }
        _ => bottom_step(state, entry),
    };
    let taking = |state: &Mail, entry: &Entry, names: &Names| {
        let mut states = top_step(state, entry, names);
        if matches!(entry.call, Call::Pickup { .. }) {
            states.iter_mut().for_each(|state| *state = top_start(entry.call.user(), &[entry]));
        }
        states
    };
    let parent = std::env::temp_dir();
    let wrong = Models { bottom: replacing, top: taking };
    for level in Level::ALL {
        let refused = check_by(wrong, &history(&parent, level, None, 7)).refusals;
        assert_eq!(refused.len(), 2, "{level:?}: one for each mailbox");
    }
}
