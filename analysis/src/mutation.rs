//! Small changes to the text of a package. Each should make some obligation fail; if none does, the layers leave something unspecified.
//!
//! A change is one replacement in one file, found in the syntax tree: a guard removed, a comparison negated, a step removed, two
//! calls exchanged, another claim. The caller checks whether the changed text compiles and whether an obligation fails. Only
//! functions of layers and implementations are changed: client programs specify nothing.

use std::{collections::HashSet, ops::Range};

use crate::{
    index::{FunctionItem, ImplItem, ImplRole, Indexed, Role},
    ir::{Claim, Expr, ExprKind, FunctionId, Operation, Program, Span, Type},
    session::PackageSnapshot,
    syntax::{
        self, AstNode, SyntaxNode,
        ast::{self, HasArgList, HasLoopBody, HasName},
        operators::{ArithOp, BinaryOp, CmpOp, LogicOp, Ordering, UnaryOp},
    },
};

/// The part of the code that a change affects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A condition of an operation, an invariant, a rule of a protocol, or which states are initial.
    Guard,
    /// The effect of an operation, or of an abstraction function.
    Operation,
    /// A call in a procedure.
    Call,
    /// The mover type that an operation claims.
    Claim,
}

impl Kind {
    /// The name used in messages and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Guard => "guard",
            Kind::Operation => "operation",
            Kind::Call => "call",
            Kind::Claim => "claim",
        }
    }
}

/// A change to the text of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// The span that is replaced.
    pub span: Span,
    /// The text that replaces it.
    pub replacement: String,
    /// The kind of change.
    pub kind: Kind,
    /// The layer, implementation or type that contains the function; empty for a free function.
    pub owner: String,
    /// The name of the function.
    pub function: String,
    /// A description of the change.
    pub change: String,
}

impl Mutant {
    /// The changed function: `Lock::acquire`.
    pub fn place(&self) -> String {
        if self.owner.is_empty() { self.function.clone() } else { format!("{}::{}", self.owner, self.function) }
    }

    /// The text of its file after the change.
    pub fn apply(&self, text: &str) -> String {
        let (start, end) = (self.span.start as usize, self.span.end as usize);
        [&text[..start], &self.replacement, &text[end..]].concat()
    }
}

/// All changes to a package, in the order of its text.
pub fn mutants(package: &PackageSnapshot) -> Vec<Mutant> {
    let used = functions(package);
    let mut found = Vec::new();
    for (number, file) in (0..).zip(&package.files).filter(|(_, it)| it.krate == 0) {
        let declarations = syntax::declarations(&file.parse.root());
        for item in &file.indexed.index.functions {
            let name = file.indexed.positions.span(number, &item.name);
            if used.contains(&name) {
                let (text, indexed, program) = (&file.text, &file.indexed, package.program());
                let context = Context { file: number, text, indexed, item, program };
                context.function(&declarations[item.declaration as usize], &mut found);
            }
        }
    }
    found
}

/// The places of the names of the functions to change: all but those that only clients and questions call, which no obligation of the
/// patterns is about.
fn functions(package: &PackageSnapshot) -> HashSet<Span> {
    let program = package.program();
    let questions = program.layers.iter().flat_map(|it| &it.questions).map(|it| it.1);
    let of_clients = with_called(program, program.clients.iter().map(|it| it.function).chain(questions).collect());
    let all = (0..program.functions.len() as u32).map(FunctionId);
    let of_others = with_called(program, all.filter(|it| !of_clients.contains(it)).collect());
    of_others.into_iter().map(|it| package.source_map().functions[it.0 as usize]).collect()
}

/// These functions, those that they call, and so on.
fn with_called(program: &Program, mut next: Vec<FunctionId>) -> HashSet<FunctionId> {
    fn called(expression: &Expr, found: &mut Vec<FunctionId>) {
        if let ExprKind::Call(function, _) = &expression.kind {
            found.push(*function);
        }
        expression.for_each_child(&mut |it| called(it, found));
    }
    let mut known = HashSet::new();
    while let Some(function) = next.pop() {
        if known.insert(function) {
            called(&program.functions[function.0 as usize].body, &mut next);
        }
    }
    known
}

/// The context of changes to one function.
struct Context<'a> {
    file: u32,
    text: &'a str,
    indexed: &'a Indexed,
    item: &'a FunctionItem,
    program: &'a Program,
}

impl Context<'_> {
    fn function(&self, node: &SyntaxNode, found: &mut Vec<Mutant>) {
        self.claim(found);
        let Some(function) = ast::Fn::cast(node.clone()) else { return };
        let Some(body) = function.body() else { return };
        self.predicate(&body, found);
        for inner in body.syntax().descendants() {
            self.node(&inner, found);
        }
    }

    /// Changes a condition to a constant.
    fn predicate(&self, body: &ast::BlockExpr, found: &mut Vec<Mutant>) {
        if matches!(self.item.role, Role::Allowed(_) | Role::Invariant | Role::Idle | Role::Init) {
            let range = syntax::range(body.syntax().text_range());
            for value in ["true", "false"] {
                let replacement = format!("{{ {value} }}");
                found.push(self.mutant(range.clone(), &replacement, Kind::Guard, format!("always {value}")));
            }
        }
    }

    /// In a procedure, replaces a call by another operation of the layer below with the same signature.
    fn other_operations(&self, call: &ast::MethodCallExpr, found: &mut Vec<Mutant>) {
        let Some(name) = call.name_ref().filter(|_| is_call_below(call)) else { return };
        let Some(owner) = self.owner() else { return };
        let Some(implementation) = self.program.implementations.iter().find(|it| it.name == owner) else { return };
        let operations = &self.program.layers[implementation.lower.0 as usize].operations;
        let Some(called) = operations.iter().find(|it| name.text() == it.name.as_str()) else { return };
        for other in operations.iter().filter(|it| it.name != called.name) {
            if self.signature(other) == self.signature(called) {
                let change = format!("{} calls `{}` instead", self.quoted(call.syntax()), other.name);
                found.push(self.mutant(syntax::range(name.syntax().text_range()), &other.name, Kind::Call, change));
            }
        }
    }

    /// The types of an operation's arguments, without its state and the process, and of its result.
    fn signature(&self, operation: &Operation) -> (Vec<&Type>, &Type) {
        let function = &self.program.functions[operation.function.0 as usize];
        let parameters = function.locals[..function.parameters as usize].iter().skip(2);
        (parameters.map(|it| &it.ty).collect(), &function.result)
    }

    /// Changes a claim to one that promises something else, or more. A weaker claim needs no check.
    fn claim(&self, found: &mut Vec<Mutant>) {
        let Role::Op { claim: Some((claim, word)), .. } = &self.item.role else { return };
        let others: &[&str] = match claim {
            Claim::Right => &["left", "both"],
            Claim::Left => &["right", "both"],
            Claim::Non => &["right", "left"],
            Claim::Both => &[],
        };
        let span = self.indexed.positions.span(self.file, word);
        for other in others {
            let change = format!("the claim `{}` made `{other}`", word.text);
            found.push(self.mutant(span.start..span.end, other, Kind::Claim, change));
        }
    }

    /// The changes to one node, not to its children.
    fn node(&self, node: &SyntaxNode, found: &mut Vec<Mutant>) {
        if let Some(statement) = ast::ExprStmt::cast(node.clone()) {
            self.statement(&statement, found);
        }
        if let Some(list) = ast::StmtList::cast(node.clone()) {
            self.exchanges(&list, found);
        }
        let Some(expression) = ast::Expr::cast(node.clone()) else { return };
        match &expression {
            ast::Expr::BinExpr(it) => self.binary(it, found),
            ast::Expr::PrefixExpr(it) => self.negation(it, found),
            ast::Expr::Literal(it) => self.literal(it, found),
            ast::Expr::IfExpr(it) => self.condition(it.condition(), found),
            ast::Expr::WhileExpr(it) if it.loop_body().is_some() => self.condition(it.condition(), found),
            ast::Expr::MethodCallExpr(it) => self.other_operations(it, found),
            ast::Expr::CallExpr(it) if is_call_of(it, "maybe") => {
                for choice in ["true", "false"] {
                    self.replace(node, choice, found);
                }
            }
            ast::Expr::CallExpr(it) if is_call_of(it, "when") => {
                self.condition(it.arg_list().and_then(|it| it.args().next()), found);
            }
            _ => {}
        }
    }

    /// Removes a step or a guard.
    fn statement(&self, statement: &ast::ExprStmt, found: &mut Vec<Mutant>) {
        let Some(expression) = statement.expr() else { return };
        let is_step = match &expression {
            ast::Expr::BinExpr(it) => matches!(it.op_kind(), Some(BinaryOp::Assignment { .. })),
            ast::Expr::MethodCallExpr(_) | ast::Expr::CallExpr(_) => true,
            ast::Expr::MacroExpr(it) => it.syntax().text().to_string().starts_with("assert"),
            _ => false,
        };
        if is_step {
            let kind = match &expression {
                ast::Expr::CallExpr(it) if is_call_of(it, "when") => Kind::Guard,
                ast::Expr::MacroExpr(_) => Kind::Guard,
                _ => self.kind(statement.syntax()),
            };
            let change = format!("{} left out", self.quoted(expression.syntax()));
            found.push(self.mutant(syntax::range(statement.syntax().text_range()), "", kind, change));
        }
    }

    /// In a procedure, exchanges two adjacent calls of the layer below.
    fn exchanges(&self, list: &ast::StmtList, found: &mut Vec<Mutant>) {
        if self.kind(list.syntax()) != Kind::Call {
            return;
        }
        let statements: Vec<SyntaxNode> = list.statements().map(|it| it.syntax().clone()).collect();
        for pair in statements.windows(2) {
            let [first, second] = pair else { continue };
            if calls_below(first) && calls_below(second) {
                let range = |it: &SyntaxNode| syntax::text_range(it);
                let (one, other) = (range(first), range(second));
                let text = |it: &Range<u32>| &self.text[it.start as usize..it.end as usize];
                let between = one.end..other.start;
                let replacement = [text(&other), text(&between), text(&one)].concat();
                let change = format!("{} and {} exchanged", self.quoted(first), self.quoted(second));
                found.push(self.mutant(one.start..other.end, &replacement, Kind::Call, change));
            }
        }
    }

    /// Negates a comparison, removes one side of a conjunction or disjunction, or turns a sum into a difference.
    fn binary(&self, it: &ast::BinExpr, found: &mut Vec<Mutant>) {
        let (Some(left), Some(right), Some(operator)) = (it.lhs(), it.rhs(), it.op_details()) else { return };
        let other = match operator.1 {
            BinaryOp::LogicOp(LogicOp::And | LogicOp::Or) => {
                for side in [left, right] {
                    self.replace(it.syntax(), &side.syntax().text().to_string(), found);
                }
                return;
            }
            BinaryOp::CmpOp(CmpOp::Eq { negated: false }) => "!=",
            BinaryOp::CmpOp(CmpOp::Eq { negated: true }) => "==",
            BinaryOp::CmpOp(CmpOp::Ord { ordering: Ordering::Less, strict }) => {
                if strict {
                    "<="
                } else {
                    "<"
                }
            }
            BinaryOp::CmpOp(CmpOp::Ord { ordering: Ordering::Greater, strict }) => {
                if strict {
                    ">="
                } else {
                    ">"
                }
            }
            BinaryOp::ArithOp(ArithOp::Add) => "-",
            BinaryOp::ArithOp(ArithOp::Sub) => "+",
            _ => return,
        };
        let token = operator.0;
        let change = format!("{} with `{other}` for `{}`", self.quoted(it.syntax()), token.text());
        found.push(self.mutant(syntax::range(token.text_range()), other, self.kind(it.syntax()), change));
    }

    /// Replaces `!x` by `x`.
    fn negation(&self, it: &ast::PrefixExpr, found: &mut Vec<Mutant>) {
        if let (Some(UnaryOp::Not), Some(inner)) = (it.op_kind(), it.expr()) {
            self.replace(it.syntax(), &inner.syntax().text().to_string(), found);
        }
    }

    /// Replaces a truth value by the other, or a number by the next.
    fn literal(&self, it: &ast::Literal, found: &mut Vec<Mutant>) {
        match it.kind() {
            ast::LiteralKind::Bool(value) => self.replace(it.syntax(), if value { "false" } else { "true" }, found),
            ast::LiteralKind::IntNumber(number) => {
                let next = number.value().ok().and_then(|it| it.checked_add(1));
                if let Some(next) = next {
                    let suffix = number.suffix().unwrap_or_default();
                    self.replace(it.syntax(), &format!("{next}{suffix}"), found);
                }
            }
            _ => {}
        }
    }

    /// Negates a condition, unless a change inside does that.
    fn condition(&self, condition: Option<ast::Expr>, found: &mut Vec<Mutant>) {
        let Some(condition) = condition else { return };
        let changes_inside = match &condition {
            ast::Expr::BinExpr(_) | ast::Expr::PrefixExpr(_) | ast::Expr::LetExpr(_) | ast::Expr::Literal(_) => true,
            ast::Expr::CallExpr(it) => is_call_of(it, "maybe"),
            _ => false,
        };
        if !changes_inside {
            self.replace(condition.syntax(), &format!("!{}", condition.syntax().text()), found);
        }
    }

    fn replace(&self, node: &SyntaxNode, by: &str, found: &mut Vec<Mutant>) {
        let change = format!("{} made {}", self.quoted(node), quoted(by));
        found.push(self.mutant(syntax::range(node.text_range()), by, self.kind(node), change));
    }

    fn mutant(&self, range: Range<u32>, replacement: &str, kind: Kind, change: String) -> Mutant {
        Mutant {
            span: Span { file: self.file, start: range.start, end: range.end },
            replacement: replacement.to_owned(),
            kind,
            owner: self.owner().unwrap_or_default().to_owned(),
            function: self.item.name.text.clone(),
            change,
        }
    }

    /// The name of the layer, implementation or type that contains the function.
    fn owner(&self) -> Option<&str> {
        let block = self.block()?;
        let name = match block.role {
            ImplRole::Layer(_) => block.trait_name.as_ref(),
            _ => block.self_type.as_ref(),
        };
        name.map(|it| it.text.as_str())
    }

    fn block(&self) -> Option<&ImplItem> {
        self.indexed.index.impls.get(self.item.owner? as usize)
    }

    fn quoted(&self, node: &SyntaxNode) -> String {
        let range = syntax::text_range(node);
        quoted(&self.text[range.start as usize..range.end as usize])
    }

    /// The kind of a change inside this node.
    fn kind(&self, node: &SyntaxNode) -> Kind {
        let is_guard = |it: SyntaxNode| ast::CallExpr::cast(it).is_some_and(|it| is_call_of(&it, "when"));
        match &self.item.role {
            Role::Init | Role::Invariant | Role::Idle | Role::Allowed(_) => Kind::Guard,
            Role::Abstraction => Kind::Operation,
            _ if node.ancestors().any(is_guard) => Kind::Guard,
            _ if self.block().is_some_and(|it| matches!(it.role, ImplRole::Implement(_))) => Kind::Call,
            _ => Kind::Operation,
        }
    }
}

/// A piece of source in one line, in quotes.
fn quoted(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    format!("`{}`", words.join(" "))
}

/// Whether it calls the language function of this name.
fn is_call_of(call: &ast::CallExpr, name: &str) -> bool {
    let called = call.expr().map(|it| it.syntax().text().to_string());
    called.as_deref() == Some(name) && call.arg_list().is_some()
}

/// Whether a statement calls an operation of the layer below.
fn calls_below(statement: &SyntaxNode) -> bool {
    statement.descendants().filter_map(ast::MethodCallExpr::cast).any(|it| is_call_below(&it))
}

/// Whether it is a method call on the first parameter, by which procedures call the layer below.
fn is_call_below(call: &ast::MethodCallExpr) -> bool {
    let below = || {
        let function = call.syntax().ancestors().find_map(ast::Fn::cast)?;
        let ast::Pat::IdentPat(below) = function.param_list()?.params().next()?.pat()? else { return None };
        Some(below.name()?.text().to_string())
    };
    call.receiver().map(|it| it.syntax().text().to_string()).is_some_and(|receiver| below() == Some(receiver))
}
