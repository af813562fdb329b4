//! Measures the x86-TSO counter: reading it, checking it without a cache, and searching its client end to end.
//!
//! `cargo bench -p cspec-analysis` prints distributions. `search` also prints its rate: configurations of the bottom per second.
//! `docs/performance.md` has the figures.

use std::{
    fs,
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use cspec_analysis::{
    db::lower_sources,
    ir::lower::Lowered,
    report::{Options, Progress, check_program},
    verdict::Outcome,
};

/// The same allocator as in the command and the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    print_rate();
    divan::main();
}

struct Quiet;

impl Progress for Quiet {
    fn planned(&self, _: usize) {}
    fn finished(&self, _: &Outcome) {}
}

/// The files of the counter; `client` is appended to the file that declares the stack.
fn sources(client: &str) -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tso/src/layers");
    let mut files: Vec<(String, String)> = fs::read_dir(folder)
        .expect("the layers of the counter")
        .map(|entry| entry.expect("a readable folder").path())
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("a readable file")))
        .collect();
    files.sort();
    for (path, text) in &mut files {
        if path.ends_with("/counter.rs") {
            text.push_str(client);
        }
    }
    files
}

fn lower(files: &[(String, String)]) -> Lowered {
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    lower_sources(&files)
}

fn check(lowered: &Lowered, end_to_end: bool) -> Vec<(Outcome, Duration)> {
    let options = Options { end_to_end, ..Options::default() };
    check_program(lowered, &options, &Quiet, &AtomicBool::new(false))
}

/// Three processes that count up, then down.
const CLIENT: &str = "
#[client(CounterOnTso, processes(3))]
fn up_down(process: u64, top: &mut impl Counter) {
    let up = top.inc();
    let down = top.dec();
    top.print(up + down);
}
";

/// Searches the larger client once, and prints the rate.
fn print_rate() {
    let lowered = lower(&sources(CLIENT));
    let started = Instant::now();
    let outcomes = check(&lowered, true);
    let elapsed = started.elapsed();
    for (outcome, time) in &outcomes {
        println!(
            "{} with {}: {}, {} configurations in {:.3} s: {:.0} a second",
            outcome.name.operation,
            outcome.name.against,
            outcome.verdict.name(),
            outcome.states,
            time.as_secs_f64(),
            outcome.states as f64 / time.as_secs_f64()
        );
    }
    println!("all clients: {:.3} s", elapsed.as_secs_f64());
}

#[divan::bench]
fn read(bencher: divan::Bencher) {
    let files = sources("");
    bencher.bench(|| lower(&files));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn check_all(bencher: divan::Bencher) {
    let lowered = lower(&sources(""));
    bencher.bench(|| check(&lowered, false));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn search_two_and_three_processes(bencher: divan::Bencher) {
    let lowered = lower(&sources(""));
    bencher.bench(|| check(&lowered, true));
}
