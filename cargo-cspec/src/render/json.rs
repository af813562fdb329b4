//! `check` for programs: JSON lines. The interface is described in `docs/json.md`.
//!
//! Diagnostics have the shape of rustc's inside cargo's `compiler-message`, so that editors that read cargo's output read this too.

use std::{
    io::{self, Write},
    time::Duration,
};

use cspec_analysis::{
    counterexample::Counterexample,
    diagnostics::{Diagnostic, Fix, WrongRun, codes},
    ir::Span,
    report::{PackageReport, SourceText},
    verdict::{Outcome, Scope},
    workspace::Package,
};
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::{
    Render, causes, excerpt,
    paint::Paint,
    place::Place,
    severity_name,
    summary::{Checked, Summary},
};

/// Renders the results of `check` as JSON lines.
pub struct Json<'a> {
    out: &'a mut dyn Write,
    /// The colours of the text in `rendered`.
    paint: Paint,
}

impl<'a> Json<'a> {
    /// Writes to `out`; `rendered` is coloured if requested.
    pub fn new(out: &'a mut dyn Write, colour: bool) -> Json<'a> {
        Json { out, paint: Paint(colour) }
    }
}

impl Render for Json<'_> {
    fn package(&mut self, checked: &Checked) -> io::Result<()> {
        let report = &checked.report;
        let origin = Origin::of(&checked.package);
        for found in &causes(report) {
            line(self.out, &CompilerMessage::new(&origin, &report.files, found, self.paint))?;
        }
        for ((outcome, took), cached) in report.outcomes.iter().zip(&checked.cached) {
            let obligation = Obligation { cached: *cached, ..Obligation::new(report, &checked.scope, outcome, *took) };
            line(self.out, &obligation)?;
        }
        self.out.flush()
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        line(self.out, &Finished::new(summary))
    }
}

/// Writes one object and ends the line.
pub fn line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}

/// The message for a bug in cspec: an editor takes a run without any message for a broken tool.
pub fn internal_error(told: &str) -> String {
    let origin =
        Origin { package_id: "cspec", manifest_path: "", name: "cspec", kind: "bin", src_path: "", edition: "2024" };
    let text = format!("internal error in cspec: {told}");
    let rendered = Some(format!("error: {text}\n"));
    let message = Message { rendered, ..Message::plain("error: internal compiler error", text) };
    let value = CompilerMessage { reason: "compiler-message", origin: origin.head(), target: origin.target(), message };
    serde_json::to_string(&value).unwrap_or_default()
}

/// The package and target of a message.
pub struct Origin<'a> {
    /// The cargo package id.
    pub package_id: &'a str,
    /// The path of the manifest.
    pub manifest_path: &'a str,
    /// The target's name, as in the manifest.
    pub name: &'a str,
    /// The target's kind, such as `lib` or `bin`.
    pub kind: &'a str,
    /// The target's root file.
    pub src_path: &'a str,
    pub edition: &'a str,
}

impl<'a> Origin<'a> {
    /// The target of a package that is read.
    pub fn of(package: &'a Package) -> Origin<'a> {
        let target = &package.target;
        Origin {
            package_id: &package.id,
            manifest_path: package.manifest_path.as_str(),
            name: &target.name,
            kind: target.kind.name(),
            src_path: target.root.as_str(),
            edition: &target.edition,
        }
    }

    fn head(&self) -> Head<'a> {
        Head { package_id: self.package_id, manifest_path: self.manifest_path }
    }

    fn target(&self) -> Target<'a> {
        Target {
            kind: [self.kind],
            crate_types: [self.kind],
            name: self.name,
            src_path: self.src_path,
            edition: self.edition,
            doc: true,
            doctest: self.kind == "lib",
            test: true,
        }
    }
}

/// `{"reason":"compiler-message",…}`, as cargo prints it.
#[derive(Serialize)]
pub struct CompilerMessage<'a> {
    reason: &'static str,
    #[serde(flatten)]
    origin: Head<'a>,
    target: Target<'a>,
    message: Message<'a>,
}

#[derive(Serialize)]
struct Head<'a> {
    package_id: &'a str,
    manifest_path: &'a str,
}

#[derive(Serialize)]
struct Target<'a> {
    kind: [&'a str; 1],
    crate_types: [&'a str; 1],
    name: &'a str,
    src_path: &'a str,
    edition: &'a str,
    doc: bool,
    doctest: bool,
    test: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    message: String,
    code: Option<MessageCode>,
    level: &'static str,
    spans: Vec<MessageSpan<'a>>,
    children: Vec<Message<'a>>,
    rendered: Option<String>,
}

#[derive(Serialize)]
struct MessageCode {
    code: String,
    explanation: Option<&'static str>,
}

#[derive(Serialize)]
struct MessageSpan<'a> {
    file_name: &'a str,
    byte_start: usize,
    byte_end: usize,
    line_start: usize,
    line_end: usize,
    column_start: usize,
    column_end: usize,
    is_primary: bool,
    text: Vec<SpanLine<'a>>,
    label: Option<&'a str>,
    suggested_replacement: Option<&'a str>,
    suggestion_applicability: Option<&'a str>,
    expansion: Option<()>,
}

#[derive(Serialize)]
struct SpanLine<'a> {
    text: &'a str,
    highlight_start: usize,
    highlight_end: usize,
}

impl<'a> CompilerMessage<'a> {
    /// The message for a diagnostic.
    pub fn new(
        origin: &Origin<'a>,
        files: &'a [SourceText],
        found: &'a Diagnostic,
        paint: Paint,
    ) -> CompilerMessage<'a> {
        let related = found.related.iter().filter_map(|(span, label)| MessageSpan::new(files, *span, false, label));
        let spans = MessageSpan::new(files, found.span, true, &found.label).into_iter().chain(related).collect();
        let notes = found.paragraphs().into_iter().map(|note| Message::plain("note", note));
        let help = found.help.iter().map(|help| Message::plain("help", help.clone()));
        let fixes = found.fixes.iter().map(|fix| Message::fix(files, fix));
        let message = Message {
            message: found.message.clone(),
            code: Some(MessageCode {
                code: format!("cspec::{}", found.code),
                explanation: codes::explain(found.code).map(|code| code.page),
            }),
            level: severity_name(found.severity),
            spans,
            children: notes.chain(help).chain(fixes).collect(),
            rendered: Some(excerpt::diagnostic(files, found, paint)),
        };
        CompilerMessage { reason: "compiler-message", origin: origin.head(), target: origin.target(), message }
    }
}

impl<'a> Message<'a> {
    /// A suggestion, in rustc's form.
    fn fix(files: &'a [SourceText], fix: &'a Fix) -> Message<'a> {
        let span = MessageSpan::new(files, fix.span, true, "").map(|it| MessageSpan {
            suggested_replacement: Some(&fix.replacement),
            suggestion_applicability: Some(fix.applicability.name()),
            ..it
        });
        Message { spans: span.into_iter().collect(), ..Message::plain("help", fix.title.clone()) }
    }

    /// A message without a place.
    fn plain(level: &'static str, message: String) -> Self {
        Message { message, code: None, level, spans: Vec::new(), children: Vec::new(), rendered: None }
    }
}

impl<'a> MessageSpan<'a> {
    fn new(files: &'a [SourceText], span: Span, is_primary: bool, label: &'a str) -> Option<MessageSpan<'a>> {
        let place = Place::find(files, span)?;
        let (start, end) = (place.start(), place.end());
        let lines = place.lines();
        let highlighted = |line: &super::place::TouchedLine<'a>| SpanLine {
            text: line.text,
            highlight_start: line.start,
            highlight_end: line.end,
        };
        Some(MessageSpan {
            file_name: place.path.as_str(),
            byte_start: place.bytes.start,
            byte_end: place.bytes.end,
            line_start: start.line,
            line_end: end.line,
            column_start: start.column,
            column_end: end.column,
            is_primary,
            text: lines.iter().map(highlighted).collect(),
            label: (!label.is_empty()).then_some(label),
            suggested_replacement: None,
            suggestion_applicability: None,
            expansion: None,
        })
    }
}

/// A line `{"reason":"cspec-obligation",…}`: the outcome of one obligation.
#[derive(Serialize)]
struct Obligation<'a> {
    reason: &'static str,
    package: &'a str,
    target: String,
    implementation: &'a str,
    pattern: &'static str,
    kind: &'static str,
    layer: &'a str,
    operation: &'a str,
    against: &'a str,
    verdict: &'static str,
    scope: ScopeObject<'a>,
    bounds_met: &'a [String],
    assumptions: Vec<&'static str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    at_start: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    at_calls: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    even_if: &'a [String],
    cases: u64,
    states: u64,
    millis: u64,
    cached: bool,
    span: LineSpan<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counterexample: Option<Counterexample<LineSpan<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrong_run: Option<WrongRun<LineSpan<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<&'a str>,
}

impl<'a> Obligation<'a> {
    fn new(report: &'a PackageReport, scope: &'a Scope, outcome: &'a Outcome, took: Duration) -> Obligation<'a> {
        let name = &outcome.name;
        Obligation {
            reason: "cspec-obligation",
            package: &report.package,
            target: report.target.to_string(),
            implementation: &name.implementation,
            pattern: name.pattern.name(),
            kind: name.kind,
            layer: &name.layer,
            operation: &name.operation,
            against: &name.against,
            verdict: outcome.verdict.name(),
            scope: ScopeObject(scope),
            bounds_met: &outcome.bounds_met,
            assumptions: outcome.assumptions.iter().map(|it| it.name()).collect(),
            at_start: &outcome.at_start,
            at_calls: &outcome.at_calls,
            even_if: &outcome.even_if,
            cases: outcome.cases,
            states: outcome.states,
            millis: millis(took),
            cached: false,
            span: LineSpan::new(&report.files, outcome.span),
            counterexample: counterexample(&report.files, outcome),
            wrong_run: wrong_run(&report.files, outcome),
            replay: outcome.diagnostics.iter().find_map(|it| it.replay.as_deref()),
        }
    }
}

/// The counterexample to an obligation; places are the start positions.
pub fn counterexample<'a>(files: &'a [SourceText], outcome: &Outcome) -> Option<Counterexample<LineSpan<'a>>> {
    let found = outcome.diagnostics.iter().find_map(|it| it.counterexample.as_ref())?;
    Some(found.at(|span| Some(LineSpan::new(files, *span))))
}

/// The wrong run that a search found, likewise.
fn wrong_run<'a>(files: &'a [SourceText], outcome: &Outcome) -> Option<WrongRun<LineSpan<'a>>> {
    let found = outcome.diagnostics.iter().find_map(|it| it.wrong_run.as_ref())?;
    Some(found.at(|span| Some(LineSpan::new(files, *span))))
}

/// A scope, with the names of the command line.
pub struct ScopeObject<'a>(pub &'a Scope);

impl Serialize for ScopeObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let scope = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Pid", &scope.pids)?;
        map.serialize_entry("entries", &scope.entries)?;
        map.serialize_entry("int", &scope.ints)?;
        map.serialize_entry("scalar", &scope.scalars_default)?;
        for (name, bound) in &scope.scalars {
            map.serialize_entry(name, bound)?;
        }
        map.serialize_entry("budget", &scope.budget)?;
        map.end()
    }
}

/// The start position of a span.
#[derive(Serialize)]
pub struct LineSpan<'a> {
    file: &'a str,
    line: usize,
    column: usize,
}

impl<'a> LineSpan<'a> {
    /// The position of the first character of `span`.
    pub fn new(files: &'a [SourceText], span: Span) -> LineSpan<'a> {
        Place::find(files, span).map_or(LineSpan { file: "", line: 1, column: 1 }, |place| {
            let start = place.start();
            LineSpan { file: place.path.as_str(), line: start.line, column: start.column }
        })
    }
}

/// A line `{"reason":"cspec-finished",…}`: the summary of the run.
#[derive(Serialize)]
struct Finished<'a> {
    reason: &'static str,
    success: bool,
    proved: usize,
    checked: usize,
    #[serde(skip_serializing_if = "is_none")]
    searched: usize,
    violated: usize,
    not_shown: usize,
    undecided: usize,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    not_checked: &'a [String],
    rustc: Option<&'static str>,
    millis: u64,
}

/// Whether a count is left out.
fn is_none(count: &usize) -> bool {
    *count == 0
}

impl<'a> Finished<'a> {
    fn new(summary: &'a Summary) -> Finished<'a> {
        Finished {
            reason: "cspec-finished",
            success: summary.status() == crate::exit::Status::Success,
            proved: summary.tally.proved,
            checked: summary.tally.checked,
            searched: summary.tally.searched,
            violated: summary.tally.violated,
            not_shown: summary.tally.not_shown,
            undecided: summary.tally.undecided,
            not_checked: &summary.unsettled,
            rustc: summary.rustc(),
            millis: millis(summary.elapsed),
        }
    }
}

/// A duration in whole milliseconds.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use cargo_metadata::{Message as CargoMessage, diagnostic::DiagnosticLevel};
    use expect_test::expect;

    use super::*;
    use crate::render::fixtures::{broken, failing, passing, rendered};

    fn json(packages: &[Checked]) -> String {
        rendered(packages, |out| Box::new(Json::new(out, false)))
    }

    /// The messages as read by the crate that rust-analyzer uses.
    fn as_cargo_reads(text: &str) -> Vec<cargo_metadata::CompilerMessage> {
        CargoMessage::parse_stream(text.as_bytes())
            .filter_map(|message| match message.expect("every line is read") {
                CargoMessage::CompilerMessage(message) => Some(message),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn cargo_metadata_reads_every_diagnostic() {
        let messages = as_cargo_reads(&json(&[failing(), passing(), broken()]));
        let seen: Vec<(DiagnosticLevel, String, usize)> = messages
            .iter()
            .map(|it| {
                (it.message.level, it.message.code.as_ref().expect("a code").code.clone(), it.message.spans.len())
            })
            .collect();
        let expected = [
            (DiagnosticLevel::Error, "cspec::CS0301".to_owned(), 4),
            (DiagnosticLevel::Error, "cspec::CS0901".to_owned(), 1),
            (DiagnosticLevel::Warning, "cspec::CS1001".to_owned(), 1),
            (DiagnosticLevel::Error, "cspec::CS0101".to_owned(), 1),
            (DiagnosticLevel::Error, "cspec::CS0001".to_owned(), 1),
            (DiagnosticLevel::Error, "cspec::CS0002".to_owned(), 0),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn spans_are_what_rustc_would_say() {
        let messages = as_cargo_reads(&json(&[failing()]));
        let written = &messages[0].message.spans[2];
        assert_eq!((written.line_start, written.column_start, written.column_end), (6, 22, 27));
        assert_eq!(written.text[0].text, "        self.value = größe;");
        let used = &messages[0].message.spans[3];
        assert_eq!((used.line_start, used.column_start, used.line_end, used.column_end), (4, 3, 4, 14));
        assert_eq!(used.text[0].text, "\t\tlo.write(1)");
        let body = &messages[1].message.spans[0];
        assert_eq!((body.line_start, body.line_end, body.text.len()), (3, 5, 3));
    }

    #[test]
    fn a_bug_of_ours_is_a_message_too() {
        let messages = as_cargo_reads(&internal_error("index out of bounds at a.rs:1:1"));
        assert_eq!(messages[0].message.level, DiagnosticLevel::Ice);
    }

    #[test]
    fn the_lines_of_a_passing_run() {
        let text: String = json(&[passing()])
            .lines()
            .filter(|line| !line.contains("compiler-message"))
            .fold(String::new(), |text, line| text + line + "\n");
        expect![[r#"
            {"reason":"cspec-obligation","package":"demo","target":"lib","implementation":"","pattern":"layer","kind":"no-panic","layer":"Lock","operation":"write","against":"","verdict":"proved","scope":{"Pid":3,"entries":2,"int":2,"scalar":2,"budget":200000000},"bounds_met":[],"assumptions":[],"cases":1,"states":3,"millis":0,"cached":false,"span":{"file":"demo/src/lock.rs","line":5,"column":8}}
            {"reason":"cspec-obligation","package":"demo","target":"lib","implementation":"","pattern":"layer","kind":"no-panic","layer":"Lock","operation":"read","against":"","verdict":"proved","scope":{"Pid":3,"entries":2,"int":2,"scalar":2,"budget":200000000},"bounds_met":[],"assumptions":[],"cases":2,"states":6,"millis":1,"cached":false,"span":{"file":"demo/src/lock.rs","line":5,"column":8}}
            {"reason":"cspec-obligation","package":"demo","target":"lib","implementation":"Count","pattern":"movers","kind":"right-mover","layer":"Lock","operation":"write","against":"read","verdict":"proved","scope":{"Pid":3,"entries":2,"int":2,"scalar":2,"budget":200000000},"bounds_met":[],"assumptions":[],"cases":12,"states":36,"millis":8,"cached":false,"span":{"file":"demo/src/lock.rs","line":5,"column":8}}
            {"reason":"cspec-obligation","package":"demo","target":"lib","implementation":"Count","pattern":"movers","kind":"atomic-spec","layer":"Lock","operation":"inc","against":"","verdict":"checked","scope":{"Pid":3,"entries":2,"int":2,"scalar":2,"budget":200000000},"bounds_met":["Pid ≤ 3","Seq ≤ 2 entries"],"assumptions":[],"cases":40,"states":120,"millis":28,"cached":false,"span":{"file":"demo/src/lock.rs","line":5,"column":8}}
            {"reason":"cspec-obligation","package":"demo","target":"lib","implementation":"Count","pattern":"protocol","kind":"follows","layer":"Lock","operation":"inc","against":"","verdict":"proved","scope":{"Pid":3,"entries":2,"int":2,"scalar":2,"budget":200000000},"bounds_met":[],"assumptions":[],"cases":5,"states":15,"millis":3,"cached":false,"span":{"file":"demo/src/lock.rs","line":5,"column":8}}
            {"reason":"cspec-finished","success":true,"proved":4,"checked":1,"violated":0,"not_shown":0,"undecided":0,"rustc":null,"millis":300}
        "#]].assert_eq(&text);
    }

    #[test]
    fn the_message_of_a_violation() {
        let text = json(&[failing()]);
        let message: serde_json::Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
        let mut message = message["message"].clone();
        message["code"]["explanation"] = serde_json::Value::Null;
        message["spans"].as_array_mut().expect("spans").truncate(1);
        expect![[r#"
            {
              "children": [
                {
                  "children": [],
                  "code": null,
                  "level": "note",
                  "message": "in the state  Locked { value: 0 }",
                  "rendered": null,
                  "spans": []
                },
                {
                  "children": [],
                  "code": null,
                  "level": "note",
                  "message": "possible      p1: write(1) → ()",
                  "rendered": null,
                  "spans": []
                },
                {
                  "children": [],
                  "code": null,
                  "level": "note",
                  "message": "then          p2: read() → 1",
                  "rendered": null,
                  "spans": []
                },
                {
                  "children": [],
                  "code": null,
                  "level": "note",
                  "message": "ending in     Locked { value: 1 }",
                  "rendered": null,
                  "spans": []
                },
                {
                  "children": [],
                  "code": null,
                  "level": "note",
                  "message": "in the state  Locked { value: 0 }",
                  "rendered": null,
                  "spans": []
                },
                {
                  "children": [],
                  "code": null,
                  "level": "note",
                  "message": "other order   p2: read() → 0, not 1",
                  "rendered": null,
                  "spans": []
                },
                {
                  "children": [],
                  "code": null,
                  "level": "note",
                  "message": "in the other order `read` cannot return 1",
                  "rendered": null,
                  "spans": []
                },
                {
                  "children": [],
                  "code": null,
                  "level": "help",
                  "message": "claim #[op(non)], or guard the operation with a lock",
                  "rendered": null,
                  "spans": []
                },
                {
                  "children": [],
                  "code": null,
                  "level": "help",
                  "message": "Correct the claim: change `right` to `non`",
                  "rendered": null,
                  "spans": [
                    {
                      "byte_end": 87,
                      "byte_start": 82,
                      "column_end": 15,
                      "column_start": 10,
                      "expansion": null,
                      "file_name": "demo/src/lock.rs",
                      "is_primary": true,
                      "label": null,
                      "line_end": 4,
                      "line_start": 4,
                      "suggested_replacement": "non",
                      "suggestion_applicability": "MachineApplicable",
                      "text": [
                        {
                          "highlight_end": 15,
                          "highlight_start": 10,
                          "text": "    #[op(right)]"
                        }
                      ]
                    }
                  ]
                }
              ],
              "code": {
                "code": "cspec::CS0301",
                "explanation": null
              },
              "level": "error",
              "message": "`Lock::write` is not a right mover: `Lock::read` sees what it wrote",
              "rendered": "error[CS0301]: `Lock::write` is not a right mover: `Lock::read` sees what it wrote\n    ╭─[ demo/src/lock.rs:4:10 ]\n    │\n  4 │     #[op(right)]\n    │          ┬────\n    │          ╰────── claimed here\n    │\n  6 │         self.value = größe;\n    │                      ┬────\n    │                      ╰────── the value written\n    │\n 10 │     fn read(&mut self, me: Pid) -> u64 {\n    │        ┬───\n    │        ╰───── does not commute with this\n    │\n    ├─[ demo/src/count.rs:4:3 ]\n    │\n  4 │        lo.write(1)\n    │        ┬──────────\n    │        ╰──────────── used as a right mover\n────╯\n\n  in the state  Locked { value: 0 }\n  possible      p1: write(1) → ()\n  then          p2: read() → 1\n  ending in     Locked { value: 1 }\n  in the state  Locked { value: 0 }\n  other order   p2: read() → 0, not 1\n  in the other order `read` cannot return 1\n\n  help: claim #[op(non)], or guard the operation with a lock\n  fix: Correct the claim: change `right` to `non` (applied by `--fix`)\n",
              "spans": [
                {
                  "byte_end": 87,
                  "byte_start": 82,
                  "column_end": 15,
                  "column_start": 10,
                  "expansion": null,
                  "file_name": "demo/src/lock.rs",
                  "is_primary": true,
                  "label": "claimed here",
                  "line_end": 4,
                  "line_start": 4,
                  "suggested_replacement": null,
                  "suggestion_applicability": null,
                  "text": [
                    {
                      "highlight_end": 15,
                      "highlight_start": 10,
                      "text": "    #[op(right)]"
                    }
                  ]
                }
              ]
            }"#]].assert_eq(&serde_json::to_string_pretty(&message).expect("it is JSON"));
    }
}
