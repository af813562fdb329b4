//! Schedules: a run of the search as one short line, and the same run once more.
//!
//! A run is determined by its initial configuration and, for each step, by the process that makes it and by the choice that it makes. The
//! choices of a step are numbered in the order of the steps as they are shown, so that the number does not depend on the search. A schedule also has
//! the bounds within which it was found, since steps choose within them, and a digest of the operations along the run: other code may
//! take other steps under the same schedule.

use std::{fmt, rc::Rc, str::FromStr};

use super::{
    Ends, Limits, Reductions, Script, ScriptCall, asked_over,
    control::{Runs, named_processes},
    ends,
    generate::calls,
    intern::Id,
    product::Product,
    system::Edge,
};
use crate::{
    counterexample::{Counterexample, Run, RunRole, Step},
    explore::{
        cells::Numbers,
        search::{Abort, Search},
        value::{Sort, Value},
    },
    ir::{Anchor, Client, Implementation, ImplementationId, LayerId, Program, slice},
    obligations::{Asking, Obligation, Over, question::Setting},
    verdict::Scope,
};

/// The version of the format.
const VERSION: &str = "cs1";

/// The maximum number of steps, and of processes, of a schedule that is read.
const MOST_STEPS: usize = 100_000;
const MOST_PROCESSES: u32 = 64;

/// The bounds within which a run was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within {
    pids: u32,
    entries: u32,
    ints: u32,
    scalars: u32,
}

impl Within {
    pub(super) fn of(scope: &Scope) -> Within {
        Within { pids: scope.pids, entries: scope.entries, ints: scope.ints, scalars: scope.scalars_default }
    }

    fn scope(self, usual: &Scope) -> Scope {
        let Within { pids, entries, ints, scalars } = self;
        Scope { pids, entries, ints, scalars_default: scalars, ..usual.clone() }
    }
}

/// A step of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The process; `None` for the background.
    process: Option<u32>,
    /// Which of its possible steps it makes.
    choice: u32,
}

/// What is to be wrong at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The top does not have its trace.
    Trace,
    /// Something fails, and cannot fail at the top; or the client fails.
    Fails,
    /// The processes can never all finish.
    Stuck,
    /// A question has the wrong answer.
    Answer,
    /// Nothing: it is an outcome.
    Outcome,
}

impl Ending {
    const ALL: [(Ending, &str); 5] = [
        (Ending::Trace, "t"),
        (Ending::Fails, "f"),
        (Ending::Stuck, "s"),
        (Ending::Answer, "a"),
        (Ending::Outcome, "o"),
    ];

    fn letter(self) -> &'static str {
        Ending::ALL.iter().find(|it| it.0 == self).map_or("", |it| it.1)
    }
}

/// A run, as the choices that determine it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    within: Within,
    digest: u16,
    ending: Ending,
    start: u32,
    turns: Vec<Turn>,
}

/// Who runs: a client, or a generated program; and the question that is asked, if one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The stack, or the implementation.
    pub over: String,
    /// The client, with the number of processes; or the calls of each process of a generated program, as numbers.
    pub runs: Result<(String, u32), Vec<Vec<usize>>>,
    /// The layer, and its question.
    pub question: Option<(String, String)>,
}

/// A schedule with its subject: what `cargo cspec replay` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub subject: Subject,
    pub schedule: Schedule,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Subject { over, runs, question } = &self.subject;
        write!(f, "{VERSION}/{over}")?;
        let of_question = question.as_ref().map(|(layer, name)| format!(".{layer}.{name}")).unwrap_or_default();
        match runs {
            Ok((client, processes)) => write!(f, ".{client}{of_question}/{processes}")?,
            Err(calls) => {
                let process = |it: &Vec<usize>| it.iter().map(usize::to_string).collect::<Vec<_>>().join("-");
                let calls: Vec<String> = calls.iter().map(process).collect();
                let no_client = if question.is_some() { "." } else { "" };
                write!(f, "{no_client}{of_question}/{}", calls.join("_"))?;
            }
        }
        let Schedule { within, digest, ending, .. } = &self.schedule;
        let Within { pids, entries, ints, scalars } = within;
        write!(
            f,
            "/p{pids}e{entries}i{ints}s{scalars}/{digest:04x}/{}/{}",
            ending.letter(),
            self.schedule.turns_in_words()
        )
    }
}

impl Schedule {
    /// The steps, equal ones in a row as one: `0x3.1-2.b`. After `sN` they begin in the N-th initial configuration.
    fn turns_in_words(&self) -> String {
        let mut words = Vec::new();
        if self.start > 0 {
            words.push(format!("s{}", self.start));
        }
        for equal in self.turns.chunk_by(|one, other| one == other) {
            let Turn { process, choice } = equal[0];
            let who = process.map_or_else(|| "b".to_owned(), |it| it.to_string());
            let choice = if choice > 0 { format!("-{choice}") } else { String::new() };
            let times = if equal.len() > 1 { format!("x{}", equal.len()) } else { String::new() };
            words.push(format!("{who}{choice}{times}"));
        }
        if words.is_empty() { "_".to_owned() } else { words.join(".") }
    }
}

impl FromStr for Line {
    type Err = String;

    /// The error is the end of a sentence about the text.
    fn from_str(text: &str) -> Result<Line, String> {
        let parts: Vec<&str> = text.trim().split('/').collect();
        match parts.first() {
            Some(&VERSION) => {}
            Some(other) if other.starts_with("cs") && other[2..].parse::<u32>().is_ok() => {
                return Err(format!("has the format `{other}`, and this cspec reads `{VERSION}`"));
            }
            _ => return Err(format!("does not begin with `{VERSION}/`")),
        }
        let [_, subject, runs, within, digest, ending, turns] = parts[..] else {
            return Err(format!("has {} parts between slashes, and a schedule has 7", parts.len()));
        };
        let subject =
            parse_subject(subject, runs).ok_or_else(|| format!("does not say what runs: `{subject}/{runs}`"))?;
        let within = parse_within(within).ok_or_else(|| format!("has no bounds in `{within}`"))?;
        let digest = u16::from_str_radix(digest, 16).map_err(|_| format!("has no digest in `{digest}`"))?;
        let ending = Ending::ALL.iter().find(|it| it.1 == ending).map(|it| it.0);
        let ending = ending.ok_or("does not say how the run ends")?;
        let (start, turns) = parse_turns(turns).ok_or("has a step that is none")?;
        Ok(Line { subject, schedule: Schedule { within, digest, ending, start, turns } })
    }
}

fn parse_subject(subject: &str, runs: &str) -> Option<Subject> {
    let names: Vec<&str> = subject.split('.').collect();
    let (over, client, question) = match names[..] {
        [over] => (over, "", None),
        [over, client] => (over, client, None),
        [over, client, layer, name] => (over, client, Some((layer.to_owned(), name.to_owned()))),
        _ => return None,
    };
    let runs = match client {
        "" => {
            let process = |it: &str| it.split('-').map(|it| it.parse().ok()).collect::<Option<Vec<usize>>>();
            Err(runs.split('_').map(process).collect::<Option<Vec<_>>>()?)
        }
        client => Ok((client.to_owned(), runs.parse().ok().filter(|it| (1..=MOST_PROCESSES).contains(it))?)),
    };
    Some(Subject { over: over.to_owned(), runs, question })
}

fn parse_within(text: &str) -> Option<Within> {
    let (pids, rest) = text.strip_prefix('p')?.split_once('e')?;
    let (entries, rest) = rest.split_once('i')?;
    let (ints, scalars) = rest.split_once('s')?;
    let number = |it: &str| it.parse::<u32>().ok().filter(|it| *it <= 10_000);
    Some(Within { pids: number(pids)?, entries: number(entries)?, ints: number(ints)?, scalars: number(scalars)? })
}

fn parse_turns(text: &str) -> Option<(u32, Vec<Turn>)> {
    let (mut start, mut turns) = (0, Vec::new());
    for (at, word) in text.split('.').enumerate().filter(|it| it.1 != "_") {
        if let (0, Some(number)) = (at, word.strip_prefix('s')) {
            start = number.parse().ok()?;
            continue;
        }
        let (word, times) = match word.split_once('x') {
            Some((word, times)) => (word, times.parse().ok()?),
            None => (word, 1),
        };
        let (who, choice) = match word.split_once('-') {
            Some((who, choice)) => (who, choice.parse().ok()?),
            None => (word, 0),
        };
        let process = if who == "b" { None } else { Some(who.parse().ok()?) };
        if turns.len() + times > MOST_STEPS {
            return None;
        }
        turns.extend(std::iter::repeat_n(Turn { process, choice }, times));
    }
    Some((start, turns))
}

impl Subject {
    /// Whether this is what an obligation of a program runs.
    pub fn is_of(&self, program: &Program, obligation: &Obligation) -> bool {
        let client = |index: usize, processes: u32| {
            let client = &program.clients[index];
            let runs = Ok((client.name.clone(), processes));
            (program.stacks[client.stack as usize].name.clone(), self.runs == runs)
        };
        let programs = |over: Over| {
            let name = match over {
                Over::Stack(index) => program.stacks[index].name.clone(),
                Over::Implementation(id) => program.implementations[id.0 as usize].name.clone(),
            };
            (name, self.runs.is_err())
        };
        let ((over, runs_it), question) = match *obligation {
            Obligation::EndToEnd(index, processes) | Obligation::Searched(_, Asking::Client(index, processes)) => {
                (client(index, processes), None)
            }
            Obligation::TriedOut(over) | Obligation::Searched(_, Asking::Programs(over)) => (programs(over), None),
            Obligation::Asked(layer, question, Asking::Client(index, processes)) => {
                (client(index, processes), Some((layer, question)))
            }
            Obligation::Asked(layer, question, Asking::Programs(over)) => (programs(over), Some((layer, question))),
            _ => return false,
        };
        let question = question.map(|(LayerId(layer), question)| {
            let layer = &program.layers[layer as usize];
            let name = &program.functions[layer.questions[question].1.0 as usize].name;
            (layer.name.clone(), name.rsplit("::").next().unwrap_or(name).to_owned())
        });
        runs_it && over == self.over && question == self.question
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.runs {
            Ok((client, processes)) => {
                write!(f, "the client `{client}` of `{}` with {processes} processes", self.over)?
            }
            Err(_) => write!(f, "programs over `{}`", self.over)?,
        }
        match &self.question {
            Some((layer, name)) => write!(f, ", with the question `{name}` of `{layer}`"),
            None => Ok(()),
        }
    }
}

/// The run of a schedule, made once more.
#[derive(Clone, Debug)]
pub enum Replayed<P = Anchor> {
    /// The code does not have the run. Says why, as a sentence.
    NoFit(String),
    /// The run, and whether what was wrong at its end still is. `None`: undecided.
    Made(Counterexample<P>, Option<bool>),
}

impl<P> Replayed<P> {
    /// The same with other places.
    pub fn at<Q>(&self, place: impl Fn(&P) -> Option<Q>) -> Replayed<Q> {
        match self {
            Replayed::NoFit(why) => Replayed::NoFit(why.clone()),
            Replayed::Made(run, is_wrong) => Replayed::Made(run.at(place), *is_wrong),
        }
    }
}

impl Schedule {
    /// Whether it is the run of an outcome: nothing is wrong with it.
    pub fn is_outcome(&self) -> bool {
        self.ending == Ending::Outcome
    }
}

impl<'p> Product<'_, 'p> {
    /// The run to a pair, and perhaps one step further, as a schedule.
    pub(super) fn schedule(
        &mut self,
        search: &mut Search<'_, 'p>,
        (at, last): (Id, Option<Edge>),
        ending: Ending,
    ) -> Result<Schedule, Abort> {
        let path = self.graph.path_to(at);
        let mut row = self.low_of(path.first().copied().unwrap_or(at)).to_vec();
        let start = self.starts.iter().position(|it| *it == row).ok_or(Abort::Unsupported)? as u32;
        let mut edges = self.edges_along(search, &path)?;
        edges.extend(last);
        let (mut turns, mut steps) = (Vec::new(), Vec::new());
        for edge in edges {
            let options = self.options(search, &row, edge.process)?;
            let choice = options.iter().position(|it| it.0 == edge).ok_or(Abort::Unsupported)? as u32;
            turns.push(Turn { process: (edge.process < self.low.count).then_some(edge.process), choice });
            steps.push(options[choice as usize].1.clone());
            edge.apply(&mut row);
        }
        Ok(Schedule { within: self.within, digest: digest(&steps), ending, start, turns })
    }

    /// The possible steps of a process, or of the background, in the order of what they show.
    fn options(
        &mut self,
        search: &mut Search<'_, 'p>,
        row: &[u32],
        process: u32,
    ) -> Result<Vec<(Edge, Step<Anchor>)>, Abort> {
        let mut edges = Vec::new();
        self.low.expand(search, &mut self.events, row, &mut edges)?;
        let mut options = Vec::new();
        for edge in edges.into_iter().filter(|it| it.process == process) {
            let step = self.step_told(search, row, &edge)?;
            let after = step.after.as_ref().map(ToString::to_string).unwrap_or_default();
            options.push((format!("{step} {after}"), edge, step));
        }
        options.sort_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
        Ok(options.into_iter().map(|(_, edge, step)| (edge, step)).collect())
    }

    /// Makes the run of a schedule.
    fn replay(&mut self, search: &mut Search<'_, 'p>, runs: Runs<'_>, schedule: &Schedule) -> Result<Replayed, Abort> {
        let starts = self.low.start(search, runs)?;
        let Some(mut row) = starts.get(schedule.start as usize).cloned() else {
            let only = starts.len();
            return Ok(Replayed::NoFit(format!(
                "there are only {only} initial configurations, and it begins in another"
            )));
        };
        let from = self.state(search, &row);
        let compares = matches!(schedule.ending, Ending::Trace | Ending::Fails | Ending::Stuck);
        let mut high = if compares { self.high.start(search, &mut self.events, runs)? } else { 0 };
        let (mut steps, mut is_excused) = (Vec::new(), false);
        for (number, turn) in schedule.turns.iter().enumerate() {
            let options = self.options(search, &row, turn.process.unwrap_or(self.low.count))?;
            let Some((edge, step)) = options.get(turn.choice as usize) else {
                let who = turn.process.map_or_else(|| "the background".to_owned(), |it| format!("p{it}"));
                let what = match options.len() {
                    0 => "no step".to_owned(),
                    1 => "only one step".to_owned(),
                    count => format!("only {count} steps"),
                };
                let (number, of) = (number + 1, schedule.turns.len());
                return Ok(Replayed::NoFit(format!("at step {number} of {of}, {who} has {what} there")));
            };
            if compares && !self.high.is_impossible(high) {
                is_excused |= self.high.may_fail(search, &mut self.events, high)?;
                high = self.high.after(search, &mut self.events, high, edge)?;
            }
            steps.push(step.clone());
            edge.apply(&mut row);
        }
        if digest(&steps) != schedule.digest {
            return Ok(Replayed::NoFit("the operations along the run are not those that it was made from".to_owned()));
        }
        if compares && !self.high.is_impossible(high) {
            is_excused |= self.high.may_fail(search, &mut self.events, high)?;
        }
        let is_wrong = match is_excused {
            true => Some(false),
            false => self.is_still_wrong(search, runs, (&row, high), schedule.ending)?,
        };
        let conclusion = in_words(schedule.ending, is_wrong);
        let layer = self.low.setting.program.layers[self.low.end.0 as usize].name.clone();
        let role = if self.asks.is_some() { RunRole::Possible } else { RunRole::AtTheBottom };
        let run = Run { role, layer, from, steps };
        let counterexample = Counterexample { values: Vec::new(), runs: vec![run], conclusion: conclusion.to_owned() };
        Ok(Replayed::Made(counterexample, is_wrong))
    }

    /// Whether the end of a run is wrong in this way; `None` if that is not known.
    fn is_still_wrong(
        &mut self,
        search: &mut Search<'_, 'p>,
        runs: Runs<'_>,
        (row, high): (&[u32], Id),
        ending: Ending,
    ) -> Result<Option<bool>, Abort> {
        Ok(match ending {
            Ending::Trace => Some(self.high.is_impossible(high)),
            Ending::Fails => {
                let fails = self.low_edges(search, row, &mut Vec::new())?;
                Some(fails || self.is_client_failing(row))
            }
            Ending::Answer => match self.asks {
                Some(asks) => Some(self.wrong_answer(search, asks, row)?.is_some()),
                None => None,
            },
            Ending::Outcome => Some(true),
            Ending::Stuck if self.high.is_impossible(high) => None,
            Ending::Stuck => {
                self.start_over();
                let pair: Vec<u32> = row.iter().copied().chain([high]).collect();
                self.pairs.intern(&pair);
                match self.follow_all(search, runs) {
                    Ok(None) => {
                        self.graph.first_stuck();
                        Some(self.graph.is_stuck(0))
                    }
                    Ok(Some(_)) | Err(Abort::OutOfFuel) => None,
                    Err(abort) => return Err(abort),
                }
            }
        })
    }
}

fn in_words(ending: Ending, is_wrong: Option<bool>) -> &'static str {
    match (ending, is_wrong) {
        (_, None) => "it is undecided whether the end of this run is wrong",
        (Ending::Trace, Some(true)) => "the last event is not possible at the top",
        (Ending::Trace, Some(false)) => "the top has this trace",
        (Ending::Fails, Some(true)) => {
            "and then a step, a procedure or the client fails. At the top nothing can fail there"
        }
        (Ending::Fails, Some(false)) => "nothing fails there; or the top can fail there, too",
        (Ending::Stuck, Some(true)) => "from here on the processes can never all finish",
        (Ending::Stuck, Some(false)) => "from here on the processes can all finish",
        (Ending::Answer, Some(true)) => "in this state the question has the wrong answer",
        (Ending::Answer, Some(false)) => "in this state the question has the right answer",
        (Ending::Outcome, Some(_)) => "this is the end of the outcome",
    }
}

/// A digest of who makes which operation along a run.
fn digest(steps: &[Step<Anchor>]) -> u16 {
    let names: Vec<(bool, &str)> = steps.iter().map(|it| (it.process.is_some(), it.operation.as_str())).collect();
    slice::hash(&names) as u16
}

/// Makes the run of a schedule once more, for the obligation that it refuted, on the obligation's slice. `None` if it was stopped, or could
/// not be run.
pub fn replay(setting: &Setting, obligation: &Obligation, line: &Line) -> Option<Replayed> {
    let calls = line.subject.runs.as_ref().err().map_or(&[][..], |it| it);
    let subject = &Replay::of(setting.program, obligation, calls)?;
    let schedule = &line.schedule;
    let budget = match subject {
        Replay::Client(..) => setting.scope.budget,
        Replay::Programs(..) => Limits::QUICK.budget,
    };
    let usual = Scope { budget, ..setting.scope.clone() };
    let recorded = schedule.within.scope(&usual);
    // Within the usual scopes first, in which it was found.
    for scope in [&usual.smallest(), &usual, &recorded] {
        let setting = &Setting { scope, ..*setting };
        if let Some(replayed) = replay_within(setting, subject, schedule)? {
            return Some(replayed);
        }
    }
    Some(Replayed::NoFit("it was found within other bounds than these".to_owned()))
}

/// What is replayed, in terms of a slice.
enum Replay<'a> {
    /// A client with this many processes; and the question that is asked.
    Client(&'a Client, u32, Option<(LayerId, usize)>),
    /// A generated program: the number of each call, for each process.
    Programs(Over, &'a [Vec<usize>], Option<(LayerId, usize)>),
}

impl<'a> Replay<'a> {
    /// What an obligation of a program runs; `calls` for a generated program.
    fn of(program: &'a Program, obligation: &Obligation, calls: &'a [Vec<usize>]) -> Option<Replay<'a>> {
        Some(match *obligation {
            Obligation::EndToEnd(index, processes) | Obligation::Searched(_, Asking::Client(index, processes)) => {
                Replay::Client(&program.clients[index], processes, None)
            }
            Obligation::TriedOut(over) | Obligation::Searched(_, Asking::Programs(over)) => {
                Replay::Programs(over, calls, None)
            }
            Obligation::Asked(layer, question, Asking::Client(index, processes)) => {
                Replay::Client(&program.clients[index], processes, Some((layer, question)))
            }
            Obligation::Asked(layer, question, Asking::Programs(over)) => {
                Replay::Programs(over, calls, Some((layer, question)))
            }
            _ => return None,
        })
    }

    /// The implementations above the layer at the bottom, and the ends of the search.
    fn over<'p>(&self, setting: &Setting<'p>) -> Option<(Vec<&'p Implementation>, Ends)> {
        let program = setting.program;
        let (chain, question) = match self {
            Replay::Client(client, _, question) => {
                (program.stacks[client.stack as usize].implementations.clone(), question)
            }
            Replay::Programs(over, _, question) => (over.implementations(program), question),
        };
        match question {
            Some((layer, question)) => asked_over(setting, &chain, *layer, *question),
            None => {
                let implementation = |it: &ImplementationId| &program.implementations[it.0 as usize];
                let all: Vec<&Implementation> = chain.iter().map(implementation).collect();
                let ends = ends(setting, &all)?;
                Some((all, ends))
            }
        }
    }
}

/// Makes the run, if this scope has the bounds of the schedule; otherwise `Some(None)`.
fn replay_within(setting: &Setting, subject: &Replay, schedule: &Schedule) -> Option<Option<Replayed>> {
    let (implementations, ends) = subject.over(setting)?;
    let count = match subject {
        Replay::Client(_, processes, _) => *processes,
        Replay::Programs(..) => Limits::QUICK.processes as u32,
    };
    let scope = Scope { pids: setting.scope.pids.max(count), ..setting.scope.clone() };
    let pids = if matches!(subject, Replay::Client(..)) { scope.pids } else { count };
    if schedule.within != (Within { pids, ..Within::of(&scope) }) {
        return Some(None);
    }
    let setting = &Setting { scope: &scope, ..*setting };
    let entries: Vec<_> = (0..setting.code.functions.len()).collect();
    let mut replayed = None;
    let answered = setting.ask(&entries, None, |search| {
        if search.world.cells.numbers == Numbers::Atoms {
            return Err(Abort::NumbersNeeded);
        }
        search.world.cells.ordered_by_number = true;
        search.world.cells.tries_ends = false;
        if let Replay::Client(..) = subject {
            for (literal, process) in named_processes(setting) {
                search.world.literals[literal] = Some(Value::Atom(Sort::Pid, process));
            }
        }
        search.world.cells.scope = scope.clone();
        search.world.cells.scope.pids = pids;
        let mut product = Product::new(setting, search, implementations.clone(), ends, count, Reductions::ALL);
        let scripts: Vec<Rc<Script>>;
        let runs = match subject {
            Replay::Client(client, ..) => Runs::Client(client),
            Replay::Programs(_, program, _) => {
                let calls = calls(setting, search, ends.top);
                let script = |it: &Vec<usize>| {
                    it.iter().map(|it| calls.get(*it).cloned()).collect::<Option<Vec<ScriptCall>>>().map(Rc::new)
                };
                let Some(all) = program.iter().map(script).collect::<Option<Vec<_>>>() else {
                    replayed = Some(Replayed::NoFit("the top layer has no such calls any more".to_owned()));
                    return Ok(None);
                };
                scripts = all;
                Runs::Scripts(&scripts, true)
            }
        };
        replayed = Some(product.replay(search, runs, schedule)?);
        Ok(None::<super::WrongRun>)
    });
    drop(answered);
    replayed.map(Some)
}
