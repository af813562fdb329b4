//! Which queries run again: comments and blank lines change positions only, and after an edit of a body only that body is lowered.

use std::sync::{Arc, Mutex};

use cspec_analysis::db::{Database, PackageSources, SourceFile, file_index, lowered, program};
use salsa::Setter;

const TOGGLE: &str = "
use cspec::prelude::*;

#[state]
pub struct Light { pub on: bool }

#[layer]
impl Switch for Light {
    #[op]
    fn toggle(&mut self, me: Pid) -> bool {
        self.on = !self.on;
        self.on
    }
}
";

/// A query downstream of lowering.
#[salsa::tracked(returns(copy))]
fn count_layers(db: &dyn salsa::Database, package: PackageSources) -> usize {
    program(db, package).layers.len()
}

#[salsa::tracked(returns(copy))]
fn count_impls(db: &dyn salsa::Database, file: SourceFile) -> usize {
    file_index(db, file).impls.len()
}

/// A database with a package, and the names of the queries that have run since the log was last emptied.
fn start() -> (Database, SourceFile, PackageSources, Arc<Mutex<Vec<String>>>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let db = Database::with_events({
        let log = Arc::clone(&log);
        move |event| {
            if let salsa::EventKind::WillExecute { database_key } = event.kind {
                let name = format!("{database_key:?}");
                log.lock().expect("not poisoned").push(name.split('(').next().unwrap_or_default().to_owned());
            }
        }
    });
    let file = SourceFile::new(&db, "src/lib.rs".into(), Arc::from(TOGGLE), Arc::default());
    let package =
        PackageSources::new(&db, vec![file], vec!["src/lib.rs".into()], vec![None], Vec::new(), Arc::default());
    (db, file, package, log)
}

fn taken(log: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut *log.lock().expect("not poisoned"))
}

#[track_caller]
fn check(log: &Mutex<Vec<String>>, expected: &[&str]) {
    assert_eq!(taken(log), expected);
}

#[test]
fn a_comment_above_an_item_lowers_nothing() {
    let (mut db, file, package, log) = start();
    count_layers(&db, package);
    count_impls(&db, file);
    let before = program(&db, package).clone();
    let spans = lowered(&db, package).source_map.clone();
    taken(&log);

    let edited = TOGGLE.replace("    #[op]", "    // Flips it.\n\n    #[op]").replace("#[layer]", "/* a */ #[layer]");
    file.set_text(&mut db).to(Arc::from(edited));
    count_layers(&db, package);
    count_impls(&db, file);
    check(&log, &["parse", "indexed", "file_index", "heads", "item"]);

    assert_eq!(*program(&db, package), before);
    assert_ne!(lowered(&db, package).source_map, spans);
    check(&log, &["lowered"]);
}

#[test]
fn a_comment_in_a_body_lowers_that_body() {
    let (mut db, file, package, log) = start();
    count_layers(&db, package);
    taken(&log);

    file.set_text(&mut db)
        .to(Arc::from(TOGGLE.replace("        self.on\n", "        // The new one.\n        self.on\n")));
    count_layers(&db, package);
    check(
        &log,
        &["parse", "indexed", "file_index", "heads", "item", "body", "reached", "function", "built", "program"],
    );
}

/// Another layer, with an operation of its own.
const OTHER: &str = "
#[state]
pub struct Count { pub n: u64 }

#[layer]
impl Counter for Count {
    #[op]
    fn increment(&mut self, me: Pid) { self.n = self.n.saturating_add(one()); }
}

fn one() -> u64 { 1 }
fn two() -> u64 { 2 }
";

#[test]
fn an_edit_of_a_body_lowers_that_body() {
    let (mut db, file, package, log) = start();
    let text = [TOGGLE, OTHER].concat();
    file.set_text(&mut db).to(Arc::from(text.as_str()));
    count_layers(&db, package);
    taken(&log);

    file.set_text(&mut db).to(Arc::from(text.replace("!self.on", "true")));
    count_layers(&db, package);
    let ran = taken(&log);
    for (query, times) in [("declared", 0), ("item", 3), ("body", 1), ("function", 1), ("count_layers", 1)] {
        assert_eq!(ran.iter().filter(|it| *it == query).count(), times, "{query}: {ran:?}");
    }
}

#[test]
fn a_body_that_calls_another_function_lowers_that_too() {
    let (mut db, file, package, log) = start();
    let text = [TOGGLE, OTHER].concat();
    file.set_text(&mut db).to(Arc::from(text.as_str()));
    assert_eq!(program(&db, package).functions.len(), 3);
    taken(&log);

    file.set_text(&mut db).to(Arc::from(text.replace("one())", "two())")));
    let names: Vec<String> = program(&db, package).functions.iter().map(|it| it.name.clone()).collect();
    assert_eq!(names, ["Switch::toggle", "Counter::increment", "two"]);
    let ran = taken(&log);
    for (query, times) in [("declared", 0), ("body", 2)] {
        assert_eq!(ran.iter().filter(|it| *it == query).count(), times, "{query}: {ran:?}");
    }
}

#[test]
fn a_new_signature_lowers_the_package_anew() {
    let (mut db, file, package, log) = start();
    let text = [TOGGLE, OTHER].concat();
    file.set_text(&mut db).to(Arc::from(text.as_str()));
    program(&db, package);
    taken(&log);

    file.set_text(&mut db).to(Arc::from(text.replace("one() -> u64 {", "one() -> bool { true } fn other() {")));
    assert!(!lowered(&db, package).diagnostics.is_empty());
    let ran = taken(&log);
    for (query, times) in [("declared", 1), ("body", 3)] {
        assert_eq!(ran.iter().filter(|it| *it == query).count(), times, "{query}: {ran:?}");
    }
}

/// A helper that is inlined into a procedure.
const WAITS: &str = "
#[layer]
impl Waits for Light {
    #[op]
    fn toggle(&mut self, me: Pid) -> bool { self.on = !self.on; self.on }
}

#[implement(Waits, over = Switch, by = movers)]
impl Waiting {
    fn wait(lo: &mut impl Switch) -> bool { loop { if lo.toggle() { return true; } } }
    fn toggle(lo: &mut impl Switch) -> bool { Self::wait(lo) }
}
";

#[test]
fn an_edit_of_an_inlined_helper_changes_its_callers() {
    let (mut db, file, package, _) = start();
    let text = [TOGGLE, WAITS].concat();
    file.set_text(&mut db).to(Arc::from(text.as_str()));
    let procedure = |db: &Database| {
        let program = program(db, package);
        let found = program.functions.iter().find(|it| it.name == "Waiting::toggle");
        Arc::clone(found.expect("it is a function"))
    };
    let before = procedure(&db);

    file.set_text(&mut db).to(Arc::from(text.replace("loop {", "/* Tries. */ loop {")));
    assert_eq!(procedure(&db), before);
    file.set_text(&mut db).to(Arc::from(text.replace("if lo.toggle()", "if !lo.toggle()")));
    assert_ne!(procedure(&db), before);
}
