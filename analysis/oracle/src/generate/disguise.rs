//! Disguises: the same program as another text, with code that is not compiled, conditional attributes, and unused macros and functions
//! that shadow others.
//!
//! It relies on the layout of this module's texts: an item begins in the first column, a member after four blanks, and each attribute is on
//! a line of its own.

use fastrand::Rng;

/// Conditions that are false if no option is set.
const FALSE: [&str; 6] =
    ["any()", "not(all())", "test", "feature = \"fast\"", "all(any(), all())", "not(any(not(windows), unix))"];
/// Conditions that are true if no option is set.
const TRUE: [&str; 5] = ["all()", "not(any())", "not(test)", "any(feature = \"fast\", not(unix))", "true"];

/// Macros and functions that shadow others, placed after all uses of those, or in a module of their own.
const HIDERS: [&str; 4] = [
    "macro_rules! assert { ($($it:tt)*) => { loop {} } }\n",
    "mod aside {\n    macro_rules! matches { ($($it:tt)*) => { true } }\n    pub fn when(_: bool) {}\n    pub struct Map;\n}\n",
    "fn unused() {\n    macro_rules! assert_eq { ($($it:tt)*) => {} }\n    fn maybe() -> bool { false }\n}\n",
    "macro_rules! make { () => { fn unused() {} } }\n",
];

/// The program of a source as another text.
pub fn disguised(source: &str, random: &mut Rng) -> String {
    let mut text = String::new();
    if random.bool() {
        text.push_str(&format!(
            "#[cfg({})]\nmacro_rules! matches {{ ($($it:tt)*) => {{ false }} }}\n",
            one(random, &FALSE)
        ));
    }
    for line in source.lines() {
        before(line, random, &mut text);
        text.push_str(&line_of(line, random));
        text.push('\n');
        if line.starts_with("    fn ") && line.ends_with('{') {
            in_body(random, &mut text);
        }
    }
    HIDERS.iter().filter(|_| random.bool()).for_each(|it| text.push_str(it));
    text
}

fn one<'t>(random: &mut Rng, of: &[&'t str]) -> &'t str {
    of[random.usize(..of.len())]
}

/// Code that is not compiled, in front of a line.
fn before(line: &str, random: &mut Rng, text: &mut String) {
    if random.u32(..3) > 0 {
        return;
    }
    let condition = one(random, &FALSE);
    let left_out = if line == "#[state]" {
        "#[state]\npub struct Missing {\n    pub odd: Nothing,\n}\n".to_owned()
    } else if line == "    #[op]" {
        "    #[op]\n    fn ant(&mut self, me: Nobody) -> Nothing {\n        self.missing()\n    }\n".to_owned()
    } else if let Some((name, _)) = line.strip_prefix("    pub ").and_then(|it| it.split_once(": ")) {
        format!("    pub {name}: Nothing,\n")
    } else {
        return;
    };
    let indent = &left_out[..left_out.len() - left_out.trim_start().len()];
    text.push_str(&format!("{indent}#[cfg({condition})]\n{left_out}"));
}

/// The line, with its attribute or its field under a condition that is true.
fn line_of(line: &str, random: &mut Rng) -> String {
    let condition = one(random, &TRUE);
    let indent = &line[..line.len() - line.trim_start().len()];
    let attribute = line.trim().strip_prefix("#[").and_then(|it| it.strip_suffix(']'));
    match attribute {
        Some(attribute) if random.bool() => format!("{indent}#[cfg_attr({condition}, {attribute})]"),
        None if line.starts_with("    pub ") && random.bool() => format!("{indent}#[cfg({condition})] {}", line.trim()),
        _ => line.to_owned(),
    }
}

/// Statements that are not compiled, and one that is and does nothing.
fn in_body(random: &mut Rng, text: &mut String) {
    const STATEMENTS: [&str; 5] =
        ["self.missing();", "return nothing;", "{ loop {} }", "let me = me + 1;", "unknown!(me);"];
    for _ in 0..random.u32(..3) {
        text.push_str(&format!("        #[cfg({})]\n        {}\n", one(random, &FALSE), one(random, &STATEMENTS)));
    }
}
