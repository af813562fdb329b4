//! Tests every `proved` verdict of the reference workspaces again: plain evaluation tries random states of a universe that is larger than
//! any that the engine explored, and must not find one in which an obligation fails.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use cspec_analysis::{
    db::lower_sources,
    report::{Options, Progress, check_program},
    verdict::{Outcome, Scope as Bounds, Verdict},
};
use cspec_oracle::{
    claims::{Claims, States},
    value::Scope,
};
use fastrand::Rng;

struct Quiet;

impl Progress for Quiet {
    fn planned(&self, _: usize) {}
    fn finished(&self, _: &Outcome) {}
}

/// The results of evaluating obligations again.
#[derive(Default)]
struct Asked {
    /// The number of obligations that held in every visited state.
    held: usize,
    /// The number of visited states.
    states: usize,
    /// The reasons why other obligations were not decided, with their numbers.
    unknown: BTreeMap<String, usize>,
    /// The obligations that failed, with their states.
    failed: Vec<String>,
}

fn sources(package: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(package).join("src/layers");
    let files = fs::read_dir(folder).expect("the folder of the layers").map(|it| it.expect("an entry").path());
    let mut files: Vec<(String, String)> =
        files.map(|it| (it.display().to_string(), fs::read_to_string(&it).expect("a source file"))).collect();
    files.sort();
    files
}

/// Evaluates all proved obligations of a package again, on two threads.
fn ask_again(package: &str, bounds: Bounds, scope: &Scope, states: usize, seed: u64) -> Asked {
    let sources = sources(package);
    let files: Vec<(&str, &str)> = sources.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let lowered = lower_sources(&files);
    let options = Options { scope: bounds, ..Options::default() };
    let outcomes = check_program(&lowered, &options, &Quiet, &AtomicBool::new(false));
    let proved: Vec<&Outcome> = outcomes.iter().map(|it| &it.0).filter(|it| it.verdict == Verdict::Proved).collect();
    assert!(!proved.is_empty());
    let (asked, next) = (Mutex::new(Asked::default()), AtomicUsize::new(0));
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                let mut claims = Claims::new(&lowered.program, scope.clone());
                claims.fuel = 2_000_000;
                while let Some(outcome) = proved.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut random = Rng::with_seed(seed);
                    let mut of = States::all_or(states, &mut random);
                    let answer = claims.refute(&outcome.name, &mut of);
                    let mut asked = asked.lock().expect("no thread panics while it counts");
                    match answer {
                        Ok(None) => {
                            asked.held += 1;
                            asked.states += of.seen;
                        }
                        Ok(Some(how)) => asked.failed.push(format!("{}: {how}", outcome.name.id())),
                        Err(why) => *asked.unknown.entry(format!("{}: {}", outcome.name.kind, why.0)).or_default() += 1,
                    }
                }
            });
        }
    });
    let asked = asked.into_inner().expect("no thread has panicked");
    println!(
        "{package}: seed {seed}, {} proved; {} held in {} states; not told: {:?}",
        proved.len(),
        asked.held,
        asked.states,
        asked.unknown
    );
    asked
}

#[test]
fn what_is_proved_of_the_counter_holds_at_a_larger_scope() {
    let scope = Scope { pids: 4, ints: vec![0, 1, 2, 3, 9], scalars: 3, entries: 3, length: 3, ..Scope::default() };
    let bounds = Bounds { pids: 2, entries: 1, ints: 1, ..Bounds::default() };
    let asked = ask_again("tso", bounds, &scope, 40, 7);
    assert!(asked.failed.is_empty(), "{}", asked.failed.join("\n"));
    assert!(asked.held > 90, "{}", asked.held);
}

#[test]
fn what_is_proved_of_the_mail_server_holds_at_a_larger_scope() {
    let scope = Scope {
        ends: false,
        pids: 4,
        ints: vec![0, 1, 2, 3],
        strings: vec!["1.2".to_owned(), "x".to_owned()],
        scalars: 3,
        entries: 3,
        length: 3,
    };
    let asked = ask_again("cmail", Bounds { budget: 20_000_000, ..Bounds::default() }, &scope, 40, 7);
    assert!(asked.failed.is_empty(), "{}", asked.failed.join("\n"));
    assert!(asked.held > 400, "{}", asked.held);
}
