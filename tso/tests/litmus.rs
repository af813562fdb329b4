//! The published litmus tests, answered by the executable model of the layer; and how bounds and bad files are handled.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use tso::litmus::{Bounds, Expected, Summary, Test, Verdict, explore, parse, report};

const SAMPLE: &str = include_str!("litmus/sample.json");
const UNBOUNDED: Bounds = Bounds { buffer: None, states: 1_000_000 };

fn sample() -> Vec<Test> {
    parse(SAMPLE).expect("the sample is well formed")
}

fn named(name: &str) -> Test {
    let mut tests = sample().into_iter();
    tests.find(|test| test.name == name).expect("a test of the sample")
}

#[test]
fn the_layer_agrees_with_all_samples() {
    let mut lines = Vec::new();
    let summary = report(&sample(), UNBOUNDED, &mut |line| lines.push(line.to_owned()));
    let all = Summary { agree: 24, disagree: 0, undecided: 0 };
    assert_eq!(summary, all, "{lines:#?}");
    assert_eq!(summary.exit_code(), 0);
}

/// The numbers of end states are worked out by hand, so that the sets of end states are compared too, not only the verdicts.
#[test]
fn the_ends_of_small_tests_are_counted() {
    // Both registers may be 0 or 1: four end states.
    assert_eq!(explore(&named("iwp2.3.a-amd4 (SB)"), UNBOUNDED).finals, 4);
    // The same without the end state in which both registers are 0.
    assert_eq!(explore(&named("amd5 (SB+mfences)"), UNBOUNDED).finals, 3);
    assert_eq!(explore(&named("iwp2.1-amd1 (MP)"), UNBOUNDED).finals, 3);
    assert_eq!(explore(&named("fwd-newest"), UNBOUNDED).finals, 1);
}

#[test]
fn a_bound_that_was_met_never_forbids() {
    for buffer in 0..3 {
        let bounds = Bounds { buffer: Some(buffer), ..UNBOUNDED };
        for test in sample() {
            let bounded = explore(&test, bounds).verdict;
            let agrees = bounded.agrees(test.tso);
            assert_ne!(agrees, Some(false), "{} with {buffer}", test.name);
        }
    }
}

#[test]
fn one_pending_store_does_not_decide_buffer_holds_two() {
    let test = named("buffer-holds-two");
    let bounds = |buffer| Bounds { buffer: Some(buffer), ..UNBOUNDED };
    let Verdict::Undecided { because } = explore(&test, bounds(1)).verdict else {
        panic!("one pending store is not enough to decide");
    };
    assert!(because.contains("more than 1 pending"), "{because}");
    assert_eq!(explore(&test, bounds(2)).verdict, Verdict::Allowed);
}

#[test]
fn too_many_states_are_undecided() {
    let bounds = Bounds { buffer: None, states: 20 };
    let found = explore(&named("amd6 (IRIW)"), bounds);
    assert!(matches!(found.verdict, Verdict::Undecided { .. }));
    assert!(found.states <= 20);
}

#[test]
fn a_wrong_file_disagrees() {
    let mut test = named("iwp2.3.a-amd4 (SB)");
    test.tso = Expected::Forbidden;
    let summary = report(&[test], UNBOUNDED, &mut |_| {});
    assert_eq!((summary.disagree, summary.exit_code()), (1, 1));
}

/// The text of a file with one test with these threads, condition and further fields.
fn file(threads: &str, condition: &str, more: &str) -> String {
    format!(r#"{{"tests": [{{"name": "T", "threads": {threads}, "condition": {condition}, "tso": "allowed"{more}}}]}}"#)
}

#[test]
fn bad_files_are_refused_with_their_place() {
    let good = (r#"[[["R", "x", "r0"]]]"#, r#"{"0:r0": 0}"#);
    assert!(parse(&file(good.0, good.1, "")).is_ok());
    let refused = |threads: &str, condition: &str, more: &str| {
        parse(&file(threads, condition, more)).expect_err("this must be refused")
    };
    let cases = [
        (
            refused(r#"[[["R", "x", "r0"], ["CAS", "x"]]]"#, good.1, ""),
            r#"test 1 (`T`): thread 0, instruction 1: unknown instruction "CAS""#,
        ),
        (refused(r#"[[["R", "x"]]]"#, good.1, ""), r#"expected ["R", location, register]"#),
        (refused(r#"[[["W", "x", -1]]]"#, good.1, ""), "found -1"),
        (refused(r#"[[["W", 7, 1]]]"#, good.1, ""), "expected a name, found 7"),
        (refused(r#"[[[]]]"#, good.1, ""), "not empty"),
        (refused("[]", good.1, ""), "no threads"),
        (refused(good.0, "{}", ""), "condition is empty"),
        (refused(good.0, r#"{"1:r0": 0}"#, ""), "condition `1:r0`: there is no such thread"),
        (refused(good.0, r#"{"0:r9": 0}"#, ""), "does not set this register"),
        (refused(good.0, r#"{"z": 0}"#, ""), "no thread uses this location"),
        (refused(good.0, r#"{"0:r0": 0, "0:r0": 1}"#, ""), "`0:r0` is there twice"),
        (refused(good.0, good.1, r#", "inti": {"x": 1}"#), "unknown field `inti`"),
        (refused(good.0, good.1, r#", "sc": "maybe""#), "unknown variant `maybe`"),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "{message}");
    }
    assert!(parse(r#"{"tests": []}"#).expect_err("refused").contains("no tests"));
    assert!(parse("{\n  \"tests\": [").expect_err("refused").contains("line 2"));
}

fn command(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tso"));
    command.arg("litmus").args(arguments);
    command.output().expect("the command starts")
}

#[test]
fn exit_codes() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/litmus/sample.json");
    assert_eq!(command(&[sample]).status.code(), Some(0));
    let bounded = command(&[sample, "--buffer", "1"]);
    assert_eq!(bounded.status.code(), Some(3));
    let text = String::from_utf8_lossy(&bounded.stdout);
    let line = text.lines().find(|line| line.starts_with("buffer-holds-two")).unwrap_or_default();
    assert!(line.contains("undecided"), "{text}");
    assert_eq!(command(&["no-such-file.json"]).status.code(), Some(2));
}

#[test]
fn a_malformed_file_is_named() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tso"))
        .args(["litmus", "/dev/stdin"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut input = child.stdin.take().expect("stdin is piped");
    input.write_all(b"{\"tests\": 1}").expect("the command reads");
    drop(input);
    let output = child.wait_with_output().expect("the command ends");
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("/dev/stdin: ") && error.contains("line 1 column"), "{error}");
}
