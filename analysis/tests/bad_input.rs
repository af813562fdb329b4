//! Wrong input: each mistake gives one clear finding at its place, hides no other finding, and never causes a pass, a panic or a hang.

mod findings;

use std::time::{Duration, Instant};

use cspec_analysis::{report::Options, verdict::Scope};
use findings::{Checked, check, check_with, run};

/// Checks a source with the default scope, within a few seconds.
#[track_caller]
fn check_soon(source: &str) -> Checked {
    let started = Instant::now();
    let checked = check(source);
    assert!(started.elapsed() < Duration::from_secs(10), "took {:?}", started.elapsed());
    checked
}

/// A layer with one operation of this body.
fn with_operation(body: &str) -> String {
    format!(
        "
        #[scalar]
        pub struct Name(u64);

        #[state]
        pub struct State {{ pub count: u64, pub log: Seq<u64>, pub names: Set<Name> }}

        #[layer]
        impl Layer for State {{
            #[op]
            fn run(&mut self, me: Pid) {{
{body}
            }}
        }}
        "
    )
}

// The source.

/// A syntax error in one function does not hide findings about the next.
#[test]
fn a_syntax_error_hides_nothing_else() {
    let checked = check_soon(
        "
        #[state]
        pub struct Light { pub on: bool }

        #[layer]
        impl Switch for Light {
            #[op]
            fn broken(&mut self, me: Pid) { self.on = ; }
            //                                        ^ CS0101
            #[op(right)]
            //   ^^^^^ CS0301 right-mover / off
            fn on(&mut self, me: Pid) { self.on = true; }
            #[op]
            fn off(&mut self, me: Pid) { self.on = false; }
        }
        ",
    );
    assert!(checked.failed().all(|it| it.name.operation == "on"));
}

/// A construct outside the language is reported at its place; the operation next to it is checked.
#[test]
fn an_unsupported_construct_is_named() {
    check_soon(
        "
        #[state]
        pub struct Light { pub on: bool }

        #[layer]
        impl Switch for Light {
            #[op]
            fn strange(&mut self, me: Pid) { self.on = async { true }; }
            //                                         ^^^^^^^^^^^^^^ CS0102
            #[op(right)]
            //   ^^^^^ CS0301 right-mover / off
            fn on(&mut self, me: Pid) { self.on = true; }
            #[op]
            fn off(&mut self, me: Pid) { self.on = false; }
        }
        ",
    );
}

/// Nothing to check does not mean success: there is no outcome that could be taken for one.
#[test]
fn a_package_without_layers_owes_nothing() {
    for text in ["", "\n\n", "pub fn f() {}"] {
        let checked = run(&[("lib.rs".to_owned(), text.to_owned())], &Options::default());
        assert!(checked.outcomes.is_empty());
    }
    assert!(run(&[], &Options::default()).outcomes.is_empty());
}

// Exploration without end.

/// The same loop with a collection, written with `repeat`.
#[test]
fn a_collection_that_grows_without_bound_is_undecided() {
    check_soon(&with_operation(
        "                repeat(self, |state| state.log.push(1));
            //  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0903 no-panic",
    ));
}

/// A loop with an empty body.
#[test]
fn an_empty_loop_is_undecided() {
    check_soon(&with_operation(
        "                loop {}
            //  ^^^^^^^ CS0903 no-panic",
    ));
}

/// A loop that returns to an earlier state ends, so the operation is decided.
#[test]
fn a_loop_through_states_seen_before_ends() {
    let checked = check_soon(&with_operation(
        "                while maybe() { let name: Name = any(); self.names.insert(name); }",
    ));
    assert!(checked.failed().next().is_none());
}

/// The budget is a limit: when it is used up, the obligation is undecided, and the finding says so.
#[test]
fn a_budget_that_runs_out_is_undecided() {
    let options = Options { scope: Scope { budget: 20, ..Scope::default() }, ..Options::default() };
    check_with(
        "
        #[state]
        pub struct State { pub count: u64, pub log: Seq<u64> }

        #[layer]
        impl Layer for State {
            #[op]
            fn run(&mut self, me: Pid) { let mut sum: u64 = 0; for it in self.log.iter() { sum = sum.max(*it); } self.count = sum; }
            // ^^^ CS0901 no-panic
        }
        ",
        &options,
    );
}
