//! Tests of `check --fix`: what it changes, what it does not touch, and when it refuses.

mod support;

use std::{fs, path::Path, process::Command};

use support::{Folder, TAKES_PART, cspec, package, status, stderr, stdout};

const COUNTER: &str = include_str!("counter/lib.rs");

/// The counter with some text replaced, committed to a git repository.
fn committed(changes: &[(&str, &str)]) -> Folder {
    let text = changes.iter().fold(COUNTER.to_owned(), |text, (what, by)| {
        assert!(text.contains(what), "the counter has no `{what}`");
        text.replacen(what, by, 1)
    });
    let folder = package("counter", TAKES_PART, text);
    folder.write(".gitignore", "target\n");
    git(&folder, &["init", "-q"]);
    git(&folder, &["add", "."]);
    git(&folder, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "first"]);
    folder
}

fn git(folder: &Path, arguments: &[&str]) {
    let done = Command::new("git").args(arguments).current_dir(folder).status();
    assert!(done.expect("git starts").success(), "{arguments:?}");
}

fn source(folder: &Path) -> String {
    fs::read_to_string(folder.join("src/lib.rs")).expect("the source")
}

/// False claims, and an operation that is not passed on.
const MISTAKES: &[(&str, &str)] = &[
    ("#[op]\n    fn acquire", "#[op(left)]\n    fn acquire"),
    ("#[op]\n    fn read", "#[op(both)]\n    fn read"),
    (", pass(print)", ""),
];

#[test]
fn what_needs_no_decision_is_fixed_and_checked_again() {
    let folder = committed(MISTAKES);
    let output = cspec(&folder, &["check", "--fix"]);
    assert_eq!(
        stderr(&output),
        "fixed: src/lib.rs:18:10: Correct the claim: change `left` to `non`\n\
         fixed: src/lib.rs:29:10: Correct the claim: change `both` to `non`\n\
         fixed: src/lib.rs:64:46: Pass `print` on to the layer below\n"
    );
    assert!(stdout(&output).ends_with("passed: 5 checked to scope, 45 proved\n"), "{}", stdout(&output));
    assert_eq!(status(&output), Some(0));
    let expected = COUNTER.replacen("#[op]\n    fn acquire", "#[op(non)]\n    fn acquire", 1).replacen(
        "#[op]\n    fn read",
        "#[op(non)]\n    fn read",
        1,
    );
    assert_eq!(source(&folder), expected);
    let left_over = fs::read_dir(folder.join("src")).expect("the folder").count();
    assert_eq!(left_over, 1, "nothing else is left in the folder");
}

#[test]
fn what_needs_a_decision_is_told_and_left_alone() {
    let folder = committed(&[("#[allowed(release, read, write)]", "#[allowed(release, read)]")]);
    let before = source(&folder);
    let output = cspec(&folder, &["check", "--fix", "-q"]);
    assert_eq!(status(&output), Some(1), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("to decide: src/lib.rs:47:28: Allow `write` only where `by_owner` holds\n"),
        "{}",
        stderr(&output)
    );
    assert_eq!(source(&folder), before);
}

#[test]
fn a_stub_is_offered_and_not_written() {
    let start = COUNTER.find("    fn inc(lo").expect("it is there");
    let end = COUNTER[start..].find("    }\n").expect("it ends") + start + "    }\n".len();
    let folder = committed(&[(&COUNTER[start..end], "")]);
    let before = source(&folder);
    let output = cspec(&folder, &["check", "--fix", "-q"]);
    assert_eq!((status(&output), source(&folder)), (Some(1), before));
    assert!(stderr(&output).contains("to decide: src/lib.rs:66:1: Write a stub of `inc`\n"), "{}", stderr(&output));
}

#[test]
fn where_nothing_is_wrong_nothing_is_done() {
    let folder = committed(&[]);
    let output = cspec(&folder, &["check", "--fix", "-q"]);
    assert_eq!((status(&output), stdout(&output)), (Some(0), ""));
    assert_eq!(stderr(&output), "fixed: nothing: no finding has a fix that can be applied without asking\n");
    assert_eq!(source(&folder), COUNTER);
}

#[test]
fn what_is_not_committed_is_not_written_over() {
    let refused = |folder: &Folder, flags: &[&str]| {
        let before = source(folder);
        let output = cspec(folder, &[&["check", "--fix", "-q"], flags].concat());
        let is_refused = status(&output) == Some(2);
        assert_eq!(is_refused, source(folder) == before, "{flags:?}: {}", stderr(&output));
        is_refused.then(|| stderr(&output).to_owned())
    };
    let folder = committed(MISTAKES);
    folder.write("notes.txt", "a thought");
    let told = refused(&folder, &[]).expect("there is a file that git does not have");
    assert_eq!(
        told,
        "error: --fix changes files, and these have uncommitted changes:\n  * notes.txt (dirty)\n\
         help: commit them, or pass --allow-dirty or --allow-staged\n"
    );
    assert!(refused(&folder, &["--allow-staged"]).is_some());
    git(&folder, &["add", "notes.txt"]);
    assert!(refused(&folder, &[]).expect("there is a change").contains("  * notes.txt (staged)\n"));
    assert!(refused(&folder, &["--allow-dirty"]).is_some());
    assert!(refused(&folder, &["--allow-staged"]).is_none());

    let folder = committed(MISTAKES);
    folder.write("notes.txt", "a thought");
    assert!(refused(&folder, &["--allow-dirty"]).is_none());

    let folder = package("counter", TAKES_PART, COUNTER.replacen(", pass(print)", "", 1));
    assert!(refused(&folder, &[]).expect("there is no git").contains("pass --allow-no-vcs"));
    assert!(refused(&folder, &["--allow-no-vcs"]).is_none());
}

/// rust-analyzer makes a quick fix of each span with a replacement, as cargo's own crate reads it.
#[test]
fn programs_read_fixes_as_those_of_rustc() {
    let folder = committed(MISTAKES);
    let output = cspec(&folder, &["check", "--message-format", "json"]);
    let mut found = Vec::new();
    for message in cargo_metadata::Message::parse_stream(stdout(&output).as_bytes()) {
        let cargo_metadata::Message::CompilerMessage(message) = message.expect("every line is read") else { continue };
        for child in &message.message.children {
            for span in child.spans.iter().filter(|it| it.suggested_replacement.is_some()) {
                assert!(span.is_primary);
                let bytes = span.byte_start as usize..span.byte_end as usize;
                let was = source(&folder)[bytes].to_owned();
                found.push((
                    was,
                    span.suggested_replacement.clone().unwrap_or_default(),
                    span.suggestion_applicability.clone(),
                ));
            }
        }
    }
    use cargo_metadata::diagnostic::Applicability::{HasPlaceholders, MachineApplicable, MaybeIncorrect};
    let stub = "\n    fn print(lo: &mut impl Lock, value: u64) {\n        todo!()\n    }\n";
    let expected = [
        ("", ", pass(print)", MachineApplicable),
        ("", stub, HasPlaceholders),
        ("left", "non", MachineApplicable),
        ("(left)", "", MaybeIncorrect),
        ("both", "non", MachineApplicable),
        ("(both)", "", MaybeIncorrect),
    ];
    for (was, now, who) in expected {
        assert!(found.contains(&(was.to_owned(), now.to_owned(), Some(who))), "{was:?} {now:?}: {found:#?}");
    }
}
