//! Tests of what the server and the command share: the cache of verdicts on disk, and the settings in manifests.

mod support;

use std::path::PathBuf;

use serde_json::{Value, json};
use support::{Client, FIXTURE, Workspace};

/// The files with results in the cache of a workspace.
fn kept(workspace: &Workspace) -> Vec<PathBuf> {
    let inside = |folder: PathBuf| {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.map(|it| it.expect("a readable folder").path())
    };
    inside(workspace.path("target/cspec/cache")).flat_map(inside).collect()
}

/// Waits until the server has stored its results, which it does in the background.
fn wait_for_kept(client: &mut Client, workspace: &Workspace) {
    client.wait_polling("results on the disk", |_| (!kept(workspace).is_empty()).then_some(()));
    let (mut before, mut unchanged) = (0, 0);
    client.wait_polling("the last result on the disk", |_| {
        let now = kept(workspace).len();
        unchanged = if now == std::mem::replace(&mut before, now) { unchanged + 1 } else { 0 };
        (unchanged == 20).then_some(())
    });
}

/// Whether anything was explored since the server started.
fn was_run(client: &Client) -> bool {
    let statuses = client.heard.iter().filter(|it| it["method"] == "cspec/status");
    statuses.map(|it| &it["params"]["packages"][0]["phase"]).any(|it| it == "queued" || it == "running")
}

/// The kind and the text of every message shown to the user.
fn shown(client: &Client) -> Vec<String> {
    let shown = client.heard.iter().filter(|it| it["method"] == "window/showMessage");
    shown.map(|it| it["params"]["message"].as_str().unwrap_or_default().to_owned()).collect()
}

fn manifest(table: &str) -> String {
    format!("[package]\nname = \"fixture\"\nedition = \"2024\"\n[package.metadata.cspec]\n{table}\n[workspace]\n")
}

#[test]
fn verdicts_outlive_the_server() {
    let workspace = Workspace::new(FIXTURE);
    let mut first = Client::open(&workspace);
    first.settle();
    assert!(was_run(&first));
    wait_for_kept(&mut first, &workspace);
    let before = first.request("cspec/layers", Value::Null);
    first.shut_down();

    let mut second = Client::open(&workspace);
    second.settle();
    assert!(!was_run(&second), "there is nothing to explore");
    assert_eq!(second.request("cspec/layers", Value::Null)[0]["status"]["verdicts"], before[0]["status"]["verdicts"]);
}

#[test]
fn a_damaged_result_is_found_out_anew() {
    let workspace = Workspace::new(FIXTURE);
    let mut first = Client::open(&workspace);
    first.settle();
    wait_for_kept(&mut first, &workspace);
    first.shut_down();
    for path in kept(&workspace) {
        std::fs::write(path, "cspec result 1\n{\"verdict\":\"proved\"}").expect("it is writable");
    }
    let mut second = Client::open(&workspace);
    second.settle();
    assert!(was_run(&second));
    assert_eq!(second.findings(&workspace.uri("src/lib.rs")), Vec::<String>::new());
}

#[test]
fn what_is_not_saved_is_not_kept() {
    let workspace = Workspace::new(FIXTURE);
    workspace.write("Cargo.toml", &manifest(""));
    let mut client = Client::open(&workspace);
    client.settle();
    wait_for_kept(&mut client, &workspace);
    let before = kept(&workspace).len();

    let uri = workspace.uri("src/lib.rs");
    let changed = FIXTURE.replacen("#[op]\n    fn acquire", "#[op(left)]\n    fn acquire", 1);
    client.did_open(&uri, FIXTURE);
    client.did_change(&uri, &changed);
    client.settle();
    assert!(!client.findings(&uri).is_empty());
    assert_eq!(kept(&workspace).len(), before);

    workspace.write("src/lib.rs", &changed);
    client.notify("textDocument/didSave", json!({ "textDocument": { "uri": uri } }));
    client.wait_polling("what is saved is kept", |_| (kept(&workspace).len() > before).then_some(()));
}

#[test]
fn a_manifest_can_say_that_nothing_is_kept() {
    let workspace = Workspace::new(FIXTURE);
    workspace.write("Cargo.toml", &manifest("cache = false"));
    let mut client = Client::open(&workspace);
    client.settle();
    client.shut_down();
    assert_eq!(kept(&workspace), Vec::<PathBuf>::new());
}

#[test]
fn the_scope_is_that_of_the_manifest_and_the_clients_over_it() {
    let workspace = Workspace::new(FIXTURE);
    workspace.write("Cargo.toml", &manifest("scope = { budget = 1 }"));
    let mut client = Client::open(&workspace);
    client.settle();
    let counts = client.request("cspec/layers", Value::Null)[0]["status"]["verdicts"].clone();
    assert!(counts["undecided"].as_u64() > Some(0), "one step is not enough: {counts}");
    client.shut_down();

    let settings = json!({ "status": true, "scope": { "budget": 1_000_000 } });
    let mut client = Client::open_with(&workspace, &support::capabilities(), &settings);
    client.settle();
    let counts = client.request("cspec/layers", Value::Null)[0]["status"]["verdicts"].clone();
    assert_eq!(counts["undecided"], 0, "{counts}");
}

#[test]
fn settings_that_make_no_sense_are_told_of_once() {
    let workspace = Workspace::new(FIXTURE);
    workspace.write("Cargo.toml", &manifest("bugdet = \"1m\""));
    let mut client = Client::open(&workspace);
    client.settle();
    let told = shown(&client);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("Cargo.toml") && told[0].contains("did you mean `budget`?"), "{told:?}");

    workspace.write("Cargo.toml", &manifest("scope = { Mesage = 3 }"));
    let uri = workspace.uri("Cargo.toml");
    client.notify("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": uri, "type": 2 }] }));
    client.wait("a word on the scalar", |client| {
        shown(client).iter().any(|it| it.contains("there is no bound `Mesage`")).then_some(())
    });
}

#[test]
fn a_workspace_that_cannot_be_read_is_told_of() {
    let workspace = Workspace::new(FIXTURE);
    workspace.write("Cargo.toml", "[package");
    let mut client = Client::open(&workspace);
    client.wait("a word on the manifest", |client| {
        shown(client).iter().any(|it| it.contains("cargo cannot read the workspace")).then_some(())
    });
    // The manifest is valid again.
    workspace.write("Cargo.toml", &manifest(""));
    let uri = workspace.uri("Cargo.toml");
    client.notify("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": uri, "type": 2 }] }));
    client.settle();
}
