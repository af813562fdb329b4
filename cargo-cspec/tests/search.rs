//! Tests of `cargo cspec search`: outcomes, lines for `replay`, and `cspec::search!` in the tests of a user's crate.

mod support;

use std::process::Command;

use support::{Folder, cspec, depends_on_cspec, package, status, stderr, stdout};

/// A counter that is incremented in one step, or in two.
fn counter(incremented: &str) -> String {
    COUNTER.replace("INCREMENTED", incremented)
}

const RIGHT: &str = "lo.add()";
const WRONG: &str = "let seen = lo.read(); lo.write(seen + 1); seen";

const COUNTER: &str = "
use cspec::prelude::*;

#[state]
pub struct Cell { pub value: u64 }

#[layer]
impl Low for Cell {
    #[init] fn zero(&self) -> bool { self.value == 0 }
    #[op] fn read(&mut self, me: Pid) -> u64 { self.value }
    #[op] fn write(&mut self, me: Pid, value: u64) { self.value = value; }
    #[op] fn add(&mut self, me: Pid) -> u64 { self.value += 1; self.value - 1 }
    #[op(external)] fn print(&mut self, me: Pid, value: u64) { external() }
}

#[layer(inherit(Low: init, print))]
impl High for Cell {
    #[op] fn inc(&mut self, me: Pid) -> u64 { self.value += 1; self.value - 1 }
}

#[implement(High, over = Low, by = movers, pass(print))]
impl Counting {
    fn inc(lo: &mut impl Low) -> u64 { INCREMENTED }
}

#[stack]
pub type Counter<L> = Counting<L>;

#[client(Counter, processes(2))]
pub fn increments(process: u64, top: &mut impl High) {
    let seen = top.inc();
    top.print(seen);
}

#[cfg(test)]
mod tests {
    #[test]
    fn increments_are_counted() {
        cspec::search!(super::increments);
    }
}
";

fn with_counter(incremented: &str) -> Folder {
    package("demo", &depends_on_cspec("cspec"), counter(incremented))
}

/// The line for `replay` that a text ends with.
fn line(text: &str) -> String {
    let found = text.lines().find_map(|it| it.trim().split("cargo cspec replay ").nth(1).map(str::to_owned));
    found.unwrap_or_else(|| panic!("no line: {text}"))
}

#[test]
fn the_run_of_a_finding_is_made_again_from_one_line() {
    let folder = with_counter(WRONG);
    let output = cspec(&folder, &["search", "--no-cache"]);
    assert_eq!(status(&output), Some(1), "{}", stderr(&output));
    let line = line(stdout(&output));
    assert!(line.len() < 80 && line.is_ascii(), "{line}");

    let output = cspec(&folder, &["replay", &line]);
    let told = stdout(&output);
    assert_eq!(status(&output), Some(1), "{told}{}", stderr(&output));
    assert!(told.contains("it still goes wrong") && told.contains("p1: print(0)"), "{told}");

    // The finding in JSON has the same line.
    let output = cspec(&folder, &["search", "--no-cache", "--message-format", "json"]);
    assert!(stdout(&output).contains(&format!("\"replay\":\"{line}\"")), "{}", stdout(&output));

    // Other code takes other steps.
    folder.write("src/lib.rs", counter(RIGHT));
    let output = cspec(&folder, &["replay", &line]);
    assert_eq!((status(&output), stdout(&output)), (Some(2), ""));
    assert!(stderr(&output).contains("does not fit the code any more"), "{}", stderr(&output));

    // The same steps, and what was wrong is right.
    let twice = "    #[op] fn inc(&mut self, me: Pid) -> u64 { let seen: u64 = any(); when(seen <= self.value); self.value = any(); seen }\n}\n\n#[implement";
    let inc = "    #[op] fn inc(&mut self, me: Pid) -> u64 { self.value += 1; self.value - 1 }\n}\n\n#[implement";
    let text = counter(WRONG);
    assert_eq!(text.matches(inc).count(), 1);
    folder.write("src/lib.rs", text.replace(inc, twice));
    let output = cspec(&folder, &["replay", &line]);
    assert_eq!(status(&output), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("nothing is wrong with it any more"), "{}", stdout(&output));

    // The client has another name.
    folder.write("src/lib.rs", counter(WRONG).replace("increments", "adds"));
    let output = cspec(&folder, &["replay", &line]);
    assert_eq!(status(&output), Some(2));
    assert!(stderr(&output).contains("the client `increments` of `Counter`"), "{}", stderr(&output));
}

#[test]
fn a_line_that_is_none_is_refused() {
    let folder = with_counter(RIGHT);
    for (line, why) in [
        ("cs1/Counter.increments/2/p2e1i1s2/0000/t", "6 parts"),
        ("cs2/Counter.increments/2/p2e1i1s2/0000/t/0", "format `cs2`"),
        ("cs1/Counter.increments/2/p2e1i1s2/0000/x/0", "how the run ends"),
        ("cs1/Counter.increments/2/p2e1i1s2/zzzz/t/0", "no digest"),
        ("cs1/Counter.increments/2/p2e1/0000/t/0", "no bounds"),
        ("cs1/Counter.increments/2/p2e1i1s2/0000/t/0x99999999999", "a step"),
        ("cs1/Counter.increments/2/p2e1i1s2/0000/t/7", "p7 has no step"),
        ("cs1/Counter.increments/3/p3e1i1s2/0000/t/0", "with 3 processes"),
        ("cs1/Counter.increments/2/p2e1i1s2/0000/t/0x3", "p0 has no step"),
    ] {
        let output = cspec(&folder, &["replay", line]);
        assert_eq!((status(&output), stdout(&output)), (Some(2), ""), "{line}");
        assert!(stderr(&output).contains(why), "{line}: {}", stderr(&output));
    }
}

#[test]
fn outcomes_are_listed_and_each_has_a_run() {
    let folder = with_counter(WRONG);
    let output = cspec(&folder, &["search", "--outcomes", "increments"]);
    let told = stdout(&output);
    assert_eq!(status(&output), Some(0), "{}", stderr(&output));
    let outcomes: Vec<&str> = told.lines().filter(|it| it.contains("  |  ")).map(str::trim).collect();
    assert_eq!(
        outcomes,
        ["p0: print(0)  |  p1: print(0)", "p0: print(0)  |  p1: print(1)", "p0: print(1)  |  p1: print(0)",]
    );
    assert!(told.contains("3 outcomes, and no others within"), "{told}");
    for line in told.lines().filter_map(|it| it.trim().strip_prefix("cargo cspec replay ")) {
        let output = cspec(&folder, &["replay", line]);
        assert_eq!(status(&output), Some(0), "{line}: {}", stderr(&output));
    }
    // One step: one of them is gone.
    folder.write("src/lib.rs", counter(RIGHT));
    let output = cspec(&folder, &["search", "--outcomes", "--message-format", "json"]);
    let told: serde_json::Value = serde_json::from_str(stdout(&output)).expect("one object");
    let shown: Vec<&serde_json::Value> =
        told["outcomes"].as_array().expect("a list").iter().map(|it| &it["shown"]).collect();
    assert_eq!(
        serde_json::json!(shown),
        serde_json::json!([[["print(0)"], ["print(1)"]], [["print(1)"], ["print(0)"]]])
    );
    assert_eq!((&told["complete"], &told["processes"]), (&serde_json::json!(true), &serde_json::json!(2)));
}

#[test]
fn a_listing_that_was_cut_says_so() {
    let folder = with_counter(WRONG);
    let output = cspec(&folder, &["search", "--outcomes", "--scope", "budget=120"]);
    assert_eq!(status(&output), Some(3), "{}", stdout(&output));
    assert!(stdout(&output).contains("There may be more: the budget of 120 steps ran out"), "{}", stdout(&output));
    let folder = package("demo", &depends_on_cspec("cspec"), "pub fn nothing() {}");
    let output = cspec(&folder, &["search", "--outcomes"]);
    assert_eq!(status(&output), Some(2), "{}", stdout(&output));
}

/// Runs the tests of a package with the command that is tested here.
fn tests_of(folder: &Folder, command: &str) -> std::process::Output {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--offline", "--lib"]).current_dir(&**folder).env("CARGO_CSPEC", command);
    cargo.env("CARGO_TARGET_DIR", std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("new"));
    cargo.output().expect("cargo starts")
}

#[test]
fn a_test_of_the_users_crate_searches_a_client() {
    let command = env!("CARGO_BIN_EXE_cargo-cspec");
    let folder = with_counter(RIGHT);
    let output = tests_of(&folder, command);
    assert!(stdout(&output).contains("1 passed"), "{}{}", stdout(&output), stderr(&output));
    // Without the command, nothing was searched, so nothing passes.
    let output = tests_of(&folder, "/no/such/command");
    let told = stdout(&output);
    assert!(told.contains("1 failed") && told.contains("nothing was searched"), "{told}{}", stderr(&output));

    folder.write("src/lib.rs", counter(WRONG));
    let output = tests_of(&folder, command);
    let told = stdout(&output);
    assert!(told.contains("1 failed") && told.contains("error[CS0801]"), "{told}{}", stderr(&output));
    let output = cspec(&folder, &["replay", &line(told)]);
    assert_eq!(status(&output), Some(1), "{}", stderr(&output));
}

/// The same counter, by the search alone.
fn by_search(incremented: &str) -> Folder {
    let text = counter(incremented).replace("by = movers", "by = search");
    package("demo", &depends_on_cspec("cspec"), text)
}

#[test]
fn an_implementation_by_search_is_searched_and_never_proved() {
    let folder = by_search("let seen = lo.add(); lo.read(); seen");
    let output = cspec(&folder, &["check", "--no-cache"]);
    let told = stdout(&output);
    assert_eq!(status(&output), Some(0), "{told}{}", stderr(&output));
    let line =
        |name: &str| told.lines().find(|it| it.trim().starts_with(name)).unwrap_or_else(|| panic!("{name}: {told}"));
    assert!(line("Counting").contains("searched   2 searched") && !line("Counting").contains("proved"), "{told}");
    assert!(line("Counter").contains("searched   1 searched"), "{told}");
    let runs = line("searched, not proved: Counting");
    for run in ["client `increments`", "2 processes", "3 processes", "programs", "all programs of"] {
        assert!(runs.contains(run), "{run}: {runs}");
    }
    assert!(line("searched, not proved: Counter").contains("`Counting` is only searched"), "{told}");
    assert!(told.contains("passed: 3 searched, "), "{told}");

    let output = cspec(&folder, &["check", "--no-cache", "--message-format", "json"]);
    let objects = stdout(&output).lines().map(|it| serde_json::from_str::<serde_json::Value>(it).expect("JSON"));
    let objects: Vec<_> = objects.collect();
    let of = |name: &str| -> Vec<&str> {
        let is_it =
            |it: &&serde_json::Value| it["implementation"] == name || it["kind"] == "links" && it["operation"] == name;
        objects.iter().filter(is_it).filter_map(|it| it["verdict"].as_str()).collect()
    };
    assert_eq!(of("Counting"), ["searched", "searched"]);
    assert!(of("Counter").contains(&"searched"));
    assert_eq!(objects.last().expect("the end")["searched"], 3);
}

#[test]
fn a_wrong_implementation_by_search_is_violated() {
    let folder = by_search(WRONG);
    let output = cspec(&folder, &["check", "--no-cache"]);
    let told = stdout(&output);
    assert_eq!(status(&output), Some(1), "{told}{}", stderr(&output));
    assert!(told.contains("error[CS0801]") && told.contains("2 violated"), "{told}");
    // The runs of a client, and of a program over the implementation alone.
    for line in told.lines().filter_map(|it| it.trim().strip_prefix("replay: cargo cspec replay ")) {
        let output = cspec(&folder, &["replay", line]);
        assert_eq!(status(&output), Some(1), "{line}: {}", stderr(&output));
    }
    // A budget that runs out is no success.
    let output = cspec(&by_search(RIGHT), &["check", "--no-cache", "--scope", "budget=40"]);
    assert_eq!(status(&output), Some(3), "{}", stdout(&output));
}
