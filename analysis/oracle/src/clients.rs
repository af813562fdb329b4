//! Clients of random packages, searched end to end by the engine. It must not refuse a package whose obligations all hold, and it must warn
//! about a client that shows nothing.

use std::{fmt::Write, sync::atomic::AtomicBool};

use cspec_analysis::{
    db::lower_sources,
    diagnostics::codes,
    ir::{LayerId, Program, Type},
    report::{Options, Progress, check_program},
    verdict::{Outcome, Scope, Verdict},
};
use fastrand::Rng;

use crate::generate::Case;

struct Quiet;

impl Progress for Quiet {
    fn planned(&self, _: usize) {}
    fn finished(&self, _: &Outcome) {}
}

/// The budget of the search in steps. If it runs out, the case is undecided and not compared.
const BUDGET: u64 = 300_000;

/// What is wrong with the engine's answer for a random client of an accepted case, if anything.
pub fn wrong_answer(program: &Program, case: &Case, top: LayerId, random: &mut Rng) -> Option<String> {
    let source = with_client(program, case, top, random)?;
    let lowered = lower_sources(&[("src/lib.rs", &source)]);
    let options =
        Options { scope: Scope { budget: BUDGET, ..Scope::default() }, end_to_end: true, ..Options::default() };
    let outcomes = check_program(&lowered, &options, &Quiet, &AtomicBool::new(false));
    // Failures of calls are compared by the end-to-end search, too.
    let shows_nothing = !case.source.contains("emit(") && !case.source.contains("assert!(");
    for (outcome, _) in &outcomes {
        let has = |code| outcome.diagnostics.iter().any(|it| it.code == code);
        if has(codes::CS0801) {
            return Some(format!("every obligation holds, but end to end a trace is new:\n{source}"));
        }
        let holds = matches!(outcome.verdict, Verdict::Proved | Verdict::Checked);
        if holds && shows_nothing && outcome.diagnostics.is_empty() {
            return Some(format!("a client that shows nothing passes without a word:\n{source}"));
        }
    }
    None
}

/// The case with a stack and a client of a few calls, none of whose results is shown.
fn with_client(program: &Program, case: &Case, top: LayerId, random: &mut Rng) -> Option<String> {
    let operations = &program.layers[top.0 as usize].operations;
    let mut calls = String::new();
    for _ in 0..1 + random.usize(..2) {
        let operation = random.choice(operations)?;
        let function = &program.functions[operation.function.0 as usize];
        let types = function.locals[2..function.parameters as usize].iter().map(|it| &it.ty);
        let arguments: Option<Vec<String>> = types.map(|ty| constant(ty, random)).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(calls, "    top.{}({});", operation.name, arguments?.join(", "));
    }
    let stack = case.tower.iter().rev().fold("L".to_owned(), |inner, it| format!("{it}<{inner}>"));
    let name = &program.layers[top.0 as usize].name;
    Some(format!(
        "{}\n#[stack]\npub type Whole<L> = {stack};\n\n#[client(Whole, processes(2))]\nfn client(process: u64, top: &mut impl {name}) {{\n{calls}}}\n",
        case.source
    ))
}

/// A constant of a type that the generator gives to arguments.
fn constant(ty: &Type, random: &mut Rng) -> Option<String> {
    match ty {
        Type::Bool => Some(random.bool().to_string()),
        Type::Int { .. } => Some(random.u8(..3).to_string()),
        Type::User(_) => Some("TOK".to_owned()),
        _ => None,
    }
}
