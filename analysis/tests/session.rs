//! Sessions: which obligations are explored again after an edit, which verdicts are kept, and that no sequence of edits changes a verdict.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use camino::{Utf8Path, Utf8PathBuf};
use cspec_analysis::{
    ir::slice::{Outline, Pieces},
    obligations::{needs, report::Settled},
    report::Options,
    results::{Cache, Fingerprint},
    session::{Event, Listed, Request, Session, Snapshot, State, Summary},
    workspace::Package,
};
use expect_test::{Expect, expect};

/// Two steps that a lock makes atomic, and an unrelated layer.
const SOURCE: &str = "
use cspec::prelude::*;

#[state]
pub struct Account { pub balance: u64, pub owner: Option<Pid> }

/// Half of the maximum.
fn half(most: u64) -> u64 {
    most / 2
}

#[layer]
impl Locked for Account {
    #[op]
    fn acquire(&mut self, me: Pid) {
        when(self.owner.is_none());
        self.owner = Some(me);
    }

    #[op]
    fn release(&mut self, me: Pid) {
        when(self.owner == Some(me));
        self.owner = None;
    }

    #[op]
    fn read(&mut self, me: Pid) -> u64 {
        when(self.owner == Some(me));
        self.balance
    }
}

#[layer(inherit(Locked: acquire, release))]
impl Atomic for Account {
    #[op]
    fn read(&mut self, me: Pid) -> u64 {
        when(self.owner.is_none());
        self.balance
    }
}

#[implement(Atomic, over = Locked, by = movers, pass(acquire, release))]
impl Guarded {
    fn read(lo: &mut impl Locked) -> u64 {
        lo.acquire();
        let balance = lo.read();
        lo.release();
        balance
    }
}

#[state]
pub struct Lamp { pub on: bool, pub dimmed: u64 }

#[layer]
impl Switch for Lamp {
    #[op]
    fn toggle(&mut self, me: Pid) -> bool {
        self.on = !self.on;
        self.on
    }

    #[op]
    fn dim(&mut self, me: Pid, most: u64) {
        self.dimmed = half(most);
    }
}
";

/// A package of one file, which exists only as a buffer.
fn package() -> Package {
    Package::library("accounts", Utf8Path::new("/nowhere"), &file())
}

fn file() -> Utf8PathBuf {
    Utf8PathBuf::from("/nowhere/src/lib.rs")
}

/// The package of the counter, as on disk.
fn counter() -> Package {
    let folder = Utf8Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tso"));
    Package::library("tso", folder, &folder.join("src/lib.rs"))
}

/// A session on this text, after a run.
fn started(text: &str) -> Session {
    let mut session = Session::open(vec![package()]);
    session.set_buffer(&file(), text);
    run(&session.snapshot());
    session
}

fn run(snapshot: &Snapshot) -> Summary {
    snapshot.run(&Request::all(&Options::default()), &|_| {}, &AtomicBool::new(false))
}

fn listed(snapshot: &Snapshot) -> Vec<Listed> {
    snapshot.obligations(0, &Options::default())
}

/// The explored obligations, one on each line.
fn explored(summary: &Summary) -> String {
    summary.explored.iter().map(|(_, name)| format!("{}\n", name.id())).collect()
}

/// Edits a text after a run, and checks what the edit explores.
#[track_caller]
fn check_edit(from: &str, to: &str, expected: Expect) {
    let mut session = started(SOURCE);
    assert!(SOURCE.contains(from), "the text has `{from}`");
    session.set_buffer(&file(), SOURCE.replacen(from, to, 1));
    let snapshot = session.snapshot();
    assert_eq!(snapshot.packages()[0].diagnostics, []);
    expected.assert_eq(&explored(&run(&snapshot)));
}

#[test]
fn at_first_everything_is_explored() {
    let mut session = Session::open(vec![package()]);
    session.set_buffer(&file(), SOURCE);
    let snapshot = session.snapshot();
    assert!(listed(&snapshot).iter().all(|it| it.state == State::Unknown));
    let summary = run(&snapshot);
    assert!(summary.is_complete);
    let owed = listed(&snapshot);
    assert!(owed.iter().all(|it| matches!(it.state, State::Settled(..))), "{owed:#?}");
    // Besides the obligations, lemmas that one of them might have relied on.
    assert!(summary.explored.is_superset(&owed.iter().map(|it| (0, it.name.clone())).collect()));
}

#[test]
fn what_means_the_same_explores_nothing() {
    check_edit("    #[op]\n", "    // A comment.\n\n    #[op]\n", expect![""]);
    check_edit("self.on = !self.on;", "self . on=\n\n ! self.on ;", expect![""]);
    check_edit("/// Half of the maximum.\n", "", expect![""]);
    // Unused names, and other paths to the same names.
    check_edit("use cspec::prelude::*;", "use cspec::prelude::*;\nuse std::fmt::{self, Debug as Shown};", expect![""]);
    check_edit(
        "use cspec::prelude::*;",
        "use cspec::prelude::*;\nmod other { pub fn half() {} pub struct Lamp; }",
        expect![""],
    );
    check_edit("self.dimmed = half(most);", "use crate::half as part; self.dimmed = part(most);", expect![""]);
}

#[test]
fn items_that_move_explore_nothing() {
    let (before, lamp) = SOURCE.split_at(SOURCE.find("#[state]\npub struct Lamp").expect("the lamp"));
    let (header, account) = before.split_at(before.find("#[state]").expect("the account"));
    let mut session = started(SOURCE);
    session.set_buffer(&file(), format!("{header}{lamp}{account}"));
    assert_eq!(explored(&run(&session.snapshot())), "");

    // An operation may also move within its layer.
    let toggle = lamp.find("    #[op]\n    fn toggle").expect("an operation");
    let dim = lamp.find("    #[op]\n    fn dim").expect("an operation");
    let end = lamp.rfind('}').expect("the end of the layer");
    let swapped = format!("{}{}\n{}}}\n", &lamp[..toggle], &lamp[dim..end], &lamp[toggle..dim]);
    session.set_buffer(&file(), format!("{header}{swapped}{account}"));
    let snapshot = session.snapshot();
    assert_eq!(snapshot.packages()[0].diagnostics, []);
    assert_eq!(explored(&run(&snapshot)), "");
}

#[test]
fn an_operation_explores_what_its_body_is_part_of() {
    check_edit(
        "self.on = !self.on;",
        "self.on = self.dimmed == 0;",
        expect![[r#"
        layer:no-panic::Switch:toggle:
    "#]],
    );
    // Other processes may perform it between the steps of a procedure, and the procedure performs it.
    check_edit(
        "when(self.owner == Some(me));\n        self.owner = None;",
        "self.owner = None;",
        expect![[r#"
        layer:no-panic::Atomic:release:
        layer:no-panic::Locked:release:
        movers:right-mover::Locked:acquire:release
        movers:right-mover::Locked:read:release
        movers:right-mover::Locked:release:acquire
        movers:right-mover::Locked:release:read
        movers:right-mover::Locked:release:release
        movers:silent::Locked:release:
        movers:stably-enabled::Locked:acquire:release
        movers:stably-enabled::Locked:read:release
        movers:stably-enabled::Locked:release:acquire
        movers:stably-enabled::Locked:release:read
        movers:stably-enabled::Locked:release:release
        movers:atomic-spec:Guarded:Atomic:read:
        movers:atomic-spec:Guarded:Atomic:release:
        movers:shape:Guarded:Atomic:read:
    "#]],
    );
    // In the layer above, it is only implemented.
    check_edit(
        "when(self.owner.is_none());\n        self.balance",
        "self.balance",
        expect![[r#"
        layer:no-panic::Atomic:read:
        movers:atomic-spec:Guarded:Atomic:read:
        movers:shape:Guarded:Atomic:read:
    "#]],
    );
}

#[test]
fn a_procedure_explores_itself() {
    check_edit(
        "let balance = lo.read();",
        "let balance = lo.read().min(100);",
        expect![[r#"
        movers:atomic-spec:Guarded:Atomic:read:
        movers:shape:Guarded:Atomic:read:
    "#]],
    );
}

#[test]
fn a_helper_explores_what_calls_it() {
    check_edit(
        "most / 2",
        "most / 3",
        expect![[r#"
        layer:no-panic::Switch:dim:
    "#]],
    );
}

#[test]
fn a_claim_explores_what_it_claims() {
    check_edit(
        "#[op]\n    fn toggle",
        "#[op(right)]\n    fn toggle",
        expect![[r#"
        movers:right-mover::Switch:toggle:dim
        movers:right-mover::Switch:toggle:toggle
        movers:silent::Switch:toggle:
    "#]],
    );
}

#[test]
fn what_was_known_once_is_known_again() {
    let mut session = started(SOURCE);
    let before = listed(&session.snapshot());
    session.set_buffer(&file(), SOURCE.replace("!self.on", "true"));
    assert_ne!(explored(&run(&session.snapshot())), "");
    session.set_buffer(&file(), SOURCE);
    assert_eq!(explored(&run(&session.snapshot())), "");
    assert_eq!(listed(&session.snapshot()), before);
}

#[test]
fn outcomes_are_stale_until_they_are_replaced() {
    let mut session = started(SOURCE);
    session.set_buffer(&file(), SOURCE.replace("!self.on", "true"));
    let snapshot = session.snapshot();
    let stale = |snapshot: &Snapshot| {
        let stale = listed(snapshot).into_iter().filter(|it| matches!(it.state, State::Stale(_)));
        stale.map(|it| it.name.id()).collect::<Vec<_>>()
    };
    assert_eq!(stale(&snapshot), ["layer:no-panic::Switch:toggle:"]);
    run(&snapshot);
    assert_eq!(stale(&snapshot), [""; 0]);
}

#[test]
fn while_brackets_do_not_match_what_was_good_is_kept() {
    let mut session = started(SOURCE);
    let before = listed(&session.snapshot());
    let unclosed = SOURCE.replacen("        self.owner = None;\n    }", "        self.owner = None;\n    ", 1);
    session.set_buffer(&file(), format!("// Above.\n{unclosed}"));
    let snapshot = session.snapshot();
    let kept = listed(&snapshot);
    let package = &snapshot.packages()[0];
    assert!(package.is_kept);
    assert_eq!(package.diagnostics.iter().map(|it| it.code).collect::<Vec<_>>(), ["CS0101"]);
    assert_eq!(kept.len(), before.len());
    for (kept, before) in kept.iter().zip(&before) {
        assert!(matches!(kept.state, State::Stale(_)), "{kept:#?}");
        assert_eq!(kept.name, before.name);
        // The spans refer to the same text at its new place.
        let text = |span: cspec_analysis::ir::Span, text: &str| text[span.start as usize..span.end as usize].to_owned();
        assert_eq!(text(kept.span, &package.files[0].text), text(before.span, SOURCE));
    }
    assert_eq!(run(&snapshot), Summary { is_complete: true, ..Summary::default() });

    session.set_buffer(&file(), format!("// Above.\n{SOURCE}"));
    let snapshot = session.snapshot();
    assert!(!snapshot.packages()[0].is_kept);
    assert_eq!(explored(&run(&snapshot)), "");
}

#[test]
fn a_broken_body_breaks_what_it_is_part_of() {
    let mut session = started(SOURCE);
    session.set_buffer(&file(), SOURCE.replace("!self.on;", ";"));
    let snapshot = session.snapshot();
    assert!(!snapshot.packages()[0].is_kept);
    run(&snapshot);
    let broken: Vec<String> =
        listed(&snapshot).iter().filter(|it| it.state == State::Broken).map(|it| it.name.id()).collect();
    assert_eq!(broken, ["layer:no-panic::Switch:toggle:"]);
}

#[test]
fn a_buffer_is_read_instead_of_the_disk() {
    let folder = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("buffers");
    std::fs::create_dir_all(folder.join("src")).expect("a folder");
    let root = folder.join("src/lib.rs");
    std::fs::write(&root, SOURCE).expect("a file");
    let mut session = Session::open(vec![Package::library("buffers", &folder, &root)]);
    let layers = |session: &mut Session| session.snapshot().packages()[0].program().layers.len();
    assert_eq!(layers(&mut session), 3);
    // A module that exists only as a buffer.
    session.set_buffer(
        &root.with_file_name("more.rs"),
        "use super::*; #[layer] impl More for Lamp { #[op] fn off(&mut self, me: Pid) {} }",
    );
    session.set_buffer(&root, format!("{SOURCE}\nmod more;"));
    assert_eq!(layers(&mut session), 4);
    session.close_buffer(&root);
    assert_eq!(layers(&mut session), 3);
    std::fs::write(&root, "use cspec::prelude::*;").expect("a file");
    assert_eq!(layers(&mut session), 3, "the change was not reported");
    session.changed_on_disk(&root);
    assert_eq!(layers(&mut session), 0);
}

#[test]
fn what_is_asked_for_first_comes_first_and_only_what_is_asked_for() {
    let mut session = Session::open(vec![package()]);
    session.set_buffer(&file(), SOURCE);
    let snapshot = session.snapshot();
    let options = Options::default();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let settled = Mutex::new(Vec::new());
    let told = |event: Event| {
        if let Event::Settled { listed, .. } = event {
            settled.lock().expect("not poisoned").push(listed.name.id());
        }
    };
    let request = Request {
        only: &|name| name.kind == "no-panic",
        first: &|name| name.layer == "Switch",
        ..Request::all(&options)
    };
    pool.install(|| snapshot.run(&request, &told, &AtomicBool::new(false)));
    let settled = settled.into_inner().expect("not poisoned");
    assert!(settled.iter().all(|it| it.starts_with("layer:no-panic")), "{settled:?}");
    let first: Vec<bool> = settled.iter().map(|it| it.contains("Switch")).collect();
    assert_eq!(first, [true, true, false, false, false, false, false, false]);
}

#[test]
fn a_run_that_is_stopped_forgets_what_it_had_not_settled() {
    let mut session = Session::open(vec![package()]);
    session.set_buffer(&file(), SOURCE);
    let (snapshot, options, stop) = (session.snapshot(), Options::default(), AtomicBool::new(false));
    // The run is stopped while its first obligation is explored.
    let told = |event: Event| {
        if let Event::Started { .. } = event {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let stopped = pool.install(|| snapshot.run(&Request::all(&options), &told, &stop));
    assert_eq!(stopped, Summary::default());
    assert!(listed(&snapshot).iter().all(|it| it.state == State::Unknown));
    assert!(run(&snapshot).is_complete);
    assert!(listed(&snapshot).iter().all(|it| matches!(it.state, State::Settled(..))));
}

/// Stores results as bytes, as a cache on disk does.
#[derive(Default)]
struct Bytes(Mutex<HashMap<Fingerprint, Vec<u8>>>);

impl Cache for Bytes {
    fn load(&self, fingerprint: Fingerprint) -> Option<Settled> {
        serde_json::from_slice(self.0.lock().expect("not poisoned").get(&fingerprint)?).ok()
    }

    fn store(&self, fingerprint: Fingerprint, settled: &Settled) {
        let bytes = serde_json::to_vec(settled).expect("results are data");
        let read: Settled = serde_json::from_slice(&bytes).expect("what was written");
        assert_eq!(&read, settled);
        assert_eq!(serde_json::to_vec(&read).expect("results are data"), bytes);
        self.0.lock().expect("not poisoned").insert(fingerprint, bytes);
    }
}

#[test]
fn results_outlive_the_process() {
    let cache = Arc::new(Bytes::default());
    let broken = SOURCE.replace("when(self.owner == Some(me));\n        self.owner = None;", "self.owner = None;");
    for text in [SOURCE, &broken] {
        let outcomes = |expected: fn(&Summary) -> bool| {
            let mut session = Session::with_cache(vec![package()], cache.clone());
            session.set_buffer(&file(), text);
            let snapshot = session.snapshot();
            let summary = run(&snapshot);
            assert!(expected(&summary), "{summary:?}");
            let outcome = |it: Listed| match it.state {
                State::Settled(outcome, _) => (it.fingerprint, outcome),
                state => panic!("{state:?}"),
            };
            listed(&snapshot).into_iter().map(outcome).collect::<Vec<_>>()
        };
        let explored = outcomes(|it| !it.explored.is_empty());
        assert_eq!(outcomes(|it| it.explored.is_empty()), explored);
    }
    let fingerprint = *cache.0.lock().expect("not poisoned").keys().next().expect("a result");
    assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
    assert_eq!(fingerprint.to_string().len(), 32);
}

/// The hash of an outline identifies the slice: two obligations have the same hash if and only if their slices are equal.
#[test]
fn equal_hashes_are_equal_slices() {
    let mut session = Session::open(vec![counter()]);
    let package = Arc::clone(&session.snapshot().packages()[0]);
    let mut slices = HashMap::new();
    for file in &package.files {
        let comment = format!("// Moved.\n{}", file.text);
        let edits =
            ["self.value", "when(", "me", "entry", "true"].map(|it| file.text.replacen(it, &format!("{it} "), 1));
        let meaning = ["is_none()", "None", "Some(me)", "false", "1"].map(|it| file.text.replacen(it, "panic!()", 1));
        for text in edits.into_iter().chain(meaning).chain([comment]) {
            session.set_buffer(&file.path, text);
            let snapshot = session.snapshot();
            let program = snapshot.packages()[0].program();
            let pieces = Pieces::of(program);
            for entry in &snapshot.packages()[0].view().planned.patterns().entries {
                let outline = Outline::new(program, &pieces, &needs::keep(program, &entry.obligation));
                let slice = outline.program(program);
                let known = slices.entry(outline.hash()).or_insert_with(|| slice.clone());
                assert_eq!(*known, slice);
            }
            session.close_buffer(&file.path);
        }
    }
    let hashes = slices.len();
    let distinct: std::collections::HashSet<_> = slices.into_values().collect();
    assert_eq!(distinct.len(), hashes);
}

#[test]
fn in_the_counter_comments_explore_nothing_and_an_operation_what_depends_on_it() {
    let mut session = Session::open(vec![counter()]);
    let snapshot = session.snapshot();
    assert!(!run(&snapshot).explored.is_empty());
    let files = snapshot.packages()[0].files.clone();
    for file in &files {
        let spread: String = file.text.lines().map(|line| format!("\n{line} // A comment.\n")).collect();
        session.set_buffer(&file.path, spread);
    }
    assert_eq!(explored(&run(&session.snapshot())), "");
    for file in &files {
        session.close_buffer(&file.path);
    }
    let file = files.iter().find(|it| it.path.ends_with("raw_lock.rs")).expect("the file of the lock");
    let edited = file.text.replace("self.used_by(me);\n        self.value = value;", "self.value = value;");
    assert_ne!(edited, *file.text);
    session.set_buffer(&file.path, edited);
    expect![[r#"
        layer:no-panic::RawLock:write:
        movers:right-mover::Lock:acquire:write
        movers:right-mover::Lock:read:write
        movers:right-mover::Lock:release:write
        movers:right-mover::Lock:write:acquire
        movers:right-mover::Lock:write:print
        movers:right-mover::Lock:write:read
        movers:right-mover::Lock:write:release
        movers:right-mover::Lock:write:write
        movers:silent::Lock:write:
        movers:stably-enabled::Lock:acquire:write
        movers:stably-enabled::Lock:read:write
        movers:stably-enabled::Lock:release:write
        movers:stably-enabled::Lock:write:acquire
        movers:stably-enabled::Lock:write:print
        movers:stably-enabled::Lock:write:read
        movers:stably-enabled::Lock:write:release
        movers:stably-enabled::Lock:write:write
        movers:atomic-spec:CriticalSection:LockedCounter:dec:
        movers:atomic-spec:CriticalSection:LockedCounter:inc:
        movers:shape:CriticalSection:LockedCounter:dec:
        movers:shape:CriticalSection:LockedCounter:inc:
        protocol:follows:CriticalSection:LockedCounter:dec:
        protocol:follows:CriticalSection:LockedCounter:inc:
        protocol:stays-allowed:CriticalSection:Lock:read:write
        protocol:stays-allowed:CriticalSection:Lock:release:write
        protocol:stays-allowed:CriticalSection:Lock:write:write
        retry:turn:SpinLock:RawLock:write:
    "#]]
    .assert_eq(&explored(&run(&session.snapshot())));
}

/// After any sequence of edits, a session has the same outcomes as one that begins with the final text.
#[test]
fn no_history_of_edits_changes_an_outcome() {
    let mutations = [
        ("!self.on", "true"),
        ("self.owner = None;", "self.owner = Some(me);"),
        ("when(self.owner == Some(me));\n        self.balance", "self.balance"),
        ("#[op]\n    fn release", "#[op(left)]\n    fn release"),
        ("lo.release();", ""),
        ("pub balance: u64,", "pub spare: bool, pub balance: u64,"),
        ("fn toggle", "fn flip"),
        ("self.dimmed = half(most);", "self.dimmed = ;"),
        ("fn dim(&mut self, me: Pid, most: u64) {", "fn dim(&mut self, me: Pid, most: u64) "),
        ("\n#[layer]\nimpl Switch", "\n// Light.\n#[layer]\nimpl Switch"),
    ];
    let mut session = Session::open(vec![package()]);
    let mut applied = [false; 10];
    // A linear congruential generator, so that every run of the test makes the same edits.
    let mut random: u64 = 1;
    for _ in 0..200 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let which = (random >> 33) as usize % mutations.len();
        applied[which] = !applied[which];
        let chosen = mutations.iter().zip(applied).filter(|(_, applied)| *applied);
        let text = chosen.fold(SOURCE.to_owned(), |text, ((from, to), _)| text.replacen(from, to, 1));
        session.set_buffer(&file(), text.as_str());
        let snapshot = session.snapshot();
        run(&snapshot);
        if snapshot.packages()[0].is_kept {
            continue;
        }
        let fresh = started(&text).snapshot();
        assert_eq!(snapshot.packages()[0].diagnostics, fresh.packages()[0].diagnostics);
        let outcomes = |snapshot: &Snapshot| -> Vec<_> {
            let outcome = |it: Listed| match it.state {
                State::Settled(outcome, _) => (it.name, it.span, Some(outcome)),
                State::Broken => (it.name, it.span, None),
                state => panic!("{state:?}"),
            };
            listed(snapshot).into_iter().map(outcome).collect()
        };
        assert_eq!(outcomes(&snapshot), outcomes(&fresh), "{text}");
    }
}
