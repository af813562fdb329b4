//! Publishes findings as the protocol's diagnostics, file by file, and only when they have changed.
//!
//! Old findings stay until the engine has new ones. Shortly after an edit they are marked as old. The engine writes their texts.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    time::Instant,
};

use camino::Utf8PathBuf;
use cspec_analysis::{
    diagnostics::{self, Severity, codes},
    ir::Span,
    verdict::Verdict,
};
use serde_json::json;
use tower_lsp_server::ls_types::*;

use crate::{
    config::Mode,
    documents,
    server::Outgoing,
    session::Session,
    snapshot::{PackageView, View},
    verdicts::{Age, Verdicts},
};

/// Publishes findings, and remembers the published ones.
#[derive(Default)]
pub struct Publisher {
    published: HashMap<String, (Uri, Vec<Diagnostic>)>,
    /// Whether something may have changed.
    touched: bool,
    /// Whether old findings have been marked as stale.
    marked: bool,
    last: Option<Instant>,
}

impl Publisher {
    /// Records that something may have changed.
    pub fn touch(&mut self) {
        self.touched = true;
    }

    /// The time of the last publication, if there is something to publish again.
    pub fn due(&self) -> Option<Instant> {
        self.last.filter(|_| self.touched)
    }

    /// Publishes the findings that have changed.
    pub fn publish(&mut self, session: &Session, mark_stale: bool) {
        if !self.touched && self.marked == mark_stale {
            return;
        }
        self.touched = false;
        self.marked = mark_stale;
        self.last = Some(Instant::now());
        let mut found: BTreeMap<String, (Uri, Vec<Diagnostic>)> = BTreeMap::new();
        if session.config.diagnostics.enable {
            for package in &session.current_view().packages {
                for (uri, diagnostics) in of_package(session, package, mark_stale) {
                    found.entry(uri.as_str().to_owned()).or_insert_with(|| (uri, Vec::new())).1.extend(diagnostics);
                }
            }
        }
        if session.config.diagnostics.mode == Mode::Pull {
            // The client requests the findings of open documents, but not those of others.
            let is_open = |uri: &Uri| documents::path_of(uri).is_some_and(|it| session.documents.get(&it).is_some());
            found.retain(|_, (uri, _)| !is_open(uri));
            session.refresh_diagnostics();
        }
        let gone: Vec<String> = self.published.keys().filter(|it| !found.contains_key(*it)).cloned().collect();
        for (uri, _) in gone.iter().filter_map(|it| self.published.remove(it)) {
            send(session, uri, Vec::new());
        }
        for (name, (uri, diagnostics)) in found {
            if self.published.get(&name).is_none_or(|(_, before)| *before != diagnostics) {
                send(session, uri.clone(), diagnostics.clone());
                self.published.insert(name, (uri, diagnostics));
            }
        }
    }
}

fn send(session: &Session, uri: Uri, diagnostics: Vec<Diagnostic>) {
    let path = documents::path_of(&uri);
    let version = path.and_then(|it| session.documents.get(&it).map(|it| it.version));
    session.say(Outgoing::Publish(PublishDiagnosticsParams { uri, diagnostics, version }));
}

/// The findings of each file of a package, including files without findings, so that they are known to be fine.
pub fn of_package(session: &Session, package: &PackageView, mark_stale: bool) -> Vec<(Uri, Vec<Diagnostic>)> {
    let view = session.current_view();
    let mut by_file: Vec<(Uri, Vec<Diagnostic>)> =
        package.files.iter().map(|it| (it.uri.clone(), Vec::new())).collect();
    let converter = Converter { view, package, related: session.client.related };
    let mut add = |found: Option<(Uri, Diagnostic)>| {
        if let Some((uri, diagnostic)) = found
            && let Some((_, diagnostics)) = by_file.iter_mut().find(|(it, _)| *it == uri)
            && !diagnostics.contains(&diagnostic)
        {
            diagnostics.push(diagnostic);
        }
    };
    for found in &package.facts.diagnostics {
        add(converter.diagnostic(found, None, false));
    }
    let Some(state) = session.state(package) else { return by_file };
    let found = state.verdicts.iter().flat_map(|(id, entry, outcome)| {
        let is_old = mark_stale && entry.age == Age::Stale;
        outcome.diagnostics.iter().map(move |found| (found, (id, &outcome.verdict, is_old)))
    });
    for (cause, (id, verdict, is_old)) in diagnostics::causes(found) {
        add(converter.diagnostic(&cause, Some((id, verdict)), is_old));
    }
    by_file
}

struct Converter<'a> {
    view: &'a View,
    package: &'a PackageView,
    related: bool,
}

impl Converter<'_> {
    /// A finding as a diagnostic of the protocol.
    fn diagnostic(
        &self,
        found: &diagnostics::Diagnostic,
        about: Option<(&str, &Verdict)>,
        is_old: bool,
    ) -> Option<(Uri, Diagnostic)> {
        let (file, range) = self.package.range(found.span, self.view.encoding)?;
        let taken = transitions(found);
        let related = found.related.iter().chain(&taken).filter_map(|(span, text)| {
            let (file, range) = self.package.range(*span, self.view.encoding)?;
            let location = Location::new(file.uri.clone(), range);
            Some(DiagnosticRelatedInformation { location, message: text.clone() })
        });
        let related = self.related.then(|| related.collect::<Vec<_>>()).filter(|it| !it.is_empty());
        let data = about.map(|(id, verdict)| {
            json!({ "package": self.package.facts.package.title, "obligation": id, "verdict": verdict.name(), "stale": is_old })
        });
        let diagnostic = Diagnostic {
            range,
            severity: Some(match found.severity {
                Severity::Error => DiagnosticSeverity::ERROR,
                Severity::Warning => DiagnosticSeverity::WARNING,
            }),
            code: Some(NumberOrString::String(found.code.to_owned())),
            code_description: page(&self.package.facts.package.target_directory, found.code)
                .map(|href| CodeDescription { href }),
            source: Some("cspec".to_owned()),
            message: in_words(found, is_old),
            related_information: related,
            tags: (found.code == codes::CS1001).then(|| vec![DiagnosticTag::UNNECESSARY]),
            data,
        };
        Some((file.uri.clone(), diagnostic))
    }
}

/// The transitions that the steps of a counterexample take, each given by its last choice.
fn transitions(found: &diagnostics::Diagnostic) -> Vec<(Span, String)> {
    let steps = found.counterexample.iter().filter_map(|it| it.runs.first()).flat_map(|it| &it.steps);
    let taken = steps.filter_map(|step| {
        let place = step.choices.iter().rev().find_map(|it| it.place)?;
        Some((place, format!("the transition taken by {step}")))
    });
    taken.collect()
}

/// A finding as one text: the message, the counterexample, the help.
fn in_words(found: &diagnostics::Diagnostic, is_old: bool) -> String {
    let mut text = found.message.clone();
    if is_old {
        text.push_str(" (stale: found before the last edit)");
    }
    for note in found.paragraphs() {
        text.push('\n');
        text.push_str(&note);
    }
    if let Some(help) = &found.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    text
}

/// The page of a code, as a file in the target directory.
fn page(target_directory: &Utf8PathBuf, code: &str) -> Option<Uri> {
    let known = codes::explain(code)?;
    let folder = target_directory.join("cspec").join("explain");
    let path = folder.join(format!("{code}.md"));
    if std::fs::read_to_string(&path).ok().as_deref() != Some(known.page) {
        std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, known.page)).ok()?;
    }
    Uri::from_file_path(&path)
}

/// Answers a request for the findings of a document.
pub fn report(session: &mut Session, params: &DocumentDiagnosticParams) -> DocumentDiagnosticReportResult {
    let found = session.file(&params.text_document.uri);
    let package = found.map(|(package, _)| session.current_view().packages[package].clone());
    let diagnostics = package.and_then(|package| {
        let is_it = |(uri, _): &(Uri, Vec<Diagnostic>)| {
            documents::path_of(uri) == documents::path_of(&params.text_document.uri)
        };
        of_package(session, &package, true).into_iter().find(is_it)
    });
    let items = diagnostics.map(|(_, it)| it).unwrap_or_default();
    let result_id = result_id(&items);
    if params.previous_result_id.as_ref() == Some(&result_id) {
        let report = RelatedUnchangedDocumentDiagnosticReport {
            related_documents: None,
            unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport { result_id },
        };
        return DocumentDiagnosticReport::Unchanged(report).into();
    }
    let report = RelatedFullDocumentDiagnosticReport {
        related_documents: None,
        full_document_diagnostic_report: FullDocumentDiagnosticReport { result_id: Some(result_id), items },
    };
    DocumentDiagnosticReport::Full(report).into()
}

/// An id for findings: equal for equal findings.
fn result_id(items: &[Diagnostic]) -> String {
    let mut hasher = DefaultHasher::new();
    json!(items).to_string().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The verdicts of a package, if there are any.
pub fn verdicts<'s>(session: &'s Session, package: &PackageView) -> Option<&'s Verdicts> {
    session.state(package).map(|it| &it.verdicts)
}
