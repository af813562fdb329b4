//! Sends messages that no editor would send: valid messages with pieces removed, swapped and inserted at random, and bytes that are not a
//! message. The server keeps running and answers every request exactly once, and nothing else. Afterwards its answers are those of a
//! freshly started server.
//!
//! `CSPEC_HOSTILE=100000` in the environment sets the number of messages.

mod support;
mod survives;

use fastrand::Rng;
use serde_json::{Value, json};
use support::{Client, FIXTURE, Workspace};
use survives::{framed, survives};

/// Requests and notifications that an editor sends, with sensible parameters; except those that end a session.
fn messages(uri: &str) -> Vec<(&'static str, Value)> {
    let document = json!({ "uri": uri });
    let place = json!({ "line": 12, "character": 9 });
    let range = json!({ "start": place, "end": { "line": 14, "character": 0 } });
    let at = json!({ "textDocument": document, "position": place });
    let item = json!({ "name": "acquire", "kind": 6, "uri": uri, "range": range, "selectionRange": range });
    let edited =
        json!({ "textDocument": { "uri": uri, "version": 7 }, "contentChanges": [{ "range": range, "text": "x" }] });
    let whole = json!({ "textDocument": { "uri": uri, "version": 8 }, "contentChanges": [{ "text": FIXTURE }] });
    vec![
        ("initialize", json!({ "processId": null, "rootUri": null, "capabilities": {} })),
        ("initialized", json!({})),
        (
            "textDocument/didOpen",
            json!({ "textDocument": { "uri": uri, "languageId": "rust", "version": 1, "text": FIXTURE } }),
        ),
        ("textDocument/didChange", edited),
        ("textDocument/didChange", whole),
        ("textDocument/didSave", json!({ "textDocument": document })),
        ("textDocument/didClose", json!({ "textDocument": document })),
        ("textDocument/hover", at.clone()),
        ("textDocument/definition", at.clone()),
        ("textDocument/declaration", at.clone()),
        ("textDocument/implementation", at.clone()),
        ("textDocument/documentHighlight", at.clone()),
        ("textDocument/prepareCallHierarchy", at.clone()),
        ("textDocument/completion", at.clone()),
        (
            "textDocument/references",
            json!({ "textDocument": document, "position": place, "context": { "includeDeclaration": true } }),
        ),
        ("callHierarchy/incomingCalls", json!({ "item": item })),
        ("callHierarchy/outgoingCalls", json!({ "item": item })),
        ("textDocument/inlayHint", json!({ "textDocument": document, "range": range })),
        ("textDocument/codeLens", json!({ "textDocument": document })),
        (
            "textDocument/codeAction",
            json!({ "textDocument": document, "range": range, "context": { "diagnostics": [] } }),
        ),
        ("textDocument/documentSymbol", json!({ "textDocument": document })),
        ("textDocument/foldingRange", json!({ "textDocument": document })),
        ("textDocument/semanticTokens/full", json!({ "textDocument": document })),
        ("textDocument/diagnostic", json!({ "textDocument": document })),
        ("workspace/symbol", json!({ "query": "acquire" })),
        ("workspace/executeCommand", json!({ "command": "cspec.check", "arguments": [] })),
        ("workspace/executeCommand", json!({ "command": "cspec.stop", "arguments": [] })),
        (
            "workspace/executeCommand",
            json!({ "command": "cspec.runAtScope", "arguments": [{ "obligation": "x", "package": "fixture" }] }),
        ),
        (
            "workspace/didChangeConfiguration",
            json!({ "settings": { "cspec": { "codeLenses": true, "scope": { "entries": 1 } } } }),
        ),
        ("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": uri, "type": 2 }] })),
        ("cspec/layers", Value::Null),
        (
            "cspec/counterexample",
            json!({ "package": "fixture", "obligation": "movers:left-mover::Lock:acquire:release" }),
        ),
        ("$/cancelRequest", json!({ "id": 3 })),
        ("$/setTrace", json!({ "value": "off" })),
        ("textDocument/unheardOf", json!({})),
    ]
}

/// A value of the wrong kind.
fn odd(random: &mut Rng) -> Value {
    match random.u8(..12) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(u64::MAX),
        4 => json!(i64::MIN),
        5 => json!(1e300),
        6 => json!(""),
        7 => json!("\u{1f980}\u{0}\u{202e}".repeat(random.usize(1..400))),
        8 => json!("file:///nowhere/at/all.rs"),
        9 => json!([]),
        10 => json!({}),
        _ => (0..100).fold(json!(0), |inner, _| json!([inner])),
    }
}

/// Changes one part of a value at random.
fn change(value: &mut Value, random: &mut Rng) {
    match value {
        Value::Object(fields) if !fields.is_empty() && random.u8(..6) > 0 => {
            let key = fields.keys().nth(random.usize(..fields.len())).expect("there are so many").clone();
            match random.u8(..5) {
                0 => drop(fields.remove(&key)),
                _ => change(&mut fields[&key], random),
            }
        }
        Value::Array(elements) if !elements.is_empty() && random.u8(..6) > 0 => {
            let at = random.usize(..elements.len());
            match random.u8(..5) {
                0 => drop(elements.remove(at)),
                1 => elements.push(elements[at].clone()),
                _ => change(&mut elements[at], random),
            }
        }
        Value::Number(_) if random.bool() => *value = json!(random.u32(..40)),
        _ => *value = odd(random),
    }
}

/// Random bytes that are not a message.
fn noise(random: &mut Rng) -> Vec<u8> {
    let mut bytes =
        b"{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/hover\",\"params\":{\"textDocument\":{}}}".to_vec();
    for _ in 0..=random.usize(..3) {
        let at = random.usize(..bytes.len());
        match random.u8(..3) {
            _ if bytes.len() == 1 => bytes[at] = b'!',
            0 => bytes[at] = random.u8(..),
            1 => drop(bytes.remove(at)),
            _ => bytes.truncate(at + 1),
        }
    }
    bytes
}

#[test]
fn random_messages_are_answered_once_or_ignored() {
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::open(&workspace);
    let uri = workspace.uri("src/lib.rs");
    client.did_open(&uri, FIXTURE);
    let all = messages(&uri);
    let count: usize = std::env::var("CSPEC_HOSTILE").ok().and_then(|it| it.parse().ok()).unwrap_or(1_500);
    let mut random = Rng::with_seed(1);
    let mut asked = Vec::new();
    for number in 0..count {
        let (method, mut params) = all[random.usize(..all.len())].clone();
        for _ in 0..random.usize(..3) {
            change(&mut params, &mut random);
        }
        match random.u8(..20) {
            0 => client.write_raw(&framed(&noise(&mut random))),
            // A response to a request that was never made.
            1 => client.send(&json!({ "jsonrpc": "2.0", "id": 70_000 + number, "result": params })),
            2..=6 => client.notify(method, params),
            _ => {
                // Printed only if the test fails.
                let text = params.to_string();
                let id = client.ask(method, params);
                println!("{id}: {method} {}", text.get(..400).unwrap_or(&text));
                asked.push((id, method));
            }
        }
    }
    for (id, method) in asked {
        let answer = client.answer(&id);
        let is_one = answer.get("result").is_some() != answer.get("error").is_some();
        assert!(is_one, "{method}: {answer}");
        assert!(answer["error"]["code"] != -32603, "an internal error: {method}: {answer}");
    }
    client.notify("workspace/didChangeConfiguration", json!({ "settings": { "cspec": { "status": true } } }));
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    let wrong = FIXTURE.replacen("#[op]\n    fn acquire", "#[op(left)]\n    fn acquire", 1);
    client.did_open(&uri, &wrong);
    client.settle();
    let fresh = {
        let workspace = Workspace::new(&wrong);
        let mut client = Client::open(&workspace);
        client.settle();
        client.findings(&workspace.uri("src/lib.rs"))
    };
    assert!(!fresh.is_empty());
    assert_eq!(client.findings(&uri), fresh);
    assert!(client.shut_down().success());
}

/// Frames are also cut, joined and announced with wrong lengths.
#[test]
fn random_bytes_are_survived() {
    let all = messages("file:///nowhere/src/lib.rs");
    for seed in 0..60 {
        let mut random = Rng::with_seed(seed);
        let mut stream = Vec::new();
        for number in 0..random.usize(1..40) {
            let (method, mut params) = all[random.usize(..all.len())].clone();
            change(&mut params, &mut random);
            let body = json!({ "jsonrpc": "2.0", "id": number, "method": method, "params": params });
            match random.u8(..6) {
                0 => stream.extend(noise(&mut random)),
                _ => stream.extend(framed(body.to_string().as_bytes())),
            }
        }
        for _ in 0..random.usize(..3) {
            let at = random.usize(..=stream.len());
            match random.u8(..4) {
                0 => stream.truncate(at),
                _ => stream.insert(at, random.u8(..)),
            }
        }
        survives(&stream);
    }
}
