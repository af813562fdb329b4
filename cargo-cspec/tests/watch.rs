//! Tests of `check --watch`: what is printed after an edit, and how the command ends.

#![cfg(unix)]

mod support;

use std::{
    io::{BufRead as _, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use support::{TAKES_PART, command, cspec, package, status, stderr};

const COUNTER: &str = include_str!("counter/lib.rs");

/// A running `check --watch`. If it fails to print, the test waits for ever instead of passing.
struct Watch {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    fn start(folder: &Path, arguments: &[&str]) -> Watch {
        let mut command = command(folder, &[&["check", "--watch"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Watch { child, lines }
    }

    /// The output up to the point where it waits.
    fn run(&mut self) -> String {
        let lines = self.lines.by_ref().map(|it| it.expect("the output is UTF-8") + "\n");
        let mut text = String::new();
        for line in lines {
            text += &line;
            if line.starts_with("Waiting for changes") {
                return text;
            }
        }
        panic!("it ended: {text}");
    }

    /// Ends it with Ctrl-C. Returns its status, and the output since it last waited.
    fn interrupt(mut self) -> (Option<i32>, String) {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(sent.expect("there is `kill`").success());
        let rest: String = self.lines.by_ref().map(|it| it.expect("the output is UTF-8") + "\n").collect();
        (self.child.wait().expect("it ends").code(), rest)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It has ended already, unless a test failed.
        let _ = self.child.kill();
    }
}

#[test]
fn an_edit_checks_what_it_affects() {
    let counter = package("counter", TAKES_PART, COUNTER);
    let mut watch = Watch::start(&counter, &["--no-cache"]);
    let first = watch.run();
    assert!(first.contains("\nall 50 obligations were explored\nWaiting"), "{first}");

    counter.write("src/lib.rs", COUNTER.replace("        self.value = value;", "        self.value = 0;"));
    let broken = watch.run();
    assert!(broken.contains("\nfailed: "), "{broken}");
    assert!(broken.contains("src/lib.rs: ") && broken.contains(", the others were already known"), "{broken}");

    counter.write("src/lib.rs", format!("// A comment.\n{COUNTER}"));
    let mended = watch.run();
    assert!(
        mended.contains("\npassed: ") && mended.contains("src/lib.rs: all 50 obligations were already known"),
        "{mended}"
    );

    // Saving without a change is not an edit: nothing more is printed.
    counter.write("src/lib.rs", format!("// A comment.\n{COUNTER}"));
    counter.write("src/notes.txt", "no source");
    assert_eq!(watch.interrupt(), (Some(130), String::new()));
}

#[test]
fn modules_come_and_go_and_manifests_may_be_wrong_for_a_while() {
    let counter = package("counter", TAKES_PART, COUNTER);
    let mut watch = Watch::start(&counter, &[]);
    watch.run();
    counter.write("src/lib.rs", format!("{COUNTER}\nmod more;\n"));
    assert!(watch.run().contains("more"), "the module is missed");
    counter.write("src/more/mod.rs", "");
    let passed = watch.run();
    assert!(passed.contains("\npassed: ") && passed.contains("src/more/mod.rs: "), "{passed}");

    std::fs::remove_dir_all(counter.join("src/more")).expect("it can be removed");
    assert!(watch.run().contains("more"), "the module is missed");
    counter.write("src/more/mod.rs", "");
    watch.run();

    let manifest = std::fs::read_to_string(counter.join("Cargo.toml")).expect("it is there");
    counter.write("Cargo.toml", "[package");
    assert!(watch.run().starts_with("Cargo.toml\nWaiting"));
    counter.write("Cargo.toml", manifest);
    assert!(watch.run().contains("\npassed: "));
    assert_eq!(watch.interrupt().0, Some(130));
}

#[test]
fn formats_of_one_document_are_refused() {
    let counter = package("counter", TAKES_PART, COUNTER);
    let output = cspec(&counter, &["check", "--watch", "--message-format", "sarif"]);
    assert_eq!(status(&output), Some(2));
    assert!(stderr(&output).contains("which is not possible with `sarif`"), "{}", stderr(&output));
}
