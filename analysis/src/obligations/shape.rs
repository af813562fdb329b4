//! The shape of a procedure, and its use of a protocol.
//!
//! On every path through a procedure: right movers, then at most one operation of any kind (the commit point), then left movers
//! (CSPEC, section 6.1, "right movers, commit, left movers"; the `ysa_movers` judgement of its development). With `P` the states that the
//! prefix of the path allows, closed under the steps of others:
//!
//! ```text
//! R:  right mover o, then R            | N
//! N:  any o, then L                    | L
//! L:  nothing | o, then L, where o is a left mover at P and enabled in every state of P
//! ```
//!
//! Right movers are taken greedily, which never loses. A right mover or the commit point may block; an operation after the commit point may
//! not. So each call is judged when it is about to be made: one that blocks for ever is on no path that ends. A loop other than `for` over
//! what was read is not accepted.
//!
//! If the layer below is a protocol layer, every call must also be *allowed* in every state of the `P` before it (CSPEC, section 6.2,
//! `follows`), given that the others follow the protocol: their steps are those of the protocol layer. It is judged right after the
//! process's own last step; that what is allowed stays allowed when the others step is shown by itself ([`super::protocol`]).
//!
//! `P` is over-approximated by [`super::facts`]. If a judgement fails under the facts, it is tried again on exact states with at most
//! two steps of others in between; only what fails there is reported as violated.

use std::rc::Rc;

use super::{
    facts,
    movers::{Direction, Pair, Refutation, enabled_from, moves_from, silent_from},
    question::{Confirmation, Refutes, Setting, Slots},
    tell::Teller,
};
use crate::{
    counterexample::{Counterexample, RunRole},
    explore::{
        cells::{Knowledge, Quantifier},
        code::CodeId,
        machine::{Machine, Site},
        search::{Abort, Action, End, Search},
        value::Value,
    },
    ir::{Anchor, LayerId, Type},
};

/// What others do between two steps of a procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Between {
    /// Anything: only facts survive.
    Facts,
    /// At most so many steps, followed exactly.
    Exactly(u32),
}

/// A call that a path makes.
#[derive(Clone)]
pub struct PathCall {
    /// Which operation of the layer below.
    pub operation: usize,
    /// Where in the procedure.
    pub site: Site,
    arguments: Vec<Value>,
    /// The states before it.
    before: Machine,
}

/// The calls of a path, last first.
type Path = Option<Rc<Called>>;

struct Called {
    call: PathCall,
    before: Path,
}

/// What is wrong with a procedure.
pub struct Flaw {
    /// What.
    pub kind: FlawKind,
    /// The call that is to blame.
    pub call: PathCall,
    /// The commit point of the path, if the call comes after it.
    pub commit: Option<PathCall>,
    /// The other operation involved, if any.
    pub against: Option<usize>,
    /// What is known instead of a counterexample, in words.
    pub notes: Vec<String>,
    /// The steps up to the call, and what is wrong there.
    pub counterexample: Option<Counterexample<Anchor>>,
    /// Whether it refutes: it was found on exact states, and replayed.
    pub confirmation: Confirmation,
}

/// Why a call does not move left: in which way, past which operation, and what is known in the case that shows it.
type NotLeft = (FlawKind, Option<usize>, (Refutation, Knowledge));

/// Why a call is no left mover whatever the others do.
type Unfit = (FlawKind, (Refutation, Knowledge));

/// The ways a procedure can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlawKind {
    /// The call is after the commit point and does not move left.
    NotLeft,
    /// The call is after the commit point and may block.
    MayBlock,
    /// The call is not allowed.
    NotAllowed,
}

/// What is known of the operations of the layer below, by index.
pub trait Table {
    /// Whether it moves right past everything. `Err`: not known.
    ///
    /// # Errors
    /// The name of the check that could not be completed.
    fn right(&self, operation: usize) -> Result<bool, String>;
    /// Whether it is known to emit nothing and not to fail, in all states.
    fn silent(&self, operation: usize) -> bool;
    /// Why it can never be a left mover: it is not stably enabled. The other operation, and the reason.
    fn never_left(&self, operation: usize) -> Option<(Option<usize>, Refutation)>;
}

/// Checks the shape of a procedure (`atomic`), or that it follows the protocol of the layer below.
///
/// # Errors
/// If a search cannot be completed.
pub fn check<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    lower: LayerId,
    procedure: CodeId,
    judge: &mut Judge<'_>,
) -> Result<Option<Flaw>, Abort> {
    let Some(mut suspected) = walk(setting, search, lower, procedure, Between::Facts, judge)? else { return Ok(None) };
    for steps in 0..=2 {
        let flaw = walk(setting, search, lower, procedure, Between::Exactly(steps), judge)?;
        if flaw.is_some() {
            return Ok(flaw);
        }
    }
    if suspected.is_confirmed() {
        suspected.confirmation = Confirmation::OnlyFacts;
    }
    Ok(Some(suspected))
}

/// Judges the calls on paths.
pub struct Judge<'t> {
    /// For the shape: what is known of the operations. Without it, the protocol is judged.
    pub table: Option<&'t dyn Table>,
    /// Operations taken as right movers by some path.
    pub relied_right: Vec<usize>,
    /// Operations taken as left movers by some path.
    pub relied_left: Vec<usize>,
    /// Checks that could not be completed.
    pub unknown: Option<String>,
}

struct Walk<'s, 'p> {
    setting: &'s Setting<'p>,
    lower: LayerId,
    me: Value,
    script: Vec<Action>,
    between: Between,
    number: u32,
    /// The state that the walk starts from.
    from: Value,
}

/// A machine on its way.
struct Item {
    machine: Machine,
    path: Path,
    /// Steps of others that it may still take.
    budget: u32,
    /// The step being made is one of another process.
    foreign: bool,
    /// The call that the procedure wants to make, once the others have run.
    wants: Option<(usize, Vec<Value>)>,
}

fn walk<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    lower: LayerId,
    procedure: CodeId,
    between: Between,
    judge: &mut Judge<'_>,
) -> Result<Option<Flaw>, Abort> {
    let mut slots = Slots::default();
    let state = slots.unknown(setting.state(lower));
    let me = slots.process(0);
    let function = &setting.program.functions[procedure];
    let arguments: Vec<_> =
        function.locals[..function.parameters as usize].iter().map(|it| slots.unknown(&it.ty)).collect();
    let result = slots.empty();
    let script = vec![Action::Procedure { function: procedure, lower, state, me, arguments, result: Some(result) }];
    let mut start = slots.start(&mut search.world.cells, 1);
    let me = start.slots[me].clone();
    // Between facts the state is another one than before: only what is followed exactly can be told.
    start.tale = (between != Between::Facts).then_some(None);
    let from = start.slots[state].clone();
    let mut walk = Walk { setting, lower, me, script, between, number: 0, from };
    let mut pending = vec![Item { machine: start, path: None, budget: walk.budget(), foreign: false, wants: None }];
    search.pausing = true;
    let mut found = Ok(None);
    while let Some(item) = pending.pop() {
        found = walk.go_on(search, item, &mut pending, judge);
        if !matches!(found, Ok(None)) {
            break;
        }
    }
    search.pausing = false;
    found
}

impl<'p> Walk<'_, 'p> {
    /// Runs a machine up to the next step of the layer below, or to the end.
    fn go_on(
        &mut self,
        search: &mut Search<'_, 'p>,
        item: Item,
        pending: &mut Vec<Item>,
        judge: &mut Judge<'_>,
    ) -> Result<Option<Flaw>, Abort> {
        let Item { machine, path, budget, foreign, wants } = item;
        let mut stops = Vec::new();
        search.for_all(machine, &self.script, &mut |_, machine, end| {
            stops.push((machine, end));
            Ok(true)
        })?;
        for (mut machine, end) in stops.into_iter().rev() {
            match end {
                End::Wants(name, arguments) => {
                    let operations = &self.setting.program.layers[self.lower.0 as usize].operations;
                    let operation = operations.iter().position(|it| it.name == name).ok_or(Abort::Unsupported)?;
                    let wants = (operation, arguments);
                    // What is allowed before the others run is allowed after it: that is another obligation of every protocol.
                    if judge.table.is_none()
                        && let Some(flaw) = self.not_allowed(search, &self.call(search, &machine, &wants)?)?
                    {
                        return Ok(Some(flaw));
                    }
                    // Before its first step a process knows nothing, so what others do makes no difference.
                    if self.between == Between::Facts && path.is_some() {
                        machine = facts::let_others_run(
                            self.setting,
                            search,
                            self.lower,
                            &self.me,
                            machine,
                            &mut self.number,
                        )?;
                    }
                    if path.is_some() {
                        self.let_others_step(search, &machine, &path, budget, &wants, pending);
                    }
                    if let Some(flaw) = self.make_call(search, machine, &path, budget, wants, pending, judge)? {
                        return Ok(Some(flaw));
                    }
                }
                End::Stepped => {
                    machine.events = Rc::default();
                    match &wants {
                        Some(wants) if foreign => {
                            // What the others' step returned is nothing to the procedure.
                            machine.stack.pop();
                            self.let_others_step(search, &machine, &path, budget, wants, pending);
                            let wants = wants.clone();
                            if let Some(flaw) = self.make_call(search, machine, &path, budget, wants, pending, judge)? {
                                return Ok(Some(flaw));
                            }
                        }
                        _ => pending.push(Item {
                            machine,
                            path: path.clone(),
                            budget: self.budget(),
                            foreign: false,
                            wants: None,
                        }),
                    }
                }
                End::Turn => {
                    let site = machine.site(search.world).ok_or(Abort::Unsupported)?;
                    return Err(Abort::Endless(site));
                }
                End::Done | End::Failed(_) | End::Panicked(..) => {}
            }
        }
        Ok(None)
    }

    fn budget(&self) -> u32 {
        match self.between {
            Between::Facts => 0,
            Between::Exactly(steps) => steps,
        }
    }

    /// A call that a machine is about to make.
    fn call(
        &self,
        search: &Search<'_, 'p>,
        machine: &Machine,
        (operation, arguments): &(usize, Vec<Value>),
    ) -> Result<PathCall, Abort> {
        let site = machine.site(search.world).ok_or(Abort::Unsupported)?;
        Ok(PathCall { operation: *operation, site, arguments: arguments.clone(), before: machine.clone() })
    }

    /// Makes a call, unless it is out of shape.
    #[expect(clippy::too_many_arguments, reason = "an item, taken apart")]
    fn make_call(
        &self,
        search: &mut Search<'_, 'p>,
        mut machine: Machine,
        path: &Path,
        budget: u32,
        wants: (usize, Vec<Value>),
        pending: &mut Vec<Item>,
        judge: &mut Judge<'_>,
    ) -> Result<Option<Flaw>, Abort> {
        let call = self.call(search, &machine, &wants)?;
        if let Some(table) = judge.table
            && let Some(flaw) = self.misshapen(search, path, &call, table, judge)?
        {
            return Ok(Some(flaw));
        }
        let (operation, arguments) = wants;
        let step = self.setting.code.step(self.lower, operation);
        machine.perform(search.world.code, step, self.me.clone(), arguments);
        let path = Some(Rc::new(Called { call, before: path.clone() }));
        pending.push(Item { machine, path, budget, foreign: false, wants: None });
        Ok(None)
    }

    /// Lets one other process make one step before the call, if there may be one more.
    fn let_others_step(
        &self,
        search: &mut Search<'_, 'p>,
        machine: &Machine,
        path: &Path,
        budget: u32,
        wants: &(usize, Vec<Value>),
        pending: &mut Vec<Item>,
    ) {
        if budget == 0 {
            return;
        }
        for operation in (0..self.setting.program.layers[self.lower.0 as usize].operations.len()).rev() {
            for start in facts::others(self.setting, search, self.lower, operation, &self.me, machine) {
                let mut machine = machine.clone();
                machine.known = start.known;
                let process = start.slots[1].clone();
                let arguments = start.slots[2..start.slots.len() - 1].to_vec();
                let step = self.setting.code.step(self.lower, operation);
                machine.perform(search.world.code, step, process, arguments);
                let wants = Some(wants.clone());
                pending.push(Item { machine, path: path.clone(), budget: budget - 1, foreign: true, wants });
            }
        }
    }

    /// Whether a call is not allowed in some state before it.
    fn not_allowed(&self, search: &mut Search<'_, 'p>, call: &PathCall) -> Result<Option<Flaw>, Abort> {
        let allowed = self.setting.code.allowed[self.lower.0 as usize][call.operation];
        let mut machine = Machine::new(call.before.known.clone(), Quantifier::Universal);
        machine.draws = call.before.draws;
        machine.slots = Rc::new(vec![call.before.state.clone(), self.me.clone()]);
        Rc::make_mut(&mut machine.slots).extend(call.arguments.iter().cloned());
        let result = machine.slots.len();
        Rc::make_mut(&mut machine.slots).push(Value::Unit);
        // Only states in which the invariants hold can be reached.
        let invariant = self.setting.code.invariant[self.lower.0 as usize];
        let script = [
            Action::Call { function: invariant, arguments: vec![0], result: Some(result) },
            Action::When(result),
            Action::Call { function: allowed, arguments: (0..result).collect(), result: Some(result) },
        ];
        let mut refused = None;
        search.pausing = false;
        let searched = search.for_all(machine, &script, &mut |_, machine, end| {
            let is_allowed = end == End::Done && machine.slots[result] == Value::Bool(true);
            if !is_allowed {
                refused = Some(machine);
            }
            Ok(is_allowed)
        });
        search.pausing = true;
        searched?;
        let Some(machine) = refused else { return Ok(None) };
        let process = Teller::new(self.setting, search, machine.known.clone()).datum(&self.me, &Type::Pid);
        let name = &self.setting.program.layers[self.lower.0 as usize].operations[call.operation].name;
        let there = Counterexample {
            values: Vec::new(),
            runs: Vec::new(),
            conclusion: format!("{process} may not call `{name}` there"),
        };
        let refutation = Refutation::new(there, Confirmation::Replayed);
        let mut flaw = self.flaw(search, FlawKind::NotAllowed, call, None, refutation, &machine.known);
        if let Some(run) = flaw.counterexample.as_mut().and_then(|it| it.runs.first_mut()) {
            let mut teller = Teller::new(self.setting, search, machine.known.clone());
            run.steps.push(teller.refused(self.lower, call.operation, Some(call.site), &self.me, &call.arguments));
        }
        Ok(Some(flaw))
    }

    /// A flaw, told from the start of the procedure.
    fn flaw(
        &self,
        search: &mut Search<'_, 'p>,
        kind: FlawKind,
        call: &PathCall,
        against: Option<usize>,
        refutation: Refutation,
        known: &Knowledge,
    ) -> Flaw {
        let Refutation { notes, mut counterexample, confirmation } = refutation;
        if let (Some(there), true) = (&mut counterexample, call.before.tale.is_some()) {
            let pausing = std::mem::replace(&mut search.pausing, false);
            let mut teller = Teller::new(self.setting, search, known.clone());
            let steps = teller.steps(&call.before, &End::Done);
            let before = teller.run(RunRole::Procedure, self.lower, &self.from).with(steps);
            if there.runs.is_empty() || !before.steps.is_empty() {
                there.runs.insert(0, before);
            }
            search.pausing = pausing;
        }
        Flaw { kind, call: call.clone(), commit: None, against, notes, counterexample, confirmation }
    }

    /// Whether a call that comes after these is out of shape: one before it does not move right, and it does not move left.
    fn misshapen(
        &self,
        search: &mut Search<'_, 'p>,
        path: &Path,
        call: &PathCall,
        table: &dyn Table,
        judge: &mut Judge<'_>,
    ) -> Result<Option<Flaw>, Abort> {
        let mut before: Vec<&PathCall> = Vec::new();
        let mut at = path.as_ref();
        while let Some(called) = at {
            before.push(&called.call);
            at = called.before.as_ref();
        }
        before.reverse();
        for earlier in before {
            match table.right(earlier.operation) {
                Ok(true) => {
                    judge.relied_right.push(earlier.operation);
                    continue;
                }
                Ok(false) => {}
                Err(unknown) => judge.unknown = Some(unknown),
            }
            if let Some(mut flaw) = self.not_left(search, call, table)? {
                flaw.commit = Some(earlier.clone());
                return Ok(Some(flaw));
            }
            judge.relied_left.push(call.operation);
            return Ok(None);
        }
        Ok(None)
    }

    /// Why a call is not a left mover where it stands.
    fn not_left(&self, search: &mut Search<'_, 'p>, call: &PathCall, table: &dyn Table) -> Result<Option<Flaw>, Abort> {
        if let Some((against, refutation)) = table.never_left(call.operation)
            && self.counts(&refutation)
        {
            let known = call.before.known.clone();
            return Ok(Some(self.flaw(search, FlawKind::NotLeft, call, against, refutation, &known)));
        }
        search.pausing = false;
        let found = self.not_left_at(search, call, table.silent(call.operation));
        search.pausing = true;
        Ok(found?
            .map(|(kind, against, (refutation, known))| self.flaw(search, kind, call, against, refutation, &known)))
    }

    /// Whether a refutation is one here: on exact states only what is confirmed.
    fn counts(&self, refutation: &Refutation) -> bool {
        self.between == Between::Facts || refutation.confirmation.is_confirmed()
    }

    fn not_left_at(
        &self,
        search: &mut Search<'_, 'p>,
        call: &PathCall,
        is_silent: bool,
    ) -> Result<Option<NotLeft>, Abort> {
        let (setting, lower) = (self.setting, self.lower);
        for other in 0..setting.program.layers[lower.0 as usize].operations.len() {
            let pair = Pair::new(setting, lower, call.operation, other, Slots::numbered_from(1_000));
            let before = &call.before;
            for process in facts::others(setting, search, lower, other, &self.me, before) {
                let mut start = pair.slots.start(&mut search.world.cells, 0);
                start.known = process.known.clone();
                start.draws = before.draws;
                pair.place(&mut start, before.state.clone(), &self.me, &call.arguments, &process.slots[1]);
                if other == 0
                    && let Some((kind, refutation)) = self.unfit_alone(search, &pair, &start, is_silent)?
                {
                    return Ok(Some((kind, None, refutation)));
                }
                if let Some(refutation) = moves_from(setting, search, lower, &pair, Direction::Left, start)?
                    && self.counts(&refutation.0)
                {
                    return Ok(Some((FlawKind::NotLeft, Some(other), refutation)));
                }
            }
        }
        Ok(None)
    }

    /// Why a call can be no left mover in the states of `start`, whatever the others do: it is not silent there, or may block.
    fn unfit_alone(
        &self,
        search: &mut Search<'_, 'p>,
        pair: &Pair,
        start: &Machine,
        is_silent: bool,
    ) -> Result<Option<Unfit>, Abort> {
        let (setting, lower) = (self.setting, self.lower);
        if !is_silent
            && let Some(refutation) = silent_from(setting, search, lower, (pair.state, &pair.mover), start.clone())?
            && self.counts(&refutation.0)
        {
            return Ok(Some((FlawKind::NotLeft, refutation)));
        }
        let blocks = enabled_from(setting, search, lower, pair, start)?;
        Ok(blocks.filter(|it| self.counts(&it.0)).map(|refutation| (FlawKind::MayBlock, refutation)))
    }
}

impl Refutes for Flaw {
    fn is_confirmed(&self) -> bool {
        self.confirmation.is_confirmed()
    }

    fn not_replayed(&mut self) {
        self.confirmation = Confirmation::NotReplayed;
    }

    fn counterexample(&self) -> Option<&Counterexample<Anchor>> {
        self.counterexample.as_ref()
    }
}
