//! Changes of a text that do not change its meaning: every obligation of every package of the corpus keeps its verdict. And the findings
//! for a package depend on its text only: not on the number of cores, and not on earlier checks.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, atomic::AtomicBool},
};

use cspec_analysis::{
    db::lower_sources,
    report::{Options, Progress, check_program},
    verdict::{Outcome, Verdict},
};

struct Quiet;

impl Progress for Quiet {
    fn planned(&self, _: usize) {}
    fn finished(&self, _: &Outcome) {}
}

fn outcomes(text: &str) -> Vec<Outcome> {
    let options = Options { end_to_end: text.contains("//! run: end-to-end"), ..Options::default() };
    let lowered = lower_sources(&[("layers.rs", text)]);
    let outcomes = check_program(&lowered, &options, &Quiet, &AtomicBool::new(false));
    outcomes.into_iter().map(|(it, _)| it).collect()
}

/// The outcomes for a text of the corpus. It is checked once, for all tests.
fn unchanged(text: &str) -> Arc<Vec<Outcome>> {
    type Known = Arc<OnceLock<Arc<Vec<Outcome>>>>;
    static KNOWN: Mutex<BTreeMap<String, Known>> = Mutex::new(BTreeMap::new());
    let of_text = Arc::clone(KNOWN.lock().expect("nothing panics here").entry(text.to_owned()).or_default());
    Arc::clone(of_text.get_or_init(|| Arc::new(outcomes(text))))
}

/// The verdict of each obligation, by id.
fn verdicts(outcomes: &[Outcome]) -> BTreeMap<String, Verdict> {
    outcomes.iter().map(|it| (it.name.id(), it.verdict)).collect()
}

/// The texts of the corpus with obligations, by path.
fn corpus() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus");
    let mut files = Vec::new();
    let mut pending: Vec<PathBuf> = vec![root];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(fs::read_dir(&path).expect("a folder").map(|it| it.expect("an entry").path()));
        } else if !path.to_string_lossy().contains("/source/") {
            files.push((path.display().to_string(), fs::read_to_string(&path).expect("a file")));
        }
    }
    files.sort();
    // The annotations contain positions, which do not matter here.
    let is_annotation = |line: &str| line.trim_start().starts_with("//") && line.contains('^');
    let bare = |text: &str| text.lines().filter(|it| !is_annotation(it)).fold(String::new(), |all, it| all + it + "\n");
    files.into_iter().map(|(path, text)| (path, bare(&text))).collect()
}

/// The text with its names replaced.
fn with_names(text: &str, replace: &dyn Fn(&str) -> Option<String>) -> String {
    let (mut all, mut word) = (String::new(), String::new());
    for letter in text.chars().chain(['\n']) {
        if letter.is_alphanumeric() || letter == '_' {
            word.push(letter);
            continue;
        }
        all += &replace(&word).unwrap_or_else(|| word.clone());
        word.clear();
        all.push(letter);
    }
    all.pop();
    all
}

/// The names of types, layers and operations that the text declares.
fn declared(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let words: Vec<&str> =
        text.split(|it: char| !it.is_alphanumeric() && it != '_').filter(|it| !it.is_empty()).collect();
    for pair in words.windows(2) {
        if matches!(pair[0], "struct" | "enum" | "impl" | "client") {
            found.insert(pair[1].to_owned());
        }
    }
    for (at, _) in text.match_indices("#[op") {
        let name = text[at..].split("fn ").nth(1).and_then(|it| it.split('(').next());
        // A method of a collection may have the same name as an operation.
        let is_only_ours =
            |it: &&str| text.matches(&format!(".{it}(")).count() == text.matches(&format!("lo.{it}(")).count();
        found.extend(name.filter(is_only_ours).map(str::to_owned));
    }
    // Traits of the standard library that a package implements are not its own.
    for not_declared in ["mut", "From", "TryFrom"] {
        found.remove(not_declared);
    }
    found
}

/// The top-level items: paragraphs in which all brackets are closed. Text above the first item belongs to it.
fn items(text: &str) -> Vec<String> {
    let (mut all, mut item) = (Vec::new(), String::new());
    for line in text.lines() {
        item += line;
        item.push('\n');
        let balance = |open: char, close: char| item.matches(open).count() == item.matches(close).count();
        if line.is_empty() && balance('{', '}') && balance('(', ')') && item.contains(['{', ';']) {
            all.push(std::mem::take(&mut item));
        }
    }
    all.push(item);
    all
}

/// Checks that each text of the corpus keeps its verdicts after a change. At least `least` texts must change at all.
fn keeps_verdicts(least: usize, change: impl Fn(&str) -> Option<(String, BTreeMap<String, String>)>) {
    let (mut changed, mut other) = (0, Vec::new());
    for (path, text) in corpus() {
        let Some((variant, names)) = change(&text) else { continue };
        if variant == text {
            continue;
        }
        changed += 1;
        let renamed = |id: &String| with_names(id, &|word| names.get(word).cloned());
        let before: BTreeMap<String, Verdict> =
            verdicts(&unchanged(&text)).iter().map(|(id, it)| (renamed(id), *it)).collect();
        let after = verdicts(&outcomes(&variant));
        let differ: Vec<_> = before.iter().filter(|(id, it)| after.get(*id) != Some(it)).collect();
        if !differ.is_empty() {
            let now: Vec<_> = differ.iter().map(|(id, _)| after.get(*id)).collect();
            other.push(format!("{path}: {differ:?} become {now:?}\n{variant}"));
        }
    }
    assert!(other.is_empty(), "{}", other.join("\n"));
    assert!(changed >= least, "only {changed}");
}

fn same_names(text: String) -> Option<(String, BTreeMap<String, String>)> {
    Some((text, BTreeMap::new()))
}

#[test]
fn line_ends_do_not_matter() {
    keeps_verdicts(100, |text| same_names(text.replace('\n', "\r\n")));
}

#[test]
fn names_do_not_matter() {
    keeps_verdicts(100, |text| {
        let names: BTreeMap<String, String> =
            declared(text).into_iter().map(|it| (it.clone(), format!("{it}x"))).collect();
        Some((with_names(text, &|word| names.get(word).cloned()), names))
    });
}

#[test]
fn the_order_of_items_does_not_matter() {
    keeps_verdicts(100, |text| {
        let mut items = items(text);
        items.reverse();
        // Inner documentation and attributes come first.
        let all = items.join("\n");
        let (top, rest): (Vec<&str>, Vec<&str>) = all.lines().partition(|it| it.starts_with("//!"));
        same_names(top.join("\n") + "\n" + &rest.join("\n"))
    });
}

#[test]
fn a_choice_may_be_made_in_two_steps() {
    keeps_verdicts(15, |text| {
        let loops = text.replace("while maybe()", "while MAYBE");
        same_names(loops.replace("maybe()", "(maybe() || maybe())").replace("while MAYBE", "while maybe()"))
    });
}

#[test]
fn another_operation_that_does_nothing_does_not_matter() {
    keeps_verdicts(10, |text| {
        // With implementations, an additional operation would have to be implemented.
        if text.contains("#[implement") || text.contains("ops =") {
            return None;
        }
        same_names(text.replacen("    #[op", "    #[op]\n    fn idles(&mut self, me: Pid) {}\n\n    #[op", 1))
    });
}

#[test]
fn the_number_of_threads_does_not_matter() {
    for (path, text) in corpus() {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| format!("{:#?}", outcomes(&text)))
        };
        // With one for each core.
        let known = format!("{:#?}", unchanged(&text));
        for threads in [1, 4] {
            assert!(with(threads) == known, "{path} with {threads} threads");
        }
    }
}
