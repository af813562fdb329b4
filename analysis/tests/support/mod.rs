//! Helpers of the lowering tests: annotated sources, and the text of lowered functions.

// Each test file is a crate of its own and uses only some of these functions.
#![allow(dead_code)]

use cspec_analysis::{
    db::lower_sources,
    diagnostics::Diagnostic,
    ir::{Program, dump},
};

/// One function of a program, by name, as text.
pub fn dumped(program: &Program, name: &str) -> String {
    let found = program.functions.iter().find(|it| it.name == name).expect("a function of that name");
    dump::function(program, found)
}

/// The beginning of every fixture: a state and a layer to refer to.
pub const HEADER: &str = "
#[scalar] pub struct Addr(u64);
#[state] pub struct State { pub count: u64, pub map: Map<u64, u64>, pub owner: Option<Pid>, pub queue: Seq<u64> }
#[layer] impl Base for State {
    #[op] fn get(&mut self, me: Pid) -> u64 { self.count }
    #[op] fn set(&mut self, me: Pid, value: u64) { self.count = value; }
}
";

/// Checks that the diagnostics of `fixture` are those annotated in it: `//^^^ CS0102 text` under the place, with a part of the message.
#[track_caller]
pub fn check(fixture: &str) {
    let text = format!("{HEADER}{fixture}");
    let lowered = lower_sources(&[("src/lib.rs", &text)]);
    let mut expected = annotations(&text);
    let mut unexpected = Vec::new();
    for diagnostic in &lowered.diagnostics {
        let place = line_and_column(&text, diagnostic.span.start);
        match expected.iter().position(|it| it.describes(diagnostic, place)) {
            Some(index) => drop(expected.remove(index)),
            None => unexpected.push(describe(&text, diagnostic)),
        }
    }
    assert!(unexpected.is_empty() && expected.is_empty(), "unexpected: {unexpected:#?}\nmissing: {expected:#?}");
}

/// Checks that an operation with this body has the diagnostics annotated in it.
#[track_caller]
pub fn check_body(body: &str) {
    check(&format!("#[layer] impl Tested for State {{\n#[op] fn run(&mut self, me: Pid) {{\n{body}\n}}\n}}\n"));
}

#[derive(Debug)]
struct Annotation {
    line: usize,
    column: usize,
    width: usize,
    code: String,
    message: String,
}

impl Annotation {
    fn describes(&self, diagnostic: &Diagnostic, (line, column): (usize, usize)) -> bool {
        let width = (diagnostic.span.end - diagnostic.span.start) as usize;
        (self.line, self.column, self.width) == (line, column, width)
            && self.code == diagnostic.code
            && diagnostic.message.contains(&self.message)
    }
}

fn annotations(text: &str) -> Vec<Annotation> {
    let mut annotations = Vec::new();
    let mut code_line = 0;
    for (number, line) in text.lines().enumerate() {
        let Some((before, rest)) = line.split_once("//").filter(|(_, rest)| rest.trim_start().starts_with('^')) else {
            code_line = number;
            continue;
        };
        let column = before.len() + 2 + rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        let width = rest.chars().take_while(|it| *it == '^').count();
        let (code, message) = rest[width..].trim().split_once(' ').unwrap_or((rest[width..].trim(), ""));
        let (code, message) = (code.to_owned(), message.to_owned());
        annotations.push(Annotation { line: code_line, column, width, code, message });
    }
    annotations
}

fn line_and_column(text: &str, offset: u32) -> (usize, usize) {
    let before = &text[..offset as usize];
    (before.matches('\n').count(), before.len() - before.rfind('\n').map_or(0, |it| it + 1))
}

fn describe(text: &str, diagnostic: &Diagnostic) -> String {
    let (line, column) = line_and_column(text, diagnostic.span.start);
    let source = text.lines().nth(line).unwrap_or_default();
    let carets = "^".repeat((diagnostic.span.end - diagnostic.span.start) as usize);
    format!(
        "{source}\n//{:column$}{carets} {} {}",
        "",
        diagnostic.code,
        diagnostic.message,
        column = column.saturating_sub(2)
    )
}
