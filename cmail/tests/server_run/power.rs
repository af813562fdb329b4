//! Simulates power failures. `strace` records what a server does to its files from its start on, while messages are delivered and one is
//! deleted. For every prefix of that record, the test constructs the possible contents of the disk: synced data is there; of everything
//! else, any part may be there, in any order. This is worse than any real disk, except for one that reports a sync it has not done.
//!
//! * The contents of a file are on disk if the file was synced after they were written. Before that it may be empty, cut, or whole.
//! * A name in a directory is on disk as it was when the directory was synced, or as it was at any time after that, independently of
//!   others.
//!
//! Every such disk must agree with the replies to the clients. On some of them, or on all with `CMAIL_POWER=all`, a server is started.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::harness::{Line, Scratch, Server, as_sent, deliver, fetch, has};

/// The path of a file below the root: directory and name.
type Place = (String, String);

/// An action of a server that matters after a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Act {
    /// A new file with a name.
    Create(Place),
    Write(Place, Vec<u8>),
    /// An additional name for a file; `true` if it may replace an existing name.
    Link(Place, Place, bool),
    Unlink(Place),
    SyncFile(Place),
    SyncDirectory(String),
    /// A client is told that its message was delivered.
    Delivered,
    /// A client is told that its messages were removed.
    Removed,
}

/// A file, identified independently of its names.
type File = usize;

#[derive(Clone, Default)]
struct Contents {
    octets: Vec<u8>,
    is_synced: bool,
}

/// The state of a disk while the power is on.
#[derive(Clone, Default)]
struct Disk {
    files: Vec<Contents>,
    /// The files that each name may refer to if the power fails now; the last one is the current one.
    names: BTreeMap<Place, Vec<Option<File>>>,
    delivered: usize,
    removed: bool,
    /// Whether a removal has begun.
    removing: bool,
}

/// A disk after a power failure: for each name, its file and the contents of that file.
type Found = BTreeMap<Place, (File, Vec<u8>)>;

impl Disk {
    fn at(&self, place: &Place) -> Option<File> {
        self.names.get(place).and_then(|versions| *versions.last()?)
    }

    fn lead(&mut self, place: &Place, file: Option<File>) {
        self.names.entry(place.clone()).or_insert_with(|| vec![None]).push(file);
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Create(place) => {
                self.files.push(Contents::default());
                self.lead(place, Some(self.files.len() - 1));
            }
            Act::Write(place, octets) => {
                let file = self.at(place).expect("what is written has a name");
                self.files[file].octets.extend_from_slice(octets);
                self.files[file].is_synced = false;
            }
            Act::Link(from, to, moves) => {
                self.lead(to, self.at(from));
                if *moves {
                    self.lead(from, None);
                }
            }
            Act::Unlink(place) => {
                self.removing |= place.0.ends_with("/mail");
                self.lead(place, None);
            }
            Act::SyncFile(place) => {
                let file = self.at(place).expect("what is synced has a name");
                self.files[file].is_synced = true;
            }
            Act::SyncDirectory(directory) => {
                for (_, versions) in self.names.iter_mut().filter(|(place, _)| place.0 == *directory) {
                    versions.drain(..versions.len() - 1);
                }
            }
            Act::Delivered => self.delivered += 1,
            Act::Removed => self.removed = true,
        }
    }

    /// All disks that may be found after a power failure.
    fn after_failure(&self) -> Vec<Found> {
        let mut all = vec![Found::new()];
        for (place, versions) in &self.names {
            let versions: BTreeSet<_> = versions.iter().copied().collect();
            let mut next = Vec::new();
            for found in &all {
                for version in &versions {
                    let Some(file) = *version else {
                        next.push(found.clone());
                        continue;
                    };
                    for octets in self.outcomes(file, found) {
                        let mut found = found.clone();
                        found.insert(place.clone(), (file, octets));
                        next.push(found);
                    }
                }
            }
            all = next;
        }
        all
    }

    /// The possible contents of a file; only one, if the file was already found under another name.
    fn outcomes(&self, file: File, found: &Found) -> Vec<Vec<u8>> {
        if let Some((_, octets)) = found.values().find(|(other, _)| *other == file) {
            return vec![octets.clone()];
        }
        let Contents { octets, is_synced } = &self.files[file];
        match is_synced {
            true => vec![octets.clone()],
            false => BTreeSet::from([0, octets.len() / 2, octets.len()])
                .into_iter()
                .map(|end| octets[..end].to_vec())
                .collect(),
        }
    }
}

/// The messages and their recipients, in order. After the second message, the first is removed.
const SENT: [(&str, &[&str]); 4] = [("one", &["u1"]), ("two", &["u1"]), ("three", &["u1", "u2"]), ("four", &["u2"])];

/// A violation on a disk, given the acknowledged messages; `None` if there is none.
fn wrong_with(found: &Found, disk: &Disk) -> Option<String> {
    for user in ["u1", "u2"] {
        let mailbox = format!("{user}/mail");
        let mut seen = BTreeSet::new();
        for (_, (file, octets)) in found.iter().filter(|((directory, _), _)| *directory == mailbox) {
            if *octets != disk.files[*file].octets {
                return Some(format!("{user} has a message that is cut: {}", octets.escape_ascii()));
            }
            if !seen.insert(as_sent(octets)) {
                return Some(format!("{user} has a message twice: {}", octets.escape_ascii()));
            }
        }
        for (number, (text, users)) in SENT.iter().enumerate() {
            let is_there = seen.contains(format!("{text}\r\n").as_bytes());
            let is_first = number == 0;
            if number < disk.delivered && users.contains(&user) && !is_there && !(is_first && disk.removing) {
                return Some(format!("{user} has lost {text:?}"));
            }
            if is_there && is_first && disk.removed {
                return Some(format!("{user} has {text:?} again"));
            }
        }
    }
    // A number that occurs in the name of a message must not be assigned again.
    let epoch = found.get(&(".cmail".to_owned(), "epoch".to_owned()));
    let epoch = epoch.and_then(|(_, octets)| str::from_utf8(octets).ok()?.parse::<u128>().ok()).unwrap_or(0);
    let used = |((directory, name), _): (&Place, _)| {
        let owner = name.split('.').next()?.parse::<u128>().ok()? >> 32;
        directory.ends_with("/mail").then_some(owner)
    };
    let greatest = found.iter().filter_map(used).max().unwrap_or(0);
    (greatest > epoch).then(|| format!("numbers of epoch {greatest} are in use, and {epoch} was the last one given"))
}

/// All disks after each prefix of the actions, each once, with the state at the failure; or a violation.
fn failures(start: &Disk, acts: &[Act]) -> Result<Vec<(Found, Disk)>, String> {
    let (mut disk, mut seen, mut all) = (start.clone(), BTreeSet::new(), Vec::new());
    for (number, act) in acts.iter().enumerate() {
        disk.act(act);
        for found in disk.after_failure() {
            if let Some(wrong) = wrong_with(&found, &disk) {
                return Err(format!("after {} acts, the last of which is {act:?}: {wrong}", number + 1));
            }
            if seen.insert((found.clone(), disk.delivered, disk.removed)) {
                all.push((found, disk.clone()));
            }
        }
    }
    Ok(all)
}

/// Reads the disk before the server starts. It was synced long before.
fn scan(root: &Path, directory: &str, disk: &mut Disk) {
    for entry in fs::read_dir(root.join(directory)).expect("a directory") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("names are text");
        let path = if directory.is_empty() { name.clone() } else { format!("{directory}/{name}") };
        if entry.file_type().expect("a type").is_dir() {
            scan(root, &path, disk);
        } else {
            let octets = fs::read(entry.path()).expect("it can be read");
            disk.files.push(Contents { octets, is_synced: true });
            disk.names.insert((directory.to_owned(), name), vec![Some(disk.files.len() - 1)]);
        }
    }
}

/// The disk before the start, and what the server did at its start and for the requests of this test.
fn recorded(arguments: &[&str]) -> (Disk, Vec<Act>) {
    let scratch = Scratch::new(&["u1", "u2"]);
    scratch.settings("store_threads = 1");
    let mut disk = Disk::default();
    scan(&scratch.0, "", &mut disk);
    let log = scratch.0.with_extension("strace");
    let calls = "trace=openat,write,pwrite64,fsync,fdatasync,linkat,unlinkat,renameat,renameat2,sendto";
    let under = ["strace", "-f", "-qq", "-y", "-s", "9999", "-e", calls, "-o", log.to_str().expect("a path in text")];
    let server = Server::start_under(&under, &scratch, &[&["--workers", "1"], arguments].concat());
    for (number, (text, users)) in SENT.iter().enumerate() {
        assert!(deliver(&server.smtp, users, text).expect("a reply").starts_with("250"));
        if number == 1 {
            remove(&server, "one\r\n");
        }
    }
    server.stop();
    let acts = acts(&fs::read_to_string(&log).expect("strace has written"), &scratch.0, &disk);
    // A log that cannot be removed does not affect other tests.
    let _ = fs::remove_file(log);
    (disk, acts)
}

/// Deletes the message with this text.
fn remove(server: &Server, text: &str) {
    let mut pop3 = Line::connect(&server.pop3).expect("a connection");
    for line in ["USER u1", "PASS x"] {
        assert!(pop3.ask(line).expect("a reply").starts_with("+OK"));
    }
    let number = (1..3).find(|number| {
        pop3.ask(&format!("RETR {number}")).expect("a reply");
        pop3.lines().expect("a message").ends_with(text)
    });
    assert!(pop3.ask(&format!("DELE {}", number.expect("it is there"))).expect("a reply").starts_with("+OK"));
    assert!(pop3.ask("QUIT").expect("a reply").starts_with("+OK"));
}

/// Parses the output of `strace` into actions below the root.
fn acts(log: &str, root: &Path, start: &Disk) -> Vec<Act> {
    let root = format!("{}/", root.display());
    let mut known: BTreeSet<Place> = start.names.keys().cloned().collect();
    let mut unfinished = BTreeMap::new();
    let mut acts = Vec::new();
    for line in log.lines() {
        let (process, call) = line.split_once(' ').expect("a process id is first");
        let call = call.trim_start();
        if let Some(begun) = call.strip_suffix(" <unfinished ...>") {
            unfinished.insert(process, begun.to_owned());
            continue;
        }
        let call = match call.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>")) {
            Some((_, end)) => unfinished.remove(process).expect("it was begun") + end,
            None => call.to_owned(),
        };
        let Some((name, rest)) = call.split_once('(') else { continue };
        let Some((arguments, result)) = rest.rsplit_once(" = ") else { continue };
        if result.starts_with('-') {
            continue;
        }
        let place = |number: usize| place(arguments, number, &root);
        // The file of a handle: directory and name. A file without a name is shown under an invented one.
        let file_of = |handle: &str| {
            let path = handle.split(['<', '>']).nth(1)?.strip_prefix(&root)?;
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
            Some((directory.to_owned(), name.to_owned()))
        };
        let handle = || file_of(arguments);
        let act = match name {
            "openat" if arguments.contains("O_TMPFILE") => file_of(result).map(Act::Create),
            "openat" if arguments.contains("O_CREAT") => {
                place(0).filter(|place| !known.contains(place)).map(Act::Create)
            }
            "write" | "pwrite64" if arguments.contains("TCP") => said(arguments),
            "sendto" => said(arguments),
            "write" | "pwrite64" => handle().map(|place| Act::Write(place, quoted(arguments, 0))),
            "fsync" | "fdatasync" => handle().map(|place| match known.contains(&place) {
                true => Act::SyncFile(place),
                false => {
                    Act::SyncDirectory(if place.0.is_empty() { place.1 } else { format!("{}/{}", place.0, place.1) })
                }
            }),
            "linkat" => place(0).zip(place(1)).map(|(from, to)| Act::Link(from, to, false)),
            "renameat" | "renameat2" => place(0).zip(place(1)).map(|(from, to)| Act::Link(from, to, true)),
            "unlinkat" => place(0).map(Act::Unlink),
            _ => None,
        };
        if let Some(Act::Create(place) | Act::Link(_, place, _)) = &act {
            known.insert(place.clone());
        }
        acts.extend(act);
    }
    acts
}

/// Parses the replies that acknowledge an action.
fn said(arguments: &str) -> Option<Act> {
    match () {
        () if arguments.contains("\"250 2.0.0 Delivered") => Some(Act::Delivered),
        () if arguments.contains("\"+OK Bye") => Some(Act::Removed),
        () => None,
    }
}

/// The path of a call: a directory handle below the root and a name, or a file handle without a name. A call may have two paths.
fn place(arguments: &str, number: usize, root: &str) -> Option<Place> {
    let handle = arguments.split('<').nth(number + 1)?.split('>').next()?;
    let directory = format!("{handle}/").strip_prefix(root)?.trim_end_matches('/').to_owned();
    let name = String::from_utf8(quoted(arguments, number)).ok()?;
    match name.is_empty() {
        true => directory.rsplit_once('/').map(|(directory, name)| (directory.to_owned(), name.to_owned())),
        false => Some((directory, name)),
    }
}

/// One of the strings among the arguments, in the syntax of C.
fn quoted(arguments: &str, number: usize) -> Vec<u8> {
    let (mut strings, mut octets) = (Vec::new(), None::<Vec<u8>>);
    let mut letters = arguments.chars();
    while let Some(letter) = letters.next() {
        match (letter, &mut octets) {
            ('"', None) => octets = Some(Vec::new()),
            ('"', Some(_)) => strings.extend(octets.take()),
            ('\\', Some(octets)) => octets.push(match letters.next().expect("something is escaped") {
                'r' => b'\r',
                'n' => b'\n',
                't' => b'\t',
                other => u8::try_from(other).expect("the texts here are ASCII"),
            }),
            (letter, Some(octets)) => octets.push(u8::try_from(letter).expect("the texts here are ASCII")),
            (_, None) => {}
        }
    }
    strings.swap_remove(number)
}

#[test]
fn the_power_fails_at_any_moment() {
    if !has("strace") {
        return;
    }
    let (start, acts) = recorded(&[]);
    let count = |wanted: fn(&Act) -> bool| acts.iter().filter(|act| wanted(act)).count();
    assert_eq!(count(|act| matches!(act, Act::Delivered)), SENT.len(), "{acts:?}");
    assert_eq!(count(|act| matches!(act, Act::Removed)), 1, "{acts:?}");
    assert_eq!(count(|act| matches!(act, Act::Link(_, _, false))), 5, "{acts:?}");
    let all = failures(&start, &acts).unwrap_or_else(|wrong| panic!("{wrong}\n{acts:#?}"));
    let takes_all = std::env::var("CMAIL_POWER").is_ok_and(|power| power == "all");
    let mut started = 0;
    for (number, (found, disk)) in all.iter().enumerate() {
        if takes_all || number % 40 == 0 {
            start_on(found, disk);
            started += 1;
        }
    }
    println!("{} acts, {} disks, {started} servers started", acts.len(), all.len());
    assert!(all.len() > 200 && started > 5);
}

/// A server that is started on such a disk has the messages, and accepts more.
fn start_on(found: &Found, disk: &Disk) {
    let scratch = Scratch::new(&["u1", "u2"]);
    for file in [".cmail/passwords", ".cmail/passwords.lock"] {
        fs::remove_file(scratch.0.join(file)).expect("it was made");
    }
    let mut written = BTreeMap::new();
    for ((directory, name), (file, octets)) in found {
        let path = scratch.0.join(directory).join(name);
        match written.get(file) {
            Some(other) => fs::hard_link(other, &path).expect("a second name"),
            None => {
                fs::write(&path, octets).expect("a file");
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
                written.insert(file, path);
            }
        }
    }
    let server = Server::start(&scratch, &["--workers", "1"]);
    for user in ["u1", "u2"] {
        let before: BTreeSet<String> = scratch.files(user, "mail").into_keys().collect();
        assert!(scratch.files(user, "tmp").is_empty(), "{found:?}");
        let messages = fetch(&server.pop3, user, false).expect("a session");
        assert_eq!(messages.keys().cloned().collect::<BTreeSet<_>>(), before);
        assert!(deliver(&server.smtp, &[user], "later").expect("a reply").starts_with("250"));
        let after: BTreeSet<String> = scratch.files(user, "mail").into_keys().collect();
        assert!(after.is_superset(&before) && after.len() == before.len() + 1, "{before:?} then {after:?}");
        for name in after {
            let status = fs::metadata(scratch.0.join(user).join("mail").join(name)).expect("a message");
            assert_eq!(status.nlink(), 1, "{found:?}, {} delivered", disk.delivered);
        }
    }
    server.stop();
}

/// Servers that omit a sync are detected.
#[test]
fn servers_that_sync_too_little_lose_mail() {
    if !has("strace") {
        return;
    }
    let (start, acts) = recorded(&[]);
    let without = |dropped: fn(&Act) -> bool| {
        let acts: Vec<Act> = acts.iter().filter(|act| !dropped(act)).cloned().collect();
        failures(&start, &acts).map(drop).expect_err("it loses nothing")
    };
    let lost = without(|act| matches!(act, Act::SyncDirectory(directory) if directory.ends_with("/mail")));
    assert!(lost.contains("has lost \"one\""), "{lost}");
    let cut = without(|act| matches!(act, Act::SyncFile(place) if place.0.ends_with("/tmp")));
    assert!(cut.contains("is cut"), "{cut}");
    let again = without(|act| matches!(act, Act::SyncDirectory(directory) if directory == ".cmail"));
    assert!(again.contains("was the last one given"), "{again}");
    // Only the deletion is not synced: the first removal is undone.
    let mut seen = false;
    let first_removal = acts.iter().position(|act| matches!(act, Act::Unlink(place) if place.0.ends_with("/mail")));
    let late = acts.iter().enumerate().filter(|(at, act)| {
        let is_its_sync = Some(*at) > first_removal && !seen && matches!(act, Act::SyncDirectory(_));
        seen |= is_its_sync;
        !is_its_sync
    });
    let late: Vec<Act> = late.map(|(_, act)| act.clone()).collect();
    let undone = failures(&start, &late).map(drop).expect_err("nothing comes back");
    assert!(undone.contains("has \"one\" again"), "{undone}");
    // A real server that was told not to sync.
    let (start, acts) = recorded(&["--no-sync"]);
    let lost = failures(&start, &acts).map(drop).expect_err("it loses nothing");
    assert!(lost.contains("has lost") || lost.contains("is cut"), "{lost}");
}
