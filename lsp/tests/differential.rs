//! After thousands of random edits in one session, the server and the engine report the same findings for the same text.
//!
//! `CSPEC_EDITS=10000 cargo test -p cspec-lsp --test differential -- --nocapture` makes this many edits and prints a summary.

mod support;

use cspec_analysis::{
    report::Options,
    session::{Request, Session, State},
    workspace::{self, Selection},
};
use fastrand::Rng;
use serde_json::{Value, json};
use support::{Client, FIXTURE, Workspace, offset};

/// The pieces that are inserted, deleted or replaced. Many of them make sense at some places.
const PIECES: [&str; 20] = [
    "(left)",
    "(right)",
    "(both)",
    "\n",
    " ",
    "// \u{1f980} a comment\n",
    "{",
    "}",
    "(",
    ")",
    ", write",
    "release",
    "acquire",
    "self.owner = None;",
    "when(self.owner.is_none());",
    "assert!(self.owner == Some(me));",
    "me",
    "lo.acquire();",
    "#[op]",
    ";",
];

/// The number of edits, unless `CSPEC_EDITS` sets another.
const EDITS: usize = 2_000;

/// One random edit as a protocol message, also applied to `text`; and the edit that undoes it.
fn edit(random: &mut Rng, text: &mut String) -> (Value, Value) {
    let lines: Vec<usize> = text.split('\n').map(|it| it.encode_utf16().count()).collect();
    let line = random.usize(..lines.len());
    let start = random.usize(..=lines[line]);
    let end = (start + random.usize(..12)).min(lines[line]);
    let new = if random.u8(..3) == 0 { "" } else { random.choice(PIECES).expect("there are pieces") };
    let range = json!({ "start": { "line": line, "character": start }, "end": { "line": line, "character": end } });
    let (from, to) = (offset(text, &range["start"]), offset(text, &range["end"]));
    let old = text[from..to.max(from)].to_owned();
    text.replace_range(from..to.max(from), new);
    let undone = json!({ "start": place(text, from), "end": place(text, from + new.len()) });
    (json!({ "range": range, "text": new }), json!({ "range": undone, "text": old }))
}

/// The position of an offset, in UTF-16 units.
fn place(text: &str, offset: usize) -> Value {
    let start = text[..offset].rfind('\n').map_or(0, |it| it + 1);
    json!({ "line": text[..offset].matches('\n').count(), "character": text[start..offset].encode_utf16().count() })
}

/// Applies a change to `text`.
fn apply(change: &Value, text: &mut String) {
    let range = &change["range"];
    let (from, to) = (offset(text, &range["start"]), offset(text, &range["end"]));
    text.replace_range(from..to, change["text"].as_str().expect("a text"));
}

/// The codes and offsets of all findings, by the engine alone.
fn by_engine(workspace: &Workspace, text: &str) -> Vec<String> {
    let manifest = camino::Utf8PathBuf::from_path_buf(workspace.path("Cargo.toml")).expect("it is UTF-8");
    let selection = Selection { manifest_path: Some(manifest), workspace: true, ..Selection::default() };
    let mut session = Session::open(workspace::load(&selection).expect("there is a package"));
    let file = camino::Utf8PathBuf::from_path_buf(workspace.path("src/lib.rs")).expect("it is UTF-8");
    session.set_buffer(&file, text);
    let snapshot = session.snapshot();
    let options = Options::default();
    snapshot.run(&Request::all(&options), &|_| {}, &Default::default());
    let mut found: Vec<_> = snapshot.packages()[0].diagnostics.clone();
    for listed in snapshot.obligations(0, &options) {
        if let State::Settled(outcome, _) = listed.state {
            found.extend(outcome.diagnostics);
        }
    }
    let mut found: Vec<String> =
        found.iter().map(|it| format!("{} {}..{} {}", it.code, it.span.start, it.span.end, it.message)).collect();
    found.sort();
    found.dedup();
    found
}

/// The codes and offsets of all findings, as the server published them.
fn by_server(client: &Client, uri: &str, text: &str) -> Vec<String> {
    let published = client.diagnostics(uri).map(|it| it["diagnostics"].clone()).unwrap_or(json!([]));
    let found = published.as_array().expect("a list").iter().map(|it| {
        let (start, end) = (offset(text, &it["range"]["start"]), offset(text, &it["range"]["end"]));
        let message = it["message"].as_str().unwrap_or_default().lines().next().unwrap_or_default();
        format!("{} {start}..{end} {message}", it["code"].as_str().unwrap_or_default())
    });
    let mut found: Vec<String> = found.collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn after_random_edits_the_server_agrees_with_a_cold_run() {
    let wanted = std::env::var("CSPEC_EDITS").ok().map_or(EDITS, |it| it.parse().expect("a number of edits"));
    let mut random = Rng::with_seed(20);
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::open(&workspace);
    let uri = workspace.uri("src/lib.rs");
    client.did_open(&uri, FIXTURE);
    let mut text = FIXTURE.to_owned();
    let (mut edits, mut compared, mut with_findings) = (0, 0, 0);
    while edits < wanted {
        // Most edits are undone; otherwise the text would soon make no sense at all.
        for _ in 0..10 + random.usize(..80) {
            let (change, undoing) = edit(&mut random, &mut text);
            client.did_edit(&uri, &json!([change]));
            edits += 1;
            if random.usize(..10) == 0 {
                // Some runs continue for a while.
                client.listen(std::time::Duration::from_millis(random.u64(..30)));
            }
            if random.usize(..20) > 0 {
                apply(&undoing, &mut text);
                client.did_edit(&uri, &json!([undoing]));
                edits += 1;
            }
        }
        client.settle();
        if client.request("cspec/layers", Value::Null)[0]["status"]["broken"] == true {
            // Old verdicts stay, and a cold run has none. When the original text is restored, they agree.
            client.did_change(&uri, FIXTURE);
            FIXTURE.clone_into(&mut text);
            client.settle();
        }
        let found = by_server(&client, &uri, &text);
        assert_eq!(found, by_engine(&workspace, &text), "after {edits} edits: {text}");
        compared += 1;
        with_findings += usize::from(!found.is_empty());
        if random.usize(..4) == 0 {
            client.did_change(&uri, FIXTURE);
            FIXTURE.clone_into(&mut text);
        }
    }
    println!("{edits} edits; {compared} texts were compared, {with_findings} of them with findings");
    assert!(compared >= wanted / 200 && with_findings >= wanted / 500, "too few of them");
}
