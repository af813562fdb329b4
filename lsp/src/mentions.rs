//! Mentions: where layers, operations, implementations, procedures, stacks and clients are named in declarations, attributes, types and
//! calls.
//!
//! Navigation, highlighting and hover use them. Names of other things (types, fields, locals) are left to rust-analyzer.

use std::collections::{BTreeSet, HashMap};

use cspec_analysis::{
    index::{ImplRole, Name, Role as FunctionRole, path_segments},
    ir::{
        Code, Expr, ExprKind, FunctionId, FunctionKind, ImplementationId, Justification, LayerId, Program, Span,
        lower::Named,
    },
    session::PackageSnapshot,
    syntax::{self, AstNode, SyntaxNode, ast},
};

use crate::snapshot::{FileView, Files};

/// A named part of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symbol {
    Layer(LayerId),
    /// An operation of a layer, by its number.
    Operation(LayerId, usize),
    Implementation(ImplementationId),
    /// The code by which an implementation implements an operation of its upper layer.
    Procedure(ImplementationId, usize),
    /// A stack, by its number.
    Stack(usize),
    /// A client, by its number.
    Client(usize),
}

/// The role of a mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The declaration of the symbol.
    Declaration,
    /// An operation in an `inherit(…)` list: a declaration in this layer, and a reference to another.
    Inherited,
    /// An operation that is passed on, as a name in `pass(…)`.
    Pass,
    /// A call of an operation of the layer below, such as `lo.read()`.
    Call,
    /// Any other use of the name.
    Reference,
}

/// A name in the text that refers to a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The place of the name.
    pub span: Span,
    /// The symbol that it refers to.
    pub symbol: Symbol,
    /// The role of the mention.
    pub role: Role,
}

/// All mentions of a package, by place.
#[derive(Debug, Default)]
pub struct Mentions {
    all: Vec<Mention>,
    calls: Vec<Call>,
}

/// A call of an operation of the layer below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The procedure that makes it; `None` in a helper or a client.
    pub by: Option<Symbol>,
    /// The operation that is called.
    pub operation: Symbol,
    /// The name of the operation in the call.
    pub span: Span,
}

impl Mentions {
    /// Finds the mentions of a package with these files.
    pub fn find(facts: &PackageSnapshot, files: &Files) -> Mentions {
        let called = called_names(files);
        let mut finder = Finder { facts, files, called, seen: BTreeSet::new(), found: Mentions::default() };
        finder.declarations();
        finder.procedures();
        for file in 0..files.len() as u32 {
            finder.attributes(file);
            finder.paths(file);
        }
        let mut found = finder.found;
        found.all.sort_by_key(|it| (it.span.file, it.span.start, it.span.end));
        found
    }

    /// The mention at an offset: the one that contains it, or that ends there.
    pub fn at(&self, file: u32, offset: u32) -> Option<&Mention> {
        let from = self.all.partition_point(|it| (it.span.file, it.span.end) < (file, offset));
        self.all[from..].iter().take_while(|it| it.span.file == file && it.span.start <= offset).last()
    }

    /// The mentions in a file, in order.
    pub fn in_file(&self, file: u32) -> impl Iterator<Item = &Mention> {
        self.all.iter().filter(move |it| it.span.file == file)
    }

    /// The mentions of a symbol, in order.
    pub fn of(&self, symbol: Symbol) -> impl Iterator<Item = &Mention> {
        self.all.iter().filter(move |it| it.symbol == symbol)
    }

    /// The place where a symbol is declared.
    pub fn declaration(&self, symbol: Symbol) -> Option<Span> {
        let declares = |it: &&Mention| matches!(it.role, Role::Declaration | Role::Inherited | Role::Pass);
        self.of(symbol).find(declares).map(|it| it.span)
    }

    /// All calls of operations.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }
}

/// The spans of names in method calls, by the spans of the whole calls.
fn called_names(files: &Files) -> HashMap<Span, Span> {
    let of_file = |(file, number): (&std::sync::Arc<FileView>, u32)| {
        let span = move |node: &syntax::SyntaxNode| {
            let range = syntax::range(node.text_range());
            Span { file: number, start: range.start, end: range.end }
        };
        let calls = file.parse.root().descendants().filter_map(ast::MethodCallExpr::cast);
        calls.filter_map(move |it| Some((span(it.syntax()), span(it.name_ref()?.syntax())))).collect::<Vec<_>>()
    };
    files.iter().zip(0..).flat_map(of_file).collect()
}

struct Finder<'a> {
    facts: &'a PackageSnapshot,
    files: &'a Files,
    /// The spans of names in method calls, by the span of the whole call.
    called: HashMap<Span, Span>,
    seen: BTreeSet<Span>,
    found: Mentions,
}

impl Finder<'_> {
    fn program(&self) -> &Program {
        self.facts.program()
    }

    /// Adds a mention, unless there is one at this place already.
    fn add(&mut self, span: Span, symbol: Symbol, role: Role) {
        if span.start < span.end && self.seen.insert(span) {
            self.found.all.push(Mention { span, symbol, role });
        }
    }

    fn declarations(&mut self) {
        let map = std::sync::Arc::clone(self.facts.source_map());
        for (index, span) in map.layers.iter().enumerate() {
            self.add(*span, Symbol::Layer(LayerId(index as u32)), Role::Declaration);
        }
        // Own operations come before inherited ones: those of a protocol layer have the places of the layer that it restricts.
        for own in [true, false] {
            for (index, spans) in map.operations.iter().enumerate() {
                let layer = LayerId(index as u32);
                for (operation, span) in spans.iter().enumerate() {
                    let is_own = self.program().layers[index].operations[operation].declared_in == layer;
                    if is_own == own {
                        let role = if own { Role::Declaration } else { Role::Inherited };
                        self.add(*span, Symbol::Operation(layer, operation), role);
                    }
                }
            }
        }
        for (index, span) in map.implementations.iter().enumerate() {
            self.add(*span, Symbol::Implementation(ImplementationId(index as u32)), Role::Declaration);
        }
        for (index, span) in map.stacks.iter().enumerate() {
            self.add(*span, Symbol::Stack(index), Role::Declaration);
            let implementations = self.program().stacks[index].implementations.clone();
            for (link, id) in map.links[index].iter().zip(implementations) {
                self.add(*link, Symbol::Implementation(id), Role::Reference);
            }
        }
        for (index, span) in map.clients.iter().enumerate() {
            self.add(*span, Symbol::Client(index), Role::Declaration);
        }
    }

    /// Adds procedures, and the calls in all functions that perform operations.
    fn procedures(&mut self) {
        let facts = self.facts;
        let mut owners = std::collections::BTreeMap::new();
        for (index, implementation) in facts.program().implementations.iter().enumerate() {
            let (Justification::Movers(code) | Justification::Retry(code) | Justification::Search(code)) =
                &implementation.by
            else {
                continue;
            };
            let upper = &facts.program().layers[implementation.upper.0 as usize];
            for (operation, it) in upper.operations.iter().enumerate() {
                if let Some(Code::Procedure(function)) = code.get(&it.name) {
                    let symbol = Symbol::Procedure(ImplementationId(index as u32), operation);
                    owners.insert(*function, symbol);
                    self.add(facts.source_map().functions[function.0 as usize], symbol, Role::Declaration);
                }
            }
        }
        for (index, function) in facts.program().functions.iter().enumerate() {
            let id = FunctionId(index as u32);
            if let FunctionKind::Procedure(layer) = function.kind {
                self.calls_in(id, layer, owners.get(&id).copied(), &function.body);
            }
        }
    }

    fn calls_in(&mut self, function: FunctionId, layer: LayerId, by: Option<Symbol>, body: &Expr) {
        if let ExprKind::Perform(name, _) = &body.kind {
            let nodes = &self.facts.source_map().nodes[function.0 as usize];
            // The calls of an inlined helper are in the text of the helper, which is a function of its own.
            let is_own = |it: &Span| nodes.first().is_none_or(|own| own.contains(*it));
            let whole = nodes.get(body.node.0 as usize).copied().filter(is_own);
            let operation = self.program().layers[layer.0 as usize].operations.iter().position(|it| it.name == *name);
            if let (Some(whole), Some(operation)) = (whole, operation) {
                let span = self.called.get(&whole).copied().unwrap_or(whole);
                let operation = Symbol::Operation(layer, operation);
                self.add(span, operation, Role::Call);
                self.found.calls.push(Call { by, operation, span });
            }
        }
        body.for_each_child(&mut |child| self.calls_in(function, layer, by, child));
    }

    /// The symbol that a name refers to in a scope of a file.
    fn named(&self, file: u32, scope: u32, name: &Name) -> Option<Symbol> {
        self.facts.named(file, scope, &name.path()).map(symbol)
    }

    fn operation(&self, layer: LayerId, name: &Name) -> Option<usize> {
        self.program().layers[layer.0 as usize].operations.iter().position(|it| it.name == name.text)
    }

    /// Adds the names in the attributes of a file.
    fn attributes(&mut self, number: u32) {
        let file = std::sync::Arc::clone(&self.files[number as usize]);
        let span = |name: &Name| file.indexed.positions.span(number, name);
        for block in &file.indexed.index.impls {
            let own = |name: &Option<Name>| self.named(number, block.scope, name.as_ref()?);
            let (named, passed) = match &block.role {
                ImplRole::Layer(attribute) => {
                    let named = attribute.inherit.iter().map(|it| &it.layer);
                    (named.chain(&attribute.ops).chain(&attribute.protocol).collect(), None)
                }
                ImplRole::Implement(attribute) => {
                    let passed = own(&block.self_type).map(|it| (it, &attribute.pass));
                    (vec![&attribute.upper, &attribute.over], passed)
                }
                ImplRole::Plain | ImplRole::Malformed => continue,
            };
            for name in named {
                if let Some(symbol) = self.named(number, block.scope, name) {
                    self.add(span(name), symbol, Role::Reference);
                }
            }
            let Some((Symbol::Implementation(id), passed)) = passed else { continue };
            let upper = self.program().implementations[id.0 as usize].upper;
            for name in passed {
                if let Some(operation) = self.operation(upper, name) {
                    self.add(span(name), Symbol::Procedure(id, operation), Role::Pass);
                }
            }
        }
        for function in &file.indexed.index.functions {
            match &function.role {
                FunctionRole::Allowed(names) => {
                    let block = function.owner.and_then(|it| file.indexed.index.impls.get(it as usize));
                    let layer = block.and_then(|it| self.named(number, it.scope, it.trait_name.as_ref()?));
                    let Some(Symbol::Layer(layer)) = layer else { continue };
                    for name in names {
                        if let Some(operation) = self.operation(layer, name) {
                            self.add(span(name), Symbol::Operation(layer, operation), Role::Reference);
                        }
                    }
                }
                FunctionRole::Client { stacks, .. } => {
                    for stack in stacks {
                        if let Some(symbol) = self.named(number, function.scope, stack) {
                            self.add(span(stack), symbol, Role::Reference);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Adds layers, implementations and stacks in types and paths: `impl Lock`, `HideLock<…>`.
    fn paths(&mut self, number: u32) {
        let root = self.files[number as usize].parse.root();
        let scopes: HashMap<SyntaxNode, u32> = syntax::scopes(&root).into_iter().zip(0..).collect();
        for path in root.descendants().filter_map(ast::Path::cast) {
            let Some(name) = path.segment().and_then(|it| it.name_ref()) else { continue };
            let Some(segments) = whole_path(&path) else { continue };
            let scope = path.syntax().ancestors().find_map(|it| scopes.get(&it).copied()).unwrap_or_default();
            if let Some(named) = self.facts.named(number, scope, &segments) {
                let range = syntax::range(name.syntax().text_range());
                let span = Span { file: number, start: range.start, end: range.end };
                self.add(span, symbol(named), Role::Reference);
            }
        }
    }
}

fn symbol(named: Named) -> Symbol {
    match named {
        Named::Layer(id) => Symbol::Layer(id),
        Named::Implementation(id) => Symbol::Implementation(id),
        Named::Stack(number) => Symbol::Stack(number),
    }
}

/// The names in a path; in a `use`, including those before the enclosing braces.
fn whole_path(path: &ast::Path) -> Option<Vec<String>> {
    let trees: Vec<ast::UseTree> = path.syntax().ancestors().filter_map(ast::UseTree::cast).collect();
    let before = trees.iter().skip(1).rev().filter_map(|it| it.path());
    let parts: Option<Vec<Vec<String>>> = before.chain([path.clone()]).map(|it| path_segments(&it)).collect();
    Some(parts?.concat())
}
