//! Tests of `cargo cspec mutate`: which mutants exist, which survive, and what is printed.

mod support;

use std::{collections::BTreeSet, fs, path::Path};

use expect_test::expect;
use support::{TAKES_PART, command, cspec, package, status, stderr, stdout};

const COUNTER: &str = include_str!("counter/lib.rs");

#[test]
fn survivors_are_shown_with_the_lines_before_and_after() {
    let counter = package("counter", TAKES_PART, COUNTER);
    let output = cspec(&counter, &["mutate", "inc", "by_owner"]);
    assert_eq!(status(&output), Some(1), "{}", stderr(&output));
    let shown = stdout(&output);
    let (seconds, rest) = shown.split_once(" %) in ").expect("it ends with how long it took");
    let rest = rest.split_once(", ").expect("counts follow").1;
    expect![[r#"
        survived: guard in Counter::inc, src/lib.rs:57:9: `when(self.owner.is_none())` left out
          -         when(self.owner.is_none());

        counter: 17 of 18 mutants killed (94.4|1 survived; 1 more did not compile
    "#]]
    .assert_eq(&format!("{seconds}|{rest}"));
    assert_eq!(fs::read_to_string(counter.join("src/lib.rs")).ok().as_deref(), Some(COUNTER), "nothing is written");
    assert!(!counter.join("target").exists(), "nothing is kept");
}

#[test]
fn every_kind_of_change_is_listed() {
    let claimed = COUNTER.replacen("#[op]\n    fn acquire", "#[op(right)]\n    fn acquire", 1);
    let counter = package("counter", TAKES_PART, claimed);
    let output = cspec(&counter, &["mutate", "--list", "acquire", "by_owner", "CriticalSection"]);
    assert_eq!(status(&output), Some(0), "{}", stderr(&output));
    expect![[r#"
        claim in RawLock::acquire, src/lib.rs:18:10: the claim `right` made `left`
        claim in RawLock::acquire, src/lib.rs:18:10: the claim `right` made `both`
        guard in RawLock::acquire, src/lib.rs:20:9: `when(self.owner.is_none())` left out
        guard in RawLock::acquire, src/lib.rs:20:14: `self.owner.is_none()` made `!self.owner.is_none()`
        operation in RawLock::acquire, src/lib.rs:21:9: `self.owner = Some(me)` left out
        guard in Lock::by_owner, src/lib.rs:48:41: always true
        guard in Lock::by_owner, src/lib.rs:48:41: always false
        guard in Lock::by_owner, src/lib.rs:49:20: `self.owner == Some(me)` with `!=` for `==`
        call in CriticalSection::inc, src/lib.rs:67:9: `lo.acquire();` and `let seen = lo.read();` exchanged
        call in CriticalSection::inc, src/lib.rs:68:9: `let seen = lo.read();` and `lo.write(seen + 1);` exchanged
        call in CriticalSection::inc, src/lib.rs:69:9: `lo.write(seen + 1);` and `lo.release();` exchanged
        call in CriticalSection::inc, src/lib.rs:67:9: `lo.acquire()` left out
        call in CriticalSection::inc, src/lib.rs:67:12: `lo.acquire()` calls `release` instead
        call in CriticalSection::inc, src/lib.rs:69:9: `lo.write(seen + 1)` left out
        call in CriticalSection::inc, src/lib.rs:69:12: `lo.write(seen + 1)` calls `print` instead
        call in CriticalSection::inc, src/lib.rs:69:23: `seen + 1` with `-` for `+`
        call in CriticalSection::inc, src/lib.rs:69:25: `1` made `2`
        call in CriticalSection::inc, src/lib.rs:70:9: `lo.release()` left out
        call in CriticalSection::inc, src/lib.rs:70:12: `lo.release()` calls `acquire` instead
        counter: 19 mutants
    "#]]
    .assert_eq(stdout(&output));
}

#[test]
fn programs_read_one_object_for_each_mutant_and_one_at_the_end() {
    let counter = package("counter", TAKES_PART, COUNTER);
    let output = cspec(&counter, &["mutate", "by_owner", "--message-format", "json"]);
    assert_eq!(status(&output), Some(0), "{}", stderr(&output));
    let objects: Vec<serde_json::Value> =
        stdout(&output).lines().map(|it| serde_json::from_str(it).expect("each line is an object")).collect();
    let [.., last, end] = objects.as_slice() else { panic!("{objects:?}") };
    assert_eq!(
        (&last["reason"], &last["function"], &last["fate"]),
        (&"cspec-mutant".into(), &"Lock::by_owner".into(), &"killed".into())
    );
    assert_eq!((&end["reason"], &end["killed"]), (&"cspec-mutants-finished".into(), &3.into()));
}

#[test]
fn what_cannot_be_mutated_is_status_2() {
    let broken = package("counter", TAKES_PART, COUNTER.replace("self.value = value;", "self.value = 0;"));
    let output = cspec(&broken, &["mutate"]);
    assert_eq!(status(&output), Some(2));
    assert!(
        stderr(&output).contains("is violated as it is\nhelp: mutants of package `counter`"),
        "{}",
        stderr(&output)
    );

    let counter = package("counter", TAKES_PART, COUNTER);
    let output = cspec(&counter, &["mutate", "Lokc"]);
    assert_eq!(status(&output), Some(2));
    assert!(stderr(&output).contains("did you mean `Lock`?"), "{}", stderr(&output));
}

#[test]
fn what_the_time_does_not_suffice_for_is_not_tried() {
    let counter = package("counter", TAKES_PART, COUNTER);
    let output = cspec(&counter, &["mutate", "--budget", "1ms"]);
    assert_eq!(status(&output), Some(3), "{}", stdout(&output));
    assert!(stdout(&output).contains(" not tried\n"), "{}", stdout(&output));
}

/// The page explains every survivor of the reference workspaces, and states how many mutants are killed.
#[test]
fn the_page_on_mutants_explains_every_survivor() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/mutation.md")).expect("the page is there");
    for workspace in ["tso", "cmail"] {
        let section = page.split(&format!("\n## `{workspace}`\n")).nth(1).expect("there is a section for it");
        let section = section.split("\n## ").next().unwrap_or_default();
        let output = command(&root, &["mutate", "-p", workspace, "--message-format", "json"]).output();
        let output = output.expect("the command starts");
        let mut survivors = BTreeSet::new();
        let mut end = serde_json::Value::Null;
        for line in stdout(&output).lines() {
            end = serde_json::from_str(line).expect("each line is an object");
            if end["fate"] == "survived" || end["fate"] == "undecided" {
                let words = |key: &str| end[key].as_str().unwrap_or_default().replace('|', "\\|");
                survivors.insert(format!("| `{}` | {} | ", words("function"), words("change")));
            }
        }
        let count = |key: &str| end[key].as_u64().unwrap_or_default();
        let tried = count("killed") + count("survived") + count("undecided");
        let told = format!("Of {tried} mutants {} are killed", count("killed"));
        assert!(section.contains(&told), "{workspace}: the page should say: {told}");
        let rows = section.lines().filter(|it| it.starts_with("| `"));
        let explained = rows.filter_map(|it| it.rsplit_once(" | ")).map(|(row, _)| format!("{row} | "));
        assert_eq!(survivors, explained.collect(), "{workspace}: survivors, and rows of the page");
    }
}
