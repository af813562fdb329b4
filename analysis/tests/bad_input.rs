//! Input that is wrong: each mistake gets one clear finding at its place, hides nothing else, and is never a pass, a panic or a hang.

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

/// A syntax error in one function does not silence what is said about the next.
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

/// A construct outside the language is named where it stands; the operation next to it is checked.
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

/// A name that is not there.
#[test]
fn an_unknown_name_is_named() {
    check_soon(&with_operation(
        "                self.count = self.cuont;
                //                ^^^^^ CS0103",
    ));
}

/// A type that does not fit.
#[test]
fn a_type_error_is_shown_at_the_expression() {
    check_soon(&with_operation(
        "                self.count = true;
                //           ^^^^ CS0104",
    ));
}

/// An operation that nothing implements.
#[test]
fn a_missing_procedure_is_shown_at_the_implementation() {
    check_soon(
        "
        #[state]
        pub struct Light { pub on: bool }

        #[layer]
        impl Lower for Light {
            #[op]
            fn on(&mut self, me: Pid) { self.on = true; }
        }

        #[layer]
        impl Upper for Light {
            #[op]
            fn on(&mut self, me: Pid) { self.on = true; }
            #[op]
            fn off(&mut self, me: Pid) { self.on = false; }
        }

        #[implement(Upper, over = Lower, by = movers, pass(on))]
        impl Half {}
        //   ^^^^ CS0201
        ",
    );
}

/// A layer, or an operation of a layer, that is not there.
#[test]
fn unknown_layers_and_operations_are_named() {
    check_soon(
        "
        #[state]
        pub struct Light { pub on: bool }

        #[layer]
        impl Lower for Light {
            #[op]
            fn on(&mut self, me: Pid) { self.on = true; }
        }

        #[layer(inherit(Lower: of))]
        //                     ^^ CS0202
        impl Upper for Light {
            #[op]
            fn on(&mut self, me: Pid) { self.on = true; }
        }

        #[implement(Upper, over = Lowest, by = movers, pass(on))]
        //                        ^^^^^^ CS0202
        impl Same {}
        ",
    );
}

/// Nothing to check is not a pass: there is no outcome that could be taken for one.
#[test]
fn a_package_without_layers_owes_nothing() {
    for text in ["", "\n\n", "pub fn f() {}"] {
        let checked = run(&[("lib.rs".to_owned(), text.to_owned())], &Options::default());
        assert!(checked.outcomes.is_empty());
    }
    assert!(run(&[], &Options::default()).outcomes.is_empty());
}

// Exploration without end.

/// A state that grows in every turn: no turn is like one before.
#[test]
fn a_number_that_grows_without_bound_is_undecided() {
    check_soon(&with_operation(
        "                while maybe() {
            //  ^^^^^^^^^^^^^^^ CS0903 no-panic
                    self.count = self.count.saturating_add(1);
                }",
    ));
}

/// The same with a collection, and written with `repeat`.
#[test]
fn a_collection_that_grows_without_bound_is_undecided() {
    check_soon(&with_operation(
        "                repeat(self, |state| state.log.push(1));
            //  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0903 no-panic",
    ));
}

/// Unknown values that are added in every turn.
#[test]
fn unknown_values_without_end_are_undecided() {
    check_soon(&with_operation(
        "                while maybe() {
            //  ^^^^^^^^^^^^^^^ CS0903 no-panic
                    self.log.push(any());
                }",
    ));
}

/// A loop that changes something in every turn and has no way out.
#[test]
fn a_loop_that_never_ends_is_undecided() {
    check_soon(&with_operation(
        "                loop {
            //  ^^^^^^ CS0903 no-panic
                    self.log.push(1);
                }",
    ));
}

/// A loop without anything in it.
#[test]
fn an_empty_loop_is_undecided() {
    check_soon(&with_operation(
        "                loop {}
            //  ^^^^^^^ CS0903 no-panic",
    ));
}

/// A function that calls itself for ever.
#[test]
fn endless_recursion_is_found() {
    check_soon(
        "
        #[state]
        pub struct State { pub count: u64 }

        fn deeper(n: u64) -> u64 { deeper(n) }
        //                         ^^^^^^^^^ CS0903 no-panic

        #[layer]
        impl Layer for State {
            #[op]
            fn run(&mut self, me: Pid) { self.count = deeper(self.count); }
        }
        ",
    );
}

/// A loop that comes back to where it was ends: then the operation is decided.
#[test]
fn a_loop_through_states_seen_before_ends() {
    let checked = check_soon(&with_operation(
        "                while maybe() { let name: Name = any(); self.names.insert(name); }",
    ));
    assert!(checked.failed().next().is_none());
}

/// The budget is a limit: when it is used up the obligation is undecided, and says so.
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
