//! The shape of a procedure, and its use of a protocol, on explicit sets of states.
//!
//! The procedure is run at random: before each of its calls, others take any steps of operations that the implementation calls. `P` is all
//! states that they can lead to from where the procedure's own last step ended; before the first call, from any state in which the operation
//! above does not fail. Each run is a sequence of *edges*: calls with their results. Of each run it is claimed:
//!
//! * There is a commit point. Each edge before it moves right for its result in all states of its `P`, or is *weak*: it left the state as it
//!   was and showed nothing. Each edge after it moves left so, or is weak.
//! * For some such choice, this is what the operation above may do from `s`: the edges that move, from `s`, up to a state of the `P` of the
//!   commit point; then the commit point; then the edges that move left. Weak edges can be left out of it. What moves left after a weak edge
//!   that is left out moves left in all states. If nothing precedes the commit point, `s` is where the run made it. If all edges are
//!   made, it is a run of the procedure alone, about which there is a claim of its own, unless the procedure has a loop.
//! * After an edge that is neither weak nor moves right, each call is enabled in all of its `P`, and the procedure comes to no loop that makes
//!   calls.
//! * Instead, the run may begin with *blocks*: each has a commit point of its own, and made at once from any state, it changes and shows nothing.
//!   Then the rest of the run is claimed to be so. Where only edges follow such blocks that nobody has noticed, a loop may follow, and a
//!   call may block.
//! * If there is a protocol, each call is allowed where the procedure's own last step ended.
//!
//! Loops are run, up to some number of calls: a run through a loop is a run like any other. Fewer states than `P` are less to claim, so that a
//! set of states may be cut off, and runs be left out.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use cspec_analysis::ir::{Code, Expr, LayerId};
use rustc_hash::FxHashMap;

use crate::{
    claims::{Claims, ME, OTHER, Pair, States},
    eval::{Below, DontKnow, Evaluator, Logged, Outcome, Stop, Want},
    moves::{Call, Moves, State, Step, To},
    stack::{Descent, Tower},
    value::Value,
};

/// The code of one operation, over a layer.
pub(crate) struct Procedure<'c, 'p> {
    pub(crate) claims: &'c Claims<'p>,
    pub(crate) upper: LayerId,
    pub(crate) lower: LayerId,
    pub(crate) code: &'c Code,
    pub(crate) name: &'c str,
    /// The operations that the implementation calls or passes on: what others do.
    pub(crate) called: Called<'p>,
    /// Whether it is claimed elsewhere that the runs of the procedure alone are what the operation above does.
    pub(crate) alone_is_claimed: bool,
}

/// The text of the arguments of each call of an operation, by its index; no text where it is passed on.
pub(crate) type Called<'p> = BTreeMap<usize, Vec<Option<&'p [Expr]>>>;

/// The number of random runs of one procedure.
const RUNS: usize = 120;

/// The most calls of one run.
const MOST_CALLS: usize = 8;

/// The states that a step above is looked for from.
const MOST_STARTS: usize = 80;

/// A state to start from, and the states in which the first call may be made.
type Start = (State, Rc<Vec<State>>);

/// A call of a run with its result.
struct Edge {
    call: Call,
    /// All states that the call may be made in, and the one in which it was.
    before: Rc<Vec<State>>,
    at: State,
    result: Value,
    after: State,
    events: Rc<[Value]>,
}

impl Edge {
    fn is_weak(&self) -> bool {
        self.at == self.after && self.events.is_empty()
    }
}

/// Where the procedure is after a log.
pub(crate) enum At {
    /// It wants to make this call; whether it has come to a loop since its last one.
    Wants(Vec<Logged>, usize, Vec<Value>, bool),
    /// It has returned this, or failed by itself.
    Ended(Option<Value>),
}

/// How a run ended.
enum End {
    Returned(Value),
    /// It failed by itself.
    Failed,
    /// This call failed, in one of these states.
    FailedIn(Call, Rc<Vec<State>>, State),
}

/// A procedure with its arguments, as it is run.
struct Runs<'r, 'c, 'p> {
    procedure: &'r Procedure<'c, 'p>,
    moves: &'r Moves<'c, 'p>,
    /// Finds what the operation above may do: it has more to choose from.
    above: &'r Evaluator<'p>,
    operation: usize,
    arguments: Vec<Value>,
    /// The states to start from.
    all: &'r [State],
    /// What the operation above may do, by state: looked up once.
    allowed: RefCell<FxHashMap<State, Allowed>>,
}

/// What an operation may do in one state.
type Allowed = Rc<Vec<Outcome<(Value, Value)>>>;

impl Procedure<'_, '_> {
    /// A run that is out of shape, or else a call that is not allowed.
    pub(crate) fn refute(&self, of_shape: bool, states: &mut States) -> Result<Option<String>, DontKnow> {
        if matches!(self.code, Code::Pass) {
            return Ok(None);
        }
        let evaluator = &self.claims.evaluator;
        let moves = Moves::new(self.claims, self.lower, &self.called, states);
        let layer = &evaluator.program.layers[self.lower.0 as usize];
        let mut all = Vec::new();
        for state in states.of(evaluator, &layer.state) {
            // Only states in which the invariants hold can be reached.
            if evaluator.all_hold(&layer.invariants, std::slice::from_ref(&state))? {
                all.push(moves.state(&state));
            }
        }
        all.truncate(MOST_STARTS);
        let above = self.claims.with_more_to_choose();
        let operation = self.claims.operation_named(self.upper, self.name)?;
        let rows = states.arguments(evaluator, &evaluator.argument_types(self.upper, operation));
        if all.is_empty() || rows.is_empty() {
            return Ok(None);
        }
        let (procedure, moves, above, all) = (self, &moves, &above, all.as_slice());
        let with = |arguments| Runs { procedure, moves, above, operation, arguments, all, allowed: RefCell::default() };
        let of_rows: Vec<Runs<'_, '_, '_>> = rows.into_iter().map(with).collect();
        for number in 0..RUNS {
            let found = of_rows[number % of_rows.len()].one(of_shape, states)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// What the procedure does next.
    pub(crate) fn next(&self, arguments: &[Value], log: &[Logged]) -> Result<Vec<At>, DontKnow> {
        if log.len() > 40 {
            return Err(DontKnow("a procedure that goes on and on".to_owned()));
        }
        let Code::Procedure(function) = self.code else {
            let operation = self.claims.operation_named(self.lower, self.name)?;
            let wants = At::Wants(Vec::new(), operation, arguments.to_vec(), false);
            return Ok(match log.last() {
                Some(Logged::Result(result)) => vec![At::Ended(Some(result.clone()))],
                _ => vec![wants],
            });
        };
        let tower = Tower::layer(self.lower);
        let mut found = Vec::new();
        self.claims.evaluator.each_run(log, Below::Stack(Descent::new(&tower)), &mut |run| {
            match run.call(*function, arguments.to_vec()) {
                Ok((result, _)) => found.push(At::Ended(Some(result))),
                Err(Stop::Failed | Stop::Panicked(_)) => found.push(At::Ended(None)),
                Err(Stop::Wants(Want::Step(operation, arguments))) => {
                    found.push(At::Wants(run.log.clone(), operation, arguments, run.form.comes_from_loop()));
                }
                Err(Stop::Disabled) => {}
                Err(stop) => return Err(DontKnow(format!("{stop:?}"))),
            }
            Ok(())
        })?;
        Ok(found)
    }
}

impl Runs<'_, '_, '_> {
    /// What is wrong with a random run.
    fn one(&self, of_shape: bool, states: &mut States) -> Result<Option<String>, DontKnow> {
        let Some((start, mut before)) = self.start(states)? else { return Ok(None) };
        let (mut log, mut path): (Vec<Logged>, Vec<Edge>) = (Vec::new(), Vec::new());
        while path.len() < MOST_CALLS {
            let mut next = self.procedure.next(&self.arguments, &log)?;
            if next.is_empty() {
                return Ok(None);
            }
            let at = next.swap_remove(states.random().usize(..next.len()));
            let At::Wants(wants, operation, arguments, is_in_loop) = at else {
                let At::Ended(result) = at else { return Ok(None) };
                let end = result.map_or(End::Failed, End::Returned);
                return if of_shape { self.misshapen(&path, &end) } else { Ok(None) };
            };
            let last = path.last().map_or(start, |it| it.after);
            if !of_shape && let Some(flaw) = self.not_allowed(operation, &arguments, last)? {
                return Ok(Some(flaw));
            }
            let call = self.moves.call(operation, arguments);
            if of_shape && let Some(flaw) = self.too_late(&path, call, &before, is_in_loop)? {
                return Ok(Some(flaw));
            }
            let at = before[states.random().usize(..before.len())];
            let steps = self.moves.mine(call, at)?;
            if steps.is_empty() {
                return Ok(None);
            }
            let step = steps[states.random().usize(..steps.len())].clone();
            let (result, after, events) = match step {
                Step::Done { result, after, events } => (result, after, events),
                Step::Failed if of_shape => return self.misshapen(&path, &End::FailedIn(call, before, at)),
                Step::Failed | Step::Panicked => return Ok(None),
            };
            log = wants;
            log.push(Logged::Result(result.clone()));
            path.push(Edge { call, before, at, result, after, events });
            before = self.moves.reached(after)?;
        }
        Ok(None)
    }

    /// A state to start from, and those in which the first call may be made: any, if the operation above fails nowhere.
    fn start(&self, states: &mut States) -> Result<Option<Start>, DontKnow> {
        let mut starts = Vec::new();
        for &state in self.all {
            if !self.steps_above(state)?.contains(&Outcome::Failed) {
                starts.push(state);
            }
        }
        if starts.is_empty() {
            return Ok(None);
        }
        let start = starts[states.random().usize(..starts.len())];
        let before = if starts.len() == self.all.len() { Rc::new(starts) } else { self.moves.reached(start)? };
        Ok(Some((start, before)))
    }

    fn steps_above(&self, state: State) -> Result<Allowed, DontKnow> {
        if let Some(known) = self.allowed.borrow().get(&state) {
            return Ok(known.clone());
        }
        let value = self.moves.value(state);
        let steps = Rc::new(self.above.step(self.procedure.upper, self.operation, &value, &ME, &self.arguments)?);
        self.allowed.borrow_mut().insert(state, steps.clone());
        Ok(steps)
    }

    fn name(&self, call: Call) -> String {
        let (operation, arguments) = self.moves.called(call);
        let layer = &self.above.program.layers[self.procedure.lower.0 as usize];
        format!("{}{arguments:?}", layer.operations[operation].name)
    }

    /// The run, for the reader.
    fn told(&self, path: &[Edge]) -> String {
        let edge = |it: &Edge| format!("{}: in {} it is {}", self.name(it.call), self.moves.value(it.at), it.result);
        format!("{}{:?}, {}", self.procedure.name, self.arguments, path.iter().map(edge).collect::<Vec<_>>().join("; "))
    }

    fn not_allowed(&self, operation: usize, arguments: &[Value], at: State) -> Result<Option<String>, DontKnow> {
        let Procedure { claims, lower: layer, .. } = *self.procedure;
        let pair = Pair { claims, layer, mover: (operation, arguments), other: (operation, &[]), they: OTHER };
        let state = self.moves.value(at);
        let name = &self.above.program.layers[layer.0 as usize].operations[operation].name;
        Ok((!pair.is_allowed(&state)?).then(|| format!("in {state}: {name}{arguments:?} is not allowed")))
    }

    /// A call may block, or stands in a loop, although an edge before it has been noticed.
    fn too_late(
        &self,
        path: &[Edge],
        call: Call,
        before: &[State],
        is_in_loop: bool,
    ) -> Result<Option<String>, DontKnow> {
        let mut noticed = false;
        for edge in path {
            noticed = noticed || !edge.is_weak() && !self.moves(To::Right, edge)?;
        }
        if !noticed {
            return Ok(None);
        }
        for end in self.ends_of_blocks(path)? {
            let mut unnoticed = true;
            for edge in &path[end..] {
                unnoticed = unnoticed && (edge.is_weak() || self.moves(To::Right, edge)?);
            }
            if unnoticed {
                return Ok(None);
            }
        }
        if is_in_loop {
            return Ok(Some(format!("{}: a loop follows it", self.told(path))));
        }
        for state in before {
            if self.moves.mine(call, *state)?.is_empty() {
                let (name, state) = (self.name(call), self.moves.value(*state));
                return Ok(Some(format!("{}: then {name} blocks in {state}", self.told(path))));
            }
        }
        Ok(None)
    }

    fn moves(&self, to: To, edge: &Edge) -> Result<bool, DontKnow> {
        self.moves.moves(to, edge.call, &edge.result, &edge.before)
    }

    /// Whether a call moves left in all states, whatever it returns.
    fn moves_left_anywhere(&self, edge: &Edge) -> Result<bool, DontKnow> {
        for &state in self.all {
            for step in self.moves.mine(edge.call, state)?.iter() {
                if let Step::Done { result, .. } = step
                    && !self.moves.moves(To::Left, edge.call, result, self.all)?
                {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// After how many edges of a run all edges are blocks that leave no trace.
    fn ends_of_blocks(&self, path: &[Edge]) -> Result<Vec<usize>, DontKnow> {
        let mut ends = vec![0];
        for end in 1..=path.len() {
            for start in ends.clone() {
                if self.leaves_no_trace(&path[start..end])? {
                    ends.push(end);
                    break;
                }
            }
        }
        Ok(ends)
    }

    /// Whether edges have a commit point, and change and show nothing if they are made at once.
    fn leaves_no_trace(&self, block: &[Edge]) -> Result<bool, DontKnow> {
        let mut choices = vec![Vec::new()];
        for (commit, edge) in block.iter().enumerate() {
            for before in &choices {
                'ways: for made in self.after(block, commit, before)? {
                    for start in self.starts(block, None, commit, &made) {
                        for (state, shown) in self.made_from(start, block, (commit, &made), false)? {
                            if state != start || !shown.is_empty() {
                                continue 'ways;
                            }
                        }
                    }
                    return Ok(true);
                }
            }
            choices = self.before_commit(choices, edge)?;
        }
        Ok(false)
    }

    /// The ways to choose what is made before a commit point, with one edge more.
    fn before_commit(&self, choices: Vec<Vec<bool>>, edge: &Edge) -> Result<Vec<Vec<bool>>, DontKnow> {
        let mut more = Vec::new();
        for before in choices {
            more.extend(self.moves(To::Right, edge)?.then(|| [&before[..], &[true]].concat()));
            more.extend(edge.is_weak().then(|| [&before[..], &[false]].concat()));
        }
        Ok(more)
    }

    /// What is wrong with a run that is no sequence of blocks and then one step.
    fn misshapen(&self, path: &[Edge], end: &End) -> Result<Option<String>, DontKnow> {
        let flaw = self.no_step(path, end, true)?;
        if flaw.is_none() {
            return Ok(None);
        }
        for blocks in self.ends_of_blocks(path)?.into_iter().filter(|it| *it > 0) {
            let is_step = match (path.last(), end) {
                (Some(last), End::Returned(_)) if blocks == path.len() => {
                    self.is_one_step_from(last.after, (&[], end), (0, &[]), false)?
                }
                _ => self.no_step(&path[blocks..], end, false)?.is_none(),
            };
            if is_step {
                return Ok(None);
            }
        }
        Ok(flaw)
    }

    /// What is wrong with a run of which no choice of a commit point is what the operation above does.
    fn no_step(&self, path: &[Edge], end: &End, may_be_alone: bool) -> Result<Option<String>, DontKnow> {
        let fails = matches!(end, End::FailedIn(..));
        let mut choices = vec![Vec::new()];
        for commit in 0..=path.len() {
            // A call that fails can only be the commit point, and nothing but a call can be.
            if fails == (commit == path.len()) || path.is_empty() {
                for before in &choices {
                    for made in self.after(path, commit, before)? {
                        let is_alone = may_be_alone && self.procedure.alone_is_claimed && made.iter().all(|it| *it);
                        if is_alone || self.is_one_step((path, end), commit, &made, may_be_alone)? {
                            return Ok(None);
                        }
                    }
                }
            }
            let Some(edge) = path.get(commit) else { break };
            choices = self.before_commit(choices, edge)?;
        }
        Ok(Some(format!("{}: no call can be the commit point", self.told(path))))
    }

    /// The ways to go on after a commit point: which edges are made, those before it and itself among them.
    fn after(&self, path: &[Edge], commit: usize, before: &[bool]) -> Result<Vec<Vec<bool>>, DontKnow> {
        let mut ways = vec![before.to_vec()];
        for (number, edge) in path.iter().enumerate().skip(commit) {
            let mut more = Vec::new();
            for way in ways {
                let left_out = way.get(commit + 1..).is_some_and(|it| it.contains(&false));
                let made = number == commit
                    || match left_out {
                        true => self.moves_left_anywhere(edge)?,
                        false => self.moves(To::Left, edge)?,
                    };
                more.extend(made.then(|| [&way[..], &[true]].concat()));
                more.extend((number > commit && edge.is_weak()).then(|| [&way[..], &[false]].concat()));
            }
            ways = more;
        }
        Ok(ways)
    }

    /// Whether these edges, made at once, are what the operation above may do.
    fn is_one_step(
        &self,
        (path, end): (&[Edge], &End),
        commit: usize,
        made: &[bool],
        may_be_alone: bool,
    ) -> Result<bool, DontKnow> {
        for start in self.starts(path, Some(end), commit, made) {
            if !self.is_one_step_from(start, (path, end), (commit, made), may_be_alone)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The states from which edges are made at once: any, or that of the commit point if none are made before it.
    fn starts(&self, path: &[Edge], end: Option<&End>, commit: usize, made: &[bool]) -> Vec<State> {
        let nothing_before = !made[..commit.min(made.len())].contains(&true);
        let there = match (path.get(commit), end) {
            (Some(edge), _) => Some(edge.at),
            (None, Some(End::FailedIn(_, _, at))) => Some(*at),
            (None, _) => None,
        };
        match there {
            Some(at) if nothing_before => vec![at],
            _ => self.all.iter().copied().chain(path.iter().map(|it| it.at)).collect(),
        }
    }

    /// The states to which edges lead from a state if they are made at once, and what they show.
    fn made_from(
        &self,
        start: State,
        path: &[Edge],
        (commit, made): (usize, &[bool]),
        is_alone: bool,
    ) -> Result<Vec<(State, Vec<Value>)>, DontKnow> {
        let mut runs: Vec<(State, Vec<Value>)> = vec![(start, Vec::new())];
        for (number, edge) in path.iter().enumerate().filter(|(number, _)| made[*number]) {
            if number == commit && !is_alone {
                runs.retain(|it| edge.before.contains(&it.0));
            }
            let mut next = Vec::new();
            for (state, shown) in runs {
                for step in self.moves.mine(edge.call, state)?.iter() {
                    if let Step::Done { result, after, events } = step
                        && *result == edge.result
                    {
                        next.push((*after, [&shown[..], events].concat()));
                    }
                }
            }
            runs = next;
        }
        Ok(runs)
    }

    fn is_one_step_from(
        &self,
        start: State,
        (path, end): (&[Edge], &End),
        (commit, made): (usize, &[bool]),
        may_be_alone: bool,
    ) -> Result<bool, DontKnow> {
        let is_alone = may_be_alone && made.iter().all(|it| *it);
        let mut runs = self.made_from(start, path, (commit, made), is_alone)?;
        if let End::FailedIn(call, before, _) = end {
            let mut failing = Vec::new();
            for run in runs {
                let may_be_there = is_alone || before.contains(&run.0);
                if may_be_there && self.moves.mine(*call, run.0)?.contains(&Step::Failed) {
                    failing.push(run);
                }
            }
            runs = failing;
        }
        if runs.is_empty() {
            return Ok(true);
        }
        let allowed = self.steps_above(start)?;
        let End::Returned(result) = end else { return Ok(allowed.contains(&Outcome::Failed)) };
        Ok(allowed.contains(&Outcome::Failed)
            || runs.into_iter().all(|(state, shown)| {
                allowed.contains(&Outcome::Done((result.clone(), self.moves.value(state)), shown))
            }))
    }
}
