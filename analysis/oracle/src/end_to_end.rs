//! Compares the engine's end-to-end search with brute force: both get the same random program over a random package, whether or not its
//! obligations hold, and must agree.
//!
//! ```text
//! the search holds      ⇔  every trace of the program at the bottom is a trace of it at the top,
//!                          and from everything that the bottom can come to, the processes can finish (if they can at the top)
//! ```
//!
//! This search is naive: it has no state compression, no caching and no reduction.

use std::{rc::Rc, sync::atomic::AtomicBool};

use cspec_analysis::{
    db::lower_sources,
    explore::{self, compile::compile},
    ir::{Implementation, LayerId, Program, Type},
    obligations::{
        end_to_end::{Reductions, Script, ScriptCall, Wrong, check_scripts},
        question::{Answered, Setting},
    },
    verdict::Scope as Bounds,
};
use fastrand::Rng;

use crate::{
    eval::{DontKnow, Evaluator},
    generate::Case,
    search::{System, Traces, can_finish, every_state, gets_stuck},
    stack::{Call, Client, Tower},
    value::{Scope, Value},
};

/// The maximum number of initial states, at either end.
const MOST_STARTS: usize = 40;

/// The maximum number of situations of a program to visit.
const SITUATIONS: usize = 4_000;

/// The answer of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Every trace of the bottom is one of the top, and the processes do not get stuck.
    Holds,
    /// The bottom has a trace that the top does not have.
    NewTrace,
    /// The processes can get stuck.
    Stuck,
}

/// The result of a comparison.
#[derive(Clone, Debug)]
pub enum Compared {
    /// Both searches have this answer.
    Same(Answer),
    /// The answers differ; the text contains both, and the program.
    Differ(String),
    /// At least one of the searches gave up.
    Skipped,
}

/// Compares the two searches on a random program over the tower of a case.
pub fn compare(case: &Case, random: &mut Rng) -> Compared {
    // The two searches bound choices among all integers or sequences in different ways.
    if ["any::<u64>", "any::<Seq"].iter().any(|it| case.source.contains(it)) {
        return Compared::Skipped;
    }
    let lowered = lower_sources(&[("src/lib.rs", &case.source)]);
    let program = &lowered.program;
    let found = |name: &&'static str| program.implementations.iter().find(|it| it.name == **name);
    let implementations: Option<Vec<&Implementation>> = case.tower.iter().map(found).collect();
    let Some(tower) = implementations.and_then(|it| Tower::over(program, it)) else { return Compared::Skipped };
    let Some(clients) = clients(program, &tower, random) else { return Compared::Skipped };
    let Some(by_engine) = searched(program, &tower, &clients) else { return Compared::Skipped };
    match by_force(program, &tower, &clients) {
        Err(_) => Compared::Skipped,
        Ok(by_force) if by_force == by_engine => Compared::Same(by_engine),
        Ok(by_force) => {
            Compared::Differ(format!("the search says {by_engine:?}, brute force {by_force:?}: {clients:?}"))
        }
    }
}

/// Two processes with one or two calls each, of operations whose arguments are only small integers and truth values.
fn clients(program: &Program, tower: &Tower<'_>, random: &mut Rng) -> Option<Vec<Client>> {
    let top = tower.implementations.first()?.upper;
    let operations = &program.layers[top.0 as usize].operations;
    let call = |random: &mut Rng| {
        let operation = random.choice(operations)?;
        let function = &program.functions[operation.function.0 as usize];
        let types = function.locals[2..function.parameters as usize].iter().map(|it| &it.ty);
        let arguments: Option<Vec<Value>> = types.map(|ty| argument(ty, random)).collect();
        Some(Call { operation: operation.name.clone(), arguments: arguments? })
    };
    (0..2).map(|_| (0..1 + random.usize(..2)).map(|_| call(random)).collect()).collect()
}

fn argument(ty: &Type, random: &mut Rng) -> Option<Value> {
    match ty {
        Type::Bool => Some(Value::Bool(random.bool())),
        Type::Int { .. } => Some(Value::Int(random.i128(0..3))),
        _ => None,
    }
}

/// The answer of the engine's search; `None` if it gives up.
fn searched(program: &Program, tower: &Tower<'_>, clients: &[Client]) -> Option<Answer> {
    let (code, stop) = (compile(program), AtomicBool::new(false));
    let scope = Bounds { budget: 400_000, ..Bounds::default() };
    let setting = Setting::new(program, &code, &scope, &stop);
    let scripts: Option<Vec<Rc<Script>>> = clients.iter().map(script).collect();
    let found = check_scripts(&setting, &tower.implementations, (&scripts?, false), Reductions::ALL);
    if found.cut_off.is_some() {
        return None;
    }
    // A run that was left out may be wrong, whatever the others are.
    let is_clear = found.uncertain.is_none();
    match found.answered {
        Answered::Holds => is_clear.then_some(Answer::Holds),
        Answered::GivenUp(_) => None,
        Answered::Violated(run) => match run.wrong {
            Wrong::Trace(_) => Some(Answer::NewTrace),
            Wrong::Stuck(bounds) if bounds.is_empty() => is_clear.then_some(Answer::Stuck),
            Wrong::ClientFails(..) | Wrong::TopFails(_) | Wrong::Answers(_) | Wrong::Stuck(_) => None,
        },
    }
}

fn script(client: &Client) -> Option<Rc<Script>> {
    let value = |it: &Value| match it {
        Value::Bool(it) => Some(explore::value::Value::Bool(*it)),
        Value::Int(it) => Some(explore::value::Value::int(*it)),
        _ => None,
    };
    let call = |it: &Call| {
        let arguments: Option<Vec<_>> = it.arguments.iter().map(value).collect();
        Some(ScriptCall { operation: it.operation.clone(), arguments: arguments? })
    };
    client.iter().map(call).collect::<Option<Script>>().map(Rc::new)
}

/// The answer of brute force, from all initial states of a small universe.
fn by_force(program: &Program, tower: &Tower<'_>, clients: &[Client]) -> Result<Answer, DontKnow> {
    let top = tower.implementations.first().ok_or_else(|| DontKnow("no implementations".to_owned()))?.upper;
    let scope = Scope {
        // As many processes as the search has: a state may name a process that runs nothing.
        pids: u64::from(Bounds::default().pids),
        // The search also tries the number after one that the code names.
        ints: vec![0, 1, 2, 3],
        ends: false,
        strings: Vec::new(),
        scalars: 1,
        entries: 2,
        length: 2,
    };
    // The top needs room for everything that the bottom may reach.
    let larger = Scope { ints: (0..8).collect(), length: 4, scalars: 3, ..scope.clone() };
    let (low, high) = (Evaluator::new(program, scope), Evaluator::new(program, larger));
    low.set_fuel(2_000_000);
    high.set_fuel(6_000_000);
    let above = Tower::layer(top);
    let above = System { evaluator: &high, tower: &above, clients };
    let below = System { evaluator: &low, tower, clients };
    let (tops, bottoms) = (starts(&high, program, top)?, starts(&low, program, tower.end)?);
    let mut allowed = Traces::default();
    for start in &tops {
        allowed = allowed.or(every_state(&above, start, 4 * SITUATIONS)?);
    }
    for start in &bottoms {
        let found = every_state(&below, start, SITUATIONS)?;
        if found.not_among(&allowed).is_some() {
            return Ok(Answer::NewTrace);
        }
        if found.complete_below.is_some() {
            return Err(DontKnow("too many situations".to_owned()));
        }
    }
    let mut finishes = false;
    for start in &tops {
        finishes |= can_finish(&above, start, 4 * SITUATIONS)?;
    }
    for start in bottoms.iter().filter(|_| finishes) {
        if gets_stuck(&below, start, SITUATIONS)? {
            return Ok(Answer::Stuck);
        }
    }
    Ok(Answer::Holds)
}

fn starts(evaluator: &Evaluator<'_>, program: &Program, layer: LayerId) -> Result<Vec<Value>, DontKnow> {
    let too_many = || DontKnow("too many states".to_owned());
    let all = evaluator.universe.values(&program.layers[layer.0 as usize].state).map_err(|_| too_many())?;
    let mut starts = Vec::new();
    for state in all.iter() {
        if evaluator.is_initial(layer, state)? {
            starts.push(state.clone());
        }
        if starts.len() > MOST_STARTS {
            return Err(too_many());
        }
    }
    match starts.is_empty() {
        true => Err(DontKnow("no initial state".to_owned())),
        false => Ok(starts),
    }
}
