//! Comments and blank lines change positions only: no query on the program runs again.

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

/// A database, its package, and the names of the queries it has run since the log was last taken.
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
    let file = SourceFile::new(&db, "src/lib.rs".into(), Arc::from(TOGGLE));
    let package = PackageSources::new(&db, vec![file], vec!["src/lib.rs".into()], vec![None], Vec::new());
    (db, file, package, log)
}

fn taken(log: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut *log.lock().expect("not poisoned"))
}

#[test]
fn a_comment_above_an_item_stops_at_the_program() {
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

    let ran = taken(&log);
    assert!(ran.contains(&"lowered".to_owned()), "{ran:?}");
    assert!(!ran.contains(&"count_layers".to_owned()), "{ran:?}");
    assert!(!ran.contains(&"count_impls".to_owned()), "{ran:?}");
    assert_eq!(*program(&db, package), before);
    assert_ne!(lowered(&db, package).source_map, spans);
}

#[test]
fn an_edit_of_a_body_reaches_the_program() {
    let (mut db, file, package, log) = start();
    count_layers(&db, package);
    count_impls(&db, file);
    taken(&log);

    file.set_text(&mut db).to(Arc::from(TOGGLE.replace("!self.on", "true")));
    count_layers(&db, package);
    count_impls(&db, file);

    let ran = taken(&log);
    assert!(ran.contains(&"count_layers".to_owned()), "{ran:?}");
    assert!(!ran.contains(&"count_impls".to_owned()), "{ran:?}");
}
