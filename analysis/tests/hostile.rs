//! Texts that nobody would write: texts of the corpus with pieces removed, repeated, swapped and inserted at random; and texts that are
//! large, deep, or endless to explore. For each text the engine ends within its budget, does not panic, and reports errors with positions
//! in the text.
//!
//! `CSPEC_HOSTILE=100000` in the environment sets the number of texts. A text that is not handled is printed with its seed.

mod findings;
mod survives;

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use cspec_analysis::{diagnostics::Severity, verdict::Verdict};
use fastrand::Rng;
use survives::survives;

/// Words that occur in valid texts.
const WORDS: [&str; 32] = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    "&",
    "&mut ",
    "*",
    "!",
    "?",
    "..",
    "=>",
    "->",
    "::",
    ";",
    ",",
    "=",
    "self",
    "me",
    "any()",
    "maybe()",
    "when(true);",
    "99999999999999999999999",
    "u8",
    "Map",
    "loop {",
    "#[op]",
    "\u{202e}",
    "\r\n",
];

fn corpus() -> Vec<String> {
    fn collect(folder: &Path, texts: &mut Vec<String>) {
        let mut paths: Vec<_> =
            fs::read_dir(folder).expect("a folder").map(|it| it.expect("an entry").path()).collect();
        paths.sort();
        for path in paths {
            match path.is_dir() {
                true => collect(&path, texts),
                false => texts.push(fs::read_to_string(&path).expect("a text")),
            }
        }
    }
    let mut texts = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus"), &mut texts);
    texts
}

/// A random place in a text, between two characters.
fn place(text: &str, random: &mut Rng) -> usize {
    let mut at = random.usize(..=text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A random piece of a text, usually a few words long.
fn piece(text: &str, random: &mut Rng) -> std::ops::Range<usize> {
    let start = place(text, random);
    let length = if random.u8(..8) == 0 { text.len() } else { 40 };
    let mut end = (start + random.usize(..=length)).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    start..end.max(start)
}

fn change(text: &mut String, others: &[String], random: &mut Rng) {
    match random.u8(..8) {
        0 | 1 => text.replace_range(piece(text, random), ""),
        2 => {
            let doubled = text[piece(text, random)].to_owned();
            text.insert_str(place(text, random), &doubled);
        }
        3 => {
            let other = &others[random.usize(..others.len())];
            let piece = other[piece(other, random)].to_owned();
            text.insert_str(place(text, random), &piece);
        }
        4 => text.insert(place(text, random), random.char(..)),
        _ => text.insert_str(place(text, random), WORDS[random.usize(..WORDS.len())]),
    }
}

#[test]
fn random_changes_to_a_text_are_survived() {
    let cases = env::var("CSPEC_HOSTILE").ok().and_then(|it| it.parse().ok()).unwrap_or(400);
    let texts = corpus();
    for seed in 0..cases {
        let mut random = Rng::with_seed(seed);
        let mut text = texts[random.usize(..texts.len())].clone();
        for _ in 0..=random.usize(..4) {
            change(&mut text, &texts, &mut random);
        }
        let survived = catch_unwind(AssertUnwindSafe(|| drop(survives(&text, 20_000))));
        assert!(survived.is_ok(), "with seed {seed}:\n{text}");
    }
}

fn layer(fields: &str, operations: &str) -> String {
    format!("#[state]\npub struct S {{ {fields} }}\n#[layer]\nimpl L for S {{\n{operations}\n}}\n")
}

#[test]
fn thousands_of_operations_are_all_looked_at() {
    let operations: String =
        (0..3_000).map(|it| format!("    #[op]\n    fn f{it}(&mut self, me: Pid) {{ self.a = {it}; }}\n")).collect();
    let checked = survives(&layer("pub a: u64", &operations), 100_000);
    assert_eq!(checked.outcomes.len(), 3_000);
    assert!(checked.failed().next().is_none(), "{}", checked.in_words());
}

#[test]
fn more_choices_than_can_be_made_are_undecided() {
    let choices: String = (0..64).map(|it| format!("        if maybe() {{ self.a.insert({it}); }}\n")).collect();
    let text = layer("pub a: Set<u64>", &format!("    #[op]\n    fn f(&mut self, me: Pid) {{\n{choices}    }}"));
    let checked = survives(&text, 1_000_000);
    assert!(checked.outcomes.iter().all(|it| it.verdict == Verdict::Undecided), "{}", checked.in_words());
    assert!(checked.outcomes.iter().all(|it| it.diagnostics[0].code == "CS0901"), "{}", checked.in_words());
}

#[test]
fn numbers_that_are_too_large_are_refused() {
    for number in ["18446744073709551616", "9".repeat(400).as_str(), "0xffff_ffff_ffff_ffff_f", "1e400", "-1"] {
        let body = format!("    #[op]\n    fn f(&mut self, me: Pid) {{ self.a = {number}; }}");
        let checked = survives(&layer("pub a: u64", &body), 100_000);
        assert!(checked.diagnostics().any(|(it, _)| it.severity == Severity::Error), "{number}");
    }
}

#[test]
fn ten_megabytes_are_read_to_their_end() {
    let filler = "// All work and no play makes Jack a dull boy.\n".repeat(220_000);
    let body = "    #[op(right)]\n    fn f(&mut self, me: Pid) -> u64 { self.a = self.a.wrapping_add(1); self.a }";
    let checked = survives(&format!("{filler}{}", layer("pub a: u64", body)), 1_000_000);
    assert!(checked.failed().next().is_some(), "the end of the text is checked");
}

#[test]
fn a_chain_of_a_thousand_functions_is_followed() {
    let functions: String = (0..1_000).map(|it| format!("fn f{it}(n: bool) -> bool {{ f{}(n) }}\n", it + 1)).collect();
    let text = format!(
        "{functions}fn f1000(n: bool) -> bool {{ when(n); n }}\n{}",
        layer("pub a: bool", "    #[init]\n    fn init(&self) -> bool { f0(self.a) }")
    );
    let checked = survives(&text, 100_000);
    assert!(checked.diagnostics().any(|(it, _)| it.code == "CS0102"), "`when` in a condition, however far away");
}

#[test]
fn strings_that_double_with_each_line_do_not_fill_the_memory() {
    let lines: String =
        (1..=60).map(|it| format!("        let s{it} = format!(\"{{s{0}}}{{s{0}}}\");\n", it - 1)).collect();
    let body = format!("        let s0 = self.a.clone() + \"x\";\n{lines}        self.a = s60;\n");
    let text = layer("pub a: String", &format!("    #[op]\n    fn f(&mut self, me: Pid) {{\n{body}    }}"));
    let checked = survives(&text, 1_000_000);
    assert!(checked.diagnostics().any(|(it, _)| it.code == "CS0901"), "{}", checked.in_words());
}

#[test]
fn types_that_double_with_each_line_are_refused() {
    let lines = |line: &dyn Fn(usize) -> String| (1..=60).map(line).collect::<String>();
    let tuples = lines(&|it| format!("        let t{it} = (t{0}, t{0});\n", it - 1));
    let body = format!("        let t0 = self.a;\n{tuples}        self.a = t60 == t60;\n");
    let inferred = layer("pub a: bool", &format!("    #[op]\n    fn f(&mut self, me: Pid) {{\n{body}    }}"));
    let aliases = lines(&|it| format!("type T{it} = (T{0}, T{0});\n", it - 1));
    let maps = lines(&|it| format!("type T{it} = Map<T{0}, T{0}>;\n", it - 1));
    let structs = lines(&|it| format!("#[state]\npub struct T{it} {{ pub x: T{0}, pub y: T{0} }}\n", it - 1));
    let of = |first: &str, types: &str| {
        let operation = "    #[op]\n    fn f(&mut self, me: Pid) -> bool { self.t == self.t }";
        format!("{first}\n{types}{}", layer("pub t: T60", operation))
    };
    let first = "#[state]\npub struct T0 { pub x: bool }";
    for text in [inferred, of("type T0 = bool;", &aliases), of("type T0 = bool;", &maps), of(first, &structs)] {
        let checked = survives(&text, 1_000_000);
        assert!(checked.diagnostics().any(|(it, _)| it.message.contains("too many parts")), "{}", checked.in_words());
    }
}
