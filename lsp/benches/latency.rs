//! How long a user waits, through the real program: distributions over many edits of the `tso` workspace. `cargo bench -p cspec-lsp`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use support::{Client, Workspace, at, repository};

const OPENINGS: usize = 5;
const EDITS: usize = 40;

fn main() {
    let workspace = Workspace::new("");
    workspace.copy(&repository().join("tso/src"), "src");
    let uri = workspace.uri("src/layers/raw_lock.rs");
    let text = std::fs::read_to_string(workspace.path("src/layers/raw_lock.rs")).expect("it was copied");

    let mut cold = Vec::new();
    for _ in 0..OPENINGS {
        let start = Instant::now();
        let mut client = Client::open(&workspace);
        wait_for_status(&mut client, "settled");
        cold.push(start.elapsed());
    }
    print("opening, cold, to all verdicts", cold);

    let mut client = Client::open(&workspace);
    client.did_open(&uri, &text);
    client.settle();
    let (mut first, mut all) = (Vec::new(), Vec::new());
    // Beginning with a mistake: what is as before is not published again.
    for number in 1..=EDITS {
        let start = Instant::now();
        let version = client.did_change(&uri, &edited(&text, number));
        wait_for_publication(&mut client, &uri, version);
        first.push(start.elapsed());
        wait_for_status(&mut client, "settled");
        all.push(start.elapsed());
    }
    print("edit of an operation to its first verdict", first);
    print("edit of an operation to all verdicts", all);

    // There is a finding below, which moves.
    let wrong = edited(&text, 1);
    client.did_change(&uri, &wrong);
    client.settle();
    let mut comments = Vec::new();
    for number in 0..EDITS {
        let start = Instant::now();
        let version = client.did_change(&uri, &format!("{}{wrong}", "// A comment.\n".repeat(number + 1)));
        wait_for_publication(&mut client, &uri, version);
        comments.push(start.elapsed());
    }
    print("comment to findings in their new places", comments);

    client.did_change(&uri, &text);
    let memory = workspace.uri("src/layers/memory.rs");
    let memory_text = std::fs::read_to_string(workspace.path("src/layers/memory.rs")).expect("it was copied");
    client.did_open(&memory, &memory_text);
    let mut hovers = Vec::new();
    for number in 0..8 {
        let changed = memory_text.replacen(
            "let seen = self.load",
            &format!("let _ = {number};\n        let seen = self.load"),
            1,
        );
        client.did_change(&memory, &changed);
        for _ in 0..12 {
            let start = Instant::now();
            client.request("textDocument/hover", at(&uri, &text, "RawLock for", 0));
            hovers.push(start.elapsed());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    print("hover while a run is under way", hovers);
}

/// The text with a claim that is wrong every other time, and a body that never was there before.
fn edited(text: &str, number: usize) -> String {
    let claim = if number % 2 == 1 { "#[op(left)]" } else { "#[op]" };
    let body = format!("{claim}\n    fn acquire(&mut self, me: Pid) -> bool {{\n        let _ = {number};");
    text.replacen("#[op]\n    fn acquire(&mut self, me: Pid) -> bool {", &body, 1)
}

fn wait_for_publication(client: &mut Client, uri: &str, version: i32) {
    client.wait("the findings of the new text", |client| {
        let published = client.diagnostics(uri)?;
        (published["version"].as_i64() >= Some(version.into())).then_some(())
    });
}

/// Waits for the last word on the run: that the package is in this phase.
fn wait_for_status(client: &mut Client, phase: &str) {
    client.wait("the end of the run", |client| {
        let status = client.heard.iter().rfind(|it| it["method"] == "cspec/status")?;
        (status["params"]["packages"][0]["phase"] == phase).then_some(())
    });
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1000.0;
    println!("{what:45} p50 {:7.1} ms   p95 {:7.1} ms   max {:7.1} ms   n {}", at(50), at(95), at(100), times.len());
}
