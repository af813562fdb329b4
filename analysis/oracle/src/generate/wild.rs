//! Procedures of random form: calls, assignments, branches and loops in any order.
//!
//! The operation above is the procedure itself, with its calls made at once. So what the procedure does alone is always right, and whether it
//! is accepted depends only on what other processes may do between its calls: on the commit point, the movers, what is known, and the loops.
//! In some packages, what can fail may fail at any time above, in all procedures or in some. Some procedures are tries: what they take by an
//! operation that can fail they give back at their end.
//! Some procedures try something until they succeed, and leave traces of their own while they do. The operation above then allows one turn that
//! fails.
//! A result with three values may be the same to all procedures in two of them.

use std::fmt::Write;

use fastrand::Rng;

/// Operations of the layer below: name, parameters after `me`, result, body.
pub(super) type Operation = (&'static str, &'static str, &'static str, &'static str);

const OPERATIONS: &[Operation] = &[
    ("load", "", "u64", "self.n"),
    ("other", "", "u64", "self.m"),
    ("flag", "", "bool", "self.flag"),
    ("mine", "", "bool", "self.owner == Some(me)"),
    ("is_free", "", "bool", "self.owner.is_none()"),
    ("cas", ", from: u64, to: u64", "bool", "if self.n != from { return false; } self.n = to; true"),
    ("store", ", to: u64", "()", "self.n = to;"),
    ("put", ", to: u64", "()", "self.m = to;"),
    ("raise", "", "()", "self.flag = true;"),
    ("lower", "", "()", "self.flag = false;"),
    ("claim", "", "bool", "let free = !self.flag; self.flag = true; free"),
    ("lock", "", "()", "when(self.owner.is_none()); self.owner = Some(me);"),
    ("unlock", "", "()", "if self.owner == Some(me) { self.owner = None; }"),
    ("try_lock", "", "bool", "if self.owner.is_some() { return false; } self.owner = Some(me); true"),
    ("may_lock", "", "bool", "if maybe() { return false; } when(self.owner.is_none()); self.owner = Some(me); true"),
    ("guarded", "", "u64", "when(self.owner == Some(me)); self.n"),
    ("write", ", to: u64", "()", "when(self.owner == Some(me)); self.n = to;"),
    ("note", ", to: u64", "()", "self.notes.insert(me, to);"),
    (
        "bump",
        "",
        "()",
        "let noted = if self.notes.contains(&me) { self.notes[&me] } else { 0 }; if noted < 3 { self.notes.insert(me, noted + 1); }",
    ),
    ("noted", "", "u64", "if self.notes.contains(&me) { self.notes[&me] } else { 0 }"),
    ("tell", "", "()", "emit(self.n);"),
    ("join", "", "()", "self.notes.insert(me, 1);"),
    ("leave", "", "()", "self.notes.remove(&me);"),
    ("is_alone", "", "bool", "self.notes.is_empty()"),
    ("alone", "", "()", "when(self.notes.is_empty());"),
    ("try_join", "", "bool", "if self.flag { return false; } self.notes.insert(me, 1); true"),
    ("close", "", "bool", "if self.flag || !self.notes.is_empty() { return false; } self.flag = true; true"),
    ("begin", "", "bool", "if self.phase != 0 { return false; } self.phase = 1; true"),
    ("fill", ", to: u64", "()", "if self.phase == 1 { self.n = to; }"),
    ("finish", "", "()", "if self.phase == 1 { self.phase = 2; }"),
    ("is_done", "", "bool", "if self.phase == 2 { true } else { false }"),
    ("is_new", "", "bool", "self.phase == 0"),
    (
        "stage",
        "",
        "Stage",
        "if self.phase == 0 { Stage::New } else if self.phase == 1 { Stage::Begun } else { Stage::Done }",
    ),
    ("filled", "", "u64", "if self.phase == 2 { self.n } else { 0 }"),
    ("stamped", "", "u64", "self.stamp"),
    ("restamp", ", to: u64", "()", "self.stamp += 1; self.n = to;"),
    ("take", "", "bool", "if self.n == 0 { return false; } self.n = 0; true"),
    ("give", "", "()", "self.n = 1;"),
    ("take_other", "", "bool", "if self.m != 1 { return false; } self.m = 0; true"),
    ("give_other", "", "()", "self.m = 1;"),
    (
        "cas_stamp",
        ", seen: u64, to: u64",
        "bool",
        "if self.stamp != seen { return false; } self.stamp += 1; self.n = to; true",
    ),
];

/// Operations that take something if they can, and those that give it back.
const PAIRS: &[(&str, &str)] = &[
    ("try_lock", "unlock"),
    ("take", "give"),
    ("take_other", "give_other"),
    ("take", "give_other"),
    ("take_other", "give"),
    ("claim", "lower"),
    ("try_join", "leave"),
    ("begin", "finish"),
];

/// What a procedure does with the stage: it may be the same in two of three.
const STAGES: &[&str] = &[
    "p = @stage() == Stage::Done; ",
    "q = @stage() != Stage::New; ",
    "match @stage() { Stage::Done => p = true, Stage::New => p = false, Stage::Begun => p = false } ",
    "match @stage() { Stage::Done => p = true, Stage::New => q = true, Stage::Begun => {} } ",
    "match @stage() { Stage::Done => a = 1, Stage::New => a = 0, Stage::Begun => a = 0 } ",
    "match @stage() { Stage::Done => a = 1, Stage::New => q = false, Stage::Begun => q = true } ",
];

/// The most statements of a procedure.
const MOST_STATEMENTS: usize = 9;

struct Text<'r> {
    random: &'r mut Rng,
    /// `{lo.NAME(` stands for a call; it is written differently below and above.
    text: String,
    statements: usize,
    called: Vec<&'static str>,
    /// Calls that this procedure prefers.
    favoured: Vec<&'static Operation>,
}

impl Text<'_> {
    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.usize(..of.len())]
    }

    fn chance(&mut self, percent: u8) -> bool {
        self.random.u8(..100) < percent
    }

    fn number(&mut self) -> &'static str {
        self.pick(&["a", "b", "a", "b", "0", "1"])
    }

    fn condition(&mut self) -> &'static str {
        self.pick(&["p", "!p", "q", "!q", "a == 0", "a == b", "b != 0", "p && q"])
    }

    /// A call whose result has this type, if there is one among the favoured.
    fn call(&mut self, result: &str) -> Option<String> {
        let fitting: Vec<&Operation> = self.favoured.iter().copied().filter(|it| it.2 == result).collect();
        if fitting.is_empty() {
            return None;
        }
        let (name, parameters, ..) = *self.pick(&fitting);
        self.called.push(name);
        let arguments: Vec<&str> = parameters.matches(": ").map(|_| self.number()).collect();
        Some(format!("@{name}({})", arguments.join(", ")))
    }

    fn statement(&mut self, depth: usize, in_loop: bool) {
        if self.statements >= MOST_STATEMENTS {
            return;
        }
        self.statements += 1;
        let what = self.random.u8(..100);
        match what {
            0..24 => {
                let variable = self.pick(&["a", "b"]);
                let value = self.call("u64").unwrap_or_else(|| self.number().to_owned());
                let _ = write!(self.text, "{variable} = {value}; ");
            }
            24..44 => {
                let variable = self.pick(&["p", "q"]);
                let value = self.call("bool").unwrap_or_else(|| "false".to_owned());
                let _ = write!(self.text, "{variable} = {value}; ");
            }
            44..66 => {
                if let Some(call) = self.call("()") {
                    let _ = write!(self.text, "{call}; ");
                }
            }
            66..74 if self.favoured.iter().any(|it| it.2 == "Stage") => {
                let told_apart = self.pick(STAGES);
                self.called.push("stage");
                self.text.push_str(told_apart);
            }
            66..74 => {
                let assigned = self.pick(&["p = false; ", "q = false; ", "a = b; ", "p = !p; ", "b = 1; "]);
                self.text.push_str(assigned);
            }
            74..84 if in_loop => {
                let leave = self.pick(&["break;", "break;", "return a;", "return b;", "continue;"]);
                let condition = self.condition();
                let _ = write!(self.text, "if {condition} {{ {leave} }} ");
            }
            84..92 if depth > 0 => {
                let condition = self.condition();
                let _ = write!(self.text, "if {condition} {{ ");
                self.block(depth - 1, in_loop, 2);
                self.text.push_str("} ");
                if self.chance(50) {
                    self.text.push_str("else { ");
                    self.block(depth - 1, in_loop, 2);
                    self.text.push_str("} ");
                }
            }
            _ if depth > 0 && self.chance(70) => self.a_loop(depth),
            _ => {
                if self.chance(15) {
                    let (condition, result) = (self.condition(), self.number());
                    let _ = write!(self.text, "if {condition} {{ return {result}; }} ");
                }
            }
        }
    }

    fn a_loop(&mut self, depth: usize) {
        match self.call("bool") {
            Some(call) if self.chance(35) => {
                let not = self.pick(&["", "!"]);
                let _ = write!(self.text, "while {not}{call} {{ ");
                self.block(depth - 1, true, 2);
            }
            _ if self.chance(50) => {
                let condition = self.condition();
                let _ = write!(self.text, "while {condition} {{ ");
                self.block(depth - 1, true, 3);
            }
            _ => {
                self.text.push_str("loop { ");
                self.block(depth - 1, true, 3);
                let leave = self.pick(&["break;", "return a;", "return b;"]);
                let condition = self.condition();
                let _ = write!(self.text, "if {condition} {{ {leave} }} ");
                self.block(depth - 1, true, 2);
            }
        }
        self.text.push_str("} ");
    }

    fn block(&mut self, depth: usize, in_loop: bool, most: usize) {
        for _ in 0..self.random.usize(1..=most) {
            self.statement(depth, in_loop);
        }
    }
}

/// A procedure, and the operation that it implements.
struct Procedure {
    name: &'static str,
    body: String,
    /// Like the body, with calls that are made at once.
    above: String,
    result: &'static str,
}

/// A procedure of any form. Notes the operations that it calls.
fn procedure(
    name: &'static str,
    random: &mut Rng,
    favoured: &[&'static Operation],
    called: &mut Vec<&'static str>,
) -> Procedure {
    if random.u8(..100) < 25 {
        return trying(name, random, called);
    }
    let mut text = Text { random, text: String::new(), statements: 0, called: Vec::new(), favoured: favoured.to_vec() };
    text.block(2, false, 5);
    let result = text.number();
    called.append(&mut text.called);
    Procedure { name, above: text.text.clone(), body: text.text, result }
}

/// A procedure that tries something in each turn of a loop, and does some more.
fn trying(name: &'static str, random: &mut Rng, called: &mut Vec<&'static str>) -> Procedure {
    let mut some = |of: &[&str], most: usize| {
        let mut text = String::new();
        for _ in 0..random.usize(0..=most) {
            let it = of[random.usize(..of.len())];
            let condition = ["p", "!p", "a == 0", "a == b"][random.usize(..4)];
            let _ = match random.u8(..100) {
                0..15 => write!(text, "if {condition} {{ {it} }} "),
                _ => write!(text, "{it} "),
            };
        }
        text
    };
    let traces = ["@note(a);", "@note(b);", "@note(0);", "@bump();", "@bump();", "@join();", "@leave();"];
    let reads = ["a = @load();", "a = @noted();", "b = @other();", "p = @is_free();", "p = false;", "b = a;"];
    let tries = ["@cas(a, b)", "@cas(0, b)", "@try_lock()", "@may_lock()", "@claim()", "@try_join()"];
    let (first, read, trace) = (some(&traces, 1), some(&reads, 2), some(&traces, 2));
    let (failed, done) = (some(&traces, 1), some(&["@unlock();", "@note(a);", "@bump();"], 1));
    let tried = tries[random.usize(..tries.len())];
    let body = format!("{first}loop {{ {read}{trace}if {tried} {{ {done}return a; }} {failed}}} ");
    // What a turn that fails leaves behind may be allowed.
    let one_fails = match random.bool() {
        true => format!("if maybe() {{ {read}{trace}{failed}}} "),
        false => String::new(),
    };
    let above = format!("{first}{one_fails}{read}{trace}q = {tried}; when(q); {done}return a; ");
    called.extend(OPERATIONS.iter().map(|it| it.0).filter(|it| body.contains(&format!("@{it}("))));
    Procedure { name, body, above, result: "a" }
}

/// A procedure that takes one thing or two, if it can, and gives them back. Notes the operations that it calls.
fn tries(name: &'static str, random: &mut Rng, called: &mut Vec<&'static str>) -> Procedure {
    let favoured: Vec<&Operation> =
        OPERATIONS.iter().filter(|it| ["load", "other", "store", "put", "write", "guarded"].contains(&it.0)).collect();
    let mut text = Text { random, text: String::new(), statements: 0, called: Vec::new(), favoured };
    let (mut give_back, mut undo) = (String::new(), String::new());
    for _ in 0..text.pick(&[1, 1, 2]) {
        let (take, give) = text.pick(PAIRS);
        text.called.extend([take, give]);
        let _ = write!(text.text, "if !@{take}() {{ {undo}return 0; }} ");
        let _ = write!(give_back, "@{give}(); ");
        undo.clone_from(&give_back);
        if text.chance(40) {
            text.statement(0, false);
        }
    }
    text.text.push_str(&give_back);
    called.append(&mut text.called);
    let result = text.random.choice(["1", "a"]).unwrap_or("1");
    Procedure { name, above: text.text.clone(), body: text.text, result }
}

/// `High` over `Low`, implemented by movers.
pub fn wild(random: &mut Rng) -> (String, Vec<&'static str>) {
    let mut favoured: Vec<&Operation> = (0..random.usize(2..=5)).filter_map(|_| random.choice(OPERATIONS)).collect();
    // A lock, or a stamp, is of use only with the rest.
    let named = |name: &str| OPERATIONS.iter().find(|it| it.0 == name);
    for (part, rest) in [
        ("lock", ["lock", "unlock", "guarded"]),
        ("stamp", ["load", "stamped", "cas_stamp"]),
        ("close", ["alone", "lower", "try_join"]),
        ("begin", ["finish", "is_done", "filled"]),
        ("finish", ["begin", "is_done", "is_new"]),
        ("stage", ["begin", "finish", "fill"]),
    ] {
        if favoured.iter().any(|it| it.0.contains(part)) {
            favoured.extend(rest.into_iter().filter_map(named));
        }
    }
    let mut called = Vec::new();
    let has_tries = random.u8(..100) < 30;
    let mut written = |name, random: &mut Rng| match has_tries {
        true => tries(name, random, &mut called),
        false => procedure(name, random, &favoured, &mut called),
    };
    let mut procedures = vec![written("fox", random)];
    if random.u8(..100) < if has_tries { 80 } else { 40 } {
        procedures.push(written("hen", random));
    }
    let mut passed: Vec<&str> =
        (0..random.usize(0..=3)).filter_map(|_| random.choice(OPERATIONS)).map(|it| it.0).collect();
    // Those that can interfere with what was read.
    if random.u8(..100) < 50 {
        passed.extend(random.choice(&["store", "put", "raise", "lower", "unlock", "restamp"]));
    }
    // What a procedure leaves behind can be seen.
    if called.iter().any(|it| ["bump", "note", "join", "leave"].contains(it)) && random.bool() {
        passed.push("noted");
    }
    // What is passed on cannot fail at any time.
    if has_tries && random.u8(..100) < 80 {
        passed.retain(|name| OPERATIONS.iter().any(|it| it.0 == *name && it.2 != "bool"));
    }
    passed.sort_unstable();
    passed.dedup();
    let below: Vec<&Operation> =
        OPERATIONS.iter().filter(|it| called.contains(&it.0) || passed.contains(&it.0)).collect();
    let mut text = String::from(
        "\n#[state]\npub enum Stage { New, Begun, Done }\n\n#[state]\npub struct Store {\n    pub n: u64,\n    pub m: u64,\n    pub stamp: u64,\n    pub phase: u64,\n    pub flag: bool,\n    pub owner: Option<Pid>,\n    pub notes: Map<Pid, u64>,\n}\n\nimpl Store {\n",
    );
    let fails_above = random.u8(..100) < if has_tries { 70 } else { 35 };
    text.push_str(&at_once(&below, fails_above));
    text.push_str("}\n\n#[layer]\nimpl Low for Store {\n");
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
    let variables = "let (mut a, mut b, mut p, mut q) = (from, 1, when_to, true);";
    let _ = writeln!(text, "}}\n\n#[layer{inherits}]\nimpl High for Store {{");
    for Procedure { name, above, result, .. } in &procedures {
        let suffix = if fails_above && random.u8(..100) < 80 { "above" } else { "now" };
        let at_once = made(above, Some(suffix));
        let _ = writeln!(
            text,
            "    #[op]\n    fn {name}(&mut self, me: Pid, from: u64, when_to: bool) -> u64 {{\n        {variables} {at_once}{result}\n    }}"
        );
    }
    let _ = writeln!(text, "}}\n\n#[implement(High, over = Low, by = movers{passes})]\nimpl Together {{");
    for Procedure { name, body, result, .. } in &procedures {
        let calls = made(body, None);
        // The procedure itself, or a helper that it calls.
        let helper = (random.u8(..100) < 30).then(|| format!("{name}_part"));
        if let Some(helper) = &helper {
            let _ = writeln!(
                text,
                "    fn {name}(lo: &mut impl Low, from: u64, when_to: bool) -> u64 {{\n        let it = Self::{helper}(lo, from, when_to);\n        it\n    }}"
            );
        }
        let _ = writeln!(
            text,
            "    fn {}(lo: &mut impl Low, from: u64, when_to: bool) -> u64 {{\n        {variables} {calls}{result}\n    }}",
            helper.as_deref().unwrap_or(name)
        );
    }
    text.push('}');
    (text, vec!["Together"])
}

/// The operations as functions, and, if they may fail at any time above, those that the operations above call.
pub(super) fn at_once(operations: &[&Operation], fails_above: bool) -> String {
    let mut text = String::new();
    for (name, parameters, result, body) in operations {
        let _ =
            writeln!(text, "    fn {name}_now(&mut self, me: Pid{parameters}) -> {result} {{\n        {body}\n    }}");
        if fails_above {
            let fails = if *result == "bool" { "if maybe() { return false; } " } else { "" };
            let given = given(parameters);
            let _ = writeln!(
                text,
                "    fn {name}_above(&mut self, me: Pid{parameters}) -> {result} {{\n        {fails}self.{name}_now(me{given})\n    }}"
            );
        }
    }
    text
}

/// The parameters as arguments.
pub(super) fn given(parameters: &str) -> String {
    parameters.split(", ").filter_map(|it| it.split_once(':')).map(|it| format!(", {}", it.0)).collect()
}

/// The procedure with its calls: of the layer below, or made at once by functions with this suffix.
pub(super) fn made(procedure: &str, at_once: Option<&str>) -> String {
    let mut pieces = procedure.split('@');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('(').unwrap_or((piece, ""));
        match at_once {
            None => {
                let _ = write!(text, "lo.{name}({rest}");
            }
            Some(suffix) => {
                let comma = if rest.starts_with(')') { "" } else { ", " };
                let _ = write!(text, "self.{name}_{suffix}(me{comma}{rest}");
            }
        }
    }
    text
}
