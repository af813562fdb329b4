//! `cmail bench`: the mixed workload of the CSPEC paper (section 8.3), for the checked stack and for store routines written directly,
//! in the same run; `--net`, the same workload through SMTP and POP3; and `--durable`, durable deliveries through SMTP compared with
//! direct calls on files. Processes do the work, as in the server. The command measures; it does not judge.

mod mix;
mod net;
mod null;
mod plain;
mod plot;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

pub use mix::work as worker;

use crate::server::Failure;

/// The parameters of a benchmark.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The file system: a directory that exists.
    pub directory: PathBuf,
    /// The number of deliveries, and of pickups, in one run.
    pub iterations: u64,
    /// How often each run is repeated.
    pub rounds: usize,
    /// The numbers of processes.
    pub workers: Vec<usize>,
    /// The file for the chart, if any.
    pub plot: Option<PathBuf>,
}

/// The program that does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Subject {
    /// The checked stack, plan 1.
    List,
    /// The checked stack, plan 2.
    Retry,
    /// The plain routines, written directly with `std::fs`.
    Plain,
}

impl Subject {
    fn label(self) -> &'static str {
        match self {
            Subject::List => "CMail, plan 1",
            Subject::Retry => "CMail, plan 2",
            Subject::Plain => "std::fs",
        }
    }
}

/// One row of the result: a subject with a number of processes, in each round.
#[derive(Clone, Debug)]
struct Row {
    label: String,
    workers: usize,
    /// Requests per second, in ascending order.
    speeds: Vec<f64>,
    /// Microseconds of CPU time per request, in ascending order; empty if they were not counted.
    cpu: Vec<f64>,
}

/// The speed of one run.
#[derive(Clone, Copy, Debug)]
struct Speed {
    /// Requests per second of wall time.
    rate: f64,
    /// Microseconds of CPU time per request, user plus system. Unlike the rate, it hardly depends on other load.
    cpu: Option<f64>,
}

/// The CPU time and the duration of all processes together.
struct Effort {
    seconds: f64,
    cpu_seconds: f64,
}

impl Row {
    fn new(label: &str, workers: usize, runs: &[Speed]) -> Row {
        let mut speeds: Vec<f64> = runs.iter().map(|run| run.rate).collect();
        let mut cpu: Vec<f64> = runs.iter().filter_map(|run| run.cpu).collect();
        speeds.sort_by(f64::total_cmp);
        cpu.sort_by(f64::total_cmp);
        Row { label: label.to_owned(), workers, speeds, cpu }
    }

    fn median(&self) -> f64 {
        self.speeds[self.speeds.len() / 2]
    }

    fn median_cpu(&self) -> Option<f64> {
        self.cpu.get(self.cpu.len() / 2).copied()
    }
}

/// Runs the mixed workload, and prints a table.
pub fn mixed(bench: &Bench) -> Result<(), Failure> {
    let subjects = [Subject::Retry, Subject::List, Subject::Plain];
    let mut speeds = vec![vec![Vec::new(); bench.workers.len()]; subjects.len()];
    for _ in 0..bench.rounds.max(1) {
        for (column, workers) in bench.workers.iter().enumerate() {
            for (row, subject) in subjects.iter().enumerate() {
                speeds[row][column].push(mix::run(bench, *subject, *workers)?);
            }
        }
    }
    let mut rows = Vec::new();
    for (subject, of_subject) in subjects.iter().zip(speeds) {
        for (workers, speeds) in bench.workers.iter().zip(of_subject) {
            rows.push(Row::new(subject.label(), *workers, &speeds));
        }
    }
    println!(
        "requests per second: {} iterations of a delivery and a pickup, 100 users, nothing synced",
        bench.iterations
    );
    show(bench, &rows, "processes", "Requests per second, by processes")
}

/// Runs the mixed workload through SMTP and POP3, and prints a table.
pub fn network(bench: &Bench) -> Result<(), Failure> {
    let mut speeds = vec![Vec::new(); bench.workers.len()];
    for _ in 0..bench.rounds.max(1) {
        for (column, workers) in bench.workers.iter().enumerate() {
            speeds[column].push(Speed { rate: net::mixed(bench, *workers, CLIENTS)?, cpu: None });
        }
    }
    let rows: Vec<Row> = bench
        .workers
        .iter()
        .zip(speeds)
        .map(|(workers, speeds)| Row::new("CMail by sockets", *workers, &speeds))
        .collect();
    println!(
        "requests per second: {} iterations of a delivery by SMTP and a POP3 session, {CLIENTS} clients, 100 users, nothing synced",
        bench.iterations
    );
    show(bench, &rows, "workers", "Requests per second through SMTP and POP3, by workers")
}

/// The number of clients of the mixed workload through sockets.
const CLIENTS: usize = 8;

/// Runs durable deliveries through SMTP, and prints a table.
pub fn durable(bench: &Bench) -> Result<(), Failure> {
    let mut rows = Vec::new();
    // Keep them to the end: a file system may avoid recently deleted inodes, and search long for others.
    let mut roots = Vec::new();
    for connections in [1, 8, 32] {
        let labels = ["calls on files", "SMTP alone", "SMTP, calls", "CMail by SMTP"];
        let mut speeds = labels.map(|_| Vec::new());
        for _ in 0..bench.rounds.max(1) {
            let new = || Scratch::new(&bench.directory);
            let (of_bare, of_null, of_smtp) = (new()?, new()?, new()?);
            let rates = [
                net::bare(&of_bare.0, bench.iterations, connections)?,
                net::null(None, bench.iterations, connections)?,
                net::null(Some(&of_null.0), bench.iterations, connections)?,
                net::smtp(&of_smtp.0, bench.iterations, connections)?,
            ];
            for (speeds, rate) in speeds.iter_mut().zip(rates) {
                speeds.push(Speed { rate, cpu: None });
            }
            roots.extend([of_bare, of_null, of_smtp]);
        }
        rows.extend(labels.iter().zip(&speeds).map(|(label, speeds)| Row::new(label, connections, speeds)));
    }
    println!("durable deliveries per second: {} of 4 KiB each, 100 users", bench.iterations);
    show(bench, &rows, "connections", "Durable deliveries per second, by connections")
}

fn show(bench: &Bench, rows: &[Row], of: &str, title: &str) -> Result<(), Failure> {
    println!("{:<16} {of:>11} {:>10} {:>10} {:>10} {:>10}", "", "median", "least", "most", "CPU µs");
    for row in rows {
        let (least, most) = (row.speeds[0], row.speeds[row.speeds.len() - 1]);
        let cpu = row.median_cpu().map_or_else(|| "-".to_owned(), |cpu| format!("{cpu:.1}"));
        println!("{:<16} {:>11} {:>10.0} {least:>10.0} {most:>10.0} {cpu:>10}", row.label, row.workers, row.median());
    }
    match &bench.plot {
        Some(path) => Ok(std::fs::write(path, plot::draw(title, rows))?),
        None => Ok(()),
    }
}

/// A mail root that is removed when the value is dropped.
struct Scratch(PathBuf);

const USERS: u32 = 100;
/// The message of the mixed workload.
const MESSAGE: &str = "Hello world.";

impl Scratch {
    fn new(directory: &Path) -> Result<Scratch, Failure> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("cmail-bench-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let scratch = Scratch(directory.join(name));
        let root = crate::Root::init(&scratch.0)?;
        for user in 0..USERS {
            root.add_user(&user_name(user))?;
        }
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{}: {error}", self.0.display());
        }
    }
}

fn user_name(number: u32) -> String {
    format!("u{number}")
}

/// Copies of this program, as processes that start to work at the same time.
struct Crew(Vec<(Child, BufReader<ChildStdout>)>);

impl Crew {
    /// Starts the processes, and waits until all are ready.
    fn start(workers: usize, arguments: impl Fn(&mut Command)) -> Result<Crew, Failure> {
        let mut crew = Vec::new();
        for _ in 0..workers {
            let mut command = Command::new(std::env::current_exe()?);
            arguments(&mut command);
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
            let output = child.stdout.take().ok_or("no output")?;
            crew.push((child, BufReader::new(output)));
        }
        for (_, output) in &mut crew {
            output.read_line(&mut String::new())?;
        }
        Ok(Crew(crew))
    }

    /// Signals the processes to start, waits for them, and returns their total effort.
    fn work(mut self) -> Result<Effort, Failure> {
        let start = Instant::now();
        for (child, _) in &mut self.0 {
            child.stdin.take().ok_or("no input")?.write_all(b"\n")?;
        }
        let mut cpu_seconds = 0.0;
        for (child, output) in &mut self.0 {
            let mut used = String::new();
            output.read_line(&mut used)?;
            if !child.wait()?.success() {
                return Err("a process of the benchmark failed".into());
            }
            cpu_seconds += used.trim().parse::<f64>()?;
        }
        Ok(Effort { seconds: start.elapsed().as_secs_f64(), cpu_seconds })
    }
}
