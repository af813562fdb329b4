//! The engine's search from end to end agrees with brute force on random programs over random packages.

use cspec_oracle::{
    end_to_end::{Answer, Compared, compare},
    generate::{Pattern, case},
};
use fastrand::Rng;

/// Compares the two searches on this many packages of a family; some must hold, and some must not.
fn agree(pattern: Pattern, packages: u64) {
    let (mut holds, mut refuted) = (0, 0);
    for seed in 0..packages {
        let case = case(pattern, 20_000_000 + seed);
        match compare(&case, &mut Rng::with_seed(seed)) {
            Compared::Same(Answer::Holds) => holds += 1,
            Compared::Same(_) => refuted += 1,
            Compared::Skipped => {}
            Compared::Differ(how) => panic!("{} with seed {}: {how}\n{}", pattern.name(), case.seed, case.source),
        }
    }
    println!("{}: {holds} hold, {refuted} do not", pattern.name());
    assert!(holds * 50 > packages && refuted * 50 > packages, "{holds} hold, {refuted} do not, of {packages}");
}

#[test]
fn movers() {
    agree(Pattern::Movers, 400);
}

#[test]
fn protocol() {
    agree(Pattern::Protocol, 400);
}

#[test]
fn retry() {
    agree(Pattern::Retry, 400);
}

#[test]
fn stacks_of_two() {
    agree(Pattern::Stack, 400);
}
