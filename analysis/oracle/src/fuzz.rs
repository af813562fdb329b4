//! Soundness: if every obligation of a random package holds, brute force must find no trace at the bottom that the top does not have.
//!
//! Obligations that are `proved` are checked again in random states of a larger universe. Conversely, the counterexamples of violated
//! obligations are [replayed](crate::replay).

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::AtomicBool,
};

use cspec_analysis::{
    db::lower_sources,
    diagnostics::{Diagnostic, Severity, codes},
    ir::{Abstraction, Implementation, Justification, LayerId, PartitionEnd, Program, Type, lower::Lowered},
    report::{Options, Progress, check_program},
    verdict::{Outcome as Settled, Scope as Bounds, Verdict},
};
use fastrand::Rng;

use crate::{
    claims::{Claims, States},
    clients::wrong_answer,
    eval::{DontKnow, Evaluator, Outcome},
    generate::{Case, Pattern, disguised},
    replay::{Replayed, ran, replay},
    search::{Event, System, every_run, every_state},
    stack::{Call, Client, Tower},
    value::{Scope, Value},
};

/// The result of a case.
#[derive(Debug)]
pub enum Fate {
    /// All obligations hold; programs were searched completely.
    Accepted {
        /// The number of programs searched.
        searched: usize,
        /// The number of traces compared.
        traces: usize,
    },
    /// Some obligation does not hold; counterexamples were replayed.
    Rejected {
        /// The number of counterexamples replayed successfully.
        confirmed: usize,
        /// The kinds of the other counterexamples, with the reasons.
        unconfirmed: Vec<String>,
    },
    /// Some obligation is undecided.
    Undecided,
    /// The engine or the oracle is wrong.
    Wrong(Wrong),
}

/// A disagreement between the engine and the oracle.
#[derive(Clone, Debug)]
pub enum Wrong {
    /// The source is not in the language.
    IllFormed(String),
    /// The engine panicked.
    Panics(String),
    /// All obligations hold, but the bottom has a trace that the top does not have.
    WrongAcceptance(Box<NewTrace>),
    /// A counterexample contains a step that is not possible, or does not refute its obligation.
    BadCounterexample(String),
    /// An obligation is proved, but fails in some state.
    NotSo(String),
    /// A warning is false.
    Untrue(String),
    /// The end-to-end search gives a wrong answer for a client.
    EndToEnd(String),
    /// The engine reads the disguised package as another program; this is its text.
    ReadOtherwise(String),
    /// The two searches of this crate disagree.
    SearchesDisagree(String),
}

/// A trace at the bottom that the top does not have.
#[derive(Clone, Debug)]
pub struct NewTrace {
    /// The state at the bottom.
    pub bottom: Value,
    /// The state at the top; none if no initial state there is related to that of the bottom.
    pub top: Option<Value>,
    /// What the processes run.
    pub clients: Vec<Client>,
    /// The trace that is new.
    pub trace: Vec<Event>,
    /// The bounds that the engine reached.
    pub bounds: Vec<String>,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::IllFormed(why) => write!(f, "the generated source is not in the language: {why}"),
            Wrong::Panics(why) => write!(f, "the engine panics: {why}"),
            Wrong::NotSo(what) => write!(f, "this is said to be proved, and is not so: {what}"),
            Wrong::Untrue(what) => write!(f, "a warning is not true: {what}"),
            Wrong::EndToEnd(what) => write!(f, "end to end: {what}"),
            Wrong::ReadOtherwise(text) => write!(f, "in disguise it is taken for another program:\n{text}"),
            Wrong::BadCounterexample(what) => write!(f, "a counterexample is none: {what}"),
            Wrong::SearchesDisagree(what) => write!(f, "the two searches disagree: {what}"),
            Wrong::WrongAcceptance(new) => {
                writeln!(f, "every obligation holds, but the top does not have a trace of the bottom")?;
                writeln!(f, "  bounds met:   {}", new.bounds.join(", "))?;
                writeln!(f, "  at the bottom {}", new.bottom)?;
                match &new.top {
                    Some(top) => writeln!(f, "  at the top    {top}")?,
                    None => writeln!(f, "  no initial state at the top is related")?,
                }
                for (number, client) in new.clients.iter().enumerate() {
                    write!(f, "  p{number} runs")?;
                    for call in client {
                        let arguments: Vec<String> = call.arguments.iter().map(Value::to_string).collect();
                        write!(f, "  {}({})", call.operation, arguments.join(", "))?;
                    }
                    writeln!(f)?;
                }
                for (number, value) in &new.trace {
                    writeln!(f, "  p{number} shows {value}")?;
                }
                Ok(())
            }
        }
    }
}

/// How much to search.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Client programs for each accepted case.
    pub programs: usize,
    /// The most situations searched for one program.
    pub situations: usize,
    /// Whether violations are confirmed.
    pub confirm: bool,
    /// How many proved obligations are tested again at a larger scope.
    pub asked_again: usize,
    /// Whether only to compare the package with its disguised version.
    pub only_reading: bool,
    /// A kind of obligation that the checker leaves out: this makes the checker wrong on purpose, to test the oracle.
    pub forgets: Option<&'static str>,
}

impl Default for Effort {
    fn default() -> Effort {
        Effort { programs: 5, situations: 2_000, confirm: true, asked_again: 2, only_reading: false, forgets: None }
    }
}

struct Quiet;

impl Progress for Quiet {
    fn planned(&self, _: usize) {}
    fn finished(&self, _: &Settled) {}
}

/// A source, and what the engine says of it.
pub struct Checked {
    /// The lowered program.
    pub lowered: Lowered,
    /// The outcome of each obligation.
    pub outcomes: Vec<Settled>,
}

/// Checks a source, within a small budget.
pub fn checked(source: &str) -> Checked {
    checked_by(source, &options(&Bounds::default()))
}

fn checked_by(source: &str, options: &Options) -> Checked {
    let lowered = lower_sources(&[("src/lib.rs", source)]);
    let outcomes = check_program(&lowered, options, &Quiet, &AtomicBool::new(false));
    Checked { lowered, outcomes: outcomes.into_iter().map(|(it, _)| it).collect() }
}

/// Checks a case with the engine, and the engine with the oracle.
pub fn run(case: &Case, effort: &Effort) -> Fate {
    if effort.only_reading {
        let wrong = read_otherwise(case);
        return wrong.map_or(Fate::Accepted { searched: 0, traces: 0 }, Fate::Wrong);
    }
    let mut options = options(&Bounds::default());
    if case.pattern == Pattern::Stamps {
        // Facts with conditions are found late.
        options.scope.budget *= 20;
    }
    let checked = catch_unwind(AssertUnwindSafe(|| checked_by(&case.source, &options)));
    let Checked { lowered, mut outcomes } = match checked {
        Ok(checked) => checked,
        Err(payload) => {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.or_else(|| payload.downcast_ref::<&str>().map(|it| (*it).to_owned()));
            return Fate::Wrong(Wrong::Panics(text.unwrap_or_default()));
        }
    };
    if let Some(error) = lowered.diagnostics.iter().find(|it| it.severity == Severity::Error) {
        return Fate::Wrong(Wrong::IllFormed(error.message.clone()));
    }
    outcomes.retain(|it| Some(it.name.kind) != effort.forgets);
    let mut random = Rng::with_seed(case.seed ^ 0x5EED);
    if let Some(wrong) = not_so(&lowered.program, &outcomes, effort, &mut random) {
        return Fate::Wrong(wrong);
    }
    if effort.asked_again > 0
        && let Some(wrong) = untrue(&lowered.program, &outcomes, &mut random)
    {
        return Fate::Wrong(wrong);
    }
    if outcomes.iter().any(is_refused) {
        if !effort.confirm {
            return Fate::Rejected { confirmed: 0, unconfirmed: Vec::new() };
        }
        return replayed(&lowered.program, &outcomes);
    }
    if outcomes.iter().any(|it| it.verdict == Verdict::Undecided) {
        return Fate::Undecided;
    }
    let bounds: Vec<String> = outcomes.iter().flat_map(|it| it.bounds_met.clone()).collect();
    // The engine has inlined helpers; their calls are run as they are written.
    searched(&lowered.written, case, effort, &bounds, &mut random)
}

/// Whether a counterexample refutes an obligation, or at least its proof.
fn is_refused(outcome: &Settled) -> bool {
    matches!(outcome.verdict, Verdict::Violated | Verdict::NotShown)
}

/// Compares the program with that of the same package in disguise.
fn read_otherwise(case: &Case) -> Option<Wrong> {
    let text = disguised(&case.source, &mut Rng::with_seed(case.seed ^ 0xD15));
    let [plain, read] = [&case.source, &text].map(|it| lower_sources(&[("src/lib.rs", it)]));
    let is_same = plain.program == read.program && plain.diagnostics.len() == read.diagnostics.len();
    (!is_same).then_some(Wrong::ReadOtherwise(text))
}

/// The options of the engine: with a small budget, so that long cases end undecided.
fn options(scope: &Bounds) -> Options {
    Options { scope: Bounds { budget: 3_000_000, ..scope.clone() }, ..Options::default() }
}

/// The scope at which proved obligations are tested again: larger than what the engine explored.
fn larger() -> Scope {
    Scope { pids: 4, ints: vec![0, 1, 2, 3, 7], ends: true, scalars: 3, entries: 3, length: 3, strings: Vec::new() }
}

/// The scope at which procedures are run again: small, so that all states are looked at that others lead to.
pub fn of_procedures() -> Scope {
    Scope { pids: 3, ints: vec![0, 1, 2], ends: false, scalars: 2, entries: 2, length: 2, strings: Vec::new() }
}

/// Obligations about the runs of a procedure.
const OF_PROCEDURES: [&str; 3] = ["follows", "shape", "turn"];

/// Tests some of the proved obligations again, in random states of a larger universe.
fn not_so(program: &Program, outcomes: &[Settled], effort: &Effort, random: &mut Rng) -> Option<Wrong> {
    let (claims, mut of_procedures) = (Claims::new(program, larger()), Claims::new(program, of_procedures()));
    // What holds under an assumption may fail in states that it excludes.
    // What relies on where its process is left holds of the states that it may start from, and not of all: only the searches tell.
    // What holds if others make their calls where they make them, or over a weaker layer, is not stated here.
    let is_proved = |it: &&Settled| {
        let Settled { verdict, assumptions, at_start, at_calls, even_if, .. } = it;
        *verdict == Verdict::Proved
            && assumptions.is_empty()
            && [at_start, at_calls, even_if].iter().all(|it| it.is_empty())
    };
    let mut proved: Vec<&Settled> = outcomes.iter().filter(is_proved).collect();
    random.shuffle(&mut proved);
    for outcome in proved.into_iter().take(effort.asked_again) {
        of_procedures.past_decisive = outcome.past_decisive;
        let refuted = match OF_PROCEDURES.contains(&outcome.name.kind) {
            true => of_procedures.refute(&outcome.name, &mut States::all_or(80, random)),
            false => claims.refute(&outcome.name, &mut States::all_or(20, random)),
        };
        if let Ok(Some(how)) = refuted {
            return Some(Wrong::NotSo(format!("{}: {how}", outcome.name.id())));
        }
    }
    None
}

/// Searches for a state in which something happens that a warning calls impossible.
fn untrue(program: &Program, outcomes: &[Settled], random: &mut Rng) -> Option<Wrong> {
    let claims = Claims::new(program, larger());
    let is_about_all =
        |it: &&Diagnostic| matches!(it.code, codes::CS1001 | codes::CS1004) && !it.message.contains("within the scope");
    for outcome in outcomes {
        for warning in outcome.diagnostics.iter().filter(is_about_all) {
            if let Ok(Some(how)) = claims.happens(&outcome.name, &mut States::all_or(20, random)) {
                return Some(Wrong::Untrue(format!("{}, but {how}", warning.message)));
            }
        }
    }
    None
}

/// Replays the counterexamples of all violations.
fn replayed(program: &Program, outcomes: &[Settled]) -> Fate {
    let mut confirmed = 0;
    let mut unconfirmed = Vec::new();
    for outcome in outcomes.iter().filter(|it| is_refused(it)) {
        let wrong_run = outcome.diagnostics.iter().find_map(|it| it.wrong_run.as_ref());
        if let Some(Replayed::Refuted(what)) = wrong_run.map(|it| ran(program, &outcome.name, it)) {
            return Fate::Wrong(Wrong::BadCounterexample(format!("the wrong run of {}: {what}", outcome.name.id())));
        }
        // Where an obligation is undecided, its own counterexample is not confirmed.
        if outcome.diagnostics.iter().any(|it| it.code == codes::CS0801) {
            confirmed += 1;
            continue;
        }
        let Some(told) = outcome.diagnostics.iter().find_map(|it| it.counterexample.as_ref()) else {
            unconfirmed.push(format!("{}: no counterexample", outcome.name.kind));
            continue;
        };
        match replay(program, &outcome.name, told) {
            Replayed::Confirmed => confirmed += 1,
            Replayed::Unknown(why) => unconfirmed.push(format!("{}: {why}", outcome.name.kind)),
            Replayed::Refuted(what) => {
                let told = told.lines().join("\n  ");
                return Fate::Wrong(Wrong::BadCounterexample(format!("{}: {what}\n  {told}", outcome.name.id())));
            }
        }
    }
    Fate::Rejected { confirmed, unconfirmed }
}

/// The most attempts per requested program: many random programs have no initial state, or too many states.
const ATTEMPTS: usize = 8;

/// Runs random programs at the bottom and at the top.
fn searched(program: &Program, case: &Case, effort: &Effort, bounds: &[String], random: &mut Rng) -> Fate {
    let found = |name: &str| program.implementations.iter().find(|it| it.name == name);
    let implementations: Option<Vec<&Implementation>> = case.tower.iter().map(|it| found(it)).collect();
    let Some(tower) = implementations.and_then(|it| Tower::over(program, it)) else {
        return Fate::Wrong(Wrong::IllFormed("the implementations of the tower are missing".to_owned()));
    };
    if effort.asked_again > 0
        && random.u8(..8) == 0
        && let Some(what) = tower.implementations.first().and_then(|it| wrong_answer(program, case, it.upper, random))
    {
        return Fate::Wrong(Wrong::EndToEnd(what));
    }
    let (mut count, mut traces) = (0, 0);
    for _ in 0..effort.programs * ATTEMPTS {
        if count == effort.programs {
            break;
        }
        let trial = Trial::new(program, &tower, effort, case.pattern == Pattern::Integers, random);
        match trial.run(random) {
            Ok(Some(Trialled::Same(more))) => {
                count += 1;
                traces += more;
            }
            Ok(Some(Trialled::New(mut new))) => {
                new.bounds = bounds.to_vec();
                new.bounds.sort();
                new.bounds.dedup();
                return Fate::Wrong(Wrong::WrongAcceptance(new));
            }
            Ok(Some(Trialled::Disagree(what))) => return Fate::Wrong(Wrong::SearchesDisagree(what)),
            Ok(None) | Err(DontKnow(_)) => {}
        }
    }
    Fate::Accepted { searched: count, traces }
}

/// One program over a tower of layers, in one universe.
struct Trial<'t> {
    program: &'t Program,
    tower: &'t Tower<'t>,
    effort: &'t Effort,
    processes: usize,
    /// For the bottom, and for the top: there more values can be chosen, since what the bottom computes may be among them.
    evaluators: [Evaluator<'t>; 2],
}

enum Trialled {
    Same(usize),
    New(Box<NewTrace>),
    Disagree(String),
}

impl<'t> Trial<'t> {
    fn new(program: &'t Program, tower: &'t Tower<'t>, effort: &'t Effort, ends: bool, random: &mut Rng) -> Trial<'t> {
        let processes = if random.u8(..10) < 3 { 3 } else { 2 };
        // With one key only there would be no others to leave alone.
        let has_keys = tower.implementations.iter().any(|it| matches!(it.by, Justification::Partition(_)));
        let scope = Scope {
            pids: processes as u64,
            ints: vec![0, 1, 2],
            ends,
            strings: Vec::new(),
            scalars: if has_keys { 2 } else { 1 },
            entries: 2,
            length: 1,
        };
        // Of scalars there is always one more: at the top a choice may fall on one that no map holds.
        let larger = Scope { length: 4, scalars: 3, ..scope.clone() };
        // What the assumption about overflows leaves out does not happen at the bottom; at the top there is no limit.
        let evaluators = [Evaluator::new(program, scope).without_overflow(), Evaluator::new(program, larger)];
        Trial { program, tower, effort, processes, evaluators }
    }

    /// None: there is no state to start from.
    fn run(&self, random: &mut Rng) -> Result<Option<Trialled>, DontKnow> {
        let [low, high] = &self.evaluators;
        low.set_fuel(400_000);
        high.set_fuel(1_500_000);
        let Some((bottom, mut tops)) = self.start(random)? else { return Ok(None) };
        let Some(first) = self.tower.implementations.first() else { return Ok(None) };
        let Some(clients) = self.clients(first.upper, tops.first(), random) else { return Ok(None) };
        let below = System { evaluator: low, tower: self.tower, clients: &clients };
        let found = every_state(&below, &bottom, self.effort.situations)?;
        if random.u8(..40) == 0
            && found.complete_below.is_none()
            && let Ok(again) = every_run(&below, &bottom, 2_000)
            && again != found
        {
            return Ok(Some(Trialled::Disagree(format!("{clients:?} from {bottom}"))));
        }
        let new = |top: Option<Value>, trace| {
            let new = NewTrace { bottom: bottom.clone(), top, clients: clients.clone(), trace, bounds: Vec::new() };
            Ok(Some(Trialled::New(Box::new(new))))
        };
        if tops.is_empty() {
            return new(None, Vec::new());
        }
        // Every related state is as good as another.
        random.shuffle(&mut tops);
        for top in tops.into_iter().take(3) {
            let tower = Tower::layer(first.upper);
            let above = System { evaluator: high, tower: &tower, clients: &clients };
            let allowed = every_state(&above, &top, self.effort.situations * 4)?;
            if let Some(trace) = found.not_among(&allowed) {
                return new(Some(top), trace);
            }
        }
        Ok(Some(Trialled::Same(found.all.len())))
    }

    /// An initial state of the bottom, and the related initial states of the top.
    fn start(&self, random: &mut Rng) -> Result<Option<(Value, Vec<Value>)>, DontKnow> {
        let [low, _] = &self.evaluators;
        let Some(last) = self.tower.implementations.last() else { return Ok(None) };
        for _ in 0..200 {
            let Some(bottom) = low.universe.sample(&self.layer(self.tower.end).state, random) else { return Ok(None) };
            if low.is_initial(last.lower, &bottom)? {
                let tops = self.above(&bottom)?;
                return Ok(Some((bottom, tops)));
            }
        }
        Ok(None)
    }

    fn layer(&self, layer: LayerId) -> &'t cspec_analysis::ir::Layer {
        &self.program.layers[layer.0 as usize]
    }

    /// All states of the top that correspond to an initial state of the bottom.
    fn above(&self, bottom: &Value) -> Result<Vec<Value>, DontKnow> {
        let [_, evaluator] = &self.evaluators;
        let mut states = vec![bottom.clone()];
        for implementation in self.tower.implementations.iter().rev() {
            let mut next = Vec::new();
            for state in &states {
                match &implementation.by {
                    Justification::Movers(_) | Justification::Retry(_) => next.push(state.clone()),
                    // Nothing relates the two states.
                    Justification::Search(_) => {}
                    Justification::Abstraction(relation) => {
                        next.extend(related(evaluator, relation, state, &self.layer(implementation.upper).state)?);
                    }
                    Justification::Partition(partition) => match &partition.end {
                        PartitionEnd::Bottom { slice } => {
                            next.push(self.sliced(*slice, &partition.key_type, state)?);
                        }
                        // The map of the states for one key, as it was cut out at the bottom.
                        PartitionEnd::Top { .. } => next.push(Value::Tuple(vec![state.clone()])),
                    },
                }
            }
            states = Vec::new();
            let is_cut = matches!(&implementation.by, Justification::Partition(it) if matches!(it.end, PartitionEnd::Bottom { .. }));
            for state in next {
                if is_cut || evaluator.is_initial(implementation.upper, &state)? {
                    states.push(state);
                }
            }
        }
        states.sort();
        states.dedup();
        Ok(states)
    }

    /// The states of all valid keys, by key.
    fn sliced(&self, slice: cspec_analysis::ir::FunctionId, key: &Type, state: &Value) -> Result<Value, DontKnow> {
        let [evaluator, _] = &self.evaluators;
        let keys = evaluator.universe.values(key).map_err(|_| DontKnow("too many keys".to_owned()))?;
        let mut entries = std::collections::BTreeMap::new();
        for key in keys.iter() {
            match evaluator.call(slice, &[state.clone(), key.clone()])?.as_slice() {
                [Outcome::Done((Value::Variant(1, one), _), _)] => drop(entries.insert(key.clone(), one[0].clone())),
                [Outcome::Done((Value::Variant(0, _), _), _)] => {}
                _ => return Err(DontKnow("a slice fails or has several values".to_owned())),
            }
        }
        Ok(Value::Map(entries))
    }

    /// Random calls for each process: of valid keys only, where there are keys.
    fn clients(&self, top: LayerId, start: Option<&Value>, random: &mut Rng) -> Option<Vec<Client>> {
        let operations = &self.layer(top).operations;
        if operations.is_empty() {
            return None;
        }
        let keys = match (self.tower.implementations.first().map(|it| &it.by), start) {
            (Some(Justification::Partition(_)), Some(Value::Tuple(fields))) => match fields.first() {
                Some(Value::Map(ones)) => Some(ones.keys().cloned().collect::<Vec<_>>()),
                _ => None,
            },
            _ => None,
        };
        let implemented = match self.tower.implementations.first().map(|it| &it.by) {
            Some(Justification::Movers(code) | Justification::Retry(code) | Justification::Search(code)) => (0
                ..operations.len())
                .filter(|it| matches!(code.get(&operations[*it].name), Some(cspec_analysis::ir::Code::Procedure(_))))
                .collect(),
            _ => Vec::new(),
        };
        let calls = if self.processes == 3 { 1 } else { 1 + random.usize(..2) };
        let mut clients = Vec::new();
        for process in 0..self.processes {
            let mut client = Vec::new();
            let calls = if process == 0 { calls } else { 1 + random.usize(..calls) };
            for number in 0..calls {
                // What is implemented by a procedure is what is of interest.
                let of_interest = (process == 0 && number == 0) || random.bool();
                let operation = match random.choice(&implemented) {
                    Some(operation) if of_interest => *operation,
                    _ => random.usize(..operations.len()),
                };
                client.push(self.call(top, operation, keys.as_deref(), random)?);
            }
            clients.push(client);
        }
        Some(clients)
    }

    fn call(&self, top: LayerId, operation: usize, keys: Option<&[Value]>, random: &mut Rng) -> Option<Call> {
        let [evaluator, _] = &self.evaluators;
        let mut arguments = Vec::new();
        for (number, ty) in evaluator.argument_types(top, operation).iter().enumerate() {
            let value = match keys {
                Some(keys) if number == 0 => random.choice(keys)?.clone(),
                _ => evaluator.universe.sample(ty, random)?,
            };
            arguments.push(value);
        }
        Some(Call { operation: self.layer(top).operations[operation].name.clone(), arguments })
    }
}

/// The states above that a relation has for a state below.
pub(crate) fn related(
    evaluator: &Evaluator<'_>,
    relation: &Abstraction,
    low: &Value,
    high: &Type,
) -> Result<Vec<Value>, DontKnow> {
    let mut found = Vec::new();
    match relation {
        Abstraction::Up(function) => {
            for outcome in evaluator.call(*function, std::slice::from_ref(low))? {
                match outcome {
                    Outcome::Done((state, _), _) => found.push(state),
                    _ => return Err(DontKnow("a relation fails".to_owned())),
                }
            }
        }
        Abstraction::Down(_) | Abstraction::Predicate(_) => {
            let all = evaluator.universe.values(high).map_err(|_| DontKnow("too many states".to_owned()))?;
            for state in all.iter() {
                if is_related(evaluator, relation, low, state)? {
                    found.push(state.clone());
                }
            }
        }
    }
    Ok(found)
}

/// Whether a relation may hold of two states.
pub(crate) fn is_related(
    evaluator: &Evaluator<'_>,
    relation: &Abstraction,
    low: &Value,
    high: &Value,
) -> Result<bool, DontKnow> {
    let (outcomes, wanted) = match relation {
        Abstraction::Up(function) => (evaluator.call(*function, std::slice::from_ref(low))?, high),
        Abstraction::Down(function) => (evaluator.call(*function, std::slice::from_ref(high))?, low),
        Abstraction::Predicate(function) => {
            (evaluator.call(*function, &[low.clone(), high.clone()])?, &Value::Bool(true))
        }
    };
    Ok(outcomes.iter().any(|it| it.done().is_some_and(|((value, _), _)| value == wanted)))
}
