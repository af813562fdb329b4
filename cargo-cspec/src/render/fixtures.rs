//! Hand-made reports for the tests of the renderers: multi-byte text, CRLF, spans over several lines and at the end of a file.

use std::{sync::Arc, time::Duration};

use cspec_analysis::{
    counterexample::{Counterexample, Datum, Mismatch, Run, RunRole, Step, StepEnd},
    diagnostics::{Applicability, Diagnostic, Fix, Severity, codes},
    ir::{Claim, Span},
    report::{
        ListedImplementation, ListedLayer, ListedOperation, ListedStack, Listing, Movers, PackageReport, SourceText,
    },
    verdict::{ObligationName, Outcome, Pattern, Scope, Verdict},
    workspace::{Package, Tables, Target},
};

use super::summary::Checked;

const LOCK: &str = "\
//! Ein Schloß – größer als 1 Byte.
#[layer]
impl Lock for Locked {
    #[op(right)]
    fn write(&mut self, me: Pid, größe: u64) {
        self.value = größe;
    }

    #[op]
    fn read(&mut self, me: Pid) -> u64 {
        self.value
    }
}
";

const CRLF: &str = "#[implement(Counter, over = Lock, by = movers)]\r\nimpl Count {\r\n\tfn inc(lo: &mut impl Lock) {\r\n\t\tlo.write(1)\r\n\t}\r\n}\r\nimpl";

/// The files: one with multi-byte text, one with CRLF, tabs and no line end at the end, one that could not be read.
pub fn files() -> Vec<SourceText> {
    let file = |path: &str, text: &str| SourceText { path: path.into(), text: text.to_owned() };
    vec![file("demo/src/lock.rs", LOCK), file("demo/src/count.rs", CRLF), file("demo/src/binary.rs", "")]
}

/// The span of the `nth` occurrence of `needle` in a file.
fn span(file: u32, needle: &str, nth: usize) -> Span {
    let text = &files()[file as usize].text;
    let start = text.match_indices(needle).nth(nth).expect("the needle is in the text").0 as u32;
    Span { file, start, end: start + needle.len() as u32 }
}

/// A violated claim, with every part that a diagnostic can have.
pub fn not_a_right_mover() -> Diagnostic {
    Diagnostic {
        label: "claimed here".to_owned(),
        related: vec![
            (span(0, "read", 0), "does not commute with this".to_owned()),
            (span(0, "größe", 2), "the value written".to_owned()),
            (span(1, "lo.write(1)", 0), "used as a right mover".to_owned()),
        ],
        counterexample: Some(two_orders()),
        help: Some("claim #[op(non)], or guard the operation with a lock".to_owned()),
        fixes: vec![Fix {
            title: "Correct the claim: change `right` to `non`".to_owned(),
            span: span(0, "right", 0),
            replacement: "non".to_owned(),
            applicability: Applicability::MachineApplicable,
        }],
        ..Diagnostic::error(
            codes::CS0301,
            span(0, "right", 0),
            "`Lock::write` is not a right mover: `Lock::read` sees what it wrote",
        )
    }
}

/// The counterexample to that claim.
pub fn two_orders() -> Counterexample {
    let state = |value| Datum::Struct("Locked".to_owned(), vec![("value".to_owned(), Datum::Int(value))]);
    let write = |after| Step {
        process: Some(Datum::Pid(1)),
        operation: "write".to_owned(),
        arguments: vec![Datum::Int(1)],
        end: StepEnd::Returns(Datum::Unit),
        against_rules: false,
        events: Vec::new(),
        choices: Vec::new(),
        after: Some(after),
        mismatch: None,
        place: Some(span(0, "write", 0)),
    };
    let read = |result, value, mismatch| Step {
        process: Some(Datum::Pid(2)),
        operation: "read".to_owned(),
        arguments: Vec::new(),
        end: StepEnd::Returns(Datum::Int(result)),
        mismatch,
        place: Some(span(0, "read", 0)),
        ..write(state(value))
    };
    let run = |role, steps| Run { role, layer: "Lock".to_owned(), from: state(0), steps };
    Counterexample {
        values: Vec::new(),
        runs: vec![
            run(RunRole::Possible, vec![write(state(1)), read(1, 1, None)]),
            run(RunRole::OtherOrder, vec![read(0, 0, Some(Mismatch::Result(Datum::Int(1))))]),
        ],
        conclusion: "in the other order `read` cannot return 1".to_owned(),
    }
}

/// The name of an obligation of `Count`.
fn name(pattern: Pattern, kind: &'static str, operation: &str, against: &str) -> ObligationName {
    ObligationName {
        implementation: "Count".to_owned(),
        pattern,
        kind,
        layer: "Lock".to_owned(),
        operation: operation.to_owned(),
        against: against.to_owned(),
    }
}

fn outcome(name: ObligationName, verdict: Verdict, cases: u64) -> (Outcome, Duration) {
    let bounds_met = if verdict == Verdict::Checked {
        vec!["Pid ≤ 3".to_owned(), "Seq ≤ 2 entries".to_owned()]
    } else {
        Vec::new()
    };
    let outcome = Outcome {
        name,
        verdict,
        bounds_met,
        assumptions: Vec::new(),
        at_start: Vec::new(),
        at_calls: Vec::new(),
        even_if: Vec::new(),
        past_decisive: false,
        cases,
        states: cases * 3,
        span: span(0, "write", 0),
        diagnostics: Vec::new(),
    };
    (outcome, Duration::from_micros(cases * 700))
}

fn of_layer(operation: &str) -> ObligationName {
    ObligationName { implementation: String::new(), ..name(Pattern::Layer, "no-panic", operation, "") }
}

/// The package of all fixtures.
pub fn package() -> Package {
    Package {
        name: "demo".to_owned(),
        id: "path+file:///work/demo#0.1.0".to_owned(),
        manifest_path: "/work/demo/Cargo.toml".into(),
        title: "demo".to_owned(),
        target: target(),
        left_out: Vec::new(),
        edition: "2021".to_owned(),
        workspace_root: "/work".into(),
        target_directory: "/work/target".into(),
        tables: Tables::default(),
        dependencies: Arc::default(),
        reading: Arc::default(),
    }
}

fn target() -> Target {
    Target { edition: "2021".to_owned(), ..Target::library("demo", "/work/demo/src/lib.rs".into()) }
}

fn report(diagnostics: Vec<Diagnostic>, outcomes: Vec<(Outcome, Duration)>) -> Checked {
    let report = PackageReport {
        package: "demo".to_owned(),
        title: "demo".to_owned(),
        package_id: "path+file:///work/demo#0.1.0".to_owned(),
        manifest_path: "/work/demo/Cargo.toml".into(),
        target: target(),
        files: files(),
        diagnostics,
        outcomes,
    };
    let planned = report.outcomes.len();
    let cached = vec![false; planned];
    Checked {
        package: package(),
        scope: Scope::default(),
        is_bare: false,
        report,
        cached,
        explored: planned,
        planned,
        unsettled: Vec::new(),
        elapsed: Duration::from_millis(270),
    }
}

/// Everything is proved or checked; one warning.
pub fn passing() -> Checked {
    let warning = Diagnostic {
        severity: Severity::Warning,
        ..Diagnostic::error(
            codes::CS1001,
            span(0, "read", 0),
            "`read` is never enabled: it has no transition in any state",
        )
    };
    let mut checked = outcome(name(Pattern::Movers, "atomic-spec", "inc", ""), Verdict::Checked, 40);
    checked.0.diagnostics.push(warning);
    report(
        Vec::new(),
        vec![
            outcome(of_layer("write"), Verdict::Proved, 1),
            outcome(of_layer("read"), Verdict::Proved, 2),
            outcome(name(Pattern::Movers, "right-mover", "write", "read"), Verdict::Proved, 12),
            checked,
            outcome(name(Pattern::Protocol, "follows", "inc", ""), Verdict::Proved, 5),
        ],
    )
}

/// One violated, one undecided, and the same diagnostic twice.
pub fn failing() -> Checked {
    let mut violated = outcome(name(Pattern::Movers, "right-mover", "write", "read"), Verdict::Violated, 12);
    violated.0.diagnostics.push(not_a_right_mover());
    let mut undecided = outcome(name(Pattern::Movers, "atomic-spec", "inc", ""), Verdict::Undecided, 4000);
    let body = Span { end: span(1, "\t}", 0).end, ..span(1, "fn inc", 0) };
    undecided.0.diagnostics.push(Diagnostic {
        notes: vec!["4000 cases were closed".to_owned()],
        ..Diagnostic::error(
            codes::CS0901,
            body,
            "whether `inc` does what `Counter::inc` allows is undecided: the budget ran out",
        )
    });
    let mut again = outcome(name(Pattern::Movers, "right-mover", "write", "write"), Verdict::Violated, 3);
    again.0.diagnostics.push(not_a_right_mover());
    report(Vec::new(), vec![outcome(of_layer("write"), Verdict::Proved, 1), violated, undecided, again])
}

/// Errors in the source: at the end of a file, in a file that could not be read, and in no file of the package.
pub fn broken() -> Checked {
    let end = files()[1].text.len() as u32;
    let at_end = Diagnostic {
        label: "the file ends here".to_owned(),
        ..Diagnostic::error(codes::CS0101, Span { file: 1, start: end, end }, "expected a type")
    };
    let unreadable = Diagnostic {
        help: Some("save the file as UTF-8".to_owned()),
        ..Diagnostic::error(codes::CS0001, Span { file: 2, start: 0, end: 0 }, "`demo/src/binary.rs` is not UTF-8")
    };
    let nowhere =
        Diagnostic::error(codes::CS0002, Span { file: 7, start: 0, end: 0 }, "package `demo` declares no layers");
    report(vec![at_end, unreadable, nowhere], Vec::new())
}

/// Two operations, one implementation, one stack.
pub fn listing() -> Listing {
    let moves = |right: bool, left: bool| Movers { right: Some(right), left: Some(left) };
    let operation = |name: &str, signature: &str, claim, inferred, row| ListedOperation {
        name: name.to_owned(),
        span: span(0, name, 0),
        signature: signature.to_owned(),
        claim,
        inferred,
        external: name == "print",
        row,
    };
    let undecided = Movers { right: None, left: Some(false) };
    let layer = ListedLayer {
        name: "Lock".to_owned(),
        span: span(0, "Lock", 0),
        protocol: Some("RawLock".to_owned()),
        operations: vec![
            operation(
                "write",
                "(value: u64)",
                Some(Claim::Right),
                moves(true, false),
                vec![moves(true, true), moves(true, false)],
            ),
            operation("read", "() -> u64", None, undecided, vec![undecided, moves(true, true)]),
        ],
    };
    Listing {
        package: "demo".to_owned(),
        title: "demo".to_owned(),
        files: files(),
        diagnostics: Vec::new(),
        layers: vec![layer],
        implementations: vec![ListedImplementation {
            name: "Count".to_owned(),
            span: span(1, "Count", 1),
            pattern: "movers",
            from: "Lock".to_owned(),
            to: "Counter".to_owned(),
        }],
        stacks: vec![ListedStack {
            name: "Whole".to_owned(),
            span: span(1, "impl", 1),
            implementations: vec!["Count".to_owned()],
            layers: vec!["Counter".to_owned(), "Lock".to_owned()],
        }],
    }
}

/// The output of a run over `packages` with the renderer that `make` builds, and its summary.
pub fn rendered(
    packages: &[Checked],
    make: impl for<'a> FnOnce(&'a mut dyn std::io::Write) -> Box<dyn super::Render + 'a>,
) -> String {
    let mut out = Vec::new();
    let mut renderer = make(&mut out);
    let mut summary = super::summary::Summary::default();
    for checked in packages {
        summary.add(checked);
        renderer.package(checked).expect("writing to memory succeeds");
    }
    summary.elapsed = Duration::from_millis(300);
    renderer.finish(&summary).expect("writing to memory succeeds");
    drop(renderer);
    String::from_utf8(out).expect("the output is UTF-8")
}
