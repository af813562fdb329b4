//! Random packages of all families through the whole engine: if every obligation holds, brute force finds no new behaviour. `cargo run -p
//! cspec-oracle -- fuzz` runs the same test for any number of cases, and `CSPEC_TIMES=10` runs ten times as many here.

use cspec_oracle::{
    fuzz::{Effort, Fate, run},
    generate::{Pattern, case},
};

/// Checks this many cases from a seed, on two threads. Some of them must be accepted, and some rejected.
fn sound(pattern: Pattern, cases: u64) {
    sound_by(pattern, cases, Effort::default());
}

fn sound_by(pattern: Pattern, cases: u64, effort: Effort) {
    let seed = 10_000_000;
    let times = std::env::var("CSPEC_TIMES").map_or(1, |it| it.parse().expect("a number"));
    let cases: u64 = cases * times;
    println!("{} with seeds from {seed}, {cases} cases", pattern.name());
    let counts: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let halves = [0, 1].map(|half| scope.spawn(move || of_every_second(pattern, seed + half, cases / 2, effort)));
        halves.into_iter().map(|it| it.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let accepted: u64 = counts.iter().map(|it| it.0).sum();
    let rejected: u64 = counts.iter().map(|it| it.1).sum();
    assert!(accepted * 20 > cases, "too few are accepted to say anything: {accepted} of {cases}");
    assert!(rejected * 20 > cases, "too few are rejected to say anything: {rejected} of {cases}");
}

fn of_every_second(pattern: Pattern, seed: u64, cases: u64, effort: Effort) -> (u64, u64) {
    let (mut accepted, mut rejected) = (0, 0);
    for number in 0..cases {
        let case = case(pattern, seed + 2 * number);
        match run(&case, &effort) {
            Fate::Accepted { searched, .. } => accepted += u64::from(searched > 0),
            Fate::Rejected { .. } => rejected += 1,
            Fate::Undecided => {}
            Fate::Wrong(wrong) => panic!("{} with seed {}: {wrong}\n{}", pattern.name(), case.seed, case.source),
        }
    }
    (accepted, rejected)
}

#[test]
fn movers() {
    sound(Pattern::Movers, 250);
}

#[test]
fn protocol() {
    sound(Pattern::Protocol, 250);
}

#[test]
fn movers_over_a_layer_with_an_invariant() {
    sound(Pattern::Kept, 250);
}

#[test]
fn abstraction() {
    sound(Pattern::Abstraction, 400);
}

#[test]
fn invariant() {
    sound(Pattern::Invariant, 400);
}

#[test]
fn retry() {
    sound(Pattern::Retry, 400);
}

#[test]
fn partition() {
    sound(Pattern::Partition, 250);
}

#[test]
fn stacks_of_two() {
    sound(Pattern::Stack, 250);
}

#[test]
fn idle() {
    sound(Pattern::Idle, 150);
}

#[test]
fn stamps() {
    sound(Pattern::Stamps, 16);
}

#[test]
fn calls() {
    sound(Pattern::Calls, 250);
}

#[test]
fn locks() {
    sound(Pattern::Locks, 100);
}

#[test]
fn rely() {
    sound(Pattern::Rely, 100);
}

/// Only programs are searched: to judge each run of a procedure with nested loops once more takes minutes.
#[test]
fn wild() {
    sound_by(Pattern::Wild, 100, Effort { confirm: false, asked_again: 0, ..Effort::default() });
}

/// The operation above calculates on with a number beyond 64 bits: with what no operator but a plain one has a meaning for.
#[test]
fn nothing_is_done_with_a_number_beyond_64_bits() {
    for seed in [400_006_272, 430_001_790] {
        let case = case(Pattern::Integers, seed);
        let fate = run(&case, &Effort::default());
        assert!(matches!(fate, Fate::Rejected { confirmed: 1.., .. }), "seed {seed}: {fate:?}");
    }
}
