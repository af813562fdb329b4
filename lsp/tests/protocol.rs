//! Tests of the protocol, and of clients that violate it: floods of messages, cancelled requests, malformed messages, kills. After each of
//! them the server gives the same answers as a freshly started one.

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Client, FIXTURE, Workspace, at, capabilities, position};

/// The fixture with a false claim.
fn wrong() -> String {
    FIXTURE.replacen("#[op]\n    fn acquire", "#[op(left)]\n    fn acquire", 1)
}

/// The findings of a server that has only ever seen this text.
fn fresh_findings(text: &str) -> Vec<String> {
    let workspace = Workspace::new(text);
    let mut client = Client::open(&workspace);
    client.settle();
    client.findings(&workspace.uri("src/lib.rs"))
}

#[test]
fn a_thousand_edits_a_millisecond_apart_are_applied_in_order() {
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::open(&workspace);
    let uri = workspace.uri("src/lib.rs");
    client.did_open(&uri, FIXTURE);
    // Each edit inserts a digit after the previous one, so another order would give another number.
    let start = position(FIXTURE, "//!", 0);
    let line = start["line"].as_u64().expect("a number");
    let mut written = String::new();
    for number in 0..1000 {
        let column = 3 + written.len();
        let place = json!({ "line": line, "character": column });
        let digit = (number % 10).to_string();
        client.did_edit(&uri, &json!([{ "range": { "start": place, "end": place }, "text": digit }]));
        written.push_str(&digit);
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut text = FIXTURE.replacen("//!", &format!("//!{written}"), 1);
    // The position of the finding shows that the last edit was applied to the right text.
    let claim = position(&text, "#[op]\n    fn acquire", 0);
    let place = json!({ "line": claim["line"], "character": claim["character"].as_u64().expect("a number") + 4 });
    let version = client.did_edit(&uri, &json!([{ "range": { "start": place, "end": place }, "text": "(left)" }]));
    text = text.replacen("#[op]\n    fn acquire", "#[op(left)]\n    fn acquire", 1);
    client.settle();
    let published = client.diagnostics(&uri).expect("there are findings");
    assert_eq!(published["version"], version, "the last publication is about the last version");
    assert_eq!(client.findings(&uri), fresh_findings(&text));
}

#[test]
fn publications_never_go_back_in_versions() {
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::open(&workspace);
    let uri = workspace.uri("src/lib.rs");
    client.did_open(&uri, FIXTURE);
    for number in 0..200 {
        let text = if number % 2 == 0 { wrong() } else { FIXTURE.to_owned() };
        client.did_change(&uri, &text);
        client.listen(Duration::from_millis(number % 7));
    }
    client.settle();
    let versions = client.heard.iter().filter(|it| it["method"] == "textDocument/publishDiagnostics");
    let versions: Vec<i64> = versions.filter_map(|it| it["params"]["version"].as_i64()).collect();
    assert!(versions.is_sorted(), "{versions:?}");
    assert_eq!(client.findings(&uri), Vec::<String>::new());
}

#[test]
fn a_cancelled_request_has_one_answer_and_the_next_one_is_right() {
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::open(&workspace);
    let uri = workspace.uri("src/lib.rs");
    client.did_open(&uri, FIXTURE);
    client.settle();
    let mut ids = Vec::new();
    for _ in 0..50 {
        client.did_change(&uri, &wrong());
        let id = client.ask("textDocument/hover", at(&uri, &wrong(), "acquire(&mut", 0));
        client.notify("$/cancelRequest", json!({ "id": id }));
        // Cancel it again, and cancel a request that was never made.
        client.notify("$/cancelRequest", json!({ "id": id }));
        client.notify("$/cancelRequest", json!({ "id": 987_654 }));
        ids.push(id);
    }
    for id in &ids {
        let answer = client.answer(id);
        let cancelled = answer["error"]["code"] == -32800;
        assert!(cancelled || answer.get("result").is_some(), "{answer}");
    }
    let hover = client.request("textDocument/hover", at(&uri, &wrong(), "acquire(&mut", 0));
    assert!(hover["contents"]["value"].as_str().is_some_and(|it| it.contains("acquire")), "{hover}");
}

#[test]
fn ids_may_be_in_any_order_and_of_any_kind() {
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::open(&workspace);
    let uri = workspace.uri("src/lib.rs");
    client.did_open(&uri, FIXTURE);
    client.settle();
    let ids = [json!(900), json!("a word"), json!(3), json!("3"), json!(-7)];
    for id in &ids {
        let params = at(&uri, FIXTURE, "acquire(&mut", 0);
        client.send(&json!({ "jsonrpc": "2.0", "id": id, "method": "textDocument/hover", "params": params }));
    }
    for id in ids.iter().rev() {
        assert!(client.answer(id)["result"].is_object());
    }
}

#[test]
fn what_is_no_message_is_refused_and_the_next_one_is_read() {
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::open(&workspace);
    let framed = |body: &str| format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes();
    let cases: [(Vec<u8>, i64); 7] = [
        (framed("{\"jsonrpc\": "), -32700),
        (framed("\u{1f980}"), -32700),
        (b"Content-Length: 2\r\n\r\n\xff\xfe".to_vec(), -32700),
        (b"Content-Length: minus one\r\n\r\n".to_vec(), -32700),
        (b"Content-Type: text\r\n\r\n".to_vec(), -32700),
        (framed("[]"), -32600),
        (framed("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":7}"), -32600),
    ];
    for (bytes, code) in cases {
        client.write_raw(&bytes);
        let answer = client.answer(&Value::Null);
        assert_eq!(answer["error"]["code"], code, "{:?}: {answer}", String::from_utf8_lossy(&bytes));
        client.request("cspec/layers", Value::Null);
    }
    for (method, params, code) in [
        ("textDocument/unheardOf", json!({}), -32601),
        // A notification with an id: a client that sends one waits for a response.
        ("textDocument/didSave", json!({ "textDocument": { "uri": "file:///nowhere" } }), -32600),
        ("textDocument/hover", json!({ "nonsense": 1 }), -32602),
        ("workspace/executeCommand", json!({ "command": "rm", "arguments": [] }), -32602),
    ] {
        let id = client.ask(method, params);
        assert_eq!(client.answer(&id)["error"]["code"], code, "{method}");
    }
    assert!(client.shut_down().success());
}

#[test]
fn after_a_wrong_length_the_next_whole_message_is_read() {
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::open(&workspace);
    let body = json!({ "jsonrpc": "2.0", "id": 500, "method": "cspec/layers" }).to_string();
    for length in [0, 1, 10, body.len() - 1, body.len() + 3, body.len() + 40, usize::MAX] {
        client.write_raw(format!("Content-Length: {length}\r\n\r\n{body}").as_bytes());
        // The next bytes may be taken for part of the announced body; later ones may not.
        for _ in 0..4 {
            client.send(&json!({ "jsonrpc": "2.0", "id": "swallowed", "method": "cspec/layers" }));
        }
        client.request("cspec/layers", Value::Null);
    }
    assert!(client.shut_down().success());
}

#[test]
fn messages_may_come_in_pieces_or_glued_together() {
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::open(&workspace);
    let message = |id: i64| {
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": "cspec/layers" }).to_string();
        format!(
            "Content-Length: {}\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n{body}",
            body.len()
        )
    };
    for byte in message(1000).bytes() {
        client.write_raw(&[byte]);
    }
    client.write_raw(format!("{}{}", message(1001), message(1002)).as_bytes());
    for id in 1000..1003 {
        assert!(client.answer(&json!(id)).get("result").is_some());
    }
}

#[test]
fn requests_before_hello_and_after_goodbye_are_refused() {
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::start();
    let id = client.ask("textDocument/hover", at(&workspace.uri("src/lib.rs"), FIXTURE, "acquire", 0));
    assert_eq!(client.answer(&id)["error"]["code"], -32002);
    client.initialize(&workspace.uri(""), &capabilities(), &Value::Null);
    client.request("shutdown", Value::Null);
    let id = client.ask("textDocument/hover", at(&workspace.uri("src/lib.rs"), FIXTURE, "acquire", 0));
    assert_eq!(client.answer(&id)["error"]["code"], -32600);
}

#[test]
fn a_client_that_leaves_without_a_word_takes_the_server_along() {
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::open(&workspace);
    client.did_open(&workspace.uri("src/lib.rs"), FIXTURE);
    let start = Instant::now();
    let status = client.hang_up();
    assert_eq!(status.code(), Some(1), "the protocol asks for 1 without `shutdown`");
    assert!(start.elapsed() < Duration::from_secs(30), "it took {:?}", start.elapsed());
}

#[test]
#[cfg(unix)]
fn an_editor_that_dies_takes_the_server_along_though_the_input_stays_open() {
    let workspace = Workspace::new(FIXTURE);
    let mut editor = std::process::Command::new("sleep").arg("1000").spawn().expect("there is `sleep`");
    let mut client = Client::start();
    client.initialize_for(&workspace.uri(""), &support::capabilities(), &json!({}), &json!(editor.id()));
    client.request("cspec/layers", Value::Null);
    editor.kill().and_then(|()| editor.wait()).expect("it is our child");
    assert_eq!(client.wait_for_end().code(), Some(1));
}

#[test]
fn a_killed_server_starts_again_and_says_the_same() {
    let workspace = Workspace::new(&wrong());
    let uri = workspace.uri("src/lib.rs");
    let mut first = Client::open(&workspace);
    first.settle();
    let before = first.findings(&uri);
    first.did_open(&uri, FIXTURE);
    first.kill();
    let mut second = Client::open(&workspace);
    second.settle();
    assert!(!before.is_empty());
    assert_eq!(second.findings(&uri), before);
}

#[test]
fn odd_orders_of_document_events_are_survived() {
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::open(&workspace);
    let uri = workspace.uri("src/lib.rs");
    let change = |version: i32, text: &str| json!({ "textDocument": { "uri": uri, "version": version }, "contentChanges": [{ "text": text }] });
    client.notify("textDocument/didChange", change(5, "before it was opened"));
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    client.did_open(&uri, &wrong());
    client.did_open(&uri, FIXTURE);
    client.notify("textDocument/didChange", change(0, "an older version"));
    let reversed = json!({ "start": { "line": 9, "character": 0 }, "end": { "line": 1, "character": 0 } });
    client.notify(
        "textDocument/didChange",
        json!({ "textDocument": { "uri": uri, "version": 7 }, "contentChanges": [{ "range": reversed, "text": "x" }] }),
    );
    client.settle();
    assert_eq!(client.findings(&uri), Vec::<String>::new());
    let warnings = client.heard.iter().filter(|it| it["method"] == "window/logMessage").count();
    assert_eq!(warnings, 3, "each refused edit is told of");
}

#[test]
fn line_ends_and_wide_characters_do_not_shift_findings() {
    let wide = wrong().replacen("    #[op(left)]", "    /* \u{1f980}\u{e9}\u{20ac} */ #[op(left)]", 1);
    let crlf = wide.replace('\n', "\r\n");
    for (encoding, width) in [("utf-16", 4), ("utf-8", 9)] {
        for text in [&wide, &crlf] {
            let workspace = Workspace::new(text);
            let mut capabilities = capabilities();
            capabilities["general"]["positionEncodings"] = json!([encoding, "utf-16"]);
            let mut client = Client::open_with(&workspace, &capabilities, &Value::Null);
            let uri = workspace.uri("src/lib.rs");
            client.did_open(&uri, text);
            client.settle();
            let found = &client.diagnostics(&uri).expect("there are findings")["diagnostics"][0]["range"]["start"];
            let line = position(&wide, "#[op(left)]", 0)["line"].clone();
            // The columns are four spaces, `/* `, the wide characters, ` */ ` and `#[op(`.
            assert_eq!(*found, json!({ "line": line, "character": 4 + 3 + width + 4 + 5 }), "{encoding}");
        }
    }
}

#[test]
fn fifty_thousand_lines_are_answered() {
    let filler: String =
        (0..12_500).map(|it| format!("/// Number {it}.\nfn f{it}() {{\n    let _ = {it};\n}}\n")).collect();
    let text = format!("{}{filler}", wrong());
    assert!(text.lines().count() > 50_000);
    let workspace = Workspace::new(&text);
    let mut client = Client::open(&workspace);
    let uri = workspace.uri("src/lib.rs");
    client.did_open(&uri, &text);
    client.settle();
    assert_eq!(client.findings(&uri), fresh_findings(&wrong()));
    let end = json!({ "line": 40_000, "character": 0 });
    client.did_edit(&uri, &json!([{ "range": { "start": end, "end": end }, "text": "// \n" }]));
    let hover = client.request("textDocument/hover", at(&uri, &text, "acquire(&mut", 0));
    assert!(hover["contents"]["value"].as_str().is_some_and(|it| it.contains("acquire")));
}

#[test]
fn a_client_without_settings_is_asked_for_them_once() {
    let workspace = Workspace::new(FIXTURE);
    let mut capabilities = capabilities();
    capabilities["workspace"]["configuration"] = json!(true);
    // The client of these tests answers every request of the server with null.
    let mut client = Client::open_with(&workspace, &capabilities, &json!({ "status": true }));
    client.settle();
    client.notify("workspace/didChangeConfiguration", json!({ "settings": null }));
    client.settle();
    let asked = client.heard.iter().filter(|it| it["method"] == "workspace/configuration").count();
    assert_eq!(asked, 2, "at the start, and when told that they have changed");
    assert!(client.heard.iter().any(|it| it["method"] == "cspec/status"), "the settings it started with stay");
}

#[test]
fn settings_take_effect_when_they_change() {
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::open(&workspace);
    let uri = workspace.uri("src/lib.rs");
    client.did_open(&uri, FIXTURE);
    client.settle();
    let document = json!({ "textDocument": { "uri": uri } });
    assert!(client.request("textDocument/codeLens", document.clone()).is_array());
    let configure = |client: &mut Client, settings: Value| {
        client.notify("workspace/didChangeConfiguration", json!({ "settings": { "cspec": settings } }));
    };

    configure(&mut client, json!({ "status": true, "codeLenses": false, "scope": { "budget": 1 } }));
    client.settle();
    assert!(client.request("textDocument/codeLens", document.clone()).is_null());
    let undecided = |client: &mut Client| {
        client.request("cspec/layers", Value::Null)[0]["status"]["verdicts"]["undecided"].as_u64().expect("a number")
    };
    assert!(undecided(&mut client) > 0, "one step is not enough");

    configure(&mut client, json!({ "status": true, "check": "onCommand" }));
    client.settle();
    assert_eq!(undecided(&mut client), 0, "what was known in the usual scope is known again");
    client.did_change(&uri, &wrong());
    client.listen(Duration::from_millis(50));
    let layers = client.request("cspec/layers", Value::Null);
    assert_eq!(layers[0]["status"]["phase"], "notRun", "an edit does not start a run");
    client.request("workspace/executeCommand", json!({ "command": "cspec.check", "arguments": [] }));
    client.settle();
    assert_eq!(client.findings(&uri), fresh_findings(&wrong()));

    configure(&mut client, json!({ "check": "sometimes" }));
    client.wait("a word on settings that make no sense", |client| {
        let mut shown = client.heard.iter().filter(|it| it["method"] == "window/showMessage");
        shown.any(|it| it["params"]["message"].as_str().is_some_and(|it| it.contains("sometimes"))).then_some(())
    });
}

#[test]
fn several_folders_are_several_workspaces_and_come_and_go() {
    let (fine, other) = (Workspace::new(FIXTURE), Workspace::new(&wrong()));
    let mut client = Client::open(&fine);
    client.settle();
    let packages = |client: &mut Client| client.request("cspec/layers", Value::Null).as_array().map_or(0, Vec::len);
    assert_eq!(packages(&mut client), 1);

    let folder = json!({ "uri": other.uri("").trim_end_matches('/'), "name": "other" });
    let event = json!({ "event": { "added": [folder], "removed": [] } });
    client.notify("workspace/didChangeWorkspaceFolders", event);
    client.wait_polling("the second package", |client| (packages(client) == 2).then_some(()));
    client.settle();
    assert_eq!(client.findings(&fine.uri("src/lib.rs")), Vec::<String>::new());
    assert_eq!(client.findings(&other.uri("src/lib.rs")), fresh_findings(&wrong()));

    let event = json!({ "event": { "added": [], "removed": [folder] } });
    client.notify("workspace/didChangeWorkspaceFolders", event);
    client.settle();
    assert_eq!(packages(&mut client), 1);
    assert_eq!(client.findings(&other.uri("src/lib.rs")), Vec::<String>::new(), "its findings went with it");
}

#[test]
fn the_workspace_of_an_open_file_is_found_wherever_the_folder_is() {
    let workspace = Workspace::new(&wrong());
    let uri = workspace.uri("src/lib.rs");
    for folder in ["..", "src", "src/nowhere"] {
        let mut client = Client::start();
        client.initialize(&workspace.uri(folder), &capabilities(), &json!({ "status": true }));
        client.did_open(&uri, &wrong());
        client.settle();
        assert_eq!(client.findings(&uri), fresh_findings(&wrong()), "{folder}");
        assert_eq!(client.request("cspec/layers", Value::Null).as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn a_run_under_way_does_not_hold_up_the_end() {
    let workspace = Workspace::new("");
    workspace.copy(&support::repository().join("cmail/src"), "src");
    let mut client = Client::open(&workspace);
    client.wait("a run under way", |client| {
        let statuses = client.heard.iter().filter(|it| it["method"] == "cspec/status");
        statuses.map(|it| &it["params"]["packages"][0]["phase"]).any(|it| it == "queued").then_some(())
    });
    assert!(client.shut_down().success());
}

#[test]
fn what_rust_analyzer_does_in_the_same_buffer_is_left_to_it() {
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::start();
    let answer = client.initialize(&workspace.uri(""), &capabilities(), &Value::Null);
    let offered = answer["capabilities"].as_object().expect("it offers something");
    for other in [
        "renameProvider",
        "documentFormattingProvider",
        "documentRangeFormattingProvider",
        "documentOnTypeFormattingProvider",
        "signatureHelpProvider",
        "typeDefinitionProvider",
        "selectionRangeProvider",
        "linkedEditingRangeProvider",
    ] {
        assert!(!offered.contains_key(other), "{other}");
    }
    assert_eq!(answer["serverInfo"]["name"], "cspec-lsp");
    // Where rust-analyzer answers too, this server answers about layers only: not about fields, locals or types.
    let uri = workspace.uri("src/lib.rs");
    client.did_open(&uri, FIXTURE);
    client.settle();
    for (needle, n) in [("value: u64", 0), ("seen.saturating_add", 0), ("Locked {", 0), ("when(", 0)] {
        for method in ["textDocument/hover", "textDocument/definition", "textDocument/documentHighlight"] {
            let answer = client.request(method, at(&uri, FIXTURE, needle, n));
            assert!(answer.is_null(), "{method} on {needle}: {answer}");
        }
    }
}
