//! A dump of the IR for snapshots: close to the source, with locals by number so that hygiene shows.

use cspec_analysis::ir::{
    Argument, Arm, Expr, ExprKind, Function, Literal, LocalId, Pattern, Place, Program, Projection, Stmt,
};

/// One function of a program, by name.
pub fn function(program: &Program, name: &str) -> String {
    let found = program.functions.iter().find(|it| it.name == name).expect("a function of that name");
    let dump = Dump { program, function: found };
    let parameters: Vec<String> = found.locals[..found.parameters as usize]
        .iter()
        .enumerate()
        .map(|(number, it)| {
            let inout = if it.inout { "inout " } else { "" };
            format!("{inout}{}: {}", dump.local(LocalId(number as u32)), program.type_name(&it.ty))
        })
        .collect();
    format!("{name}({}) -> {}: {}", parameters.join(", "), program.type_name(&found.result), dump.expr(&found.body, 0))
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
