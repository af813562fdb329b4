//! Code lenses: above each declaration its verdicts, the state of the run, and the available actions.

use serde_json::json;
use tower_lsp_server::ls_types::*;

use super::{Spot, commands, is_about};
use crate::{
    mentions::{Mention, Role, Symbol},
    publish::verdicts,
    session::{Phase, Session},
    verdicts::Tally,
};

/// The lenses of a document.
pub fn lenses(session: &mut Session, uri: &Uri) -> Option<Vec<CodeLens>> {
    if !session.config.code_lenses {
        return None;
    }
    let spot = Spot::of_document(session, uri)?;
    let declared = spot.package.mentions().in_file(spot.number).filter(|it| it.role == Role::Declaration);
    Some(declared.flat_map(|it| of_declaration(session, &spot, it)).collect())
}

fn of_declaration(session: &Session, spot: &Spot, mention: &Mention) -> Vec<CodeLens> {
    let Some((_, range)) = spot.package.range(mention.span, spot.view.encoding) else { return Vec::new() };
    let Some(verdicts) = verdicts(session, &spot.package) else { return Vec::new() };
    let phase = session.state(&spot.package).map(|it| it.phase).unwrap_or_default();
    let program = spot.program();
    let tally = verdicts.tally(&|name| is_about(program, mention.symbol, name));
    let package = spot.package.facts.package.title.clone();
    let Some(title) = title(tally, phase, spot.package.facts.is_kept, is_whole(mention.symbol)) else {
        return Vec::new();
    };
    let lens = |title: String, command: &str, arguments: serde_json::Value| CodeLens {
        range,
        command: Some(Command { title, command: command.to_owned(), arguments: Some(vec![arguments]) }),
        data: None,
    };
    let mut lenses = vec![lens(title, commands::CHECK, json!({ "package": package }))];
    let refuted = verdicts.refuted(&|name| is_about(program, mention.symbol, name));
    if let Some(id) = refuted.filter(|_| !is_whole(mention.symbol)) {
        let arguments = json!({ "package": package, "obligation": id });
        lenses.push(lens("show counterexample".to_owned(), commands::COUNTEREXAMPLE, arguments));
    }
    if is_whole(mention.symbol) && (tally.checked > 0 || tally.undecided > 0) {
        lenses.push(lens("run at scope…".to_owned(), commands::RUN_AT_SCOPE, json!({ "package": package })));
    }
    lenses
}

/// Whether it is a layer, implementation, stack or client, and not a part of one.
fn is_whole(symbol: Symbol) -> bool {
    !matches!(symbol, Symbol::Operation(..) | Symbol::Procedure(..))
}

/// The verdicts and the state of the run in one line. `None` for a part without obligations.
fn title(tally: Tally, phase: Phase, broken: bool, whole: bool) -> Option<String> {
    let state = match phase {
        _ if broken => Some("stale: the brackets do not match".to_owned()),
        Phase::NotRun => Some("not run".to_owned()),
        Phase::Queued => Some("queued".to_owned()),
        Phase::Running(done, total) => Some(format!("running {done}/{total}")),
        Phase::Settled => None,
    };
    if tally.total() + tally.waiting == 0 {
        return None;
    }
    let stale = (tally.stale > 0 && !broken).then(|| format!("{} stale", tally.stale));
    // A part shows the state of the run only while it waits for it.
    let waits = whole || tally.stale + tally.waiting > 0;
    let parts: Vec<String> = [Some(tally.in_words()), stale, state.filter(|_| waits)].into_iter().flatten().collect();
    Some(parts.join(" · "))
}
