//! Enumerating, driving and repeating, on closures that are too small to be layers.

use std::panic;

use cspec::model::{Choices, Domain, Explorer, Limits, Outcome, outcomes, run, values};
use cspec::prelude::*;
use cspec::{Model, Perform};

fn returned<T: Ord + Clone>(domain: &Domain, body: impl FnMut() -> T) -> Vec<T> {
    let all = outcomes(domain, body);
    all.iter().filter_map(|outcome| outcome.value().cloned()).collect()
}

/// The message of the panic that `body` ends in.
fn refusal<T>(body: impl FnOnce() -> T) -> String {
    let Err(payload) = panic::catch_unwind(panic::AssertUnwindSafe(body)) else {
        panic!("this should have panicked");
    };
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().map_or_else(String::new, |text| (*text).to_owned()),
    }
}

#[test]
fn every_value_once() {
    let domain = Domain { integers: vec![-1, 0, 300], ..Domain::default() };
    assert_eq!(values::<u8>(&domain), [0]);
    assert_eq!(values::<i64>(&domain), [-1, 0, 300]);
    assert_eq!(values::<Option<bool>>(&domain), [None, Some(false), Some(true)]);
    assert_eq!(values::<Seq<bool>>(&domain).len(), 1 + 2 + 4);
    assert_eq!(values::<Set<Pid>>(&domain).len(), 4);
    assert_eq!(values::<Map<Pid, bool>>(&domain).len(), 9);
    assert_eq!(values::<Total<Pid, u8>>(&Domain::default()).len(), 4);
    assert_eq!(values::<(bool, Pid)>(&domain).len(), 4);
    assert_eq!(values::<()>(&domain), [()]);
}

#[test]
fn a_bounded_map_has_no_more_entries_than_the_domain_says() {
    let domain = Domain { pids: 3, entries: 1, ..Domain::default() };
    assert_eq!(values::<Map<Pid, bool>>(&domain).len(), 1 + 3 * 2);
}

#[test]
fn a_domain_without_values_is_a_mistake() {
    let domain = Domain { integers: vec![300], ..Domain::default() };
    assert_eq!(values::<u16>(&domain), [300]);
    assert!(refusal(|| values::<u8>(&domain)).contains("no value of type `u8`"));
    let none = Domain::default().list::<Pid>([]);
    assert!(refusal(|| values::<Option<Pid>>(&none)).contains("Pid"));
}

#[test]
fn nothing_to_choose_from_is_disabled() {
    let domain = Domain::default();
    assert!(outcomes(&domain, || choose(&Set::<u64>::new())).is_empty());
    assert_eq!(returned(&domain, || choose(&Set::from([3, 1]))), [1, 3]);
    assert!(outcomes(&domain, || when(false)).is_empty());
}

#[test]
fn failures_are_outcomes() {
    let all = outcomes(&Domain::default(), || {
        let n: u8 = any();
        assert!(n == 0, "n is {n}");
        n
    });
    let failed = Outcome::Failed { message: "n is 1".to_owned() };
    assert_eq!(all, [Outcome::done(0), failed]);
    let missing = outcomes(&Domain::default(), || Map::<u64, u64>::new()[&1]);
    assert!(missing[0].is_failure());
}

#[test]
fn events_are_part_of_the_outcome() {
    let all = outcomes(&Domain::default(), || {
        if maybe() {
            emit("yes");
        }
    });
    assert_eq!(all.iter().map(|outcome| outcome.events().len()).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn repeat_reaches_everything() {
    let reached = returned(&Domain::default(), || {
        let mut n = 0;
        repeat(&mut n, |n| {
            when(*n < 5);
            *n += 1;
        });
        n
    });
    assert_eq!(reached, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn repeat_nests_and_keeps_failures() {
    let all = outcomes(&Domain::default(), || {
        let mut pair = (0, 0);
        repeat(&mut pair, |pair| {
            assert!(pair.0 < 2, "too far");
            pair.0 += 1;
            repeat(&mut pair.1, |n| {
                when(*n < 2);
                *n += 1;
            });
        });
        pair
    });
    assert_eq!(all.iter().filter(|outcome| !outcome.is_failure()).count(), 1 + 2 * 3);
    assert_eq!(all.iter().filter(|outcome| outcome.is_failure()).count(), 1);
}

#[test]
fn limits_are_named() {
    let tight = Domain { limits: Limits { choices: 100, runs: 50, states: 10 }, ..Domain::default() };
    let endless = refusal(|| {
        let patient = Domain { limits: Limits { choices: 100, ..Limits::default() }, ..Domain::default() };
        outcomes(&patient, || while maybe() {})
    });
    assert!(endless.contains("use `repeat`"), "{endless}");
    let runs = refusal(|| outcomes(&tight, any::<Seq<Seq<bool>>>));
    assert!(runs.contains("limits.runs"), "{runs}");
    let states = refusal(|| {
        outcomes(&tight, || {
            let mut n = 0u64;
            repeat(&mut n, |n| *n += 1);
        })
    });
    assert!(states.contains("limits.states"), "{states}");
}

#[test]
fn misuse_is_refused() {
    assert!(refusal(maybe).contains("outside a model run"));
    assert!(refusal(|| when(false)).contains("outside a model run"));
    let mut calls = 0;
    let changing = refusal(|| {
        outcomes(&Domain::default(), || {
            calls += 1;
            calls > 1 || maybe()
        })
    });
    assert!(changing.contains("run again"), "{changing}");
    let script = refusal(|| run(&Domain::default(), Choices::Script(vec![7]), maybe));
    assert!(script.contains("alternative 7 of 2"), "{script}");
    let emitting = refusal(|| {
        outcomes(&Domain::default(), || {
            let mut n = 0u8;
            repeat(&mut n, |_| emit(1));
        })
    });
    assert!(emitting.contains("emits an event"), "{emitting}");
}

#[test]
fn a_run_stays_usable_after_a_refusal() {
    let _ = refusal(|| run(&Domain::default(), Choices::Script(vec![7]), maybe));
    assert_eq!(returned(&Domain::default(), maybe), [false, true]);
}

#[state]
pub struct Clock {
    pub ticks: u64,
}

/// A clock that ticks by itself, up to three ticks.
#[layer]
impl Ticking for Clock {
    #[background]
    fn tick(&mut self) {
        repeat(self, |clock| {
            when(clock.ticks < 3);
            clock.ticks += 1;
        });
    }

    #[op]
    fn now(&mut self, me: Pid) -> u64 {
        self.ticks
    }
}

#[test]
fn the_background_runs_before_and_after() {
    let start = Clock::default();
    let explored = Explorer::<dyn Ticking>::new(Domain::default()).steps(&start, Pid(0), &__Ticking::now(()));
    let expected: Vec<_> =
        (0..=3).flat_map(|now| (now..=3).map(move |ticks| Outcome::done((now, Clock { ticks })))).collect();
    assert_eq!(explored, expected);

    let whole = outcomes(&Domain::default(), || {
        let mut model = Model::<dyn Ticking>::new(start.clone(), Pid(0));
        (model.perform(__Ticking::now(())), model.state)
    });
    assert_eq!(whole, explored);
}
