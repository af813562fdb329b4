//! All traces of clients over a tower of implementations, by brute force, and whether those of one tower are among those of another.
//!
//! A step of any process may come next; nothing is left out because it commutes, is symmetric, or is local. There are two independent
//! searches: [`every_run`] follows each run to its end, and [`every_state`] visits the states that the system can have after each trace.
//! Tests compare them on random layers.
//!
//! Traces are those of finite prefixes: a trace may end anywhere. After a failure anything may happen. A loop with an event in each turn
//! has infinitely many traces: [`every_state`] takes the short ones first, and reports the length up to which it is complete.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::Hash,
    rc::Rc,
};

use crate::{
    eval::{DontKnow, Evaluator, Logged, Outcome, Want},
    stack::{Client, Process, Tower, go_on},
    value::Value,
};

/// An observable event: the process and the value.
pub type Event = (usize, Value);

/// The observable behaviour of a system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// All traces found, including all prefixes.
    pub all: BTreeSet<Vec<Event>>,
    /// The traces after which a step may fail.
    pub failing: BTreeSet<Vec<Event>>,
    /// `None` if these are all traces. Otherwise, all traces with fewer events than this are included.
    pub complete_below: Option<usize>,
}

impl Traces {
    /// The behaviour of a system that is one of two.
    #[must_use]
    pub fn or(mut self, other: Traces) -> Traces {
        self.all.extend(other.all);
        self.failing.extend(other.failing);
        self.complete_below = [self.complete_below, other.complete_below].into_iter().flatten().min();
        self
    }

    /// A trace of these that the others do not have, if there is one. A failure counts as a last event, which only a failure matches.
    pub fn not_among(&self, others: &Traces) -> Option<Vec<Event>> {
        let is_known = |trace: &[Event]| others.complete_below.is_none_or(|length| trace.len() < length);
        let anything_goes = |trace: &[Event]| (0..=trace.len()).any(|end| others.failing.contains(&trace[..end]));
        let unmatched = self.all.iter().find(|it| is_known(it) && !others.all.contains(*it) && !anything_goes(it));
        let failing = || self.failing.iter().find(|it| is_known(it) && !anything_goes(it));
        unmatched.or_else(failing).cloned()
    }
}

/// The system to search.
pub struct System<'s> {
    /// Evaluates steps and procedures.
    pub evaluator: &'s Evaluator<'s>,
    /// The implementations that the clients use.
    pub tower: &'s Tower<'s>,
    /// The calls of each process.
    pub clients: &'s [Client],
}

/// One step of one process: its events, the next state, and where the process continues.
struct Step {
    shown: Vec<Value>,
    state: Value,
    after: Vec<Process>,
}

/// The possible next steps of a process.
#[derive(Default)]
struct Next {
    steps: Vec<Step>,
    fails: bool,
}

impl System<'_> {
    fn next(&self, number: usize, process: &Process, state: &Value) -> Result<Next, DontKnow> {
        let Process::Wants(log, want) = process else {
            return Ok(Next { steps: Vec::new(), fails: *process == Process::Failed });
        };
        let go_on_with = |result: Value| {
            let log = [&log[..], &[Logged::Result(result)]].concat();
            go_on(self.evaluator, self.tower, &self.clients[number], &log)
        };
        let (operation, arguments) = match want {
            Want::Step(operation, arguments) => (*operation, arguments),
            Want::Show(value) => {
                let step = Step { shown: vec![value.clone()], state: state.clone(), after: go_on_with(Value::UNIT)? };
                return Ok(Next { steps: vec![step], fails: false });
            }
        };
        let mut next = Next::default();
        let me = Value::Pid(number as u64);
        for outcome in self.evaluator.step(self.tower.end, operation, state, &me, arguments)? {
            match outcome {
                Outcome::Done((result, state), shown) => {
                    next.steps.push(Step { shown, state, after: go_on_with(result)? });
                }
                Outcome::Failed | Outcome::Panicked(_) => next.fails = true,
            }
        }
        Ok(next)
    }

    fn starts(&self) -> Result<Vec<Vec<Process>>, DontKnow> {
        let mut rows = vec![Vec::new()];
        for client in self.clients {
            let options = go_on(self.evaluator, self.tower, client, &[])?;
            rows = rows
                .iter()
                .flat_map(|row| options.iter().map(|it| [&row[..], std::slice::from_ref(it)].concat()))
                .collect();
        }
        Ok(rows)
    }
}

/// Follows each run to its end, with at most `most` steps in total.
///
/// # Errors
/// If there are more, or a step cannot be evaluated.
pub fn every_run(system: &System<'_>, start: &Value, most: u64) -> Result<Traces, DontKnow> {
    let mut traces = Traces::default();
    let mut left = most;
    for processes in system.starts()? {
        follow(system, start, &processes, &mut Vec::new(), &mut traces, &mut left)?;
    }
    Ok(traces)
}

fn follow(
    system: &System<'_>,
    state: &Value,
    processes: &[Process],
    trace: &mut Vec<Event>,
    traces: &mut Traces,
    left: &mut u64,
) -> Result<(), DontKnow> {
    *left = left.checked_sub(1).ok_or_else(|| DontKnow("too many steps".to_owned()))?;
    traces.all.insert(trace.clone());
    for (number, process) in processes.iter().enumerate() {
        let next = system.next(number, process, state)?;
        if next.fails {
            traces.failing.insert(trace.clone());
        }
        for step in next.steps {
            let length = trace.len();
            for value in step.shown {
                trace.push((number, value));
                traces.all.insert(trace.clone());
            }
            for after in step.after {
                let mut processes = processes.to_vec();
                processes[number] = after;
                follow(system, &step.state, &processes, trace, traces, left)?;
            }
            trace.truncate(length);
        }
    }
    Ok(())
}

/// Assigns equal numbers to equal values.
struct Numbered<T> {
    things: Vec<Rc<T>>,
    numbers: HashMap<Rc<T>, u32>,
}

impl<T: Eq + Hash> Numbered<T> {
    fn new() -> Numbered<T> {
        Numbered { things: Vec::new(), numbers: HashMap::new() }
    }

    fn number(&mut self, thing: T) -> u32 {
        if let Some(number) = self.numbers.get(&thing) {
            return *number;
        }
        let thing = Rc::new(thing);
        self.things.push(thing.clone());
        self.numbers.insert(thing, self.things.len() as u32 - 1);
        self.things.len() as u32 - 1
    }

    fn get(&self, number: u32) -> Rc<T> {
        self.things[number as usize].clone()
    }
}

/// A situation in numbers: the state, the position of each process, and the trace so far.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Situation {
    state: u32,
    processes: Vec<u32>,
    trace: u32,
}

/// A [`Step`] as numbers.
type NumberedStep = (Vec<Value>, u32, Vec<u32>);

/// A [`Next`] as numbers: the steps, and whether one may fail.
type NumberedNext = (Vec<NumberedStep>, bool);

/// The length from which traces are not extended: longer ones come from loops.
const LONGEST: usize = 30;

/// Visits all situations, or those with the shortest traces: at most `most`.
///
/// # Errors
/// If a step cannot be evaluated.
pub fn every_state(system: &System<'_>, start: &Value, most: usize) -> Result<Traces, DontKnow> {
    let mut states = Numbered::new();
    let mut processes = Numbered::new();
    let mut traces: Numbered<Vec<Event>> = Numbered::new();
    let mut steps: HashMap<(u32, u32, usize), Rc<NumberedNext>> = HashMap::new();
    let mut found = Traces::default();
    let mut seen = HashSet::new();
    // The situations to visit, by the length of their traces.
    let mut pending: BTreeMap<usize, Vec<Situation>> = BTreeMap::new();
    let (state, trace) = (states.number(start.clone()), traces.number(Vec::new()));
    for row in system.starts()? {
        let row = row.into_iter().map(|it| processes.number(it)).collect();
        pending.entry(0).or_default().push(Situation { state, processes: row, trace });
    }
    while let Some(mut shortest) = pending.first_entry() {
        let Some(situation) = shortest.get_mut().pop() else {
            shortest.remove();
            continue;
        };
        if !seen.insert(situation.clone()) {
            continue;
        }
        let length = *shortest.key();
        if seen.len() > most || length > LONGEST {
            found.complete_below = Some(length);
            break;
        }
        let trace = traces.get(situation.trace);
        found.all.insert((*trace).clone());
        for (number, process) in situation.processes.iter().enumerate() {
            let key = (situation.state, *process, number);
            let next = match steps.get(&key) {
                Some(known) => known.clone(),
                None => {
                    let next = system.next(number, &processes.get(*process), &states.get(situation.state))?;
                    let numbered = next.steps.into_iter().map(|step| {
                        let after = step.after.into_iter().map(|it| processes.number(it)).collect();
                        (step.shown, states.number(step.state), after)
                    });
                    let next = Rc::new((numbered.collect(), next.fails));
                    steps.insert(key, next.clone());
                    next
                }
            };
            if next.1 {
                found.failing.insert((*trace).clone());
            }
            for (shown, state, after) in &next.0 {
                let mut trace = situation.trace;
                for value in shown {
                    let longer = [&traces.get(trace)[..], &[(number, value.clone())]].concat();
                    found.all.insert(longer.clone());
                    trace = traces.number(longer);
                }
                for process in after {
                    let mut processes = situation.processes.clone();
                    processes[number] = *process;
                    let length = traces.get(trace).len();
                    pending.entry(length).or_default().push(Situation { state: *state, processes, trace });
                }
            }
        }
    }
    Ok(found)
}

/// Whether the processes can reach a situation after which they can never all finish. Applies the definition to each situation in turn; at
/// most `most` situations.
///
/// # Errors
/// If there are more, a step cannot be evaluated, or something fails.
pub fn gets_stuck(system: &System<'_>, start: &Value, most: usize) -> Result<bool, DontKnow> {
    let situations = Situations::all(system, start, most)?;
    Ok(!(0..situations.after.len()).all(|it| situations.can_finish(it)))
}

/// Whether in some run all processes finish. At most `most` situations.
///
/// # Errors
/// As [`gets_stuck`].
pub fn can_finish(system: &System<'_>, start: &Value, most: usize) -> Result<bool, DontKnow> {
    let situations = Situations::all(system, start, most)?;
    Ok((0..situations.starts).any(|it| situations.can_finish(it)))
}

/// All situations that a system can reach.
struct Situations {
    /// The number of initial situations; they come first.
    starts: usize,
    /// For each situation, whether all processes have finished.
    finished: Vec<bool>,
    /// For each situation, the situations after one step.
    after: Vec<Vec<usize>>,
}

impl Situations {
    fn all(system: &System<'_>, start: &Value, most: usize) -> Result<Situations, DontKnow> {
        let mut situations: Vec<(Value, Vec<Process>)> =
            system.starts()?.into_iter().map(|it| (start.clone(), it)).collect();
        let starts = situations.len();
        let mut numbers: HashMap<(Value, Vec<Process>), usize> = situations.iter().cloned().zip(0..).collect();
        let mut after: Vec<Vec<usize>> = Vec::new();
        while let Some((state, processes)) = situations.get(after.len()).cloned() {
            let mut successors = Vec::new();
            for (number, process) in processes.iter().enumerate() {
                let next = system.next(number, process, &state)?;
                if next.fails {
                    return Err(DontKnow("something fails".to_owned()));
                }
                for step in next.steps {
                    for process in step.after {
                        let mut processes = processes.clone();
                        processes[number] = process;
                        let situation = (step.state.clone(), processes);
                        let fresh = situations.len();
                        let found = *numbers.entry(situation.clone()).or_insert(fresh);
                        if found == fresh {
                            situations.push(situation);
                        }
                        successors.push(found);
                    }
                }
            }
            after.push(successors);
            if situations.len() > most {
                return Err(DontKnow("too many situations".to_owned()));
            }
        }
        let finished = situations.iter().map(|it| it.1.iter().all(|it| *it == Process::Finished)).collect();
        Ok(Situations { starts, finished, after })
    }

    fn can_finish(&self, from: usize) -> bool {
        let (mut seen, mut pending) = (HashSet::from([from]), vec![from]);
        while let Some(at) = pending.pop() {
            if self.finished[at] {
                return true;
            }
            pending.extend(self.after[at].iter().filter(|it| seen.insert(**it)));
        }
        false
    }
}
