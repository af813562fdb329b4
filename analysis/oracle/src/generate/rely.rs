//! Procedures that are right, or wrong, because of what other processes know where they make their calls.
//!
//! Places are reserved and then filled, names are made and then used, members leave and the last one does something. The operation above makes the
//! calls of the procedure at once, perhaps behind an `assert!`. Some operations do less than their names say: a place is reserved twice, a name that
//! was given back is made again.

use std::fmt::Write;

use fastrand::Rng;

use super::wild::{at_once, given, made};

/// Operations of the layer below: name, parameters after `me`, result, and bodies, of which the first is the usual one.
pub(super) type Operation = (&'static str, &'static str, &'static str, &'static [&'static str]);

const OPERATIONS: &[Operation] = &[
    (
        "reserve",
        "",
        "u64",
        &[
            "let at = self.next; self.next += 1; at",
            "self.next",
            "let at = self.next; if !self.open { self.next += 1; } at",
            "self.next += 1; self.next",
        ],
    ),
    (
        "fill",
        ", at: u64, to: u64",
        "()",
        &["self.places.insert(at, to);", "if at < self.next { self.places.insert(at, to); }"],
    ),
    ("place", ", at: u64", "u64", &["if self.places.contains(&at) { self.places[&at] } else { 0 }"]),
    ("drain", ", at: u64", "u64", &["self.places.remove(&at).unwrap_or(0)"]),
    ("back", "", "()", &["if self.next > 0 { self.next -= 1; }", "self.next = 0;"]),
    (
        "make",
        "",
        "Tok",
        &[
            "let id: Tok = any(); when(!self.made.contains(&id)); self.made.insert(id.clone(), 0); id",
            "let id: Tok = any(); when(!self.made.contains(&id)); id",
            "let id: Tok = any(); self.made.insert(id.clone(), 0); id",
        ],
    ),
    (
        "set",
        ", id: Tok, to: u64",
        "()",
        &["self.made.insert(id, to);", "if self.made.contains(&id) { self.made.insert(id, to); }"],
    ),
    ("get", ", id: Tok", "u64", &["if self.made.contains(&id) { self.made[&id] } else { 0 }"]),
    ("free", ", id: Tok", "()", &["self.made.remove(&id);"]),
    ("show", ", id: Tok", "()", &["self.shown = Some(id);"]),
    ("shown", "", "Option<Tok>", &["self.shown.clone()"]),
    (
        "offer",
        ", id: Tok",
        "bool",
        &[
            "if self.shown.is_some() { return false; } self.shown = Some(id); true",
            "let new = self.shown.is_none(); self.shown = Some(id); new",
            "if self.shown.is_none() { self.shown = Some(id); } false",
        ],
    ),
    ("hide", "", "Option<Tok>", &["self.shown.take()", "self.shown.clone()"]),
    ("mark", ", id: Tok", "()", &["self.done.insert(id);"]),
    (
        "pick",
        "",
        "Option<Tok>",
        &["if self.done.is_empty() { return None; } Some(choose(&self.done))", "self.done.first().cloned()"],
    ),
    ("cas", ", old: u64, to: u64", "bool", &["if self.n != old { return false; } self.n = to; true"]),
    ("join", "", "()", &["self.members.insert(me);", "when(!self.open); self.members.insert(me);"]),
    ("leave", "", "u64", &["let old = self.members.len() as u64; self.members.remove(&me); old"]),
    ("size", "", "u64", &["self.members.len() as u64"]),
    ("lift", "", "()", &["self.open = true;", "when(self.members.is_empty()); self.open = true;"]),
    ("is_open", "", "bool", &["self.open"]),
    ("alone", "", "()", &["when(self.members.is_empty());"]),
    (
        "all_low",
        "",
        "bool",
        &["self.places.values().all(|it| *it < 2)", "self.places.iter().all(|(at, it)| *it < 2 || *at == 0)"],
    ),
    ("has", ", to: u64", "bool", &["self.made.values().any(|it| *it == to)"]),
    ("store", ", to: u64", "()", &["self.n = to;"]),
    ("load", "", "u64", &["self.n"]),
];

/// Procedures. `a` and `b` are numbers, `t` is a name; `@` stands for the layer below. The result is `a`.
const PROCEDURES: &[&str] = &[
    "a = @reserve(); @fill(a, b); ",
    "a = @reserve(); @fill(a, 1); @fill(a, 2); ",
    "a = @reserve(); b = @reserve(); @fill(a, 1); @fill(b, 2); ",
    "a = @reserve(); @fill(a, b); a = @place(a); ",
    "a = @reserve(); if b == 0 { @fill(a, 1); } else { @fill(b, 1); } ",
    "a = @reserve(); @store(a); ",
    "t = @make(); @set(t.clone(), b); ",
    "t = @make(); @set(t.clone(), b); a = @get(t); ",
    "t = @make(); @set(t.clone(), 1); @show(t); ",
    "t = @make(); @set(t.clone(), 1); @free(t); ",
    "if let Some(t) = @shown() { a = @get(t); } ",
    "if let Some(t) = @shown() { @set(t, b); } ",
    "t = @make(); @set(t.clone(), 1); if !@offer(t.clone()) { @free(t); } ",
    "t = @make(); if @offer(t.clone()) { @set(t, 1); } else { @free(t); } ",
    "t = @make(); @set(t.clone(), 1); if !@offer(t.clone()) { if let Some(u) = @shown() { a = @get(u); } @free(t); } ",
    "if let Some(u) = @hide() { @free(u); } ",
    "t = @make(); @set(t.clone(), 1); @set(t.clone(), 2); @mark(t); ",
    "t = @make(); @mark(t.clone()); @set(t, 1); ",
    "if let Some(u) = @pick() { a = @get(u); } ",
    "if let Some(u) = @pick() { @set(u, 3); } ",
    "@mark(t); ",
    "t = @make(); loop { b = @load(); @set(t.clone(), b); if @cas(b, 1) { break; } } @show(t); ",
    "t = @make(); loop { @set(t.clone(), 1); if @offer(t.clone()) { break; } a = 1; } ",
    "a = @leave(); if a == 1 { @lift(); } ",
    "a = @leave(); if a == 1 { @store(b); } ",
    "@join(); a = @leave(); ",
    "@join(); @store(b); a = @leave(); if a == 1 { @lift(); } ",
    "a = @size(); if a == 0 { @store(b); } ",
    "@alone(); @store(b); a = @load(); ",
    "@lift(); @alone(); @store(b); ",
    "@back(); ",
    "a = @drain(b); ",
    "a = @load(); @store(a); ",
    "a = @load(); if a == 0 { a = @reserve(); } else { @back(); } ",
    "if @is_open() { @store(1); } a = @load(); ",
    "a = @load(); if a > 0 { @lift(); } else { @store(0); } ",
    "if @all_low() { a = @reserve(); @fill(a, 1); } ",
    "if @all_low() { @fill(b, 1); } ",
    "a = @reserve(); @fill(a, 1); if !@all_low() { @store(1); } ",
    "if !@has(1) { t = @make(); @set(t, 1); } ",
    "t = @make(); @set(t.clone(), b); if @has(b) { a = 1; } ",
];

/// What may be asserted above.
const GATES: &[&str] = &[
    "assert!(self.members.contains(&me)); ",
    "assert!(!self.members.contains(&me)); ",
    "assert!(self.members.contains(&me) || self.open); ",
    "assert!(!self.open); ",
    "assert!(self.n == 0); ",
];

/// What packages are made of.
pub(super) struct Parts {
    /// The state, a struct `Store`, and the types of its fields.
    pub(super) state: &'static str,
    /// Initial states, if they are not any.
    pub(super) inits: &'static [&'static str],
    /// What may be an invariant of the layer below.
    pub(super) invariants: &'static [&'static str],
    pub(super) operations: &'static [Operation],
    pub(super) procedures: &'static [&'static str],
    pub(super) gates: &'static [&'static str],
    /// Operations that may be passed on.
    pub(super) passed: &'static [&'static str],
}

const PARTS: Parts = Parts {
    state: "\n#[state]\npub struct Store {\n    pub next: u64,\n    pub places: Map<u64, u64>,\n    pub made: Map<Tok, u64>,\n    pub shown: Option<Tok>,\n    pub done: Set<Tok>,\n    pub members: Set<Pid>,\n    pub open: bool,\n    pub n: u64,\n}\n",
    inits: &[],
    invariants: &[
        "self.places.keys().iter().all(|at| *at < self.next)",
        "self.done.iter().all(|id| self.made.contains(id))",
        "self.made.values().all(|it| *it < 3)",
        "self.open || self.members.iter().all(|it| self.made.values().any(|n| *n > 0) || !self.members.is_empty())",
    ],
    operations: OPERATIONS,
    procedures: PROCEDURES,
    gates: GATES,
    passed: &["load", "is_open", "store", "place", "get", "join"],
};

/// `High` over `Low`, implemented by movers.
pub fn rely(random: &mut Rng) -> (String, Vec<&'static str>) {
    together(random, &PARTS)
}

/// `High` over `Low`, implemented by movers, made of such parts.
pub(super) fn together(random: &mut Rng, parts: &Parts) -> (String, Vec<&'static str>) {
    let mut bodies: Vec<(&str, &str)> = Vec::new();
    for name in ["fox", "hen", "owl"].into_iter().take(random.usize(1..=3)) {
        let body = random.choice(parts.procedures).unwrap_or(&"");
        bodies.push((name, body));
    }
    let is_called = |name: &str| bodies.iter().any(|it| it.1.contains(&format!("@{name}(")));
    let passed: Vec<&str> = parts.passed.iter().copied().filter(|_| random.u8(..100) < 12).collect();
    let below: Vec<super::wild::Operation> = parts
        .operations
        .iter()
        .filter(|it| is_called(it.0) || passed.contains(&it.0))
        .map(|(name, parameters, result, bodies)| {
            let usual = bodies[0];
            let body = if random.u8(..100) < 80 { usual } else { bodies[random.usize(..bodies.len())] };
            (*name, *parameters, *result, body)
        })
        .collect();
    let mut text = format!("{}\nimpl Store {{\n", parts.state);
    text.push_str(&at_once(&below.iter().collect::<Vec<_>>(), false));
    text.push_str("}\n\n#[layer]\nimpl Low for Store {\n");
    text.push_str(&super::init(random.choice(parts.inits).copied()));
    if let Some(holds) = random.choice(parts.invariants).filter(|_| random.u8(..100) < 25) {
        let _ = writeln!(text, "    #[invariant]\n    fn holds(&self) -> bool {{\n        {holds}\n    }}");
    }
    for (name, parameters, result, _) in &below {
        let arguments = given(parameters);
        let _ = writeln!(
            text,
            "    #[op]\n    fn {name}(&mut self, me: Pid{parameters}) -> {result} {{\n        self.{name}_now(me{arguments})\n    }}"
        );
    }
    let inherited = passed.join(", ");
    let inherits = if passed.is_empty() { String::new() } else { format!("(inherit(Low: {inherited}))") };
    let passes = if passed.is_empty() { String::new() } else { format!(", pass({inherited})") };
    let variables = "let (mut a, mut b, mut t) = (0, from, TOK);";
    let _ = writeln!(text, "}}\n\n#[layer{inherits}]\nimpl High for Store {{");
    for (name, body) in &bodies {
        let gate = if random.u8(..100) < 40 { random.choice(parts.gates).unwrap_or(&"") } else { "" };
        let body = made(body, Some("now"));
        let _ = writeln!(
            text,
            "    #[op]\n    fn {name}(&mut self, me: Pid, from: u64) -> u64 {{\n        {variables} {gate}{body}a\n    }}"
        );
    }
    let _ = writeln!(text, "}}\n\n#[implement(High, over = Low, by = movers{passes})]\nimpl Together {{");
    for (name, body) in &bodies {
        let calls = made(body, None);
        let _ = writeln!(
            text,
            "    fn {name}(lo: &mut impl Low, from: u64) -> u64 {{\n        {variables} {calls}a\n    }}"
        );
    }
    text.push('}');
    (text, vec!["Together"])
}
