//! Procedures whose calls have to be judged in their context: with their own arguments, for the result that the path takes, in the states
//! that the procedure can be in; reads that are outdated when they are used; loops before the commit point.
//!
//! Each case is a plot: operations, a procedure, and the operation that it should implement. Each of these has variants, most of them
//! wrong. The other operations, which other processes may perform, are random.

use std::fmt::Write;

use fastrand::Rng;

/// Operations of the layer below: name, parameters after `me`, result, body. In a body, `me` is the process.
type Operation = (&'static str, &'static str, &'static str, &'static str);

/// Operations that any process may perform, if they are passed on.
const OPERATIONS: &[Operation] = &[
    ("load", "", "u64", "self.n"),
    ("cas", ", from: u64, to: u64", "bool", "if self.n != from { return false; } self.n = to; true"),
    ("weak_cas", ", from: u64, to: u64", "bool", "if maybe() || self.n != from { return false; } self.n = to; true"),
    ("store", ", to: u64", "()", "self.n = to;"),
    ("add", "", "u64", "let old = self.n; self.n = (old + 1) % 3; old"),
    ("up", "", "u64", "let old = self.n; if old < 2 { self.n = old + 1; } old"),
    ("other", "", "u64", "self.m"),
    ("put", ", to: u64", "()", "self.m = to;"),
    ("both", ", to: u64", "()", "self.n = to; self.m = to;"),
    ("flag", "", "bool", "self.flag"),
    ("raise", "", "()", "self.flag = true;"),
    ("turn", "", "()", "self.flag = !self.flag;"),
    ("claim", "", "bool", "let free = !self.flag; self.flag = true; free"),
    ("lock", "", "()", "when(self.owner.is_none()); self.owner = Some(me);"),
    ("unlock", "", "()", "if self.owner == Some(me) { self.owner = None; }"),
    ("try_lock", "", "bool", "if self.owner.is_some() { return false; } self.owner = Some(me); true"),
    ("may_lock", "", "bool", "if maybe() { return false; } when(self.owner.is_none()); self.owner = Some(me); true"),
    ("steal", "", "()", "self.owner = None;"),
    (
        "cell",
        ", take: bool",
        "()",
        "if take { when(self.owner.is_none()); self.owner = Some(me); } else { when(self.owner == Some(me)); self.owner = None; }",
    ),
    ("guarded", "", "u64", "when(self.owner == Some(me)); self.n"),
    ("write", ", to: u64", "()", "when(self.owner == Some(me)); self.n = to;"),
    ("safe_write", ", to: u64", "()", "assert!(self.owner == Some(me)); self.n = to;"),
    ("look_outside", "", "u64", "when(self.owner != Some(me)); self.n"),
    ("wait", ", to: u64", "()", "when(self.n == to);"),
    ("check", ", to: u64", "()", "assert!(self.m == to);"),
    ("enter", "", "bool", "if self.flag { return false; } when(self.owner.is_none()); self.owner = Some(me); true"),
    ("mine", "", "bool", "self.owner == Some(me)"),
    ("tell", "", "()", "emit(self.n);"),
    ("say", ", what: u64", "()", "emit(what);"),
    ("maybe_store", ", to: u64", "bool", "if maybe() { return false; } self.n = to; true"),
    ("odd", ", a: u64", "()", "if a == 0 { self.m = self.n; }"),
];

/// A procedure, and the operation that it should implement. The first variant of the operation is right as long as other processes do
/// nothing.
struct Plot {
    argument: &'static str,
    result: &'static str,
    procedures: &'static [&'static str],
    operations: &'static [&'static str],
    /// An operation that other processes usually may perform.
    besides: &'static [&'static str],
}

const fn plot(
    (argument, result): (&'static str, &'static str),
    procedures: &'static [&'static str],
    operations: &'static [&'static str],
    besides: &'static [&'static str],
) -> Plot {
    Plot { argument, result, procedures, operations, besides }
}

const PLOTS: &[Plot] = &[
    // A load and a compare-and-swap in a loop.
    plot(
        ("", "u64"),
        &[
            "loop { let old = lo.load(); if lo.cas(old, (old + 1) % 3) { return old; } }",
            "loop { let old = lo.load(); if lo.weak_cas(old, (old + 1) % 3) { return old; } }",
            "let mut old = lo.load(); while !lo.cas(old, (old + 1) % 3) { old = lo.load(); } old",
            "loop { let old = lo.load(); if lo.cas(old, (old + 1) % 3) { return lo.load(); } }",
            "loop { let old = lo.load(); lo.store((old + 1) % 3); return old; }",
            "let old = lo.load(); loop { if lo.cas(old, (old + 1) % 3) { return old; } }",
            "loop { let old = lo.load(); if lo.cas(old, (old + 1) % 3) { lo.load(); return old; } }",
            "loop { let old = lo.load(); if !lo.cas(old, (old + 1) % 3) { return old; } }",
        ],
        &[
            "let old = self.n; self.n = (old + 1) % 3; old",
            "let old = self.n; self.n = (old + 1) % 3; self.n",
            "let old = self.n; self.n = old + 1; old",
            "let old: u64 = any(); self.n = (self.n + 1) % 3; old",
            "self.n",
        ],
        &["store", "add", "load"],
    ),
    // The same loop with an exit.
    plot(
        ("", "bool"),
        &[
            "loop { let old = lo.load(); if old == 0 { return false; } if lo.cas(old, old - 1) { return true; } }",
            "let old = lo.load(); if old == 0 { return false; } lo.cas(old, old - 1)",
            "loop { let old = lo.load(); if old == 0 { return lo.flag(); } if lo.cas(old, old - 1) { return true; } }",
            "let old = lo.load(); if old == 0 { return false; } lo.store(old - 1); true",
        ],
        &[
            "if self.n == 0 { return false; } self.n -= 1; true",
            "if self.n == 0 || maybe() { return false; } self.n -= 1; true",
            "if self.n == 0 { return self.flag; } self.n -= 1; true",
            "when(self.n > 0); self.n -= 1; true",
        ],
        &["store", "add", "up"],
    ),
    // A load and a compare-and-swap, once.
    plot(
        ("arg: u64", "bool"),
        &[
            "let old = lo.load(); lo.cas(old, arg)",
            "let old = lo.load(); lo.weak_cas(old, arg)",
            "let old = lo.load(); if lo.cas(old, arg) { return true; } lo.cas(old, arg)",
            "let old = lo.load(); let again = lo.load(); lo.cas(again, arg)",
            "if lo.claim() { lo.put(arg); true } else { false }",
        ],
        &[
            "if maybe() { return false; } self.n = arg; true",
            "self.n = arg; true",
            "if maybe() { return false; } self.n = arg; maybe()",
            "if self.flag { return false; } self.flag = true; self.m = arg; true",
        ],
        &["store", "add", "other", "put"],
    ),
    // One operation that both acquires and releases.
    plot(
        ("arg: u64", "()"),
        &[
            "lo.cell(true); lo.write(arg); lo.cell(false);",
            "lo.cell(true); lo.write(arg);",
            "lo.cell(true); lo.cell(false); lo.put(arg);",
            "lo.cell(true); lo.write(0); lo.write(arg); lo.cell(false);",
            "lo.cell(true); lo.store(0); lo.write(arg); lo.cell(false);",
            "lo.cell(false); lo.cell(true); lo.write(arg);",
        ],
        &[
            "when(self.owner.is_none()); self.n = arg;",
            "when(self.owner.is_none()); self.n = arg; self.owner = Some(me);",
            "when(self.owner.is_none()); self.m = arg;",
            "when(self.owner == Some(me)); self.n = arg;",
        ],
        &["cell", "load", "guarded", "steal"],
    ),
    // Whether a call moves depends on its result.
    plot(
        ("", "u64"),
        &[
            "if !lo.enter() { return 9; } let seen = lo.add(); lo.unlock(); seen",
            "if !lo.try_lock() { return 9; } let seen = lo.add(); lo.unlock(); seen",
            "if !lo.may_lock() { return 9; } let seen = lo.add(); lo.unlock(); seen",
            "if !lo.may_lock() { return 9; } let seen = lo.load(); lo.write((seen + 1) % 3); lo.unlock(); seen",
            "if lo.maybe_store(1) { return 9; } lo.add()",
            "if lo.enter() { lo.unlock(); } let seen = lo.add(); seen",
        ],
        &[
            "if self.flag { return 9; } when(self.owner.is_none()); let seen = self.n; self.n = (seen + 1) % 3; seen",
            "if maybe() { return 9; } when(self.owner.is_none()); let seen = self.n; self.n = (seen + 1) % 3; seen",
            "if self.owner.is_some() { return 9; } let seen = self.n; self.n = (seen + 1) % 3; seen",
            "if maybe() { self.n = 1; return 9; } let seen = self.n; self.n = (seen + 1) % 3; seen",
        ],
        &["turn", "add", "store", "raise", "steal", "load"],
    ),
    // Reads before and after a write.
    plot(
        ("", "u64"),
        &[
            "let a = lo.load(); let b = lo.load(); if a == b { a } else { 9 }",
            "loop { let a = lo.load(); if lo.load() == a { return a; } }",
            "loop { let a = lo.load(); let m = lo.other(); if lo.load() == a { return m; } }",
            "let a = lo.load(); let m = lo.other(); if lo.load() == a { m } else { 9 }",
            "let a = lo.load(); let m = lo.other(); a + m",
            "let a = lo.load(); let m = lo.add(); a",
            "let a = lo.add(); lo.load(); a",
            "let a = lo.add(); let b = lo.load(); b",
            "let a = lo.add(); if lo.flag() { lo.other(); } a",
            "lo.flag(); lo.load()",
            "let mut c = 0; loop { let v = lo.load(); if v == c { break; } c = v; } lo.raise(); c",
            "let v = lo.look_outside(); lo.lock(); lo.put(1); v",
        ],
        &[
            "self.n",
            "if maybe() { return 9; } self.n",
            "self.m",
            "if maybe() { return 9; } self.m",
            "self.n + self.m",
            "let a = self.n; self.n = (a + 1) % 3; a",
            "let a: u64 = any(); self.n = (self.n + 1) % 3; a",
            "self.flag = true; self.n",
            "when(self.owner.is_none()); self.owner = Some(me); self.m = 1; self.n",
        ],
        &["store", "up", "add", "both", "put", "turn"],
    ),
    // A read, and a write that depends on it.
    plot(
        ("", "bool"),
        &[
            "if lo.flag() { lo.put(1); return true; } false",
            "if !lo.flag() { return false; } lo.add(); true",
            "loop { if lo.flag() { lo.put(1); return true; } }",
            "if lo.mine() { lo.safe_write(1); return true; } false",
            "if lo.mine() { lo.write(1); lo.unlock(); return true; } false",
            "if lo.claim() { if lo.flag() { lo.put(1); } return true; } false",
            "lo.raise(); if lo.flag() { lo.put(1); return true; } false",
            "lo.raise(); lo.flag(); lo.put(1); true",
        ],
        &[
            "if self.flag { self.m = 1; return true; } false",
            "if !self.flag { return false; } self.n = (self.n + 1) % 3; true",
            "when(self.flag); self.m = 1; true",
            "if self.owner == Some(me) { self.n = 1; return true; } false",
            "if self.owner == Some(me) { self.n = 1; self.owner = None; return true; } false",
            "if self.flag { return false; } self.flag = true; self.m = 1; true",
            "self.flag = true; self.m = 1; true",
        ],
        &["raise", "turn", "lock", "steal", "flag", "store", "unlock"],
    ),
    // Loops before, after and around the commit point.
    plot(
        ("", "()"),
        &[
            "lo.put(1); loop { lo.tell(); }",
            "lo.raise(); loop { if lo.load() == 1 { break; } }",
            "loop { if lo.load() == 1 { break; } } lo.raise();",
            "loop { if lo.may_lock() { break; } } lo.put(1); lo.unlock();",
            "loop { if lo.try_lock() { break; } } lo.put(1); lo.unlock();",
            "loop { if lo.claim() { break; } } lo.put(1);",
            "lo.lock(); while lo.guarded() != 0 { lo.write(0); } lo.unlock();",
            "lo.lock(); loop { if lo.load() == 1 { lo.unlock(); return; } lo.unlock(); lo.lock(); }",
            "loop { if lo.maybe_store(1) { break; } }",
            "loop { if lo.flag() { break; } lo.tell(); }",
            "for _ in 0..2 { lo.flag(); } lo.put(1);",
        ],
        &[
            "self.m = 1;",
            "self.flag = true;",
            "when(self.n == 1); self.flag = true;",
            "when(self.owner.is_none()); self.m = 1;",
            "when(!self.flag); self.flag = true; self.m = 1;",
            "when(self.owner.is_none()); self.n = 0;",
            "when(self.owner.is_none() && self.n == 1);",
            "self.n = 1;",
            "when(self.flag);",
        ],
        &["store", "lock", "unlock", "turn", "steal", "load", "raise"],
    ),
    // Arguments that decide whether a call moves.
    plot(
        ("arg: u64", "()"),
        &[
            "lo.odd(1); lo.store(arg);",
            "lo.odd(arg); lo.store(arg);",
            "if arg == 0 { return; } lo.store(arg); lo.odd(arg);",
            "lo.store(arg); lo.odd(0);",
            "lo.wait(0); lo.raise();",
            "lo.wait(arg); lo.raise();",
            "lo.raise(); lo.wait(arg);",
            "lo.raise(); lo.say(arg);",
            "lo.say(arg); lo.store(arg);",
        ],
        &[
            "self.n = arg;",
            "if arg == 0 { self.m = self.n; } self.n = arg;",
            "if arg == 0 { return; } self.n = arg;",
            "self.n = arg; self.m = arg;",
            "when(self.n == 0); self.flag = true;",
            "when(self.n == arg); self.flag = true;",
            "self.flag = true; emit(arg);",
            "emit(arg); self.n = arg;",
        ],
        &["store", "load", "up", "other", "flag", "turn"],
    ),
    // A failure that another process's step makes possible.
    plot(
        ("", "()"),
        &["lo.store(0); lo.put(1);", "lo.put(1); lo.store(0);", "lo.lock(); lo.safe_write(0); lo.unlock();"],
        &["self.n = 0; self.m = 1;", "when(self.owner.is_none()); self.n = 0;"],
        &["check", "wait", "steal", "load"],
    ),
];

/// `High` over `Low`, implemented by movers.
pub fn calls(random: &mut Rng) -> (String, Vec<&'static str>) {
    let plot = &PLOTS[random.usize(..PLOTS.len())];
    let procedure = *random.choice(plot.procedures).unwrap_or(&"");
    let operation = *random.choice(plot.operations).unwrap_or(&"");
    let is_called = |name: &str, text: &str| text.contains(&format!("lo.{name}("));
    let mut passed: Vec<&str> = plot.besides.iter().copied().filter(|_| random.u8(..100) < 40).collect();
    if random.u8(..100) < 15 {
        passed.extend(random.choice(OPERATIONS).map(|it| it.0));
    }
    // A second procedure has effects, too.
    let second = (random.u8(..100) < 25).then(|| {
        let names = ["wait", "check", "store", "put", "raise", "lock", "unlock"];
        let pick = |random: &mut Rng| *random.choice(&names).unwrap_or(&"raise");
        (pick(random), pick(random))
    });
    let call = |name: &str, lo: &str| match name {
        "wait" | "check" | "store" | "put" => format!("{lo}{name}({});", if name == "check" { 1 } else { 0 }),
        _ => format!("{lo}{name}();"),
    };
    let text_of_second = second.map(|(a, b)| format!("{} {}", call(a, "lo."), call(b, "lo."))).unwrap_or_default();
    passed.sort_unstable();
    passed.dedup();
    let below: Vec<&Operation> = OPERATIONS
        .iter()
        .filter(|it| is_called(it.0, procedure) || is_called(it.0, &text_of_second) || passed.contains(&it.0))
        .collect();
    let mut text = String::from(
        "\n#[state]\npub struct Store {\n    pub n: u64,\n    pub m: u64,\n    pub flag: bool,\n    pub owner: Option<Pid>,\n}\n",
    );
    let init = match random.u8(..3) {
        0 => "    #[init]\n    fn init(&self) -> bool {\n        self.owner.is_none() && self.n == 0\n    }\n",
        _ => "",
    };
    let _ = write!(text, "\n#[layer]\nimpl Low for Store {{\n{init}");
    for (name, parameters, result, body) in below {
        let body =
            if random.u8(..100) < 3 { body.replacen("self.owner == Some(me)", "true", 1) } else { (*body).to_owned() };
        let _ = writeln!(
            text,
            "    #[op]\n    fn {name}(&mut self, me: Pid{parameters}) -> {result} {{\n        {body}\n    }}"
        );
    }
    let mut inherited: Vec<&str> = passed.clone();
    inherited.extend((!init.is_empty()).then_some("init"));
    let inherit =
        if inherited.is_empty() { String::new() } else { format!("(inherit(Low: {}))", inherited.join(", ")) };
    let pass = if passed.is_empty() { String::new() } else { format!(", pass({})", passed.join(", ")) };
    let comma = if plot.argument.is_empty() { "" } else { ", " };
    let (argument, result) = (plot.argument, plot.result);
    let _ = writeln!(
        text,
        "}}\n\n#[layer{inherit}]\nimpl High for Store {{\n    #[op]\n    fn fox(&mut self, me: Pid{comma}{argument}) -> {result} {{\n        {operation}\n    }}"
    );
    if let Some((a, b)) = second {
        let at_once = |name: &str| {
            let (_, parameters, _, body) = OPERATIONS.iter().find(|it| it.0 == name).unwrap_or(&OPERATIONS[0]);
            let given = if parameters.is_empty() {
                String::new()
            } else {
                format!("let to = {}; ", if name == "check" { 1 } else { 0 })
            };
            format!("{{ {given}{body} }}")
        };
        let _ = writeln!(
            text,
            "    #[op]\n    fn gnu(&mut self, me: Pid) {{\n        {} {}\n    }}",
            at_once(a),
            at_once(b)
        );
    }
    let _ = writeln!(
        text,
        "}}\n\n#[implement(High, over = Low, by = movers{pass})]\nimpl Together {{\n    fn fox(lo: &mut impl Low{comma}{argument}) -> {result} {{\n        {procedure}\n    }}"
    );
    if second.is_some() {
        let _ = writeln!(text, "    fn gnu(lo: &mut impl Low) {{\n        {text_of_second}\n    }}");
    }
    text.push_str("}\n");
    (text, vec!["Together"])
}
