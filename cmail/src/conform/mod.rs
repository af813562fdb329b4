//! Conformance: do the layers allow what the server did? A record of a run is replayed through the executable models of the lowest
//! layer and of the top layer: is there an order of the calls, which keeps every call between its start and its end, such that the model
//! allows every result? Users are independent and are checked one after the other. Mailboxes are assumed to be empty
//! at first. The record of a server lacks unfinished calls, so it must be of a run in which nothing was killed.
//!
//! A client can also keep such a record, of the top layer's calls. It includes calls whose end the client has not seen: they may have
//! happened at any time after their start, or not at all. The client does not know the name of a message that it delivered. Whoever picks
//! it up does, so each text is delivered once.

pub mod record;
#[cfg(test)]
mod side_by_side;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::{fs, io};

use cspec::model::{Domain, Outcome, outcomes};
use cspec::{Map, Model, Pid, Set};
use record::{Call, Entry, Place};

use crate::layers::*;

/// The result of a check.
#[derive(Debug)]
pub struct Report {
    /// The number of calls that were replayed.
    pub calls: usize,
    /// The violations: at most one for each user at each layer.
    pub refusals: Vec<Refusal>,
}

/// A violation: the model allows no order of the calls.
#[derive(Debug)]
pub struct Refusal {
    /// The user whose mailbox it is about.
    pub user: String,
    pub layer: &'static str,
    /// The longest prefix that the model allows, in its order.
    pub accepted: Vec<Entry>,
    /// The calls that could come next; the model allows none of them.
    pub next: Vec<Entry>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "violated: no order of the calls on `{}` is allowed by {}", self.user, self.layer)?;
        writeln!(f, "  the longest allowed prefix has {} calls; its last ones:", self.accepted.len())?;
        for entry in self.accepted.iter().rev().take(6).rev() {
            writeln!(f, "    process {}: {:?}", entry.process, entry.call)?;
        }
        write!(f, "  none of these is allowed next:")?;
        for entry in &self.next {
            write!(f, "\n    process {}: {:?}", entry.process, entry.call)?;
        }
        Ok(())
    }
}

/// Reads a record from a file.
pub fn read(path: &Path) -> io::Result<Vec<Entry>> {
    parse(&fs::read_to_string(path)?)
}

fn parse(text: &str) -> io::Result<Vec<Entry>> {
    let parse = |(number, line): (usize, &str)| {
        let entry = serde_json::from_str(line).map_err(|error| error.to_string()).and_then(plausible);
        entry.map_err(|why| io::Error::other(format!("line {}: {why}", number + 1)))
    };
    text.lines().enumerate().map(parse).collect()
}

/// Refuses a call that cannot have happened.
fn plausible(entry: Entry) -> Result<Entry, String> {
    match entry {
        _ if entry.end < entry.start => Err("a call cannot end before it starts".to_owned()),
        _ if entry.process.parse::<Pid>().is_err() => Err(format!("process {:?} is no number", entry.process)),
        entry => Ok(entry),
    }
}

/// The end time of a call whose end was not observed.
pub const NEVER: u64 = u64::MAX;

/// The models: the states after a call with the recorded result.
#[derive(Clone, Copy)]
struct Models {
    bottom: fn(&Inodes, &Entry) -> Vec<Inodes>,
    top: fn(&Mail, &Entry, &Names) -> Vec<Mail>,
}

/// Replays a record through both layers.
pub fn check(entries: &[Entry]) -> Report {
    check_by(Models { bottom: bottom_step, top: top_step }, entries)
}

fn check_by(models: Models, entries: &[Entry]) -> Report {
    let names = names(entries);
    let mut by_user = BTreeMap::<(&str, bool), Vec<&Entry>>::new();
    for entry in entries.iter().filter(|entry| !is_nothing(entry, &names)) {
        by_user.entry((entry.call.user(), entry.call.is_top())).or_default().push(entry);
    }
    let mut refusals = Vec::new();
    for ((user, top), mut entries) in by_user {
        entries.sort_by_key(|entry| entry.start);
        let refused = match top {
            true => order(&entries, top_start(user, &entries), |state, entry| (models.top)(state, entry, &names)),
            false => order(&entries, bottom_start(user, &entries), models.bottom),
        };
        if let Err((accepted, next)) = refused {
            let layer = if top { "MailServerComposed" } else { "MailFSInode" };
            refusals.push(Refusal { user: user.to_owned(), layer, accepted, next });
        }
    }
    Report { calls: entries.len(), refusals }
}

/// A delivery of which neither the end nor the message was observed: whether it happened makes no difference.
fn is_nothing(entry: &Entry, names: &Names) -> bool {
    entry.end == NEVER && matches!(entry.call, Call::Deliver { .. }) && !names.contains_key(entry.process.as_str())
}

/// The calls taken, and the candidates for the next one.
type Stuck = (Vec<Entry>, Vec<Entry>);

/// The name under which each process has delivered: a process delivers once.
type Names<'a> = BTreeMap<&'a str, MsgId>;

/// Taken from the links, or if those are not recorded, from the process that picked the text up.
fn names(entries: &[Entry]) -> Names<'_> {
    let mut picked_up = BTreeMap::new();
    for entry in entries {
        if let Call::Pickup { user, result } = &entry.call {
            picked_up.extend(result.iter().filter_map(|(id, text)| Some(((user, text), decode(id)?))));
        }
    }
    let seen = |entry: &Entry| match &entry.call {
        Call::Deliver { user, message, .. } => picked_up.get(&(user, message)).copied(),
        _ => None,
    };
    let linked = |entry: &Entry| match &entry.call {
        Call::Link { to, result, .. } if result == "done" => decode(&to.2),
        _ => None,
    };
    let by_seen = entries.iter().filter_map(|entry| Some((entry.process.as_str(), seen(entry)?)));
    by_seen.chain(entries.iter().filter_map(|entry| Some((entry.process.as_str(), linked(entry)?)))).collect()
}

/// Searches for an order, depth first. `entries` are sorted by their start. Each step takes a call such that no other remaining call ended
/// before its start; a set of taken calls with a state is visited once.
fn order<S: Clone + Ord>(entries: &[&Entry], start: S, step: impl Fn(&S, &Entry) -> Vec<S>) -> Result<(), Stuck> {
    let mut seen = BTreeSet::new();
    let mut path = Vec::new();
    let mut longest = (Taken::default(), Vec::new());
    // The remaining nodes: the calls taken and the state after them, the last call, and their number.
    let mut open = vec![(Taken::default(), start, None, 0)];
    while let Some((taken, state, last, length)) = open.pop() {
        path.truncate(length);
        path.extend(last);
        if taken.is_enough(entries) {
            return Ok(());
        }
        // The last one pushed is tried first: the call that ended first.
        let mut next = taken.possible(entries);
        next.sort_by_key(|place| std::cmp::Reverse(entries[*place].end));
        let before = open.len();
        for place in next {
            for after in step(&state, entries[place]) {
                let now = taken.with(place);
                if seen.insert((now.clone(), after.clone())) {
                    open.push((now, after, Some(place), path.len()));
                }
            }
        }
        if open.len() == before && path.len() > longest.1.len() {
            longest = (taken, path.clone());
        }
    }
    let (taken, path) = longest;
    let entry = |place: usize| entries[place].clone();
    let next = taken.possible(entries).into_iter().map(entry).collect();
    Err((path.into_iter().map(entry).collect(), next))
}

/// The calls that were taken: all before `first`, and some after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Taken {
    first: usize,
    beyond: BTreeSet<usize>,
}

impl Taken {
    fn with(&self, place: usize) -> Taken {
        let mut now = self.clone();
        now.beyond.insert(place);
        while now.beyond.remove(&now.first) {
            now.first += 1;
        }
        now
    }

    /// Whether all calls with an end were taken.
    fn is_enough(&self, entries: &[&Entry]) -> bool {
        let mut left = entries.iter().enumerate().skip(self.first);
        left.all(|(place, entry)| entry.end == NEVER || self.beyond.contains(&place))
    }

    /// The calls that may be next: not taken, and started before the end of every other one that is not taken.
    fn possible(&self, entries: &[&Entry]) -> Vec<usize> {
        let mut found = Vec::new();
        let mut earliest_end = u64::MAX;
        for (place, entry) in entries.iter().enumerate().skip(self.first) {
            if entry.start > earliest_end {
                break;
            }
            if !self.beyond.contains(&place) {
                earliest_end = earliest_end.min(entry.end);
                found.push(place);
            }
        }
        found.retain(|place| entries[*place].start <= earliest_end);
        found
    }
}

fn users_of(user: &str, known: bool) -> Option<User> {
    known.then(|| User(user.to_owned()))
}

/// A user exists if there is any call for the user other than `check`.
fn bottom_start(user: &str, entries: &[&Entry]) -> Inodes {
    let known = entries.iter().any(|entry| !matches!(entry.call, Call::Exists { result: false, .. }));
    let locks = users_of(user, known).map(|user| (user, false)).into_iter().collect();
    Inodes { names: Map::new(), contents: Map::new(), handles: Map::new(), locks }
}

fn top_start(user: &str, entries: &[&Entry]) -> Mail {
    let known = entries.iter().any(|entry| !matches!(entry.call, Call::CheckUser { result: false, .. }));
    Mail { boxes: users_of(user, known).map(|user| (user, Messages { mbox: Map::new() })).into_iter().collect() }
}

fn process(entry: &Entry) -> Pid {
    entry.process.parse().unwrap_or_default()
}

fn message(digest: &str) -> Message {
    Message(digest.as_bytes().to_vec())
}

fn file(place: &Place) -> File {
    (User(place.0.clone()), dir(&place.1), place.2.clone())
}

fn dir(name: &str) -> Dir {
    if name == "tmp" { Dir::Tmp } else { Dir::Mail }
}

/// The name of a directory in the record.
pub(crate) fn dir_name(dir: Dir) -> String {
    match dir {
        Dir::Tmp => "tmp".to_owned(),
        Dir::Mail => "mail".to_owned(),
    }
}

/// The name of a link's outcome in the record.
pub(crate) fn linked_name(linked: Linked) -> String {
    format!("{linked:?}").to_lowercase()
}

/// The states after a call of the lowest layer with the recorded result.
fn bottom_step(state: &Inodes, entry: &Entry) -> Vec<Inodes> {
    // The number of a new file does not matter: take the first free one. A write that failed may leave anything; no call reads it.
    let free = (0..).map(Inode).find(|inode| !state.contents.contains(inode));
    let domain = Domain::default().list::<Inode>(free).list::<Message>([message("anything")]);
    after(&domain, state, |state| {
        let mut lo = Model::<dyn MailFSInode>::new(state, process(entry));
        let fits = match &entry.call {
            Call::Create { file: at, result } => lo.create(file(at)) == *result,
            Call::Write { file: at, message: text, result } => lo.write(file(at), message(text)) == *result,
            Call::Link { from, to, result } => linked_name(lo.link(file(from), file(to))) == *result,
            Call::Unlink { file: at } => {
                lo.unlink(file(at));
                true
            }
            Call::List { user, dir: of, result } => {
                lo.list(User(user.clone()), dir(of)) == result.iter().cloned().collect::<Set<_>>()
            }
            Call::Read { file: at, result } => lo.read(file(at)) == result.as_deref().map(message),
            Call::Lock { user } => {
                lo.lock(User(user.clone()));
                true
            }
            Call::Unlock { user } => {
                lo.unlock(User(user.clone()));
                true
            }
            Call::Exists { user, result } => lo.exists(User(user.clone())) == *result,
            _ => false,
        };
        fits.then(|| without_the_lost(lo.state))
    })
}

/// Forgets the contents of files that have no name and are not open: no call can observe them.
fn without_the_lost(mut state: Inodes) -> Inodes {
    let kept: Set<Inode> =
        state.names.values().copied().chain(state.handles.values().map(|handle| handle.inode)).collect();
    state.contents = state.contents.into_iter().filter(|(inode, _)| kept.contains(inode)).collect();
    state
}

/// The states after a call of the top layer with the recorded result.
fn top_step(state: &Mail, entry: &Entry, names: &Names) -> Vec<Mail> {
    // The model may take any free name: choose the one that was taken.
    let name = names.get(entry.process.as_str()).copied().unwrap_or(MsgId { pid: process(entry), number: 0 });
    let domain = Domain::default().list::<MsgId>([name]);
    after(&domain, state, |state| {
        let mut top = Model::<dyn MailServerComposed>::new(state, process(entry));
        let fits = match &entry.call {
            Call::CheckUser { user, result } => top.check_user(User(user.clone())) == *result,
            Call::Deliver { user, message: text, result } => top.deliver(User(user.clone()), message(text)) == *result,
            Call::Pickup { user, result } => {
                let mail = top.pickup(User(user.clone()));
                let recorded = result.iter().filter_map(|(id, text)| Some((decode(id)?, message(text))));
                mail == recorded.collect::<Map<_, _>>()
            }
            Call::Delete { user, id } => match decode(id) {
                Some(id) => {
                    top.delete(User(user.clone()), id);
                    true
                }
                None => false,
            },
            _ => false,
        };
        fits.then_some(top.state)
    })
}

/// All states in which a step of the model can end.
fn after<S: Clone + Ord + 'static>(domain: &Domain, state: &S, step: impl Fn(S) -> Option<S>) -> Vec<S> {
    let found = outcomes(domain, || step(state.clone()));
    found.iter().filter_map(Outcome::value).flatten().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{self, Target};

    #[test]
    fn fuzz_of_records() {
        let target = Target {
            seeds: &[
                r#"{"process":"1","start":1,"end":2,"call":"exists","user":"u1","result":true}
{"process":"1","start":3,"end":4,"call":"create","file":["u1","tmp","1.0"],"result":true}
{"process":"1","start":5,"end":6,"call":"write","file":["u1","tmp","1.0"],"message":"2-ab","result":true}
{"process":"1","start":7,"end":8,"call":"link","from":["u1","tmp","1.0"],"to":["u1","mail","1.77"],"result":"done"}
{"process":"1","start":9,"end":10,"call":"unlink","file":["u1","tmp","1.0"]}
"#,
                r#"{"process":"1","start":3,"end":11,"call":"deliver","user":"u1","message":"2-ab","result":true}
{"process":"2","start":12,"end":21,"call":"pickup","user":"u1","result":[["1.77","2-ab"]]}
{"process":"2","start":22,"end":23,"call":"delete","user":"u1","id":"1.77"}
{"process":"3","start":24,"end":25,"call":"check_user","user":"u2","result":false}
"#,
                r#"{"process":"2","start":13,"end":14,"call":"lock","user":"u1"}
{"process":"2","start":15,"end":16,"call":"list","user":"u1","dir":"mail","result":["1.77"]}
{"process":"2","start":17,"end":18,"call":"read","file":["u1","mail","1.77"],"result":"2-ab"}
{"process":"2","start":19,"end":20,"call":"unlock","user":"u1"}
"#,
            ],
            words: &[
                "\n",
                "\"",
                "{",
                "}",
                "[",
                "]",
                ",",
                "0",
                "1",
                "18446744073709551615",
                "-1",
                "1.77",
                "u1",
                "null",
                "true",
                "false",
                "tmp",
            ],
        };
        fuzz::run(&target, |input| {
            let Ok(entries) = parse(&String::from_utf8_lossy(input)) else { return };
            let report = check(&entries);
            assert_eq!(report.calls, entries.len());
            for refusal in report.refusals {
                assert!(!refusal.next.is_empty(), "a call is refused, or there is nothing to refuse");
                assert!(entries.iter().any(|entry| entry.call.user() == refusal.user));
                assert!(refusal.to_string().starts_with("violated: "));
            }
        });
    }
}
