//! Follows a run of a layer step by step. The tests that `cargo cspec replay --as-test` prints use this.

use std::cell::Cell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use super::{Domain, Event, Explorer, Outcome, outcomes};
use crate::choice::any;
use crate::{Layer, Operation, Perform, Pid, Spec, Value, when};

/// The states that a layer may be in after some steps; one, until a step may lead to several.
///
/// ```
/// use cspec::model::{Domain, Replay};
/// use cspec::prelude::*;
///
/// #[state]
/// pub struct Cell {
///     pub value: u64,
/// }
///
/// #[layer]
/// impl Shared for Cell {
///     #[op]
///     fn read(&mut self, me: Pid) -> u64 {
///         self.value
///     }
///
///     #[op]
///     fn write(&mut self, me: Pid, value: u64) {
///         self.value = value;
///     }
/// }
///
/// // `write` does not move right past `read`: what follows it sees what it wrote.
/// let domain = Domain::default();
/// let mut possible = Replay::<dyn Shared>::new(&domain, Cell { value: 0 });
/// possible.does::<__Shared::write>(Pid(0), (1,), ()).reaches(Cell { value: 1 });
/// possible.does::<__Shared::read>(Pid(1), (), 1).reaches(Cell { value: 1 });
///
/// let mut other_order = Replay::<dyn Shared>::new(&domain, Cell { value: 0 });
/// other_order.cannot_return::<__Shared::read>(Pid(1), (), 1);
/// ```
///
/// Every method panics, in the test that it is called in, if the layer does not do what the method says.
pub struct Replay<L: Layer + ?Sized> {
    explorer: Explorer<L>,
    domain: Domain,
    states: BTreeSet<L::State>,
}

impl<L: Layer + ?Sized> Replay<L> {
    /// Starts the layer in this state.
    pub fn new(domain: &Domain, state: L::State) -> Self {
        Replay { explorer: Explorer::new(domain.clone()), domain: domain.clone(), states: [state].into() }
    }

    /// Performs an operation by `me` that returns `result`. The run continues from all states that this may lead to.
    pub fn does<O: Operation>(&mut self, me: Pid, args: O::Args, result: O::Output) -> &mut Self
    where
        L: Spec<O, L::State>,
    {
        let states = self.after::<O>(me, &args, |outcome, _| *outcome == result);
        assert!(!states.is_empty(), "{me:?}: {}{args:?} cannot return {result:?}{}", O::NAME, self.there());
        self.states = states;
        self
    }

    /// Like `does`, for an operation that emits this many events.
    pub fn emits<O: Operation>(&mut self, me: Pid, args: O::Args, result: O::Output, events: usize) -> &mut Self
    where
        L: Spec<O, L::State>,
    {
        let states = self.after::<O>(me, &args, |outcome, emitted| *outcome == result && emitted.len() == events);
        let call = (O::NAME, &args);
        assert!(
            !states.is_empty(),
            "{me:?}: {call:?} cannot return {result:?} and emit {events} events{}",
            self.there()
        );
        self.states = states;
        self
    }

    /// Asserts that the last step may have led to this state. The run continues from this state only.
    pub fn reaches(&mut self, state: L::State) -> &mut Self {
        assert!(self.states.contains(&state), "the last step does not lead to {state:?}{}", self.there());
        self.states = [state].into();
        self
    }

    /// Asserts that the steps cannot have led to this state.
    pub fn does_not_reach(&self, state: L::State) {
        assert!(!self.states.contains(&state), "the steps may lead to {state:?}");
    }

    /// Asserts that no state that the steps may have led to has this property, whatever it chooses.
    pub fn is_never(&self, property: impl Fn(&L::State) -> bool) {
        for state in &self.states {
            let holds = outcomes(&self.domain, || property(state));
            assert!(!holds.contains(&Outcome::done(true)), "{state:?} has the property");
        }
    }

    /// Asserts that the operation cannot return this result.
    pub fn cannot_return<O: Operation>(&mut self, me: Pid, args: O::Args, result: O::Output)
    where
        L: Spec<O, L::State>,
    {
        let states = self.after::<O>(me, &args, |outcome, _| *outcome == result);
        assert!(states.is_empty(), "{me:?}: {}{args:?} can return {result:?}{}", O::NAME, self.there());
    }

    /// Asserts that the operation has no step.
    pub fn cannot<O: Operation>(&mut self, me: Pid, args: O::Args)
    where
        L: Spec<O, L::State>,
    {
        let steps = self.steps::<O>(me, &args);
        assert!(steps.is_empty(), "{me:?}: {}{args:?} is possible{}", O::NAME, self.there());
    }

    /// Asserts that the operation does nothing, whatever it returns: it is not allowed, and the layer is nilpotent.
    pub fn does_nothing<O: Operation>(&mut self, me: Pid, args: O::Args)
    where
        L: Spec<O, L::State>,
    {
        let states = self.after::<O>(me, &args, |_, _| true);
        let mut before = self.states.clone();
        for _ in 0..2 {
            before = self.settled(&before);
        }
        assert!(states.is_subset(&before), "{me:?}: {}{args:?} does something{}", O::NAME, self.there());
    }

    /// Asserts that the operation may fail.
    pub fn fails<O: Operation>(&mut self, me: Pid, args: O::Args)
    where
        L: Spec<O, L::State>,
    {
        let fails = self.steps::<O>(me, &args).iter().any(Outcome::is_failure);
        assert!(fails, "{me:?}: {}{args:?} does not fail{}", O::NAME, self.there());
    }

    /// Asserts that all of the states are initial, or that not all are.
    pub fn is_initial(&self, expected: bool) -> &Self {
        for state in &self.states {
            let initial = outcomes(&self.domain, || L::is_initial(state)).contains(&Outcome::done(true));
            assert_eq!(initial, expected, "whether {state:?} is an initial state");
        }
        self
    }

    /// Performs any background steps.
    pub fn background(&mut self) -> &mut Self {
        self.states = self.settled(&self.states.clone());
        self
    }

    fn settled(&mut self, states: &BTreeSet<L::State>) -> BTreeSet<L::State> {
        let after = states.iter().flat_map(|state| self.explorer.background(state).to_vec());
        after.filter_map(|outcome| outcome.value().cloned()).collect()
    }

    /// The steps of an operation from all states.
    fn steps<O: Operation>(&mut self, me: Pid, args: &O::Args) -> Vec<Outcome<(O::Output, L::State)>>
    where
        L: Spec<O, L::State>,
    {
        let Replay { explorer, states, .. } = self;
        let op = O::from_args(args.clone());
        states.iter().flat_map(|state| explorer.steps(state, me, &op)).collect()
    }

    /// The states after those steps of an operation that return the result and emit this many events.
    fn after<O: Operation>(
        &mut self,
        me: Pid,
        args: &O::Args,
        wanted: impl Fn(&O::Output, &[Event]) -> bool,
    ) -> BTreeSet<L::State>
    where
        L: Spec<O, L::State>,
    {
        let steps = self.steps::<O>(me, args);
        let reached = steps.iter().filter_map(|step| {
            let (result, state) = step.value()?;
            wanted(result, step.events()).then(|| state.clone())
        });
        reached.collect()
    }

    /// The position of the run, for messages.
    fn there(&self) -> String {
        let states: Vec<String> = self.states.iter().map(|state| format!("{state:?}")).collect();
        format!(", in {}", states.join(" or "))
    }
}

/// Calls that a procedure makes, with what they are answered: for following a procedure among steps of others, which show in the answers.
///
/// ```
/// use cspec::model::{Calls, Domain};
/// # use cspec::prelude::*;
/// # #[state]
/// # pub struct Cell { pub value: u64 }
/// # #[layer]
/// # impl Shared for Cell {
/// #     #[op]
/// #     fn read(&mut self, me: Pid) -> u64 { self.value }
/// #     #[op]
/// #     fn write(&mut self, me: Pid, value: u64) { self.value = value; }
/// # }
/// fn increment(lo: &mut impl Shared) -> u64 {
///     let seen = lo.read();
///     lo.write(seen + 1);
///     seen
/// }
///
/// let domain = Domain::default();
/// let calls = Calls::default().answered::<__Shared::read>((), 0).answered::<__Shared::write>((1,), ());
/// assert!(calls.are_made_by(&domain, increment));
/// assert!(calls.return_from(&domain, increment, 0));
/// assert!(!Calls::default().made::<__Shared::write>((1,)).are_made_by(&domain, increment));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// The remaining calls: each as printed, and its answer, if there is one.
    expected: VecDeque<(String, Option<String>)>,
    /// Set when all calls have been made.
    all_made: Rc<Cell<bool>>,
}

impl Calls {
    /// Adds a call that returns this result.
    #[must_use]
    pub fn answered<O: Operation>(mut self, args: O::Args, result: O::Output) -> Self {
        self.expected.push_back((format!("{:?}", O::from_args(args)), Some(format!("{result:?}"))));
        self
    }

    /// Adds the last call, whose result does not matter.
    #[must_use]
    pub fn made<O: Operation>(mut self, args: O::Args) -> Self {
        self.expected.push_back((format!("{:?}", O::from_args(args)), None));
        self
    }

    /// Whether the procedure can make these calls, one after the other, from its beginning.
    pub fn are_made_by<T: Ord>(&self, domain: &Domain, mut procedure: impl FnMut(&mut Calls) -> T) -> bool {
        self.all_made.set(false);
        let _ = outcomes(domain, || procedure(&mut self.clone()));
        self.all_made.replace(false)
    }

    /// Whether the procedure can make exactly these calls and then return this result.
    pub fn return_from<T: Ord>(&self, domain: &Domain, mut procedure: impl FnMut(&mut Calls) -> T, result: T) -> bool {
        let ends = outcomes(domain, || {
            let mut calls = self.clone();
            let returned = procedure(&mut calls);
            when(calls.expected.is_empty());
            returned
        });
        ends.iter().any(|end| end.value() == Some(&result))
    }
}

impl<O: Operation> Perform<O> for Calls {
    fn perform(&mut self, op: O) -> O::Output {
        let next = self.expected.pop_front();
        when(next.as_ref().is_some_and(|(call, _)| *call == format!("{op:?}")));
        if self.expected.is_empty() {
            self.all_made.set(true);
        }
        let answer: O::Output = any();
        when(next.and_then(|(_, answer)| answer).is_some_and(|expected| expected == format!("{answer:?}")));
        answer
    }
}

/// The values of a type in the domain that are not among these, the largest first. They stand for values that the code does not name.
pub fn others<T: Value>(domain: &Domain, known: &[T]) -> Vec<T> {
    super::values(domain).into_iter().rev().filter(|value| !known.contains(value)).collect()
}
