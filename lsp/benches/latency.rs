//! Measures how long a user waits for the real program: distributions over openings of the mail server and over edits of it, as wall time
//! and as CPU time of the server. `cargo bench -p cspec-lsp --bench latency`; a part by its name: `-- openings`, `edits`, `comments`,
//! `hovers`, `soak`.
//!
//! Every operation and every procedure is edited. An edit gives a body a text that it never had before, so that everything that depends on
//! it is explored again. The new text alternates between one that always panics and one with the old meaning. The first measured time ends
//! when a finding about the body appears or disappears; the second when the run that the edit started has reported that everything is
//! settled, and its findings were published.

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use camino::Utf8PathBuf;
use cspec_analysis::{
    ir::{Code, Justification, Span},
    session::Session,
    workspace::{self, Selection},
};
use serde_json::{Value, json};
use support::{Client, Workspace, at, repository};

const OPENINGS: usize = 7;
const COMMENTS: usize = 100;
/// The number of edits by a user who types five letters a second for an hour.
const SOAK: usize = 18_000;

/// A part of the benchmark, with its name.
type Part = (&'static str, fn(&Workspace));

fn main() {
    let workspace = Workspace::new("");
    workspace.copy(&repository().join("cmail/src"), "src");
    println!("load: {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());

    let parts: [Part; 5] =
        [("openings", openings), ("edits", edits), ("comments", comments), ("hovers", hovers), ("soak", soak)];
    let wanted: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    for (name, part) in parts {
        if wanted.is_empty() || wanted.iter().any(|it| it == name) {
            part(&workspace);
        }
    }
}

/// The body of an operation that a layer declares itself, or of a procedure.
struct Body {
    /// The name of the layer or the implementation.
    owner: String,
    name: String,
    uri: String,
    text: String,
    /// The offset of the name in its declaration.
    declared: usize,
}

impl Body {
    /// The text of the file with a new first statement in the body: one that always panics, or one that changes nothing.
    fn edited(&self, number: usize, panics: bool) -> String {
        let body = self.declared + self.text[self.declared..].find('{').expect("it has a body") + 1;
        let panics = if panics { "let _ = edit / (edit - edit);" } else { "" };
        format!("{} let edit: u64 = {number}; {panics}{}", &self.text[..body], &self.text[body..])
    }

    /// The obligations about this body with fresh findings in a publication.
    fn found(&self, published: &Value) -> BTreeSet<String> {
        let findings = published["diagnostics"].as_array().into_iter().flatten();
        let fresh = findings.map(|it| &it["data"]).filter(|it| it["stale"] == false);
        let ids = fresh.filter_map(|it| it["obligation"].as_str());
        ids.filter(|it| self.owes(it)).map(str::to_owned).collect()
    }

    /// Whether the obligation with this id is about this body.
    fn owes(&self, id: &str) -> bool {
        let parts: Vec<&str> = id.split(':').collect();
        matches!(parts[..], [_, _, implementation, layer, operation, ..]
            if operation == self.name && (implementation == self.owner || layer == self.owner))
    }
}

/// All bodies of the package that can be edited.
fn bodies(workspace: &Workspace) -> Vec<Body> {
    let manifest = Utf8PathBuf::from_path_buf(workspace.path("Cargo.toml")).expect("it is UTF-8");
    let selection = Selection { manifest_path: Some(manifest), workspace: true, ..Selection::default() };
    let mut session = Session::open(workspace::load(&selection).expect("there is a package"));
    let snapshot = session.snapshot();
    let package = &snapshot.packages()[0];
    let program = package.program();
    let mut named: Vec<(Span, String, String)> = Vec::new();
    let place = |function: cspec_analysis::ir::FunctionId| package.source_map().functions[function.0 as usize];
    for layer in &program.layers {
        let own = layer.operations.iter().filter(|it| !it.external);
        named.extend(own.map(|it| (place(it.function), layer.name.clone(), it.name.clone())));
    }
    for implementation in &program.implementations {
        let (Justification::Movers(code) | Justification::Retry(code)) = &implementation.by else { continue };
        for (name, code) in code {
            if let Code::Procedure(function) = code {
                named.push((place(*function), implementation.name.clone(), name.clone()));
            }
        }
    }
    let mut seen = BTreeSet::new();
    named.retain(|(span, ..)| seen.insert(*span));
    let body = |(span, owner, name): (Span, String, String)| {
        let file = &package.files[span.file as usize];
        let (uri, text) = (format!("file://{}", file.path), file.text.to_string());
        Body { owner, name, uri, text, declared: span.end as usize }
    };
    let all: Vec<Body> = named.into_iter().map(body).collect();
    // Some bodies must not begin with another statement.
    let can_be_edited = |body: &Body| {
        let path = Utf8PathBuf::from(&body.uri["file://".len()..]);
        let is_fine = [true, false].into_iter().all(|panics| {
            session.set_buffer(&path, body.edited(0, panics));
            session.snapshot().packages()[0].diagnostics.is_empty()
        });
        session.close_buffer(&path);
        is_fine
    };
    let (edited, left_out): (Vec<Body>, Vec<Body>) = all.into_iter().partition(can_be_edited);
    let left_out: Vec<String> = left_out.iter().map(|it| format!("{} {}", it.owner, it.name)).collect();
    println!("{} bodies are edited; not {left_out:?}", edited.len());
    edited
}

/// Openings of the package, without the cache and with it.
fn openings(workspace: &Workspace) {
    let mut cold = Series::new("opening, cold, to all verdicts");
    let mut warm = Series::new("opening, with the cache, to all verdicts");
    for _ in 0..OPENINGS {
        // There may be no cache yet.
        let _ = std::fs::remove_dir_all(workspace.path("target"));
        for series in [&mut cold, &mut warm] {
            let start = Instant::now();
            let mut client = Client::open(workspace);
            wait_for_opened(&mut client);
            series.add(start, cpu(&client));
            wait_for_cache(&mut client, workspace);
        }
    }
    cold.print();
    warm.print();
}

/// Opens the package with a new client, and waits until everything is settled.
fn opened(workspace: &Workspace) -> Client {
    let mut client = Client::open(workspace);
    wait_for_opened(&mut client);
    client
}

/// Edits of every body: the time to the first verdict about it, and to all verdicts.
fn edits(workspace: &Workspace) {
    let client = &mut opened(workspace);
    let mut first = Series::new("edit of a body to its first verdict");
    let mut panicking = Series::new("... to all verdicts, where it panics now");
    let mut meaning_the_same = Series::new("... to all verdicts, where it does not");
    let (mut number, mut unseen) = (0, 0);
    let mut slowest: Vec<(Duration, String)> = Vec::new();
    let bodies = bodies(workspace);
    for body in &bodies {
        client.did_open(&body.uri, &body.text);
        for panics in [true, false, true, false] {
            number += 1;
            let found = client.diagnostics(&body.uri).map(|it| body.found(it)).unwrap_or_default();
            let (start, before, heard) = (Instant::now(), cpu(client), client.heard.len());
            let version = client.did_change(&body.uri, &body.edited(number, panics));
            if wait_for_verdict(client, body, version, heard, &found) {
                first.add(start, cpu(client) - before);
            } else {
                unseen += 1;
            }
            wait_for_settled(client, heard);
            let all = if panics { &mut panicking } else { &mut meaning_the_same };
            all.add(start, cpu(client) - before);
            slowest.push((start.elapsed(), format!("{} {}", body.owner, body.name)));
        }
        client.notify("textDocument/didClose", json!({ "textDocument": { "uri": body.uri } }));
        client.settle();
        client.heard.clear();
    }
    first.print();
    panicking.print();
    meaning_the_same.print();
    println!("{:45} {unseen}", "edits that no finding tells of");
    slowest.sort();
    for (time, body) in slowest.iter().rev().take(5) {
        println!("  {:.0} ms: {body}", time.as_secs_f64() * 1000.0);
    }
}

/// Comments above a finding, which moves it: the time until the finding is published at its new place. Nothing has to be explored.
fn comments(workspace: &Workspace) {
    let client = &mut opened(workspace);
    let bodies = bodies(workspace);
    let body = bodies.iter().find(|it| it.name == "link_mail").expect("mail is linked");
    let wrong = body.edited(0, true);
    client.did_open(&body.uri, &wrong);
    client.settle();
    let heard = client.heard.len();
    let mut series = Series::new("comment to findings in their new places");
    for number in 1..=COMMENTS {
        let (start, before) = (Instant::now(), cpu(client));
        let version = client.did_change(&body.uri, &format!("{}{wrong}", "// A comment.\n".repeat(number)));
        client.wait("the finding in its new place", |client| {
            let published = client.diagnostics(&body.uri)?;
            (published["version"] == version && !body.found(published).is_empty()).then_some(())
        });
        series.add(start, cpu(client) - before);
    }
    series.print();
    let explored = client.heard[heard..].iter().filter(|it| is_phase(it, "queued") || is_phase(it, "running"));
    println!("{:45} {}", "comments after which something was explored", explored.count());
}

/// Hovers over every body during a run, which an edit of that body has started.
fn hovers(workspace: &Workspace) {
    let client = &mut opened(workspace);
    let mut series = Series::new("hover while a run is under way");
    for (number, body) in bodies(workspace).iter().enumerate() {
        client.did_open(&body.uri, &body.text);
        let heard = client.heard.len();
        client.did_change(&body.uri, &body.edited(number, false));
        while !is_settled(client, heard) {
            let (start, before) = (Instant::now(), cpu(client));
            client.request("textDocument/hover", at(&body.uri, &body.text, &format!("fn {}(", body.name), 0));
            series.add(start, cpu(client) - before);
            client.listen(Duration::from_millis(3));
        }
        client.notify("textDocument/didClose", json!({ "textDocument": { "uri": body.uri } }));
        client.settle();
        client.heard.clear();
    }
    series.print();
}

/// An hour of edits in a row: the memory of the server, and whether it keeps up.
fn soak(workspace: &Workspace) {
    const PIECES: [&str; 8] =
        ["// A comment.\n", "let edit: u64 = 1;", "{", "}", "assert!(me == me);", "when(false);", "(left)", "\n"];
    let client = &mut opened(workspace);
    let bodies = bodies(workspace);
    println!("{:45} {:>6.1} MB", "soak: memory when all is settled", memory(client));
    let mut random: u64 = 7;
    let mut below = |limit: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % limit
    };
    let mut most = 0.0;
    for number in 1..=SOAK / 10 {
        let body = &bodies[below(bodies.len())];
        client.did_open(&body.uri, &body.text);
        let mut text = body.text.clone();
        for letter in 0..10 {
            // Half of the edits change the meaning of a body; the others insert anything anywhere.
            text = if below(2) == 0 {
                body.edited(10 * number + letter, below(2) == 0)
            } else {
                let mut place = below(text.len());
                place = (0..=place).rev().find(|it| text.is_char_boundary(*it)).expect("0 is one");
                format!("{}{}{}", &text[..place], PIECES[below(PIECES.len())], &text[place..])
            };
            client.did_change(&body.uri, &text);
            client.listen(Duration::from_millis(below(20) as u64));
        }
        client.notify("textDocument/didClose", json!({ "textDocument": { "uri": body.uri } }));
        client.heard.clear();
        most = memory(client).max(most);
        if number % (SOAK / 100) == 0 {
            println!("{:45} {:>6.1} MB", format!("soak: memory after {} edits", 10 * number), memory(client));
        }
    }
    client.settle();
    println!("{:45} {:>6.1} MB, most {most:.1} MB", "soak: memory at the end, settled", memory(client));
}

/// Waits until a finding about the body has appeared or disappeared in this text. Returns whether that was before the end of the run.
fn wait_for_verdict(client: &mut Client, body: &Body, version: i32, heard: usize, before: &BTreeSet<String>) -> bool {
    client.wait("a verdict, or the end of the run", |client| {
        if let Some(published) = client.diagnostics(&body.uri).filter(|it| it["version"] == version) {
            let now = body.found(published);
            if now.difference(before).next().is_some() || before.difference(&now).next().is_some() {
                return Some(true);
            }
        }
        is_settled(client, heard).then_some(false)
    })
}

/// Waits until the packages are settled for the first time.
fn wait_for_opened(client: &mut Client) {
    client.wait("the first verdicts", |client| client.heard.iter().any(|it| is_phase(it, "settled")).then_some(()));
}

/// Waits until a message after the first `heard` ones reports that the packages are settled.
fn wait_for_settled(client: &mut Client, heard: usize) {
    client.wait("the end of the run", |client| is_settled(client, heard).then_some(()));
}

/// Whether a message after the first `heard` ones reports that the packages are settled. A run that starts with an edit first reports that
/// it is queued.
fn is_settled(client: &Client, heard: usize) -> bool {
    let new = &client.heard[heard..];
    let begun = new.iter().position(|it| is_phase(it, "queued"));
    begun.is_some_and(|begun| new[begun..].iter().any(|it| is_phase(it, "settled")))
}

/// The memory of the server, in millions of bytes.
fn memory(client: &Client) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", client.process_id())).unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0) / 1000.0
}

/// Waits until the server has stored its results, which it does in the background.
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

/// The CPU time of the server so far, over all of its threads.
fn cpu(client: &Client) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", client.process_id())).unwrap_or_default();
    // The name of the program, which may contain anything, is followed by the state and the numbers. Times are in hundredths of a second.
    let numbers = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = numbers.skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

/// Measured times of one operation.
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
