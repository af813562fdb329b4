//! The known-answer corpus: small correct packages, each with one or more wrong variants that differ in a few words.
//!
//! A folder `corpus/FAMILY/NAME` holds `right.rs`; every other file in it is wrong. Expected findings are written in the file itself, under
//! the line that they are reported at; a file without such annotations must hold, without any warning (one that holds with a warning says
//! so). There is a wrong file for every clause of every obligation, so that a clause that is missing or too weak lets it pass, and for
//! every kind of finding about the source.
//!
//! A wrong file counts only if the right one beside it is answered correctly, too. So a checker that gives the same answer for everything
//! scores nothing; stand-ins for the engine test this.
//!
//! `//! run: end-to-end` in a file searches its clients instead of checking the patterns; `//! budget: 400` sets the budget of steps.

mod findings;
mod told;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{Arc, Mutex, OnceLock},
};

use cspec_analysis::{
    db::lower_sources,
    diagnostics::codes::ALL,
    report::Options,
    verdict::{Scope, Verdict},
};
use findings::{Checked, Found, annotations, run};
use told::not_replayed;

/// A right and a wrong package, of one file each.
struct Pair {
    /// The name of the pair, such as `movers/a_right_mover_emits_no_event/wrong`.
    name: String,
    wrong: String,
    /// The right text, shared by all pairs of its folder.
    right: Rc<str>,
}

/// The findings of a checker in a text, with their places; none if the text is right.
type Checker = fn(&str) -> Vec<Found>;

fn corpus() -> Vec<Pair> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let folders = inside(&root).iter().flat_map(|family| inside(family)).collect::<Vec<_>>();
    folders.iter().flat_map(|folder| pairs(&root, folder)).collect()
}

fn pairs(root: &Path, folder: &Path) -> Vec<Pair> {
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_else(|it| panic!("{}: {it}", path.display()));
    let right: Rc<str> = read(&folder.join("right.rs")).into();
    let wrong = inside(folder).into_iter().filter(|it| !it.ends_with("right.rs"));
    wrong
        .map(|path| Pair {
            name: path.with_extension("").strip_prefix(root).expect("inside").display().to_string(),
            wrong: read(&path),
            right: Rc::clone(&right),
        })
        .collect()
}

/// The contents of a folder, in order.
fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the corpus");
    let mut paths: Vec<PathBuf> = entries.map(|it| it.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// What the engine says of a text. It is asked once, for all tests.
fn checked(text: &str) -> Arc<Checked> {
    static KNOWN: Mutex<BTreeMap<String, Arc<OnceLock<Arc<Checked>>>>> = Mutex::new(BTreeMap::new());
    let of_text = Arc::clone(KNOWN.lock().expect("nothing panics here").entry(text.to_owned()).or_default());
    Arc::clone(of_text.get_or_init(|| Arc::new(asked(text))))
}

fn asked(text: &str) -> Checked {
    let budget = text.lines().find_map(|it| it.strip_prefix("//! budget: ")?.parse().ok());
    let scope = Scope { budget: budget.unwrap_or(Scope::default().budget), ..Scope::default() };
    let options = Options { scope, end_to_end: text.contains("//! run: end-to-end"), ..Options::default() };
    run(&[("layers.rs".to_owned(), text.to_owned())], &options)
}

/// The real checker: the engine.
fn engine(text: &str) -> Vec<Found> {
    checked(text).findings()
}

fn always_pass(_: &str) -> Vec<Found> {
    Vec::new()
}

fn always_fail(_: &str) -> Vec<Found> {
    vec![Found::default()]
}

fn parse_only(text: &str) -> Vec<Found> {
    let lowered = lower_sources(&[("layers.rs", text)]);
    if lowered.diagnostics.iter().any(|it| it.code == "CS0101") { always_fail(text) } else { always_pass(text) }
}

/// The pairs that a checker answers wrongly, with its answers.
fn mistaken(checker: Checker) -> Vec<String> {
    let mut mistaken = Vec::new();
    for pair in corpus() {
        let (wrong, right) = (checker(&pair.wrong), checker(&pair.right));
        let (expected, warned) = (annotations(&pair.wrong), annotations(&pair.right));
        if right != warned || wrong != expected {
            let list = |found: &[Found]| found.iter().map(|it| format!("\n    {it}")).collect::<String>();
            mistaken.push(format!(
                "{}\n  expected:{}\n  found:{}\n  in right.rs, found:{}\n",
                pair.name,
                list(&expected),
                list(&wrong),
                list(&right)
            ));
        }
    }
    mistaken
}

#[test]
fn the_engine_knows_every_answer() {
    let mistaken = mistaken(engine);
    assert!(mistaken.is_empty(), "{}", mistaken.concat());
}

#[test]
fn stand_ins_score_nothing() {
    let pairs = corpus();
    let right: BTreeSet<&str> = pairs.iter().map(|it| &*it.right).collect();
    assert!(right.len() >= 60 && pairs.len() >= 60, "{} right, {} wrong", right.len(), pairs.len());
    for stand_in in [always_pass as Checker, always_fail, parse_only] {
        assert_eq!(mistaken(stand_in).len(), pairs.len());
    }
}

/// Every violated obligation has a finding, and every obligation that holds is decided: nothing is undecided except what the pair is about.
#[test]
fn every_obligation_is_settled() {
    // Backwards: so it asks for one half while another test asks for the other.
    for pair in corpus().into_iter().rev() {
        let (wrong, right) = (checked(&pair.wrong), checked(&pair.right));
        let silent: Vec<_> = wrong.failed().filter(|it| it.diagnostics.is_empty()).map(|it| it.name.id()).collect();
        assert!(silent.is_empty(), "{}: nothing is said of {silent:?}", pair.name);
        assert!(!right.outcomes.is_empty(), "{}: nothing was checked", pair.name);
        assert!(right.failed().next().is_none(), "{}: {}", pair.name, right.in_words());
        let undecided = wrong.outcomes.iter().any(|it| matches!(it.verdict, Verdict::Undecided));
        assert_eq!(undecided, pair.name.starts_with("undecided/"), "{}", pair.name);
    }
}

/// Every kind of finding occurs in the corpus, except those that need more than one text.
#[test]
fn every_code_is_in_the_corpus() {
    const ELSEWHERE: [(&str, &str); 5] = [
        ("CS0001", "a file that cannot be read: in the tests of the command"),
        ("CS0002", "a package without layers, named by the user: in the tests of the command"),
        ("CS0003", "layers in a target that is not read: in the tests of the command"),
        ("CS0004", "a program that rustc refuses: in the tests of the command"),
        ("CS0902", "a mistake of the engine: one that were known would be corrected"),
    ];
    let annotated = corpus().into_iter().flat_map(|it| annotations(&it.wrong));
    let found: BTreeSet<String> = annotated.map(|it| it.code().to_owned()).collect();
    let elsewhere = |code: &str| ELSEWHERE.iter().any(|(it, _)| *it == code);
    let codes = ALL.iter().map(|it| it.code);
    let missing: Vec<&str> = codes.filter(|it| !found.contains(*it) && !elsewhere(it)).collect();
    assert!(missing.is_empty(), "no pair for {missing:?}");
}

#[test]
fn every_counterexample_is_confirmed_by_plain_evaluation() {
    let not = corpus().into_iter().flat_map(|pair| {
        let checked = checked(&pair.wrong);
        let not = not_replayed(&[("layers.rs", &pair.wrong)], &checked.outcomes).into_iter();
        not.map(|it| format!("{}: {it}", pair.name)).collect::<Vec<_>>()
    });
    let not: Vec<String> = not.collect();
    assert!(not.is_empty(), "{}", not.join("\n"));
}
