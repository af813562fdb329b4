//! Procedures that read several words, and a number before and after them: sequence locks, versions, double reads.
//!
//! Which of the reads of a turn decide depends on the number that the turn has read. So what is told apart here are integers: of a number
//! that writers make odd and even again, or only ever raise.

use std::fmt::Write;

use fastrand::Rng;

/// Operations of the layer below: name, parameters after `me`, result, and bodies, of which the first is the usual one.
type Operation = (&'static str, &'static str, &'static str, &'static [&'static str]);

const OPERATIONS: &[Operation] = &[
    ("stamp", "", "u64", &["self.seq", "self.seq / 2", "self.seq + 1"]),
    (
        "begin",
        ", seen: u64",
        "bool",
        &[
            "if self.seq != seen { return false; } self.seq = seen + 1; self.writer = Some(me); true",
            "if self.seq != seen { return false; } self.seq = seen + 2; self.writer = Some(me); true",
            "if self.writer.is_some() { return false; } self.seq += 1; self.writer = Some(me); true",
            "if self.seq > seen { return false; } self.writer = Some(me); true",
        ],
    ),
    (
        "end",
        "",
        "()",
        &[
            "self.seq += 1; self.writer = None;",
            "self.seq += 2; self.writer = None;",
            "self.writer = None;",
            "if self.seq > 0 { self.seq -= 1; } self.writer = None;",
        ],
    ),
    ("one", "", "u64", &["self.one"]),
    ("two", "", "u64", &["self.two"]),
    ("set_one", ", to: u64", "()", &["self.one = to;"]),
    ("set_two", ", to: u64", "()", &["self.two = to;", "self.two = to; self.seq += 1;"]),
];

/// Procedures that write; `lo` is the layer below.
const WRITERS: &[&str] = &[
    "loop { let seen = lo.stamp(); if seen % 2 == 0 && lo.begin(seen) { lo.set_one(a); lo.set_two(b); lo.end(); return; } }",
    "loop { let seen = lo.stamp(); if lo.begin(seen) { lo.set_two(b); lo.set_one(a); lo.end(); return; } }",
    "let seen = lo.stamp(); if seen % 2 == 0 && lo.begin(seen) { lo.set_one(a); lo.set_two(b); lo.end(); }",
    "loop { let seen = lo.stamp(); if seen % 2 == 0 && lo.begin(seen) { lo.set_one(a); lo.end(); lo.set_two(b); return; } }",
    "loop { let seen = lo.stamp(); if seen % 2 == 0 && lo.begin(seen) { lo.set_one(a); lo.end(); return; } }",
    "lo.set_one(a); lo.set_two(b);",
    "lo.set_two(b);",
];

/// Procedures that read.
const READERS: &[&str] = &[
    "loop { let was = lo.stamp(); if was % 2 == 1 { continue; } let (x, y) = (lo.one(), lo.two()); if lo.stamp() == was { return (x, y); } }",
    "loop { let was = lo.stamp(); let (x, y) = (lo.one(), lo.two()); if lo.stamp() == was { return (x, y); } }",
    "loop { let was = lo.stamp(); if was % 2 == 0 { let y = lo.two(); let x = lo.one(); if lo.stamp() == was { return (x, y); } } }",
    "loop { let was = lo.stamp(); if was % 2 == 1 { let (x, y) = (lo.one(), lo.two()); if lo.stamp() == was { return (x, y); } } }",
    "loop { let was = lo.stamp(); if was % 2 == 1 { continue; } let (x, y) = (lo.one(), lo.two()); if lo.stamp() >= was { return (x, y); } }",
    "loop { let was = lo.stamp(); if was > 1 { return (lo.one(), 0); } let x = lo.one(); if lo.stamp() == was { return (x, lo.two()); } }",
    "loop { let x = lo.one(); let was = lo.stamp(); if was % 2 == 1 { continue; } let y = lo.two(); if lo.stamp() == was { return (x, y); } }",
    "loop { let (x, y) = (lo.one(), lo.two()); if lo.one() == x && lo.two() == y { return (x, y); } }",
    "let was = lo.stamp(); if was < 2 { return (0, 0); } (lo.one(), lo.two())",
    "let x = lo.one(); if lo.stamp() == 3 { return (x, x); } (0, lo.two())",
    "(lo.one(), 0)",
];

/// What the writers and readers do above.
const WRITTEN: &[&str] = &[
    "when(self.seq % 2 == 0); self.seq += 2; self.one = a; self.two = b; self.writer = None;",
    "self.seq += 2; self.one = a; self.two = b; self.writer = None;",
    "when(self.seq % 2 == 0); self.seq += 2; self.one = a; self.writer = None;",
    "if maybe() { return; } when(self.seq % 2 == 0); self.seq += 2; self.one = a; self.two = b; self.writer = None;",
    "self.one = a; self.two = b;",
    "self.two = b;",
];

const READ: &[&str] = &[
    "when(self.seq % 2 == 0); (self.one, self.two)",
    "(self.one, self.two)",
    "(self.one, 0)",
    "if self.seq < 2 && maybe() { return (0, 0); } (self.one, self.two)",
    "if self.seq == 3 { return (self.one, self.one); } (0, self.two)",
    "if self.seq > 1 && maybe() { return (self.one, 0); } (self.one, self.two)",
];

/// The usual one of several, or another.
fn one_of<'t>(random: &mut Rng, all: &[&'t str], usual: u8) -> &'t str {
    if random.u8(..100) < usual { all[0] } else { all[random.usize(..all.len())] }
}

/// `High` over `Low`, or over a protocol layer of it, implemented by movers.
pub fn stamps(random: &mut Rng) -> (String, Vec<&'static str>) {
    // How often what is usual is left as it is.
    let usual = [100, 95, 75][random.usize(..3)];
    let writer = one_of(random, WRITERS, usual);
    let reader = one_of(random, READERS, usual);
    let is_called = |name: &str| [writer, reader].iter().any(|it| it.contains(&format!("lo.{name}(")));
    let mut text = String::from(
        "\n#[state]\npub struct Words {\n    pub seq: u64,\n    pub one: u64,\n    pub two: u64,\n    pub writer: Option<Pid>,\n}\n\n#[layer]\nimpl Low for Words {\n",
    );
    if random.u8(..100) < 80 {
        let _ = writeln!(
            text,
            "    #[init]\n    fn init(&self) -> bool {{\n        self.seq == 0 && self.writer.is_none()\n    }}"
        );
    }
    for (name, parameters, result, bodies) in OPERATIONS.iter().filter(|it| is_called(it.0)) {
        let body = one_of(random, bodies, usual);
        let _ = writeln!(
            text,
            "    #[op]\n    fn {name}(&mut self, me: Pid{parameters}) -> {result} {{\n        {body}\n    }}"
        );
    }
    text.push_str("}\n");
    let writes: Vec<&str> = ["set_one", "set_two", "end"].into_iter().filter(|it| is_called(it)).collect();
    let has_rules = random.u8(..100) < usual;
    if has_rules {
        let rule = one_of(
            random,
            &["self.writer == Some(me) && self.seq % 2 == 1", "self.writer == Some(me)", "self.seq % 2 == 1"],
            usual,
        );
        let _ = writeln!(
            text,
            "\n#[layer(protocol = Low, nilpotent)]\nimpl Rules for Words {{\n    #[allowed({})]\n    fn by_writer(&self, me: Pid) -> bool {{\n        {rule}\n    }}",
            writes.join(", ")
        );
        if is_called("begin") {
            text.push_str("    #[allowed(begin)]\n    fn from_even(&self, me: Pid, seen: u64) -> bool {\n        seen % 2 == 0\n    }\n");
        }
        text.push_str("}\n");
    }
    let lower = if has_rules { "Rules" } else { "Low" };
    let (written, read) = (one_of(random, WRITTEN, usual), one_of(random, READ, usual));
    let _ = writeln!(
        text,
        "\n#[layer]\nimpl High for Words {{\n    #[op]\n    fn write(&mut self, me: Pid, a: u64, b: u64) {{\n        {written}\n    }}\n    #[op]\n    fn read(&mut self, me: Pid) -> (u64, u64) {{\n        {read}\n    }}\n}}\n\n#[implement(High, over = {lower}, by = movers)]\nimpl ByStamps {{\n    fn write(lo: &mut impl {lower}, a: u64, b: u64) {{\n        {writer}\n    }}\n    fn read(lo: &mut impl {lower}) -> (u64, u64) {{\n        {reader}\n    }}\n}}"
    );
    (text, vec!["ByStamps"])
}
