//! Counterexamples as files: written by `check`, stepped through and checked again by `replay`.

mod support;

use std::fs;

use expect_test::expect;
use support::{cspec, package, status, stderr, stdout};

const COUNTER: &str = include_str!("counter/lib.rs");
const RIGHT: &str = "lo.acquire();\n        let seen = lo.read();";
const WRONG: &str = "let seen = lo.read();\n        lo.acquire();";

#[test]
fn a_saved_counterexample_is_replayed_on_the_source_as_it_is() {
    assert_eq!(COUNTER.matches(RIGHT).count(), 1, "the counter has other lines");
    let folder = package("counter", support::TAKES_PART, COUNTER.replacen(RIGHT, WRONG, 1));
    let checked = cspec(&folder, &["check", "-q", "--save-counterexamples", "found"]);
    assert_eq!(status(&checked), Some(1));
    let files: Vec<_> = fs::read_dir(folder.join("found")).expect("the folder").flatten().collect();
    let [file] = files.as_slice() else { panic!("one file for one finding, not {files:?}") };
    assert_eq!(file.file_name(), "counter-protocol-follows-CriticalSection-Counter-inc-.json");
    let path = file.path().to_str().expect("the path is UTF-8").to_owned();

    let replayed = cspec(&folder, &["replay", &path]);
    assert_eq!(status(&replayed), Some(1), "{}", stderr(&replayed));
    expect![[r#"
        counter[CS0401] `CriticalSection::inc` calls `read` where the rules of `Lock` do not allow it
        checked again: violated, by this run

          in the state  Locked { value: 0, owner: None }
          the procedure p0: read() is not allowed
          p0 may not call `read` there
    "#]]
    .assert_eq(stdout(&replayed));

    folder.write("src/lib.rs", COUNTER);
    let replayed = cspec(&folder, &["replay", &path]);
    assert_eq!(status(&replayed), Some(0));
    assert!(stdout(&replayed).contains("no longer applies"), "{}", stdout(&replayed));
}

#[test]
fn what_is_no_counterexample_is_said_to_be_none() {
    let folder = package("counter", support::TAKES_PART, COUNTER);
    let hostile = ["", "{", "[]", "{\"format\":1}", "\u{0}\u{1b}[2J", &"[".repeat(100_000)];
    for text in hostile {
        folder.write("found.json", text);
        let replayed = cspec(&folder, &["replay", "found.json"]);
        assert_eq!(status(&replayed), Some(2), "{}", stderr(&replayed));
        assert_eq!(stderr(&replayed).lines().count(), 1, "{}", stderr(&replayed));
        assert!(stderr(&replayed).contains("`found.json` is no counterexample"), "{}", stderr(&replayed));
    }
    assert_eq!(status(&cspec(&folder, &["replay", "missing.json"])), Some(2));
}
