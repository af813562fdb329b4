//! Edits of the mail server: which queries run again, and which obligations are explored again.
//!
//! A comment, a blank line and a moved item change positions only. An edit of a body affects the queries that depend on its meaning.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, atomic::AtomicBool},
};

use camino::{Utf8Path, Utf8PathBuf};
use cspec_analysis::{
    report::Options,
    session::{Request, Session, Summary},
    verdict::ObligationName,
    workspace::Package,
};
use expect_test::{Expect, expect};

/// The mail server in a session, with all results, and the names of the queries that have run.
struct Server {
    session: Session,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn started() -> Server {
        let folder = Utf8Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cmail"));
        let log = Arc::new(Mutex::new(Vec::new()));
        let session = Session::with_events(vec![Package::library("cmail", folder, &folder.join("src/lib.rs"))], {
            let log = Arc::clone(&log);
            move |event| {
                if let salsa::EventKind::WillExecute { database_key } = event.kind {
                    let name = format!("{database_key:?}");
                    log.lock().expect("not poisoned").push(name.split('(').next().unwrap_or_default().to_owned());
                }
            }
        });
        let mut server = Server { session, log };
        assert!(server.run().explored.len() > 600);
        server
    }

    fn run(&mut self) -> Summary {
        self.session.snapshot().run(&Request::all(&Options::default()), &|_| {}, &AtomicBool::new(false))
    }

    fn file(&mut self, name: &str) -> (Utf8PathBuf, String) {
        let snapshot = self.session.snapshot();
        let file = snapshot.packages()[0].files.iter().find(|it| it.path.ends_with(name));
        let file = file.unwrap_or_else(|| panic!("there is no {name}"));
        (file.path.clone(), file.text.to_string())
    }

    /// Edits a file. Returns how often each query ran, and what was explored.
    #[track_caller]
    fn edit(
        &mut self,
        name: &str,
        edit: impl FnOnce(&str) -> String,
    ) -> (BTreeMap<String, usize>, Vec<ObligationName>) {
        let (path, text) = self.file(name);
        let edited = edit(&text);
        assert_ne!(edited, text);
        self.log.lock().expect("not poisoned").clear();
        self.session.set_buffer(&path, edited);
        assert_eq!(self.session.snapshot().packages()[0].diagnostics, []);
        let explored = self.run().explored.into_iter().map(|(_, name)| name).collect();
        let mut ran = BTreeMap::new();
        for name in self.log.lock().expect("not poisoned").drain(..) {
            *ran.entry(name).or_default() += 1;
        }
        (ran, explored)
    }

    /// Makes an edit without meaning, after which nothing may be planned or explored again. Returns how often each query ran.
    #[track_caller]
    fn check_nothing(&mut self, name: &str, edit: impl FnOnce(&str) -> String) -> BTreeMap<String, usize> {
        let (ran, explored) = self.edit(name, edit);
        assert_eq!(explored, []);
        assert!(!ran.contains_key("planned"), "{ran:?}");
        ran
    }
}

/// The names, one on each line.
fn lines(names: &[ObligationName]) -> String {
    names.iter().map(|it| format!("{}\n", it.id())).collect()
}

/// The number of obligations of each kind and owner.
fn digest(names: &[ObligationName]) -> String {
    let mut counts = BTreeMap::new();
    for it in names {
        let owner = if it.implementation.is_empty() { &it.layer } else { &it.implementation };
        *counts.entry(format!("{owner} {}", it.kind)).or_insert(0) += 1;
    }
    counts.iter().map(|(what, count)| format!("{what}: {count}\n")).collect()
}

#[test]
fn comments_and_blank_lines_explore_nothing() {
    let mut server = Server::started();
    let files: Vec<Utf8PathBuf> =
        server.session.snapshot().packages()[0].files.iter().map(|it| it.path.clone()).collect();
    let layers = files.iter().filter(|it| it.as_str().contains("/layers/"));
    for file in layers.filter_map(|it| it.file_name()).filter(|it| *it != "mod.rs") {
        let mut ran = server.check_nothing(&format!("layers/{file}"), |text| format!("// A comment.\n{text}"));
        // The items of the edited file are compared, and found to be equal.
        ran.remove("item");
        let queries: Vec<(&str, usize)> = ran.iter().map(|(query, times)| (query.as_str(), *times)).collect();
        let of_files = [("file_index", 1), ("heads", 1), ("indexed", 1), ("lowered", 1), ("modules", 1), ("parse", 1)];
        assert_eq!(queries, of_files);
        server.check_nothing(&format!("layers/{file}"), |text| {
            text.lines().map(|line| format!("{line} // Why.\n\n")).collect()
        });
    }
}

#[test]
fn a_moved_operation_explores_nothing() {
    let mut server = Server::started();
    let (_, explored) = server.edit("layers/deliver.rs", |text| {
        let start = text.find("    #[op]\n    fn link_mail(&mut self").expect("the operation is there");
        let end = start + text[start..].find("\n    }\n").expect("it ends") + "\n    }\n".len();
        let block = start + text[start..].find("\n}\n").expect("its block ends") + 1;
        format!("{}{}\n{}{}", &text[..start], &text[end..block], &text[start..end], &text[block..])
    });
    assert_eq!(explored, []);
}

#[test]
fn a_moved_block_explores_nothing() {
    let mut server = Server::started();
    let (_, explored) = server.edit("layers/deliver.rs", |text| {
        let start = text.find("#[implement(").expect("there is an implementation");
        let end = start + text[start..].find("\n}\n").expect("it ends") + "\n}\n".len();
        let first = text.find("#[layer").expect("there is a layer");
        format!("{}{}\n{}{}", &text[..first], &text[start..end], &text[first..start], &text[end..])
    });
    assert_eq!(explored, []);
}

#[track_caller]
fn edited_body(text: &str, header: &str) -> String {
    let start = text.find(header).unwrap_or_else(|| panic!("there is no {header}"));
    let body = start + text[start..].find("{\n").expect("it has a body") + 2;
    format!("{}        let edit: u64 = 1;\n{}", &text[..body], &text[body..])
}

#[track_caller]
fn check_body(name: &str, header: &str, expected: Expect, shown: fn(&[ObligationName]) -> String) {
    let mut server = Server::started();
    let (ran, explored) = server.edit(name, |text| edited_body(text, header));
    for query in ["parse", "body", "function", "lowered", "planned"] {
        assert_eq!(ran.get(query), Some(&1), "{query}: {ran:?}");
    }
    assert!(!ran.contains_key("declared"), "{ran:?}");
    expected.assert_eq(&shown(&explored));
}

#[test]
fn an_edited_procedure_explores_itself() {
    check_body(
        "layers/mailbox_tmp_abs.rs",
        "fn deliver(lo",
        expect![[r#"
        movers:atomic-spec:AtomicDeliver:MailboxTmpAbs:deliver:
        movers:shape:AtomicDeliver:MailboxTmpAbs:deliver:
        protocol:follows:AtomicDeliver:MailboxTmpAbs:deliver:
    "#]],
        lines,
    );
}

#[test]
fn an_edited_operation_explores_what_its_body_is_part_of() {
    check_body(
        "layers/deliver.rs",
        "fn link_mail(&mut self",
        expect![[r#"
        AtomicDeliver atomic-spec: 1
        AtomicDeliver follows: 1
        AtomicDeliver shape: 1
        AtomicDeliver stays-allowed: 1
        Deliver no-panic: 1
        DeliverWritten right-mover: 13
        DeliverWritten silent: 1
        DeliverWritten stably-enabled: 13
        LinkNext atomic-spec: 1
        LinkNext shape: 1
        LinkRetry turn: 1
    "#]],
        digest,
    );
}
