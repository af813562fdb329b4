//! Users may choose any names for their types: generated code does not clash with them.

use cspec::model::{Domain, Explorer, Outcome};
use cspec::prelude::*;

#[scalar]
pub struct T(u64);

#[state]
pub struct S {
    pub value: T,
    pub by: Option<Pid>,
}

#[layer]
impl L for S {
    #[op]
    fn step(&mut self, me: Pid, state: T) -> T {
        self.by = Some(me);
        self.value = state;
        state
    }

    #[op(external)]
    fn perform(&mut self, me: Pid, op: T, me_too: Pid) {
        external()
    }
}

#[layer(protocol = L)]
impl O for S {
    #[allowed(step)]
    fn allowed(&self, me: Pid, op: &T) -> bool {
        self.by != Some(me) && *op != self.value
    }
}

#[layer(inherit(L: perform))]
impl Twice for S {
    #[op]
    fn step(&mut self, me: Pid, first: T, (state, _): (T, bool)) -> T {
        self.by = Some(me);
        self.value = state;
        first
    }
}

#[implement(Twice, over = L, by = movers, pass(perform))]
impl D {
    fn step(lo: &mut impl L, first: T, (second, _): (T, bool)) -> T {
        let seen = lo.step(first);
        lo.step(second);
        seen
    }
}

struct Hardware(T);

#[bottom]
impl L for Hardware {
    fn step(&mut self, state: T) -> T {
        self.0 = state;
        state
    }

    fn perform(&mut self, _: T, _: Pid) {}
}

#[test]
fn all_of_it_runs() {
    let mut top = D(Hardware(T::from(0)));
    assert_eq!(top.step(T::from(1), (T::from(2), true)), T::from(1));
    top.perform(T::from(0), Pid(0));
    assert_eq!(top.0.0, T::from(2));

    let mut explorer = Explorer::<dyn O>::new(Domain::default());
    let start = S::default();
    let mut results = |value: u64| explorer.steps(&start, Pid(0), &__O::step((T::from(value),)));
    assert_eq!(results(0), []);
    let after = S { value: T::from(1), by: Some(Pid(0)) };
    assert_eq!(results(1), [Outcome::done((T::from(1), after))]);
}

/// The arguments of an operation may have the names that the macros' own code uses.
mod arguments {
    use cspec::{Model, prelude::*};

    #[state]
    pub struct Shelf {
        pub held: Map<u64, u64>,
    }

    #[layer]
    impl Shelving for Shelf {
        #[op]
        fn put(&mut self, me: Pid, key: u64, op: u64) {
            self.held.insert(key, op);
        }
    }

    #[test]
    fn an_argument_may_be_called_key() {
        let mut model = Model::<dyn Shelving>::new(Shelf::default(), Pid(0));
        model.put(1, 2);
        assert_eq!(model.state.held.get(&1), Some(&2));
    }
}
