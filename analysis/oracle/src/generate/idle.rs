//! Procedures that rely on where their process has been left: by what is initial, by its procedures before, by operations that are passed on,
//! and by the others.
//!
//! Each case is a plot about one condition. A procedure `fox` is right only if the condition holds where it starts. A second procedure `gnu` does
//! exactly what the operation above says, and keeps the condition, or not. What is passed on and what is initial is random, and sometimes a
//! condition is stated, right or wrong.

use std::fmt::Write;

use fastrand::Rng;

/// Operations of the layer below: name, parameters after `me`, result, body.
type Operation = (&'static str, &'static str, &'static str, &'static str);

/// A condition, and what there is around it.
struct Plot {
    /// Types that the fields have.
    types: &'static str,
    /// Fields of the state.
    fields: &'static str,
    /// What the layer below has.
    operations: &'static [Operation],
    /// Procedures of `fox`, which returns an integer, each with what it does where the condition holds.
    first: &'static [(&'static str, &'static str)],
    /// Procedures of `gnu`, each with what it does everywhere.
    second: &'static [(&'static str, &'static str)],
    /// Conditions on initial states, the first of which is right.
    initial: &'static [&'static str],
    /// Conditions that may be stated, the first of which is right.
    stated: &'static [&'static str],
}

const LOAD: Operation = ("load", "", "u64", "self.n");
const STORE: Operation = ("store", ", to: u64", "()", "self.n = to;");

const TAG: &str = "\n#[scalar]\npub struct Tag(pub u64);\n";

const PLOTS: &[Plot] = &[
    // An entry of the own process is not there.
    Plot {
        types: "",
        fields: "pub n: u64, pub flag: bool, pub at: Map<Pid, u64>",
        operations: &[
            LOAD,
            STORE,
            ("begin", "", "()", "self.at.insert(me, 1);"),
            ("finish", "", "()", "self.at.remove(&me);"),
            ("busy", "", "bool", "self.at.contains(&me)"),
            ("call", ", who: Pid", "()", "if who != me { self.at.insert(who, 1); }"),
            ("flag", "", "bool", "self.flag"),
            ("turn", "", "()", "self.flag = !self.flag;"),
        ],
        first: &[
            ("if lo.busy() { return 9; } 0", "0"),
            ("if lo.busy() { return 9; } lo.load()", "self.n"),
            ("lo.begin(); let seen = lo.load(); lo.finish(); seen", "self.n"),
            ("if lo.busy() { lo.store(2); } lo.load()", "self.n"),
            ("lo.finish(); lo.load()", "self.n"),
            ("if lo.busy() { return 9; } lo.begin(); lo.load()", "self.at.insert(me, 1); self.n"),
        ],
        second: &[
            ("lo.begin(); lo.finish();", "self.at.remove(&me);"),
            ("lo.begin(); lo.store(1); lo.finish();", "self.n = 1; self.at.remove(&me);"),
            ("lo.begin();", "self.at.insert(me, 1);"),
            (
                "lo.begin(); if lo.flag() { return; } lo.finish();",
                "if self.flag { self.at.insert(me, 1); } else { self.at.remove(&me); }",
            ),
        ],
        initial: &["self.at.is_empty()", "!self.flag", "true"],
        stated: &["!self.at.contains(&me)", "self.at.is_empty()", "self.at.contains(&me)"],
    },
    // The own process is not in a component.
    Plot {
        types: "",
        fields: "pub n: u64, pub owner: Option<Pid>",
        operations: &[
            LOAD,
            STORE,
            ("enter", "", "()", "when(self.owner.is_none()); self.owner = Some(me);"),
            ("leave", "", "()", "if self.owner == Some(me) { self.owner = None; }"),
            ("mine", "", "bool", "self.owner == Some(me)"),
            ("hand", ", who: Pid", "()", "if who != me { self.owner = Some(who); }"),
        ],
        first: &[
            ("if lo.mine() { return 9; } 0", "0"),
            ("if lo.mine() { return 9; } lo.load()", "self.n"),
            ("if lo.mine() { lo.store(2); } lo.load()", "self.n"),
            ("lo.enter(); let seen = lo.load(); lo.leave(); seen", "when(self.owner.is_none()); self.n"),
            ("lo.leave(); lo.load()", "self.n"),
        ],
        second: &[
            ("lo.enter(); lo.leave();", "when(self.owner.is_none());"),
            ("lo.enter();", "when(self.owner.is_none()); self.owner = Some(me);"),
            ("lo.enter(); lo.store(1); lo.leave();", "when(self.owner.is_none()); self.n = 1;"),
            ("lo.leave();", "if self.owner == Some(me) { self.owner = None; }"),
        ],
        initial: &["self.owner.is_none()", "self.n == 0", "true"],
        stated: &["self.owner != Some(me)", "self.owner.is_none()", "self.owner == Some(me)"],
    },
    // One component is at most another.
    Plot {
        types: "",
        fields: "pub n: u64, pub m: u64",
        operations: &[
            LOAD,
            STORE,
            ("up", "", "()", "if self.n < self.m { self.n += 1; }"),
            ("grow", "", "()", "if self.m < 2 { self.m += 1; }"),
            ("over", "", "bool", "self.n > self.m"),
            ("put", ", to: u64", "()", "self.m = to;"),
            ("reset", "", "()", "self.n = 0;"),
        ],
        first: &[
            ("if lo.over() { return 9; } 0", "0"),
            ("if lo.over() { return 9; } lo.load()", "self.n"),
            ("if lo.over() { lo.store(0); } lo.load()", "self.n"),
            ("if lo.over() { return 9; } lo.up(); 0", "if self.n < self.m { self.n += 1; } 0"),
        ],
        second: &[
            ("lo.up();", "if self.n < self.m { self.n += 1; }"),
            ("lo.grow();", "if self.m < 2 { self.m += 1; }"),
            ("lo.put(0);", "self.m = 0;"),
            ("lo.reset();", "self.n = 0;"),
        ],
        initial: &["self.n == 0 && self.m == 0", "self.n <= self.m", "self.n == 0", "self.m == 0"],
        stated: &["self.n <= self.m", "self.n == 0", "self.n == self.m"],
    },
    // Two take part: a condition on one of them depends on who the process is.
    Plot {
        types: "",
        fields: "pub n: u64, pub a: Pid, pub b: Pid, pub in_a: bool, pub in_b: bool",
        operations: &[
            LOAD,
            STORE,
            ("come", "", "()", "if me == self.a { self.in_a = true; } if me == self.b { self.in_b = true; }"),
            ("go", "", "()", "if me == self.a { self.in_a = false; } if me == self.b { self.in_b = false; }"),
            ("inside", "", "bool", "me == self.a && self.in_a || me == self.b && self.in_b"),
            ("push", "", "()", "if me != self.a { self.in_a = true; }"),
        ],
        first: &[
            ("if lo.inside() { return 9; } 0", "0"),
            ("if lo.inside() { return 9; } lo.load()", "self.n"),
            ("if lo.inside() { lo.store(2); } lo.load()", "self.n"),
            ("lo.go(); lo.load()", "self.n"),
        ],
        second: &[
            ("lo.come(); lo.go();", "if me == self.a { self.in_a = false; } if me == self.b { self.in_b = false; }"),
            ("lo.come();", "if me == self.a { self.in_a = true; } if me == self.b { self.in_b = true; }"),
            ("lo.go();", "if me == self.a { self.in_a = false; } if me == self.b { self.in_b = false; }"),
        ],
        initial: &["self.a != self.b && !self.in_a && !self.in_b", "!self.in_a && !self.in_b", "!self.in_a", "true"],
        stated: &["!(me == self.a && self.in_a || me == self.b && self.in_b)", "!self.in_a", "self.in_a == self.in_b"],
    },
    // The own process is at rest, and procedures wait in loops: turns are left out, or made, and a lock is released and acquired again.
    Plot {
        types: "",
        fields: "pub n: u64, pub flag: bool, pub owner: Option<Pid>, pub at: Map<Pid, u64>",
        operations: &[
            LOAD,
            STORE,
            ("lock", "", "()", "when(self.owner.is_none()); self.owner = Some(me);"),
            ("unlock", "", "()", "when(self.owner == Some(me)); self.owner = None;"),
            ("begin", "", "()", "self.at.insert(me, 1);"),
            ("finish", "", "()", "self.at.remove(&me);"),
            ("busy", "", "bool", "self.at.contains(&me)"),
            ("call", ", who: Pid", "()", "if who != me { self.at.insert(who, 1); }"),
            ("flag", "", "bool", "self.flag"),
            ("turn", "", "()", "self.flag = !self.flag;"),
        ],
        first: &[
            (
                "lo.lock(); loop { if lo.flag() { let busy = lo.busy(); lo.unlock(); return if busy { 9 } else { 0 }; } \
                 lo.unlock(); lo.lock(); }",
                "when(self.owner.is_none() && self.flag); 0",
            ),
            ("lo.lock(); lo.unlock(); if lo.busy() { return 9; } lo.load()", "self.n"),
            ("while lo.flag() {} if lo.busy() { return 9; } lo.load()", "self.n"),
            (
                "let mut seen = lo.load(); while seen == 0 { seen = lo.load(); } if lo.busy() { return 9; } seen",
                "when(self.n != 0); self.n",
            ),
            ("lo.begin(); lo.lock(); lo.unlock(); lo.finish(); lo.load()", "self.n"),
            (
                "while lo.flag() {} lo.begin(); if lo.busy() { return 9; } lo.load()",
                "when(!self.flag); self.at.insert(me, 1); self.n",
            ),
        ],
        second: &[
            (
                "lo.lock(); loop { if lo.flag() { lo.unlock(); return; } lo.unlock(); lo.lock(); }",
                "when(self.owner.is_none() && self.flag);",
            ),
            (
                "lo.lock(); loop { if lo.flag() { lo.begin(); lo.unlock(); return; } lo.unlock(); lo.lock(); }",
                "when(self.owner.is_none() && self.flag); self.at.insert(me, 1);",
            ),
            (
                "lo.lock(); let mut again = false; \
                 loop { if lo.flag() { if again { lo.begin(); } lo.unlock(); return; } again = true; lo.unlock(); lo.lock(); }",
                "when(self.owner.is_none() && self.flag); if maybe() { self.at.insert(me, 1); }",
            ),
            ("lo.begin(); while lo.flag() {} lo.finish();", "when(!self.flag); self.at.remove(&me);"),
            ("lo.begin(); while lo.flag() {}", "when(!self.flag); self.at.insert(me, 1);"),
            ("while lo.flag() { lo.begin(); }", "when(!self.flag); if maybe() { self.at.insert(me, 1); }"),
        ],
        initial: &["self.at.is_empty() && self.owner.is_none()", "self.at.is_empty()", "self.owner.is_none()", "true"],
        stated: &["!self.at.contains(&me)", "self.at.is_empty()", "self.owner != Some(me)"],
    },
    // A component is a key of a collection.
    Plot {
        types: TAG,
        fields: "pub n: u64, pub tag: Tag, pub used: Set<Tag>",
        operations: &[
            LOAD,
            STORE,
            (
                "mint",
                "",
                "()",
                "let new: Tag = any(); when(!self.used.contains(&new)); self.used.insert(new.clone()); self.tag = new;",
            ),
            ("forget", "", "()", "let tag = self.tag.clone(); self.used.remove(&tag);"),
            ("recall", "", "()", "let tag = self.tag.clone(); self.used.insert(tag);"),
            ("put", ", to: Tag", "()", "self.tag = to;"),
            ("known", "", "bool", "self.used.contains(&self.tag)"),
            ("both", "", "(u64, Tag)", "(self.n, self.tag.clone())"),
            (
                "swap",
                ", seen: Tag, to: u64",
                "bool",
                "if self.tag != seen { return false; } let new: Tag = any(); when(!self.used.contains(&new)); \
                 self.used.insert(new.clone()); self.tag = new; self.n = to; true",
            ),
        ],
        first: &[
            ("if !lo.known() { return 9; } 0", "0"),
            ("if !lo.known() { return 9; } lo.load()", "self.n"),
            ("if !lo.known() { lo.store(2); } lo.load()", "self.n"),
            (
                "let (n, seen) = lo.both(); if lo.swap(seen, 1) { n } else { 9 }",
                "if maybe() { return 9; } let new: Tag = any(); when(!self.used.contains(&new)); \
                 self.used.insert(new.clone()); self.tag = new; let n = self.n; self.n = 1; n",
            ),
        ],
        second: &[
            (
                "lo.mint();",
                "let new: Tag = any(); when(!self.used.contains(&new)); self.used.insert(new.clone()); self.tag = new;",
            ),
            ("lo.forget();", "let tag = self.tag.clone(); self.used.remove(&tag);"),
            ("lo.forget(); lo.recall();", "let tag = self.tag.clone(); self.used.insert(tag);"),
            ("lo.recall();", "let tag = self.tag.clone(); self.used.insert(tag);"),
        ],
        initial: &["self.used.contains(&self.tag)", "!self.used.is_empty()", "self.n == 0", "true"],
        stated: &["self.used.contains(&self.tag)", "!self.used.is_empty()", "!self.used.contains(&self.tag)"],
    },
    // What is in a component is no key of a collection, or nothing is in it.
    Plot {
        types: TAG,
        fields: "pub n: u64, pub head: Option<Tag>, pub free: Set<Tag>",
        operations: &[
            LOAD,
            STORE,
            ("push", ", new: Tag", "()", "when(!self.free.contains(&new)); self.head = Some(new);"),
            ("pop", "", "()", "self.head = None;"),
            ("take", "", "()", "if let Some(it) = self.head.clone() { self.free.remove(&it); }"),
            ("put", ", it: Tag", "()", "self.free.insert(it);"),
            ("dangling", "", "bool", "self.head.as_ref().is_some_and(|it| self.free.contains(it))"),
            ("none", "", "bool", "self.head.is_none()"),
        ],
        first: &[
            ("if lo.dangling() { return 9; } 0", "0"),
            ("if lo.dangling() { return 9; } lo.load()", "self.n"),
            ("if lo.dangling() { lo.store(2); } lo.load()", "self.n"),
            ("if lo.dangling() { return 9; } if lo.none() { return 9; } 0", "0"),
            ("if lo.dangling() { return 9; } if !lo.none() { return 9; } 0", "0"),
        ],
        second: &[
            ("lo.pop();", "self.head = None;"),
            ("lo.take();", "if let Some(it) = self.head.clone() { self.free.remove(&it); }"),
            (
                "lo.take(); lo.pop();",
                "if let Some(it) = self.head.clone() { self.free.remove(&it); } self.head = None;",
            ),
        ],
        initial: &["self.free.is_empty()", "self.head.is_none()", "self.n == 0", "true"],
        stated: &[
            "self.head.as_ref().is_none_or(|it| !self.free.contains(it))",
            "self.head.is_none()",
            "self.free.is_empty()",
        ],
    },
];

/// `High` over `Low`, by movers.
pub fn idle(random: &mut Rng) -> (String, Vec<&'static str>) {
    let plot = &PLOTS[random.usize(..PLOTS.len())];
    let pick = |random: &mut Rng, all: &'static [(&'static str, &'static str)]| all[random.usize(..all.len())];
    let (fox, fox_above) = pick(random, plot.first);
    let (gnu, gnu_above) = pick(random, plot.second);
    let has_second = random.u8(..100) < 75;
    let gnu_below = if has_second { gnu } else { "" };
    let is_called = |name: &str| [fox, gnu_below].iter().any(|it| it.contains(&format!("lo.{name}(")));
    // What undoes the condition of another process is passed on more often.
    let mut is_passed =
        |name: &str| random.u8(..100) < if ["call", "hand", "push", "put"].contains(&name) { 50 } else { 20 };
    let passed: Vec<&str> = plot.operations.iter().map(|it| it.0).filter(|it| is_passed(it)).collect();
    let initial = match random.u8(..100) {
        0..60 => plot.initial[0],
        _ => plot.initial[random.usize(..plot.initial.len())],
    };
    let mut text = format!(
        "{}\n#[state]\npub struct Store {{ {} }}\n\n#[layer]\nimpl Low for Store {{\n",
        plot.types, plot.fields
    );
    let _ = writeln!(text, "    #[init]\n    fn init(&self) -> bool {{\n        {initial}\n    }}");
    if random.u8(..100) < 50 {
        // The first one is right most often.
        let choice = random.usize(..2 * plot.stated.len());
        let stated = plot.stated.get(choice).unwrap_or(&plot.stated[0]);
        let _ = writeln!(text, "    #[idle]\n    fn at_rest(&self, me: Pid) -> bool {{\n        {stated}\n    }}");
    }
    for (name, parameters, result, body) in plot.operations {
        if is_called(name) || passed.contains(name) {
            let _ = writeln!(
                text,
                "    #[op]\n    fn {name}(&mut self, me: Pid{parameters}) -> {result} {{\n        {body}\n    }}"
            );
        }
    }
    let inherited = [&["init"], passed.as_slice()].concat().join(", ");
    let pass = if passed.is_empty() { String::new() } else { format!(", pass({})", passed.join(", ")) };
    let _ = writeln!(text, "}}\n\n#[layer(inherit(Low: {inherited}))]\nimpl High for Store {{");
    let _ = writeln!(text, "    #[op]\n    fn fox(&mut self, me: Pid) -> u64 {{\n        {fox_above}\n    }}");
    if has_second {
        let _ = writeln!(text, "    #[op]\n    fn gnu(&mut self, me: Pid) {{\n        {gnu_above}\n    }}");
    }
    let _ = writeln!(text, "}}\n\n#[implement(High, over = Low, by = movers{pass})]\nimpl Together {{");
    let _ = writeln!(text, "    fn fox(lo: &mut impl Low) -> u64 {{\n        {fox}\n    }}");
    if has_second {
        let _ = writeln!(text, "    fn gnu(lo: &mut impl Low) {{\n        {gnu}\n    }}");
    }
    text.push_str("}\n");
    (text, vec!["Together"])
}
