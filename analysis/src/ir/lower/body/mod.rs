//! Bodies of functions: one [`Body`] lowers one function.
//!
//! Expressions are built at once; their types are kept beside them by node. When the whole body is lowered, [`super::finish`] writes the
//! types in. A part that cannot be lowered becomes [`ExprKind::Unsupported`], which fits every type, so that one fault gives one
//! diagnostic.

mod adaptor;
mod applied;
mod call;
mod collection;
mod condition;
mod control;
mod convert;
mod deferred;
mod expr;
mod iterator;
mod label;
mod macros;
mod method;
mod operator;
mod option;
mod ordering;
mod path;
mod pattern;
mod place;
mod referent;
mod result;

use std::{rc::Rc, sync::Arc};

use super::{
    Deferred, LoweredBody,
    declared::{Declared, ItemRef, Origin, Site},
    lift,
    lowering::Lowering,
    names::ScopeId,
    report::{DiagnosticExt, error},
    signature::Signature,
    spot::Spot,
    ty::{Infer, TOO_LARGE, Ty},
    types::{NotRead, WhyNotRead},
};
use crate::{
    diagnostics::{Severity, codes},
    ir::{Expr, ExprKind, Function, FunctionKind, Literal, Local, LocalId, NodeId, Place, Prim, Stmt, Type},
    syntax::{
        self, AstNode, ItemTree, SyntaxNode,
        ast::{self, HasName},
    },
};

/// Expressions nested deeper than this are refused.
const DEPTH: u32 = 150;

/// Lowers one function. `tree` is its syntax tree, if it has one.
pub(super) fn lower(declared: &Declared, origin: Origin, tree: Option<&ItemTree>) -> LoweredBody {
    let package = Lowering::new(declared);
    let (mut function, nodes, deferred) = match origin {
        Origin::Written(item) => lower_function(&package, item, tree),
        Origin::Lifted(number) => {
            let (function, nodes) = lift::lower(&package, number);
            (function, nodes, Vec::new())
        }
    };
    let trace = package.take_trace();
    // The remaining body would have another meaning: obligations that depend on it are not checked.
    if trace.problems.iter().any(|it| it.severity == Severity::Error) {
        function.body.kind = ExprKind::Unsupported;
    }
    LoweredBody { function, nodes: nodes.into(), deferred, trace }
}

fn lower_function(
    package: &Lowering<&Declared>,
    item: ItemRef,
    tree: Option<&ItemTree>,
) -> (Function, Vec<Spot>, Vec<Deferred>) {
    let declared = package.function_item(item);
    let name = package.function_name(item);
    // Only functions with a signature are requested.
    let signature = package.signature(item).expect("a requested function has a signature");
    let kind = signature.lower.and_then(|it| package.layer_id(it)).map_or(FunctionKind::Plain, FunctionKind::Procedure);
    let self_type = package.self_type(item);
    let syntax = tree.and_then(|it| ast::Fn::cast(it.root()));
    let mut body = Body::new(package, item, signature, self_type);
    let lowered = match syntax {
        Some(syntax) if !declared.broken => {
            body.blocks = Blocks::of(syntax.syntax(), declared.first_scope);
            body.function(&syntax)
        }
        Some(syntax) => body.unsupported_at(body.site.spot(syntax.syntax())),
        None => body.unsupported_at(package.name_spot(item.file, &declared.name)),
    };
    let deferred = body.take_deferred();
    let (function, nodes) = body.finish(name, kind, lowered);
    (function, nodes, deferred)
}

/// The blocks of a tree that have items, and so are scopes of the file.
#[derive(Default)]
struct Blocks {
    /// The number of the first in the file.
    first: u32,
    nodes: Vec<SyntaxNode>,
}

impl Blocks {
    fn of(tree: &SyntaxNode, first: u32) -> Blocks {
        Blocks { first, nodes: syntax::scopes(tree) }
    }

    /// The number of a block in the file. A block in the input of a macro belongs to another tree, and has none.
    fn number(&self, block: &SyntaxNode) -> Option<u32> {
        let at = self.nodes.iter().position(|it| it == block)?;
        Some(self.first + at as u32)
    }
}

/// The meaning of a name in scope.
#[derive(Clone)]
enum Binding {
    Local(LocalId),
    /// `let x = &mut place`, or the parameter of `repeat`'s closure: another name for the place.
    Alias(Place, Ty),
    /// The parameter `lo` of a procedure.
    Lower,
    /// A closure: see [`applied`].
    Closure(Rc<applied::Closure>),
    /// A name whose fault has been reported.
    Fault,
}

/// A part of the body in which names are bound.
#[derive(Clone, Default)]
struct Frame {
    bindings: Vec<(String, Binding)>,
    /// The scope of the block, if it has items: they shadow outer bindings.
    items: Option<ScopeId>,
}

/// A local variable of the body.
struct LocalInfo {
    name: String,
    ty: Ty,
    inout: bool,
    /// Whether it is declared `mut`. Other variables can change only through a reference, and references are erased.
    mutable: bool,
}

/// A loop around the current expression.
#[derive(Default)]
struct LoopInfo {
    /// For `loop` and labelled blocks, the type of the `break` values.
    value: Option<Ty>,
    broken: bool,
    label: Option<String>,
    /// Whether it is a labelled block, which only a `break` with its label leaves.
    is_block: bool,
    /// Variables for leaving it from a loop inside: whether to leave, whether to go on with the next turn, and the value.
    leaves: Option<LocalId>,
    continues: Option<LocalId>,
    result: Option<LocalId>,
    /// The outer loops that are left or continued from inside this one.
    crossed: Vec<(usize, label::Exit)>,
}

/// A function being lowered.
struct Body<'d> {
    package: &'d Lowering<&'d Declared>,
    item: ItemRef,
    site: Site,
    blocks: Blocks,
    signature: Arc<Signature>,
    self_type: Option<Ty>,
    infer: Infer,
    spots: Vec<Spot>,
    types: Vec<Ty>,
    locals: Vec<LocalInfo>,
    scopes: Vec<Frame>,
    loops: Vec<LoopInfo>,
    /// How many closures are around the current expression, and how many of these belong to iterator adaptors.
    closures: u32,
    adaptors: u32,
    /// The first local that belongs to the innermost of these adaptors: it may change no other.
    first_in_adaptor: u32,
    depth: u32,
    /// The constants being expanded.
    constants: Vec<ItemRef>,
    /// The values of `Default::default()`.
    defaults: Vec<NodeId>,
    /// The number of closures written out.
    written_closures: u32,
    /// The expression of the current statement, whose value is not used.
    discarded: Option<SyntaxNode>,
    /// The calls of `collect()`: the collection, and the element type.
    collected: Vec<(NodeId, Ty)>,
    /// Closures that Rust may not call for each element.
    deferred: deferred::Noted,
}

impl<'d> Body<'d> {
    fn new(
        package: &'d Lowering<&'d Declared>,
        item: ItemRef,
        signature: Arc<Signature>,
        self_type: Option<Ty>,
    ) -> Self {
        let site = package.function_site(item);
        let mut body = Body {
            package,
            item,
            site,
            blocks: Blocks::default(),
            signature,
            self_type,
            infer: Infer::default(),
            spots: Vec::new(),
            types: Vec::new(),
            locals: Vec::new(),
            scopes: vec![Frame::default()],
            loops: Vec::new(),
            closures: 0,
            adaptors: 0,
            first_in_adaptor: 0,
            depth: 0,
            constants: Vec::new(),
            defaults: Vec::new(),
            written_closures: 0,
            discarded: None,
            collected: Vec::new(),
            deferred: deferred::Noted::default(),
        };
        for parameter in &Arc::clone(&body.signature).parameters {
            let name = if parameter.name.is_empty() { "_" } else { &parameter.name };
            body.declare(name, parameter.ty.clone(), parameter.mutable);
            if let Some(local) = body.locals.last_mut() {
                local.inout = parameter.inout;
            }
        }
        if let Some((name, _)) = &Arc::clone(&body.signature).lower_parameter {
            body.bind(name, Binding::Lower);
        }
        body
    }

    /// The body, preceded by code that destructures the parameters.
    fn function(&mut self, syntax: &ast::Fn) -> Expr {
        let Some(block) = syntax.body() else {
            let spot = self.site.spot(syntax.syntax());
            return self.unsupported(spot, "a function without a body", "give it a body");
        };
        let spot = self.site.spot(block.syntax());
        let whole = self.node(spot);
        let mut statements = Vec::new();
        let parameters = Arc::clone(&self.signature);
        let offset = usize::from(parameters.is_method);
        for (number, parameter) in parameters.parameters.iter().enumerate().skip(offset) {
            let pattern = syntax.param_list().and_then(|it| it.params().nth(parameter.written)).and_then(|it| it.pat());
            if let Some(pattern) = pattern.filter(|_| parameter.name.is_empty()) {
                let pattern = self.irrefutable(&pattern, &parameter.ty);
                let value = self.read_local(LocalId(number as u32), spot);
                statements.push(Stmt::Let(pattern, value));
            }
        }
        let result = parameters.result.clone();
        let (mut inner, value, ty) = self.statements(&block, Some(&result));
        let tail = value.map(|it| self.coerce(it, &result));
        if tail.is_none() && !ty.is_never() && !self.infer.unify(&ty, &result) {
            self.mismatch(spot, &result, &ty);
        }
        statements.append(&mut inner);
        let ty = if ty.is_never() { ty } else { result };
        self.set(whole, ty, ExprKind::Block(statements, tail.map(Box::new)))
    }

    // Building expressions.

    fn node(&mut self, spot: Spot) -> NodeId {
        self.spots.push(spot);
        self.types.push(Ty::Error);
        NodeId(self.spots.len() as u32 - 1)
    }

    fn set(&mut self, node: NodeId, ty: Ty, kind: ExprKind) -> Expr {
        self.types[node.0 as usize] = ty;
        // The type is filled in when all of the body is known.
        Expr { node, ty: Type::Never, kind }
    }

    fn make(&mut self, spot: Spot, ty: Ty, kind: ExprKind) -> Expr {
        let node = self.node(spot);
        self.set(node, ty, kind)
    }

    fn ty(&self, expr: &Expr) -> Ty {
        self.infer.shallow(&self.types[expr.node.0 as usize])
    }

    fn spot_of(&self, expr: &Expr) -> Spot {
        self.spots[expr.node.0 as usize]
    }

    fn spot(&self, node: &SyntaxNode) -> Spot {
        self.site.spot(node)
    }

    fn unit(&mut self, spot: Spot) -> Expr {
        self.make(spot, Ty::UNIT, ExprKind::Tuple(Vec::new()))
    }

    fn boolean(&mut self, spot: Spot, value: bool) -> Expr {
        self.make(spot, Ty::BOOL, ExprKind::Literal(Literal::Bool(value)))
    }

    fn read_local(&mut self, local: LocalId, spot: Spot) -> Expr {
        let ty = self.locals[local.0 as usize].ty.clone();
        self.make(spot, ty, ExprKind::Read(Place { local, path: Vec::new() }))
    }

    /// `Default::default()` of a type, which may not be known yet.
    fn default_value(&mut self, ty: Ty, spot: Spot) -> Expr {
        let value = self.make(spot, ty, ExprKind::Prim(Prim::Default, Vec::new()));
        self.defaults.push(value.node);
        value
    }

    /// An expression whose fault has been reported.
    fn unsupported_at(&mut self, spot: Spot) -> Expr {
        self.make(spot, Ty::Error, ExprKind::Unsupported)
    }

    fn unsupported(&mut self, spot: Spot, what: &str, help: &str) -> Expr {
        self.package.unsupported(spot, what, help);
        self.unsupported_at(spot)
    }

    fn type_error(&mut self, spot: Spot, message: impl Into<String>) -> Expr {
        self.package.report(error(codes::CS0104, spot, message));
        self.unsupported_at(spot)
    }

    // Types.

    fn mismatch(&mut self, spot: Spot, expected: &Ty, found: &Ty) {
        let name = |it: &Ty| self.package.type_name_of(&self.infer.resolve(it));
        let message = format!("expected `{}`, found `{}`", name(expected), name(found));
        self.package.report(error(codes::CS0104, spot, message));
    }

    /// Converts `expr` to a value of type `expected`.
    fn coerce(&mut self, expr: Expr, expected: &Ty) -> Expr {
        let found = self.ty(&expr);
        if found.is_never() || self.infer.unify(&found, expected) {
            return expr;
        }
        let spot = self.spot_of(&expr);
        self.mismatch(spot, expected, &found);
        self.unsupported_at(spot)
    }

    fn written_type(&mut self, ty: &ast::Type) -> Ty {
        let self_type = self.self_type.clone();
        let ty = self.package.resolve_type(self.site, ty, self_type.as_ref());
        self.infer.instantiate(ty)
    }

    // Names.

    fn declare(&mut self, name: &str, ty: Ty, mutable: bool) -> LocalId {
        let local = self.fresh_local(name, ty, mutable);
        self.bind(name, Binding::Local(local));
        local
    }

    fn fresh_local(&mut self, name: &str, ty: Ty, mutable: bool) -> LocalId {
        self.locals.push(LocalInfo { name: name.to_owned(), ty, inout: false, mutable });
        LocalId(self.locals.len() as u32 - 1)
    }

    fn bind(&mut self, name: &str, binding: Binding) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.bindings.push((name.to_owned(), binding));
        }
    }

    fn lookup(&self, name: &str) -> Option<Binding> {
        for frame in self.scopes.iter().rev() {
            if let Some((_, binding)) = frame.bindings.iter().rev().find(|(known, _)| known == name) {
                return Some(binding.clone());
            }
            if frame.items.is_some_and(|it| self.package.names.is_item_of(it, name)) {
                return None;
            }
        }
        None
    }

    /// Lowers the statements of a block; its items are looked up first.
    fn in_block<T>(&mut self, block: &ast::BlockExpr, inside: impl FnOnce(&mut Self) -> T) -> T {
        let items = self.blocks.number(block.syntax()).map(|it| self.package.names.scope(self.site.file, it));
        let outer = self.site.scope;
        self.site.scope = items.unwrap_or(outer);
        let result = self.scoped(|this| {
            if let Some(frame) = this.scopes.last_mut() {
                frame.items = items;
            }
            inside(this)
        });
        self.site.scope = outer;
        result
    }

    fn scoped<T>(&mut self, inside: impl FnOnce(&mut Self) -> T) -> T {
        self.scopes.push(Frame::default());
        let result = inside(self);
        self.scopes.pop();
        result
    }

    fn unknown_name(&mut self, spot: Spot, what: &str, name: &str, help: Option<String>) -> Expr {
        self.package.report(error(codes::CS0103, spot, format!("unknown {what} `{name}`")).maybe_help(help));
        self.unsupported_at(spot)
    }

    // The end.

    fn finish(mut self, name: String, kind: FunctionKind, mut body: Expr) -> (Function, Vec<Spot>) {
        for (node, element) in std::mem::take(&mut self.collected) {
            self.check_collected(node, &element);
        }
        for node in std::mem::take(&mut self.defaults) {
            let ty = self.infer.resolve(&self.types[node.0 as usize]);
            if let Some(NotRead { name, why }) = self.package.default_not_read(&ty) {
                let message = format!("the default of `{name}` {}, so its value is not known here", why.text());
                let help = match why {
                    WhyNotRead::NotDerived => format!("derive `Default`, or call `{name}::default()` by its name"),
                    WhyNotRead::Scalar => "write the value out".to_owned(),
                };
                self.package.report(error(codes::CS0104, self.spots[node.0 as usize], message).help(help));
            }
        }
        // Types that were unknown when a type was built may have grown since.
        if let Some(number) = self.types.iter().position(|it| self.infer.is_too_large(it)) {
            self.package.report(error(codes::CS0104, self.spots[number], TOO_LARGE));
            self.types.fill(Ty::Error);
            self.locals.iter_mut().for_each(|it| it.ty = Ty::Error);
        }
        let types: Vec<Ty> = self.types.iter().map(|it| self.infer.resolve(it)).collect();
        let mut finish = super::finish::Finish { types: &types, spots: &self.spots, problems: Vec::new() };
        finish.expr(&mut body);
        for diagnostic in finish.problems {
            self.package.report(diagnostic);
        }
        let local = |it: &LocalInfo| Local {
            name: it.name.clone(),
            // A local with an invalid type is only used by unsupported expressions.
            ty: self.infer.resolve(&it.ty).to_type().unwrap_or(Type::UNIT),
            inout: it.inout,
        };
        let function = Function {
            name,
            kind,
            locals: self.locals.iter().map(local).collect(),
            parameters: self.signature.parameters.len() as u32,
            // A signature is completely known.
            result: self.signature.result.to_type().unwrap_or(Type::UNIT),
            body,
        };
        (function, self.spots)
    }

    fn check_collected(&mut self, node: NodeId, element: &Ty) {
        let collection = self.infer.shallow(&self.types[node.0 as usize].clone());
        let spot = self.spots[node.0 as usize];
        match collection {
            Ty::Con(super::ty::Con::Seq | super::ty::Con::Set, arguments) => {
                if !self.infer.unify(&arguments[0], element) {
                    self.mismatch(spot, &arguments[0], element);
                }
            }
            Ty::Con(super::ty::Con::Map, arguments) => {
                let pair = Ty::tuple(arguments);
                if !self.infer.unify(&pair, element) {
                    self.mismatch(spot, &pair, element);
                }
            }
            Ty::Error => {}
            Ty::Var(_) => {
                self.type_error(spot, "the type of the collection must be known: `let x: Set<_> = …`");
            }
            _ => {
                self.unsupported(spot, "collecting into this type", "collect into a `Seq`, a `Set` or a `Map`");
            }
        }
    }
}

fn pattern_name(pattern: &ast::IdentPat) -> String {
    pattern.name().map(|it| it.text().to_string()).unwrap_or_default()
}
