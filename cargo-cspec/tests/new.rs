//! Tests of `cargo cspec new` and `init`: outside this repository, and with cargo for building and running the package.

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use expect_test::expect;
use support::{Folder, cspec, package, status, stderr, stdout};

/// Runs cargo in a folder. The builds are kept for the next test; the dependencies have been downloaded for this workspace.
fn cargo(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).arg("--offline").current_dir(folder);
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("new"));
    command.output().expect("cargo starts")
}

/// Uncomments the mistake in the example.
fn make_the_mistake(folder: &Path) {
    let path = folder.join("src/layers.rs");
    let text = fs::read_to_string(&path).expect("the example is there");
    let line = "        // lo.release();\n";
    assert_eq!(text.matches(line).count(), 1, "{text}");
    fs::write(&path, text.replace(line, "        lo.release();\n")).expect("a file can be written");
}

#[test]
fn a_new_package_checks_and_runs_and_its_mistake_is_found() {
    let here = Folder::new();
    let output = cspec(&here, &["new", "demo", "--vcs", "none"]);
    assert_eq!((status(&output), stderr(&output)), (Some(0), ""));
    let told = stdout(&output);
    assert!(told.contains("cd demo\n") && told.contains("cargo cspec check"), "{told}");
    let layers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../layers").canonicalize().expect("it is there");
    assert!(told.contains(&format!("the crate `cspec` in {}.", layers.display())), "{told}");

    let demo = here.join("demo");
    let output = cspec(&demo, &["check", "-q"]);
    assert_eq!((status(&output), stdout(&output), stderr(&output)), (Some(0), "", ""));
    let output = cargo(&demo, &["run", "--quiet"]);
    assert_eq!(stdout(&output), "4 threads counted to 40000 of 40000\n", "{}", stderr(&output));
    let output = cargo(&demo, &["test", "--quiet"]);
    assert!(stdout(&output).contains("test result: ok. 2 passed"), "{}{}", stdout(&output), stderr(&output));

    make_the_mistake(&demo);
    let output = cspec(&demo, &["check", "--message-format", "short"]);
    assert_eq!(status(&output), Some(1));
    expect![[r#"
        src/layers.rs:77:9: error[CS0401]: `CriticalSection::inc` calls `write` where the rules of `Lock` do not allow it
        src/layers.rs:72:8: error[CS0307]: the procedure of `inc` can do what `Counter::inc` does not allow
        failed: 2 violated, 3 checked to scope, 38 proved
    "#]]
    .assert_eq(stdout(&output));
}

#[test]
fn the_example_is_formatted_and_has_no_warnings() {
    let here = Folder::new();
    let output = cspec(&here, &["new", "demo", "-q", "--vcs", "none"]);
    assert_eq!((status(&output), stdout(&output)), (Some(0), ""));
    let demo = here.join("demo");
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--check", "--edition", "2024", "src/main.rs"]).current_dir(&demo);
    let output = rustfmt.output().expect("rustfmt starts");
    assert!(output.status.success(), "{}", stdout(&output));
    let output = cargo(&demo, &["build"]);
    assert!(output.status.success() && !stderr(&output).contains("warning"), "{}", stderr(&output));
}

#[test]
fn init_starts_in_a_folder_that_is_there() {
    let here = Folder::new();
    let output = cspec(&here, &["init", "--name", "demo", "--vcs", "none"]);
    assert_eq!((status(&output), stderr(&output)), (Some(0), ""));
    assert!(!stdout(&output).contains("cd "), "{}", stdout(&output));
    let output = cspec(&here, &["check", "-q"]);
    assert_eq!((status(&output), stdout(&output)), (Some(0), ""));
}

#[test]
fn nothing_is_written_over() {
    let here = package("plain", "", "");
    let before = fs::read_to_string(here.join("Cargo.toml")).expect("it is there");
    let output = cspec(&here, &["init"]);
    assert_eq!(status(&output), Some(2));
    let told = stderr(&output);
    assert!(told.contains("there is a package in . already"), "{told}");
    assert!(told.contains("[package.metadata.cspec]") && told.contains("cspec = { path = "), "{told}");
    assert_eq!(fs::read_to_string(here.join("Cargo.toml")).expect("it is there"), before);

    let output = cspec(&here, &["new", "src"]);
    assert_eq!(status(&output), Some(2));
    assert!(stderr(&output).contains("`cargo cspec init src` starts in an existing folder"), "{}", stderr(&output));

    let here = Folder::new();
    here.write("src/main.rs", "fn main() {}\n");
    let output = cspec(&here, &["init", "--name", "demo"]);
    assert_eq!(status(&output), Some(2));
    assert!(stderr(&output).contains("src/main.rs exists already"), "{}", stderr(&output));
}

#[test]
fn cargo_has_the_last_word_on_names() {
    let here = Folder::new();
    let output = cspec(&here, &["new", "1st"]);
    assert_eq!(status(&output), Some(2));
    assert!(stderr(&output).starts_with("error: invalid character `1` in package name: `1st`"), "{}", stderr(&output));
    let output = cspec(&here, &["new", "demo", "--cspec-path", "nowhere"]);
    assert_eq!(status(&output), Some(2));
    assert!(stderr(&output).contains("the crate `cspec` is not in nowhere"), "{}", stderr(&output));
    assert!(!here.join("demo").exists());
}
