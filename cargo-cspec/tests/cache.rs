//! Tests of the cache on disk: it makes a run faster and changes nothing else.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use support::{Folder, TAKES_PART, command, cspec, package, status, stderr, stdout};

const COUNTER: &str = include_str!("counter/lib.rs");

fn counter() -> Folder {
    package("counter", TAKES_PART, COUNTER)
}

/// The output of a run, except durations and what was cached.
fn said(folder: &Path, more: &[&str]) -> Vec<serde_json::Value> {
    let output = cspec(folder, &[&["check", "--message-format", "json"], more].concat());
    assert_eq!(stderr(&output), "");
    let line = |line: &str| {
        let mut line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let object = line.as_object_mut().expect("an object");
        object.remove("millis");
        object.remove("cached");
        line
    };
    stdout(&output).lines().map(line).collect()
}

/// The number of cached verdicts of a run, and the number of all verdicts.
fn cached(folder: &Path) -> (usize, usize) {
    let output = cspec(folder, &["check", "--message-format", "json"]);
    let count = |what: &str| stdout(&output).matches(what).count();
    (count(r#""cached":true"#), count("cspec-obligation"))
}

/// The files of the cache, in order.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let inside = |folder: PathBuf| {
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.expect("a readable folder").path())
    };
    inside(folder.join("target/cspec/cache")).flat_map(inside).collect()
}

#[test]
fn a_second_run_explores_nothing_and_says_the_same() {
    for text in [COUNTER.to_owned(), COUNTER.replace("#[op]\n    fn write", "#[op(right)]\n    fn write")] {
        let counter = package("counter", TAKES_PART, text);
        let fresh = said(&counter, &["--no-cache"]);
        assert!(entries(&counter).is_empty(), "--no-cache keeps nothing");
        assert_eq!(said(&counter, &[]), fresh);
        let (hits, all) = cached(&counter);
        assert_eq!(hits, all);
        assert_eq!(said(&counter, &[]), fresh);
        assert!(stdout(&cspec(&counter, &["check", "-v"])).contains(", cached"));
    }
}

#[test]
fn only_what_a_change_reaches_is_explored_again() {
    let counter = counter();
    said(&counter, &[]);
    counter.write("src/lib.rs", COUNTER.replace("fn acquire", "/// A comment.\n\n    fn acquire"));
    let (hits, all) = cached(&counter);
    assert_eq!(hits, all, "a comment changes nothing");
    counter.write("src/lib.rs", COUNTER.replace("self.value = seen + 1", "self.value = seen + 2"));
    let (hits, all) = cached(&counter);
    assert!(0 < hits && hits < all, "{hits} of {all}");
    assert_eq!(said(&counter, &[]), said(&counter, &["--no-cache"]));
}

#[test]
fn another_scope_is_another_question() {
    let counter = counter();
    said(&counter, &[]);
    let other = said(&counter, &["--scope", "int=3"]);
    assert_eq!(other, said(&counter, &["--scope", "int=3", "--no-cache"]));
    assert_ne!(other, said(&counter, &[]));
}

#[test]
fn what_is_damaged_is_ignored_and_written_anew() {
    type Damage = dyn Fn(Vec<u8>) -> Vec<u8>;
    let damages: [(&str, &Damage); 6] = [
        ("empty", &|_| Vec::new()),
        ("truncated", &|bytes| bytes[..bytes.len() / 2].to_vec()),
        ("one bit", &|mut bytes| {
            let last = bytes.len() - 3;
            bytes[last] ^= 1;
            bytes
        }),
        ("zeros", &|bytes| vec![0; bytes.len()]),
        ("foreign", &|_| b"cspec result 1\n{}".to_vec()),
        ("not text", &|_| vec![0xff; 40]),
    ];
    let counter = counter();
    let fresh = said(&counter, &[]);
    for (name, damage) in damages {
        for path in entries(&counter) {
            let bytes = fs::read(&path).expect("an entry");
            fs::write(&path, damage(bytes)).expect("an entry can be damaged");
        }
        assert_eq!(cached(&counter).0, 0, "{name}");
        assert_eq!(said(&counter, &[]), fresh, "{name}");
        let (hits, all) = cached(&counter);
        assert_eq!(hits, all, "{name}: it is written anew");
    }
}

#[test]
fn an_entry_in_the_place_of_another_is_ignored() {
    let counter = counter();
    let fresh = said(&counter, &[]);
    let entries = entries(&counter);
    let first = fs::read(&entries[0]).expect("an entry");
    for pair in entries.windows(2) {
        fs::copy(&pair[1], &pair[0]).expect("entries can be swapped");
    }
    fs::write(entries.last().expect("an entry"), first).expect("entries can be swapped");
    assert_eq!(cached(&counter).0, 0);
    assert_eq!(said(&counter, &[]), fresh);
}

#[test]
fn runs_at_the_same_time_share_it() {
    let counter = counter();
    let start = |_| {
        let mut run = command(&counter, &["check", "--message-format", "short"]);
        run.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        run.spawn().expect("the command starts")
    };
    let runs: Vec<_> = (0..8).map(start).collect();
    for run in runs {
        let output = run.wait_with_output().expect("the command ends");
        assert_eq!((status(&output), stderr(&output)), (Some(0), ""));
        assert_eq!(stdout(&output), "passed: 5 checked to scope, 45 proved\n");
    }
    let (hits, all) = cached(&counter);
    assert_eq!(hits, all);
    let hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    assert!(!entries(&counter).iter().any(hidden), "no run leaves unfinished files behind");
}

#[test]
fn a_cache_that_cannot_be_written_is_a_warning() {
    let counter = counter();
    // A file in place of the folder: even root cannot create the folder then.
    counter.write("target/cspec", "");
    let output = cspec(&counter, &["check", "-q"]);
    assert_eq!((status(&output), stdout(&output)), (Some(0), ""));
    assert!(stderr(&output).starts_with("warning: the cache in "), "{}", stderr(&output));
    assert_eq!(stderr(&output).lines().count(), 1, "it is said once");
}

#[test]
fn clean_removes_it() {
    let counter = counter();
    said(&counter, &[]);
    let output = cspec(&counter, &["clean"]);
    assert_eq!(status(&output), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("removed "));
    assert!(entries(&counter).is_empty());
    assert!(stdout(&cspec(&counter, &["clean"])).starts_with("nothing to remove"));
}

#[test]
fn the_target_directory_may_be_elsewhere() {
    let counter = counter();
    assert_eq!(status(&cspec(&counter, &["check", "-q", "--target-dir", "elsewhere"])), Some(0));
    assert!(counter.join("elsewhere/cspec/cache").is_dir());
    assert!(!counter.join("target").exists());
}
