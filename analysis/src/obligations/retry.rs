//! Retry loops: a turn of the loop either is the operation above, or did nothing.
//!
//! A procedure of this pattern performs at most one operation of the layer below in each turn of its `loop`, and none outside it. For every
//! state `s`, process, arguments and carried values, and every run of one turn (CSPEC, section 5.4; `noop_or_success` of its development):
//!
//! ```text
//! the turn goes on    implies   s' = s  and  E = []
//! the turn returns r  implies   s --op@p/r,E--> s'  is a step of the layer above
//! ```
//!
//! A procedure without a loop is a single turn that returns. Nothing is claimed about how many turns it takes.

use super::{
    atomic::Implemented,
    movers::first_difference,
    question::{Answered, Effort, Refutes, Setting, Slots, Wanted, unmet},
    tell::Teller,
};
use crate::{
    counterexample::{Counterexample, RunRole},
    explore::{
        cells::Knowledge,
        code::Op,
        machine::{Machine, Site},
        search::{Abort, Action, End, Search, Slot},
        value::Value,
    },
    ir::{Anchor, Code as How},
};

/// What is wrong with a retry loop.
pub struct BadTurn {
    /// What.
    pub kind: BadTurnKind,
    /// Why it is not of the form that is checked.
    pub notes: Vec<String>,
    /// The state and the turn.
    pub counterexample: Option<Counterexample<Anchor>>,
    /// Where, if it is not the procedure as a whole.
    pub site: Option<Site>,
}

/// The ways a turn can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadTurnKind {
    /// It goes on although something has changed.
    ChangesSomething,
    /// It returns, but is not the operation above.
    NotTheOperation,
    /// It is not of the form that is checked.
    NotARetryLoop,
    /// It panics.
    Panics(&'static str),
}

struct Turns<'s, 'p, 'a> {
    setting: &'s Setting<'p>,
    implemented: &'a Implemented<'a>,
    before: Slot,
    after: Slot,
    me: Slot,
    result: Slot,
    events: Slot,
    nothing: Slot,
    given: Vec<Action>,
    allowed: Vec<Action>,
}

/// A machine on its way through a turn: steps made in it, and the head of the loop once it is in it.
struct Turning {
    machine: Machine,
    steps: u32,
    in_loop: Option<Site>,
}

/// Checks one operation.
pub fn check(setting: &Setting, implemented: &Implemented) -> (Answered<BadTurn>, Effort) {
    let Implemented { upper, lower, operation, how } = *implemented;
    let How::Procedure(function) = how else { return (Answered::Holds, Effort::default()) };
    let function = setting.code.function(*function);
    let step_above = setting.code.step(upper, operation);
    let mut slots = Slots::default();
    let before = slots.unknown(setting.state(upper));
    let me = slots.process(0);
    let arguments = slots.unknowns(&setting.arguments(upper, operation));
    let (after, above, result, events) = (slots.empty(), slots.empty(), slots.empty(), slots.empty());
    let (result_above, events_above) = (slots.empty(), slots.empty());
    let nothing = slots.given(Value::seq(vec![]));
    let mut call_above = vec![above, me];
    call_above.extend(&arguments);
    let given = vec![
        Action::Copy(before, after),
        Action::Procedure { function, lower, state: after, me, arguments, result: Some(result) },
        Action::TakeEvents(events),
    ];
    let allowed = vec![
        Action::Copy(before, above),
        Action::Call { function: step_above, arguments: call_above, result: Some(result_above) },
        Action::Equal(result_above, result),
        Action::TakeEvents(events_above),
        Action::Equal(events_above, events),
        Action::Equal(above, after),
    ];
    let turns = Turns { setting, implemented, before, after, me, result, events, nothing, given, allowed };
    setting.ask(&[function, step_above], Some(lower), |search| {
        let mut machine = slots.start(&mut search.world.cells, 1);
        machine.tale = Some(None);
        search.pausing = true;
        let found = turns.all(search, machine);
        search.pausing = false;
        found
    })
}

impl<'p> Turns<'_, 'p, '_> {
    fn all(&self, search: &mut Search<'_, 'p>, start: Machine) -> Result<Option<BadTurn>, Abort> {
        let mut pending = vec![Turning { machine: start, steps: 0, in_loop: None }];
        while let Some(Turning { machine, steps, in_loop }) = pending.pop() {
            let mut stops = Vec::new();
            search.for_all(machine, &self.given, &mut |_, machine, end| {
                stops.push((machine, end));
                Ok(true)
            })?;
            for (mut machine, end) in stops.into_iter().rev() {
                let site = machine.site(search.world);
                match end {
                    End::Wants(..) if steps > 0 => {
                        return Ok(Some(self.shapeless("performs a second operation in one turn", site)));
                    }
                    End::Wants(name, arguments) => {
                        let Some(step) = self.setting.step_named(self.implemented.lower, &name) else {
                            return Err(Abort::Unsupported);
                        };
                        let me = machine.slots[self.me].clone();
                        machine.perform(search.world.code, step, me, arguments);
                        pending.push(Turning { machine, steps: 1, in_loop });
                    }
                    End::Turn if in_loop.is_some() && in_loop != site => {
                        return Ok(Some(self.shapeless("has a second loop", site)));
                    }
                    End::Turn if in_loop.is_some() => {
                        if let Some(bad) = self.goes_on(search, machine)? {
                            return Ok(Some(bad));
                        }
                    }
                    End::Turn if steps > 0 => {
                        return Ok(Some(self.shapeless("performs an operation before the loop", site)));
                    }
                    End::Turn => {
                        self.forget_carried(search, &mut machine);
                        pending.push(Turning { machine, steps: 0, in_loop: site });
                    }
                    End::Stepped => pending.push(Turning { machine, steps, in_loop }),
                    End::Done | End::Failed(_) | End::Panicked(..) => {
                        if let Some(bad) = self.returns(search, &machine, &end)? {
                            return Ok(Some(bad));
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    fn shapeless(&self, what: &str, site: Option<Site>) -> BadTurn {
        let notes = vec![format!("the procedure {what}")];
        BadTurn { kind: BadTurnKind::NotARetryLoop, notes, counterexample: None, site }
    }

    /// A turn is checked for every value that an earlier turn may have left in a variable.
    fn forget_carried(&self, search: &mut Search<'_, 'p>, machine: &mut Machine) {
        let Some(frame) = machine.frames.last_mut().map(std::rc::Rc::make_mut) else { return };
        let Some(source) = search.world.code.functions[frame.code].source else { return };
        let function = &self.setting.program.functions[source.0 as usize];
        let ops = &search.world.code.functions[frame.code].ops;
        let is_assigned =
            |index: usize| ops.iter().any(|it| matches!(it, Op::Store(local) if *local as usize == index));
        for (index, local) in function.locals.iter().enumerate() {
            let is_carried = index >= function.parameters as usize || is_assigned(index);
            if is_carried && frame.locals[index] != Value::Unit {
                frame.locals[index] = search.world.cells.root(
                    3_000 + index as u32,
                    &local.ty,
                    crate::explore::cells::Quantifier::Universal,
                );
            }
        }
    }

    fn goes_on(&self, search: &mut Search<'_, 'p>, mut machine: Machine) -> Result<Option<BadTurn>, Abort> {
        machine.set(self.after, machine.state.clone());
        machine.set(self.events, Value::Seq(machine.events.clone()));
        let unchanged = [Action::Equal(self.after, self.before), Action::Equal(self.events, self.nothing)];
        search.pausing = false;
        let unmet = unmet(search, &machine, &Wanted::Run(&unchanged, None));
        search.pausing = true;
        let Some(known) = unmet? else { return Ok(None) };
        let site = machine.site(search.world);
        let conclusion = |_: &mut Teller<'_, '_, 'p>| "the turn goes on although something has changed".to_owned();
        let counterexample = self.told(search, &machine, &End::Turn, known, conclusion);
        let kind = BadTurnKind::ChangesSomething;
        Ok(Some(BadTurn { kind, notes: Vec::new(), counterexample: Some(counterexample), site }))
    }

    fn returns(&self, search: &mut Search<'_, 'p>, machine: &Machine, end: &End) -> Result<Option<BadTurn>, Abort> {
        let wanted = match end {
            End::Done => Wanted::Run(&self.allowed, Some(1)),
            End::Failed(_) => Wanted::Failure(&self.allowed[..2]),
            _ => Wanted::Never,
        };
        search.pausing = false;
        let unmet = unmet(search, machine, &wanted);
        search.pausing = true;
        let Some(known) = unmet? else { return Ok(None) };
        let Implemented { upper, operation, .. } = *self.implemented;
        let layer = &self.setting.program.layers[upper.0 as usize];
        let name = format!("{}::{}", layer.name, layer.operations[operation].name);
        let (kind, site) = match end {
            End::Panicked(site, why) => (BadTurnKind::Panics(why), Some(*site)),
            End::Failed(site) => (BadTurnKind::NotTheOperation, Some(*site)),
            _ => (BadTurnKind::NotTheOperation, None),
        };
        let conclusion = |teller: &mut Teller<'_, '_, 'p>| match end {
            End::Done => {
                let result = teller.datum(&machine.slots[self.result], self.setting.result(upper, operation));
                format!("the turn returns {result}, and `{name}` has no such step")
            }
            _ => format!("the turn fails, and `{name}` cannot fail there"),
        };
        let mut counterexample = self.told(search, machine, end, known.clone(), conclusion);
        if *end == End::Done {
            search.pausing = false;
            let mut teller = Teller::new(self.setting, search, known);
            let steps = teller.attempt(&machine.slots, &self.allowed)?;
            counterexample.conclusion = format!("{}: {}", counterexample.conclusion, first_difference(steps.last()));
            counterexample.runs.push(teller.run(RunRole::Above, upper, &machine.slots[self.before]).with(steps));
            search.pausing = true;
        }
        Ok(Some(BadTurn { kind, notes: Vec::new(), counterexample: Some(counterexample), site }))
    }

    /// The turn that a machine has made.
    fn told(
        &self,
        search: &mut Search<'_, 'p>,
        machine: &Machine,
        end: &End,
        known: Knowledge,
        conclusion: impl FnOnce(&mut Teller<'_, '_, 'p>) -> String,
    ) -> Counterexample<Anchor> {
        let pausing = std::mem::replace(&mut search.pausing, false);
        let mut teller = Teller::new(self.setting, search, known);
        let steps = teller.steps(machine, end);
        let run = teller.run(RunRole::Turn, self.implemented.lower, &machine.slots[self.before]).with(steps);
        let conclusion = conclusion(&mut teller);
        let counterexample = teller.conclude(vec![run], conclusion);
        search.pausing = pausing;
        counterexample
    }
}

impl Refutes for BadTurn {
    fn is_confirmed(&self) -> bool {
        // A turn is followed from its start; nothing is assumed of the state before it.
        true
    }
}
