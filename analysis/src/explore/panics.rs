//! Finds functions that cannot panic, and functions that only compute a value, in any state. It judges by their text, so that
//! nothing has to be explored for them.
//!
//! The analysis is conservative: a function that *might* panic is left to exploration.

use crate::ir::{
    Argument, Arith, Expr, ExprKind, Function, FunctionId, Overflow, Pattern, Place, Prim, Program, Projection, Stmt,
    Type, TypeDefKind,
};

/// For each function of a program, whether it might panic.
pub fn might_panic(program: &Program) -> Vec<bool> {
    let mut might = vec![false; program.functions.len()];
    loop {
        let mut changed = false;
        for (index, function) in program.functions.iter().enumerate() {
            let finder = Finder { program, function, might: &might, panics: true, also: |_| false };
            if !might[index] && finder.expr(&function.body) {
                might[index] = true;
                changed = true;
            }
        }
        if !changed {
            return might;
        }
    }
}

/// Finds code that only computes a value: it does not fail, block, choose, emit, change anything, run for ever, or panic. No observer can
/// tell whether such code has been run.
pub struct Quiet<'p> {
    program: &'p Program,
    unless_it_panics: bool,
    might_not_be: Vec<bool>,
}

impl<'p> Quiet<'p> {
    /// Analyses all functions of a program. `unless_it_panics`: code that may panic, but has no other effect, counts as quiet, too.
    pub fn new(program: &'p Program, unless_it_panics: bool) -> Quiet<'p> {
        // A recursive function is never considered quiet.
        let mut quiet = Quiet { program, unless_it_panics, might_not_be: vec![true; program.functions.len()] };
        loop {
            let mut changed = false;
            for (index, function) in program.functions.iter().enumerate() {
                if quiet.might_not_be[index] && !quiet.finder(function, is_heard).expr(&function.body) {
                    quiet.might_not_be[index] = false;
                    changed = true;
                }
            }
            if !changed {
                return quiet;
            }
        }
    }

    /// Whether this expression of `function` only computes a value.
    pub fn is_quiet(&self, function: &Function, expr: &Expr) -> bool {
        !self.finder(function, is_heard_around).expr(expr)
    }

    fn finder<'a>(&'a self, function: &'a Function, also: fn(&Expr) -> bool) -> Finder<'a> {
        let Quiet { program, unless_it_panics, might_not_be } = self;
        Finder { program, function, might: might_not_be, panics: !unless_it_panics, also }
    }
}

/// Whether an effect of an expression is visible outside: not an early return, or a change of the function's own variables.
fn is_heard(expr: &Expr) -> bool {
    let changes_argument = |it: &Argument| matches!(it, Argument::InOut(_));
    match &expr.kind {
        ExprKind::Unsupported
        | ExprKind::Assert(_)
        | ExprKind::When(_)
        | ExprKind::Emit(_)
        | ExprKind::External
        | ExprKind::Maybe
        | ExprKind::Any
        | ExprKind::Choose(_)
        | ExprKind::Perform(..)
        | ExprKind::Loop(_)
        | ExprKind::While(..) => true,
        ExprKind::Call(_, arguments) => arguments.iter().any(changes_argument),
        _ => false,
    }
}

/// Whether an effect of a part of a function is visible outside.
fn is_heard_around(expr: &Expr) -> bool {
    is_heard(expr) || matches!(expr.kind, ExprKind::Return(_) | ExprKind::Assign(..) | ExprKind::Mutate(..))
}

struct Finder<'a> {
    program: &'a Program,
    function: &'a Function,
    might: &'a [bool],
    /// Whether the search looks for panics.
    panics: bool,
    /// A further property to search for.
    also: fn(&Expr) -> bool,
}

impl Finder<'_> {
    fn expr(&self, expr: &Expr) -> bool {
        let mut calls = false;
        let here = match &expr.kind {
            ExprKind::Unsupported => true,
            ExprKind::Read(place) | ExprKind::Assign(place, _) | ExprKind::Mutate(_, place, _) => self.place(place),
            ExprKind::Prim(prim, operands) => match prim {
                Prim::Arith(_, Overflow::Panics) | Prim::Sum => true,
                // These operations are undefined for a divisor of 0.
                Prim::Arith(arith, Overflow::Wraps | Overflow::Saturates | Overflow::Reports) => {
                    matches!(arith, Arith::Div | Arith::Rem | Arith::DivEuclid | Arith::RemEuclid)
                }
                Prim::Index => !matches!(operands.first(), Some(Expr { ty: Type::Total(..), .. })),
                _ => false,
            },
            ExprKind::Call(callee, arguments) => {
                let FunctionId(callee) = callee;
                let places = arguments.iter().any(|it| matches!(it, Argument::InOut(place) if self.place(place)));
                calls = self.might[*callee as usize];
                places
            }
            ExprKind::Match(value, arms) => {
                let unguarded: Vec<&Pattern> =
                    arms.iter().filter(|it| it.guard.is_none()).map(|it| &it.pattern).collect();
                !self.covers(&unguarded, &value.ty)
            }
            ExprKind::Block(statements, _) => statements.iter().any(|it| match it {
                Stmt::Let(pattern, value) => !self.covers(&[pattern], &value.ty),
                Stmt::Expr(_) => false,
            }),
            ExprKind::For(pattern, sequence, _) | ExprKind::Each(_, sequence, pattern, _) => match &sequence.ty {
                Type::Seq(element) => !self.covers(&[pattern], element),
                _ => true,
            },
            _ => false,
        };
        let mut inside = false;
        expr.for_each_child(&mut |child| inside |= self.expr(child));
        (self.panics && here) || calls || inside || (self.also)(expr)
    }

    /// Whether following a place may fail: a key of a map, an index of a sequence.
    fn place(&self, place: &Place) -> bool {
        let mut ty = &self.function.locals[place.local.0 as usize].ty;
        for projection in &place.path {
            ty = match (projection, ty) {
                (Projection::Field(index), Type::Tuple(fields)) => &fields[*index as usize],
                (Projection::Field(index), Type::User(id)) => match &self.program.types[id.0 as usize].kind {
                    TypeDefKind::Struct(fields) => &fields[*index as usize].ty,
                    _ => return true,
                },
                // It is there: a pattern has found it.
                (Projection::Payload(_), Type::Option(inner)) => inner,
                (Projection::Index(_), Type::Total(_, value)) => value,
                _ => return true,
            };
        }
        false
    }

    /// Whether the patterns cover every value of a type.
    fn covers(&self, patterns: &[&Pattern], ty: &Type) -> bool {
        if patterns.iter().any(|it| self.is_irrefutable(it, ty)) {
            return true;
        }
        let variants: Vec<Vec<Type>> = match ty {
            Type::Option(inner) => vec![vec![], vec![(**inner).clone()]],
            Type::Result(ok, err) => vec![vec![(**ok).clone()], vec![(**err).clone()]],
            Type::User(id) => match &self.program.types[id.0 as usize].kind {
                TypeDefKind::Enum(variants) => {
                    variants.iter().map(|it| it.fields.iter().map(|field| field.ty.clone()).collect()).collect()
                }
                _ => return false,
            },
            _ => return false,
        };
        variants.iter().enumerate().all(|(tag, fields)| {
            patterns.iter().any(|it| matches!(it, Pattern::Variant(of, inner) if *of == tag as u32 && self.all_irrefutable(inner, fields)))
        })
    }

    fn is_irrefutable(&self, pattern: &Pattern, ty: &Type) -> bool {
        match (pattern, ty) {
            (Pattern::Wild | Pattern::Bind(_), _) => true,
            (Pattern::At(_, inner), _) => self.is_irrefutable(inner, ty),
            (Pattern::Tuple(inner), Type::Tuple(fields)) => self.all_irrefutable(inner, fields),
            (Pattern::Tuple(inner), Type::User(id)) => match &self.program.types[id.0 as usize].kind {
                TypeDefKind::Struct(fields) => {
                    inner.iter().zip(fields).all(|(pattern, field)| self.is_irrefutable(pattern, &field.ty))
                }
                _ => false,
            },
            (Pattern::Or(alternatives), _) => self.covers(&alternatives.iter().collect::<Vec<_>>(), ty),
            _ => false,
        }
    }

    fn all_irrefutable(&self, patterns: &[Pattern], types: &[Type]) -> bool {
        patterns.iter().zip(types).all(|(pattern, ty)| self.is_irrefutable(pattern, ty))
    }
}
