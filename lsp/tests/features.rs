//! Tests of the requests that the server answers about the fixture, with the answers in a readable form.

mod support;

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use support::{Client, FIXTURE, Workspace, at, offset};

/// Opens the fixture with a new client, and waits until the matrix of movers is known.
fn opened() -> (Workspace, Client, String) {
    let workspace = Workspace::new(FIXTURE);
    let mut client = Client::open(&workspace);
    let uri = workspace.uri("src/lib.rs");
    client.did_open(&uri, FIXTURE);
    client.settle();
    client.wait("the matrix", |client| {
        let params = at(&uri, FIXTURE, "acquire(&mut", 0);
        let hover = client.request("textDocument/hover", params);
        hover["contents"]["value"].as_str().is_some_and(|it| it.contains("| past |")).then_some(())
    });
    (workspace, client, uri)
}

/// The line that a range starts in, with the range marked.
fn shown(range: &Value) -> String {
    let (start, end) = (offset(FIXTURE, &range["start"]), offset(FIXTURE, &range["end"]));
    let line = FIXTURE[..start].rfind('\n').map_or(0, |it| it + 1);
    let rest = FIXTURE[end..].find('\n').map_or(FIXTURE.len(), |it| it + end);
    format!("{}⟦{}⟧{}", FIXTURE[line..start].trim_start(), &FIXTURE[start..end], &FIXTURE[end..rest])
}

/// The places of an answer, one on each line.
fn places(answer: &Value) -> String {
    let places = answer.as_array().cloned().unwrap_or_default();
    places.iter().map(|it| format!("{}\n", shown(&it["range"]))).collect()
}

/// The text with its inlay hints inserted.
fn with_hints(client: &mut Client, uri: &str, text: &str) -> String {
    let end = json!({ "line": 10_000, "character": 0 });
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": end });
    let hints = client.request("textDocument/inlayHint", json!({ "textDocument": { "uri": uri }, "range": range }));
    let mut text = text.to_owned();
    for hint in hints.as_array().expect("a list").iter().rev() {
        let at = offset(&text, &hint["position"]);
        text.insert_str(at, &format!("«{}»", hint["label"].as_str().expect("a word")));
    }
    text
}

#[test]
fn hints_stand_where_claims_would_and_before_calls() {
    let (_workspace, mut client, uri) = opened();
    let text = with_hints(&mut client, &uri, FIXTURE);
    let marked = text.lines().zip(text.lines().skip(1)).filter(|(line, _)| line.contains('«'));
    let marked: String = marked
        .map(|(line, next)| match line.contains("#[op") {
            true => format!("{} {}\n", line.trim(), next.trim()),
            false => format!("{}\n", line.trim()),
        })
        .collect();
    expect![[r#"
        #[op«(non)»] fn acquire(&mut self, me: Pid) {
        #[op«(non)»] fn release(&mut self, me: Pid) {
        #[op«(non)»] fn read(&mut self, me: Pid) -> u64 {
        #[op«(non)»] fn write(&mut self, me: Pid, value: u64) {
        #[layer(inherit(RawLock: init, print«: non»))]
        #[op«(non)»] fn inc(&mut self, me: Pid) -> u64 {
        lo.«right:»acquire();
        let seen = lo.«right:»read();
        lo.«right:»write(seen.saturating_add(1));
        lo.«commit:»release();
    "#]]
    .assert_eq(&marked);
}

/// A protocol layer does not contain the text of its operations, even of those that the layer below inherits.
#[test]
fn a_protocol_layer_has_no_hints() {
    let rules = "#[layer(protocol = Counter)]\nimpl Quiet for Locked {\n    #[allowed(inc)]\n    fn always(&self, me: Pid) -> bool { true }\n}\n";
    let text = format!("{FIXTURE}{rules}");
    let workspace = Workspace::new(&text);
    let mut client = Client::open(&workspace);
    let uri = workspace.uri("src/lib.rs");
    client.did_open(&uri, &text);
    client.settle();
    let hinted = client.wait("the mover types", |client| {
        Some(with_hints(client, &uri, &text)).filter(|it| it.contains("print«: non»"))
    });
    assert!(hinted.ends_with(rules), "{hinted}");
}

#[test]
fn lenses_count_verdicts() {
    let (_workspace, mut client, uri) = opened();
    let lenses = client.request("textDocument/codeLens", json!({ "textDocument": { "uri": uri } }));
    let lens = |it: &Value| format!("{}: {}\n", shown(&it["range"]), it["command"]["title"].as_str().expect("a title"));
    let lenses: String = lenses.as_array().expect("a list").iter().map(lens).collect();
    expect![[r#"
        impl ⟦RawLock⟧ for Locked {: 5 proved
        fn ⟦acquire⟧(&mut self, me: Pid) {: 1 proved
        fn ⟦release⟧(&mut self, me: Pid) {: 1 proved
        fn ⟦read⟧(&mut self, me: Pid) -> u64 {: 1 proved
        fn ⟦write⟧(&mut self, me: Pid, value: u64) {: 1 proved
        fn ⟦print⟧(&mut self, me: Pid, value: u64) {: 1 proved
        impl ⟦Lock⟧ for Locked {: 18 proved
        impl ⟦Counter⟧ for Locked {: 2 proved
        fn ⟦inc⟧(&mut self, me: Pid) -> u64 {: 1 proved
        impl ⟦CriticalSection⟧ {: 3 checked to scope · 19 proved
        impl ⟦CriticalSection⟧ {: run at scope…
        fn ⟦inc⟧(lo: &mut impl Lock) -> u64 {: 3 checked to scope
        pub type ⟦CounterStack⟧<L> = CriticalSection<L>;: 1 checked to scope · 2 proved
        pub type ⟦CounterStack⟧<L> = CriticalSection<L>;: run at scope…
    "#]]
    .assert_eq(&lenses);
}

#[test]
fn the_outline_has_layers_and_their_operations() {
    let (_workspace, mut client, uri) = opened();
    let symbols = client.request("textDocument/documentSymbol", json!({ "textDocument": { "uri": uri } }));
    fn outline(symbols: &Value, depth: usize) -> String {
        let line = |it: &Value| {
            let (name, detail) = (it["name"].as_str().unwrap_or_default(), it["detail"].as_str().unwrap_or_default());
            format!("{:indent$}{name}  {detail}\n{}", "", outline(&it["children"], depth + 1), indent = 2 * depth)
        };
        symbols.as_array().map(|it| it.iter().map(line).collect()).unwrap_or_default()
    }
    expect![[r#"
        RawLock  layer over Locked · 5 proved
          acquire  () · 1 proved
          release  () · 1 proved
          read  () -> u64 · 1 proved
          write  (value: u64) · 1 proved
          print  (value: u64) · 1 proved
        Lock  layer over Locked · 18 proved
        Counter  layer over Locked · 2 proved
          print  (value: u64) · 1 proved
          inc  () -> u64 · 1 proved
        CriticalSection  Counter over Lock by movers · 3 checked to scope · 19 proved
          print  3 proved
          inc  3 checked to scope
        CounterStack  stack · 1 checked to scope · 2 proved
    "#]]
    .assert_eq(&outline(&symbols, 0));
    let found = client.request("workspace/symbol", json!({ "query": "acq" }));
    assert_eq!(found[0]["name"], "acquire");
    assert_eq!(found[0]["containerName"], "RawLock");
}

#[track_caller]
fn check_places(method: &str, needle: &str, n: usize, expected: &Expect) {
    let (_workspace, mut client, uri) = opened();
    let mut params = at(&uri, FIXTURE, needle, n);
    params["context"] = json!({ "includeDeclaration": true });
    expected.assert_eq(&places(&client.request(method, params)));
}

#[test]
fn a_call_leads_to_the_operation() {
    check_places(
        "textDocument/definition",
        "acquire();",
        0,
        &expect![[r#"
        fn ⟦acquire⟧(&mut self, me: Pid) {
    "#]],
    );
}

#[test]
fn a_procedure_leads_to_what_it_implements() {
    check_places(
        "textDocument/definition",
        "inc(lo",
        0,
        &expect![[r#"
        fn ⟦inc⟧(&mut self, me: Pid) -> u64 {
    "#]],
    );
}

#[test]
fn an_operation_leads_down_to_its_procedure() {
    check_places(
        "textDocument/implementation",
        "inc(&mut self",
        0,
        &expect![[r#"
        fn ⟦inc⟧(lo: &mut impl Lock) -> u64 {
    "#]],
    );
}

#[test]
fn an_operation_leads_up_to_what_is_made_of_it() {
    check_places(
        "textDocument/declaration",
        "acquire();",
        0,
        &expect![[r#"
        fn ⟦inc⟧(&mut self, me: Pid) -> u64 {
    "#]],
    );
}

#[test]
fn references_cross_layers() {
    check_places(
        "textDocument/references",
        "print(&mut",
        0,
        &expect![[r#"
        fn ⟦print⟧(&mut self, me: Pid, value: u64) {
        #[layer(inherit(RawLock: init, ⟦print⟧))]
    "#]],
    );
}

/// Two modules with a layer, an implementation and a stack of the same names.
const TWINS: &str = "
use cspec::prelude::*;

#[state]
pub struct Cell {
    pub n: u64,
}

pub mod left {
    use super::*;

    #[layer]
    impl Store for Cell {
        #[op]
        fn put(&mut self, me: Pid) {
            self.n = 1;
        }
    }
}

pub mod right {
    use super::*;

    #[layer(inherit(super::left::Store: put))]
    impl Store for Cell {}

    #[implement(super::left::Store, over = Store, by = movers, pass(put))]
    impl Same {}

    #[stack]
    pub type Whole<L> = Same<L>;
}

pub mod other {
    use super::{left as first, right::Store};

    #[implement(first::Store, over = Store, by = movers)]
    impl Same {
        fn put(lo: &mut impl Store) {
            lo.put();
        }
    }

    #[stack]
    pub type Whole<L> = self::Same<L>;
}
";

/// Checks that definition and references at the `n`-th `needle` find the same places, given as occurrence numbers.
#[track_caller]
fn check_twins(needle: &str, same: &[usize]) {
    let workspace = Workspace::new(TWINS);
    let mut client = Client::open(&workspace);
    let uri = workspace.uri("src/lib.rs");
    client.did_open(&uri, TWINS);
    client.settle();
    let mut params = at(&uri, TWINS, needle, same[0]);
    params["context"] = json!({ "includeDeclaration": true });
    let answer = client.request("textDocument/references", params);
    let found: Vec<&Value> = answer.as_array().expect("a list").iter().map(|it| &it["range"]["start"]).collect();
    let places: Vec<Value> = same.iter().map(|n| at(&uri, TWINS, needle, *n)["position"].clone()).collect();
    assert_eq!(found, places.iter().collect::<Vec<_>>(), "{needle}");
}

#[test]
fn layers_that_share_a_name_are_told_apart() {
    // `left::Store` is declared, inherited from, and implemented twice.
    check_twins("Store", &[0, 1, 3, 6]);
    // `right::Store` is declared, implemented over, imported by `use`, implemented over, and run over.
    check_twins("Store", &[2, 4, 5, 7, 8]);
}

#[test]
fn implementations_and_stacks_that_share_a_name_are_told_apart() {
    check_twins("Same", &[0, 1]);
    check_twins("Same", &[2, 3]);
    check_twins("Whole", &[0]);
    check_twins("Whole", &[1]);
}

#[test]
fn the_call_hierarchy_goes_down_the_stack() {
    let (_workspace, mut client, uri) = opened();
    let items = client.request("textDocument/prepareCallHierarchy", at(&uri, FIXTURE, "inc(&mut", 0));
    let calls = client.request("callHierarchy/outgoingCalls", json!({ "item": items[0] }));
    let name = |it: &Value| {
        format!("{} of {}", it["name"].as_str().unwrap_or_default(), it["detail"].as_str().unwrap_or_default())
    };
    let down: Vec<String> = calls.as_array().expect("a list").iter().map(|it| name(&it["to"])).collect();
    assert_eq!(down, ["acquire of Lock", "release of Lock", "read of Lock", "write of Lock"]);
    let calls = client.request("callHierarchy/incomingCalls", json!({ "item": calls[0]["to"] }));
    assert_eq!(name(&calls[0]["from"]), "inc of Counter");
    assert_eq!(places(&json!([{ "range": calls[0]["fromRanges"][0] }])), "lo.⟦acquire⟧();\n");
}

/// The completions at the `$0` in `after`, which replaces `before` in the fixture.
fn offered(client: &mut Client, uri: &str, before: &str, after: &str) -> String {
    let marked = FIXTURE.replacen(before, after, 1);
    let text = marked.replacen("$0", "", 1);
    client.did_change(uri, &text);
    let items = client.request("textDocument/completion", at(uri, &marked, "$0", 0));
    let items = items.as_array().cloned().unwrap_or_default();
    items.iter().map(|it| it["label"].as_str().expect("a word")).collect::<Vec<_>>().join(" ")
}

#[test]
fn completion_knows_attributes_and_the_layer_below() {
    let (_workspace, mut client, uri) = opened();
    let cases = [
        ("lo.acquire();", "lo.$0", "acquire release read write print"),
        ("#[op(external)]", "#[op($0)]", "right left both non external"),
        ("release, read, write", "release, $0", "acquire release read write print"),
        ("over = Lock", "over = $0", "RawLock Lock Counter"),
        ("by = movers", "by = $0", "movers retry abstraction partition search"),
        ("pass(print)", "pass($0)", "inc print"),
        ("RawLock: init, print", "RawLock: $0", "acquire release read write print"),
        ("let seen = lo.read", "let seen = $0", ""),
    ];
    for (before, after, expected) in cases {
        assert_eq!(offered(&mut client, &uri, before, after), expected, "{after}");
    }
}

#[test]
fn a_counterexample_is_a_document_with_two_columns() {
    let (workspace, mut client, uri) = opened();
    let wrong = FIXTURE.replacen("#[op]\n    fn read", "#[op(left)]\n    fn read", 1);
    client.did_change(&uri, &wrong);
    client.settle();
    let data = client.diagnostics(&uri).expect("there are findings")["diagnostics"][0]["data"].clone();
    let params = json!({ "command": "cspec.showCounterexample", "arguments": [data] });
    let text = client.request("workspace/executeCommand", params);
    let text = text.as_str().expect("a document").replace(&workspace.uri(""), "file:///w/");
    expect![[r#"
        # `read` of `RawLock` is not a left mover: it does not commute with `write`

        CS0302 · left-mover · **violated**

        | possible                           | other order                        |
        |------------------------------------|------------------------------------|
        | `Locked { value: 0, owner: None }` | `Locked { value: 0, owner: None }` |
        | [p1: write(1) → ()][1]             | [p0: read() → 0, not 1][2]         |
        | `value: 0 → 1`                     | nothing changes                    |
        | [p0: read() → 1][2]                |                                    |
        | nothing changes                    |                                    |

        ✗ in the other order `read` cannot return 1

        - [lib.rs:30][3] — claimed here  
          `#[op(left)]`
        - [lib.rs:31][2] — `read` of `RawLock`  
          `fn read(&mut self, me: Pid) -> u64 {`
        - [lib.rs:36][1] — the other operation  
          `fn write(&mut self, me: Pid, value: u64) {`

        **What to do:** correct the claim, or weaken one of the two operations until both orders agree

        [1]: file:///w/src/lib.rs#L36
        [2]: file:///w/src/lib.rs#L31
        [3]: file:///w/src/lib.rs#L30
    "#]]
    .assert_eq(&text);
    // The client can show documents. The server may request that before or after the answer.
    client.wait("the document", |client| {
        client.heard.iter().any(|it| it["method"] == "window/showDocument").then_some(())
    });
}
