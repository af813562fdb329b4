//! Measures how long an editor waits: the reference workspaces in a session, with edits of one operation or procedure at a time.
//!
//! `cargo bench -p cspec-analysis --bench editing` prints distributions; `-- cmail` or `-- tso` those of one package. An edit adds a
//! statement without effect to a body, so that no stored result applies and everything that depends on the body is explored again. Every
//! operation and every procedure of the package is edited. `docs/performance.md` has the figures.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use cspec_analysis::{
    ir::{Code, FunctionId, Justification},
    report::Options,
    results::Provenance,
    session::{Event, Request, Session, Snapshot, State, Summary},
    verdict::ObligationName,
    workspace::Package,
};

/// The packages to edit, and how often each body is edited.
const PACKAGES: [(&str, u64); 2] = [("cmail", 2), ("tso", 5)];

/// The same allocator as in the command and the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    for (name, rounds) in PACKAGES {
        if wanted.is_empty() || wanted.iter().any(|it| it == name) {
            println!("{name:<52} {:>6} {:>9} {:>9} {:>9}", "count", "p50 ms", "p95 ms", "max ms");
            print_package(name, rounds);
        }
    }
}

fn print_package(name: &str, rounds: u64) {
    let mut cold = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        let mut session = Session::open(vec![package(name)]);
        run(&session.snapshot(), &|_| {});
        cold.push(started.elapsed());
    }
    print("opened cold to all verdicts", cold);

    let mut session = Session::open(vec![package(name)]);
    run(&session.snapshot(), &|_| {});
    let bodies = bodies(&session.snapshot());
    print_edits(&mut session, &bodies, rounds);
    print_comments(&mut session, &bodies, rounds);
    print_stops(&mut session, &bodies);
    print_questions(&mut session, &bodies);
}

/// Edits of every body: the time to the snapshot, to the first verdict about the body, and to all verdicts.
fn print_edits(session: &mut Session, bodies: &[Body], rounds: u64) {
    let (mut text, mut listing, mut first, mut all) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut explored = Vec::new();
    let mut slowest: Vec<(Duration, String)> = Vec::new();
    for round in 0..rounds {
        for body in bodies {
            let edit = body.edited(round);
            let started = Instant::now();
            session.set_buffer(&body.path, edit);
            let snapshot = session.snapshot();
            text.push(started.elapsed());
            std::hint::black_box(snapshot.obligations(0, &Options::default()));
            listing.push(started.elapsed());
            let (at, summary) = first_computed(&snapshot, body, started);
            first.extend(at);
            let whole = started.elapsed();
            all.push(whole);
            slowest.push((whole, format!("{} {}", body.owner, body.name)));
            explored.push(summary.explored.len());
            session.close_buffer(&body.path);
            session.snapshot();
        }
    }
    print("edit of a body to its snapshot", text);
    print("edit of a body to the list of what is owed", listing);
    print("edit of a body to the first verdict on it", first);
    print("edit of a body to all affected verdicts", all);
    explored.sort_unstable();
    println!("  obligations explored: median {}, most {}", explored[explored.len() / 2], explored[explored.len() - 1]);
    slowest.sort_unstable();
    for (time, body) in slowest.iter().rev().take(3) {
        println!("  {:.0} ms: {body}", time.as_secs_f64() * 1e3);
    }
}

fn print_comments(session: &mut Session, bodies: &[Body], rounds: u64) {
    let mut comments = Vec::new();
    for round in 0..rounds {
        for (number, body) in bodies.iter().enumerate() {
            let started = Instant::now();
            session.set_buffer(&body.path, format!("// {round}, {number}\n{}", body.text));
            let summary = run(&session.snapshot(), &|_| {});
            comments.push(started.elapsed());
            assert!(summary.explored.is_empty(), "a comment explores nothing");
            session.close_buffer(&body.path);
        }
    }
    print("edit of a comment to all verdicts", comments);
}

/// The time from stopping a run to its end, at random moments.
fn print_stops(session: &mut Session, bodies: &[Body]) {
    let mut stops = Vec::new();
    for round in 0..200 {
        let body = &bodies[round % bodies.len()];
        session.set_buffer(&body.path, body.edited(1_000 + round as u64));
        let (snapshot, stop) = (session.snapshot(), AtomicBool::new(false));
        let options = Options::default();
        let stopped = thread::scope(|scope| {
            let running = scope.spawn(|| {
                snapshot.run(&Request::all(&options), &|_| {}, &stop);
                Instant::now()
            });
            thread::sleep(Duration::from_millis(1 + round as u64 % 30));
            let asked = Instant::now();
            stop.store(true, Ordering::Relaxed);
            running.join().expect("a run does not panic").saturating_duration_since(asked)
        });
        stops.push(stopped);
        session.close_buffer(&body.path);
    }
    print("stop of a run to its end", stops);
}

/// The time for everything that a hover shows, during a run.
fn print_questions(session: &mut Session, bodies: &[Body]) {
    let options = Options::default();
    let mut questions = Vec::new();
    for (round, body) in bodies.iter().enumerate() {
        session.set_buffer(&body.path, body.edited(2_000 + round as u64));
        let (snapshot, stop) = (session.snapshot(), AtomicBool::new(false));
        thread::scope(|scope| {
            let running = scope.spawn(|| snapshot.run(&Request::all(&options), &|_| {}, &stop));
            while !running.is_finished() {
                let started = Instant::now();
                std::hint::black_box((snapshot.obligations(0, &options), snapshot.movers(0, &options)));
                questions.push(started.elapsed());
                thread::sleep(Duration::from_millis(2));
            }
        });
        session.close_buffer(&body.path);
    }
    print("a question while a run is under way", questions);
}

/// A package of the repository.
fn package(name: &str) -> Package {
    let folder = Utf8Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(name);
    Package::library(name, &folder, &folder.join("src/lib.rs"))
}

/// The body of an operation that a layer declares itself, or of a procedure.
struct Body {
    /// The name of the layer or the implementation.
    owner: String,
    name: String,
    path: Utf8PathBuf,
    text: String,
    /// The offset where it begins.
    start: usize,
}

impl Body {
    /// The text of the file with an additional first statement in the body, which has no effect.
    fn edited(&self, number: u64) -> String {
        let (before, after) = self.text.split_at(self.start);
        format!("{before} let _edit: u64 = {number}; {after}")
    }

    /// Whether an obligation is about this body.
    fn owes(&self, name: &ObligationName) -> bool {
        name.operation == self.name && (name.layer == self.owner || name.implementation == self.owner)
    }
}

fn bodies(snapshot: &Snapshot) -> Vec<Body> {
    let program = snapshot.packages()[0].program();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut add = |owner: &str, name: &str, function: FunctionId| {
        if seen.insert(function) {
            found.push(body(snapshot, owner, name, function));
        }
    };
    for layer in &program.layers {
        layer.operations.iter().filter(|it| !it.external).for_each(|it| add(&layer.name, &it.name, it.function));
    }
    for implementation in &program.implementations {
        if let Justification::Movers(code) | Justification::Retry(code) = &implementation.by {
            for (name, code) in code {
                if let Code::Procedure(function) = code {
                    add(&implementation.name, name, *function);
                }
            }
        }
    }
    found
}

fn body(snapshot: &Snapshot, owner: &str, name: &str, function: FunctionId) -> Body {
    let package = &snapshot.packages()[0];
    let span = package.source_map().functions[function.0 as usize];
    let file = &package.files[span.file as usize];
    let start = file.text[span.end as usize..].find('{').expect("a body") + span.end as usize + 1;
    Body { owner: owner.to_owned(), name: name.to_owned(), path: file.path.clone(), text: file.text.to_string(), start }
}

fn run(snapshot: &Snapshot, told: &(dyn Fn(Event) + Sync)) -> Summary {
    snapshot.run(&Request::all(&Options::default()), told, &AtomicBool::new(false))
}

/// Runs everything that an edit affects, in the order of the server: the smallest scope first, and in it the obligations about the body
/// first. Returns the time of the first new verdict about the body.
fn first_computed(snapshot: &Snapshot, body: &Body, started: Instant) -> (Option<Duration>, Summary) {
    let first = Mutex::new(None);
    let told = |event: Event| {
        if let Event::Settled { listed, .. } = event
            && body.owes(&listed.name)
            && let State::Settled(_, Provenance::Computed(_)) = listed.state
        {
            first.lock().expect("not poisoned").get_or_insert(started.elapsed());
        }
    };
    let options = Options::default();
    let smallest = Options { scope: options.scope.smallest(), ..Options::default() };
    let open: BTreeSet<ObligationName> = snapshot
        .obligations(0, &options)
        .into_iter()
        .filter(|it| matches!(it.state, State::Stale(_) | State::Unknown))
        .map(|it| it.name)
        .collect();
    let is_about = |name: &ObligationName| body.owes(name);
    let only = |name: &ObligationName| open.contains(name);
    let request = Request { first: &is_about, only: &only, ..Request::all(&smallest) };
    snapshot.run(&request, &told, &AtomicBool::new(false));
    let request = Request { first: &is_about, ..Request::all(&options) };
    let summary = snapshot.run(&request, &told, &AtomicBool::new(false));
    (first.into_inner().expect("not poisoned"), summary)
}

/// Prints the distribution of some times.
fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
    println!("{what:<52} {:>6} {:>9.1} {:>9.1} {:>9.1}", times.len(), at(50), at(95), at(100));
}
