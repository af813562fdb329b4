//! Helpers: functions over the lower layer that procedures share and that have no operation's name; and procedures of other
//! implementations.

use cspec::{
    Model,
    model::{Domain, outcomes},
    prelude::*,
};

#[state]
pub struct Cell {
    pub value: u64,
}

#[layer]
impl Memory for Cell {
    #[op]
    fn add(&mut self, me: Pid, by: u64) {
        self.value += by;
    }
}

#[layer]
impl Steps for Cell {
    #[op]
    fn one(&mut self, me: Pid) {
        self.value += 1;
    }

    #[op]
    fn two(&mut self, me: Pid) {
        self.value += 2;
    }
}

#[implement(Steps, over = Memory, by = movers)]
impl ByAdding {
    fn step(lo: &mut impl Memory, by: u64) {
        lo.add(by);
    }

    fn one(lo: &mut impl Memory) {
        Self::step(lo, 1);
    }

    fn two(lo: &mut impl Memory) {
        Self::step(lo, 1);
        ByAdding::one(lo);
    }
}

#[test]
fn procedures_share_steps() {
    let runs = outcomes(&Domain::default(), || {
        let mut steps = ByAdding(Model::<dyn Memory>::new(Cell { value: 0 }, Pid(0)));
        steps.one();
        steps.two();
        steps.0.state.value
    });
    assert!(format!("{runs:?}").contains('3'), "{runs:?}");
}
