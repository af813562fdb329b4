//! Quick fixes: edits that answer a finding.
//!
//! | finding | fix |
//! |---|---|
//! | a claim does not hold (CS0301 to CS0304) | claim what holds; claim nothing |
//! | an operation is not implemented (CS0201) | pass it on, if the layer below has it; write a stub |
//! | a violation that an unrestricted operation of a protocol layer takes part in | restrict it by a rule of that protocol |

use std::collections::HashMap;

use cspec_analysis::{
    diagnostics::{Diagnostic as Finding, codes},
    index::{ImplItem, ImplRole, Role as FunctionRole},
    ir::{ImplementationId, Justification, LayerId, Operation, Span},
    report::Movers,
    syntax::{self, SyntaxKind},
    verdict::{ObligationName, Verdict},
};
use tower_lsp_server::ls_types::*;

use super::{Spot, hover, mover_of, navigation, signature_parts};
use crate::{
    mentions::Symbol,
    publish,
    session::Session,
    snapshot::{FileView, PackageView},
    verdicts::Age,
};

/// The fixes for the findings in a range of a document.
pub fn actions(session: &mut Session, params: &CodeActionParams) -> Option<CodeActionResponse> {
    let spot = Spot::of_document(session, &params.text_document.uri)?;
    let shown: Vec<Diagnostic> = publish::of_package(session, &spot.package, false)
        .into_iter()
        .find(|(uri, _)| *uri == spot.file.uri)
        .map(|(_, it)| it)
        .unwrap_or_default();
    let touches = |range: Range| range.start <= params.range.end && params.range.start <= range.end;
    let mut fixes = Vec::new();
    for found in &spot.package.facts.diagnostics {
        if found.code == codes::CS0201
            && spot.package.range(found.span, spot.view.encoding).is_some_and(|(_, it)| touches(it))
        {
            fixes.extend(missing(&spot, found).into_iter().map(|fix| (fix, found.message.clone())));
        }
    }
    let verdicts = publish::verdicts(session, &spot.package)?;
    let violated =
        verdicts.iter().filter(|(_, it, outcome)| it.age == Age::Fresh && outcome.verdict == Verdict::Violated);
    for (_, entry, outcome) in violated {
        for found in &outcome.diagnostics {
            let place = spot.package.range(found.span, spot.view.encoding);
            if place.is_some_and(|(file, range)| file.uri == spot.file.uri && touches(range)) {
                let name = &entry.name;
                let found_fixes = claim(session, &spot, found, name).into_iter().chain(protocol(&spot, found, name));
                fixes.extend(found_fixes.map(|fix| (fix, found.message.clone())));
            }
        }
    }
    let mut actions: Vec<CodeActionOrCommand> = Vec::new();
    for (fix, message) in fixes {
        let diagnostics: Vec<_> = shown.iter().filter(|it| it.message.starts_with(&message)).cloned().collect();
        let action = CodeActionOrCommand::CodeAction(fix.action(diagnostics));
        let same_title = |it: &CodeActionOrCommand| title(it) == title(&action);
        if !actions.iter().any(same_title) {
            actions.push(action);
        }
    }
    Some(actions)
}

fn title(action: &CodeActionOrCommand) -> &str {
    match action {
        CodeActionOrCommand::CodeAction(it) => &it.title,
        CodeActionOrCommand::Command(it) => &it.title,
    }
}

/// An edit with a name.
struct Fix {
    title: String,
    uri: Uri,
    edit: TextEdit,
    preferred: bool,
}

impl Fix {
    fn action(self, diagnostics: Vec<Diagnostic>) -> CodeAction {
        let changes = HashMap::from([(self.uri, vec![self.edit])]);
        CodeAction {
            title: self.title,
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: (!diagnostics.is_empty()).then_some(diagnostics),
            edit: Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }),
            is_preferred: Some(self.preferred),
            ..CodeAction::default()
        }
    }
}

fn layer_named(spot: &Spot, name: &str) -> Option<LayerId> {
    let at = spot.program().layers.iter().position(|it| it.name == name)?;
    Some(LayerId(at as u32))
}

/// Claims what holds, or nothing.
fn claim(session: &Session, spot: &Spot, found: &Finding, name: &ObligationName) -> Vec<Fix> {
    if ![codes::CS0301, codes::CS0302, codes::CS0303, codes::CS0304].contains(&found.code) {
        return Vec::new();
    }
    let fixes = || {
        let layer = layer_named(spot, &name.layer)?;
        let operations = &spot.program().layers[layer.0 as usize].operations;
        let operation = operations.iter().position(|it| it.name == name.operation)?;
        let word = spot.package.facts.source_map().claims[layer.0 as usize][operation]?;
        let (file, range) = spot.package.range(word, spot.view.encoding)?;
        let claimed = file.text.slice(word.start..word.end).to_owned();
        let change = what_holds(session, spot, layer, operation).and_then(hover::claim_for).filter(|it| *it != claimed);
        let change = change.map(|holds| Fix {
            title: format!("Claim what holds: change `{claimed}` to `{holds}`"),
            uri: file.uri.clone(),
            edit: TextEdit::new(range, holds.to_owned()),
            preferred: true,
        });
        let whole = within_brackets(file, word)?;
        let remove = Fix {
            title: format!("Claim nothing: let the mover type of `{}` be inferred", name.operation),
            uri: file.uri.clone(),
            edit: TextEdit::new(file.text.range(whole, spot.view.encoding), String::new()),
            preferred: change.is_none(),
        };
        Some(change.into_iter().chain([remove]).collect())
    };
    fixes().unwrap_or_default()
}

/// The mover type that an operation has in every layer that declares or inherits it: the claim stands for all of them.
fn what_holds(session: &Session, spot: &Spot, layer: LayerId, operation: usize) -> Option<Movers> {
    let program = spot.program();
    let matrix = spot.movers_now(session);
    let wanted = navigation::origin(program, layer, operation);
    let mut holds = Movers { right: Some(true), left: Some(true) };
    for (layer, it) in (0..).map(LayerId).zip(&program.layers) {
        for at in (0..it.operations.len()).filter(|at| navigation::origin(program, layer, *at) == wanted) {
            let here = mover_of(&matrix, layer, at)?;
            let both = |a: Option<bool>, b: Option<bool>| Some(a? && b?);
            holds = Movers { right: both(holds.right, here.right), left: both(holds.left, here.left) };
        }
    }
    Some(holds)
}

/// The `(…)` around a word.
fn within_brackets(file: &FileView, word: Span) -> Option<std::ops::Range<u32>> {
    let text = file.text.content();
    let open = text[..word.start as usize].rfind('(')?;
    let close = text[word.end as usize..].find(')')? + word.end as usize;
    Some(open as u32..close as u32 + 1)
}

/// Passes an operation on, or writes a stub of it.
fn missing(spot: &Spot, found: &Finding) -> Vec<Fix> {
    let maps = spot.package.facts.source_map();
    if let Some(at) = maps.implementations.iter().position(|it| *it == found.span) {
        return missing_procedure(spot, found, ImplementationId(at as u32)).unwrap_or_default();
    }
    match maps.layers.iter().position(|it| *it == found.span) {
        Some(at) => missing_operation(spot, found, LayerId(at as u32)).unwrap_or_default(),
        None => Vec::new(),
    }
}

/// Whether a finding is about an operation of this name.
fn names(found: &Finding, operation: &str) -> bool {
    found.message.contains(&format!("operation `{operation}`"))
}

fn missing_procedure(spot: &Spot, found: &Finding, id: ImplementationId) -> Option<Vec<Fix>> {
    let program = spot.program();
    let implementation = &program.implementations[id.0 as usize];
    let (Justification::Movers(code) | Justification::Retry(code)) = &implementation.by else { return None };
    let upper = &program.layers[implementation.upper.0 as usize];
    let lower = &program.layers[implementation.lower.0 as usize];
    let is_missing = |it: &&Operation| names(found, &it.name) && !code.contains_key(&it.name);
    let operation = upper.operations.iter().find(is_missing)?;
    let (file, block) = block(&spot.package, found.span, &implementation.name)?;
    let mut fixes = Vec::new();
    let below = lower.operations.iter().find(|it| it.name == operation.name);
    if below.is_some_and(|it| types(spot, it) == types(spot, operation)) {
        fixes.extend(pass(spot, file, block, operation, found.span.file));
    }
    let (parameters, result) = signature_parts(program, operation);
    let parameters: String = parameters.iter().map(|(name, ty)| format!(", {name}: {ty}")).collect();
    let header = format!("fn {}(lo: &mut impl {}{parameters}){}", operation.name, lower.name, arrow(&result));
    fixes.extend(stub(spot, file, block, &operation.name, code.is_empty(), &header, fixes.is_empty()));
    Some(fixes)
}

fn missing_operation(spot: &Spot, found: &Finding, layer: LayerId) -> Option<Vec<Fix>> {
    let program = spot.program();
    let own = &program.layers[layer.0 as usize];
    let (file, block) = block(&spot.package, found.span, &own.name)?;
    let ImplRole::Layer(attribute) = &block.role else { return None };
    let model = layer_named(spot, &attribute.ops.as_ref()?.text)?;
    let operation = program.layers[model.0 as usize].operations.iter().find(|it| names(found, &it.name))?;
    let (parameters, result) = signature_parts(program, operation);
    let parameters: String = parameters.iter().map(|(name, ty)| format!(", {name}: {ty}")).collect();
    let header = format!("#[op]\n    fn {}(&mut self, me: Pid{parameters}){}", operation.name, arrow(&result));
    stub(spot, file, block, &operation.name, own.operations.is_empty(), &header, true).map(|it| vec![it])
}

fn arrow(result: &str) -> String {
    if result == "()" { String::new() } else { format!(" -> {result}") }
}

/// The types of the parameters and of the result.
fn types(spot: &Spot, operation: &Operation) -> (Vec<String>, String) {
    let (parameters, result) = signature_parts(spot.program(), operation);
    (parameters.into_iter().map(|(_, ty)| ty).collect(), result)
}

/// The block that declares a layer or an implementation of this name.
fn block<'p>(package: &'p PackageView, span: Span, name: &str) -> Option<(&'p FileView, &'p ImplItem)> {
    let file = package.files.get(span.file as usize)?;
    let is_it = |it: &&ImplItem| match &it.role {
        ImplRole::Layer(_) => it.trait_name.as_ref().is_some_and(|it| it.text == name),
        ImplRole::Implement(_) => it.self_type.as_ref().is_some_and(|it| it.text == name),
        _ => false,
    };
    let block = file.indexed.index.impls.iter().find(is_it)?;
    Some((file, block))
}

fn pass(spot: &Spot, file: &FileView, block: &ImplItem, operation: &Operation, number: u32) -> Option<Fix> {
    let ImplRole::Implement(attribute) = &block.role else { return None };
    let end_of = |name| file.indexed.positions.span(number, name).end;
    let (at, text) = match attribute.pass.last() {
        Some(last) => (end_of(last), format!(", {}", operation.name)),
        None => (end_of(&attribute.by_name), format!(", pass({})", operation.name)),
    };
    Some(Fix {
        title: format!("Pass `{}` on to the layer below", operation.name),
        uri: file.uri.clone(),
        edit: TextEdit::new(file.text.range(at..at, spot.view.encoding), text),
        preferred: true,
    })
}

/// A function of this header at the end of a block.
fn stub(
    spot: &Spot,
    file: &FileView,
    block: &ImplItem,
    name: &str,
    is_first: bool,
    header: &str,
    preferred: bool,
) -> Option<Fix> {
    let declarations = syntax::declarations(&file.parse.root());
    let node = declarations.get(block.declaration as usize)?;
    let list = node.children().find(|it| it.kind() == SyntaxKind::ASSOC_ITEM_LIST)?;
    let close = list.last_token().filter(|it| it.kind() == SyntaxKind::R_CURLY)?;
    let at = syntax::range(close.text_range()).start;
    // An empty block may be written `{}`.
    let own_line = file
        .text
        .slice(file.text.offset(Position::new(file.text.line_of(at), 0), spot.view.encoding)..at)
        .trim()
        .is_empty();
    let (before, gap) = (if own_line { "" } else { "\n" }, if is_first { "" } else { "\n" });
    Some(Fix {
        title: format!("Write a stub of `{name}`"),
        uri: file.uri.clone(),
        edit: TextEdit::new(
            file.text.range(at..at, spot.view.encoding),
            format!("{before}{gap}    {header} {{\n        todo!()\n    }}\n"),
        ),
        preferred,
    })
}

/// Restricts an operation that takes part in a violation by the rules that the protocol has for others.
fn protocol(spot: &Spot, found: &Finding, name: &ObligationName) -> Vec<Fix> {
    let program = spot.program();
    let implementation = program.implementations.iter().find(|it| it.name == name.implementation);
    let Some(layer) = implementation.map(|it| it.lower).or_else(|| layer_named(spot, &name.layer)) else {
        return Vec::new();
    };
    let restricted = &program.layers[layer.0 as usize];
    if restricted.protocol.is_none() {
        return Vec::new();
    }
    let is_other = |it: &Operation| match name.against.as_str() {
        "" => is_mentioned(found, &it.name),
        against => it.name == against && it.name != name.operation,
    };
    let is_involved = |it: &&Operation| it.allowed.is_empty() && !it.external && is_other(it);
    let involved = restricted.operations.iter().filter(is_involved);
    involved.flat_map(|operation| rules(spot, layer, &restricted.name, operation)).collect()
}

/// Whether the other process of a counterexample performs this operation, or the message names it.
fn is_mentioned(found: &Finding, operation: &str) -> bool {
    let quoted = format!("`{operation}`");
    let called = format!(": {operation}(");
    let paragraphs = found.paragraphs();
    let texts = found.related.iter().map(|(_, it)| it).chain(&paragraphs).chain([&found.message, &found.label]);
    texts.into_iter().any(|it| it.contains(&quoted) || it.contains(&called))
}

/// One fix for each rule of the protocol that needs no arguments.
fn rules(spot: &Spot, layer: LayerId, layer_name: &str, operation: &Operation) -> Vec<Fix> {
    let Some(declared) = spot.package.mentions().declaration(Symbol::Layer(layer)) else { return Vec::new() };
    let Some((file, block)) = block(&spot.package, declared, layer_name) else { return Vec::new() };
    let index = &file.indexed.index;
    let owner = index.impls.iter().position(|it| it == block).map(|it| it as u32);
    let fix = |function: &cspec_analysis::index::FunctionItem| {
        let FunctionRole::Allowed(names) = &function.role else { return None };
        let last = names.last().filter(|_| function.owner == owner)?;
        let at = file.indexed.positions.span(declared.file, last).end;
        Some(Fix {
            title: format!("Allow `{}` only where `{}` holds", operation.name, function.name.text),
            uri: file.uri.clone(),
            edit: TextEdit::new(file.text.range(at..at, spot.view.encoding), format!(", {}", operation.name)),
            preferred: false,
        })
    };
    index.functions.iter().filter_map(fix).collect()
}
