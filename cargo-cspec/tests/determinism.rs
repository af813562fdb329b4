//! The same input gives the same bytes, with any number of threads and with any contents of the cache.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use support::{Folder, TAKES_PART, cspec, package, stderr, stdout};

/// The whole output of a run, except durations and what was cached.
fn written(folder: &Path, more: &[&str]) -> Vec<String> {
    ["json", "short"]
        .into_iter()
        .map(|format| {
            let arguments = [&["check", "--message-format", format, "--color", "never"], more].concat();
            let output = cspec(folder, &arguments);
            assert_eq!(stderr(&output), "", "{arguments:?}");
            ["\"millis\":", "\"cached\":"]
                .iter()
                .fold(stdout(&output).to_owned(), |text, key| without_value(&text, key))
        })
        .collect()
}

/// A JSON text without the numbers and truth values of this key.
fn without_value(text: &str, key: &str) -> String {
    let mut parts = text.split(key);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + key + part.trim_start_matches(|it: char| it.is_ascii_alphanumeric()))
}

/// Compares runs with one thread and with several: without stored results, with a cache, with half of a cache, and without a cache.
fn is_always_the_same(name: &str, folder: &Path, more: &[&str], cache: &Path) {
    let with = |words: &[&str]| written(folder, &[more, words].concat());
    let fresh = with(&["--no-cache", "-j", "1"]);
    for threads in ["2", "3", "8"] {
        assert_eq!(with(&["--no-cache", "-j", threads]), fresh, "{name}: {threads} threads");
    }
    let _ = fs::remove_dir_all(cache);
    assert_eq!(with(&["-j", "4"]), fresh, "{name}: a cache that is empty");
    assert_eq!(with(&["-j", "1"]), fresh, "{name}: a cache that knows all");
    assert!(!entries(cache).is_empty(), "{name}: something is kept");
    for (number, entry) in entries(cache).into_iter().enumerate() {
        match number % 3 {
            0 => fs::remove_file(entry).expect("an entry can be removed"),
            1 => fs::write(entry, b"something else").expect("an entry can be written"),
            _ => {}
        }
    }
    assert_eq!(with(&["-j", "2"]), fresh, "{name}: a cache that knows a third, and is broken in a third");
}

/// The entries of a cache, in order.
fn entries(cache: &Path) -> Vec<PathBuf> {
    let inside = |folder: &Path| fs::read_dir(folder).into_iter().flatten().map(|it| it.expect("an entry").path());
    let mut all: Vec<_> = inside(cache).flat_map(|it| inside(&it).collect::<Vec<_>>()).collect();
    all.sort();
    all
}

#[test]
fn packages_that_fail_say_the_same_in_every_run() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../analysis/tests/corpus");
    for name in [
        "movers/a_third_process_interferes",
        "movers/a_left_mover_is_enabled_where_it_is_called",
        "protocol/every_call_is_allowed",
        "abstraction/an_abstraction_keeps_results",
        "vacuous/a_relation_relates_something",
    ] {
        let Ok(text) = fs::read_to_string(corpus.join(name).join("wrong.rs")) else {
            panic!("{name} is in the corpus");
        };
        let folder = package("wrong", TAKES_PART, text);
        let cache = folder.join("target/cspec/cache");
        is_always_the_same(name, &folder, &[], &cache);
    }
}

#[test]
fn the_reference_workspaces_say_the_same_in_every_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for package in ["tso", "cmail"] {
        let with = |words: &[&str]| written(&root, &[&["-p", package], words].concat());
        let fresh = with(&["--no-cache", "-j", "1"]);
        assert_eq!(with(&["--no-cache", "-j", "4"]), fresh, "{package}: 4 threads");
        // A separate cache: empty for the first format, full for the second.
        let own = Folder::new();
        let target = own.to_str().expect("a name in UTF-8");
        assert_eq!(with(&["--target-dir", target, "-j", "2"]), fresh, "{package}: with a cache that is empty");
        let cache = own.join("cspec/cache");
        let all = entries(&cache);
        for (number, entry) in all.iter().enumerate() {
            if number % 2 == 0 {
                fs::remove_file(entry).expect("an entry can be removed");
            }
        }
        assert!(all.len() > 100, "{package}: {} results are kept", all.len());
        assert_eq!(with(&["--target-dir", target, "-j", "3"]), fresh, "{package}: with a cache that knows half");
    }
}
