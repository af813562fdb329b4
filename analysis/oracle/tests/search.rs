//! Tests of the searches: on cases that can be counted by hand, and against each other.

use cspec_analysis::{db::lower_sources, ir::LayerId};
use cspec_oracle::{
    eval::Evaluator,
    search::{System, Traces, every_run, every_state},
    stack::{Call, Client, Tower},
    value::{Scope, Value},
};

const COUNTER: &str = "
    use cspec::prelude::*;
    #[state] pub struct Count { pub value: u64 }
    #[layer] impl Steps for Count {
        #[op] fn say(&mut self, me: Pid) { emit(0); }
        #[op] fn next(&mut self, me: Pid) -> u64 { self.value += 1; self.value }
        #[op] fn toss(&mut self, me: Pid) -> bool { maybe() }
        #[op] fn wait(&mut self, me: Pid) { when(self.value > 0); }
        #[op] fn fail(&mut self, me: Pid) { assert!(self.value == 0); }
        #[op] fn try_aloud(&mut self, me: Pid) -> bool { emit(0); maybe() }
        #[op] fn try_next(&mut self, me: Pid) -> bool { if maybe() { return false; } self.value += 1; true }
    }
    #[layer(inherit(Steps: say))] impl Whole for Count {
        #[op] fn both(&mut self, me: Pid) -> u64 { self.value += 2; self.value }
        #[op] fn surely(&mut self, me: Pid) -> bool { self.value += 1; true }
        #[op] fn aloud(&mut self, me: Pid) -> bool { true }
    }
    #[implement(Whole, over = Steps, by = movers, pass(say))]
    impl Twice {
        fn both(lo: &mut impl Steps) -> u64 { lo.next(); lo.next() }
        fn surely(lo: &mut impl Steps) -> bool { loop { if lo.try_next() { return true; } } }
        fn aloud(lo: &mut impl Steps) -> bool { loop { if lo.try_aloud() { return true; } } }
    }
";

/// The traces of clients over `Steps`, or over `Twice`, from zero. Both searches must agree on them.
fn traces(over: &str, clients: &[&[&str]]) -> Traces {
    let lowered = lower_sources(&[("lib.rs", COUNTER)]);
    assert!(lowered.diagnostics.is_empty(), "{:?}", lowered.diagnostics);
    let program = &lowered.program;
    let tower = match over {
        "Steps" => Tower::layer(LayerId(0)),
        _ => Tower::over(program, vec![&program.implementations[0]]).expect("one implementation"),
    };
    let call = |name: &&str| Call { operation: (*name).to_owned(), arguments: Vec::new() };
    let clients: Vec<Client> = clients.iter().map(|it| it.iter().map(call).collect()).collect();
    let evaluator = Evaluator::new(program, Scope::default());
    let system = System { evaluator: &evaluator, tower: &tower, clients: &clients };
    let start = Value::Tuple(vec![Value::Int(0)]);
    let found = every_state(&system, &start, 100_000).expect("all steps are in the language");
    // A process that spins has infinite runs, so the other search does not apply.
    if !clients.iter().flatten().any(|it| ["surely", "aloud"].contains(&it.operation.as_str())) {
        assert_eq!(every_run(&system, &start, 1_000_000).expect("few runs"), found);
    }
    found
}

/// The number of traces that are not prefixes of others.
fn longest(traces: &Traces) -> usize {
    let longest = traces.all.iter().map(Vec::len).max().unwrap_or_default();
    traces.all.iter().filter(|it| it.len() == longest).count()
}

#[test]
fn independent_events_come_in_any_order() {
    // Each call emits an event and shows its result: two processes with four events each, 8 choose 4.
    assert_eq!(longest(&traces("Steps", &[&["say", "say"], &["say", "say"]])), 70);
    // Three processes with two events each: 6! / (2! 2! 2!).
    assert_eq!(longest(&traces("Steps", &[&["say"], &["say"], &["say"]])), 90);
}

#[test]
fn results_depend_on_the_order() {
    // The first to show its result may be any of the two, and so may the first to step: four combinations.
    assert_eq!(longest(&traces("Steps", &[&["next"], &["next"]])), 4);
    // n orders of n one-step threads, each shown in any order.
    assert_eq!(longest(&traces("Steps", &[&["next"], &["next"], &["next"]])), 36);
}

#[test]
fn choices_multiply() {
    assert_eq!(longest(&traces("Steps", &[&["toss"], &["toss"]])), 2 * 4);
}

#[test]
fn a_process_that_waits_for_ever_shows_nothing() {
    assert_eq!(traces("Steps", &[&["wait"]]).all.len(), 1);
    let woken = traces("Steps", &[&["wait"], &["next"]]);
    assert_eq!(longest(&woken), 2);
}

#[test]
fn failures_are_seen_after_the_traces_that_lead_to_them() {
    let traces = traces("Steps", &[&["next"], &["fail"]]);
    // Before and after the other process shows its result, except where `fail` came first.
    assert_eq!(traces.failing.len(), 2);
    assert!(traces.failing.contains(&vec![]));
}

#[test]
fn a_procedure_that_is_not_atomic_has_more_traces() {
    let (below, above) = (traces("Twice", &[&["both"], &["both"]]), traces("Twice", &[&["both"]]));
    assert_eq!(longest(&above), 1);
    // The second call of each shows 2, 3 or 4, in either order: (2,4) (3,4) (4,2) (4,3), each shown in two orders.
    assert_eq!(longest(&below), 8);
}

#[test]
fn a_process_that_spins_is_in_finitely_many_situations() {
    assert_eq!(longest(&traces("Twice", &[&["surely"], &["surely"]])), 2);
}

#[test]
fn of_endless_traces_the_short_ones_are_all_there() {
    let endless = traces("Twice", &[&["aloud"]]);
    let known = endless.complete_below.expect("there is no end of traces");
    assert!(known > 20);
    // After `length` events it continues, or it was one event less and is done.
    for length in 2..known {
        assert_eq!(endless.all.iter().filter(|it| it.len() == length).count(), 2);
    }
    let silent = traces("Twice", &[&["surely"]]);
    assert_eq!(silent.complete_below, None);
    assert_eq!(endless.not_among(&silent).map(|it| it.len()), Some(1));
    // Unknown longer traces do not count against the others.
    let shown = |length: usize| Traces { all: [vec![(0, Value::Int(0)); length]].into(), ..Traces::default() };
    let is_new = |length: usize| shown(length).not_among(&endless).is_some();
    assert!(is_new(known - 1) && !is_new(known));
}

#[test]
fn a_failure_at_the_top_allows_everything_after_it() {
    let event = |number: i128| (0, Value::Int(number));
    let one = Traces { all: [vec![], vec![event(1)]].into(), failing: [].into(), complete_below: None };
    let two = Traces { all: [vec![], vec![event(2)]].into(), failing: [].into(), complete_below: None };
    let fails = Traces { all: [vec![]].into(), failing: [vec![]].into(), complete_below: None };
    assert_eq!(one.not_among(&two), Some(vec![event(1)]));
    assert_eq!(one.not_among(&fails), None);
    assert_eq!(fails.not_among(&one), Some(vec![]));
    assert_eq!(one.not_among(&one), None);
}
