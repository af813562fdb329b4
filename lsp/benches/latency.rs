//! How long a user waits, through the real program: distributions over openings of the mail server and edits of its operations, as wall time
//! and as CPU time of the server. `cargo bench -p cspec-lsp --bench latency`; a part by its name: `-- openings`, `edits`, `comments`, `hovers`.
//!
//! An edit is of one operation, whose body never was there before; every other one plants a wrong claim. It ends for the user when the finding
//! about the operation comes or goes, and for all when the run that the edit began says that everything is settled.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Client, Workspace, at, repository};

const OPENINGS: usize = 7;
const EDITS: usize = 20;
const COMMENTS: usize = 60;

/// Operations all over the stack, in their files, with claims that do not hold.
const OPERATIONS: [(&str, &str, &str); 6] = [
    ("src/layers/deliver.rs", "link_mail", "left"),
    ("src/layers/mailbox.rs", "unlock", "left"),
    ("src/layers/deliver_list_pid.rs", "link_mail", "left"),
    ("src/layers/mail_fs_path.rs", "unlink", "right"),
    ("src/layers/mail_fs_path_abs.rs", "link_mail", "left"),
    ("src/layers/mail_fs_inode.rs", "unlink", "right"),
];

/// A part of the benchmark, and its name.
type Part = (&'static str, fn(&Workspace));

fn main() {
    let workspace = Workspace::new("");
    workspace.copy(&repository().join("cmail/src"), "src");
    println!("load: {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());

    let parts: [Part; 4] = [("openings", openings), ("edits", edits), ("comments", comments), ("hovers", hovers)];
    let wanted: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    for (name, part) in parts {
        if wanted.is_empty() || wanted.iter().any(|it| it == name) {
            part(&workspace);
        }
    }
}

/// Openings of the package: without a cache, and with it.
fn openings(workspace: &Workspace) {
    let mut cold = Series::new("opening, cold, to all verdicts");
    let mut warm = Series::new("opening, with the cache, to all verdicts");
    for _ in 0..OPENINGS {
        // Where there is none, there may be none.
        let _ = std::fs::remove_dir_all(workspace.path("target"));
        for series in [&mut cold, &mut warm] {
            let start = Instant::now();
            let mut client = Client::open(workspace);
            wait_for_settled(&mut client, 0);
            series.add(start, cpu(&client));
            wait_for_cache(&mut client, workspace);
        }
    }
    cold.print();
    warm.print();
}

/// A client for which everything is settled.
fn opened(workspace: &Workspace) -> Client {
    let mut client = Client::open(workspace);
    wait_for_settled(&mut client, 0);
    client
}

/// Edits of operations: to the first verdict, and to all.
fn edits(workspace: &Workspace) {
    let client = &mut opened(workspace);
    let mut first = Series::new("edit of an operation to its first verdict");
    let mut all = Series::new("edit of an operation to all verdicts");
    for (file, operation, claim) in OPERATIONS {
        let uri = workspace.uri(file);
        let text = std::fs::read_to_string(workspace.path(file)).expect("it was copied");
        client.did_open(&uri, &text);
        let (before_first, before_all) = (first.wall.len(), all.wall.len());
        for number in 1..=EDITS {
            let is_wrong = number % 2 == 1;
            let (start, before, heard) = (Instant::now(), cpu(client), client.heard.len());
            let version = client.did_change(&uri, &edited(&text, operation, is_wrong.then_some(claim), number));
            wait_for_verdict(client, &uri, version, operation, is_wrong);
            first.add(start, cpu(client) - before);
            wait_for_settled(client, heard);
            all.add(start, cpu(client) - before);
        }
        println!(
            "  {file} {operation}: first {:.1} ms, all {:.1} ms",
            median(&first.wall[before_first..]),
            median(&all.wall[before_all..])
        );
        client.did_change(&uri, &text);
        client.settle();
    }
    first.print();
    all.print();
}

/// Comments above a finding, which moves: to the finding in its new place. Nothing is to be explored.
fn comments(workspace: &Workspace) {
    let client = &mut opened(workspace);
    let (file, operation, claim) = OPERATIONS[0];
    let uri = workspace.uri(file);
    let text = std::fs::read_to_string(workspace.path(file)).expect("it was copied");
    let wrong = edited(&text, operation, Some(claim), 0);
    client.did_open(&uri, &text);
    let version = client.did_change(&uri, &wrong);
    wait_for_verdict(client, &uri, version, operation, true);
    client.settle();
    let heard = client.heard.len();
    let mut series = Series::new("comment to findings in their new places");
    for number in 0..COMMENTS {
        let (start, before) = (Instant::now(), cpu(client));
        let version = client.did_change(&uri, &format!("{}{wrong}", "// A comment.\n".repeat(number + 1)));
        wait_for_verdict(client, &uri, version, operation, true);
        series.add(start, cpu(client) - before);
    }
    series.print();
    let explored = client.heard[heard..].iter().filter(|it| is_phase(it, "queued") || is_phase(it, "running"));
    println!("{:45} {}", "comments after which something was explored", explored.count());
}

/// Hovers while a run is under way.
fn hovers(workspace: &Workspace) {
    let client = &mut opened(workspace);
    let (file, operation, _) = OPERATIONS[5];
    let uri = workspace.uri(file);
    let text = std::fs::read_to_string(workspace.path(file)).expect("it was copied");
    client.did_open(&uri, &text);
    let mut series = Series::new("hover while a run is under way");
    let mut missed = 0;
    for number in 0..10 {
        let heard = client.heard.len();
        client.did_change(&uri, &edited(&text, operation, None, 1000 + number));
        while !client.heard[heard..].iter().any(|it| is_phase(it, "settled")) && series.wall.len() < 40 * (number + 1) {
            let (start, before) = (Instant::now(), cpu(client));
            client.request("textDocument/hover", at(&uri, &text, &format!("{operation}(&mut self"), 0));
            series.add(start, cpu(client) - before);
            client.listen(Duration::from_millis(3));
            missed += usize::from(client.heard[heard..].iter().any(|it| is_phase(it, "settled")));
        }
        wait_for_settled(client, heard);
    }
    series.print();
    println!("{:45} {missed}", "of them perhaps after its end");
}

/// The text with another claim on an operation, and a body that never was there before.
fn edited(text: &str, operation: &str, claim: Option<&str>, number: usize) -> String {
    let place = text.find(&format!("    fn {operation}(&mut self")).expect("the operation is there");
    let attribute = text[..place].rfind("#[op").expect("it is marked");
    let body = place + text[place..].find("{\n").expect("it has a body") + 2;
    let claim = claim.map_or_else(|| "#[op]\n".to_owned(), |it| format!("#[op({it})]\n"));
    format!("{}{claim}{}        let _ = {number};\n{}", &text[..attribute], &text[place..body], &text[body..])
}

/// Waits until a finding about the operation is there, or is gone, in this text.
fn wait_for_verdict(client: &mut Client, uri: &str, version: i32, operation: &str, is_wrong: bool) {
    let start = format!("`{operation}` is not a ");
    client.wait("the verdict on the new text", |client| {
        let published = client.diagnostics(uri)?;
        let is_about = |it: &Value| {
            let message = it["message"].as_str().unwrap_or_default();
            message.starts_with(&start) && !message.contains("stale")
        };
        let found = published["diagnostics"].as_array()?.iter().any(is_about);
        (published["version"].as_i64() >= Some(version.into()) && found == is_wrong).then_some(())
    });
}

/// Waits until the packages are said to be settled in what was heard since; the run that begins with an edit first says that it is queued.
fn wait_for_settled(client: &mut Client, heard: usize) {
    client.wait("the end of the run", |client| {
        let new = &client.heard[heard.min(client.heard.len())..];
        let begun = if heard == 0 { Some(0) } else { new.iter().position(|it| is_phase(it, "queued")) };
        new[begun?..].iter().any(|it| is_phase(it, "settled")).then_some(())
    });
}

/// Waits until the server has written what it found out: it does so beside its other work.
fn wait_for_cache(client: &mut Client, workspace: &Workspace) {
    let mut before = usize::MAX;
    client.wait_polling("the cache", |client| {
        client.listen(Duration::from_millis(200));
        let groups = std::fs::read_dir(workspace.path("target/cspec/cache")).into_iter().flatten().flatten();
        let now = groups.map(|it| std::fs::read_dir(it.path()).into_iter().flatten().count()).sum();
        (std::mem::replace(&mut before, now) == now && now > 0).then_some(())
    });
}

fn is_phase(message: &Value, phase: &str) -> bool {
    message["method"] == "cspec/status" && message["params"]["packages"][0]["phase"] == json!(phase)
}

/// The CPU time of the server so far, in all of its threads.
fn cpu(client: &Client) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", client.process_id())).unwrap_or_default();
    // After the name of the program, which may contain anything, come the state and the numbers; time is counted in hundredths.
    let numbers = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = numbers.skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

/// Times of the same thing.
struct Series {
    what: &'static str,
    wall: Vec<Duration>,
    cpu: Vec<Duration>,
}

impl Series {
    fn new(what: &'static str) -> Series {
        Series { what, wall: Vec::new(), cpu: Vec::new() }
    }

    fn add(&mut self, start: Instant, cpu: Duration) {
        self.wall.push(start.elapsed());
        self.cpu.push(cpu);
    }

    fn print(&mut self) {
        let count = self.wall.len();
        for (kind, times) in [("wall", &mut self.wall), ("CPU", &mut self.cpu)] {
            times.sort();
            let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1000.0;
            let mean = times.iter().sum::<Duration>().as_secs_f64() * 1000.0 / count as f64;
            let (p50, p95, most) = (at(50), at(95), at(100));
            println!(
                "{:45} {kind:4} p50 {p50:7.1} ms   p95 {p95:7.1} ms   max {most:7.1} ms   mean {mean:7.1} ms   n {count}",
                self.what
            );
        }
    }
}

fn median(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}
