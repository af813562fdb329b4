//! More methods of iterators that are written out as loops: those that stop early, join sequences, or look for the greatest or the least.

use super::Body;
use crate::{
    ir::lower::{
        spot::Spot,
        ty::{Con, Ty},
    },
    ir::{Arith, Arm, Each, Expr, ExprKind, Literal, LocalId, Mutation, Overflow, Pattern, Place, Prim, Stmt},
    syntax::ast,
};

/// The methods that are written out here.
pub(super) const METHODS: &[&str] = &[
    "chain",
    "find_map",
    "flat_map",
    "flatten",
    "map_while",
    "max_by",
    "max_by_key",
    "min_by",
    "min_by_key",
    "product",
    "reduce",
    "skip_while",
    "step_by",
    "take_while",
];

impl Body<'_> {
    /// Lowers the closure of an iterator. It may change nothing outside of it, and takes no steps.
    pub(super) fn in_adaptor<T>(&mut self, closure: impl FnOnce(&mut Self) -> T) -> T {
        self.adaptors += 1;
        let first = std::mem::replace(&mut self.first_in_adaptor, self.locals.len() as u32);
        let lowered = closure(self);
        self.first_in_adaptor = first;
        self.adaptors -= 1;
        lowered
    }

    /// A method that is written out; `None` if there is a fault, which is reported, or no such method.
    pub(super) fn written_out_loop(
        &mut self,
        sequence: Expr,
        element: &Ty,
        name: &str,
        values: &[ast::Expr],
        spot: Spot,
        statements: &mut Vec<Stmt>,
    ) -> Option<Expr> {
        Some(match (name, values) {
            ("chain", [other]) => {
                let sequence = self.stored("sequence", sequence, spot, statements);
                let other = self.expr(other, None);
                let (other, found) = self.sequence(other);
                if !self.infer.unify(&found, element) {
                    self.mismatch(spot, element, &found);
                    return None;
                }
                let other = self.stored("other", other, spot, statements);
                let made = self.empty(element, spot, statements);
                for part in [sequence, other] {
                    let (pattern, one) = self.part(element, spot);
                    let push = Stmt::Expr(self.push(made, one, spot));
                    let turns = self.turns(pattern, part, vec![push], spot);
                    statements.push(turns);
                }
                self.read_local(made, spot)
            }
            ("find_map", [closure]) => {
                let ty = Ty::option(self.infer.fresh());
                let (pattern, body) = self.in_adaptor(|this| this.sound_closure(closure, element, &ty))?;
                let none = self.make(spot, ty.clone(), ExprKind::Variant(0, Vec::new()));
                let found = self.variable("found", none, statements);
                let set = self.set_to(found, body, spot);
                let read = self.read_local(found, spot);
                let stop = self.leave_if(read, 1, spot);
                statements.push(self.turns(pattern, sequence, vec![set, stop], spot));
                self.read_local(found, spot)
            }
            ("take_while", [closure]) => {
                let (local, keeps) = self.test_of(closure, element, spot)?;
                self.defer(&keeps);
                let made = self.empty(element, spot, statements);
                let one = self.read_local(local, spot);
                let push = self.push(made, one, spot);
                let leave = self.make(spot, Ty::NEVER, ExprKind::Break(None));
                let turn = self.choice(keeps, push, leave, spot);
                statements.push(self.turns(Pattern::Bind(local), sequence, vec![turn], spot));
                self.read_local(made, spot)
            }
            ("skip_while", [closure]) => {
                let (local, skips) = self.test_of(closure, element, spot)?;
                self.defer(&skips);
                let made = self.empty(element, spot, statements);
                let yes = self.boolean(spot, true);
                let skipping = self.variable("skipping", yes, statements);
                let read = self.read_local(skipping, spot);
                let skips = self.make(spot, Ty::BOOL, ExprKind::And(Box::new(read), Box::new(skips)));
                let no = self.boolean(spot, false);
                let ends = self.set_to(skipping, no, spot);
                let one = self.read_local(local, spot);
                let push = self.push(made, one, spot);
                let kept = self.make(spot, Ty::UNIT, ExprKind::Block(vec![ends, Stmt::Expr(push)], None));
                let nothing = self.unit(spot);
                let turn = self.choice(skips, nothing, kept, spot);
                statements.push(self.turns(Pattern::Bind(local), sequence, vec![turn], spot));
                self.read_local(made, spot)
            }
            ("map_while", [closure]) => {
                let ty = Ty::option(self.infer.fresh());
                let (pattern, body) = self.in_adaptor(|this| this.sound_closure(closure, element, &ty))?;
                self.defer(&body);
                let Ty::Con(_, types) = &ty else { return None };
                let made = self.empty(&types[0], spot, statements);
                let (found, one) = self.part(&types[0], spot);
                let push = self.push(made, one, spot);
                let leave = self.make(spot, Ty::NEVER, ExprKind::Break(None));
                let turn = self.by_case(body, found, push, leave, Ty::UNIT, spot);
                statements.push(self.turns(pattern, sequence, vec![Stmt::Expr(turn)], spot));
                self.read_local(made, spot)
            }
            ("step_by", [step]) => {
                let sequence = self.stored("sequence", sequence, spot, statements);
                let step = self.check(step, &Ty::U64);
                let step = self.stored("step", step, spot, statements);
                let number = |this: &mut Self| this.make(spot, Ty::U64, ExprKind::Literal(Literal::Int(0)));
                let zero = number(self);
                let is_some = self.make(spot, Ty::BOOL, ExprKind::Prim(Prim::Ne, vec![step.clone(), zero]));
                let assert = self.make(spot, Ty::UNIT, ExprKind::Assert(Box::new(is_some)));
                statements.push(Stmt::Expr(assert));
                self.numbered(sequence, spot, statements, |this, at, one| {
                    let remainder = Prim::Arith(Arith::Rem, Overflow::Panics);
                    let remainder = this.make(spot, Ty::U64, ExprKind::Prim(remainder, vec![at, step]));
                    let zero = number(this);
                    (Some(this.make(spot, Ty::BOOL, ExprKind::Prim(Prim::Eq, vec![remainder, zero]))), one)
                })
            }
            ("product", []) => {
                self.integer_element(element, spot);
                let one = self.make(spot, element.clone(), ExprKind::Literal(Literal::Int(1)));
                let product = self.variable("product", one, statements);
                let (pattern, value) = self.part(element, spot);
                let read = self.read_local(product, spot);
                let times = Prim::Arith(Arith::Mul, Overflow::Panics);
                let next = self.make(spot, element.clone(), ExprKind::Prim(times, vec![read, value]));
                let next = self.set_to(product, next, spot);
                statements.push(self.turns(pattern, sequence, vec![next], spot));
                self.read_local(product, spot)
            }
            ("flat_map", [closure]) => {
                let (pattern, body) = self.in_adaptor(|this| this.closure(closure, element, None))?;
                self.defer(&body);
                self.flattened(pattern, sequence, body, spot, statements)?
            }
            ("flatten", []) => {
                let (pattern, value) = self.part(element, spot);
                self.flattened(pattern, sequence, value, spot, statements)?
            }
            ("reduce", [closure]) => {
                let types = [element.clone(), element.clone()];
                let (mut patterns, body) = self.in_adaptor(|this| this.closure_of(closure, &types, Some(element)))?;
                let (second, first) = (patterns.pop()?, patterns.pop()?);
                let best = self.first_of_none(element, spot, statements);
                let value = self.some_of(body, spot);
                self.with_best(best, sequence, second, first, value, spot, statements)
            }
            ("max_by" | "min_by", [closure]) => {
                let types = [element.clone(), element.clone()];
                let (mut patterns, body) =
                    self.in_adaptor(|this| this.closure_of(closure, &types, Some(&Ty::ORDERING)))?;
                let (second, first) = (patterns.pop()?, patterns.pop()?);
                // Of equal elements, `max_by` takes the last, and `min_by` the first. The closure compares the one so far with the next.
                let keeps = if name == "max_by" { [false, false, true] } else { [true, true, false] };
                let keeps = self.tested(body, keeps, spot);
                let ((old, so_far), (new, next)) = (self.bound(element, spot), self.bound(element, spot));
                let chosen = ExprKind::If(Box::new(keeps), Box::new(so_far), Box::new(next));
                let chosen = self.make(spot, element.clone(), chosen);
                let value = self.some_of(chosen, spot);
                let best = self.first_of_none(element, spot, statements);
                let (first, second) = (Pattern::At(old, Box::new(first)), Pattern::At(new, Box::new(second)));
                self.with_best(best, sequence, second, first, value, spot, statements)
            }
            ("max_by_key" | "min_by_key", [closure]) => {
                let (local, one) = self.bound(element, spot);
                let (pattern, key) = self.in_adaptor(|this| this.closure(closure, element, None))?;
                let keyed = Ty::tuple(vec![self.ty(&key), element.clone()]);
                let pair = self.make(spot, keyed.clone(), ExprKind::Tuple(vec![key, one]));
                let pairs = ExprKind::Each(
                    Each::Map,
                    Box::new(sequence),
                    Pattern::At(local, Box::new(pattern)),
                    Box::new(pair),
                );
                let pairs = self.make(spot, Ty::seq(keyed.clone()), pairs);
                let found = self.greatest(pairs, &keyed, name, spot, statements)?;
                let (pattern, value) = self.part(element, spot);
                let some = self.some_of(value, spot);
                let none = self.make(spot, Ty::option(element.clone()), ExprKind::Variant(0, Vec::new()));
                let pattern = Pattern::Tuple(vec![Pattern::Wild, pattern]);
                self.by_case(found, pattern, some, none, Ty::option(element.clone()), spot)
            }
            _ => return None,
        })
    }

    /// The greatest or least element of a sequence, as an option: by the order of its elements, or, for `…_by_key`, of their first parts.
    pub(super) fn greatest(
        &mut self,
        sequence: Expr,
        element: &Ty,
        name: &str,
        spot: Spot,
        statements: &mut Vec<Stmt>,
    ) -> Option<Expr> {
        let ((old, so_far), (new, next)) = (self.bound(element, spot), self.bound(element, spot));
        let compared = match element {
            Ty::Con(Con::Tuple, types) if name.ends_with("_by_key") => {
                let key = |this: &mut Self, of: &Expr| {
                    this.make(spot, types[0].clone(), ExprKind::Field(Box::new(of.clone()), 0))
                };
                let (one, other) = (key(self, &so_far), key(self, &next));
                let mut before = Vec::new();
                let (one, other) =
                    (self.stored("key", one, spot, &mut before), self.stored("key", other, spot, &mut before));
                let compared = self.compared(&one, &other, spot)?;
                self.after(before, compared, spot)
            }
            _ => self.compared(&so_far, &next, spot)?,
        };
        // Of equal elements, Rust takes the last greatest and the first least one.
        let keeps = if name.starts_with("max") { [false, false, true] } else { [true, true, false] };
        let keeps = self.tested(compared, keeps, spot);
        let chosen = ExprKind::If(Box::new(keeps), Box::new(so_far), Box::new(next));
        let chosen = self.make(spot, element.clone(), chosen);
        let value = self.some_of(chosen, spot);
        let best = self.first_of_none(element, spot, statements);
        Some(self.with_best(best, sequence, Pattern::Bind(new), Pattern::Bind(old), value, spot, statements))
    }

    /// A variable for the element so far.
    fn first_of_none(&mut self, element: &Ty, spot: Spot, statements: &mut Vec<Stmt>) -> LocalId {
        let none = self.make(spot, Ty::option(element.clone()), ExprKind::Variant(0, Vec::new()));
        self.variable("best", none, statements)
    }

    /// `for next in sequence { best = match best { Some(so_far) => value, None => Some(next) } }`.
    #[expect(clippy::too_many_arguments, reason = "the parts of one loop")]
    fn with_best(
        &mut self,
        best: LocalId,
        sequence: Expr,
        next: Pattern,
        so_far: Pattern,
        value: Expr,
        spot: Spot,
        statements: &mut Vec<Stmt>,
    ) -> Expr {
        let ty = self.locals[best.0 as usize].ty.clone();
        let element = match &ty {
            Ty::Con(_, types) => types[0].clone(),
            other => other.clone(),
        };
        let (found, one) = self.bound(&element, spot);
        let old = self.read_local(best, spot);
        let first = self.some_of(one, spot);
        let new = self.by_case(old, so_far, value, first, ty, spot);
        let turn = self.set_to(best, new, spot);
        statements.push(self.turns(Pattern::At(found, Box::new(next)), sequence, vec![turn], spot));
        self.read_local(best, spot)
    }

    /// A sequence of the elements of sequences, one for each element.
    fn flattened(
        &mut self,
        pattern: Pattern,
        sequence: Expr,
        of_one: Expr,
        spot: Spot,
        statements: &mut Vec<Stmt>,
    ) -> Option<Expr> {
        let (inner, element) = self.sequence(of_one);
        if element == Ty::Error {
            return None;
        }
        let made = self.empty(&element, spot, statements);
        let (each, one) = self.part(&element, spot);
        let push = self.push(made, one, spot);
        let turns = self.turns(each, inner, vec![Stmt::Expr(push)], spot);
        statements.push(self.turns(pattern, sequence, vec![turns], spot));
        Some(self.read_local(made, spot))
    }

    /// A closure that tests an element, which is bound to a variable.
    fn test_of(&mut self, closure: &ast::Expr, element: &Ty, spot: Spot) -> Option<(LocalId, Expr)> {
        let (local, value) = self.bound(element, spot);
        let (pattern, test) = self.in_adaptor(|this| this.closure(closure, element, Some(&Ty::BOOL)))?;
        let statements = vec![Stmt::Let(pattern, value)];
        Some((local, self.after(statements, test, spot)))
    }

    /// A new variable, and a read of it.
    fn bound(&mut self, ty: &Ty, spot: Spot) -> (LocalId, Expr) {
        let local = self.fresh_local("value", ty.clone(), false);
        (local, self.read_local(local, spot))
    }

    /// `let mut name = value;`
    pub(super) fn variable(&mut self, name: &str, value: Expr, statements: &mut Vec<Stmt>) -> LocalId {
        let local = self.fresh_local(name, self.ty(&value), true);
        statements.push(Stmt::Let(Pattern::Bind(local), value));
        local
    }

    /// A variable with an empty sequence.
    pub(super) fn empty(&mut self, element: &Ty, spot: Spot, statements: &mut Vec<Stmt>) -> LocalId {
        let none = self.make(spot, Ty::seq(element.clone()), ExprKind::Prim(Prim::Elements, Vec::new()));
        self.variable("made", none, statements)
    }

    pub(super) fn set_to(&mut self, local: LocalId, value: Expr, spot: Spot) -> Stmt {
        let place = Place { local, path: Vec::new() };
        Stmt::Expr(self.make(spot, Ty::UNIT, ExprKind::Assign(place, Box::new(value))))
    }

    pub(super) fn push(&mut self, into: LocalId, value: Expr, spot: Spot) -> Expr {
        let place = Place { local: into, path: Vec::new() };
        self.make(spot, Ty::UNIT, ExprKind::Mutate(Mutation::Push, place, vec![value]))
    }

    fn choice(&mut self, condition: Expr, then: Expr, otherwise: Expr, spot: Spot) -> Stmt {
        let kind = ExprKind::If(Box::new(condition), Box::new(then), Box::new(otherwise));
        Stmt::Expr(self.make(spot, Ty::UNIT, kind))
    }

    /// Leaves the loop if the value is the variant `tag` of two, with one part.
    fn leave_if(&mut self, value: Expr, tag: u32, spot: Spot) -> Stmt {
        let leave = self.make(spot, Ty::NEVER, ExprKind::Break(None));
        let nothing = self.unit(spot);
        let arms = vec![
            Arm { pattern: Pattern::Variant(tag, vec![Pattern::Wild]), guard: None, body: leave },
            Arm { pattern: Pattern::Wild, guard: None, body: nothing },
        ];
        Stmt::Expr(self.make(spot, Ty::UNIT, ExprKind::Match(Box::new(value), arms)))
    }

    pub(super) fn turns(&mut self, pattern: Pattern, sequence: Expr, body: Vec<Stmt>, spot: Spot) -> Stmt {
        let body = self.make(spot, Ty::UNIT, ExprKind::Block(body, None));
        let kind = ExprKind::For(pattern, Box::new(sequence), Box::new(body));
        Stmt::Expr(self.make(spot, Ty::UNIT, kind))
    }
}
