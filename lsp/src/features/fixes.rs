//! Quick fixes: the engine's edits that resolve findings.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use cspec_analysis::{
    diagnostics::{Applicability, Diagnostic as Finding, Fix},
    verdict::{ObligationName, Verdict},
};
use tower_lsp_server::ls_types::*;

use super::Spot;
use crate::{publish, run::without_search, session::Session, verdicts::Age};

/// How long an editor waits for fixes: those that are not tried by then are not offered. The results are kept for the next request.
const PATIENCE: Duration = Duration::from_secs(1);

/// A flag that is set after some time.
fn after(time: Duration) -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    thread::spawn(move || {
        thread::sleep(time);
        set.store(true, Ordering::Relaxed);
    });
    flag
}

/// The fixes for the findings in a range of a document.
pub fn actions(session: &mut Session, params: &CodeActionParams) -> Option<CodeActionResponse> {
    let spot = Spot::of_document(session, &params.text_document.uri)?;
    let shown: Vec<Diagnostic> = publish::of_package(session, &spot.package, false)
        .into_iter()
        .find(|(uri, _)| *uri == spot.file.uri)
        .map(|(_, it)| it)
        .unwrap_or_default();
    let verdicts = publish::verdicts(session, &spot.package)?;
    let is_refuted = |it: Verdict| matches!(it, Verdict::Violated | Verdict::NotShown);
    let violated = verdicts.iter().filter(|(_, it, outcome)| it.age == Age::Fresh && is_refuted(outcome.verdict));
    let refuting =
        violated.flat_map(|(_, entry, outcome)| outcome.diagnostics.iter().map(|it| (it, Some(&entry.name))));
    let in_source = spot.package.facts.diagnostics.iter().map(|it| (it, None));
    let is_here = |found: &Finding| {
        let place = spot.package.range(found.span, spot.view.encoding);
        place.is_some_and(|(file, range)| {
            file.uri == spot.file.uri && range.start <= params.range.end && params.range.start <= range.end
        })
    };
    let stop = after(PATIENCE);
    let mut actions: Vec<CodeAction> = Vec::new();
    for (found, about) in in_source.chain(refuting).filter(|(found, _)| is_here(found)) {
        for action in of_finding(session, &spot, (found, about), &shown, &stop) {
            if !actions.iter().any(|it| it.title == action.title) {
                actions.push(action);
            }
        }
    }
    Some(actions.into_iter().map(CodeActionOrCommand::CodeAction).collect())
}

/// The fixes for one finding. The best is preferred, which editors may apply without asking, unless it changes the specification.
fn of_finding(
    session: &Session,
    spot: &Spot,
    (found, about): (&Finding, Option<&ObligationName>),
    shown: &[Diagnostic],
    stop: &AtomicBool,
) -> Vec<CodeAction> {
    let options = without_search(&session.scope_of(&spot.package));
    let diagnostics: Vec<_> = shown.iter().filter(|it| it.message.starts_with(&found.message)).cloned().collect();
    let fixes = spot.view.engine.fixes(spot.index, &options, found, about, stop);
    let action = |(place, fix): (usize, &Fix)| {
        let (file, range) = spot.package.range(fix.span, spot.view.encoding)?;
        let edit = TextEdit::new(range, fix.replacement.clone());
        let changes = HashMap::from([(file.uri.clone(), vec![edit])]);
        Some(CodeAction {
            title: fix.title.clone(),
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: (!diagnostics.is_empty()).then(|| diagnostics.clone()),
            edit: Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }),
            is_preferred: Some(place == 0 && fix.applicability != Applicability::MaybeIncorrect),
            ..CodeAction::default()
        })
    };
    fixes.iter().enumerate().filter_map(action).collect()
}
