//! Retry loops: every turn of the loop either has the effect of the upper operation, or has no effect.
//!
//! A procedure of this pattern performs at most one operation of the layer below in each turn of its `loop`, and none outside it. For every
//! state `s`, process, arguments and carried values, and every run of one turn (CSPEC, section 6.4; `noop_or_success` of its development):
//!
//! ```text
//! the loop continues  implies   s' = s  and  E = []
//! the turn returns r  implies   s --op@p/r,E--> s'  is a step of the layer above
//! ```
//!
//! A procedure without a loop is a single turn that returns. Termination is not checked.
//!
//! The carried values are those of the variables at the head of the loop: first their initial values, then the values that turns leave
//! there. Every turn starts from an arbitrary state, since other processes make steps between turns. First, turns are checked for *any*
//! carried values; if they are correct, this is enough. Otherwise turns are followed from the start. A wrong turn is then a refutation. If
//! no carried values are left that were not checked, all turns are correct.

use std::{collections::VecDeque, rc::Rc};

use super::{
    atomic::Implemented,
    movers::first_difference,
    question::{Answered, Confirmation, Effort, Refutes, Setting, Slots, Wanted, unmet},
    tell::Teller,
};
use crate::{
    counterexample::{Counterexample, RunRole},
    explore::{
        cells::{Knowledge, Quantifier, Root},
        code::Op,
        machine::{Frame, Machine, Site, Tale},
        search::{Abort, Action, End, Search, Slot, Unmet},
        value::Value,
    },
    ir::{Anchor, Code as How, Type, TypeDefKind, TypeId},
};

/// A mistake in a retry loop.
pub struct BadTurn {
    /// The kind of mistake.
    pub kind: BadTurnKind,
    /// The state and the turn.
    pub counterexample: Counterexample<Anchor>,
    /// The place of the mistake, if it is not the whole procedure.
    pub site: Option<Site>,
    /// Whether the counterexample was confirmed by a replay.
    pub confirmation: Confirmation,
}

/// The ways a turn can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadTurnKind {
    /// The loop continues although the turn has changed something.
    ChangesSomething,
    /// The loop returns, but the turn is not a step of the upper operation.
    NotTheOperation,
    /// The procedure does not have the form of a retry loop.
    NotARetryLoop,
    Panics(&'static str),
}

/// The values of variables at the head of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carried {
    /// Any values of their types.
    Anything,
    /// The values that earlier turns, counted from the start, leave there.
    AsLeft,
    /// The same, but values that come from a state or an argument are replaced by unknown ones, so that few cases remain.
    Roughly,
}

/// The number of turns that are followed from the start.
const MOST_TURNS: u32 = 4;

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
    carried: Carried,
}

/// A machine during a turn: the steps of the turn, the head of the loop once it has been reached, and the earlier turns.
struct Turning {
    machine: Machine,
    steps: u32,
    in_loop: Option<Rc<Machine>>,
    earlier: Vec<Earlier>,
}

/// A turn that continued the loop: its initial state, and its steps.
#[derive(Clone)]
struct Earlier {
    before: Value,
    tale: Tale,
}

/// The loop heads that turns have reached: the variables, with what is known about them.
type Heads = Vec<(Rc<Frame>, Knowledge)>;

/// Checks one operation.
pub fn check(setting: &Setting, implemented: &Implemented) -> (Answered<BadTurn>, Effort) {
    let (answered, mut effort) = check_with(setting, implemented, Carried::Anything);
    let Answered::Violated(suspected) = answered else { return (answered, effort) };
    for carried in [Carried::AsLeft, Carried::Roughly] {
        let (answered, more) = check_with(setting, implemented, carried);
        effort.bounds_met.clear();
        effort.assumptions.clear();
        effort.add(more);
        match answered {
            Answered::Holds | Answered::GivenUp(Abort::Stopped) => return (answered, effort),
            Answered::Violated(bad) if carried == Carried::AsLeft && bad.is_confirmed() => {
                return (Answered::Violated(bad), effort);
            }
            _ => {}
        }
    }
    let confirmation = match suspected.confirmation {
        Confirmation::Replayed => Confirmation::CarriedOver(MOST_TURNS),
        other => other,
    };
    (Answered::Violated(BadTurn { confirmation, ..suspected }), effort)
}

/// Checks all turns with these carried values.
fn check_with(setting: &Setting, implemented: &Implemented, carried: Carried) -> (Answered<BadTurn>, Effort) {
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
    let turns = Turns { setting, implemented, before, after, me, result, events, nothing, given, allowed, carried };
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
        let mut heads = Heads::new();
        let mut endless = None;
        let mut pending = VecDeque::from([Turning { machine: start, steps: 0, in_loop: None, earlier: Vec::new() }]);
        // Runs with the fewest turns come first.
        while let Some(turning) = pending.pop_front() {
            let Turning { machine, steps, in_loop, earlier } = turning;
            let mut stops = Vec::new();
            search.for_all(machine, &self.given, &mut |_, machine, end| {
                stops.push((machine, end));
                Ok(true)
            })?;
            for (mut machine, end) in stops {
                let site = machine.site(search.world);
                let (in_loop, earlier) = (in_loop.clone(), earlier.clone());
                match end {
                    End::Wants(ref name, _) if steps > 0 => {
                        let what = format!("performs a second operation in one turn, `{name}`");
                        return Ok(Some(self.shapeless(search, (&machine, &end), &earlier, &what)));
                    }
                    End::Wants(name, arguments) => {
                        let Some(step) = self.setting.step_named(self.implemented.lower, &name) else {
                            return Err(Abort::Unsupported);
                        };
                        let me = machine.slots[self.me].clone();
                        machine.perform(search.world.code, step, me, arguments);
                        pending.push_back(Turning { machine, steps: 1, in_loop, earlier });
                    }
                    End::Turn if in_loop.as_ref().is_some_and(|it| !self.has_turned_since(search, &machine, it)) => {
                        return Ok(Some(self.shapeless(search, (&machine, &end), &earlier, "has a second loop")));
                    }
                    End::Turn if in_loop.is_some() => {
                        if let Some(bad) = self.goes_on(search, machine.clone(), &earlier)? {
                            return Ok(Some(bad));
                        }
                        if self.carried == Carried::Anything {
                            continue;
                        }
                        let earlier = self.next_turn(search, &mut machine, earlier);
                        if self.is_new(&mut heads, &machine) {
                            match earlier.len() < MOST_TURNS as usize {
                                true => pending.push_back(Turning { machine, steps: 0, in_loop, earlier }),
                                false => endless = site,
                            }
                        }
                    }
                    End::Turn if steps > 0 => {
                        let what = "performs an operation before the loop";
                        return Ok(Some(self.shapeless(search, (&machine, &end), &earlier, what)));
                    }
                    End::Turn => {
                        self.forget_carried(search, &mut machine);
                        if self.is_new(&mut heads, &machine) {
                            let in_loop = Some(Rc::new(machine.clone()));
                            pending.push_back(Turning { machine, steps: 0, in_loop, earlier });
                        }
                    }
                    End::Stepped => pending.push_back(Turning { machine, steps, in_loop, earlier }),
                    End::Disabled => {}
                    End::Done | End::Failed(_) | End::Panicked(..) => {
                        if let Some(bad) = self.returns(search, &machine, &end, &earlier)? {
                            return Ok(Some(bad));
                        }
                    }
                }
            }
        }
        endless.map_or(Ok(None), |site| Err(Abort::Endless(site)))
    }

    /// Whether a machine has made turns of the loop that it arrived at. Variables may hold anything in any turn, but what the procedure does
    /// around the loop, such as a `for`, is elsewhere.
    fn has_turned_since(&self, search: &Search<'_, 'p>, machine: &Machine, arrived: &Machine) -> bool {
        let without_variables = |machine: &Machine| {
            let mut machine = machine.clone();
            if let Some(frame) = machine.frames.last_mut().map(Rc::make_mut)
                && let Some(source) = search.world.code.functions[frame.code].source
            {
                let variables = self.setting.program.functions[source.0 as usize].locals.len();
                frame.locals[..variables].fill(Value::Unit);
            }
            machine
        };
        without_variables(machine).has_turned_since(search.world.code, &without_variables(arrived))
    }

    /// The turn after one that continued: from another state, since other processes have made steps.
    fn next_turn(&self, search: &mut Search<'_, 'p>, machine: &mut Machine, mut earlier: Vec<Earlier>) -> Vec<Earlier> {
        let tale = machine.tale.replace(None).flatten();
        earlier.push(Earlier { before: machine.slots[self.before].clone(), tale });
        let name = Root::State(earlier.len() as u32);
        let ty = self.setting.state(self.implemented.lower);
        machine.state = search.world.cells.root(name, ty, Quantifier::Universal);
        let state = machine.state.clone();
        machine.set(self.before, state);
        machine.events = Rc::default();
        self.forget_carried(search, machine);
        earlier
    }

    /// Whether turns from here can differ from those of earlier heads; if so, adds this head.
    fn is_new(&self, heads: &mut Heads, machine: &Machine) -> bool {
        let Some(frame) = machine.frames.last() else { return true };
        if heads.iter().any(|(variables, known)| variables == frame && known.is_weaker_than(&machine.known)) {
            return false;
        }
        heads.push((frame.clone(), machine.known.clone()));
        true
    }

    /// The run that shows that a procedure is not a retry loop.
    fn shapeless(
        &self,
        search: &mut Search<'_, 'p>,
        (machine, end): (&Machine, &End),
        earlier: &[Earlier],
        what: &str,
    ) -> BadTurn {
        let site = machine.site(search.world);
        let conclusion = |_: &mut Teller<'_, '_, 'p>| format!("the procedure {what}");
        let counterexample = self.told(search, (machine, end), earlier, machine.known.clone(), conclusion);
        let (kind, confirmation) = (BadTurnKind::NotARetryLoop, Confirmation::Replayed);
        BadTurn { kind, counterexample, site, confirmation }
    }

    /// Forgets of what is carried over what need not be remembered.
    fn forget_carried(&self, search: &mut Search<'_, 'p>, machine: &mut Machine) {
        let Some(mut frame) = machine.frames.pop() else { return };
        if let (Some(source), Carried::Anything | Carried::Roughly) =
            (search.world.code.functions[frame.code].source, self.carried)
        {
            let function = &self.setting.program.functions[source.0 as usize];
            let ops = &search.world.code.functions[frame.code].ops;
            let is_assigned =
                |index: usize| ops.iter().any(|it| matches!(it, Op::Store(local) if *local as usize == index));
            for (index, local) in function.locals.iter().enumerate() {
                let is_carried = index >= function.parameters as usize || is_assigned(index);
                if is_carried && frame.locals[index] != Value::Unit {
                    let mut name = Root::Variable(0, index as u32, 0);
                    let left = match self.carried {
                        Carried::Roughly => self.roughly(search, machine, &frame.locals[index], &local.ty, &mut name),
                        _ => search.world.cells.root(name, &local.ty, Quantifier::Universal),
                    };
                    Rc::make_mut(&mut frame).locals[index] = left;
                }
            }
            // The same unknowns stand for others in the next turn; those that were there before it are arguments only. To know less of
            // these is to look at more.
            if self.carried == Carried::Roughly {
                let atoms = machine.known.atoms.clone();
                machine.known = Knowledge { atoms, ..Knowledge::default() };
            }
        }
        machine.frames.push(frame);
    }

    /// Replaces all parts of a value that come from a state by unknown ones.
    fn roughly(
        &self,
        search: &mut Search<'_, 'p>,
        machine: &Machine,
        value: &Value,
        ty: &Type,
        name: &mut Root,
    ) -> Value {
        let mut all = |types: Vec<&Type>, values: &[Value]| -> Vec<Value> {
            values.iter().zip(types).map(|(it, ty)| self.roughly(search, machine, it, ty, name)).collect()
        };
        let user = |id: TypeId| &self.setting.program.types[id.0 as usize].kind;
        match (machine.resolve(value), ty) {
            (value @ (Value::Unit | Value::Bool(_) | Value::Int(_) | Value::Str(_) | Value::Atom(..)), _) => value,
            (Value::Tuple(fields), Type::Tuple(types)) => Value::tuple(all(types.iter().collect(), &fields)),
            (Value::Variant(tag, fields), Type::Option(inner)) => {
                Value::Variant(tag, all(vec![&**inner], &fields).into())
            }
            (Value::Variant(tag, fields), Type::Result(ok, err)) => {
                let part = if tag == 0 { &**ok } else { &**err };
                Value::Variant(tag, all(vec![part], &fields).into())
            }
            (Value::Variant(tag, fields), Type::User(id)) => match user(*id) {
                TypeDefKind::Enum(variants) => {
                    let types = variants[tag as usize].fields.iter().map(|it| &it.ty).collect();
                    Value::Variant(tag, all(types, &fields).into())
                }
                _ => self.anything(search, ty, name),
            },
            _ => self.anything(search, ty, name),
        }
    }

    fn anything(&self, search: &mut Search<'_, 'p>, ty: &Type, name: &mut Root) -> Value {
        if let Root::Variable(_, _, part) = name {
            *part += 1;
        }
        search.world.cells.root(*name, ty, Quantifier::Universal)
    }

    fn goes_on(
        &self,
        search: &mut Search<'_, 'p>,
        mut machine: Machine,
        earlier: &[Earlier],
    ) -> Result<Option<BadTurn>, Abort> {
        machine.set(self.after, machine.state.clone());
        machine.set(self.events, Value::Seq(machine.events.clone()));
        let unchanged = [Action::Equal(self.after, self.before), Action::Equal(self.events, self.nothing)];
        search.pausing = false;
        let unmet = unmet(search, &machine, &Wanted::Run(&unchanged, None));
        search.pausing = true;
        let Some(Unmet { known, within }) = unmet? else { return Ok(None) };
        let site = machine.site(search.world);
        let conclusion = |_: &mut Teller<'_, '_, 'p>| "the loop continues although something has changed".to_owned();
        let counterexample = self.told(search, (&machine, &End::Turn), earlier, known, conclusion);
        let (kind, confirmation) = (BadTurnKind::ChangesSomething, Confirmation::within(within));
        Ok(Some(BadTurn { kind, counterexample, site, confirmation }))
    }

    fn returns(
        &self,
        search: &mut Search<'_, 'p>,
        machine: &Machine,
        end: &End,
        earlier: &[Earlier],
    ) -> Result<Option<BadTurn>, Abort> {
        let wanted = match end {
            End::Done => Wanted::Run(&self.allowed, Some(1)),
            End::Failed(_) => Wanted::Failure(&self.allowed[..2]),
            _ => Wanted::Never,
        };
        search.pausing = false;
        let unmet = unmet(search, machine, &wanted);
        search.pausing = true;
        let Some(Unmet { known, within }) = unmet? else { return Ok(None) };
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
        let mut counterexample = self.told(search, (machine, end), earlier, known.clone(), conclusion);
        if *end == End::Done {
            search.pausing = false;
            let mut teller = Teller::new(self.setting, search, known);
            let steps = teller.attempt(&machine.slots, &self.allowed)?;
            counterexample.conclusion = format!("{}: {}", counterexample.conclusion, first_difference(steps.last()));
            counterexample.runs.push(teller.run(RunRole::Above, upper, &machine.slots[self.before]).with(steps));
            search.pausing = true;
        }
        let confirmation = Confirmation::within(within);
        Ok(Some(BadTurn { kind, counterexample, site, confirmation }))
    }

    /// The turn that a machine has made, and the turns before it.
    fn told(
        &self,
        search: &mut Search<'_, 'p>,
        (machine, end): (&Machine, &End),
        earlier: &[Earlier],
        known: Knowledge,
        conclusion: impl FnOnce(&mut Teller<'_, '_, 'p>) -> String,
    ) -> Counterexample<Anchor> {
        let pausing = std::mem::replace(&mut search.pausing, false);
        let mut teller = Teller::new(self.setting, search, known);
        let lower = self.implemented.lower;
        let mut runs = Vec::new();
        for Earlier { before, tale } in earlier {
            let steps = teller.steps(&Machine { tale: Some(tale.clone()), ..machine.clone() }, &End::Turn);
            runs.push(teller.run(RunRole::EarlierTurn, lower, before).with(steps));
        }
        let steps = teller.steps(machine, end);
        runs.push(teller.run(RunRole::Turn, lower, &machine.slots[self.before]).with(steps));
        let conclusion = conclusion(&mut teller);
        let counterexample = teller.conclude(runs, conclusion);
        search.pausing = pausing;
        counterexample
    }
}

impl Refutes for BadTurn {
    fn is_confirmed(&self) -> bool {
        // A turn is followed from its start; nothing is assumed of the state before it.
        self.confirmation.is_confirmed()
    }

    fn not_replayed(&mut self) {
        self.confirmation = Confirmation::NotReplayed;
    }

    fn counterexample(&self) -> Option<&Counterexample<Anchor>> {
        Some(&self.counterexample)
    }
}
