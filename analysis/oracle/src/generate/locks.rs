//! Procedures that take something that only one process can have: a lock, the last reference, a phase, a job, a file, a place in a pool.
//!
//! Some of them take it without a look, give it back twice, or use it when they have not got it.

use fastrand::Rng;

use super::rely::{Operation, Parts, together};

const PARTS: Parts = Parts {
    state: "\n#[state]\npub enum Phase {\n    Idle,\n    Busy,\n    Done,\n}\n\n#[state]\npub struct Store {\n    pub locked: bool,\n    pub count: u64,\n    pub phase: Phase,\n    pub jobs: Map<Tok, Phase>,\n    pub files: Set<Tok>,\n    pub freed: bool,\n    pub n: u64,\n    pub m: u64,\n}\n",
    inits: &[
        "!self.locked && self.count == 1 && self.phase == Phase::Idle && self.files.is_empty() && !self.freed",
        "!self.locked && self.count == 1 && self.phase == Phase::Idle && self.files.is_empty() && !self.freed",
        "self.count == 1 && self.phase == Phase::Idle && self.files.is_empty()",
        "!self.freed",
    ],
    invariants: &[
        "self.locked || self.jobs.values().all(|it| *it != Phase::Busy)",
        "self.files.iter().all(|id| !self.jobs.contains(id))",
        "self.jobs.iter().all(|(id, it)| *it != Phase::Done || self.files.contains(id))",
        "self.count > 0 || self.freed",
    ],
    operations: OPERATIONS,
    procedures: PROCEDURES,
    gates: &["assert!(!self.freed); ", "assert!(self.count > 0); ", "assert!(self.locked); ", "assert!(self.n == 0); "],
    passed: &["load", "store", "read", "unlock", "up", "is_free", "phase", "delete"],
};

const OPERATIONS: &[Operation] = &[
    ("lock", "", "()", &["when(!self.locked); self.locked = true;", "self.locked = true;"]),
    (
        "try_lock",
        "",
        "bool",
        &[
            "if self.locked { return false; } self.locked = true; true",
            "let free = !self.locked; self.locked = true; free",
            "if self.locked { return false; } true",
            "self.locked = true; true",
        ],
    ),
    ("swap", ", to: bool", "bool", &["let old = self.locked; self.locked = to; old"]),
    ("unlock", "", "()", &["self.locked = false;"]),
    (
        "down",
        "",
        "u64",
        &[
            "when(self.count > 0); self.count -= 1; self.count",
            "if self.count > 0 { self.count -= 1; } self.count",
            "if self.count > 1 { self.count -= 1; } else { self.count = 0; } self.count",
        ],
    ),
    ("up", "", "()", &["when(self.count > 0); self.count += 1;", "self.count += 1;"]),
    ("raise", ", old: u64", "bool", &["if self.count != old { return false; } self.count = old + 1; true"]),
    ("count", "", "u64", &["self.count"]),
    ("free", "", "()", &["assert!(!self.freed); self.freed = true;", "self.freed = true;"]),
    ("is_free", "", "bool", &["self.freed"]),
    (
        "begin",
        "",
        "bool",
        &[
            "if self.phase != Phase::Idle { return false; } self.phase = Phase::Busy; true",
            "let idle = self.phase == Phase::Idle; self.phase = Phase::Busy; idle",
            "if self.phase == Phase::Done { return false; } self.phase = Phase::Busy; true",
        ],
    ),
    ("end", "", "()", &["self.phase = Phase::Done;", "self.phase = Phase::Idle;"]),
    ("phase", "", "Phase", &["self.phase.clone()"]),
    (
        "claim",
        ", id: Tok",
        "bool",
        &[
            "if self.jobs.get(&id) != Some(&Phase::Idle) { return false; } self.jobs.insert(id, Phase::Busy); true",
            "if self.jobs.get(&id) == Some(&Phase::Done) { return false; } self.jobs.insert(id, Phase::Busy); true",
            "if !self.jobs.contains(&id) { return false; } self.jobs.insert(id, Phase::Busy); true",
        ],
    ),
    ("finish", ", id: Tok", "()", &["self.jobs.insert(id, Phase::Done);", "self.jobs.insert(id, Phase::Idle);"]),
    (
        "create",
        ", id: Tok",
        "bool",
        &["if self.files.contains(&id) { return false; } self.files.insert(id); true", "self.files.insert(id); true"],
    ),
    ("delete", ", id: Tok", "()", &["self.files.remove(&id);"]),
    (
        "take",
        ", id: Tok",
        "bool",
        &[
            "if !self.files.contains(&id) { return false; } self.files.remove(&id); true",
            "self.files.remove(&id); true",
        ],
    ),
    ("give", ", id: Tok", "()", &["self.files.insert(id);"]),
    (
        "all_done",
        "",
        "bool",
        &["self.jobs.values().all(|it| *it == Phase::Done)", "!self.jobs.values().any(|it| *it == Phase::Busy)"],
    ),
    (
        "add",
        ", id: Tok",
        "bool",
        &["if self.jobs.contains(&id) { return false; } self.jobs.insert(id, Phase::Idle); true"],
    ),
    ("load", "", "u64", &["self.n"]),
    ("store", ", to: u64", "()", &["self.n = to;"]),
    ("read", "", "u64", &["self.m"]),
    ("write", ", to: u64", "()", &["self.m = to;"]),
];

/// Procedures. `a` and `b` are numbers, `t` is a name; `@` stands for the layer below. The result is `a`.
const PROCEDURES: &[&str] = &[
    "@lock(); a = @load(); @store(b); @unlock(); ",
    "@lock(); @store(1); @write(1); @unlock(); ",
    "@lock(); a = @load(); @unlock(); b = @read(); ",
    "if @try_lock() { a = @load(); @store(b); @unlock(); } ",
    "if !@swap(true) { @store(1); a = @read(); @swap(false); } ",
    "loop { if !@swap(true) { break; } } @store(b); @unlock(); ",
    "@lock(); @unlock(); @store(b); @store(1); ",
    "@lock(); @store(b); @unlock(); @unlock(); ",
    "if @try_lock() { @store(b); @write(b); } @unlock(); ",
    "a = @down(); if a == 0 { @free(); } ",
    "a = @down(); if a == 0 { @store(1); @write(2); } ",
    "a = @down(); if a == 0 { @write(b); @up(); } ",
    "a = @down(); if a == 1 { @store(1); @write(2); } ",
    "@up(); a = @load(); ",
    "b = @count(); if b > 0 { if @raise(b) { a = 1; } } ",
    "b = @count(); if @raise(b) { a = 1; } ",
    "loop { b = @count(); if b == 0 { break; } if @raise(b) { a = 1; break; } } ",
    "if @begin() { @store(b); @end(); a = 1; } ",
    "if @begin() { @store(1); @write(2); @end(); } ",
    "if @begin() { @end(); @store(b); @store(1); } ",
    "if @phase() == Phase::Done { a = @load(); } ",
    "if @phase() == Phase::Busy { @store(3); } ",
    "if @claim(t.clone()) { @store(b); @write(1); @finish(t); } ",
    "if @claim(t.clone()) { a = @load(); @finish(t); } ",
    "if @claim(t.clone()) { @finish(t); @store(1); @write(1); } ",
    "if @create(t.clone()) { @store(b); @write(1); @delete(t); } ",
    "if @create(t.clone()) { @delete(t); @store(1); @write(1); } ",
    "@delete(t); ",
    "if @all_done() { @store(b); @write(1); } ",
    "if @claim(t.clone()) { if @all_done() { @store(1); } @finish(t); } ",
    "if @add(t.clone()) { if @claim(t.clone()) { @finish(t); } } ",
    "@lock(); if @all_done() { @store(1); @write(1); } @unlock(); ",
    "if @take(t.clone()) { @store(b); @write(1); @give(t); } ",
    "if @take(t.clone()) { a = @load(); @store(1); @give(t); } ",
    "@give(t); ",
    "a = @load(); ",
    "@store(b); ",
    "a = @read(); ",
];

/// `High` over `Low`, implemented by movers.
pub fn locks(random: &mut Rng) -> (String, Vec<&'static str>) {
    together(random, &PARTS)
}
