//! Tests of editing: findings appear and disappear at the right places, verdicts stay until there are new ones, and quick fixes work.

mod support;

use serde_json::{Value, json};
use support::{Client, FIXTURE, Workspace, apply, at, position};

/// Opens the fixture with this text in a new client, and waits until everything is settled.
fn opened(text: &str) -> (Workspace, Client, String) {
    let workspace = Workspace::new(text);
    let mut client = Client::open(&workspace);
    let uri = workspace.uri("src/lib.rs");
    client.did_open(&uri, text);
    client.settle();
    (workspace, client, uri)
}

/// The quick fixes offered at `needle`, by title.
fn fixes(client: &mut Client, uri: &str, text: &str, needle: &str) -> Vec<(String, Value)> {
    let start = position(text, needle, 0);
    let params = json!({ "textDocument": { "uri": uri }, "range": { "start": start, "end": start }, "context": { "diagnostics": [] } });
    let actions = client.request("textDocument/codeAction", params);
    let actions = actions.as_array().cloned().unwrap_or_default();
    actions.into_iter().map(|it| (it["title"].as_str().unwrap_or_default().to_owned(), it["edit"].clone())).collect()
}

#[test]
fn a_workspace_without_mistakes_has_no_findings() {
    let (_workspace, client, uri) = opened(FIXTURE);
    assert_eq!(client.findings(&uri), Vec::<String>::new());
}

#[test]
fn a_wrong_claim_is_found_and_fixed() {
    let (_workspace, mut client, uri) = opened(FIXTURE);
    let wrong = FIXTURE.replacen("#[op]\n    fn acquire", "#[op(left)]\n    fn acquire", 1);
    let version = client.did_change(&uri, &wrong);
    client.settle();
    let published = client.diagnostics(&uri).expect("something was published").clone();
    assert_eq!(published["version"], version);
    let found = &published["diagnostics"][0];
    assert_eq!(found["range"]["start"], position(&wrong, "left)", 0));
    assert_eq!(found["source"], "cspec");
    assert!(found["codeDescription"]["href"].as_str().is_some_and(|it| it.ends_with(".md")), "{found}");
    assert!(found["relatedInformation"].as_array().is_some_and(|it| it.len() == 2), "{found}");

    let offered = fixes(&mut client, &uri, &wrong, "left)");
    let titles: Vec<&str> = offered.iter().map(|(title, _)| title.as_str()).collect();
    assert_eq!(
        titles,
        ["Correct the claim: change `left` to `non`", "Remove the claim: the mover type of `acquire` is then inferred"]
    );
    for (_, edit) in &offered {
        let fixed = apply(edit, &uri, &wrong);
        client.did_change(&uri, &fixed);
        client.settle();
        assert_eq!(client.findings(&uri), Vec::<String>::new(), "{fixed}");
    }
    assert_eq!(apply(&offered[1].1, &uri, &wrong), FIXTURE);
}

#[test]
fn a_missing_pass_through_is_added() {
    let (_workspace, mut client, uri) = opened(FIXTURE);
    let wrong = FIXTURE.replacen(", pass(print)", "", 1);
    client.did_change(&uri, &wrong);
    client.settle();
    assert!(client.findings(&uri)[0].contains("CS0201"), "{:?}", client.findings(&uri));
    let offered = fixes(&mut client, &uri, &wrong, "CriticalSection {");
    assert_eq!(offered[0].0, "Pass `print` on to the layer below");
    let fixed = apply(&offered[0].1, &uri, &wrong);
    assert_eq!(fixed, FIXTURE);
    client.did_change(&uri, &fixed);
    client.settle();
    assert_eq!(client.findings(&uri), Vec::<String>::new());
}

#[test]
fn a_missing_procedure_is_stubbed() {
    let start = FIXTURE.find("    fn inc(lo").expect("it is there");
    let end = FIXTURE[start..].find("    }\n").expect("it ends") + start + "    }\n".len();
    let wrong = format!("{}{}", &FIXTURE[..start], &FIXTURE[end..]);
    let (_workspace, mut client, uri) = opened(&wrong);
    let offered = fixes(&mut client, &uri, &wrong, "CriticalSection {");
    assert_eq!(offered[0].0, "Write a stub of `inc`");
    let stubbed = apply(&offered[0].1, &uri, &wrong);
    assert!(
        stubbed
            .contains("impl CriticalSection {\n\n    fn inc(lo: &mut impl Lock) -> u64 {\n        todo!()\n    }\n}\n")
            || stubbed.contains(
                "impl CriticalSection {\n    fn inc(lo: &mut impl Lock) -> u64 {\n        todo!()\n    }\n}\n"
            ),
        "{stubbed}"
    );
    client.did_change(&uri, &stubbed);
    client.settle();
    assert!(!client.findings(&uri).iter().any(|it| it.contains("CS0201")), "{:?}", client.findings(&uri));
}

#[test]
fn a_missing_rule_of_a_protocol_is_added() {
    let (_workspace, mut client, uri) = opened(FIXTURE);
    let wrong = FIXTURE.replacen("#[allowed(release, read, write)]", "#[allowed(release, read)]", 1);
    client.did_change(&uri, &wrong);
    client.settle();
    let published = client.diagnostics(&uri).expect("something was published")["diagnostics"].clone();
    let found = published.as_array().expect("a list").first().expect("a finding").clone();
    let start = found["range"]["start"].clone();
    let params = json!({ "textDocument": { "uri": uri }, "range": { "start": start, "end": start }, "context": { "diagnostics": [] } });
    let actions = client.request("textDocument/codeAction", params);
    let action = actions
        .as_array()
        .expect("a list")
        .iter()
        .find(|it| it["title"] == "Allow `write` only where `by_owner` holds");
    let action = action.unwrap_or_else(|| panic!("{found:#} {actions:#}"));
    assert_eq!(apply(&action["edit"], &uri, &wrong), FIXTURE);
    client.did_change(&uri, FIXTURE);
    client.settle();
    assert_eq!(client.findings(&uri), Vec::<String>::new());
}

#[test]
fn while_brackets_do_not_match_only_that_is_new() {
    let wrong = FIXTURE.replacen("#[op]\n    fn acquire", "#[op(left)]\n    fn acquire", 1);
    let (_workspace, mut client, uri) = opened(&wrong);
    let before = client.findings(&uri);
    assert!(!before.is_empty());

    let broken = wrong.replacen("fn release(&mut self, me: Pid) {", "fn release(&mut self, me: Pid) {{", 1);
    client.did_change(&uri, &broken);
    client.settle();
    let after = client.findings(&uri);
    let new: Vec<&String> = after.iter().filter(|it| it.contains("CS0101")).collect();
    assert_eq!(new.len(), 1, "{after:#?}");
    assert_eq!(after.len(), before.len() + 1, "the old findings stay: {before:#?} {after:#?}");

    client.did_change(&uri, &wrong);
    client.settle();
    assert_eq!(client.findings(&uri), before);
}

#[test]
fn an_unsaved_text_wins_over_the_disk_until_it_is_closed() {
    let (_workspace, mut client, uri) = opened(FIXTURE);
    let wrong = FIXTURE.replacen("#[op]\n    fn acquire", "#[op(left)]\n    fn acquire", 1);
    client.did_change(&uri, &wrong);
    client.settle();
    assert!(!client.findings(&uri).is_empty());
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    client.settle();
    assert_eq!(client.findings(&uri), Vec::<String>::new());
}

#[test]
fn files_changed_by_others_are_read_again() {
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::open(&workspace);
    let uri = workspace.uri("src/lib.rs");
    client.settle();
    assert_eq!(client.findings(&uri), Vec::<String>::new());
    workspace.write("src/lib.rs", &FIXTURE.replacen("#[op]\n    fn acquire", "#[op(left)]\n    fn acquire", 1));
    client.notify("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": uri, "type": 2 }] }));
    client.settle();
    assert!(!client.findings(&uri).is_empty());
}

#[test]
fn hover_shows_the_row_of_the_matrix() {
    let (_workspace, mut client, uri) = opened(FIXTURE);
    let text = client.wait("the matrix", |client| {
        let hover = client.request("textDocument/hover", at(&uri, FIXTURE, "acquire(&mut", 0));
        let text = hover["contents"]["value"].as_str().unwrap_or_default().to_owned();
        text.contains("| past |").then_some(text)
    });
    expect_test::expect![[r#"
        operation **`acquire()`** of layer `RawLock`

        mover type: **non**

        | past | right | left |
        |---|---|---|
        | `acquire` | yes | yes |
        | `release` | **no** | **no** |
        | `read` | yes | yes |
        | `write` | yes | yes |
        | `print` | yes | yes |

        1 proved
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_client_may_ask_for_findings_instead() {
    let workspace = Workspace::new(FIXTURE);
    let mut capabilities = support::capabilities();
    capabilities["workspace"]["diagnostics"] = json!({ "refreshSupport": true });
    let settings = json!({ "status": true, "diagnostics": { "mode": "pull" } });
    let mut client = Client::open_with(&workspace, &capabilities, &settings);
    let uri = workspace.uri("src/lib.rs");
    client.did_open(&uri, FIXTURE);
    client.settle();
    let pull = |client: &mut Client, last: &Value| {
        let params = json!({ "textDocument": { "uri": uri }, "previousResultId": last });
        client.request("textDocument/diagnostic", params)
    };
    let empty = pull(&mut client, &Value::Null);
    assert_eq!(empty["items"], json!([]));

    client.heard.clear();
    client.did_change(&uri, &FIXTURE.replacen("#[op]\n    fn acquire", "#[op(left)]\n    fn acquire", 1));
    client.settle();
    assert!(client.heard.iter().any(|it| it["method"] == "workspace/diagnostic/refresh"), "it is told to ask again");
    assert!(client.diagnostics(&uri).is_none(), "nothing is sent that is asked for");
    let found = pull(&mut client, &empty["resultId"]);
    assert!(found["items"].as_array().is_some_and(|it| !it.is_empty()), "{found}");
    assert!(found["items"][0]["codeDescription"]["href"].is_string(), "{found}");
    let again = pull(&mut client, &found["resultId"]);
    assert_eq!(again, json!({ "kind": "unchanged", "resultId": found["resultId"] }));
}

#[test]
fn a_finding_points_at_the_other_operation_and_at_the_transition_taken() {
    // `write` gets a choice, so that the taken transition has to be shown.
    let text = FIXTURE.replacen(
        "        self.value = value;",
        "        if maybe() {\n            self.value = value;\n        }",
        1,
    );
    let wrong = text.replacen("#[op]\n    fn read", "#[op(left)]\n    fn read", 1);
    let (_workspace, client, uri) = opened(&wrong);
    let found = client.diagnostics(&uri).expect("there are findings")["diagnostics"][0].clone();
    let related = found["relatedInformation"].as_array().cloned().unwrap_or_default();
    let line = |it: &Value| {
        let line = it["location"]["range"]["start"]["line"].as_u64().expect("a number") as usize;
        let shown = wrong.lines().nth(line).unwrap_or_default().trim();
        format!("{}: {shown}\n", it["message"].as_str().unwrap_or_default())
    };
    let related: String = related.iter().map(line).collect();
    expect_test::expect![[r#"
        what `Counter::inc` allows: fn inc(&mut self, me: Pid) -> u64 {
        the transition taken by p0: write(1) → (): if maybe() {
    "#]]
    .assert_eq(&related);
}

#[test]
fn an_operation_that_nothing_enables_is_shown_as_not_needed() {
    let text = FIXTURE.replacen(
        "        when(self.owner.is_none());\n        self.owner = Some(me);",
        "        when(self.owner.is_none() && self.owner.is_some());",
        1,
    );
    let (_workspace, client, uri) = opened(&text);
    let published = client.diagnostics(&uri).expect("there are findings")["diagnostics"].clone();
    let never = published.as_array().expect("a list").iter().find(|it| it["code"] == "CS1001");
    let never = never.unwrap_or_else(|| panic!("{published:#}"));
    assert_eq!((&never["tags"], &never["severity"]), (&json!([1]), &json!(2)));
}

#[test]
fn a_verdict_says_that_it_waits_or_is_old() {
    let workspace = Workspace::new("");
    workspace.copy(&support::repository().join("cmail/src"), "src");
    let mut client = Client::open(&workspace);
    let uri = workspace.uri("src/layers/deliver.rs");
    let text = std::fs::read_to_string(workspace.path("src/layers/deliver.rs")).expect("it was copied");
    client.did_open(&uri, &text);
    client.settle();
    let lenses = |client: &mut Client| {
        let lenses = client.request("textDocument/codeLens", json!({ "textDocument": { "uri": uri } }));
        let title = |it: &Value| it["command"]["title"].as_str().unwrap_or_default().to_owned();
        lenses.as_array().expect("a list").iter().map(title).collect::<Vec<_>>().join("\n")
    };
    let settled = lenses(&mut client);
    assert!(settled.contains("proved") && !settled.contains("stale") && !settled.contains("queued"), "{settled}");

    // The request follows the edit immediately: it is answered before anything can be explored.
    client.did_change(&uri, &text.replacen("pub struct", "/// Another comment.\npub struct", 1));
    assert_eq!(lenses(&mut client), settled, "a comment makes nothing old");
    let place = text.find("fn link_mail(&mut self").expect("it is there");
    let body = place + text[place..].find("{\n").expect("it has a body") + 2;
    client.did_change(&uri, &format!("{}        let edit: u64 = 17;\n{}", &text[..body], &text[body..]));
    let during = lenses(&mut client);
    assert!(during.contains("stale") && (during.contains("queued") || during.contains("running")), "{during}");
    client.settle();
    assert_eq!(lenses(&mut client), settled);
}
