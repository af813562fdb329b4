//! Which functions cannot panic, whatever state they run in: seen from the text alone, so that nothing has to be explored for them.
//!
//! Cautious: a function that only *might* panic as far as its text tells is left to exploration.

use crate::ir::{
    Argument, Expr, ExprKind, Function, FunctionId, Pattern, Place, Prim, Program, Projection, Stmt, Type, TypeDefKind,
};

/// For each function of a program, whether it might panic.
pub fn might_panic(program: &Program) -> Vec<bool> {
    let mut might = vec![false; program.functions.len()];
    loop {
        let mut changed = false;
        for (index, function) in program.functions.iter().enumerate() {
            let finder = Finder { program, function, might: &might };
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

struct Finder<'a> {
    program: &'a Program,
    function: &'a Function,
    might: &'a [bool],
}

impl Finder<'_> {
    fn expr(&self, expr: &Expr) -> bool {
        let here = match &expr.kind {
            ExprKind::Unsupported => true,
            ExprKind::Read(place) | ExprKind::Assign(place, _) | ExprKind::Mutate(_, place, _) => self.place(place),
            ExprKind::Prim(prim, operands) => match prim {
                Prim::Add
                | Prim::Sub
                | Prim::Mul
                | Prim::Div
                | Prim::Rem
                | Prim::Neg
                | Prim::Cast
                | Prim::Range
                | Prim::Sum => true,
                Prim::Index => !matches!(operands.first(), Some(Expr { ty: Type::Total(..), .. })),
                _ => false,
            },
            ExprKind::Call(callee, arguments) => {
                let FunctionId(callee) = callee;
                let places = arguments.iter().any(|it| matches!(it, Argument::InOut(place) if self.place(place)));
                self.might[*callee as usize] || places
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
        here || inside
    }

    /// Whether going down a place may miss: a key of a map, an index of a sequence.
    fn place(&self, place: &Place) -> bool {
        let mut ty = &self.function.locals[place.local.0 as usize].ty;
        for projection in &place.path {
            ty = match (projection, ty) {
                (Projection::Field(index), Type::Tuple(fields)) => &fields[*index as usize],
                (Projection::Field(index), Type::User(id)) => match &self.program.types[id.0 as usize].kind {
                    TypeDefKind::Struct(fields) => &fields[*index as usize].ty,
                    _ => return true,
                },
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
