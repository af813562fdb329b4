//! A path of a procedure as one step: what it does where its commit point stands is what the operation above allows.
//!
//! Let a path make the edges `e1 … ek`, with the commit point `ei`: those before it are right or weak, those after it left or weak
//! ([`shape`](super::shape)). All of its calls happen where the commit point does: the right ones have moved there, the left ones too, and
//! the weak ones, which leave no trace, are left out. So for every state `s`, with what the path knows of its values (the *facts* before the
//! commit point among it, which hold there whatever the others have done):
//!
//! ```text
//! s --right edges--> y,  the facts before ei hold in y,  y --ei, left edges/E--> s'
//!     implies   s --op/r,E--> s'  is a step of the layer above
//! ```
//!
//! where all edges have the results of the path, and `r` is what the path returns. A weak edge is not made: its result is one that the facts
//! of the path allow. If the path ends in a failure, then in that of its commit point, and the operation above must be able to fail in `s`.
//!
//! A path of which all edges are made is a run of the procedure alone; then this is [`atomic`](super::atomic), and asked there.
//!
//! Where several edges can be the commit point, one that does is enough. A path without edges commits at its end: the operation above must be
//! able to leave the state there as it is.

use std::rc::Rc;

use super::{
    edges::{Edge, PathCall, Place},
    facts,
    question::{Confirmation, Wanted, concrete_value},
    tokens::Token,
};
use crate::{
    explore::{
        cells::Root,
        code::CodeId,
        machine::Machine,
        search::{Abort, Action, End, Search, Unmet},
        value::Value,
    },
    ir::LayerId,
};

/// The operation above, as the procedure is called.
#[derive(Clone)]
pub struct Above {
    /// The layer above.
    pub layer: LayerId,
    /// Index of the operation there.
    pub operation: usize,
    /// Its step.
    pub step: CodeId,
    /// With what the procedure was called.
    pub arguments: Vec<Value>,
}

/// A path to its end.
pub struct WholePath {
    /// Its edges, without those of turns that have gone on.
    pub edges: Vec<Rc<Edge>>,
    /// Where these turns were: after so many edges. In ascending order.
    pub loops: Vec<usize>,
    /// The first edge that may be the commit point.
    pub commits_from: usize,
    /// The call that has not returned, if it ends in the middle of one.
    pub open: Option<Rc<PathCall>>,
    /// The machine at its end.
    pub machine: Machine,
    /// The state at its end.
    pub state: Value,
    /// How it ended.
    pub end: End,
    /// What it returned.
    pub result: Value,
    /// What the process holds that others do not, at its end.
    pub tokens: Rc<Vec<Token>>,
}

impl WholePath {
    /// The path without its first edges.
    pub fn after(&self, edges: usize) -> WholePath {
        WholePath {
            edges: self.edges[edges..].to_vec(),
            loops: self.loops.iter().filter(|it| **it >= edges).map(|it| it - edges).collect(),
            commits_from: self.commits_from.saturating_sub(edges),
            open: self.open.clone(),
            machine: self.machine.clone(),
            state: self.state.clone(),
            end: self.end.clone(),
            result: self.result.clone(),
            tokens: self.tokens.clone(),
        }
    }
}

/// Which edge is the commit point, and which of the others are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The index of the commit point: that of no edge, if it is the call that has not returned, or if there are no edges.
    pub commit: usize,
    /// Edges before it that are made.
    pub right: Vec<usize>,
    /// Edges after it that are made.
    pub left: Vec<usize>,
}

impl Plan {
    /// The [decisive](super::decisive) edges of a path, by this plan.
    pub fn decisive<'e>(&self, edges: &'e [Rc<Edge>]) -> &'e [Rc<Edge>] {
        &edges[self.commit.min(edges.len())..]
    }

    fn is_commit_alone(&self) -> bool {
        self.right.is_empty() && self.left.is_empty()
    }
}

/// A path that is no step of the operation above.
pub struct NoStep {
    /// The state that the step starts from, with what is known.
    pub machine: Machine,
    /// The case in which there is none.
    pub unmet: Unmet,
    /// What is looked for.
    pub allowed: Vec<Action>,
    /// The commit point.
    pub commit: usize,
    /// Whether there is none either for the concrete values that are shown.
    pub confirmation: Confirmation,
}

const BEFORE: usize = 0;
const ME: usize = 1;
const RESULT: usize = 2;
const EVENTS: usize = 3;
const AFTER: usize = 4;
const ABOVE: usize = 5;
const RETURNED: usize = 8;
const WANTED: usize = 9;
const ARGUMENTS: usize = 10;

/// The slot of the state that a step starts from.
pub const START: usize = BEFORE;

/// Whether a path is a step of the operation above by one of these plans; if not, why not by the first. If states are exact, the
/// commit point is made in the state that it was made in.
///
/// # Errors
/// If the search cannot be completed.
pub fn check(
    search: &mut Search<'_, '_>,
    place: Place,
    above: &Above,
    path: &WholePath,
    plans: &[Plan],
    is_exact: bool,
) -> Result<Option<NoStep>, Abort> {
    let pausing = std::mem::replace(&mut search.pausing, false);
    let checked = checked(search, place, above, path, plans, is_exact);
    search.pausing = pausing;
    checked
}

fn checked(
    search: &mut Search<'_, '_>,
    place: Place,
    above: &Above,
    path: &WholePath,
    plans: &[Plan],
    is_exact: bool,
) -> Result<Option<NoStep>, Abort> {
    let (alone, others): (Vec<&Plan>, Vec<&Plan>) = plans.iter().partition(|it| it.is_commit_alone());
    let mut first = None;
    if !alone.is_empty() {
        match commits_alone(search, place, above, path, &alone)? {
            None => return Ok(None),
            found => first = found,
        }
    }
    for plan in others {
        match with_others(search, place, above, path, plan, is_exact)? {
            None => return Ok(None),
            Some(found) => drop(first.get_or_insert(found)),
        }
    }
    Ok(first)
}

/// What the operation above is to do, from the state in the slot `before`.
fn allowed(above: &Above, base: usize) -> Vec<Action> {
    let arguments = [ABOVE, ME].into_iter().chain(ARGUMENTS..ARGUMENTS + above.arguments.len()).collect();
    vec![
        Action::Copy(base, ABOVE),
        Action::Call { function: above.step, arguments, result: Some(ABOVE + 1) },
        Action::Equal(ABOVE + 1, RESULT),
        Action::TakeEvents(ABOVE + 2),
        Action::Equal(ABOVE + 2, base + 1),
        Action::Equal(ABOVE, base + 2),
    ]
}

/// A machine with the slots of the step, at the end of the path.
fn start(place: Place, arguments: &[Value], path: &WholePath) -> Machine {
    let mut machine = Machine::new(path.machine.known.clone(), path.machine.quantifier);
    machine.draws = path.machine.draws;
    let mut slots = vec![Value::Unit; ARGUMENTS];
    slots[ME] = place.me.clone();
    slots[RESULT] = path.result.clone();
    slots.extend(arguments.iter().cloned());
    machine.slots = Rc::new(slots);
    machine
}

/// Plans in which nothing but the commit point is made: in each case of what is known one of them is enough.
fn commits_alone(
    search: &mut Search<'_, '_>,
    place: Place,
    above: &Above,
    path: &WholePath,
    plans: &[&Plan],
) -> Result<Option<NoStep>, Abort> {
    let mut machine = start(place, &above.arguments, path);
    let mut scripts = Vec::new();
    for plan in plans {
        let base = machine.slots.len();
        let slots = Rc::make_mut(&mut machine.slots);
        match path.edges.get(plan.commit) {
            Some(edge) => {
                slots.extend([edge.call.before.state.clone(), Value::Seq(edge.events.clone()), edge.after.clone()])
            }
            None => {
                let state = path.open.as_ref().map_or(&path.state, |it| &it.before.state).clone();
                slots.extend([state.clone(), Value::seq(Vec::new()), state]);
            }
        }
        scripts.push(allowed(above, base));
    }
    let done = |machine: &Machine, end: &End| match end {
        End::Done => true,
        End::Failed(_) => machine.stage == 1,
        _ => false,
    };
    let failed = |machine: &Machine, end: &End| matches!(end, End::Failed(_)) && machine.stage == 1;
    let accept: &dyn Fn(&Machine, &End) -> bool = if path.end == End::Done { &done } else { &failed };
    let unmet = match path.end {
        End::Panicked(..) => Some(Unmet { known: machine.known.clone(), within: Default::default() }),
        _ => {
            let wanted: Vec<_> = scripts.iter().map(|it| (it.as_slice(), accept as _)).collect();
            search.one_always_exists(&machine, &wanted)?
        }
    };
    let Some(unmet) = unmet else { return Ok(None) };
    let confirmation = match path.end {
        End::Panicked(..) => Confirmation::Replayed,
        _ => {
            let wanted: Vec<_> = scripts.iter().map(|it| (it.as_slice(), accept as _)).collect();
            let concrete = concrete(search, &machine, &unmet);
            confirmation(search.one_always_exists(&concrete, &wanted)?)
        }
    };
    let base = ARGUMENTS + above.arguments.len();
    for (to, from) in [(BEFORE, base), (EVENTS, base + 1), (AFTER, base + 2)] {
        let value = machine.slots[from].clone();
        machine.set(to, value);
    }
    let allowed = scripts.swap_remove(0);
    Ok(Some(NoStep { machine, unmet, allowed, commit: plans[0].commit, confirmation }))
}

/// A plan in which other edges are made, too.
fn with_others(
    search: &mut Search<'_, '_>,
    place: Place,
    above: &Above,
    path: &WholePath,
    plan: &Plan,
    is_exact: bool,
) -> Result<Option<NoStep>, Abort> {
    let machines = carried_out(search, place, start(place, &above.arguments, path), path, plan, is_exact)?;
    let allowed = allowed_from_start(above);
    let wanted = match path.end {
        End::Done => Wanted::Run(&allowed, Some(1)),
        End::Failed(_) => Wanted::Failure(&allowed[..2]),
        _ => Wanted::Never,
    };
    for machine in machines {
        let machine = Machine { stage: 0, ..machine };
        if let Some(unmet) = super::question::unmet(search, &machine, &wanted)? {
            let concrete = concrete(search, &machine, &unmet);
            let confirmation = confirmation(super::question::unmet(search, &concrete, &wanted)?);
            return Ok(Some(NoStep { machine, unmet, allowed, commit: plan.commit, confirmation }));
        }
    }
    Ok(None)
}

/// Whether a path as one step, by this plan, leaves the state as it was, and emits nothing.
///
/// # Errors
/// If the search cannot be completed.
pub fn leaves_no_trace(
    search: &mut Search<'_, '_>,
    place: Place,
    path: &WholePath,
    plan: &Plan,
    is_exact: bool,
) -> Result<bool, Abort> {
    let pausing = std::mem::replace(&mut search.pausing, false);
    let start = start(place, &[], path);
    let traceless = carried_out(search, place, start, path, plan, is_exact).and_then(|machines| {
        for mut machine in machines {
            machine.stage = 0;
            machine.set(WANTED, Value::seq(Vec::new()));
            let unchanged = [Action::Equal(AFTER, BEFORE), Action::Equal(EVENTS, WANTED)];
            if super::question::unmet(search, &machine, &Wanted::Run(&unchanged, None))?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    });
    search.pausing = pausing;
    traceless
}

/// The machines after the edges of a plan have been made at once, from any state.
fn carried_out(
    search: &mut Search<'_, '_>,
    place: Place,
    start: Machine,
    path: &WholePath,
    plan: &Plan,
    is_exact: bool,
) -> Result<Vec<Machine>, Abort> {
    let mut machines = vec![start];
    let commit = path.edges.get(plan.commit);
    if plan.right.is_empty() {
        let Some(edge) = commit else { return Err(Abort::Unsupported) };
        machines[0].set(BEFORE, edge.call.before.state.clone());
        has_been_made(&mut machines[0], edge);
    } else {
        let state = search.world.cells.root(Root::Start, place.setting.state(place.lower), path.machine.quantifier);
        machines[0].set(BEFORE, state.clone());
        machines[0].set(AFTER, state);
        for edge in &plan.right {
            machines = made(search, place, machines, &path.edges[*edge], None)?;
        }
        let call = commit.map(|it| &it.call).or(path.open.as_ref()).ok_or(Abort::Unsupported)?;
        let mut there = Vec::new();
        for machine in machines {
            match is_exact {
                true => there.extend(in_state(search, machine, &call.before.state)?),
                false => there.extend(facts::assume_in(search, &machine, AFTER, &call.facts)?),
            }
        }
        machines = match commit {
            Some(edge) if is_exact => {
                there.iter_mut().for_each(|it| has_been_made(it, edge));
                there
            }
            Some(edge) => made(search, place, there, edge, Some(EVENTS))?,
            None if matches!(path.end, End::Failed(_)) => fails(search, place, there, call)?,
            None => there,
        };
    }
    for edge in &plan.left {
        machines = made(search, place, machines, &path.edges[*edge], None)?;
    }
    Ok(machines)
}

/// A machine with a value for everything that was left open in it.
fn concrete(search: &mut Search<'_, '_>, machine: &Machine, unmet: &Unmet) -> Machine {
    let mut known = unmet.known.clone();
    let slots = machine.slots.iter().map(|it| concrete_value(search, &mut known, it)).collect();
    Machine { known, slots: Rc::new(slots), ..machine.clone() }
}

/// What it says of a case if there is no step, or some step, for concrete values.
fn confirmation(unmet: Option<Unmet>) -> Confirmation {
    unmet.map_or(Confirmation::NotReplayed, |it| Confirmation::within(it.within))
}

fn allowed_from_start(above: &Above) -> Vec<Action> {
    let mut allowed = allowed(above, BEFORE);
    allowed[4] = Action::Equal(ABOVE + 2, EVENTS);
    allowed[5] = Action::Equal(ABOVE, AFTER);
    allowed
}

/// Notes that an edge has been made, as the path did.
fn has_been_made(machine: &mut Machine, edge: &Edge) {
    machine.set(EVENTS, Value::Seq(edge.events.clone()));
    machine.set(AFTER, edge.after.clone());
}

/// The cases in which the right edges have led to this state.
fn in_state(search: &mut Search<'_, '_>, mut machine: Machine, state: &Value) -> Result<Vec<Machine>, Abort> {
    let mut there = Vec::new();
    machine.set(WANTED, state.clone());
    machine.stage = 0;
    search.for_all(machine, &[Action::Equal(AFTER, WANTED)], &mut |_, machine, end| {
        if end == End::Done {
            there.push(machine);
        }
        Ok(true)
    })?;
    Ok(there)
}

/// Whether right edges that are made after others lead to no state that they do not lead to by themselves. They are made as in
/// [`check`]: with their arguments and results, in all states.
///
/// # Errors
/// If the search cannot be completed.
pub fn absorbs(
    search: &mut Search<'_, '_>,
    place: Place,
    known: &Machine,
    first: &[Rc<Edge>],
    second: &[Rc<Edge>],
) -> Result<bool, Abort> {
    let state = search.world.cells.root(Root::Start, place.setting.state(place.lower), known.quantifier);
    let mut machine = Machine::new(known.known.clone(), known.quantifier);
    machine.draws = known.draws;
    let mut slots = vec![Value::Unit; ARGUMENTS];
    slots[ME] = place.me.clone();
    slots[BEFORE] = state.clone();
    slots[AFTER] = state;
    machine.slots = Rc::new(slots);
    let mut machines = vec![machine];
    for edge in first.iter().chain(second) {
        machines = made(search, place, machines, edge, None)?;
    }
    for mut machine in machines {
        machine.stage = 0;
        let mut alone = vec![Action::Copy(BEFORE, ABOVE)];
        for edge in second {
            let step = step(place, &mut machine, &edge.call, ABOVE);
            machine.push_slot(edge.result.clone());
            alone.extend([step, Action::Equal(RETURNED, machine.slots.len() - 1), Action::TakeEvents(RETURNED)]);
        }
        alone.push(Action::Equal(ABOVE, AFTER));
        if super::question::unmet(search, &machine, &Wanted::Run(&alone, None))?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Puts the arguments of a call in slots, and gives its step from the state in a slot.
fn step(place: Place, machine: &mut Machine, call: &PathCall, state: usize) -> Action {
    let base = machine.slots.len();
    Rc::make_mut(&mut machine.slots).extend(call.arguments.iter().cloned());
    let arguments = [state, ME].into_iter().chain(base..base + call.arguments.len()).collect();
    let function = place.setting.code.step(place.lower, call.operation);
    Action::Call { function, arguments, result: Some(RETURNED) }
}

/// The most cases that are followed from one edge to the next. Each is a machine that is kept.
const MOST_CASES: usize = 10_000;

/// The machines after an edge has been made, with the result of the path.
fn made(
    search: &mut Search<'_, '_>,
    place: Place,
    machines: Vec<Machine>,
    edge: &Edge,
    events: Option<usize>,
) -> Result<Vec<Machine>, Abort> {
    let mut after = Vec::new();
    for mut machine in machines {
        let script = [
            step(place, &mut machine, &edge.call, AFTER),
            Action::Equal(RETURNED, WANTED),
            Action::TakeEvents(events.unwrap_or(RETURNED)),
        ];
        machine.set(WANTED, edge.result.clone());
        machine.stage = 0;
        search.for_all(machine, &script, &mut |_, machine, end| {
            if end == End::Done {
                after.push(machine);
            }
            Ok(after.len() <= MOST_CASES)
        })?;
        if after.len() > MOST_CASES {
            return Err(Abort::OutOfFuel);
        }
    }
    Ok(after)
}

/// The machines in which a call fails, before it.
fn fails(
    search: &mut Search<'_, '_>,
    place: Place,
    machines: Vec<Machine>,
    call: &PathCall,
) -> Result<Vec<Machine>, Abort> {
    let mut failed = Vec::new();
    for mut machine in machines {
        let script = [step(place, &mut machine, call, AFTER)];
        machine.stage = 0;
        search.for_all(machine, &script, &mut |_, mut machine, end| {
            if matches!(end, End::Failed(_)) {
                (machine.frames, machine.stack) = Default::default();
                failed.push(machine);
            }
            Ok(true)
        })?;
    }
    Ok(failed)
}
