//! The choice tape: one run of a nondeterministic closure is a sequence of choices, each a number below the number of
//! alternatives. The tape lives in a thread-local, so that `maybe()` deep inside a helper finds it. It knows runs and their
//! ends (returned, disabled, failed, given up), and nothing of layers.
//!
//! Enumerating replays the closure once per sequence of choices, depth first. `repeat` enumerates inside a run: sessions nest.

use std::any::{Any, type_name};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::Once;

use crate::choice::any;
use crate::model::{Domain, Event, Outcome};
use crate::value::Value;

/// Makes the choices after those that are replayed.
pub(crate) enum Driver {
    /// Always the first alternative; the enumeration takes the others in later runs.
    First,
    /// The numbers given, then the first alternative.
    Script(VecDeque<usize>),
    /// A pseudo-random alternative; the number is the generator's state.
    Random(u64),
}

impl Driver {
    fn next(&mut self, of: usize) -> usize {
        match self {
            Driver::First => 0,
            Driver::Script(numbers) => numbers.pop_front().unwrap_or(0),
            Driver::Random(state) => (split_mix(state) % of as u64) as usize,
        }
    }
}

/// SplitMix64: enough to spread test runs, and the same on every machine.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

struct Choice {
    picked: usize,
    of: usize,
    /// The result of `pick_from` here. A replay with the same earlier choices would compute the same.
    alternatives: Option<Rc<dyn Any>>,
}

struct Session {
    domain: Rc<Domain>,
    driver: Driver,
    choices: Vec<Choice>,
    /// How many of `choices` this run has made.
    made: usize,
    events: Vec<Event>,
}

thread_local! {
    static SESSIONS: RefCell<Vec<Session>> = const { RefCell::new(Vec::new()) };
    /// Mirrors `SESSIONS.len()`, for the panic hook.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// The panic payload that ends a run: this transition does not exist.
struct Disabled;

/// The panic payload that ends all runs: the model gives up, with the reason.
struct GivenUp(String);

/// Ends the run: there is no such transition.
pub(crate) fn disable() -> ! {
    with_session(|_| ());
    panic::resume_unwind(Box::new(Disabled))
}

/// Ends all runs of this thread; the outermost caller panics with the message.
pub(crate) fn give_up(message: String) -> ! {
    panic::resume_unwind(Box::new(GivenUp(message)))
}

pub(crate) fn domain() -> Rc<Domain> {
    with_session(|session| session.domain.clone())
}

pub(crate) fn record(event: Event) {
    with_session(|session| session.events.push(event));
}

/// One of `of` alternatives. With none, the transition does not exist.
pub(crate) fn pick(of: usize) -> usize {
    match of {
        0 => disable(),
        1 => 0,
        _ => decide(of, None),
    }
}

/// One of the values that the domain has for a type. An empty list is an error in the domain: otherwise every run would be disabled, which
/// looks like a result.
pub(crate) fn pick_listed<T: Value>(values: &[T]) -> T {
    if values.is_empty() {
        give_up(format!("the domain has no value of type `{}`", type_name::<T>()));
    }
    values[pick(values.len())].clone()
}

/// One of the alternatives that `compute` lists. They are computed once, however often the run is replayed.
pub(crate) fn pick_from<T: Clone + 'static>(compute: impl FnOnce() -> Vec<T>) -> T {
    let known =
        with_session(|session| session.choices.get(session.made).and_then(|choice| choice.alternatives.clone()));
    let alternatives: Rc<Vec<T>> = match known {
        Some(known) => known.downcast().unwrap_or_else(|_| give_up(CHANGED.into())),
        None => Rc::new(compute()),
    };
    if alternatives.is_empty() {
        disable();
    }
    alternatives[decide(alternatives.len(), Some(alternatives.clone()))].clone()
}

const CHANGED: &str = "the closure makes other choices when it is run again: it depends on something besides the tape";

fn decide(of: usize, alternatives: Option<Rc<dyn Any>>) -> usize {
    let decided = with_session(|session| {
        let limit = session.domain.limits.choices;
        if session.made >= limit {
            return Err(format!(
                "more than {limit} choices in one run (Domain::limits.choices); `while maybe()` has no end here, use `repeat`"
            ));
        }
        if session.made == session.choices.len() {
            let picked = session.driver.next(of);
            session.choices.push(Choice { picked, of, alternatives });
        }
        let choice = &session.choices[session.made];
        session.made += 1;
        if choice.of != of {
            return Err(CHANGED.into());
        }
        if choice.picked >= of {
            return Err(format!("the script picks alternative {} of {of} (they count from 0)", choice.picked));
        }
        Ok(choice.picked)
    });
    decided.unwrap_or_else(|message| give_up(message))
}

fn with_session<R>(use_it: impl FnOnce(&mut Session) -> R) -> R {
    SESSIONS.with_borrow_mut(|sessions| match sessions.last_mut() {
        Some(session) => use_it(session),
        None => {
            panic!("a choice outside a model run: only `cspec::model` runs operations that choose")
        }
    })
}

/// The end of one run, and its session.
struct Ended<T> {
    /// How the run ended; `None` if a guard disabled it.
    outcome: Option<Outcome<T>>,
    session: Session,
}

fn attempt<T>(session: Session, body: &mut dyn FnMut() -> T) -> Ended<T> {
    silence_failures();
    SESSIONS.with_borrow_mut(|sessions| sessions.push(session));
    DEPTH.set(DEPTH.get() + 1);
    // The closure's captures are used again only if the caller keeps the contract that the closure starts afresh in each run.
    let result = panic::catch_unwind(AssertUnwindSafe(body));
    DEPTH.set(DEPTH.get() - 1);
    let popped = SESSIONS.with_borrow_mut(Vec::pop);
    let mut session = popped.expect("every session pushed is popped by the same call");
    let outcome = match result {
        Ok(value) => Some(Outcome::Done { value, events: std::mem::take(&mut session.events) }),
        Err(payload) => ended_early(payload),
    };
    Ended { outcome, session }
}

fn ended_early<T>(payload: Box<dyn Any + Send>) -> Option<Outcome<T>> {
    let payload = match payload.downcast::<Disabled>() {
        Ok(_) => return None,
        Err(payload) => payload,
    };
    let payload = match payload.downcast::<GivenUp>() {
        Ok(given_up) if DEPTH.get() == 0 => panic!("{}", given_up.0),
        Ok(given_up) => panic::resume_unwind(given_up),
        Err(payload) => payload,
    };
    let message = match (payload.downcast_ref::<String>(), payload.downcast_ref::<&str>()) {
        (Some(text), _) => text.clone(),
        (None, Some(text)) => (*text).to_owned(),
        (None, None) => "a panic without a message".to_owned(),
    };
    Some(Outcome::Failed { message })
}

/// A failure inside a run is an outcome and prints nothing; other panics go to the previous hook.
fn silence_failures() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if DEPTH.get() == 0 {
                previous(info);
            }
        }));
    });
}

/// Runs `body` once; also returns the choices it made.
pub(crate) fn run_once<T>(
    domain: Rc<Domain>,
    driver: Driver,
    body: &mut dyn FnMut() -> T,
) -> (Option<Outcome<T>>, Vec<usize>) {
    let session = Session { domain, driver, choices: Vec::new(), made: 0, events: Vec::new() };
    let ended = attempt(session, body);
    (ended.outcome, ended.session.choices.iter().map(|choice| choice.picked).collect())
}

/// Runs `body` once for every sequence of choices, and passes each outcome on; disabled runs have none.
pub(crate) fn enumerate<T>(domain: Rc<Domain>, body: &mut dyn FnMut() -> T, visit: &mut dyn FnMut(Outcome<T>)) {
    let limit = domain.limits.runs;
    let mut choices = Vec::new();
    for _ in 0..limit {
        let session = Session { domain: domain.clone(), driver: Driver::First, choices, made: 0, events: Vec::new() };
        let ended = attempt(session, body);
        if ended.session.made != ended.session.choices.len() {
            stop(CHANGED.into());
        }
        if let Some(outcome) = ended.outcome {
            visit(outcome);
        }
        choices = ended.session.choices;
        if !advance(&mut choices) {
            return;
        }
    }
    stop(format!("more than {limit} runs (Domain::limits.runs): make the domain smaller"));
}

/// Gives up the runs around this one, or panics if there are none.
fn stop(message: String) -> ! {
    if DEPTH.get() == 0 {
        panic!("{message}");
    }
    give_up(message)
}

/// The next sequence of choices, depth first; false after the last.
fn advance(choices: &mut Vec<Choice>) -> bool {
    while let Some(choice) = choices.last_mut() {
        choice.picked += 1;
        if choice.picked < choice.of {
            return true;
        }
        choices.pop();
    }
    false
}

/// All values of a type in the domain of the run, each once and in order.
pub(crate) fn values<T: Value>() -> Vec<T> {
    let mut found = BTreeSet::new();
    enumerate(domain(), &mut any::<T>, &mut |outcome| {
        if let Outcome::Done { value, .. } = outcome {
            found.insert(value);
        }
    });
    found.into_iter().collect()
}
