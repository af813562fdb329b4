//! The shape of a procedure, and its use of a protocol.
//!
//! Each path through a procedure is a sequence of [edges](super::edges): calls, each with the result that the path takes. With `P` the states
//! that the prefix of the path allows, closed under the steps of others, there is a *commit point* on each path (CSPEC, OSDI'18, section 5.2,
//! "right movers, commit, left movers"; here each result of a call chooses its own class):
//!
//! ```text
//! R:  right or weak edge, then R  | N
//! N:  any edge, then L            | nothing
//! L:  left or weak edge, then L   | nothing
//! ```
//!
//! Once a path has made an edge that is neither right nor weak, its procedure counts as done: each call after that must be enabled in every
//! state of its `P`. A procedure that has only made right and weak edges may stop there: nobody has noticed.
//!
//! A path of which all edges but the commit point are right before it and left after it is a run of the procedure alone. For any other path it
//! is asked here what it does as [one step](super::one_step). A weak edge after the commit point is left out of it, and so is what it has
//! found out: a left edge that follows it must be one in all states.
//!
//! Loops (`loops`) are for the time before the commit point. Before what is judged here, a path may make steps that leave no trace (`blocks`).
//!
//! A procedure is not started where the operation above fails (its *gate*: CSPEC has none; Civl's, "Automated and modular refinement
//! reasoning", CAV'15): `P` before the first call is the states in which it does not, closed under the steps of others. That others may destroy
//! the gate before the commit point does no harm: then the operation above can fail, too.
//!
//! Others are processes that run procedures of this implementation: their steps are those of operations that some procedure of it calls or
//! passes on, with any arguments, in any state.
//!
//! If the layer below is a protocol layer, every call must also be *allowed* in every state of the `P` before it (CSPEC, section 6.2,
//! `follows`), given that the others follow the protocol: their steps are those of the protocol layer. It is judged right after the
//! process's own last step; that what is allowed stays allowed when the others step is shown by itself ([`super::protocol`]).
//!
//! `P` is over-approximated by [`super::facts`]. If a judgement fails under the facts, it is tried again on exact states with at most
//! two steps of others in between; only what fails there is reported as violated.

use std::rc::Rc;

use super::{
    decisive::{Past, Steps},
    edges::{Edge, Judge, Obstacle, PathCall, Place, Table},
    facts::{self, Fact, Process},
    idle::{self, Idle, Start},
    loops::{self, Heads},
    movers::{Direction, Refutation, first_difference},
    one_step::{self, Above, NoStep, Plan, WholePath},
    question::{Confirmation, Refutes, Setting, Slots},
    rely::Rely,
    tell::Teller,
    tokens::{self, Token},
};
use crate::{
    counterexample::{Counterexample, RunRole},
    explore::{
        cells::{Knowledge, Need, Quantifier},
        code::CodeId,
        machine::{Machine, Site},
        search::{Abort, Action, End, Search, Slot},
        value::{CellId, Value},
    },
    ir::{Anchor, LayerId, Type},
};

/// What others do between two steps of a procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Between {
    /// Anything: only facts survive, each about the value of a component.
    Facts,
    /// The same, also facts that relate a component with a value.
    Relations,
    /// The same, also facts that hold as long as some component keeps its value.
    Cases,
    /// At most so many steps in all, followed exactly.
    Exactly(u32),
}

impl Between {
    pub(super) fn is_exact(self) -> bool {
        matches!(self, Between::Exactly(_))
    }

    /// Whether facts may relate a component with a value.
    pub(super) fn relates(self) -> bool {
        matches!(self, Between::Relations | Between::Cases)
    }
}

/// What becomes of the turns of a path that have gone on, where its calls are brought together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turns {
    /// There are none.
    None,
    /// They can only be made.
    Made,
    /// They can only be left out.
    LeftOut,
    /// The last of them is made. It makes up for those before it.
    Absorbed,
    /// Either.
    MadeOrLeftOut,
}

/// The edges of a path, last first.
pub(super) type Path = Option<Rc<Made>>;

/// The edge that a path made last, and those before it.
pub(super) struct Made {
    edge: Rc<Edge>,
    before: Path,
}

/// The edges of a path, first first.
pub(super) fn edges(path: &Path) -> Vec<Rc<Edge>> {
    let mut edges: Vec<Rc<Edge>> =
        std::iter::successors(path.as_ref(), |it| it.before.as_ref()).map(|it| it.edge.clone()).collect();
    edges.reverse();
    edges
}

/// A call that a flaw speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blamed {
    /// Which operation of the layer below.
    pub operation: usize,
    /// Where in the procedure.
    pub site: Site,
}

impl Blamed {
    pub(super) fn of(call: &PathCall) -> Blamed {
        Blamed { operation: call.operation, site: call.site }
    }
}

/// What is wrong with a procedure.
pub struct Flaw {
    /// What.
    pub kind: FlawKind,
    /// The call that is to blame.
    pub call: Blamed,
    /// The commit point of the path, if the call comes after it, or the path is no step.
    pub commit: Option<Blamed>,
    /// The other operation involved, if any.
    pub against: Option<usize>,
    /// What is known instead of a counterexample, in words.
    pub notes: Vec<String>,
    /// The steps up to the call, and what is wrong there.
    pub counterexample: Option<Counterexample<Anchor>>,
    /// Whether it refutes: it was found on exact states, and replayed.
    pub confirmation: Confirmation,
}

/// The ways a procedure can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlawKind {
    /// The call is after the commit point and does not move left.
    NotLeft,
    /// The call is after the commit point and may block.
    MayBlock,
    /// The path is no step of the operation above.
    NoStep,
    /// The path is no step of the operation above, and it has no call that could be: it ends after turns that have left no trace.
    NoStepAtEnd,
    /// There is a loop after the call, which is no right mover, or goes on after it although something has changed.
    InLoop,
    /// The call is not allowed.
    NotAllowed,
    /// The procedure returns after the call where what is stated of idle processes does not hold.
    NotIdle,
}

/// What is asked where a procedure returns.
pub enum Returns {
    /// That this condition on the state and the process holds.
    Stated(CodeId),
    /// Which of these facts hold, on all ways.
    Facts(Vec<Fact>),
}

/// Whether a path is one step of the operation above; if not, perhaps why.
struct Judged {
    is_step: bool,
    no_step: Option<NoStep>,
}

/// What is asked of a procedure.
pub struct Question<'q> {
    /// The layer below.
    pub lower: LayerId,
    /// The procedure.
    pub procedure: CodeId,
    /// For the shape: the operation above, its layer and its step. Without it, the protocol is asked about.
    pub above: Option<(LayerId, usize, CodeId)>,
    /// The step of the operation above, if there are states in which it fails.
    pub gate: Option<CodeId>,
    /// What holds for idle processes, if that is to be looked at.
    pub idle: Option<Idle>,
    /// What is known where the procedure starts.
    pub start: Start,
    /// What is asked wherever the procedure returns, instead of its shape and the protocol.
    pub returns: Option<Returns>,
    /// Where its calls are noted, if that is all that is asked.
    pub calls: Option<Rely>,
    /// Who judges edges.
    pub judge: Judge<'q>,
    /// Whether a suspicion is looked at on exact states. That is in vain if it was done for all states in which the procedure may start.
    pub confirms: bool,
    /// Out: whether some path comes to a loop that makes calls.
    pub has_loops: bool,
    /// Whether it is asked elsewhere if the runs of the procedure alone are what the operation above allows.
    pub runs_alone_are_asked: bool,
    /// Out: if not, whether some path relies on it.
    pub relies_on_runs_alone: bool,
    /// Out: the decisive steps of its paths, if the judge does not ask about all steps of others.
    pub decisive: Steps,
}

impl<'q> Question<'q> {
    /// Whether a procedure follows the protocol of the layer below.
    pub fn of(lower: LayerId, procedure: CodeId, table: &'q dyn Table) -> Question<'q> {
        let judge = Judge { table, relied_right: vec![], relied_left: vec![], is_exact: false, past: Past::All };
        Question::of_start(lower, procedure, judge, Start::default())
    }

    /// The same, if this is known where the procedure starts.
    pub fn of_start(lower: LayerId, procedure: CodeId, judge: Judge<'q>, start: Start) -> Question<'q> {
        let (above, gate, idle, returns, calls) = Default::default();
        let (runs_alone_are_asked, relies_on_runs_alone) = (true, false);
        Question {
            lower,
            procedure,
            above,
            gate,
            idle,
            start,
            returns,
            calls,
            judge,
            confirms: true,
            has_loops: false,
            runs_alone_are_asked,
            relies_on_runs_alone,
            decisive: Steps::default(),
        }
    }
}

/// Judges nothing.
struct NoTable;

impl Table for NoTable {
    fn right(&self, _: usize) -> bool {
        false
    }

    fn silent_and_stable(&self, _: usize) -> bool {
        false
    }
}

impl Question<'static> {
    /// A walk that judges nothing, if this is known where the procedure starts.
    pub fn of_walk(lower: LayerId, procedure: CodeId, start: Start) -> Question<'static> {
        let judge =
            Judge { table: &NoTable, relied_right: vec![], relied_left: vec![], is_exact: false, past: Past::All };
        Question::of_start(lower, procedure, judge, start)
    }
}

/// Steps of exploration that one more attempt may take: to confirm a suspicion, or with facts under a guard.
const MOST_TO_CONFIRM: u64 = 30_000_000;

/// Checks the shape of a procedure, or that it follows the protocol of the layer below.
///
/// # Errors
/// If a search cannot be completed.
pub fn check<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    question: &mut Question<'_>,
) -> Result<Option<Flaw>, Abort> {
    question.judge.is_exact = false;
    // A question that was asked before may have been asked with more.
    question.start = Start::default();
    if let Some(idle) = &mut question.idle {
        question.start = idle.start(setting, search)?;
        let wants_numbers = idle.wants_numbers(search);
        if idle.found_nothing() {
            return if wants_numbers { Err(Abort::NumbersNeeded) } else { Ok(None) };
        }
        let found = check_from_start(setting, search, question);
        return if wants_numbers && matches!(found, Ok(Some(_))) { Err(Abort::NumbersNeeded) } else { found };
    }
    check_from_start(setting, search, question)
}

fn check_from_start<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    question: &mut Question<'_>,
) -> Result<Option<Flaw>, Abort> {
    if question.judge.past == Past::Failures {
        return with_fewest_decisive(setting, search, question);
    }
    // That components have certain values is enough most often; how they are related to values is more to look at.
    if walk(setting, search, question, (Between::Facts, false))?.is_none() {
        return Ok(None);
    }
    let Some(mut suspected) = walk(setting, search, question, (Between::Relations, false))? else { return Ok(None) };
    if question.has_loops && walk(setting, search, question, (Between::Relations, true))?.is_none() {
        return Ok(None);
    }
    if setting.scope.guards && holds_in_cases(setting, search, question)? {
        return Ok(None);
    }
    suspected.confirmation = Confirmation::OnlyFacts;
    // Where only decisive steps are asked about, what refutes it has been found before.
    let is_answer = !question.confirms || question.judge.past != Past::All || setting.rely.is_some();
    // It is asked again, with entries listed.
    if is_answer || search.world.cells.has_put_one {
        return Ok(Some(suspected));
    }
    question.judge.is_exact = true;
    // Without confirmation, the suspicion is all there is.
    let confirmed = sparing(search, |search| {
        for steps in 0..=2 {
            match walk(setting, search, question, (Between::Exactly(steps), false)) {
                Ok(None) => {}
                Err(Abort::OutOfFuel | Abort::Endless(_)) => break,
                found => return found,
            }
        }
        Ok(None)
    })?;
    Ok(Some(confirmed.unwrap_or(suspected)))
}

/// Looks for the walk with the fewest [decisive](super::decisive) steps, if there is one without a flaw. The more is known, the later the commit
/// point may be; but the first walk that has no flaw knows least.
fn with_fewest_decisive<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    question: &mut Question<'_>,
) -> Result<Option<Flaw>, Abort> {
    let mut fewest: Option<Steps> = None;
    let mut flaw = None;
    for how in [(Between::Facts, false), (Between::Relations, false), (Between::Relations, true)] {
        if how.1 && !question.has_loops {
            break;
        }
        match walk(setting, search, question, how) {
            Ok(None) => question.decisive.keep_if_fewer(&mut fewest),
            Ok(found) => flaw = found,
            Err(Abort::Stopped) => return Err(Abort::Stopped),
            Err(abort) if fewest.is_none() => return Err(abort),
            Err(_) => break,
        }
    }
    if setting.scope.guards && holds_in_cases(setting, search, question)? {
        question.decisive.keep_if_fewer(&mut fewest);
    }
    match fewest {
        Some(steps) => {
            question.decisive = steps;
            Ok(None)
        }
        None => Ok(flaw),
    }
}

/// Asks with a part of the steps that are left: it must not use up what is needed afterwards.
fn sparing<'p, T>(search: &mut Search<'_, 'p>, ask: impl FnOnce(&mut Search<'_, 'p>) -> T) -> T {
    let left = search.world.fuel;
    search.world.fuel = left.min(MOST_TO_CONFIRM).min(left / 2);
    let spare = left - search.world.fuel;
    let answer = ask(search);
    search.world.fuel += spare;
    answer
}

/// Those facts that hold wherever a procedure returns.
///
/// # Errors
/// If a search cannot be completed.
pub fn re_established<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    question: &mut Question<'_>,
    facts: Vec<Fact>,
) -> Result<Vec<Fact>, Abort> {
    question.returns = Some(Returns::Facts(facts));
    let flaw = walk(setting, search, question, (Between::Relations, false))?;
    Ok(match question.returns.take() {
        // A walk that stops at a flaw has not seen all returns.
        Some(Returns::Facts(facts)) if flaw.is_none() => facts,
        _ => Vec::new(),
    })
}

/// Where a procedure makes its calls, added to where others make theirs.
///
/// # Errors
/// If a search cannot be completed.
pub fn calls<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    question: &mut Question<'_>,
    noted: Rely,
) -> Result<Rely, Abort> {
    question.calls = Some(noted);
    let flaw = walk(setting, search, question, (Between::Relations, false))?;
    match question.calls.take() {
        // A walk that stops at a flaw has not seen all calls.
        Some(noted) if flaw.is_none() => Ok(noted),
        _ => Err(Abort::Unsupported),
    }
}

/// Whether nothing is wrong if facts may hold under a guard.
fn holds_in_cases<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    question: &mut Question<'_>,
) -> Result<bool, Abort> {
    sparing(search, |search| {
        for keeps_last_turn in [false, true] {
            if keeps_last_turn && !question.has_loops {
                break;
            }
            match walk(setting, search, question, (Between::Cases, keeps_last_turn)) {
                Ok(None) => return Ok(true),
                Ok(Some(_)) => {}
                Err(Abort::OutOfFuel | Abort::Endless(_)) => break,
                Err(abort) => return Err(abort),
            }
        }
        Ok(false)
    })
}

pub(super) struct Walk<'s, 'p, 'q, 't> {
    pub(super) setting: &'s Setting<'p>,
    pub(super) lower: LayerId,
    pub(super) me: Value,
    script: Vec<Action>,
    pub(super) between: Between,
    /// Whether a path that leaves a loop in a later turn than the first keeps the edges of the turn before.
    pub(super) keeps_last_turn: bool,
    pub(super) number: u32,
    /// The slot of the state that the walk starts from.
    from: Slot,
    /// Where a path leaves the state that it ends in, and its result.
    state: Slot,
    result: Slot,
    above: Option<Above>,
    pub(super) question: &'q mut Question<'t>,
    /// Paths with loops, to be judged when all turns have been looked at.
    looped: Vec<(WholePath, Heads)>,
    /// Loops whose turns have been left out where it was asked what is pending: these turns have to be weak.
    pub(super) left_out: Vec<Heads>,
    /// All edges, if it is asked which of them are decisive, or what turns have in common.
    pub(super) made: Vec<Rc<Edge>>,
}

/// A machine on its way.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) machine: Machine,
    pub(super) path: Path,
    /// The call that is being made.
    pub(super) open: Option<Rc<PathCall>>,
    /// Steps of others that it may still take.
    pub(super) budget: u32,
    /// The step being made is one of another process.
    pub(super) foreign: bool,
    /// The call that the procedure wants to make, once the others have run.
    pub(super) wants: Option<(usize, Vec<Value>)>,
    /// The loops that it is in, or has been.
    pub(super) heads: Heads,
    /// Where states are exact: those before each step of others since the own last step.
    pub(super) earlier: Vec<Machine>,
    /// All states in which it may wait to make the call that it wants, if its state is only a case of them.
    pub(super) whole: Option<Rc<Machine>>,
    /// What the process holds that others do not.
    pub(super) tokens: Rc<Vec<Token>>,
}

fn walk<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    question: &mut Question<'_>,
    (between, keeps_last_turn): (Between, bool),
) -> Result<Option<Flaw>, Abort> {
    let Question { lower, procedure, above, gate, .. } = *question;
    question.relies_on_runs_alone = false;
    question.decisive = question.decisive.emptied();
    let mut slots = Slots::default();
    let state = slots.unknown(setting.state(lower));
    let me = slots.process(0);
    let function = &setting.program.functions[procedure];
    let arguments: Vec<_> =
        function.locals[..function.parameters as usize].iter().map(|it| slots.unknown(&it.ty)).collect();
    let result = slots.empty();
    let called_with = arguments.clone();
    let script = vec![Action::Procedure { function: procedure, lower, state, me, arguments, result: Some(result) }];
    let mut start = slots.start(&mut search.world.cells, 1);
    let (process, me) = (me, start.slots[me].clone());
    // Between facts the state is another one than before: only what is followed exactly can be told.
    start.tale = between.is_exact().then_some(None);
    let called_from: Vec<_> = called_with.iter().map(|it| start.slots[*it].clone()).collect();
    let from = start.slots.len();
    let mut begun = idle::assumed(search, &question.start, start, state, process)?;
    for start in &mut begun {
        start.push_slot(start.slots[state].clone());
    }
    let above = above.map(|(layer, operation, step)| Above { layer, operation, step, arguments: called_from });
    let (number, looped, left_out, made) = Default::default();
    let mut walk = Walk {
        setting,
        lower,
        me,
        script,
        between,
        keeps_last_turn,
        number,
        from,
        state,
        result,
        above,
        question,
        looped,
        left_out,
        made,
    };
    let mut starts = Vec::new();
    for start in begun {
        match gate {
            None => starts.push(start),
            Some(gate) => starts.extend(walk.not_failing(search, start, gate, state, &called_with)?),
        }
    }
    let budget = walk.budget();
    let begin = |machine| {
        let (path, open, foreign, wants, heads, earlier, whole) = Default::default();
        let tokens = Rc::default();
        Item { machine, path, open, budget, foreign, wants, heads, earlier, whole, tokens }
    };
    let mut pending: Vec<Item> = starts.into_iter().map(begin).collect();
    search.pausing = true;
    let fuel = search.world.fuel;
    let mut found = Ok(None);
    while let Some(item) = pending.pop() {
        found = walk.go_on(search, item, &mut pending);
        if !matches!(found, Ok(None)) {
            break;
        }
    }
    if matches!(found, Ok(None)) {
        found = walk.judge_left_out(search);
    }
    if matches!(found, Ok(None)) {
        found = walk.judge_looped(search);
    }
    if matches!(found, Ok(None)) {
        found = walk.judge_noticed(search);
    }
    search.pausing = false;
    let steps = fuel.saturating_sub(search.world.fuel);
    let (numbers, whole) = (search.world.cells.numbers, search.world.cells.puts_questions);
    tracing::debug!(?between, keeps_last_turn, ?numbers, whole, steps, flaw = !matches!(found, Ok(None)), "walk");
    found
}

impl<'s, 'p> Walk<'s, 'p, '_, '_> {
    /// Where edges are judged.
    pub(super) fn place_of<'a>(&self, me: &'a Value) -> Place<'a, 'p>
    where
        's: 'a,
    {
        Place { setting: self.setting, lower: self.lower, me }
    }

    /// The cases in which the operation above does not fail in the state that a machine starts from.
    fn not_failing(
        &mut self,
        search: &mut Search<'_, 'p>,
        start: Machine,
        gate: CodeId,
        state: Slot,
        arguments: &[Slot],
    ) -> Result<Vec<Machine>, Abort> {
        let mut above = Machine { tale: None, ..start.clone() };
        let copy = above.slots.len();
        let before = above.slots[state].clone();
        Rc::make_mut(&mut above.slots).extend([before, self.me.clone()]);
        let arguments = [copy, copy + 1].into_iter().chain(arguments.iter().copied()).collect();
        let script = [Action::Call { function: gate, arguments, result: None }];
        let mut cases: Vec<Knowledge> = Vec::new();
        let mut draws = start.draws;
        search.sees_disabled = true;
        let searched = search.for_all(above, &script, &mut |search, machine, end| {
            draws = draws.max(machine.draws);
            if matches!(end, End::Done | End::Disabled) {
                let known = without_choices(search, machine.known);
                if !cases.iter().any(|it| it.is_weaker_than(&known)) {
                    cases.retain(|it| !known.is_weaker_than(it));
                    cases.push(known);
                }
            }
            Ok(true)
        });
        search.sees_disabled = false;
        searched?;
        Ok(cases.into_iter().map(|known| Machine { known, draws, ..start.clone() }).collect())
    }

    /// Runs a machine up to the next step of the layer below, or to the end.
    fn go_on(
        &mut self,
        search: &mut Search<'_, 'p>,
        item: Item,
        pending: &mut Vec<Item>,
    ) -> Result<Option<Flaw>, Abort> {
        let Item { machine, path, open, budget, foreign, wants, heads, earlier, whole, tokens } = item;
        let mut stops = Vec::new();
        search.for_all(machine, &self.script, &mut |_, machine, end| {
            stops.push((machine, end));
            Ok(true)
        })?;
        for (machine, end) in stops.into_iter().rev() {
            if !search.survives(&machine.known)? {
                continue;
            }
            let item = Item {
                machine,
                path: path.clone(),
                open: open.clone(),
                budget,
                foreign,
                wants: wants.clone(),
                heads: heads.clone(),
                earlier: earlier.clone(),
                whole: whole.clone(),
                tokens: tokens.clone(),
            };
            let flaw = match end {
                End::Wants(name, arguments) => self.wants(search, item, &name, arguments, pending)?,
                End::Stepped => self.stepped(search, item, pending)?,
                End::Turn => loops::turn(self, search, item, pending)?,
                // A failure, or a panic, of another process is not of this procedure.
                End::Failed(_) | End::Panicked(..) if foreign => None,
                End::Done | End::Failed(_) | End::Panicked(..) => self.ended(search, item, end)?,
                End::Disabled => None,
            };
            if flaw.is_some() {
                return Ok(flaw);
            }
        }
        Ok(None)
    }

    /// The procedure wants to make a call.
    fn wants(
        &mut self,
        search: &mut Search<'_, 'p>,
        mut item: Item,
        name: &str,
        arguments: Vec<Value>,
        pending: &mut Vec<Item>,
    ) -> Result<Option<Flaw>, Abort> {
        let operations = &self.setting.program.layers[self.lower.0 as usize].operations;
        let operation = operations.iter().position(|it| it.name == name).ok_or(Abort::Unsupported)?;
        item.wants = Some((operation, arguments));
        // What is allowed before the others run is allowed after it: that is another obligation of every protocol.
        if self.above.is_none()
            && self.question.returns.is_none()
            && self.question.calls.is_none()
            && let Some(flaw) = self.not_allowed(search, &item)?
        {
            return Ok(Some(flaw));
        }
        let mut facts = Vec::new();
        // Before its first step a process knows only what others keep, so what they do makes no difference.
        let is_first = item.path.is_none() && item.heads.is_empty() && self.question.gate.is_none();
        if self.between == Between::Cases && !is_first {
            return self.make_call_in_cases(search, item, pending);
        }
        if !self.between.is_exact() && !is_first {
            let known = self.known_with(search, &item.machine, &item.tokens)?;
            let me = (self.lower, &self.me);
            let (tokens, machine, number) = (item.tokens, item.machine, &mut self.number);
            let after = tokens::let_others_run(self.setting, search, me, tokens, machine, known, number)?;
            (item.machine, facts, item.tokens) = (after.machine, after.facts, after.tokens);
        }
        self.note_call(search, &item, &facts)?;
        if !is_first {
            self.let_others_step(search, &item, pending)?;
        }
        self.make_call(search, item, facts, pending)
    }

    /// Notes a call that the procedure is about to make, if that is asked.
    fn note_call(&mut self, search: &mut Search<'_, 'p>, item: &Item, facts: &[Fact]) -> Result<(), Abort> {
        let (Some(noted), Some((operation, arguments))) = (&mut self.question.calls, &item.wants) else {
            return Ok(());
        };
        let mut noted = std::mem::take(noted);
        let call = (self.lower, *operation, arguments.as_slice());
        noted.visit(self.setting, search, (&item.machine, facts), &self.me, &item.tokens, call)?;
        self.question.calls = Some(noted);
        Ok(())
    }

    /// All that is known of the state of a machine, before the others run.
    pub(super) fn known_at(&self, search: &mut Search<'_, 'p>, machine: &Machine) -> Result<Vec<Fact>, Abort> {
        let mut known = facts::known_of_state(search, machine, &self.me, self.between.relates());
        let from_start: Vec<Fact> = self.question.start.facts.iter().map(Fact::unconditional).collect();
        known.extend(facts::holding(search, machine, &from_start)?);
        // What is not known always may still be known under its condition; but that is much to look at.
        if self.setting.rely.is_some() {
            let conditional = self.question.start.facts.iter().filter(|it| it.only_if.is_some());
            let conditional: Vec<Fact> =
                conditional.filter(|it| !known.contains(&it.unconditional())).cloned().collect();
            known.extend(facts::holding(search, machine, &conditional)?);
        }
        Ok(known)
    }

    /// The same, with what the tokens of the process rest on.
    pub(super) fn known_with(
        &self,
        search: &mut Search<'_, 'p>,
        machine: &Machine,
        tokens: &[Token],
    ) -> Result<Vec<Fact>, Abort> {
        let mut known = self.known_at(search, machine)?;
        for fact in tokens::facts_of(tokens) {
            if !known.contains(&fact) {
                known.push(fact);
            }
        }
        Ok(known)
    }

    /// Makes a call after others have run, in each case of what is known then.
    fn make_call_in_cases(
        &mut self,
        search: &mut Search<'_, 'p>,
        mut item: Item,
        pending: &mut Vec<Item>,
    ) -> Result<Option<Flaw>, Abort> {
        let machine = item.machine.clone();
        let known = self.known_with(search, &machine, &item.tokens)?;
        // Tokens hold in all cases.
        if !item.tokens.is_empty() {
            let (at, tokens, known) = (machine.clone(), item.tokens, known.clone());
            let me = (self.lower, &self.me);
            item.tokens = tokens::let_others_run(self.setting, search, me, tokens, at, known, &mut self.number)?.tokens;
        }
        let facts::Cases { whole, cases } = facts::let_others_run_in_cases(
            self.setting,
            search,
            Process { layer: self.lower, me: &self.me, tokens: &item.tokens },
            machine,
            known,
            &mut self.number,
        )?;
        let whole = (cases.len() > 1).then(|| Rc::new(whole));
        for (machine, facts) in cases {
            let flaw =
                self.make_call(search, Item { machine, whole: whole.clone(), ..item.clone() }, facts, pending)?;
            if flaw.is_some() {
                return Ok(flaw);
            }
        }
        Ok(None)
    }

    /// A step has been made: the procedure's own, or one of another process.
    fn stepped(
        &mut self,
        search: &mut Search<'_, 'p>,
        mut item: Item,
        pending: &mut Vec<Item>,
    ) -> Result<Option<Flaw>, Abort> {
        if item.foreign {
            item.machine.events = Rc::default();
            // What the others' step returned is nothing to the procedure.
            item.machine.stack.pop();
            self.let_others_step(search, &item, pending)?;
            return self.make_call(search, item, Vec::new(), pending);
        }
        // Each result chooses what its edge is: so one of two is told apart here, also if the procedure does not look at it yet.
        let cases = self.cases_of_result(search, &item.machine);
        for known in cases.into_iter().rev() {
            let machine = Machine { known, ..item.machine.clone() };
            for known in self.cases_of_keys(search, &machine)? {
                for known in self.cases_of_facts(search, known)? {
                    let machine = Machine { known, ..machine.clone() };
                    self.returned_to(search, Item { machine, ..item.clone() }, pending)?;
                }
            }
        }
        Ok(None)
    }

    /// What is known in each case of what a call has returned, if that is an unknown `bool`.
    fn cases_of_result(&self, search: &mut Search<'_, 'p>, machine: &Machine) -> Vec<Knowledge> {
        match machine.stack.last().map(|it| machine.resolve(it)) {
            Some(Value::Cell(id)) if *search.world.cells.get(id).ty == Type::Bool => {
                let cases = search.world.cells.split(&Need::Resolve(id), &machine.known, false);
                search.world.cases += cases.len().saturating_sub(1) as u64;
                cases
            }
            _ => vec![machine.known.clone()],
        }
    }

    /// The cases of what is a key after a step. What the step has read of a component is then known to be a key, too.
    fn cases_of_keys(&self, search: &mut Search<'_, 'p>, machine: &Machine) -> Result<Vec<Knowledge>, Abort> {
        let keys: Vec<&Fact> = self.question.start.facts.iter().filter(|it| it.is_about_keys()).collect();
        match keys.is_empty() || self.between.is_exact() {
            true => Ok(vec![machine.known.clone()]),
            false => facts::told_apart(search, machine, &keys),
        }
    }

    /// The cases of what facts about whole collections say of the entries that have been looked at. What they say of other entries is then known
    /// of these.
    fn cases_of_facts(&self, search: &mut Search<'_, 'p>, known: Knowledge) -> Result<Vec<Knowledge>, Abort> {
        match known.questions.is_empty() || self.between.is_exact() {
            true => Ok(vec![known]),
            false => search.with_facts_applied(&known),
        }
    }

    /// The procedure's own call has returned.
    fn returned_to(
        &mut self,
        search: &mut Search<'_, 'p>,
        mut item: Item,
        pending: &mut Vec<Item>,
    ) -> Result<(), Abort> {
        let call = item.open.take().ok_or(Abort::Unsupported)?;
        let edge = Rc::new(Edge::new(call, &item.machine));
        let returned = (self.lower, edge.call.operation, &edge.result);
        let held = (item.tokens.as_slice(), &edge.call.before.state);
        item.tokens = Rc::new(tokens::after_call(self.setting, search, &item.machine, held, returned)?);
        let unused = tokens::not_used_elsewhere(&self.question.start.facts, &item.tokens);
        if self.question.judge.past != Past::All || self.keeps_last_turn {
            self.made.push(edge.clone());
        }
        item.path = Some(Rc::new(Made { edge, before: item.path }));
        item.machine.events = Rc::default();
        item.wants = None;
        item.earlier.clear();
        item.whole = None;
        let unused: Vec<&Fact> = unused.iter().collect();
        for known in facts::told_apart(search, &item.machine, &unused)? {
            let machine = Machine { known, ..item.machine.clone() };
            pending.push(Item { machine, ..item.clone() });
        }
        Ok(())
    }

    pub(super) fn budget(&self) -> u32 {
        match self.between {
            Between::Facts | Between::Relations | Between::Cases => 0,
            Between::Exactly(steps) => steps,
        }
    }

    /// A call that a machine is about to make.
    fn call(&self, search: &Search<'_, 'p>, item: &Item, facts: Vec<Fact>) -> Result<PathCall, Abort> {
        let site = item.machine.site(search.world).ok_or(Abort::Unsupported)?;
        let wants = item.wants.clone().ok_or(Abort::Unsupported)?;
        let mut call = PathCall::new(wants, site, item.machine.clone(), (Rc::new(facts), item.earlier.clone()));
        call.whole.clone_from(&item.whole);
        call.tokens = item.tokens.clone();
        Ok(call)
    }

    /// Makes a call, unless it may block where that is too late.
    fn make_call(
        &mut self,
        search: &mut Search<'_, 'p>,
        item: Item,
        facts: Vec<Fact>,
        pending: &mut Vec<Item>,
    ) -> Result<Option<Flaw>, Abort> {
        let path = edges(&item.path);
        if self.above.is_some() {
            let call = self.call(search, &item, facts.clone())?;
            if let Some(flaw) = self.blocks_too_late(search, &path, &call)? {
                let in_loop = !self.between.is_exact() && !item.heads.is_empty();
                if in_loop && self.nothing_is_pending(search, &item.machine, (&path, &item.heads))? {
                    let Some(starts) = self.start_afresh(search, item)? else { return Ok(Some(flaw)) };
                    for (item, facts) in starts {
                        self.perform(search, item, facts, pending)?;
                    }
                    return Ok(None);
                }
                if !self.has_not_been_noticed(search, &item.machine, (&path, &item.heads))? {
                    return Ok(Some(flaw));
                }
            }
        }
        self.perform(search, item, facts, pending)?;
        Ok(None)
    }

    /// Makes a call.
    fn perform(
        &self,
        search: &mut Search<'_, 'p>,
        mut item: Item,
        facts: Vec<Fact>,
        pending: &mut Vec<Item>,
    ) -> Result<(), Abort> {
        let call = Rc::new(self.call(search, &item, facts)?);
        let (operation, arguments) = item.wants.take().ok_or(Abort::Unsupported)?;
        let step = self.setting.code.step(self.lower, operation);
        item.machine.perform(search.world.code, step, self.me.clone(), arguments);
        pending.push(Item { open: Some(call), foreign: false, ..item });
        Ok(())
    }

    /// Lets one other process make one step before the call, if there may be one more.
    fn let_others_step(&self, search: &mut Search<'_, 'p>, item: &Item, pending: &mut Vec<Item>) -> Result<(), Abort> {
        if item.budget == 0 {
            return Ok(());
        }
        let process = Process { layer: self.lower, me: &self.me, tokens: &item.tokens };
        for operation in (0..self.setting.program.layers[self.lower.0 as usize].operations.len()).rev() {
            for start in facts::others(self.setting, search, process, operation, &item.machine)? {
                let mut machine = item.machine.clone();
                machine.known = start.known;
                let process = start.slots[1].clone();
                let arguments = start.slots[2..start.slots.len() - 1].to_vec();
                let step = self.setting.code.step(self.lower, operation);
                machine.perform(search.world.code, step, process, arguments);
                pending.push(Item {
                    machine,
                    path: item.path.clone(),
                    open: None,
                    budget: item.budget - 1,
                    foreign: true,
                    wants: item.wants.clone(),
                    heads: item.heads.clone(),
                    earlier: item.earlier.iter().chain([&item.machine]).cloned().collect(),
                    whole: None,
                    tokens: item.tokens.clone(),
                });
            }
        }
        Ok(())
    }

    /// Whether a call is not allowed in some state before it.
    fn not_allowed(&self, search: &mut Search<'_, 'p>, item: &Item) -> Result<Option<Flaw>, Abort> {
        let call = &self.call(search, item, Vec::new())?;
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
        let searched = search.for_all(machine, &script, &mut |search, machine, end| {
            let is_allowed =
                end == End::Done && machine.slots[result] == Value::Bool(true) || !search.survives(&machine.known)?;
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
    pub(super) fn flaw(
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
            let before = teller.run(RunRole::Procedure, self.lower, &call.before.slots[self.from]).with(steps);
            if there.runs.is_empty() || !before.steps.is_empty() {
                there.runs.insert(0, before);
            }
            search.pausing = pausing;
        }
        Flaw { kind, call: Blamed::of(call), commit: None, against, notes, counterexample, confirmation }
    }

    /// The call may block, although the path has been noticed.
    fn blocks_too_late(
        &mut self,
        search: &mut Search<'_, 'p>,
        path: &[Rc<Edge>],
        call: &PathCall,
    ) -> Result<Option<Flaw>, Abort> {
        let place = Place { setting: self.setting, lower: self.lower, me: &self.me };
        for edge in path {
            if self.question.judge.is_unnoticed(search, place, edge)? {
                continue;
            }
            if self.question.judge.enabled(search, place, call)? {
                return Ok(None);
            }
            search.pausing = false;
            let blocked = place.may_block(search, call);
            search.pausing = true;
            let Some((refutation, known)) = blocked? else { return Ok(None) };
            let mut flaw = self.flaw(search, FlawKind::MayBlock, call, None, refutation, &known);
            flaw.commit = Some(Blamed::of(&edge.call));
            return Ok(Some(flaw));
        }
        Ok(None)
    }

    /// The path of a machine has come to its end.
    fn ended(&mut self, search: &mut Search<'_, 'p>, item: Item, end: End) -> Result<Option<Flaw>, Abort> {
        if self.above.is_none() || item.heads.need_not_end() {
            let is_asked = end == End::Done && !item.heads.need_not_end();
            return if is_asked { self.returned(search, item) } else { Ok(None) };
        }
        let Item { machine, open, tokens, .. } = item;
        let (result, state) = match end {
            End::Done => (machine.slots[self.result].clone(), machine.slots[self.state].clone()),
            _ => (Value::Unit, machine.state.clone()),
        };
        let (edges, loops) = (edges(&item.path), item.heads.lengths());
        let path = WholePath { edges, loops, commits_from: 0, open, machine, state, end, result, tokens };
        if !item.heads.is_empty() {
            self.looped.push((path, item.heads));
            return Ok(None);
        }
        self.judge_path(search, &path, Turns::None)
    }

    /// Whether some turn changes something although it was left out where it was asked what is pending. Then what was found there is not so.
    fn judge_left_out(&mut self, search: &mut Search<'_, 'p>) -> Result<Option<Flaw>, Abort> {
        for heads in std::mem::take(&mut self.left_out) {
            for edge in heads.edges() {
                if !edge.is_weak(search)? {
                    return Ok(Some(loops::goes_on_after(self, search, &edge)));
                }
            }
        }
        Ok(None)
    }

    /// The procedure has returned.
    fn returned(&mut self, search: &mut Search<'_, 'p>, mut item: Item) -> Result<Option<Flaw>, Abort> {
        item.machine.state = item.machine.slots[self.state].clone();
        let item = &item;
        match &mut self.question.returns {
            Some(Returns::Facts(facts)) => {
                *facts = facts::holding(search, &item.machine, facts)?;
                Ok(None)
            }
            Some(Returns::Stated(condition)) => {
                let condition = *condition;
                self.not_idle(search, item, condition)
            }
            None => Ok(None),
        }
    }

    /// The procedure has returned where what is stated of idle processes does not hold.
    fn not_idle(&mut self, search: &mut Search<'_, 'p>, item: &Item, condition: CodeId) -> Result<Option<Flaw>, Abort> {
        // Turns of a loop may have been made, although the path does not tell.
        let made = item.path.as_ref().map(|it| Blamed::of(&it.edge.call));
        // A procedure that has made no call leaves its process where it was.
        let Some(call) = made.or_else(|| item.heads.blamed()) else { return Ok(None) };
        let mut machine = Machine::new(item.machine.known.clone(), Quantifier::Universal);
        machine.draws = item.machine.draws;
        machine.slots = Rc::new(vec![item.machine.state.clone(), self.me.clone(), Value::Unit]);
        let script = [Action::Call { function: condition, arguments: vec![0, 1], result: Some(2) }];
        let mut refuted = None;
        search.pausing = false;
        let searched = search.for_all(machine, &script, &mut |search, machine, end| {
            let holds =
                end == End::Done && machine.slots[2] == Value::Bool(true) || !search.survives(&machine.known)?;
            if !holds {
                refuted = Some(machine);
            }
            Ok(holds)
        });
        search.pausing = true;
        searched?;
        let Some(refuted) = refuted else { return Ok(None) };
        let mut runs = Vec::new();
        let mut confirmation = Confirmation::NotReplayed;
        if item.machine.tale.is_some() {
            let pausing = std::mem::replace(&mut search.pausing, false);
            let mut teller = Teller::new(self.setting, search, refuted.known.clone());
            let steps = teller.steps(&item.machine, &End::Done);
            let from = &item.machine.slots[self.from];
            runs.push(teller.run(RunRole::Procedure, self.lower, from).with(steps));
            search.pausing = pausing;
            confirmation = Confirmation::Replayed;
        }
        let conclusion = "the procedure returns there, and what is said of idle processes does not hold".to_owned();
        Ok(Some(Flaw {
            kind: FlawKind::NotIdle,
            call,
            commit: None,
            against: None,
            notes: Vec::new(),
            counterexample: Some(Counterexample { values: Vec::new(), runs, conclusion }),
            confirmation,
        }))
    }

    /// Judges paths with loops.
    fn judge_looped(&mut self, search: &mut Search<'_, 'p>) -> Result<Option<Flaw>, Abort> {
        for (path, heads) in std::mem::take(&mut self.looped) {
            if self.between.is_exact() {
                let path = WholePath { loops: Vec::new(), ..path };
                if let Some(flaw) = self.judge_path(search, &path, Turns::LeftOut)? {
                    return Ok(Some(flaw));
                }
                continue;
            }
            if !heads.are_final() {
                continue;
            }
            let (mut all_right, mut changing) = (true, None);
            for edge in heads.edges() {
                all_right &= self.question.judge.right(search, self.place_of(&self.me.clone()), &edge)?;
                if !edge.is_weak(search)? {
                    changing = Some(edge);
                }
            }
            let turns = match (all_right, changing) {
                // Alone, the procedure would make the turns before it has started afresh in another state.
                (_, None) if heads.are_fresh() => Turns::LeftOut,
                (_, Some(edge)) if heads.are_fresh() => return Ok(Some(loops::goes_on_after(self, search, &edge))),
                (true, None) => Turns::MadeOrLeftOut,
                (false, None) => Turns::LeftOut,
                (all_right, Some(edge)) => {
                    let flaw = match all_right {
                        true => self.judge_path(search, &path, Turns::Made)?,
                        false => Some(loops::goes_on_after(self, search, &edge)),
                    };
                    if flaw.is_some() && !self.is_shown_by_last_turn(search, path, &heads)? {
                        return Ok(flaw);
                    }
                    continue;
                }
            };
            if let Some(flaw) = self.judge_path(search, &path, turns)? {
                return Ok(Some(flaw));
            }
        }
        Ok(None)
    }

    /// Whether nothing is wrong with a path if each turn of its loop makes up for those before it.
    fn is_shown_by_last_turn(
        &mut self,
        search: &mut Search<'_, 'p>,
        mut path: WholePath,
        heads: &Heads,
    ) -> Result<bool, Abort> {
        let Some(visit) = self.absorbing(search, heads)? else { return Ok(false) };
        let Some(last) = visit.last_turn() else {
            return Ok(self.judge_path(search, &path, Turns::LeftOut)?.is_none());
        };
        let turn = visit.head.edges_before()..last;
        if self.made_in_turn(search, &path.edges[turn])?.is_none() {
            return Ok(false);
        }
        path.commits_from = last;
        Ok(self.judge_path(search, &path, Turns::Absorbed)?.is_none())
    }

    /// What is wrong with a path.
    fn judge_path(
        &mut self,
        search: &mut Search<'_, 'p>,
        path: &WholePath,
        turns: Turns,
    ) -> Result<Option<Flaw>, Abort> {
        let calls = path.edges.len() + usize::from(path.open.is_some());
        let may_be_alone = turns == Turns::None && self.question.runs_alone_are_asked;
        let may_be_left_out = !matches!(turns, Turns::Made | Turns::Absorbed);
        if self.question.judge.past != Past::All && may_be_left_out && self.is_unnoticed(search, path)? {
            return Ok(None);
        }
        let last = &path.edges[path.edges.len().saturating_sub(1)..];
        if may_be_alone && (calls <= 1 || self.are_right_in_all_states(path)) && self.may_decide(last) {
            return Ok(None);
        }
        // To leave weak edges out is little to look at.
        if may_be_left_out && self.is_one_change(search, path)? {
            return Ok(None);
        }
        if may_be_alone && self.is_run_alone(search, path)? {
            return Ok(None);
        }
        let plans = if turns == Turns::Made { Vec::new() } else { self.plans(search, path)? };
        let mut no_step = None;
        if let (Some(above), false) = (self.above.clone(), plans.is_empty()) {
            let judged = self.as_one_step(search, &above, path, &plans)?;
            if judged.is_step {
                return Ok(None);
            }
            no_step = judged.no_step;
        }
        let is_one_call = calls <= 1 && path.loops.is_empty() && self.may_decide(&path.edges);
        let may_be_made = !matches!(turns, Turns::LeftOut | Turns::Absorbed);
        if may_be_made && (is_one_call || self.is_run_alone(search, path)?) {
            self.question.relies_on_runs_alone = true;
            return Ok(None);
        }
        if may_be_left_out && self.ends_in_a_step(search, path)? {
            return Ok(None);
        }
        match (no_step, self.above.clone()) {
            (Some(no_step), Some(above)) => self.no_step(search, path, &above, no_step).map(Some),
            _ => self.out_of_shape(search, path).map(Some),
        }
    }

    /// Whether all edges of a path are weak, and the operation above may do nothing whenever it has come to its end. Then none is decisive.
    fn is_unnoticed(&mut self, search: &mut Search<'_, 'p>, path: &WholePath) -> Result<bool, Abort> {
        let (Some(above), End::Done) = (self.above.clone(), &path.end) else { return Ok(false) };
        for edge in &path.edges {
            if !edge.is_weak(search)? {
                return Ok(false);
            }
        }
        let machine = Machine { state: path.state.clone(), ..path.machine.clone() };
        let relations = self.between.relates();
        let (setting, lower, me) = (self.setting, self.lower, self.me.clone());
        let mut known = facts::known_of_state(search, &machine, &me, relations);
        known.extend(tokens::facts_of(&path.tokens));
        let (tokens, number) = (path.tokens.clone(), &mut self.number);
        let after = tokens::let_others_run(setting, search, (lower, &me), tokens, machine, known, number)?;
        let machine = after.machine;
        let path = WholePath { state: machine.state.clone(), machine, ..path.after(path.edges.len()) };
        let at_its_end = Plan { commit: 0, right: Vec::new(), left: Vec::new() };
        let no_step = one_step::check(search, self.place_of(&me), &above, &path, &[at_its_end], false)?;
        Ok(no_step.is_none())
    }

    /// Whether a path is a sequence of blocks that leave no trace, and then one step.
    fn ends_in_a_step(&mut self, search: &mut Search<'_, 'p>, path: &WholePath) -> Result<bool, Abort> {
        let Some(above) = self.above.clone() else { return Ok(false) };
        let ends = self.ends_of_blocks(search, &path.machine, (&path.edges, &path.loops))?;
        for end in ends.into_iter().filter(|it| *it > 0) {
            let rest = path.after(end);
            if self.is_one_change(search, &rest)? {
                return Ok(true);
            }
            let plans = self.plans(search, &rest)?;
            if !plans.is_empty() && self.as_one_step(search, &above, &rest, &plans)?.is_step {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether all edges of a path but the last are right movers wherever they are made.
    fn are_right_in_all_states(&mut self, path: &WholePath) -> bool {
        let judge = &mut self.question.judge;
        let last = if path.open.is_some() { 0 } else { 1 };
        let before = &path.edges[..path.edges.len().saturating_sub(last)];
        let all = before.iter().all(|it| judge.table.right(it.call.operation));
        if all {
            judge.relied_right.extend(before.iter().map(|it| it.call.operation));
        }
        all
    }

    /// Whether all edges of a path but for one are weak, and what that one does is what the operation above does.
    fn is_one_change(&mut self, search: &mut Search<'_, 'p>, path: &WholePath) -> Result<bool, Abort> {
        let Some(above) = self.above.clone() else { return Ok(false) };
        let mut strong = Vec::new();
        for (index, edge) in path.edges.iter().enumerate() {
            if !edge.is_weak(search)? {
                strong.push(index);
            }
        }
        let open = path.open.as_ref().map(|_| path.edges.len());
        let commits: Vec<usize> = match (strong.as_slice(), open) {
            ([], Some(open)) => vec![open],
            ([], None) => (0..path.edges.len().max(1)).collect(),
            ([commit], None) => vec![*commit],
            _ => return Ok(false),
        };
        let plans: Vec<Plan> =
            commits.into_iter().map(|commit| Plan { commit, right: Vec::new(), left: Vec::new() }).collect();
        Ok(self.as_one_step(search, &above, path, &plans)?.is_step)
    }

    /// Whether a path is a step of the operation above by one of these plans.
    fn as_one_step(
        &mut self,
        search: &mut Search<'_, 'p>,
        above: &Above,
        path: &WholePath,
        plans: &[Plan],
    ) -> Result<Judged, Abort> {
        let is_exact = self.between.is_exact();
        if self.question.judge.past == Past::All {
            let no_step = one_step::check(search, self.place_of(&self.me), above, path, plans, is_exact)?;
            return Ok(Judged { is_step: no_step.is_none(), no_step });
        }
        // The fewer weak edges are decisive, the better. One plan is better than several together.
        let mut ranked = Vec::new();
        for plan in plans {
            let decisive = plan.decisive(&path.edges);
            if !decisive.iter().all(|it| self.is_allowed_to_decide(it)) {
                continue;
            }
            let mut weak = 0;
            for edge in decisive {
                weak += usize::from(edge.is_weak(search)?);
            }
            ranked.push((weak, plan.clone()));
        }
        ranked.sort_by_key(|it| it.0);
        let ranked: Vec<Plan> = ranked.into_iter().map(|it| it.1).collect();
        let mut no_step = None;
        for plans in ranked.chunks(1).chain((ranked.len() > 1).then_some(ranked.as_slice())) {
            no_step = one_step::check(search, self.place_of(&self.me), above, path, plans, is_exact)?;
            if no_step.is_none() {
                let is_step = plans.iter().all(|it| self.may_decide(it.decisive(&path.edges)));
                return Ok(Judged { is_step, no_step });
            }
        }
        Ok(Judged { is_step: false, no_step })
    }

    fn is_allowed_to_decide(&self, edge: &Edge) -> bool {
        self.question.judge.past.may_be_decisive(edge.call.operation, &edge.result)
    }

    /// Whether all these edges may be decisive; then they are.
    pub(super) fn may_decide(&mut self, edges: &[Rc<Edge>]) -> bool {
        let may = edges.iter().all(|it| self.is_allowed_to_decide(it));
        if may && self.question.judge.past != Past::All {
            edges.iter().for_each(|it| self.question.decisive.insert(it.call.operation, &it.result));
        }
        may
    }

    /// Notes all edges that are neither right nor weak as decisive, on whichever path they are.
    fn judge_noticed(&mut self, search: &mut Search<'_, 'p>) -> Result<Option<Flaw>, Abort> {
        if self.question.judge.past == Past::All {
            return Ok(None);
        }
        let me = self.me.clone();
        for edge in std::mem::take(&mut self.made) {
            if !self.question.judge.is_unnoticed(search, self.place_of(&me), &edge)?
                && !self.may_decide(std::slice::from_ref(&edge))
            {
                return Ok(Some(self.not_left(search, &edge.call, None)));
            }
        }
        Ok(None)
    }

    /// Whether the edges of a path but for one are right before it and left after it. The turns that have gone on are made of right edges: so
    /// all edges before them have to be right, too.
    fn is_run_alone(&mut self, search: &mut Search<'_, 'p>, path: &WholePath) -> Result<bool, Abort> {
        let me = self.me.clone();
        let place = self.place_of(&me);
        let judge = &mut self.question.judge;
        let in_turns = path.loops.last().copied().unwrap_or(0);
        for (index, edge) in path.edges.iter().enumerate() {
            let may_commit = index >= in_turns && path.open.is_none();
            // What nothing follows may be the commit point, whatever it is.
            if may_commit && index + 1 == path.edges.len() {
                return Ok(self.may_decide(&path.edges[index..]));
            }
            if judge.right(search, place, edge)? {
                continue;
            }
            for edge in &path.edges[index + 1..] {
                if !judge.left(search, place, edge)? {
                    return Ok(false);
                }
            }
            return Ok(may_commit && self.may_decide(&path.edges[index..]));
        }
        Ok(true)
    }

    /// All ways to choose the commit point of a path.
    pub(super) fn plans(&mut self, search: &mut Search<'_, 'p>, path: &WholePath) -> Result<Vec<Plan>, Abort> {
        let place = Place { setting: self.setting, lower: self.lower, me: &self.me };
        let judge = &mut self.question.judge;
        let mut plans = Vec::new();
        let mut right = Vec::new();
        if path.edges.is_empty() && path.open.is_none() {
            plans.push(Plan { commit: 0, right: Vec::new(), left: Vec::new() });
        }
        for commit in 0..path.edges.len() + usize::from(path.open.is_some()) {
            let is_open = commit == path.edges.len();
            if is_open || path.open.is_none() {
                let mut left = Some(Vec::new());
                let mut found_out = false;
                for (index, edge) in path.edges.iter().enumerate().skip(commit + 1) {
                    found_out |= path.loops.contains(&index);
                    let moves = match found_out {
                        true => judge.left_anywhere(search, place, edge)?,
                        false => judge.left(search, place, edge)?,
                    };
                    match &mut left {
                        Some(left) if moves => left.push(index),
                        _ if edge.is_weak(search)? => found_out = true,
                        _ => left = None,
                    }
                }
                let left = left.filter(|_| commit >= path.commits_from);
                plans.extend(left.map(|left| Plan { commit, right: right.clone(), left }));
            }
            let Some(edge) = path.edges.get(commit) else { break };
            if commit + 1 == path.edges.len() && path.open.is_none() {
                break;
            }
            if judge.right(search, place, edge)? {
                right.push(commit);
            } else if !edge.is_weak(search)? {
                break;
            }
        }
        Ok(plans)
    }

    /// The flaw of a path on which no edge can be the commit point.
    fn out_of_shape(&mut self, search: &mut Search<'_, 'p>, path: &WholePath) -> Result<Flaw, Abort> {
        let place = Place { setting: self.setting, lower: self.lower, me: &self.me };
        let judge = &mut self.question.judge;
        let (mut commit, mut not_right) = (None, None);
        for edge in &path.edges {
            match &commit {
                None => {
                    if !judge.is_unnoticed(search, place, edge)? {
                        commit = Some(edge);
                    } else if not_right.is_none() && !judge.right(search, place, edge)? {
                        not_right = Some(edge);
                    }
                }
                Some(_) if edge.is_weak(search)? || judge.left(search, place, edge)? => {}
                Some(commit) => {
                    search.pausing = false;
                    let obstacle = place.obstacle(search, edge, Direction::Left);
                    search.pausing = true;
                    let mut flaw = self.not_left(search, &edge.call, obstacle?);
                    flaw.commit = Some(Blamed::of(&commit.call));
                    self.tell_why_it_commits(search, &mut flaw, commit)?;
                    return Ok(flaw);
                }
            }
        }
        let Some(commit) = commit else {
            // Its turns have to be made, so all edges before them have to be right.
            let edge = not_right.or(path.edges.first()).ok_or(Abort::Unsupported)?;
            return Ok(loops::in_loop(
                self,
                search,
                edge,
                "the loop after it changes something, and it is no right mover",
            ));
        };
        let last = path.open.as_ref().or(path.edges.last().map(|it| &it.call)).unwrap_or(&commit.call);
        let mut flaw = match path.end {
            End::Failed(_) if path.open.is_some() => self.fails_too_late(search, path, last),
            _ => self.not_left(search, last, None),
        };
        flaw.commit = Some(Blamed::of(&commit.call));
        Ok(flaw)
    }

    /// Says which operation of others, in which state, keeps the commit point from being a right mover.
    fn tell_why_it_commits(&self, search: &mut Search<'_, 'p>, flaw: &mut Flaw, commit: &Edge) -> Result<(), Abort> {
        let place = Place { setting: self.setting, lower: self.lower, me: &self.me };
        let pausing = std::mem::replace(&mut search.pausing, false);
        // The flaw is replayed from what it has told, and not from this.
        let told = search.world.told.take();
        let obstacle = place.obstacle(search, commit, Direction::Right);
        (search.pausing, search.world.told) = (pausing, told);
        let Some((against, (refutation, _))) = obstacle? else { return Ok(()) };
        let operations = &self.setting.program.layers[self.lower.0 as usize].operations;
        let name = &operations[commit.call.operation].name;
        let past = against.map_or_else(String::new, |it| format!(" past `{}` of another process", operations[it].name));
        let shown = refutation.counterexample.as_ref().and_then(|it| Some((&it.runs.first()?.from, &it.conclusion)));
        flaw.notes.push(match shown {
            Some((from, conclusion)) => {
                format!("the commit point `{name}` does not move right{past}, in the state {from}: {conclusion}")
            }
            None => format!("the commit point `{name}` does not move right{past}"),
        });
        Ok(())
    }

    /// The last call of a path fails, after one that others have noticed.
    fn fails_too_late(&self, search: &mut Search<'_, 'p>, path: &WholePath, call: &PathCall) -> Flaw {
        let name = &self.setting.program.layers[self.lower.0 as usize].operations[call.operation].name;
        let there = Counterexample {
            values: Vec::new(),
            runs: Vec::new(),
            conclusion: format!("`{name}` fails after the commit point: a left mover must not fail"),
        };
        let failed = Refutation::new(there, Confirmation::Replayed);
        let mut flaw = self.flaw(search, FlawKind::NotLeft, call, None, failed, &path.machine.known);
        if let Some(run) = flaw.counterexample.as_mut().and_then(|it| it.runs.first_mut()) {
            let pausing = std::mem::replace(&mut search.pausing, false);
            let mut teller = Teller::new(self.setting, search, path.machine.known.clone());
            run.steps = teller.steps(&path.machine, &path.end);
            search.pausing = pausing;
        }
        flaw
    }

    fn not_left(&self, search: &mut Search<'_, 'p>, call: &PathCall, obstacle: Option<Obstacle>) -> Flaw {
        let known = call.before.known.clone();
        let name = &self.setting.program.layers[self.lower.0 as usize].operations[call.operation].name;
        let unknown = Refutation {
            notes: vec![format!(
                "`{name}` may move only where a read before it has its result, which may be out of date"
            )],
            counterexample: None,
            confirmation: Confirmation::OnlyFacts,
        };
        let (against, (refutation, known)) = obstacle.unwrap_or((None, (unknown, known)));
        self.flaw(search, FlawKind::NotLeft, call, against, refutation, &known)
    }

    /// Some call in the text of the procedure.
    fn some_call(&self, search: &Search<'_, 'p>) -> Option<Blamed> {
        let (site, name) = search.world.code.first_call(self.question.procedure)?;
        let operations = &self.setting.program.layers[self.lower.0 as usize].operations;
        Some(Blamed { operation: operations.iter().position(|it| it.name == name)?, site })
    }

    /// The flaw of a path that is no step of the operation above.
    fn no_step(
        &self,
        search: &mut Search<'_, 'p>,
        path: &WholePath,
        above: &Above,
        no_step: NoStep,
    ) -> Result<Flaw, Abort> {
        let NoStep { machine, unmet, allowed, commit, confirmation } = no_step;
        let pausing = std::mem::replace(&mut search.pausing, false);
        let (kind, commit) = match path.edges.get(commit).map(|it| &it.call).or(path.open.as_ref()) {
            Some(call) => (FlawKind::NoStep, Blamed::of(call)),
            None => (FlawKind::NoStepAtEnd, self.some_call(search).ok_or(Abort::Unsupported)?),
        };
        let name = &self.setting.program.layers[above.layer.0 as usize].operations[above.operation].name;
        let mut teller = Teller::new(self.setting, search, unmet.known.clone());
        let mut runs = Vec::new();
        if path.machine.tale.is_some() {
            let steps = teller.steps(&path.machine, &path.end);
            let from = &path.machine.slots[self.from];
            runs.push(teller.run(RunRole::Procedure, self.lower, from).with(steps));
        }
        let what = match path.end {
            End::Done => {
                format!("returns {}", teller.datum(&path.result, self.setting.result(above.layer, above.operation)))
            }
            End::Panicked(_, why) => format!("panics ({why})"),
            _ => "fails".to_owned(),
        };
        let steps = if path.end == End::Done { teller.attempt(&machine.slots, &allowed)? } else { Vec::new() };
        let missing = if path.end == End::Done { first_difference(steps.last()) } else { "it cannot".to_owned() };
        let layer = teller.layer(above.layer);
        runs.push(teller.run(RunRole::Above, above.layer, &machine.slots[one_step::START]).with(steps));
        let conclusion = format!("the procedure {what}, and `{layer}::{name}` has no such step there: {missing}");
        let counterexample = teller.conclude(runs, conclusion);
        search.pausing = pausing;
        Ok(Flaw {
            kind,
            call: commit,
            commit: None,
            against: None,
            notes: Vec::new(),
            counterexample: Some(counterexample),
            confirmation,
        })
    }
}

/// What is known but for choices of a run.
fn without_choices(search: &Search<'_, '_>, mut known: Knowledge) -> Knowledge {
    let is_choice = |cell: &CellId| search.world.cells.get(*cell).chosen;
    Rc::make_mut(&mut known.resolved).retain(|cell, _| !is_choice(cell));
    Rc::make_mut(&mut known.bases).retain(|cell, _| !is_choice(cell));
    known
}

impl Refutes for Flaw {
    fn is_confirmed(&self) -> bool {
        self.confirmation.is_confirmed()
    }

    fn not_replayed(&mut self) {
        self.confirmation = Confirmation::NotReplayed;
    }

    fn was_replayed_in_parts(&self) -> bool {
        // Why one call comes too late is one run, why no earlier one can wait is another. Each is looked at where it is found.
        let in_parts = [FlawKind::NotLeft, FlawKind::MayBlock, FlawKind::NoStep, FlawKind::NoStepAtEnd];
        self.is_confirmed() && in_parts.contains(&self.kind)
    }

    fn counterexample(&self) -> Option<&Counterexample<Anchor>> {
        self.counterexample.as_ref()
    }
}
