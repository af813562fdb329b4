//! Questions about all entries of a collection, put as a whole: with them and without them, the same obligations hold, at most for more sizes.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use cspec_analysis::{
    db::lower_sources,
    report::{Options, Progress, check_program},
    verdict::{Outcome, Scope, Verdict},
};
use cspec_oracle::generate::{Pattern, case};

struct Quiet;

impl Progress for Quiet {
    fn planned(&self, _: usize) {}
    fn finished(&self, _: &Outcome) {}
}

/// The verdict of each obligation, by id, and the codes of its findings.
fn verdicts(source: &str, whole_questions: bool) -> BTreeMap<String, (Verdict, Vec<&'static str>)> {
    let lowered = lower_sources(&[("src/lib.rs", source)]);
    let options = Options {
        scope: Scope { whole_questions, budget: 3_000_000, ..Scope::default() },
        end_to_end: source.contains("//! run: end-to-end"),
        ..Options::default()
    };
    let outcomes = check_program(&lowered, &options, &Quiet, &AtomicBool::new(false)).into_iter();
    let codes = |it: &Outcome| it.diagnostics.iter().map(|it| it.code).collect();
    outcomes.map(|(it, _)| (it.name.id(), (it.verdict, codes(&it)))).collect()
}

/// Whether an obligation has another verdict with such questions, other than that it holds for more sizes.
fn changed(source: &str) -> Vec<String> {
    let (without, with) = (verdicts(source, false), verdicts(source, true));
    assert_eq!(without.len(), with.len());
    let is_better = |without: Verdict, with: Verdict| match without {
        Verdict::Checked => matches!(with, Verdict::Checked | Verdict::Proved),
        Verdict::Undecided => true,
        _ => with == without,
    };
    let changed = without.iter().filter(|(id, without)| {
        let with = &with[*id];
        let is_same = without == &with;
        !is_same && !is_better(without.0, with.0)
    });
    changed
        .map(|(id, without)| format!("{id}: {without:?}, but {:?} with questions put as a whole", with[id]))
        .collect()
}

/// How many obligations are proved, without such questions and with them.
fn proved(source: &str) -> [usize; 2] {
    [false, true].map(|whole| verdicts(source, whole).values().filter(|it| it.0 == Verdict::Proved).count())
}

#[test]
fn the_corpus_has_the_same_verdicts() {
    let mut pending: Vec<PathBuf> = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus")];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(fs::read_dir(&path).expect("a folder").map(|it| it.expect("an entry").path()));
            continue;
        }
        let text = fs::read_to_string(&path).expect("a file");
        // Only such files can differ.
        if text.contains(".all(") || text.contains(".any(") || text.contains(" in ") {
            assert_eq!(changed(&text), Vec::<String>::new(), "{}", path.display());
        }
    }
}

#[test]
fn random_packages_have_the_same_verdicts() {
    let mut more = 0;
    let families = [(Pattern::Whole, 150), (Pattern::Invariant, 40), (Pattern::Movers, 20), (Pattern::Partition, 20)];
    for (pattern, count) in families {
        for seed in 70_000_000..70_000_000 + count {
            let case = case(pattern, seed);
            assert_eq!(
                changed(&case.source),
                Vec::<String>::new(),
                "{} with seed {seed}:\n{}",
                pattern.name(),
                case.source
            );
            let [without, with] = proved(&case.source);
            more += with.saturating_sub(without);
        }
    }
    assert!(more > 50, "only {more} obligations are proved that were checked to scope");
}

/// A package whose operation `run` has these bodies below and above; the invariant above is `holds`.
fn package(holds: &str, below: &str, above: &str) -> String {
    format!(
        "use cspec::prelude::*;
        #[scalar] pub struct Tok(u64);
        #[state] pub struct Store {{ pub a: Map<Pid, u64>, pub b: Set<Pid>, pub t: Map<Tok, Pid>, pub n: u64, pub f: bool }}
        impl Store {{
            fn has(&self, who: Pid) -> bool {{ self.b.contains(&who) }}
            fn zero(&self) -> bool {{ self.a.values().all(|v| *v == 0) }}
        }}
        #[layer] impl Low for Store {{
            #[init] fn init(&self) -> bool {{ {holds} }}
            #[op] fn run(&mut self, me: Pid, arg: u64) -> bool {{ {below} }}
        }}
        #[layer(ops = Low)] impl High for Store {{
            #[init] fn init(&self) -> bool {{ {holds} }}
            #[invariant] fn holds(&self) -> bool {{ {holds} }}
            #[op] fn run(&mut self, me: Pid, arg: u64) -> bool {{ {above} }}
        }}
        #[implement(High, over = Low, by = abstraction)] impl Same {{
            #[abstraction] fn same(lo: &Store, hi: &Store) -> bool {{ lo == hi }}
        }}"
    )
}

/// The verdict on the simulation of `run`.
fn simulated(source: &str) -> Verdict {
    let lowered = lower_sources(&[("src/lib.rs", source)]);
    assert_eq!(lowered.diagnostics, [], "{source}");
    assert_eq!(changed(source), Vec::<String>::new());
    let all = verdicts(source, true);
    all.iter().find(|(id, _)| id.contains("simulation")).expect("a simulation").1.0
}

#[track_caller]
fn holds(invariant: &str, body: &str) {
    assert_eq!(simulated(&package(invariant, body, body)), Verdict::Proved, "{invariant}: {body}");
}

#[track_caller]
fn fails(invariant: &str, body: &str) {
    assert_eq!(simulated(&package(invariant, body, body)), Verdict::Violated, "{invariant}: {body}");
}

#[test]
fn an_invariant_about_all_entries_holds_for_every_size() {
    let zero = "self.a.values().all(|v| *v == 0)";
    holds(zero, "self.a.insert(me, 0); true");
    fails(zero, "self.a.insert(me, arg); true");
    holds(zero, "when(arg == 0); self.a.insert(me, arg); true");
    holds(zero, "self.a.remove(&me); true");
    holds(zero, "self.a.get(&me) != Some(&1)");
    holds("!self.a.values().any(|v| *v == 1)", "when(arg != 1); self.a.insert(me, arg); true");
    fails("!self.a.values().any(|v| *v == 1)", "self.a.insert(me, 1); true");
}

#[test]
fn a_fact_is_about_the_collection_as_it_was() {
    // The question is asked again of another collection.
    fails("self.zero()", "when(self.zero()); self.a.insert(me, 1); true");
    fails("self.zero()", "let old = self.zero(); self.a.insert(me, 1); old");
    // What was removed before is not among the entries.
    let after_removal = "let old = self.a.get(&me).copied(); self.a.remove(&me); when(self.zero()); if old == Some(1) { self.f = true; } true";
    fails("!self.f", after_removal);
    holds(
        "!self.f",
        "let old = self.a.get(&me).copied(); when(self.zero()); if old == Some(1) { self.f = true; } true",
    );
    // Nor is what was written afterwards.
    fails("!self.f", "when(self.zero()); self.a.insert(me, 1); if self.a.get(&me) == Some(&1) { self.f = true; } true");
    fails(
        "!self.f",
        "self.a.insert(me, 0); when(self.zero()); self.a.insert(me, arg); if !self.zero() { self.f = true; } true",
    );
}

#[test]
fn a_question_is_about_all_that_its_body_reads() {
    let kept = "self.a.keys().iter().all(|k| self.b.contains(k))";
    holds(kept, "self.b.insert(me); self.a.insert(me, arg); true");
    fails(kept, "self.a.insert(me, arg); true");
    fails(kept, "self.b.remove(&me); true");
    // Through a helper.
    let kept = "self.a.keys().iter().all(|k| self.has(*k))";
    holds(kept, "self.b.insert(me); self.a.insert(me, arg); true");
    fails(kept, "self.b.remove(&me); true");
    // The second part that it reads.
    let kept = "self.a.iter().all(|(k, v)| self.b.contains(k) || *v == self.n)";
    fails(kept, "self.n = arg; true");
    fails(kept, "self.b = Set::new(); true");
    holds(kept, "self.f = !self.f; true");
    // The key beside the value.
    holds("self.a.iter().all(|(k, v)| self.t.values().all(|p| p != k) || *v == 0)", "self.a.insert(me, 0); true");
    fails("self.a.iter().all(|(k, v)| self.t.values().all(|p| p != k) || *v == 0)", "self.a.insert(me, 1); true");
}

#[test]
fn questions_are_nested() {
    let alone = "self.a.iter().all(|(k, v)| self.a.iter().all(|(j, w)| j == k || w != v))";
    holds(alone, "when(self.a.values().all(|v| *v != arg)); self.a.insert(me, arg); true");
    fails(alone, "self.a.insert(me, arg); true");
    holds(alone, "self.a.remove(&me); true");
    let all_named = "self.b.iter().all(|k| self.t.values().any(|p| p == k))";
    holds(all_named, "when(self.t.values().any(|p| *p == me)); self.b.insert(me); true");
    fails(all_named, "self.b.insert(me); true");
}

#[test]
fn what_a_search_may_choose_is_no_part_of_a_question() {
    let superset =
        "let some: Set<Pid> = any(); when(self.a.keys().iter().all(|k| some.contains(k))); some.contains(&me)";
    let any_set = "let some: Set<Pid> = any(); some.contains(&me)";
    assert!(matches!(simulated(&package("true", superset, superset)), Verdict::Proved | Verdict::Checked));
    assert_ne!(simulated(&package("true", superset, any_set)), Verdict::Violated);
    assert_eq!(simulated(&package("true", any_set, superset)), Verdict::Violated);
    // The choice may be none.
    let unused = "let it: Option<u64> = any(); when(self.a.values().all(|v| Some(*v) != it)); it == Some(arg)";
    let unused_some = "let it: u64 = any(); when(self.a.values().all(|v| *v != it)); it == arg";
    assert_ne!(simulated(&package("true", unused, unused)), Verdict::Violated);
    assert_ne!(simulated(&package("true", unused_some, unused)), Verdict::Violated);
    let used = "let it: u64 = any(); it == arg";
    assert_eq!(simulated(&package("true", used, unused)), Verdict::Violated);
}

#[test]
fn what_one_path_knows_at_the_head_of_a_loop_another_need_not() {
    let turns = "repeat(self, |it| it.f = maybe()); self.zero()";
    // The path that is explored first knows more.
    let first = format!("if !maybe() {{ when(self.zero()); }} {turns}");
    let second = format!("if maybe() {{ when(self.zero()); }} {turns}");
    for below in [&first, &second] {
        let above = "self.f = maybe(); true";
        assert_eq!(simulated(&package("true", below, above)), Verdict::Violated, "{below}");
        assert_eq!(simulated(&package("true", below, "self.f = maybe(); maybe()")), Verdict::Proved, "{below}");
    }
    // What a turn has chosen, and asked about, is forgotten.
    let drawn = "repeat(self, |it| { let x: u64 = any(); when(it.a.values().all(|v| *v == x)); it.n = x; }); self.a.values().all(|v| *v == self.n)";
    assert_eq!(simulated(&package("true", drawn, "self.n = any(); true")), Verdict::Violated);
}
