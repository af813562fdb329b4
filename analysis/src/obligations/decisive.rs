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

use std::collections::{BTreeMap, BTreeSet};

use crate::explore::value::Value;

/// A set of steps: operations with results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps(BTreeMap<usize, Results>);

/// Results of an operation, as far as they are told apart: by the variant of an enum, or the value of a `bool`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Results {
    All,
    These(BTreeSet<u32>),
}

fn variant(result: &Value) -> Option<u32> {
    match result {
        Value::Bool(is_true) => Some(u32::from(*is_true)),
        Value::Variant(tag, _) => Some(*tag),
        _ => None,
    }
}

impl Steps {
    /// Adds a step. If it is not known what it returns: with all results.
    pub fn insert(&mut self, operation: usize, result: &Value) {
        let Some(variant) = variant(result) else { return self.insert_all(operation) };
        if let Results::These(variants) = self.0.entry(operation).or_insert(Results::These(BTreeSet::new())) {
            variants.insert(variant);
        }
    }

    /// Adds the steps of an operation with all results.
    pub fn insert_all(&mut self, operation: usize) {
        self.0.insert(operation, Results::All);
    }

    /// Adds other steps.
    pub fn extend(&mut self, other: &Steps) {
        for (operation, results) in &other.0 {
            match results {
                Results::All => self.insert_all(*operation),
                Results::These(variants) => {
                    if let Results::These(own) = self.0.entry(*operation).or_insert(Results::These(BTreeSet::new())) {
                        own.extend(variants);
                    }
                }
            }
        }
    }

    /// Whether a step is one of them, whatever of its result is not known.
    pub fn certainly_contains(&self, operation: usize, result: &Value) -> bool {
        match (self.0.get(&operation), variant(result)) {
            (Some(Results::All), _) => true,
            (Some(Results::These(variants)), Some(variant)) => variants.contains(&variant),
            _ => false,
        }
    }

    /// Whether a step may be one of them.
    pub fn contains(&self, operation: usize, result: &Value) -> bool {
        match (self.0.get(&operation), variant(result)) {
            (None, _) => false,
            (Some(Results::These(variants)), Some(variant)) => variants.contains(&variant),
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
