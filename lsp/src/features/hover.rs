//! Hover: an operation's row of the commutativity matrix and its verdicts; in a procedure, the phase of a call.

use std::{collections::BTreeSet, fmt::Write as _};

use cspec_analysis::{
    ir::{Claim, LayerId},
    report::{Movers, signature},
    verdict::Verdict,
};
use tower_lsp_server::ls_types::{Hover, HoverContents, MarkupContent, MarkupKind, TextDocumentPositionParams};

use super::{Spot, container_of, is_about, mover_of, name_of, phases};
use crate::{
    mentions::{Mention, Role, Symbol},
    publish::verdicts,
    session::{Phase, Session},
};

/// The hover text at a position.
pub fn hover(session: &mut Session, at: &TextDocumentPositionParams) -> Option<Hover> {
    let spot = Spot::of_position(session, at)?;
    let mention = spot.mention()?;
    let mut text = String::new();
    heading(&spot, mention, &mut text);
    if mention.role == Role::Call
        && let Some(phase) = phases::of_package(session, &spot).iter().find(|it| it.span == mention.span)
    {
        let _ = writeln!(text, "\n{}", phase.explanation());
    }
    if let Symbol::Operation(layer, operation) = mention.symbol {
        movers(session, &spot, layer, operation, &mut text);
    }
    summary(session, &spot, mention.symbol, &mut text);
    let range = spot.package.range(mention.span, spot.view.encoding).map(|(_, range)| range);
    Some(Hover { contents: HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: text }), range })
}

/// The first line: what the symbol is.
fn heading(spot: &Spot, mention: Mention, text: &mut String) {
    let program = spot.program();
    let name = name_of(program, mention.symbol);
    let line = match mention.symbol {
        Symbol::Layer(id) => {
            let layer = &program.layers[id.0 as usize];
            let over = program.type_name(&layer.state);
            let protocol = layer.protocol.as_ref().map(|it| &program.layers[it.raw.0 as usize].name);
            let restricts = protocol.map(|it| format!(", the protocol of `{it}`")).unwrap_or_default();
            format!("layer **`{name}`** over `{over}`{restricts}: {} operations", layer.operations.len())
        }
        Symbol::Operation(layer, at) => {
            let layer = &program.layers[layer.0 as usize];
            let operation = &layer.operations[at];
            let inherited = &program.layers[operation.declared_in.0 as usize].name;
            let from = if *inherited == layer.name { String::new() } else { format!(", declared in `{inherited}`") };
            let external = if operation.external { "external " } else { "" };
            format!("{external}operation **`{name}{}`** of layer `{}`{from}", signature(program, operation), layer.name)
        }
        Symbol::Implementation(id) => {
            let it = &program.implementations[id.0 as usize];
            let layer = |id: LayerId| &program.layers[id.0 as usize].name;
            format!("**`{name}`** implements `{}` over `{}` by {}", layer(it.upper), layer(it.lower), it.by.name())
        }
        Symbol::Procedure(id, at) => {
            let upper = &program.layers[program.implementations[id.0 as usize].upper.0 as usize];
            let signature = signature(program, &upper.operations[at]);
            let owner = container_of(program, mention.symbol).unwrap_or_default();
            format!("procedure **`{name}{signature}`** of `{owner}`, which implements `{}::{name}`", upper.name)
        }
        Symbol::Stack(at) => {
            let links = program.stacks[at].implementations.iter();
            let links: Vec<_> = links.map(|it| format!("`{}`", program.implementations[it.0 as usize].name)).collect();
            format!("stack **`{name}`**, top to bottom: {}", links.join(", "))
        }
        Symbol::Client(at) => {
            let client = &program.clients[at];
            let processes: Vec<_> = client.processes.iter().map(u32::to_string).collect();
            let stack = &program.stacks[client.stack as usize].name;
            format!("client **`{name}`** of `{stack}`, run by {} processes", processes.join(" and by "))
        }
    };
    let _ = writeln!(text, "{line}");
}

/// The mover type, and the row of the matrix.
fn movers(session: &Session, spot: &Spot, layer: LayerId, operation: usize, text: &mut String) {
    let program = spot.program();
    let operations = &program.layers[layer.0 as usize].operations;
    let claim = operations[operation].claim.map(claim_name);
    let matrix = spot.movers(session);
    let inferred = mover_of(matrix, layer, operation).filter(|it| claim_for(*it).is_some());
    let Some(inferred) = inferred else {
        let claimed = claim.map(|it| format!("claimed **{it}**; ")).unwrap_or_default();
        let _ = writeln!(text, "\nmover type: {claimed}not inferred yet");
        return;
    };
    let claimed = claim.map(|it| format!(" (claimed {it})")).unwrap_or_default();
    let stale = if spot.movers_are_stale(session) { " · stale: from before the last edit" } else { "" };
    let _ = writeln!(
        text,
        "\nmover type: **{}**{claimed}{stale}\n\n| past | right | left |\n|---|---|---|",
        inferred.name()
    );
    let row = &matrix[layer.0 as usize][operation].1;
    for (other, it) in operations.iter().zip(row) {
        let _ = writeln!(text, "| `{}` | {} | {} |", other.name, answer(it.right), answer(it.left));
    }
}

fn answer(holds: Option<bool>) -> &'static str {
    match holds {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "undecided",
    }
}

/// The word for a claim in `#[op(…)]`.
pub fn claim_name(claim: Claim) -> &'static str {
    match claim {
        Claim::Right => "right",
        Claim::Left => "left",
        Claim::Both => "both",
        Claim::Non => "non",
    }
}

/// The claim that matches the inferred type.
pub fn claim_for(movers: Movers) -> Option<&'static str> {
    Some(movers.name()).filter(|it| *it != "undecided")
}

/// The verdicts, with the names of obligations that are not proved.
fn summary(session: &Session, spot: &Spot, symbol: Symbol, text: &mut String) {
    let (Some(verdicts), Some(state)) = (verdicts(session, &spot.package), session.state(&spot.package)) else {
        return;
    };
    let program = spot.program();
    let tally = verdicts.tally(&|name| is_about(program, symbol, name));
    let phase = match state.phase {
        Phase::NotRun => " · not run since the last edit".to_owned(),
        Phase::Queued => " · queued".to_owned(),
        Phase::Running(done, total) => format!(" · running, {done} of {total}"),
        Phase::Settled => String::new(),
    };
    if tally.total() == 0 {
        if !phase.is_empty() {
            let _ = writeln!(text, "\nno verdict yet{phase}");
        }
        return;
    }
    let stale = if tally.stale > 0 { format!(" · {} stale", tally.stale) } else { String::new() };
    let _ = writeln!(text, "\n{}{stale}{phase}", tally.in_words());
    let about = || verdicts.iter().filter(|(_, it, _)| is_about(program, symbol, &it.name)).map(|(_, _, it)| it);
    let known: BTreeSet<&String> = about().flat_map(|it| &it.at_start).collect();
    let even_if: BTreeSet<&String> = about().flat_map(|it| &it.even_if).collect();
    let at_calls: BTreeSet<&String> = about().flat_map(|it| &it.at_calls).collect();
    for (what, names) in [("known where it starts", known), ("others call", at_calls), ("even if", even_if)] {
        if !names.is_empty() {
            let all: Vec<String> = names.iter().map(|it| format!("`{it}`")).collect();
            let _ = writeln!(text, "\n{what}: {}\n", all.join(", "));
        }
    }
    let mentioned = verdicts.iter().filter(|(_, it, _)| is_about(program, symbol, &it.name));
    for (_, entry, outcome) in
        mentioned.filter(|(_, _, it)| it.verdict != Verdict::Proved || !it.assumptions.is_empty())
    {
        let name = &entry.name;
        let against = if name.against.is_empty() { String::new() } else { format!(" past `{}`", name.against) };
        let bounds = outcome.bounds_met.join(", ");
        let assumed: Vec<&str> = outcome.assumptions.iter().map(|it| it.name()).collect();
        let assumed = if assumed.is_empty() { String::new() } else { format!("; assuming {}", assumed.join(", ")) };
        let detail = match (&outcome.verdict, outcome.diagnostics.first()) {
            (Verdict::Checked, _) => format!("checked to scope: {bounds}{assumed}"),
            (Verdict::Searched, _) => format!("searched, not proved: {bounds}{assumed}"),
            (Verdict::Proved, _) => format!("proved{assumed}"),
            (verdict, Some(found)) => format!("{}: {} ({})", verdict.name(), found.message, found.code),
            (verdict, None) => verdict.name().to_owned(),
        };
        let _ = writeln!(text, "- {} `{}`{against}: {detail}", name.kind, name.operation);
    }
}
