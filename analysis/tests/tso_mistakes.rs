//! Mistakes in the x86-TSO counter, each a small patch of the real sources. Each is found by the expected obligation, at the line to blame,
//! with a counterexample that was replayed.
//!
//! The end-to-end search, which uses none of the patterns, runs on the same patches. Its findings are real mistakes; the mistakes that it
//! misses cannot be shown by two or three processes that count once.

mod findings;
mod told;

use cspec_analysis::{
    diagnostics::Severity,
    report::Options,
    verdict::{Scope, Verdict},
};
use findings::{Checked, run};
use rayon::prelude::*;
use told::{is_refuted_as, is_told, not_replayed};

/// A patch of one file, and the expected finding.
struct Mistake {
    /// A description of the mistake.
    what: &'static str,
    /// The file, in `tso/src/layers`.
    file: &'static str,
    /// The text to replace, which occurs once in the file.
    find: &'static str,
    /// The text that replaces it.
    replace: &'static str,
    /// The code of the expected finding.
    code: &'static str,
    /// The text of the line that the finding is in.
    line: &'static str,
    /// The obligation: implementation (or layer), operation and kind. Empty if the source itself is wrong.
    owed: (&'static str, &'static str, &'static str),
    /// The smallest number of processes with which the end-to-end search finds it.
    seen_with: Option<u32>,
}

const MISTAKES: &[Mistake] = &[
    // The machine.
    Mistake {
        what: "test-and-set leaves its store pending",
        file: "memory.rs",
        find: "self.flush(me);\n        seen",
        replace: "seen",
        code: "CS0501",
        line: "fn try_acquire(&mut self, me: Pid) -> bool {",
        owed: ("TrackOwner", "try_acquire", "simulation"),
        seen_with: Some(2),
    },
    Mistake {
        what: "the newest pending store becomes visible first",
        file: "memory.rs",
        find: "self.pending[process].pop_front()",
        replace: "self.pending[process].pop()",
        code: "CS0501",
        line: "fn try_acquire(&mut self, me: Pid) -> bool {",
        owed: ("TrackOwner", "try_acquire", "simulation"),
        seen_with: Some(2),
    },
    Mistake {
        what: "a process does not see its own pending stores",
        file: "memory.rs",
        find: "Some((_, value)) => *value,",
        replace: "Some(_) => self.shared[at],",
        code: "CS0501",
        line: "fn write(&mut self, me: Pid, value: u64) {",
        owed: ("OwnersView", "write", "simulation"),
        seen_with: None,
    },
    Mistake {
        what: "a process sees the oldest of its pending stores",
        file: "memory.rs",
        find: "self.pending[me].iter().rev()",
        replace: "self.pending[me].iter()",
        code: "CS0501",
        line: "fn write(&mut self, me: Pid, value: u64) {",
        owed: ("OwnersView", "write", "simulation"),
        seen_with: None,
    },
    Mistake {
        what: "test-and-set returns what it stores",
        file: "tso.rs",
        find: "self.exchange(me, at, value)",
        replace: "self.exchange(me, at, value);\n        value",
        code: "CS0501",
        line: "fn test_and_set(&mut self, me: Pid, at: Addr, value: u64) -> u64 {",
        owed: ("LaggingMemory", "test_and_set", "simulation"),
        seen_with: Some(2),
    },
    // Drains only where they can be seen.
    Mistake {
        what: "the two memories are the same at all times",
        file: "tso_delay_nondet.rs",
        find: "lo.drain_some();\n        lo\n",
        replace: "lo\n",
        code: "CS0501",
        line: "fn write(&mut self, me: Pid, at: Addr, value: u64) {",
        owed: ("LaggingMemory", "write", "simulation"),
        seen_with: None,
    },
    Mistake {
        what: "nothing becomes visible before a read",
        file: "tso_delay_nondet.rs",
        find: "self.drain_some();\n        self.load(me, at)",
        replace: "self.load(me, at)",
        code: "CS0501",
        line: "fn read(&mut self, me: Pid, at: Addr) -> u64 {",
        owed: ("LaggingMemory", "read", "simulation"),
        seen_with: None,
    },
    // Test-and-set.
    Mistake {
        what: "trying the lock stores that it is free",
        file: "tas_tso.rs",
        find: "lo.test_and_set(LOCK, LOCKED)",
        replace: "lo.test_and_set(LOCK, UNLOCKED)",
        code: "CS0307",
        line: "fn try_acquire(lo: &mut impl TsoDelayNondet) -> bool {",
        owed: ("TestAndSet", "try_acquire", "atomic-spec"),
        seen_with: Some(2),
    },
    Mistake {
        what: "the lock is taken when it is seen taken",
        file: "tas_tso.rs",
        find: "LOCKED) != LOCKED",
        replace: "LOCKED) == LOCKED",
        code: "CS0307",
        line: "fn try_acquire(lo: &mut impl TsoDelayNondet) -> bool {",
        owed: ("TestAndSet", "try_acquire", "atomic-spec"),
        seen_with: Some(2),
    },
    Mistake {
        what: "clearing the lock stores that it is taken",
        file: "tas_tso.rs",
        find: "lo.write(LOCK, UNLOCKED)",
        replace: "lo.write(LOCK, LOCKED)",
        code: "CS0307",
        line: "fn clear(lo: &mut impl TsoDelayNondet) {",
        owed: ("TestAndSet", "clear", "atomic-spec"),
        seen_with: Some(2),
    },
    Mistake {
        what: "the counter is stored where the lock is",
        file: "tas_tso.rs",
        find: "lo.write(VAL, value)",
        replace: "lo.write(LOCK, value)",
        code: "CS0307",
        line: "fn write(lo: &mut impl TsoDelayNondet, value: u64) {",
        owed: ("TestAndSet", "write", "atomic-spec"),
        seen_with: Some(2),
    },
    // The owner and the invariant.
    Mistake {
        what: "who clears the lock stays its owner",
        file: "lock_owner.rs",
        find: "self.memory.store(me, LOCK, UNLOCKED);\n        self.owner = None;",
        replace: "self.memory.store(me, LOCK, UNLOCKED);",
        code: "CS0501",
        line: "#[layer(ops = TasTso, inherit(LockOwner in owned: clear, read, write, print))]",
        owed: ("TrackOwner", "clear", "simulation"),
        seen_with: None,
    },
    Mistake {
        what: "the invariant is too strong: a free lock guards zero",
        file: "lock_invariant.rs",
        find: "None => self.owned.memory.pending.is_default(),",
        replace: "None => self.owned.memory.pending.is_default() && self.owned.memory.shared[VAL] == 0,",
        code: "CS0501",
        line: "fn try_acquire(&mut self, me: Pid) -> bool {",
        owed: ("TrackOwner", "try_acquire", "simulation"),
        seen_with: None,
    },
    Mistake {
        what: "the invariant is too weak: others than the owner may have pending stores",
        file: "lock_invariant.rs",
        find: " && pending.support().iter().all(|p| *p == process)",
        replace: "",
        code: "CS0501",
        line: "fn read(&mut self, me: Pid) -> u64 {",
        owed: ("OwnersView", "read", "simulation"),
        seen_with: None,
    },
    Mistake {
        what: "the value is what is visible to all, not what the owner sees",
        file: "seq_mem.rs",
        find: "lo.owned.memory.load(lo.previous, VAL)",
        replace: "lo.owned.memory.shared[VAL]",
        code: "CS0501",
        line: "fn write(&mut self, me: Pid, value: u64) {",
        owed: ("OwnersView", "write", "simulation"),
        seen_with: None,
    },
    // The lock that blocks.
    Mistake {
        what: "the loop ends when the lock was not taken",
        file: "raw_lock.rs",
        find: "if lo.try_acquire() {",
        replace: "if !lo.try_acquire() {",
        code: "CS0601",
        line: "loop {",
        owed: ("SpinLock", "acquire", "turn"),
        seen_with: Some(2),
    },
    Mistake {
        what: "the loop ends whether or not the lock was taken",
        file: "raw_lock.rs",
        find: "if lo.try_acquire() {\n                return true;\n            }",
        replace: "lo.try_acquire();\n            return true;",
        code: "CS0602",
        line: "fn acquire(lo: &mut impl SeqMem) -> bool {",
        owed: ("SpinLock", "acquire", "turn"),
        seen_with: Some(2),
    },
    Mistake {
        what: "a turn of the loop performs two operations",
        file: "raw_lock.rs",
        find: "if lo.try_acquire() {",
        replace: "lo.print(0);\n            if lo.try_acquire() {",
        code: "CS0603",
        line: "if lo.try_acquire() {",
        owed: ("SpinLock", "acquire", "turn"),
        seen_with: Some(2),
    },
    // Its rules.
    Mistake {
        what: "anyone may write",
        file: "lock.rs",
        find: "#[allowed(release, read, write)]",
        replace: "#[allowed(release, read)]",
        code: "CS0307",
        line: "lo.write(seen + 1);",
        owed: ("CriticalSection", "inc", "shape"),
        seen_with: None,
    },
    Mistake {
        what: "anyone may release",
        file: "lock.rs",
        find: "#[allowed(release, read, write)]",
        replace: "#[allowed(read, write)]",
        code: "CS0402",
        line: "fn by_owner(&self, me: Pid) -> bool {",
        owed: ("CriticalSection", "read", "stays-allowed"),
        seen_with: None,
    },
    Mistake {
        what: "whoever may use the lock while somebody has it",
        file: "lock.rs",
        find: "self.owner == Some(me)",
        replace: "self.owner.is_some()",
        code: "CS0402",
        line: "fn by_owner(&self, me: Pid) -> bool {",
        owed: ("CriticalSection", "read", "stays-allowed"),
        seen_with: None,
    },
    // The critical section.
    Mistake {
        what: "the lock is not acquired",
        file: "locked_counter.rs",
        find: "lo.acquire();\n        let seen = lo.read();\n        lo.write(seen + 1);",
        replace: "let seen = lo.read();\n        lo.write(seen + 1);",
        code: "CS0401",
        line: "let seen = lo.read();",
        owed: ("CriticalSection", "inc", "follows"),
        seen_with: Some(2),
    },
    Mistake {
        what: "the lock is not released",
        file: "locked_counter.rs",
        find: "lo.write(seen + 1);\n        lo.release();",
        replace: "lo.write(seen + 1);",
        code: "CS0307",
        line: "fn inc(lo: &mut impl Lock) -> u64 {",
        owed: ("CriticalSection", "inc", "atomic-spec"),
        seen_with: Some(2),
    },
    Mistake {
        what: "the lock is released before the write",
        file: "locked_counter.rs",
        find: "lo.write(seen + 1);\n        lo.release();",
        replace: "lo.release();\n        lo.write(seen + 1);",
        code: "CS0401",
        line: "lo.write(seen + 1);",
        owed: ("CriticalSection", "inc", "follows"),
        seen_with: Some(2),
    },
    Mistake {
        what: "the lock is released twice",
        file: "locked_counter.rs",
        find: "lo.write(seen + 1);\n        lo.release();",
        replace: "lo.write(seen + 1);\n        lo.release();\n        lo.release(); // again",
        code: "CS0401",
        line: "lo.release(); // again",
        owed: ("CriticalSection", "inc", "follows"),
        seen_with: Some(3),
    },
    Mistake {
        what: "the counter is read before the lock is acquired",
        file: "locked_counter.rs",
        find: "lo.acquire();\n        let seen = lo.read();\n        lo.write(seen + 1);",
        replace: "let seen = lo.read();\n        lo.acquire();\n        lo.write(seen + 1);",
        code: "CS0401",
        line: "let seen = lo.read();",
        owed: ("CriticalSection", "inc", "follows"),
        seen_with: Some(2),
    },
    Mistake {
        what: "counting returns the new value",
        file: "locked_counter.rs",
        find: "lo.write(seen + 1);\n        lo.release();\n        seen",
        replace: "lo.write(seen + 1);\n        lo.release();\n        seen + 1",
        code: "CS0307",
        line: "fn inc(lo: &mut impl Lock) -> u64 {",
        owed: ("CriticalSection", "inc", "atomic-spec"),
        seen_with: Some(2),
    },
    Mistake {
        what: "counting down goes below zero",
        file: "locked_counter.rs",
        find: "lo.write(seen.saturating_sub(1));",
        replace: "lo.write(seen - 1);",
        code: "CS0702",
        line: "lo.write(seen - 1);",
        owed: ("CriticalSection", "dec", "atomic-spec"),
        seen_with: None,
    },
    // The counter.
    Mistake {
        what: "an operation counts below zero",
        file: "counter.rs",
        find: "self.value = seen.saturating_sub(1);",
        replace: "self.value = seen - 1;",
        code: "CS0702",
        line: "self.value = seen - 1;",
        owed: ("Counter", "dec", "no-panic"),
        seen_with: None,
    },
    Mistake {
        what: "the counter counts by two",
        file: "counter.rs",
        find: "self.value = seen + 1;",
        replace: "self.value = seen + 2;",
        code: "CS0501",
        line: "fn inc(&mut self, me: Pid) -> u64 {",
        owed: ("HideLock", "inc", "simulation"),
        seen_with: Some(2),
    },
    Mistake {
        what: "the counter starts at one",
        file: "counter.rs",
        find: "self.value == 0",
        replace: "self.value == 1",
        code: "CS0502",
        line: "impl HideLock {",
        owed: ("HideLock", "", "initial"),
        seen_with: Some(2),
    },
    Mistake {
        what: "the stack lacks a link",
        file: "counter.rs",
        find: "SpinLock<OwnersView<TrackOwner<GhostOwner<TestAndSet<LaggingMemory<Tso>>>>>>>>;",
        replace: "SpinLock<TrackOwner<GhostOwner<TestAndSet<LaggingMemory<Tso>>>>>>>;",
        code: "CS0208",
        line: "HideLock<CriticalSection<SpinLock<TrackOwner<GhostOwner<TestAndSet<LaggingMemory<Tso>>>>>>>;",
        owed: ("", "CounterOnTso", "links"),
        seen_with: None,
    },
    // The source.
    Mistake {
        what: "an operation is not implemented",
        file: "locked_counter.rs",
        find: "fn dec(lo: &mut impl Lock) -> u64 {",
        replace: "fn decrement(lo: &mut impl Lock) -> u64 {",
        code: "CS0201",
        line: "impl CriticalSection {",
        owed: ("", "", ""),
        seen_with: None,
    },
    Mistake {
        what: "an operation is passed on that is not there below",
        file: "locked_counter.rs",
        find: "pass(print))]\nimpl CriticalSection",
        replace: "pass(print, count))]\nimpl CriticalSection",
        code: "CS0202",
        line: "#[implement(LockedCounter, over = Lock, by = movers, pass(print, count))]",
        owed: ("", "", ""),
        seen_with: None,
    },
];

/// The layers, by path and text.
fn sources() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tso/src/layers");
    let entries = std::fs::read_dir(folder).expect("the folder of the layers");
    let mut files: Vec<(String, String)> = entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).expect("a source file")))
        .collect();
    files.sort();
    files
}

/// Buffers of up to this many stores, and two processes: enough for every mistake here, unless it mentions a third.
fn options(entries: u32) -> Options {
    Options { scope: Scope { pids: 2, entries, ints: 1, ..Scope::default() }, ..Options::default() }
}

fn end_to_end() -> Options {
    Options { scope: Scope { budget: 20_000_000, ..Scope::default() }, end_to_end: true, ..Options::default() }
}

impl Mistake {
    fn patched(&self) -> Vec<(String, String)> {
        let mut files = sources();
        let file = files.iter_mut().find(|(path, _)| path.ends_with(&format!("/{}", self.file))).expect("the file");
        assert_eq!(file.1.matches(self.find).count(), 1, "{}: `{}` in {}", self.what, self.find, self.file);
        file.1 = file.1.replacen(self.find, self.replace, 1);
        files
    }

    /// Whether the expected finding is reported at its place, and was replayed.
    fn is_found(&self, checked: &Checked) -> bool {
        let (owner, operation, kind) = self.owed;
        if kind.is_empty() {
            let mut errors = checked.lowered.diagnostics.iter().filter(|it| it.severity == Severity::Error);
            return errors.any(|it| it.code == self.code && checked.line(it) == self.line);
        }
        checked.outcomes.iter().any(|it| {
            let name = &it.name;
            let is_owed = (name.implementation == owner || name.implementation.is_empty() && name.layer == owner)
                && (name.operation.as_str(), name.kind) == (operation, kind);
            let [finding] = it.diagnostics.as_slice() else { return false };
            is_owed
                && is_refuted_as(finding, it.verdict, self.code)
                && is_told(finding)
                && checked.line(finding) == self.line
        })
    }

    /// The smallest number of processes with which the search finds it.
    fn seen_with(&self) -> Option<u32> {
        let checked = run(&self.patched(), &end_to_end());
        let processes = |name: &str| name.split(' ').next().and_then(|it| it.parse().ok());
        let seen = checked.outcomes.iter().filter(|it| it.verdict == Verdict::Violated);
        seen.filter_map(|it| processes(&it.name.against)).min()
    }
}

#[test]
fn nothing_is_wrong_without_a_mistake() {
    for options in [options(1), options(2), end_to_end()] {
        let checked = run(&sources(), &options);
        assert!(checked.errors().is_empty(), "{}", checked.in_words());
        assert!(checked.failed().next().is_none() && !checked.outcomes.is_empty());
    }
}

#[test]
fn every_mistake_is_found_where_it_is() {
    // Most mistakes are found with at most one pending store.
    let missed = MISTAKES.par_iter().filter_map(|mistake| {
        let mut checked = run(&mistake.patched(), &options(1));
        if !mistake.is_found(&checked) {
            checked = run(&mistake.patched(), &options(2));
        }
        (!mistake.is_found(&checked)).then(|| format!("{}:\n{}", mistake.what, checked.in_words()))
    });
    let missed: Vec<String> = missed.collect();
    assert!(missed.is_empty(), "not found, or not there:\n\n{}", missed.join("\n"));
}

#[test]
fn every_counterexample_is_confirmed_by_plain_evaluation() {
    let not = MISTAKES.par_iter().flat_map_iter(|mistake| {
        let checked = run(&mistake.patched(), &options(2));
        let files: Vec<(&str, &str)> =
            checked.files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let not = not_replayed(&files, &checked.outcomes).into_iter();
        not.map(|it| format!("{}: {it}", mistake.what)).collect::<Vec<_>>()
    });
    let not: Vec<String> = not.collect();
    assert!(not.is_empty(), "{}", not.join("\n"));
}

#[test]
fn the_search_from_end_to_end_sees_those_that_a_client_can_notice() {
    let other = MISTAKES.par_iter().filter(|it| !it.owed.2.is_empty()).filter_map(|mistake| {
        let seen = mistake.seen_with();
        (seen != mistake.seen_with).then(|| format!("{}: {seen:?}, not {:?}", mistake.what, mistake.seen_with))
    });
    let other: Vec<String> = other.collect();
    assert!(other.is_empty(), "seen otherwise:\n{}", other.join("\n"));
}
