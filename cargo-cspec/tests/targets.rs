//! Tests which targets of a package are read, and how findings are reported when targets share modules or names.

mod support;

use support::{Folder, TAKES_PART, cspec, package, status, stdout};

/// A counter under a lock. All its obligations hold.
const COUNTER: &str = include_str!("counter/lib.rs");

/// The counter with `read` before `acquire` and with other names; it has a `main` function.
fn wrong() -> String {
    let (right, wrong) = (
        "        lo.acquire();\n        let seen = lo.read();\n",
        "        let seen = lo.read();\n        lo.acquire();\n",
    );
    assert!(COUNTER.contains(right), "the counter has other lines");
    format!("{}\nfn main() {{}}\n", COUNTER.replacen(right, wrong, 1))
}

fn lines(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let output = cspec(folder, &[&["check", "--message-format", "short"], arguments].concat());
    (status(&output), stdout(&output).to_owned())
}

#[test]
fn every_binary_is_read() {
    let folder = Folder::new();
    let manifest = "[package]\nname = \"two\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    folder.write("Cargo.toml", format!("{manifest}{TAKES_PART}[workspace]\n"));
    folder.write("src/bin/good.rs", format!("{COUNTER}\nfn main() {{}}\n"));
    folder.write("src/bin/wrong.rs", wrong());
    let (status, told) = lines(&folder, &[]);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("src/bin/wrong.rs:") && !told.contains("src/bin/good.rs:"), "{told}");
    assert_eq!(lines(&folder, &["--bin", "good"]).0, Some(0));
    let named = cspec(&folder, &["check", "--color", "never"]);
    assert!(stdout(&named).contains("two (bin good): 50 obligations"), "{}", stdout(&named));
}

#[test]
fn layers_in_a_target_that_is_not_read_are_named() {
    let folder = package("many", TAKES_PART, COUNTER);
    folder.write("src/main.rs", "fn main() {}");
    folder.write("examples/shown.rs", wrong());
    folder.write("tests/plain.rs", "#[test] fn nothing() {}");
    let (status, told) = lines(&folder, &[]);
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("warning[CS0003]: the layers in `examples/shown.rs` are not checked"), "{told}");
    assert!(!told.contains("tests/plain.rs") && !told.contains("main.rs"), "{told}");
    // With an explicit choice of targets there is no warning about the others.
    let (status, told) = lines(&folder, &["--lib"]);
    assert!(status == Some(0) && !told.contains("CS0003"), "{told}");
    for flags in [&["--examples"][..], &["--example", "sh*"], &["--all-targets"]] {
        let (status, told) = lines(&folder, flags);
        assert!(status == Some(1) && told.contains("examples/shown.rs:"), "{flags:?}: {told}");
    }
    let (status, _) = lines(&folder, &["--test", "other"]);
    assert_eq!(status, Some(2));
}

/// A module of two targets is part of two crates but is one text: a finding in it is reported once.
#[test]
fn what_two_targets_have_in_common_is_told_once() {
    let folder = package("shared", TAKES_PART, "pub mod layers;");
    folder.write("src/layers.rs", wrong().replace("fn main() {}", ""));
    folder.write("src/main.rs", "mod layers;\n\nfn main() {}");
    let (status, told) = lines(&folder, &[]);
    assert_eq!(status, Some(1), "{told}");
    let (only, alone) = lines(&folder, &["--lib"]);
    assert_eq!((only, &alone), (Some(1), &told));
    // The binary alone has the same findings.
    assert_eq!(lines(&folder, &["--bins"]), (Some(1), told));
}

/// A package in which only the binary has layers is checked; one without layers in any target is an error.
#[test]
fn a_package_is_without_layers_if_all_its_targets_are() {
    let folder = package("library", TAKES_PART, "pub fn plain() {}");
    folder.write("src/main.rs", format!("{COUNTER}\nfn main() {{}}\n"));
    let (status, told) = lines(&folder, &[]);
    assert!(status == Some(0) && !told.contains("CS0002"), "{told}");
    folder.write("src/main.rs", "fn main() {}");
    let (status, told) = lines(&folder, &[]);
    assert_eq!((status, told.matches("CS0002").count()), (Some(2), 1), "{told}");
}
