//! Runs the checked procedures on this machine: no increment is lost, also with more threads than processors.

use std::process::Command;

use tso::counting::{Plan, count};

fn value(threads: u64, iterations: u64, down: bool) -> u64 {
    count(Plan { threads, iterations, down }).value
}

#[test]
fn no_increment_is_lost() {
    assert_eq!(value(1, 1_000, false), 1_000);
    assert_eq!(value(2, 20_000, false), 40_000);
    assert_eq!(value(8, 2_000, false), 16_000);
}

#[test]
fn up_and_down_is_nothing() {
    assert_eq!(value(4, 2_000, true), 0);
}

#[test]
fn what_does_not_fit_is_not_expected() {
    let plan = Plan { threads: 2, iterations: u64::MAX / 2 + 1, down: false };
    assert_eq!(plan.expected(), None);
}

#[test]
fn the_command_prints_the_count() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tso"));
    command.args(["--threads", "3", "--iterations", "1000"]);
    let output = command.output().expect("the command starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("count     3000\nexpected  3000\n"), "{text}");
    assert!(text.contains("increments/s"), "{text}");
}
