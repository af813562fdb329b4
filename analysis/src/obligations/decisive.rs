//! Decisive steps: those of others that a call after the commit point has to move past.
//!
//! A step is an operation with its result. It is *decisive* in an implementation if some path of some procedure makes it as its commit point
//! or after that, whether it is left out there or not. All other steps are only made before commit points, as right or weak edges. Let `D` contain all
//! decisive steps of all procedures. Then it is enough that a left edge moves past the steps in `D`:
//!
//! ```text
//! P(s),  s --B@q/v,E--> s1 --o(a)/r--> s2,  (B, v) ∈ D   implies   ∃ s'. s --o(a)/r--> s' --B@q/v,E--> s2
//! ```
//!
//! For let another process make an edge that is not decisive, and then the left edge be made. The other edge is right, and moves right past
//! every step of others as judged. Or it is weak: it leaves no trace, and its result is any that the facts after it allow; the left edge keeps
//! these facts, as every step of others does. In both cases the two can be exchanged, although the left edge itself was not asked. Of two
//! processes one must be asked: before its commit point each is, past all steps.
//!
//! For a weak edge after a commit point that would not do. It is left out because of what the commit point has seen. If the left edge is moved
//! before both, the commit point sees something else, and the edge may no longer have its result.
//!
//! Two conditions:
//!
//! * The facts hold in every run, up to where the operation above fails. So a procedure may use its gate only if no step of others changes
//!   it (as in [`protocol`](super::protocol)): where it does not hold, the operation above can then fail. All steps of a procedure that
//!   needs another gate are decisive.
//! * A left edge must not hide that another call fails. So that is asked of all operations, as before.
//!
//! This is an addition to movers judged at the call. CSPEC asks about all steps of others (OSDI'18, section 6.1).

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::{
    explore::value::{Integer, Value},
    ir::{Expr, ExprKind, LayerId, LocalId, Program, Projection, Type},
};

/// A set of steps: operations with results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    results: BTreeMap<usize, Results>,
    tried: Tried,
}

/// Results of an operation, as far as they are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Results {
    All,
    These(BTreeSet<Told>),
}

/// What of a result is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    /// The variant of an enum, or the value of a `bool`.
    Variant(u32),
    /// An integer.
    Integer(Integer),
}

/// Which integers are told apart. A procedure is asked for some integers only. If it makes a step with none of these decisive, it may still do so
/// with others. So an integer is told apart only if it was tried, and if the operation returns what is in the state as it is: a result that
/// is computed may come from a state that was not tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Operations that return an integer of the state.
    loads: Rc<BTreeSet<usize>>,
    /// All integers of the state from 0 to this one are tried.
    most: u32,
}

impl Tried {
    /// The integers from 0 to `most`, where procedures over `layer` are asked.
    pub fn up_to(program: &Program, layer: LayerId, most: u32) -> Tried {
        let operations = &program.layers[layer.0 as usize].operations;
        let is_load = |operation: &usize| {
            let function = &program.functions[operations[*operation].function.0 as usize];
            matches!(function.result, Type::Int { .. }) && is_component(&function.body)
        };
        Tried { loads: Rc::new((0..operations.len()).filter(is_load).collect()), most }
    }

    fn contains(&self, operation: usize, integer: Integer) -> bool {
        self.loads.contains(&operation) && (0..=i128::from(self.most)).contains(&integer.get())
    }
}

/// Whether an expression is a component of the first parameter, the state.
fn is_component(body: &Expr) -> bool {
    match &body.kind {
        ExprKind::Block(statements, Some(value)) => statements.is_empty() && is_component(value),
        ExprKind::Read(place) => {
            place.local == LocalId(0) && place.path.iter().all(|it| matches!(it, Projection::Field(_)))
        }
        _ => false,
    }
}

impl Steps {
    /// No steps, with these integers told apart.
    pub fn telling_apart(tried: Tried) -> Steps {
        Steps { results: BTreeMap::new(), tried }
    }

    /// No steps, with the same told apart.
    pub fn emptied(&self) -> Steps {
        Steps::telling_apart(self.tried.clone())
    }

    /// Whether there is an operation of which integers are told apart.
    pub fn tells_integers_apart(&self) -> bool {
        !self.tried.loads.is_empty()
    }

    fn told(&self, operation: usize, result: &Value) -> Option<Told> {
        match result {
            Value::Bool(is_true) => Some(Told::Variant(u32::from(*is_true))),
            Value::Variant(tag, _) => Some(Told::Variant(*tag)),
            Value::Int(it) if self.tried.loads.contains(&operation) => Some(Told::Integer(*it)),
            _ => None,
        }
    }

    /// Adds a step. If it is not known what it returns: with all results.
    pub fn insert(&mut self, operation: usize, result: &Value) {
        let Some(told) = self.told(operation, result) else { return self.insert_all(operation) };
        if let Results::These(these) = self.results.entry(operation).or_insert(Results::These(BTreeSet::new())) {
            these.insert(told);
        }
    }

    /// Adds the steps of an operation with all results.
    pub fn insert_all(&mut self, operation: usize) {
        self.results.insert(operation, Results::All);
    }

    /// Puts these steps there if there are none, or more of them.
    pub fn keep_if_fewer(&self, fewest: &mut Option<Steps>) {
        if fewest.as_ref().is_none_or(|it| self.count() < it.count()) {
            *fewest = Some(self.clone());
        }
    }

    /// How many operations there are with all results, and how many results of others.
    fn count(&self) -> (usize, usize) {
        let all = self.results.values().filter(|it| matches!(it, Results::All)).count();
        let some = self.results.values().map(|it| if let Results::These(these) = it { these.len() } else { 0 }).sum();
        (all, some)
    }

    /// Adds other steps, with the same told apart.
    pub fn extend(&mut self, other: &Steps) {
        for (operation, results) in &other.results {
            match results {
                Results::All => self.insert_all(*operation),
                Results::These(these) => {
                    let own = self.results.entry(*operation).or_insert(Results::These(BTreeSet::new()));
                    if let Results::These(own) = own {
                        own.extend(these);
                    }
                }
            }
        }
    }

    /// Whether a step is one of them, whatever of its result is not known.
    pub fn certainly_contains(&self, operation: usize, result: &Value) -> bool {
        match (self.results.get(&operation), self.told(operation, result)) {
            (Some(Results::All), _) => true,
            (Some(Results::These(these)), Some(told)) => these.contains(&told),
            _ => false,
        }
    }

    /// Whether a step may be one of them.
    pub fn contains(&self, operation: usize, result: &Value) -> bool {
        let is_told_apart = |it: &Told| match it {
            Told::Variant(_) => true,
            Told::Integer(it) => self.tried.contains(operation, *it),
        };
        match (self.results.get(&operation), self.told(operation, result)) {
            (None, _) => false,
            (Some(Results::These(these)), Some(told)) if is_told_apart(&told) => these.contains(&told),
            (Some(_), _) => true,
        }
    }
}

/// Which steps of others a left edge is asked to move past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Past {
    /// All.
    #[default]
    All,
    /// None but failures: to find out which steps a procedure makes decisive if it can.
    Failures,
    /// These. No other step may be decisive.
    Decisive(Steps),
}

impl Past {
    /// Whether a left edge has to move past a step.
    pub fn counts(&self, operation: usize, result: &Value) -> bool {
        match self {
            Past::All => true,
            Past::Failures => false,
            Past::Decisive(steps) => steps.contains(operation, result),
        }
    }

    /// Whether a step may be decisive.
    pub fn may_be_decisive(&self, operation: usize, result: &Value) -> bool {
        match self {
            Past::All | Past::Failures => true,
            Past::Decisive(steps) => steps.certainly_contains(operation, result),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_told_apart_if_they_have_been_tried() {
        let tried = Tried { loads: Rc::new(BTreeSet::from([0])), most: 4 };
        let mut steps = Steps::telling_apart(tried);
        steps.insert(0, &Value::int(2));
        assert!(steps.contains(0, &Value::int(2)) && !steps.contains(0, &Value::int(3)));
        assert!(steps.contains(0, &Value::int(5)) && steps.contains(0, &Value::int(-1)), "they have not been tried");
        assert!(steps.certainly_contains(0, &Value::int(2)) && !steps.certainly_contains(0, &Value::int(5)));
        // What an operation computes is not told apart.
        steps.insert(1, &Value::int(2));
        assert!(steps.contains(1, &Value::int(3)) && steps.certainly_contains(1, &Value::int(3)));
        assert_eq!(steps.emptied(), Steps { results: BTreeMap::new(), ..steps });
    }

    #[test]
    fn the_fewest_steps_are_kept() {
        let (mut few, mut many, mut kept) = (Steps::default(), Steps::default(), None);
        few.insert(0, &Value::Bool(true));
        many.insert_all(0);
        for steps in [&many, &few, &many] {
            steps.keep_if_fewer(&mut kept);
        }
        assert_eq!(kept, Some(few));
    }

    #[test]
    fn steps_are_told_apart_by_the_variant_of_their_result() {
        let (yes, no, number) = (Value::Bool(true), Value::Bool(false), Value::Unit);
        let mut steps = Steps::default();
        assert!(!steps.contains(0, &number));
        steps.insert(0, &yes);
        assert!(steps.contains(0, &yes) && !steps.contains(0, &no));
        // What is not known may be one of them.
        assert!(steps.contains(0, &number) && !steps.certainly_contains(0, &number));
        steps.insert(1, &number);
        assert!(steps.contains(1, &yes) && steps.certainly_contains(1, &number));
        let past = Past::Decisive(steps.clone());
        assert!(past.counts(0, &number) && !past.may_be_decisive(0, &number), "whatever it returns, it is asked about");
        let mut more = Steps::default();
        more.insert(0, &no);
        more.insert(1, &no);
        steps.extend(&more);
        assert!(steps.contains(0, &no) && steps.contains(1, &yes));
    }
}
