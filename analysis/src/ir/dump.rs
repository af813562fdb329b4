//! Prints the IR as text, close to the source, with numbered locals so that scoping is visible.
//!
//! `cargo cspec debug` prints it, and the snapshots of the lowering tests contain it. No program parses it.

use super::{
    Argument, Arm, Code, Expr, ExprKind, Function, FunctionId, Implementation, Justification, Layer, Literal, LocalId,
    Pattern, Place, Program, Projection, Stmt, TypeDef, TypeDefKind,
};

/// Prints a whole program: types, layers, implementations, then every function. Slices are printed this way.
pub fn program(program: &Program) -> String {
    let types = program.types.iter().map(|it| type_definition(program, it));
    let layers = program.layers.iter().map(|it| layer(program, it));
    let implementations = program.implementations.iter().map(|it| implementation(program, it));
    let functions = program.functions.iter().map(|it| function(program, it));
    types.chain(layers).chain(implementations).chain(functions).map(|it| it + "\n").collect()
}

/// Prints one function of a program.
pub fn function(program: &Program, function: &Function) -> String {
    let dump = Dump { program, function };
    let parameters: Vec<String> = function.locals[..function.parameters as usize]
        .iter()
        .enumerate()
        .map(|(number, it)| {
            let inout = if it.inout { "inout " } else { "" };
            format!("{inout}{}: {}", dump.local(LocalId(number as u32)), program.type_name(&it.ty))
        })
        .collect();
    let (name, result) = (&function.name, program.type_name(&function.result));
    format!("{name}({}) -> {result}: {}", parameters.join(", "), dump.expr(&function.body, 0))
}

fn type_definition(program: &Program, definition: &TypeDef) -> String {
    let fields = |fields: &[super::Field]| -> String {
        let field = |it: &super::Field| format!("{}: {}", it.name, program.type_name(&it.ty));
        fields.iter().map(field).collect::<Vec<_>>().join(", ")
    };
    let name = &definition.name;
    match &definition.kind {
        TypeDefKind::Scalar => format!("scalar {name}"),
        TypeDefKind::Struct(parts) => format!("struct {name} {{ {} }}", fields(parts)),
        TypeDefKind::Enum(variants) => {
            let variant = |it: &super::Variant| format!("{}({})", it.name, fields(&it.fields));
            format!("enum {name} {{ {} }}", variants.iter().map(variant).collect::<Vec<_>>().join(", "))
        }
    }
}

fn layer(program: &Program, layer: &Layer) -> String {
    let name = |it: &FunctionId| program.functions[it.0 as usize].name.clone();
    let mut lines = Vec::new();
    for operation in &layer.operations {
        let allowed: Vec<String> = operation.allowed.iter().map(name).collect();
        let rules = if allowed.is_empty() { String::new() } else { format!(" where {}", allowed.join(" and ")) };
        lines.push(format!("op {} = {}{rules}", operation.name, name(&operation.function)));
    }
    lines.extend(layer.init.iter().map(|it| format!("init = {}", name(it))));
    lines.extend(layer.background.iter().map(|it| format!("background = {}", name(it))));
    lines.extend(layer.invariants.iter().map(|it| format!("invariant = {}", name(it))));
    lines.extend(layer.idle.iter().map(|it| format!("idle = {}", name(it))));
    lines.extend(layer.questions.iter().map(|(question, it)| format!("{} = {}", question.name(), name(it))));
    format!("layer {} over {} {}", layer.name, program.type_name(&layer.state), braces(&lines, 0))
}

fn implementation(program: &Program, implementation: &Implementation) -> String {
    let layer = |it: super::LayerId| &program.layers[it.0 as usize].name;
    let code = match &implementation.by {
        Justification::Movers(code) | Justification::Retry(code) | Justification::Search(code) => Some(code),
        Justification::Partition(partition) => Some(&partition.code),
        Justification::Abstraction(_) => None,
    };
    let line = |(name, how): (&String, &Code)| match how {
        Code::Pass => format!("{name} passes"),
        Code::Procedure(id) => format!("{name} = {}", program.functions[id.0 as usize].name),
    };
    let lines: Vec<String> = code.into_iter().flatten().map(line).collect();
    let (name, by) = (&implementation.name, implementation.by.name());
    let (upper, lower) = (layer(implementation.upper), layer(implementation.lower));
    format!("implementation {name}: {upper} over {lower} by {by} {}", braces(&lines, 0))
}

struct Dump<'a> {
    program: &'a Program,
    function: &'a Function,
}

impl Dump<'_> {
    fn local(&self, local: LocalId) -> String {
        format!("{}.{}", self.function.locals[local.0 as usize].name, local.0)
    }

    fn list(&self, parts: &[Expr], indent: usize) -> String {
        parts.iter().map(|it| self.expr(it, indent)).collect::<Vec<_>>().join(", ")
    }

    fn expr(&self, expr: &Expr, indent: usize) -> String {
        let one = |it: &Expr| self.expr(it, indent);
        match &expr.kind {
            ExprKind::Literal(it) => literal(it),
            ExprKind::Read(place) => self.place(place),
            ExprKind::Tuple(parts) => format!("({})", self.list(parts, indent)),
            ExprKind::Variant(number, parts) => format!("#{number}({})", self.list(parts, indent)),
            ExprKind::Field(inner, number) => format!("{}.{number}", one(inner)),
            ExprKind::Block(statements, value) => self.block(statements, value.as_deref(), indent),
            ExprKind::If(test, then, other) => format!("if {} {} else {}", one(test), one(then), one(other)),
            ExprKind::Match(value, arms) => self.matching(value, arms, indent),
            ExprKind::While(test, body) => format!("while {} {}", one(test), one(body)),
            ExprKind::Loop(body) => format!("loop {}", one(body)),
            ExprKind::For(pattern, over, body) => {
                format!("for {} in {} {}", self.pattern(pattern), one(over), one(body))
            }
            ExprKind::Break(value) => {
                format!("break {}", value.as_deref().map(one).unwrap_or_default()).trim_end().to_owned()
            }
            ExprKind::Continue => "continue".to_owned(),
            ExprKind::Return(value) => {
                format!("return {}", value.as_deref().map(one).unwrap_or_default()).trim_end().to_owned()
            }
            ExprKind::Assign(place, value) => format!("{} = {}", self.place(place), one(value)),
            ExprKind::Call(id, arguments) => {
                let argument = |it: &Argument| match it {
                    Argument::Value(value) => one(value),
                    Argument::InOut(place) => format!("inout {}", self.place(place)),
                };
                let arguments: Vec<String> = arguments.iter().map(argument).collect();
                format!("{}({})", self.program.functions[id.0 as usize].name, arguments.join(", "))
            }
            ExprKind::Perform(name, values) => format!("perform {name}({})", self.list(values, indent)),
            ExprKind::Prim(prim, values) => format!("{prim:?}({})", self.list(values, indent)),
            ExprKind::Mutate(mutation, place, values) => {
                format!(
                    "{mutation:?}!({}{}{})",
                    self.place(place),
                    if values.is_empty() { "" } else { ", " },
                    self.list(values, indent)
                )
            }
            ExprKind::And(left, right) => format!("({} && {})", one(left), one(right)),
            ExprKind::Or(left, right) => format!("({} || {})", one(left), one(right)),
            ExprKind::Each(each, over, pattern, body) => {
                format!("{}.{each:?}(|{}| {})", one(over), self.pattern(pattern), one(body))
            }
            ExprKind::Any => format!("any::<{}>()", self.program.type_name(&expr.ty)),
            ExprKind::Choose(inner) => format!("choose({})", one(inner)),
            ExprKind::When(inner) => format!("when({})", one(inner)),
            ExprKind::Assert(inner) => format!("assert({})", one(inner)),
            ExprKind::Emit(inner) => format!("emit({})", one(inner)),
            ExprKind::Maybe => "maybe()".to_owned(),
            ExprKind::External => "external()".to_owned(),
            ExprKind::Unsupported => "UNSUPPORTED".to_owned(),
        }
    }

    fn block(&self, statements: &[Stmt], value: Option<&Expr>, indent: usize) -> String {
        let inner = indent + 2;
        let mut lines: Vec<String> = statements
            .iter()
            .map(|it| match it {
                Stmt::Let(pattern, value) => format!("let {} = {};", self.pattern(pattern), self.expr(value, inner)),
                Stmt::Expr(value) => format!("{};", self.expr(value, inner)),
            })
            .collect();
        lines.extend(value.map(|it| self.expr(it, inner)));
        braces(&lines, indent)
    }

    fn matching(&self, value: &Expr, arms: &[Arm], indent: usize) -> String {
        let arm = |it: &Arm| {
            let guard = it.guard.as_ref().map(|it| format!(" if {}", self.expr(it, indent + 2))).unwrap_or_default();
            format!("{}{guard} => {}", self.pattern(&it.pattern), self.expr(&it.body, indent + 2))
        };
        format!("match {} {}", self.expr(value, indent), braces(&arms.iter().map(arm).collect::<Vec<_>>(), indent))
    }

    fn place(&self, place: &Place) -> String {
        place.path.iter().fold(self.local(place.local), |before, step| match step {
            Projection::Field(number) => format!("{before}.{number}"),
            Projection::Payload(number) => format!("{before}#{number}"),
            Projection::Index(index) => format!("{before}[{}]", self.expr(index, 0)),
        })
    }

    fn pattern(&self, pattern: &Pattern) -> String {
        let list = |parts: &[Pattern], by: &str| parts.iter().map(|it| self.pattern(it)).collect::<Vec<_>>().join(by);
        match pattern {
            Pattern::Wild => "_".to_owned(),
            Pattern::Bind(local) => self.local(*local),
            Pattern::At(local, inner) => format!("{} @ {}", self.local(*local), self.pattern(inner)),
            Pattern::Literal(it) => literal(it),
            Pattern::Range(ends) => {
                let end_of = |it: &Option<i128>| it.map(|it| it.to_string()).unwrap_or_default();
                format!("{}..={}", end_of(&ends[0]), end_of(&ends[1]))
            }
            Pattern::Tuple(parts) => format!("({})", list(parts, ", ")),
            Pattern::Variant(number, parts) => format!("#{number}({})", list(parts, ", ")),
            Pattern::Or(parts) => list(parts, " | "),
        }
    }
}

fn braces(lines: &[String], indent: usize) -> String {
    if lines.is_empty() {
        return "{}".to_owned();
    }
    let pad = " ".repeat(indent + 2);
    let body: Vec<String> = lines.iter().map(|it| format!("{pad}{it}")).collect();
    format!("{{\n{}\n{}}}", body.join("\n"), " ".repeat(indent))
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Bool(it) => it.to_string(),
        Literal::Int(it) => it.to_string(),
        Literal::Str(it) => format!("{it:?}"),
        Literal::Scalar(_, text) => format!("scalar {text}"),
    }
}
