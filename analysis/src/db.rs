//! The incremental database: which text there is, and what has been made of it.
//!
//! Each stage is a query of its own, so that an edit re-runs only what it touches. A comment re-runs parsing, indexing and lowering, finds
//! the [`Program`] equal, and stops there.

use std::sync::Arc;

use camino::Utf8PathBuf;

use crate::{
    diagnostics::{Diagnostic, codes},
    index::{self, FileIndex, ImplRole, Indexed, ModuleDeclaration},
    ir::{
        Program, Span,
        lower::{self, Lowered},
    },
    plan::Planned,
    syntax::{self, Parse},
    workspace::{self, Package},
};

/// A source file.
#[salsa::input(debug)]
pub struct SourceFile {
    /// Where it is.
    pub path: Utf8PathBuf,
    /// What it contains.
    pub text: Arc<str>,
}

/// The files of a package, root file first. A [`crate::ir::Span`]'s file is an index into this list.
#[salsa::input(debug)]
pub struct PackageSources {
    /// The files.
    pub files: Vec<SourceFile>,
    /// Their paths as they are shown.
    pub paths: Vec<Utf8PathBuf>,
    /// For each, the `mod name;` that it is the text of: a file, and an index into its modules. `None` for the root.
    pub parents: Vec<Option<(u32, u32)>>,
    /// What could not be read, or is not there.
    pub unread: Vec<Diagnostic>,
}

/// The database.
#[salsa::db]
#[derive(Clone, Default)]
pub struct Database {
    storage: salsa::Storage<Self>,
}

#[salsa::db]
impl salsa::Database for Database {}

impl Database {
    /// A database that tells `callback` what it does.
    pub fn with_events(callback: impl Fn(salsa::Event) + Send + Sync + 'static) -> Self {
        Database { storage: salsa::Storage::new(Some(Box::new(callback))) }
    }
}

/// The tree of a file.
#[salsa::tracked]
pub fn parse(db: &dyn salsa::Database, file: SourceFile) -> Parse {
    syntax::parse(file.text(db))
}

/// The modules of a file whose text is in other files.
#[salsa::tracked]
pub fn modules(db: &dyn salsa::Database, file: SourceFile) -> Vec<ModuleDeclaration> {
    index::modules(parse(db, file))
}

/// What a file declares, with positions.
#[salsa::tracked]
pub fn indexed(db: &dyn salsa::Database, file: SourceFile) -> Arc<Indexed> {
    Arc::new(index::index(parse(db, file)))
}

/// What a file declares, without positions: equal after an edit of comments.
#[salsa::tracked]
pub fn file_index(db: &dyn salsa::Database, file: SourceFile) -> FileIndex {
    indexed(db, file).index.clone()
}

/// A package, lowered.
#[salsa::tracked]
pub fn lowered(db: &dyn salsa::Database, package: PackageSources) -> Lowered {
    let file = |(it, parent): (&SourceFile, &Option<(u32, u32)>)| lower::File {
        parse: parse(db, *it),
        indexed: indexed(db, *it),
        parent: *parent,
    };
    let files: Vec<lower::File<'_>> = package.files(db).iter().zip(package.parents(db)).map(file).collect();
    let mut lowered = lower::lower(&files);
    lowered.diagnostics.splice(0..0, package.unread(db).iter().cloned());
    lowered
}

/// The package's program, without positions: equal after an edit of comments.
#[salsa::tracked]
pub fn program(db: &dyn salsa::Database, package: PackageSources) -> Arc<Program> {
    Arc::clone(&lowered(db, package).program)
}

/// Lowers the given files, by path and text, as one package. A file that no `mod` of the others leads to is taken for text of the root.
pub fn lower_sources(files: &[(&str, &str)]) -> Lowered {
    let db = Database::default();
    let file = |(path, text): &(&str, &str)| SourceFile::new(&db, Utf8PathBuf::from(*path), Arc::from(*text));
    let files: Vec<SourceFile> = files.iter().map(file).collect();
    let paths: Vec<Utf8PathBuf> = files.iter().map(|it| it.path(&db).clone()).collect();
    let parents = parents(&db, &files, &paths);
    let package = PackageSources::new(&db, files, paths, parents, Vec::new());
    lowered(&db, package).clone()
}

/// The `mod name;` of each file among the others.
fn parents(db: &Database, files: &[SourceFile], paths: &[Utf8PathBuf]) -> Vec<Option<(u32, u32)>> {
    let mut parents = vec![None; files.len()];
    for (above, file) in files.iter().enumerate() {
        let is_root = matches!(paths[above].file_name(), Some("lib.rs" | "main.rs"));
        for (number, module) in modules(db, *file).iter().enumerate() {
            let candidates = workspace::candidates(&paths[above], is_root, module);
            let below = candidates.iter().find_map(|it| paths.iter().position(|path| path == it));
            if let Some(below) = below.filter(|it| *it != above) {
                parents[below] = Some((above as u32, number as u32));
            }
        }
    }
    parents
}

/// The plan of a program is made when it is asked for, and once: it is the same object as long as the program is equal.
#[salsa::tracked]
pub fn planned(db: &dyn salsa::Database, package: PackageSources) -> Arc<Planned> {
    Arc::new(Planned::new(Arc::clone(program(db, package))))
}

/// Whether a file is without errors and without layers or implementations.
pub(crate) fn declares_nothing(db: &dyn salsa::Database, file: SourceFile) -> bool {
    let plain = |it: &index::ImplItem| matches!(it.role, ImplRole::Plain);
    parse(db, file).errors().is_empty() && indexed(db, file).index.impls.iter().all(plain)
}

/// A package that takes part and has nothing in it. The first file is where the search began.
pub(crate) fn no_layers(package: &Package) -> Diagnostic {
    let span = Span { file: 0, start: 0, end: 0 };
    let help = "declare a layer, `#[layer] impl Name for State { … }`, in a file that `mod` items lead to";
    Diagnostic {
        label: "the search began here".to_owned(),
        help: Some(help.to_owned()),
        ..Diagnostic::error(codes::CS0002, span, format!("package `{}` declares no layers", package.name))
    }
}
