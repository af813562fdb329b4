//! Fixes: edits that resolve a finding.
//!
//! | finding | fix |
//! |---|---|
//! | a claim does not hold (CS0301 to CS0304) | claim the inferred type; remove the claim |
//! | an operation is not implemented (CS0201) | pass it on, if the layer below has it; write a stub |
//! | a violation that involves an unrestricted operation of a protocol layer | restrict it by a rule of that protocol |
//!
//! Fixes are computed from a snapshot on demand, since they depend on the text, and results do not.

use crate::{
    diagnostics::{Applicability, Diagnostic, Fix, codes},
    index::{FunctionItem, ImplItem, ImplRole, Role},
    ir::{ImplementationId, Justification, LayerId, Operation, Program, SourceMap, Span},
    report::Movers,
    session::{File, PackageSnapshot},
    syntax::{self, SyntaxKind},
    verdict::ObligationName,
};

/// The data that fixes are made from.
pub(crate) struct Fixer<'a> {
    /// The package with the finding.
    pub package: &'a PackageSnapshot,
    /// Returns the inferred mover types of its operations, as far as they are known.
    pub movers: &'a dyn Fn() -> Vec<Vec<(Movers, Vec<Movers>)>>,
}

impl Fixer<'_> {
    /// The fixes for a finding, the best first; `about` is the obligation that it refutes, if any.
    pub(crate) fn fixes(&self, found: &Diagnostic, about: Option<&ObligationName>) -> Vec<Fix> {
        match about {
            None if found.code == codes::CS0201 => self.missing(found),
            None => Vec::new(),
            Some(name) if codes::CLAIMS.contains(&found.code) => {
                let claim = self.claim(name).unwrap_or_default().into_iter();
                claim.chain(self.protocol(found, name)).collect()
            }
            Some(name) => self.protocol(found, name),
        }
    }

    fn program(&self) -> &Program {
        self.package.program()
    }

    fn source_map(&self) -> &SourceMap {
        self.package.source_map()
    }

    fn layer_named(&self, name: &str) -> Option<LayerId> {
        let at = self.program().layers.iter().position(|it| it.name == name)?;
        Some(LayerId(at as u32))
    }

    /// Claims the inferred type, or removes the claim.
    fn claim(&self, name: &ObligationName) -> Option<Vec<Fix>> {
        let layer = self.layer_named(&name.layer)?;
        let operations = &self.program().layers[layer.0 as usize].operations;
        let operation = operations.iter().position(|it| it.name == name.operation)?;
        let word = self.source_map().claims[layer.0 as usize][operation]?;
        let text = &self.package.files.get(word.file as usize)?.text;
        let claimed = text.get(word.start as usize..word.end as usize)?;
        let holds = self.what_holds(layer, operation).map(Movers::name);
        let change = holds.filter(|it| *it != "undecided" && *it != claimed).map(|holds| Fix {
            title: format!("Correct the claim: change `{claimed}` to `{holds}`"),
            span: word,
            replacement: holds.to_owned(),
            applicability: Applicability::MachineApplicable,
        });
        let remove = Fix {
            title: format!("Remove the claim: the mover type of `{}` is then inferred", name.operation),
            span: within_brackets(text, word)?,
            replacement: String::new(),
            applicability: match change {
                Some(_) => Applicability::MaybeIncorrect,
                None => Applicability::MachineApplicable,
            },
        };
        Some(change.into_iter().chain([remove]).collect())
    }

    /// The mover type of an operation in all layers that declare or inherit it, since they share the claim.
    fn what_holds(&self, layer: LayerId, operation: usize) -> Option<Movers> {
        let program = self.program();
        let matrix = (self.movers)();
        let wanted = program.origin(layer, operation);
        let mut holds = Movers { right: Some(true), left: Some(true) };
        for (layer, it) in (0..).map(LayerId).zip(&program.layers) {
            for at in (0..it.operations.len()).filter(|at| program.origin(layer, *at) == wanted) {
                let here = matrix.get(layer.0 as usize)?.get(at)?.0;
                let both = |a: Option<bool>, b: Option<bool>| Some(a? && b?);
                holds = Movers { right: both(holds.right, here.right), left: both(holds.left, here.left) };
            }
        }
        Some(holds)
    }

    /// Passes an operation on, or writes a stub of it.
    fn missing(&self, found: &Diagnostic) -> Vec<Fix> {
        let maps = self.source_map();
        if let Some(at) = maps.implementations.iter().position(|it| *it == found.span) {
            return self.missing_procedure(found, ImplementationId(at as u32)).unwrap_or_default();
        }
        match maps.layers.iter().position(|it| *it == found.span) {
            Some(at) => self.missing_operation(found, LayerId(at as u32)).into_iter().collect(),
            None => Vec::new(),
        }
    }

    fn missing_procedure(&self, found: &Diagnostic, id: ImplementationId) -> Option<Vec<Fix>> {
        let program = self.program();
        let implementation = &program.implementations[id.0 as usize];
        let (Justification::Movers(code) | Justification::Retry(code) | Justification::Search(code)) =
            &implementation.by
        else {
            return None;
        };
        let upper = &program.layers[implementation.upper.0 as usize];
        let lower = &program.layers[implementation.lower.0 as usize];
        let is_missing = |it: &&Operation| names(found, &it.name) && !code.contains_key(&it.name);
        let operation = upper.operations.iter().find(is_missing)?;
        let (file, block) = self.block(found.span, &implementation.name)?;
        let below = lower.operations.iter().find(|it| it.name == operation.name);
        let same = below.filter(|it| self.types(it) == self.types(operation));
        let pass = same.and_then(|_| pass(file, block, operation, found.span.file));
        let (parameters, result) = program.signature(operation);
        let parameters: String = parameters.iter().map(|(name, ty)| format!(", {name}: {ty}")).collect();
        let header = format!("fn {}(lo: &mut impl {}{parameters}){}", operation.name, lower.name, arrow(&result));
        let stub = stub(file, block, found.span.file, &operation.name, code.is_empty(), &header);
        Some(pass.into_iter().chain(stub).collect())
    }

    fn missing_operation(&self, found: &Diagnostic, layer: LayerId) -> Option<Fix> {
        let program = self.program();
        let own = &program.layers[layer.0 as usize];
        let (file, block) = self.block(found.span, &own.name)?;
        let ImplRole::Layer(attribute) = &block.role else { return None };
        let model = self.layer_named(&attribute.ops.as_ref()?.text)?;
        let operation = program.layers[model.0 as usize].operations.iter().find(|it| names(found, &it.name))?;
        let (parameters, result) = program.signature(operation);
        let parameters: String = parameters.iter().map(|(name, ty)| format!(", {name}: {ty}")).collect();
        let header = format!("#[op]\n    fn {}(&mut self, me: Pid{parameters}){}", operation.name, arrow(&result));
        stub(file, block, found.span.file, &operation.name, own.operations.is_empty(), &header)
    }

    /// The types of the parameters and of the result.
    fn types(&self, operation: &Operation) -> (Vec<String>, String) {
        let (parameters, result) = self.program().signature(operation);
        (parameters.into_iter().map(|(_, ty)| ty).collect(), result)
    }

    /// The block that declares a layer or an implementation of this name, in the file of a span.
    fn block(&self, span: Span, name: &str) -> Option<(&File, &ImplItem)> {
        let file = self.package.files.get(span.file as usize)?;
        let is_it = |it: &&ImplItem| match &it.role {
            ImplRole::Layer(_) => it.trait_name.as_ref().is_some_and(|it| it.text == name),
            ImplRole::Implement(_) => it.self_type.as_ref().is_some_and(|it| it.text == name),
            _ => false,
        };
        Some((file, file.indexed.index.impls.iter().find(is_it)?))
    }

    /// Restricts an operation that is involved in a violation by the rules that the protocol has for others.
    fn protocol(&self, found: &Diagnostic, name: &ObligationName) -> Vec<Fix> {
        let program = self.program();
        let implementation = program.implementations.iter().find(|it| it.name == name.implementation);
        let Some(layer) = implementation.map(|it| it.lower).or_else(|| self.layer_named(&name.layer)) else {
            return Vec::new();
        };
        let restricted = &program.layers[layer.0 as usize];
        if restricted.protocol.is_none() {
            return Vec::new();
        }
        let is_other = |it: &Operation| match name.against.as_str() {
            "" => is_of_another(found, &it.name),
            against => it.name == against && it.name != name.operation,
        };
        let is_involved = |it: &&Operation| it.allowed.is_empty() && !it.external && is_other(it);
        restricted.operations.iter().filter(is_involved).flat_map(|it| self.rules(layer, it)).collect()
    }

    /// One fix for each rule of the protocol that needs no arguments.
    fn rules(&self, layer: LayerId, operation: &Operation) -> Vec<Fix> {
        let declared = self.source_map().layers[layer.0 as usize];
        let Some((file, block)) = self.block(declared, &self.program().layers[layer.0 as usize].name) else {
            return Vec::new();
        };
        let index = &file.indexed.index;
        let owner = index.impls.iter().position(|it| it == block).map(|it| it as u32);
        let fix = |function: &FunctionItem| {
            let Role::Allowed(names) = &function.role else { return None };
            let last = names.last().filter(|_| function.owner == owner)?;
            let at = file.indexed.positions.span(declared.file, last).end;
            Some(Fix {
                title: format!("Allow `{}` only where `{}` holds", operation.name, function.name.text),
                span: Span { start: at, end: at, ..declared },
                replacement: format!(", {}", operation.name),
                applicability: Applicability::MaybeIncorrect,
            })
        };
        index.functions.iter().filter_map(fix).collect()
    }
}

/// The `(…)` that contains a word.
fn within_brackets(text: &str, word: Span) -> Option<Span> {
    let open = text[..word.start as usize].rfind('(')?;
    let close = text[word.end as usize..].find(')')? + word.end as usize;
    Some(Span { start: open as u32, end: close as u32 + 1, ..word })
}

/// Whether a finding is about an operation of this name.
fn names(found: &Diagnostic, operation: &str) -> bool {
    found.message.contains(&format!("operation `{operation}`"))
}

fn arrow(result: &str) -> String {
    if result == "()" { String::new() } else { format!(" -> {result}") }
}

fn pass(file: &File, block: &ImplItem, operation: &Operation, number: u32) -> Option<Fix> {
    let ImplRole::Implement(attribute) = &block.role else { return None };
    let end_of = |name| file.indexed.positions.span(number, name).end;
    let (at, replacement) = match attribute.pass.last() {
        Some(last) => (end_of(last), format!(", {}", operation.name)),
        None => (end_of(&attribute.by_name), format!(", pass({})", operation.name)),
    };
    Some(Fix {
        title: format!("Pass `{}` on to the layer below", operation.name),
        span: Span { file: number, start: at, end: at },
        replacement,
        applicability: Applicability::MachineApplicable,
    })
}

/// A function of this header at the end of a block.
fn stub(file: &File, block: &ImplItem, number: u32, name: &str, is_first: bool, header: &str) -> Option<Fix> {
    let declarations = syntax::declarations(&file.parse.root());
    let node = declarations.get(block.declaration as usize)?;
    let list = node.children().find(|it| it.kind() == SyntaxKind::ASSOC_ITEM_LIST)?;
    let close = list.last_token().filter(|it| it.kind() == SyntaxKind::R_CURLY)?;
    let at = syntax::range(close.text_range()).start;
    // An empty block may be written `{}`.
    let before = &file.text[..at as usize];
    let has_own_line = before[before.rfind('\n').map_or(0, |it| it + 1)..].trim().is_empty();
    let (before, gap) = (if has_own_line { "" } else { "\n" }, if is_first { "" } else { "\n" });
    Some(Fix {
        title: format!("Write a stub of `{name}`"),
        span: Span { file: number, start: at, end: at },
        replacement: format!("{before}{gap}    {header} {{\n        todo!()\n    }}\n"),
        applicability: Applicability::HasPlaceholders,
    })
}

/// Whether the message names this operation, or the counterexample has a step of it by another process than the one that makes the last
/// step.
fn is_of_another(found: &Diagnostic, operation: &str) -> bool {
    let quoted = format!("`{operation}`");
    let texts = found.related.iter().map(|(_, it)| it).chain([&found.message, &found.label]);
    let steps = || found.counterexample.iter().flat_map(|it| &it.runs).flat_map(|it| &it.steps);
    let own = steps().last().and_then(|it| it.process.as_ref());
    let is_of_another = steps().any(|it| it.operation == operation && it.process.as_ref() != own);
    is_of_another || texts.into_iter().any(|it| it.contains(&quoted))
}
