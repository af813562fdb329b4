//! The engine reads the program that rustc compiles: which code is excluded, and which macros and files are meant.

mod findings;

use cspec_analysis::db::lower_sources;
use cspec_oracle::generate::{Pattern, case, disguised};
use fastrand::Rng;
use findings::check;

/// Code that is not compiled, conditional attributes, and names that are shadowed elsewhere do not change a program.
#[test]
fn a_disguised_package_is_the_same_program() {
    for pattern in Pattern::ALL {
        for seed in 0..40 {
            let plain = case(pattern, seed).source;
            let other = disguised(&plain, &mut Rng::with_seed(seed));
            let (plain, read) = (lower_sources(&[("lib.rs", &plain)]), lower_sources(&[("lib.rs", &other)]));
            assert_eq!(plain.diagnostics.len(), read.diagnostics.len(), "{other}\n{:?}", read.diagnostics);
            assert_eq!(plain.program, read.program, "{other}");
        }
    }
}

/// A package with this body of an operation, and these items.
fn package(items: &str, body: &str) -> String {
    format!(
        "use cspec::prelude::*;\n#[state]\npub struct Cell {{ pub value: u64 }}\n{items}\n#[layer]\nimpl Raw for Cell {{\n    #[op]\n    fn set(&mut self, me: Pid, to: u64) {{\n{body}\n    }}\n}}\n"
    )
}

#[track_caller]
fn check_macro(items: &str, body: &str) {
    check(&package(items, body));
}

const LANGUAGE: &str = "self.value = 1; assert!(self.value == 1);";

#[test]
fn a_macro_is_known_to_the_text_after_it() {
    let refused = "self.value = 1; assert!(self.value == 1);\n//              ^^^^^^^^^^^^^^^^^^^^^^^^ CS0106";
    check_macro("macro_rules! assert { ($it:expr) => {} }", refused);
    check_macro("#[macro_use] mod macros { macro_rules! assert { ($it:expr) => {} } }", refused);
    check_macro("mod macros { macro_rules! assert { ($it:expr) => {} } }", LANGUAGE);
    check_macro("mod macros { #[macro_export] macro_rules! assert { ($it:expr) => {} } }", refused);
    check_macro("#[cfg(any())] macro_rules! assert { ($it:expr) => {} }", LANGUAGE);
    check_macro("fn other() { macro_rules! assert { ($it:expr) => {} } }", LANGUAGE);
    let mut after = package("", LANGUAGE);
    after.push_str("macro_rules! assert { ($it:expr) => {} }\n");
    check(&after);
    let outside = format!("macro_rules! assert {{ ($it:expr) => {{}} }}\nmod inside {{\n{}}}\n", package("", refused));
    check(&outside);
}

#[test]
fn use_brings_in_macros() {
    let refused = "self.value = 1; assert!(self.value == 1);\n//              ^^^^^^^^^^^^^^^^^^^^^^^^ CS0106";
    check_macro("use other::assert;", refused);
    check_macro("use other::prelude::*;", refused);
    check_macro("use std::assert;", LANGUAGE);
    check_macro("use std::collections::*;", LANGUAGE);
    check_macro("#[macro_use] extern crate other;", refused);
    check_macro("use other::prelude::*;", "self.value = 1; std::assert!(self.value == 1);");
    check_macro("mod kinds { pub fn assert() {} }\nuse kinds::assert;", LANGUAGE);
    let renamed =
        "mod macros { macro_rules! check { ($it:expr) => {} } pub(crate) use check; }\nuse macros::check as assert;";
    check_macro(renamed, refused);
}

#[test]
fn a_condition_in_code_is_evaluated() {
    check_macro("", "if cfg!(test) { unreachable!() } self.value = to;");
    check_macro("", "assert!(!cfg!(any(windows, feature = \"fast\")));");
    check_macro("", "if cfg!(a b) { }\n// ^^^^^^^^^ CS0105");
    check_macro("", "assert!({ #[cfg(test)] let x = 1; to == 1 });\n//          ^^^^^^^^^ CS0102");
}

#[test]
fn an_attribute_may_be_a_macro() {
    let op = |attribute: &str| {
        format!("self.help(to); }} }}\nimpl Cell {{ {attribute}\nfn help(&mut self, to: u64) {{ self.value = to;")
    };
    for harmless in ["#[inline]", "#[allow(unused)]", "#[tracing::instrument(skip_all)]", "#[clippy::msrv = \"1\"]"] {
        check_macro("", &op(harmless));
    }
    check_macro("use tracing::instrument;", &op("#[instrument]"));
    check_macro(
        "use other::instrument;",
        &op("#[instrument]\n//                ^^^^^^^^^^ CS0106").replace("{ #[", "{\n                #["),
    );
    check_macro(
        "#[derive(Clone)] #[serde(rename_all = \"x\")] pub struct Other { #[serde(skip)] pub x: u64 }",
        "let o = Other { x: 1 };",
    );
}
