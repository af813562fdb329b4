//! Commutation modulo failure: the other sound view of operations that may fail, that of Civl's gates.
//!
//! Only runs that do not fail have to agree after an exchange, and a failure may neither be lost nor disable anything (Civl,
//! `MoverCheck.cs`; write `γA(s)` for "no run of `A` from `s` fails"). For processes `p ≠ q`:
//!
//! * **exchange** of `A` and then `B`: if `γA(s)`, `γB(s)` and `s --A@p/r,E--> s1 --B@q/v,F--> s2`, then `B` and then `A` can give the same
//!   results, events and end, or fail.
//! * **kept safe** is `A` by `B`: if `γA(s)`, `γB(s)` and `s --B@q--> s1`, then `γA(s1)`.
//! * **kept failing** is `A` by `B`: if not `γA(s)`, then some run of `B` from `s` fails, or ends where `A` fails.
//! * **never blocked** is `A`: if `γA(s)`, then `A` is enabled in `s`.
//!
//! `A` moves right past `B` if the two can be exchanged, and `A` keeps `B` safe. `A` moves left past `B` if `B` and then `A` can be exchanged,
//! `B` keeps `A` safe, `A` keeps `B` failing, and `A` is never blocked.
//!
//! Neither view implies the other. All verdicts use the strict one ([`super::movers`]); this view explains why an operation that is
//! usually called a mover is not one here.

use super::{
    movers::{Call, Direction, Pair},
    question::{Answered, Refutes, Setting, Slots},
};
use crate::{
    explore::{
        machine::Machine,
        search::{Abort, Accept, Action, End, Search},
    },
    ir::LayerId,
};

/// Whether `mover` is shown to move past `other` modulo failure.
pub fn moves(setting: &Setting, layer: LayerId, mover: usize, other: usize, direction: Direction) -> bool {
    let pair = Pair::new(setting, layer, mover, other, Slots::default());
    let entries = [setting.code.step(layer, mover), setting.code.step(layer, other)];
    let question = |search: &mut Search<'_, '_>| {
        let view = View { setting, layer, pair: &pair };
        let (mover, other) = (&pair.mover, &pair.other);
        let holds = match direction {
            Direction::Right => view.exchanges(search, direction)? && view.keeps_safe(search, other, mover)?,
            Direction::Left => {
                view.exchanges(search, direction)?
                    && view.keeps_safe(search, mover, other)?
                    && view.keeps_failing(search, other, mover)?
                    && view.never_blocks(search, mover)?
            }
        };
        Ok((!holds).then_some(DoesNot))
    };
    matches!(setting.ask(&entries, None, question).0, Answered::Holds)
}

struct DoesNot;

impl Refutes for DoesNot {
    fn is_confirmed(&self) -> bool {
        true
    }
}

struct View<'a, 'p> {
    setting: &'a Setting<'p>,
    layer: LayerId,
    pair: &'a Pair,
}

impl View<'_, '_> {
    fn exchanges(&self, search: &mut Search<'_, '_>, direction: Direction) -> Result<bool, Abort> {
        let given = self.pair.given(self.setting, self.layer, direction);
        let swapped = self.pair.wanted(self.setting, self.layer, direction);
        let swapped_or_failed: Accept = &|_, end| matches!(end, End::Done | End::Failed(_));
        let (mover, other) = (self.alone(&self.pair.mover), self.alone(&self.pair.other));
        let wanted = [(&swapped[..], swapped_or_failed), (&mover[..], FAILS), (&other[..], FAILS)];
        self.always(search, &given, &|_, end| *end == End::Done, &wanted)
    }

    /// Whether `by` keeps `kept` safe.
    fn keeps_safe(&self, search: &mut Search<'_, '_>, kept: &Call, by: &Call) -> Result<bool, Abort> {
        let mut given = self.alone(by);
        given.extend(self.step(kept));
        let (kept, by) = (self.alone(kept), self.alone(by));
        let fails_second: Accept = &|machine, end| matches!(end, End::Failed(_)) && machine.stage >= by.len();
        self.always(search, &given, fails_second, &[(&kept[..], FAILS), (&by[..], FAILS)])
    }

    /// Whether `by` keeps `kept` failing.
    fn keeps_failing(&self, search: &mut Search<'_, '_>, kept: &Call, by: &Call) -> Result<bool, Abort> {
        let mut wanted = self.alone(by);
        wanted.extend(self.step(kept));
        self.always(search, &self.alone(kept), FAILS, &[(&wanted, FAILS)])
    }

    fn never_blocks(&self, search: &mut Search<'_, '_>, mover: &Call) -> Result<bool, Abort> {
        self.always(search, &[], &|_, _| true, &[(&self.alone(mover), &|_, _| true)])
    }

    /// A step of `call` from the state that the pair starts from.
    fn alone(&self, call: &Call) -> Vec<Action> {
        let mut script = vec![Action::Copy(self.pair.state, self.pair.second_end)];
        script.extend(self.step(call));
        script
    }

    fn step(&self, call: &Call) -> [Action; 2] {
        call.step(self.setting, self.layer, self.pair.second_end, call.swapped_result, call.swapped_events)
    }

    /// Whether each run of `given` with this end has a matching run of one of these scripts.
    fn always(
        &self,
        search: &mut Search<'_, '_>,
        given: &[Action],
        ends: Accept,
        wanted: &[(&[Action], Accept)],
    ) -> Result<bool, Abort> {
        let start = self.pair.slots.start(&mut search.world.cells, 2);
        let mut holds = true;
        search.for_all(start, given, &mut |search, machine, end| {
            holds = !ends(&machine, &end) || search.one_always_exists(&machine, wanted)?.is_none();
            Ok(holds)
        })?;
        Ok(holds)
    }
}

const FAILS: Accept = &|_: &Machine, end: &End| matches!(end, End::Failed(_));
