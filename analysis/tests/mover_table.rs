//! The mover types of the x86-TSO counter's operations: the table of the original, for the raw lock and its rules (nilpotent, unchanged,
//! and restricted), and the facts that the table depends on.

mod findings;

use std::sync::atomic::AtomicBool;

use cspec_analysis::{
    db::lower_sources,
    ir::{LayerId, Program},
    obligations::{
        About, Lemma,
        question::{Answered, Setting},
    },
    report::{Options, infer_movers},
    verdict::Scope,
};

/// Only the layers above the store buffers, with some text of `lock.rs` replaced.
fn lock_layers(find: &str, replace: &str) -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tso/src/layers");
    ["lock.rs", "seq_mem.rs", "raw_lock.rs"]
        .map(|name| {
            let text = std::fs::read_to_string(format!("{folder}/{name}")).expect("a source file");
            // Without the implementations, whose lower layers are missing here.
            let text = text.split("#[implement").next().unwrap_or_default();
            // Imports of missing modules could define macros.
            let text: String = text.lines().filter(|it| !it.starts_with("use super")).flat_map(|it| [it, "\n"]).collect();
            let text = text.replace("#[layer(ops = TasTso, inherit(TasTso: print))]", "#[layer]").replace(
                "impl SeqMem for Locked {",
                "impl SeqMem for Locked {\n    #[op(external)]\n    fn print(&mut self, me: Pid, value: u64) {\n        external()\n    }\n",
            );
            (name.to_owned(), text.replace(find, replace))
        })
        .to_vec()
}

/// The inferred mover types of a layer, by operation.
fn movers_of(files: &[(String, String)], layer: &str, scope: Scope) -> Vec<(String, &'static str)> {
    let texts: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let lowered = lower_sources(&texts);
    assert_eq!(lowered.diagnostics, []);
    let program = &lowered.program;
    let movers = infer_movers(&lowered, &Options { scope, ..Options::default() }, &AtomicBool::new(false));
    let index = index_of(program, layer);
    let names = program.layers[index].operations.iter().map(|it| it.name.clone());
    names.zip(movers[index].iter().map(|(movers, _)| movers.name())).collect()
}

fn index_of(program: &Program, layer: &str) -> usize {
    program.layers.iter().position(|it| it.name == layer).expect("the layer")
}

fn table(rows: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    let mut rows: Vec<(String, &'static str)> =
        rows.iter().map(|(name, movers)| ((*name).to_owned(), *movers)).collect();
    rows.sort();
    rows
}

#[track_caller]
fn assert_table(files: &[(String, String)], layer: &str, expected: &[(&str, &'static str)]) {
    let mut movers = movers_of(files, layer, Scope::default());
    movers.sort();
    assert_eq!(movers, table(expected), "{layer}");
}

/// Without the protocol nothing moves: a process that is not the owner may fail, and any process may release the lock.
#[test]
fn nothing_moves_without_rules() {
    let expected = [("acquire", "non"), ("release", "non"), ("read", "non"), ("write", "non"), ("print", "non")];
    assert_table(&lock_layers("", ""), "RawLock", &expected);
}

/// With the protocol, acquiring moves right, releasing moves left, and access to the guarded value moves both ways. It makes no difference
/// whether a forbidden call has no step or a step without effect.
#[test]
fn by_its_rules_a_lock_moves() {
    let expected = [("acquire", "right"), ("release", "left"), ("read", "both"), ("write", "both"), ("print", "non")];
    assert_table(&lock_layers("", ""), "Lock", &expected);
    assert_table(&lock_layers(", nilpotent", ""), "Lock", &expected);
}

/// The facts behind the table: which operations are silent, and which stay enabled whatever other processes do.
#[test]
fn silence_and_stable_enabledness() {
    let silent_and_stable = |files: &[(String, String)], layer: &str| -> Vec<(String, bool, bool)> {
        let texts: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let program = lower_sources(&texts).program;
        let code = cspec_analysis::explore::compile::compile(&program);
        let (scope, stop) = (Scope::default(), AtomicBool::new(false));
        let setting = Setting::new(&program, &code, &scope, &stop);
        let layer = index_of(&program, layer);
        let operations = &program.layers[layer].operations;
        let holds = |operation, about| {
            let lemma = Lemma { layer: LayerId(layer as u32), operation, about };
            match lemma.settle(&setting).0 {
                Answered::Holds => true,
                Answered::Violated(_) => false,
                Answered::GivenUp(abort) => panic!("no verdict: {abort:?}"),
            }
        };
        let row = |index: usize| {
            let is_stable = (0..operations.len()).all(|other| holds(index, About::StablyEnabled(other)));
            (operations[index].name.clone(), holds(index, About::Silent), is_stable)
        };
        let mut rows: Vec<_> = (0..operations.len()).map(row).collect();
        rows.sort();
        rows
    };
    let rows =
        |rows: [(&str, bool, bool); 5]| rows.map(|(name, silent, stable)| (name.to_owned(), silent, stable)).to_vec();
    let raw = rows([
        ("acquire", true, false),
        ("print", false, true),
        ("read", false, true),
        ("release", false, true),
        ("write", false, true),
    ]);
    let ruled = rows([
        ("acquire", true, false),
        ("print", false, true),
        ("read", true, true),
        ("release", true, true),
        ("write", true, true),
    ]);
    assert_eq!(silent_and_stable(&lock_layers("", ""), "RawLock"), raw);
    assert_eq!(silent_and_stable(&lock_layers("", ""), "Lock"), ruled);
    assert_eq!(silent_and_stable(&lock_layers(", nilpotent", ""), "Lock"), ruled);
}

/// On the machine a store moves left, since no other process sees it before it becomes visible. It does not move right: it may become
/// visible at once, since the background step around an operation includes the process's own stores. For the same reason a fence moves
/// right: the machine could have drained earlier.
#[test]
fn a_pending_store_moves_left_only() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tso/src/layers");
    let files = ["memory.rs", "tso.rs"].map(|name| {
        let text = std::fs::read_to_string(format!("{folder}/{name}")).expect("a source file");
        (name.to_owned(), text)
    });
    let scope = Scope { pids: 2, entries: 1, ints: 1, scalars_default: 1, ..Scope::default() };
    let expected = [("fence", "right"), ("print", "non"), ("read", "non"), ("test_and_set", "non"), ("write", "left")];
    let mut movers = movers_of(&files, "Tso", scope);
    movers.sort();
    assert_eq!(movers, table(&expected));
}
