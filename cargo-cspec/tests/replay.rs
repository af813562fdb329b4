//! Tests of counterexample files: `check` writes them, and `replay` steps through them and checks them again.

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
        the source still has it: checked again, refuted by this run

        the procedure, in `Lock`
             Locked { value: 0, owner: None }
          1  p0: read() is not allowed  (src/lib.rs:67:20)

        ✗ p0 may not call `read` there
    "#]]
    .assert_eq(stdout(&replayed));

    folder.write("src/lib.rs", COUNTER);
    let replayed = cspec(&folder, &["replay", &path]);
    assert_eq!(status(&replayed), Some(0));
    assert!(stdout(&replayed).contains("no longer has it"), "{}", stdout(&replayed));
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
        assert!(stderr(&replayed).contains("`found.json` is not a counterexample"), "{}", stderr(&replayed));
    }
    assert_eq!(status(&cspec(&folder, &["replay", "missing.json"])), Some(2));
}

/// A package with the dependency `cspec`, so that rustc can compile it.
fn compiled(text: &str) -> support::Folder {
    let layers = concat!(env!("CARGO_MANIFEST_DIR"), "/../layers");
    let table = format!("{}[dependencies]\ncspec = {{ path = {layers:?} }}\n", support::TAKES_PART);
    package("counter", &table, text)
}

/// Every counterexample to a mistaken counter becomes a test, which passes as long as the counter has the mistake.
#[test]
fn a_counterexample_becomes_a_test_of_the_layers() {
    let mistakes = [
        (RIGHT, WRONG),
        ("#[op]\n    fn write", "#[op(right)]\n    fn write"),
        ("#[op]\n    fn acquire", "#[op(left)]\n    fn acquire"),
        ("lo.write(seen + 1);\n", ""),
        ("self.value = seen + 1;\n        seen", "self.value = seen + 1;\n        self.value"),
    ];
    for (what, by) in mistakes {
        assert_eq!(COUNTER.matches(what).count(), 1, "{what}");
        let wrong = COUNTER.replacen(what, by, 1);
        let folder = compiled(&wrong);
        let checked = cspec(&folder, &["check", "-q", "--save-counterexamples", "found"]);
        let files: Vec<_> = fs::read_dir(folder.join("found")).into_iter().flatten().flatten().collect();
        if files.is_empty() {
            panic!("{by}: {}", stdout(&checked));
        }
        let mut tests = String::new();
        for file in &files {
            let path = file.path().to_str().expect("the path is UTF-8").to_owned();
            let written = cspec(&folder, &["replay", &path, "--as-test"]);
            assert_eq!(status(&written), Some(0), "{}", stderr(&written));
            tests.push_str(stdout(&written));
        }
        folder.write("src/lib.rs", format!("{wrong}{tests}"));
        let passed = cargo_test(&folder);
        assert!(passed.contains(&format!("{} passed; 0 failed", files.len())), "{passed}\n{tests}");
        // A claim does not change behaviour: after it is corrected, the layers still have the run.
        if !by.contains("#[op(") {
            folder.write("src/lib.rs", format!("{COUNTER}{tests}"));
            let failed = cargo_test(&folder);
            assert!(failed.contains("FAILED"), "{failed}\n{tests}");
        }
    }
}

/// The output of `cargo test`. The target directory is shared, so that the crate `cspec` is compiled once.
fn cargo_test(folder: &std::path::Path) -> String {
    let target = concat!(env!("CARGO_TARGET_TMPDIR"), "/replay");
    let output = std::process::Command::new(env!("CARGO"))
        .args(["test", "--offline", "--lib", "--target-dir", target])
        .current_dir(folder)
        .output()
        .expect("cargo starts");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
