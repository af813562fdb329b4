//! Runs the built command on packages with layers, and checks the arguments, the output and the exit status of `check`.

mod support;

use std::{fs, path::Path};

use expect_test::{Expect, expect};
use support::{Folder, TAKES_PART, cspec, package, status, stderr, stdout, workspace};

/// A counter under a lock. All its obligations hold.
const COUNTER: &str = include_str!("counter/lib.rs");

/// One operation with so many paths that exploring them would take centuries; it needs no memory.
const ENDLESS: &str = "
use cspec::prelude::*;

#[state]
pub struct Log {
    pub bits: Seq<bool>,
}

#[layer]
impl Noise for Log {
    #[op]
    fn record(&mut self, me: Pid) {
        for _ in 0..60 {
            self.bits.push(maybe());
        }
    }
}
";

/// The counter, with the first occurrence of `what` replaced.
fn counter_with(what: &str, by: &str) -> String {
    assert!(COUNTER.contains(what), "the counter has no `{what}`");
    COUNTER.replacen(what, by, 1)
}

/// The counter with `read` before `acquire`.
fn reading_too_early() -> String {
    counter_with(
        "        lo.acquire();\n        let seen = lo.read();\n",
        "        let seen = lo.read();\n        lo.acquire();\n",
    )
}

/// A package `counter` with this text.
fn counter(text: impl AsRef<[u8]>) -> Folder {
    package("counter", TAKES_PART, text)
}

/// The output of a run without durations.
fn timeless(text: &str) -> String {
    let mut timeless = String::new();
    for line in text.lines() {
        let line = match (line.split_once(" in "), line.split_once(" s: ")) {
            (Some((before, _)), Some((_, after))) => format!("{before}: {after}"),
            _ => line.to_owned(),
        };
        timeless.push_str(&line);
        timeless.push('\n');
    }
    timeless
}

/// Runs `cargo cspec ARGUMENTS`; expects an exit status and a text on standard output.
#[track_caller]
fn check(folder: &Path, arguments: &[&str], expected_status: i32, expected: Expect) {
    let output = cspec(folder, arguments);
    expected.assert_eq(&timeless(stdout(&output)));
    assert_eq!(status(&output), Some(expected_status), "{}", stderr(&output));
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_counter_passes() {
    let counter = counter(COUNTER);
    check(
        &counter,
        &["check"],
        0,
        expect![[r#"
            counter: 50 obligations: 5 checked to scope, 45 proved
              layers           layer             checked    1 checked to scope, 6 proved
              CriticalSection  protocol, movers  checked    3 checked to scope, 19 proved
              Whole            stack             checked    1 checked to scope, 2 proved
              Lock             movers            proved     18 proved
              checked to scope: int ≤ 2
              assuming: no 64-bit overflow

            passed: 5 checked to scope, 45 proved
        "#]],
    );
    check(&counter, &["check", "-q"], 0, expect![[""]]);
    check(
        &counter,
        &["check", "--message-format", "short"],
        0,
        expect![[r#"
        passed: 5 checked to scope, 45 proved
    "#]],
    );
}

#[test]
fn a_mistake_is_shown_at_its_place_with_the_state() {
    check(
        &counter(reading_too_early()),
        &["check"],
        1,
        expect![[r#"
            error[CS0401]: `CriticalSection::inc` calls `read` where the rules of `Lock` do not allow it
                ╭─[ src/lib.rs:67:20 ]
                │
             67 │         let seen = lo.read();
                │                    ┬────────
                │                    ╰────────── here
            ────╯

              in the state  Locked { value: 0, owner: None }
              the procedure p0: read() is not allowed
              p0 may not call `read` there

              help: before the call, establish the condition of `#[allowed(read)]`, and keep it until the call

            counter: 32 obligations: 1 violated, 2 checked to scope, 29 proved
              layers           layer             checked    1 checked to scope, 6 proved
              CriticalSection  protocol, movers  violated   1 violated, 21 proved
              Whole            stack             checked    1 checked to scope, 2 proved
              checked to scope: int ≤ 2
              assuming: no 64-bit overflow

            failed: 1 violated, 2 checked to scope, 29 proved
            `cargo cspec explain CODE` explains a diagnostic.
        "#]],
    );
}

#[test]
fn both_orders_of_two_steps_are_shown() {
    let claimed = counter_with("    #[op]\n    fn write", "    #[op(right)]\n    fn write");
    check(
        &counter(claimed),
        &["check", "-q"],
        1,
        expect![[r#"
            error[CS0301]: `write` of `RawLock` is not a right mover: it does not commute with `read`
                ╭─[ src/lib.rs:34:10 ]
                │
             30 │     fn read(&mut self, me: Pid) -> u64 {
                │        ┬───
                │        ╰───── the other operation
                │
             34 │     #[op(right)]
                │          ┬────
                │          ╰────── claimed here
             35 │     fn write(&mut self, me: Pid, value: u64) {
                │        ┬────
                │        ╰────── `write` of `RawLock`
            ────╯

              in the state  Locked { value: 0, owner: None }
              possible      p0: write(1) → ()
              then          p1: read() → 1
              ending in     Locked { value: 1, owner: None }
              in the state  Locked { value: 0, owner: None }
              other order   p1: read() → 0, not 1
              in the other order `read` cannot return 1

              help: correct the claim, or weaken one of the two operations until both orders agree
              fix: Correct the claim: change `right` to `non` (applied by `--fix`)

            error[CS0301]: `write` of `RawLock` is not a right mover: it does not commute with `write`
                ╭─[ src/lib.rs:34:10 ]
                │
             34 │     #[op(right)]
                │          ┬────
                │          ╰────── claimed here
             35 │     fn write(&mut self, me: Pid, value: u64) {
                │        ┬────
                │        ╰────── `write` of `RawLock`
                │        │
                │        ╰────── the other operation
            ────╯

              in the state  Locked { value: 0, owner: None }
              possible      p0: write(0) → ()
              then          p1: write(1) → ()
              ending in     Locked { value: 1, owner: None }
              in the state  Locked { value: 0, owner: None }
              other order   p1: write(1) → ()
              then          p0: write(0) → ()
              ending in     Locked { value: 0, owner: None }
              and not in    Locked { value: 1, owner: None }
              in the other order the same results are possible, but not the same end state

              help: correct the claim, or weaken one of the two operations until both orders agree
              fix: Correct the claim: change `right` to `non` (applied by `--fix`)

            failed: 2 violated, 5 checked to scope, 49 proved
            `cargo cspec explain CODE` explains a diagnostic.
        "#]],
    );
}

#[test]
fn the_reference_workspace_passes() {
    let tso = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tso");
    let output = cspec(&tso, &["check", "-q"]);
    assert_eq!((status(&output), stdout(&output), stderr(&output)), (Some(0), "", ""));
}

#[test]
fn end_to_end_agrees_with_the_patterns() {
    let arguments = &["check", "--end-to-end", "-q"];
    check(&counter(COUNTER), arguments, 0, expect![[""]]);
    let racing = counter_with("over = Lock", "over = RawLock").replace("lo: &mut impl Lock", "lo: &mut impl RawLock");
    let racing = racing.replace("        lo.acquire();\n", "").replace("        lo.release();\n", "");
    let racing = counter(racing);
    assert_eq!(status(&cspec(&racing, &["check", "-q"])), Some(1));
    check(
        &racing,
        arguments,
        1,
        expect![[r#"
            error[CS0801]: with 2 processes, `increments` has a trace at the bottom that the top does not have
                ╭─[ src/lib.rs:77:4 ]
                │
             77 │ fn increments(process: u64, top: &mut impl Counter) {
                │    ┬─────────
                │    ╰─────────── here
            ────╯

              after the same events the top could do this instead: p1 emits print(1)
              in the state  Locked { value: 0, owner: None }
              at the bottom p0: read() → 0
              then          p1: read() → 0
              then          p1: write(1) → ()
              then          p0: write(1) → ()
              then          p0: print(0) → (), emits print(0)
              then          p1: print(0) → (), emits print(0)
              ending in     Locked { value: 1, owner: None }
              the last event is not possible at the top

              help: run `cargo cspec check`: an obligation that does not hold shows which implementation may be wrong
              replay: cargo cspec replay cs1/Whole.increments/2/p2e1i1s2/8d0f/t/0.1x2.0x2.1

            failed: 1 violated
            `cargo cspec explain CODE` explains a diagnostic.
        "#]],
    );
}

#[test]
fn what_has_no_client_is_searched_with_made_up_programs() {
    let without = counter(COUNTER.split("#[client").next().expect("a first part"));
    let output = cspec(&without, &["search"]);
    assert_eq!(status(&output), Some(0), "{}", stdout(&output));
    let racing = counter_with("over = Lock", "over = RawLock").replace("lo: &mut impl Lock", "lo: &mut impl RawLock");
    let racing = racing.replace("        lo.acquire();\n", "").replace("        lo.release();\n", "");
    let without = counter(racing.split("#[client").next().expect("a first part"));
    let output = cspec(&without, &["search"]);
    assert_eq!(status(&output), Some(1));
    assert!(stdout(&output).contains("the program is  p0: inc()  |  p1: inc()"), "{}", stdout(&output));
}

#[test]
fn nothing_to_search_is_status_2() {
    let without = counter(COUNTER.split("#[implement").next().expect("a first part"));
    let output = cspec(&without, &["search"]);
    assert_eq!(status(&output), Some(2));
    assert!(
        stderr(&output).contains("`counter`: it has no #[client] program, and no implementation to generate one for"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn errors_in_the_source_leave_the_rest_checked() {
    let broken = counter_with("        self.value\n    }", "        self.\n    }");
    check(
        &counter(broken),
        &["check"],
        1,
        expect![[r#"
            error[CS0101]: syntax error: expected field name or number
                ╭─[ src/lib.rs:31:14 ]
                │
             31 │         self.
                │              ┬
                │              ╰── here
            ────╯

            counter: 32 obligations: 2 checked to scope, 26 proved, 4 not checked
              layers           layer             checked    1 checked to scope, 5 proved
              CriticalSection  protocol, movers  proved     19 proved
              Whole            stack             checked    1 checked to scope, 2 proved
              checked to scope: int ≤ 2
              assuming: no 64-bit overflow
              not checked: layer no-panic RawLock::read
              not checked: CriticalSection: protocol follows Counter::inc
              not checked: CriticalSection: movers shape Counter::inc
              not checked: CriticalSection: movers atomic-spec Counter::inc

            failed: 1 error in the source, 2 checked to scope, 26 proved, 4 not checked
            `cargo cspec explain CODE` explains a diagnostic.
        "#]],
    );
}

#[test]
fn a_small_budget_leaves_obligations_undecided() {
    let output = cspec(&counter(COUNTER), &["check", "--scope", "budget=10", "--message-format", "short"]);
    assert_eq!(status(&output), Some(3));
    let last = stdout(&output).lines().last().expect("a line");
    assert!(last.starts_with("undecided: "), "{last}");
    assert!(stdout(&output).contains("error[CS0901]"), "{}", stdout(&output));
}

#[test]
fn json_lines_have_their_keys_in_order() {
    let mistaken = counter(reading_too_early());
    let output = cspec(&mistaken, &["check", "--message-format", "json"]);
    assert_eq!(status(&output), Some(1));
    let (mut messages, mut obligations) = (0, 0);
    for line in stdout(&output).lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        match value["reason"].as_str().expect("a reason") {
            "compiler-message" => {
                assert_eq!(obligations, 0, "messages come first");
                assert_eq!(value["message"]["code"]["code"], "cspec::CS0401");
                messages += 1;
            }
            "cspec-obligation" => {
                in_order(line, &OBLIGATION);
                obligations += 1;
            }
            "cspec-finished" => {
                in_order(line, &FINISHED);
                let counted = |key: &str| value[key].as_u64().expect("a number");
                let sum = counted("proved")
                    + counted("checked")
                    + counted("violated")
                    + counted("not_shown")
                    + counted("undecided");
                assert_eq!((sum, value["success"].as_bool()), (obligations, Some(false)));
            }
            other => panic!("unexpected reason {other}"),
        }
    }
    assert_eq!(messages, 1);
    assert!(stdout(&output).lines().last().expect("a line").starts_with(r#"{"reason":"cspec-finished","#));
}

const OBLIGATION: [&str; 16] = [
    "reason",
    "package",
    "implementation",
    "pattern",
    "kind",
    "layer",
    "operation",
    "against",
    "verdict",
    "scope",
    "bounds_met",
    "assumptions",
    "cases",
    "states",
    "millis",
    "span",
];

const FINISHED: [&str; 8] = ["reason", "success", "proved", "checked", "violated", "not_shown", "undecided", "millis"];

/// Asserts that a line contains these keys in this order.
fn in_order(line: &str, keys: &[&str]) {
    let mut rest = line;
    for key in keys {
        let key = format!("\"{key}\":");
        let at = rest.find(&key).unwrap_or_else(|| panic!("no {key} where it is due in {line}"));
        rest = &rest[at + key.len()..];
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let mistaken = counter(reading_too_early());
    for (folder, arguments) in [
        (&*mistaken, &["check", "--no-cache", "--message-format", "json"][..]),
        (&mistaken, &["check", "--no-cache", "--end-to-end", "--message-format", "json"]),
        (&mistaken, &["list", "--message-format", "json"]),
    ] {
        let with = |jobs| {
            let output = cspec(folder, &[arguments, &["-j", jobs]].concat());
            without_millis(stdout(&output))
        };
        assert_eq!(with("1"), with("2"), "{arguments:?}");
    }
}

/// JSON lines with every duration set to zero.
fn without_millis(text: &str) -> String {
    let mut pieces = text.split("\"millis\":");
    let mut timeless = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        timeless.push_str("\"millis\":0");
        timeless.push_str(piece.trim_start_matches(|it: char| it.is_ascii_digit()));
    }
    timeless
}

#[test]
fn packages_come_one_after_the_other() {
    let two = workspace(&[("broken", &reading_too_early()), ("good", COUNTER)]);
    let output = cspec(&two, &["check", "--message-format", "json"]);
    assert_eq!(status(&output), Some(1));
    let packages = |text: &str| {
        let mut packages: Vec<String> = Vec::new();
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
            packages.extend(value["package"].as_str().map(str::to_owned));
        }
        packages.dedup();
        packages
    };
    assert_eq!(packages(stdout(&output)), ["broken", "good"]);
    let output = cspec(&two, &["check", "-p", "good", "--message-format", "json"]);
    assert_eq!((status(&output), packages(stdout(&output))), (Some(0), vec!["good".to_owned()]));
    let output = cspec(&two, &["check", "-q", "--manifest-path", "good/Cargo.toml"]);
    assert_eq!((status(&output), stdout(&output)), (Some(0), ""));
}

#[test]
fn a_file_that_is_not_utf8_hides_no_other() {
    let folder = counter(COUNTER.replace("#[stack]", "mod latin;\n\n#[stack]"));
    fs::write(folder.join("src/latin.rs"), b"// caf\xe9").expect("a file can be written");
    let output = cspec(&folder, &["check", "--message-format", "short"]);
    assert_eq!(status(&output), Some(1));
    expect![[r#"
        src/lib.rs:75:5: error[CS0001]: file `src/latin.rs` cannot be read: it is not UTF-8
        failed: 1 error in the source, 5 checked to scope, 45 proved
    "#]]
    .assert_eq(stdout(&output));
}

#[test]
fn a_package_without_anything_is_status_2() {
    let empty = counter("");
    check(
        &empty,
        &["check"],
        2,
        expect![[r#"
        error[CS0002]: package `counter` declares no layers
          --> src/lib.rs
          help: declare a layer, `#[layer] impl Name for State { … }`, in a file that `mod` items lead to

        counter: nothing was checked: the package has no obligations

        not checked: nothing in package `counter`
        `cargo cspec explain CODE` explains a diagnostic.
    "#]],
    );
    check(
        &empty,
        &["list"],
        2,
        expect![[r#"
        error[CS0002]: package `counter` declares no layers
          --> src/lib.rs
          help: declare a layer, `#[layer] impl Name for State { … }`, in a file that `mod` items lead to

        package counter
    "#]],
    );
}

#[test]
fn one_empty_package_among_others_is_status_2() {
    let two = workspace(&[("empty", ""), ("good", COUNTER)]);
    check(
        &two,
        &["check", "--message-format", "short"],
        2,
        expect![[r#"
        empty/src/lib.rs:1:1: error[CS0002]: package `empty` declares no layers
        not checked: 5 checked to scope, 45 proved, nothing in package `empty`
    "#]],
    );
}

#[test]
fn list_shows_layers_matrices_implementations_and_stacks() {
    check(
        &counter(COUNTER),
        &["list", "--matrix"],
        0,
        expect![[r#"
        package counter
          mover types were inferred within Pid ≤ 2, entries ≤ 1, int ≤ 1, scalar ≤ 2 (none is refuted within Pid ≤ 3, entries ≤ 2, int ≤ 2, scalar ≤ 2); change this with --scope
          matrix: how the row's operation moves past the column's of another process; - neither way, ? undecided

        layer Counter  src/lib.rs:54
          inc() -> u64       non
          print(value: u64)  external

               inc
          inc  -

        layer Lock, protocol of RawLock  src/lib.rs:46
          acquire()          right
          release()          left
          read() -> u64      both
          write(value: u64)  both
          print(value: u64)  external

                   acquire  release  read  write
          acquire  both     right    both  both
          release  left     both     both  both
          read     both     both     both  both
          write    both     both     both  both

        layer RawLock  src/lib.rs:12
          acquire()          non
          release()          non
          read() -> u64      non
          write(value: u64)  non
          print(value: u64)  external

                   acquire  release  read  write
          acquire  both     -        both  both
          release  -        both     both  both
          read     both     both     both  -
          write    both     both     -     -

        implementations
          CriticalSection  Counter over Lock  movers

        stack Whole
          Counter  CriticalSection
          Lock
    "#]],
    );
}

#[test]
fn list_says_within_which_scope() {
    let scope = |arguments: &[&str]| {
        let output = cspec(&counter(COUNTER), &[&["list", "--message-format", "json"], arguments].concat());
        let value: serde_json::Value = serde_json::from_str(stdout(&output)).expect("one line of JSON");
        value["scope"].to_string()
    };
    expect![[r#"{"Pid":3,"budget":200000000,"entries":2,"int":2,"scalar":2}"#]].assert_eq(&scope(&[]));
    expect![[r#"{"Pid":3,"budget":200000000,"entries":2,"int":2,"scalar":4}"#]]
        .assert_eq(&scope(&["--scope", "Pid=3,scalar=4"]));
}

/// At the interrupt the first package is done, and the second cannot be: the results of the first are shown.
#[cfg(unix)]
#[test]
fn an_interrupted_run_shows_what_was_decided() {
    use std::{
        io::{BufRead as _, BufReader, Read as _},
        process::{Command, Stdio},
    };

    let packages = workspace(&[("a", COUNTER), ("b", ENDLESS), ("c", COUNTER)]);
    let mut command = support::command(&packages, &["check", "--message-format", "json"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the command starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut text = String::new();
    lines.read_line(&mut text).expect("the first package is shown when it is done");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("`kill` starts");
    assert!(sent.success());
    lines.read_to_string(&mut text).expect("the rest is UTF-8");
    assert_eq!(child.wait().expect("the command ends").code(), Some(130));
    let last: serde_json::Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
    assert_eq!((last["reason"].as_str(), last["success"].as_bool()), (Some("cspec-finished"), Some(false)));
    assert!(
        text.contains(r#""package":"a""#) && !text.contains(r#""package":"b""#) && !text.contains(r#""package":"c""#)
    );
}

#[test]
fn a_bound_on_a_scalar_that_does_not_exist_is_status_2() {
    let scalar =
        "#[scalar]\npub struct Message(u64);\n\n#[state]\npub struct Locked {\n    pub last: Option<Message>,\n";
    let counter = counter(counter_with("#[state]\npub struct Locked {\n", scalar));
    let output = cspec(&counter, &["check", "--scope", "Mesage=3"]);
    assert_eq!(status(&output), Some(2), "{}", stdout(&output));
    assert!(
        stderr(&output).contains("there is no bound `Mesage`\nhelp: did you mean `Message`?"),
        "{}",
        stderr(&output)
    );
    assert_eq!(status(&cspec(&counter, &["check", "-q", "--scope", "Message=3"])), Some(0));
}

#[test]
fn a_scope_in_the_manifest_counts_until_the_command_line_speaks() {
    let table = "[package.metadata.cspec.scope]\nint = 1\n";
    let counter = package("counter", table, COUNTER);
    let bound = |arguments: &[&str]| stdout(&cspec(&counter, arguments)).contains("checked to scope: int ≤ 1");
    assert!(bound(&["check"]));
    assert!(!bound(&["check", "--scope", "int=2"]));
}

#[test]
fn a_run_out_of_time_is_undecided() {
    let endless = package("endless", TAKES_PART, ENDLESS);
    let output = cspec(&endless, &["check", "--budget", "300ms", "--scope", "budget=1_000_000_000_000"]);
    assert_eq!(status(&output), Some(3), "{}", stderr(&output));
    assert!(stdout(&output).contains("undecided: "), "{}", stdout(&output));
    assert!(stdout(&output).contains("not checked within 300ms"), "{}", stdout(&output));
}

#[test]
fn excluded_packages_are_left_out() {
    let both = workspace(&[("one", COUNTER), ("two", COUNTER)]);
    let all = |arguments: &[&str]| stdout(&cspec(&both, arguments)).matches(" obligations in ").count();
    assert_eq!(all(&["check", "--workspace"]), 2);
    assert_eq!(all(&["check", "--workspace", "--exclude", "t*"]), 1);
    assert_eq!(all(&["check", "-p", "o?e"]), 1);
    assert_eq!(status(&cspec(&both, &["check", "--exclude", "two"])), Some(2), "--exclude needs --workspace");
}

#[test]
fn the_edition_in_messages_is_the_package_s() {
    let broken = Folder::new();
    broken.write(
        "Cargo.toml",
        format!("[package]\nname = \"old\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{TAKES_PART}"),
    );
    broken.write("src/lib.rs", "#[layer] impl");
    let output = cspec(&broken, &["check", "--message-format", "json"]);
    assert!(stdout(&output).contains(r#""edition":"2021""#), "{}", stdout(&output));
}

#[test]
fn the_matrix_of_one_layer() {
    check(
        &counter(COUNTER),
        &["matrix", "RawLock"],
        0,
        expect![[r#"
        counter: layer RawLock
                   acquire  release  read  write
          acquire  both     -        both  both   non
          release  -        both     both  both   non
          read     both     both     both  -      non
          write    both     both     -     -      non

        How the row's operation moves past the column's of another process: right, left, both, - neither way, ? undecided;
        the last column is its mover type. Inferred within Pid ≤ 2, entries ≤ 1, int ≤ 1, scalar ≤ 2 (none is refuted within Pid ≤ 3, entries ≤ 2, int ≤ 2, scalar ≤ 2); change this with --scope.
    "#]],
    );
    let unknown = cspec(&counter(COUNTER), &["matrix", "RawLok"]);
    assert_eq!(status(&unknown), Some(2));
    assert!(stderr(&unknown).contains("did you mean `RawLock`?"), "{}", stderr(&unknown));
}

#[test]
fn the_stack_as_a_picture() {
    let counter = counter(COUNTER);
    assert!(stdout(&cspec(&counter, &["graph"])).starts_with("<svg xmlns"));
    assert!(stdout(&cspec(&counter, &["graph", "--format", "dot"])).starts_with("digraph layers {"));
}

#[test]
fn a_filter_checks_what_it_names() {
    let counter = counter(COUNTER);
    check(
        &counter,
        &["check", "CriticalSection::inc"],
        0,
        expect![[r#"
            counter: 21 obligations: 3 checked to scope, 18 proved
              CriticalSection  protocol, movers  checked    3 checked to scope
              Lock             movers            proved     18 proved
              checked to scope: int ≤ 2
              assuming: no 64-bit overflow

            passed: 3 checked to scope, 18 proved
        "#]],
    );
    let unknown = cspec(&counter, &["check", "CriticalSection::icn"]);
    assert_eq!(status(&unknown), Some(2), "{}", stdout(&unknown));
    assert!(stderr(&unknown).contains("did you mean `CriticalSection::inc`?"), "{}", stderr(&unknown));
}

#[test]
fn the_parts_of_a_partition_are_the_whole() {
    let counter = counter(COUNTER);
    let obligations = |arguments: &[&str]| {
        let output = cspec(&counter, &[&["check", "-v"], arguments].concat());
        let lines = stdout(&output).lines().filter(|line| line.contains(" cases, ") || line.contains(" case, "));
        let name = |line: &str| line.split("  (").next().unwrap_or_default().to_owned();
        lines.map(name).collect::<Vec<_>>()
    };
    let mut parts: Vec<String> =
        (1..=3).flat_map(|part| obligations(&["--partition", &format!("hash:{part}/3")])).collect();
    let mut whole = obligations(&[]);
    parts.sort();
    whole.sort();
    assert_eq!(parts, whole);
    let part = cspec(&counter, &["check", "-q", "--partition", "hash:1/3"]);
    assert_eq!(status(&part), Some(0));
    let part = cspec(&counter, &["check", "--partition", "hash:1/3"]);
    assert!(stdout(&part).contains("the other parts were not checked"), "{}", stdout(&part));
}
