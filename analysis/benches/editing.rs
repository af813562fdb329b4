//! How long an editor waits: the x86-TSO counter in a session, edited one operation at a time.
//!
//! `cargo bench -p cspec-analysis --bench editing` prints distributions. An edit of an operation changes what it computes by nothing that
//! matters, in a way that no result is known for; so all that depends on its body is explored anew. What the figures were is in
//! `docs/performance.md`.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use cspec_analysis::{
    report::Options,
    results::Provenance,
    session::{Event, Request, Session, Snapshot, State, Summary},
    workspace::Package,
};

/// How often each operation is edited.
const ROUNDS: u64 = 5;

fn main() {
    let mut cold = Vec::new();
    for _ in 0..10 {
        let started = Instant::now();
        let mut session = Session::open(vec![counter()]);
        run(&session.snapshot(), &|_| {});
        cold.push(started.elapsed());
    }
    print("opened cold to all verdicts", cold);

    let mut session = Session::open(vec![counter()]);
    run(&session.snapshot(), &|_| {});
    let operations = operations(&session.snapshot());
    let (mut text, mut first, mut all, mut explored) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for operation in &operations {
            let edit = operation.edited(round);
            let started = Instant::now();
            session.set_buffer(&operation.path, edit);
            let snapshot = session.snapshot();
            text.push(started.elapsed());
            let (at, summary) = first_computed(&snapshot, operation, started);
            first.extend(at);
            all.push(started.elapsed());
            explored.push(summary.explored.len());
            session.close_buffer(&operation.path);
            session.snapshot();
        }
    }
    print("edit of an operation to its snapshot", text);
    print("edit of an operation to the first affected verdict", first);
    print("edit of an operation to all affected verdicts", all);
    explored.sort_unstable();
    println!("  obligations explored: median {}, most {}", explored[explored.len() / 2], explored[explored.len() - 1]);

    let mut comments = Vec::new();
    for round in 0..ROUNDS {
        for (number, operation) in operations.iter().enumerate() {
            let started = Instant::now();
            session.set_buffer(&operation.path, format!("// {round}, {number}\n{}", operation.text));
            let summary = run(&session.snapshot(), &|_| {});
            comments.push(started.elapsed());
            assert!(summary.explored.is_empty(), "a comment explores nothing");
            session.close_buffer(&operation.path);
        }
    }
    print("edit of a comment to all verdicts", comments);
    print_stops(&mut session, &operations);
    print_questions(&mut session, &operations);
}

/// From stopping a run to its end, at any moment of it.
fn print_stops(session: &mut Session, operations: &[EditedOperation]) {
    let mut stops = Vec::new();
    for round in 0..40 {
        let operation = &operations[round % operations.len()];
        session.set_buffer(&operation.path, operation.edited(1_000 + round as u64));
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
        session.close_buffer(&operation.path);
    }
    print("stop of a run to its end", stops);
}

/// Everything a hover shows, asked while a run is under way.
fn print_questions(session: &mut Session, operations: &[EditedOperation]) {
    let options = Options::default();
    let mut questions = Vec::new();
    for (round, operation) in operations.iter().enumerate() {
        session.set_buffer(&operation.path, operation.edited(2_000 + round as u64));
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
        session.close_buffer(&operation.path);
    }
    print("a question while a run is under way", questions);
}

/// The package of the counter.
fn counter() -> Package {
    let folder = Utf8Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tso"));
    Package::library("tso", folder, &folder.join("src/lib.rs"))
}

/// An operation that a layer declares itself.
struct EditedOperation {
    layer: String,
    name: String,
    path: Utf8PathBuf,
    text: String,
    /// Where its body begins.
    body: usize,
}

impl EditedOperation {
    /// The text of its file, with a statement that nothing depends on at the beginning of the body.
    fn edited(&self, number: u64) -> String {
        let (before, after) = self.text.split_at(self.body);
        format!("{before} let _edit: u64 = {number}; {after}")
    }
}

fn operations(snapshot: &Snapshot) -> Vec<EditedOperation> {
    let package = &snapshot.packages()[0];
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for layer in &package.program().layers {
        for operation in layer.operations.iter().filter(|it| !it.external && seen.insert(it.function)) {
            let name = package.source_map().functions[operation.function.0 as usize];
            let file = &package.files[name.file as usize];
            let body = file.text[name.end as usize..].find('{').expect("a body") + name.end as usize + 1;
            found.push(EditedOperation {
                layer: layer.name.clone(),
                name: operation.name.clone(),
                path: file.path.clone(),
                text: file.text.to_string(),
                body,
            });
        }
    }
    found
}

fn run(snapshot: &Snapshot, told: &(dyn Fn(Event) + Sync)) -> Summary {
    snapshot.run(&Request::all(&Options::default()), told, &AtomicBool::new(false))
}

/// Runs what an edit affects, what is about the operation first; when the first verdict came that was not known.
fn first_computed(snapshot: &Snapshot, operation: &EditedOperation, started: Instant) -> (Option<Duration>, Summary) {
    let first = Mutex::new(None);
    let told = |event: Event| {
        if let Event::Settled { listed, .. } = event
            && let State::Settled(_, Provenance::Computed(_)) = listed.state
        {
            first.lock().expect("not poisoned").get_or_insert(started.elapsed());
        }
    };
    let options = Options::default();
    let is_about = |name: &cspec_analysis::verdict::ObligationName| {
        name.layer == operation.layer && name.operation == operation.name
    };
    let request = Request { first: &is_about, ..Request::all(&options) };
    let summary = snapshot.run(&request, &told, &AtomicBool::new(false));
    (first.into_inner().expect("not poisoned"), summary)
}

/// The distribution of some times.
fn print(what: &str, mut times: Vec<Duration>) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    if COUNT.fetch_add(1, Ordering::Relaxed) == 0 {
        println!("{:<52} {:>6} {:>9} {:>9} {:>9}", "", "count", "p50 ms", "p95 ms", "max ms");
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
    println!("{what:<52} {:>6} {:>9.1} {:>9.1} {:>9.1}", times.len(), at(50), at(95), at(100));
}
