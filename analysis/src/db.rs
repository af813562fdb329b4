//! The incremental database: the current texts, and everything computed from them.
//!
//! Each stage is a query of its own, so an edit re-runs only the stages that it affects. After an edit of a comment, the file is parsed and
//! indexed again, its items are equal, and only their positions are updated. An edit of a body lowers that body.

use std::sync::Arc;

use camino::Utf8PathBuf;

use crate::{
    diagnostics::{Diagnostic, codes},
    index::{self, FileIndex, Indexed, ModuleDeclaration},
    ir::{
        Function, FunctionId, Program, Span,
        lower::{self, Built, Declared, Lowered, LoweredBody, Reached},
    },
    plan::Planned,
    syntax::{self, ItemTree, Parse},
    workspace::{self, CfgOptions, Crates, Package, Reading},
};

#[salsa::input(debug)]
pub struct SourceFile {
    /// The path of the file.
    pub path: Utf8PathBuf,
    /// The text of the file.
    pub text: Arc<str>,
    /// The `cfg` options under which it is compiled.
    pub cfg: Arc<CfgOptions>,
}

/// The files of a package, root file first. A [`crate::ir::Span`]'s file is an index into this list.
#[salsa::input(debug)]
pub struct PackageSources {
    /// The files of the package.
    pub files: Vec<SourceFile>,
    /// Their paths as shown.
    pub paths: Vec<Utf8PathBuf>,
    /// For each, the `mod name;` that includes it: a file, and an index into its modules. `None` for the root.
    pub parents: Vec<Option<(u32, u32)>>,
    /// Files that are missing or could not be read.
    pub unread: Vec<Diagnostic>,
    /// The crates that the files belong to.
    pub crates: Arc<Crates>,
}

/// The database of a session.
#[salsa::db]
#[derive(Clone, Default)]
pub struct Database {
    storage: salsa::Storage<Self>,
}

#[salsa::db]
impl salsa::Database for Database {}

impl Database {
    /// A database that reports its events to `callback`.
    pub fn with_events(callback: impl Fn(salsa::Event) + Send + Sync + 'static) -> Self {
        Database { storage: salsa::Storage::new(Some(Box::new(callback))) }
    }
}

/// The tree of the compiled part of a file.
#[salsa::tracked]
pub fn parse(db: &dyn salsa::Database, file: SourceFile) -> Parse {
    syntax::parse_under(file.text(db), file.cfg(db))
}

/// The modules of a file whose text is in other files.
#[salsa::tracked]
pub fn modules(db: &dyn salsa::Database, file: SourceFile) -> Vec<ModuleDeclaration> {
    index::modules(parse(db, file))
}

/// The index of a file, with positions.
#[salsa::tracked]
pub fn indexed(db: &dyn salsa::Database, file: SourceFile) -> Arc<Indexed> {
    Arc::new(index::index(parse(db, file)))
}

/// The index of a file, without positions: equal after an edit of comments or bodies.
#[salsa::tracked]
pub fn file_index(db: &dyn salsa::Database, file: SourceFile) -> Arc<FileIndex> {
    Arc::new(indexed(db, file).index.clone())
}

/// The items of a file, each by itself, without bodies: equal after an edit of comments or bodies.
#[salsa::tracked]
pub fn heads(db: &dyn salsa::Database, file: SourceFile) -> Arc<Vec<ItemTree>> {
    let root = parse(db, file).root();
    let nodes = indexed(db, file).declarations.iter().filter_map(|it| it.try_to_node(&root));
    Arc::new(nodes.map(|it| ItemTree::head(&it)).collect())
}

/// A single item of a file, by the number of its declaration: equal after an edit of anything else.
#[salsa::tracked]
pub fn item(db: &dyn salsa::Database, file: SourceFile, declaration: u32) -> Option<ItemTree> {
    let node = indexed(db, file).declarations.get(declaration as usize)?;
    Some(ItemTree::whole(&node.try_to_node(&parse(db, file).root())?))
}

/// The declarations of a package, without bodies.
#[salsa::tracked(no_eq)]
pub fn declared(db: &dyn salsa::Database, package: PackageSources) -> Arc<Declared> {
    let files = package.files(db).iter().map(|it| (Arc::clone(file_index(db, *it)), Arc::clone(heads(db, *it))));
    Arc::new(lower::declare(files.collect(), package.parents(db), Arc::clone(package.crates(db))))
}

/// A function of a package, lowered by itself.
#[salsa::tracked]
pub fn body(db: &dyn salsa::Database, package: PackageSources, function: FunctionId) -> LoweredBody {
    let declared = declared(db, package);
    let tree = lower::written(declared, function)
        .and_then(|(file, declaration)| item(db, *package.files(db).get(file as usize)?, declaration).as_ref());
    lower::lower_body(declared, function, tree)
}

/// The parts of a package that belong to its program.
#[salsa::tracked]
pub fn reached(db: &dyn salsa::Database, package: PackageSources) -> Reached {
    lower::reach(declared(db, package), |function| body(db, package, function))
}

/// A function with the numbering of the program.
#[salsa::tracked]
pub fn function(db: &dyn salsa::Database, package: PackageSources, function: FunctionId) -> Arc<Function> {
    Arc::new(lower::numbered(reached(db, package), body(db, package, function)))
}

/// The program of a package, with everything else that is known without positions.
#[salsa::tracked]
pub fn built(db: &dyn salsa::Database, package: PackageSources) -> Built {
    let numbered = |id| Arc::clone(function(db, package, id));
    lower::build(declared(db, package), reached(db, package), numbered, |id| body(db, package, id))
}

#[salsa::tracked]
pub fn lowered(db: &dyn salsa::Database, package: PackageSources) -> Lowered {
    let files = package.files(db);
    let indexed: Vec<&Indexed> = files.iter().map(|it| &**indexed(db, *it)).collect();
    let syntax = files.iter().zip(0..).flat_map(|(it, file)| parse(db, *it).diagnostics(file));
    let more = package.unread(db).iter().cloned().chain(syntax).collect();
    let (declared, reached, built) = (declared(db, package), reached(db, package), built(db, package));
    lower::place(declared, reached, built, |id| body(db, package, id), &indexed, more)
}

/// The package's program, without positions: equal after an edit of comments.
#[salsa::tracked]
pub fn program(db: &dyn salsa::Database, package: PackageSources) -> Arc<Program> {
    Arc::clone(&built(db, package).program)
}

/// Lowers the given files, by path and text, as one package. A file that no `mod` refers to is treated as text of the root. Of the options,
/// `debug_assertions` is set.
pub fn lower_sources(files: &[(&str, &str)]) -> Lowered {
    let db = Database::default();
    let cfg = Arc::new(CfgOptions::default().with_name("debug_assertions"));
    let file = |(path, text): &(&str, &str)| {
        SourceFile::new(&db, Utf8PathBuf::from(*path), Arc::from(*text), Arc::clone(&cfg))
    };
    let files: Vec<SourceFile> = files.iter().map(file).collect();
    let paths: Vec<Utf8PathBuf> = files.iter().map(|it| it.path(&db).clone()).collect();
    let parents = parents(&db, &files, &paths);
    let reading = Reading { cfg, ..Reading::default() };
    let crates = Crates::new(Vec::new(), Arc::new(reading), Arc::default());
    let package = PackageSources::new(&db, files, paths, parents, Vec::new(), Arc::new(crates));
    lowered(&db, package).clone()
}

/// The `mod name;` of each file among the others.
fn parents(db: &Database, files: &[SourceFile], paths: &[Utf8PathBuf]) -> Vec<Option<(u32, u32)>> {
    let mut parents = vec![None; files.len()];
    let is_root = |it: &Utf8PathBuf| matches!(it.file_name(), Some("lib.rs" | "main.rs"));
    let mut owns_folder: Vec<bool> = paths.iter().map(is_root).collect();
    for (above, file) in files.iter().enumerate() {
        for (number, module) in modules(db, *file).iter().enumerate() {
            let candidates = workspace::candidates(&paths[above], owns_folder[above], module);
            let below = candidates.iter().find_map(|it| paths.iter().position(|path| path == it));
            if let Some(below) = below.filter(|it| *it != above) {
                parents[below] = Some((above as u32, number as u32));
                owns_folder[below] |= module.path.is_some();
            }
        }
    }
    parents
}

/// The plan of a program, computed lazily and once: it is the same object as long as the program is equal.
#[salsa::tracked]
pub fn planned(db: &dyn salsa::Database, package: PackageSources) -> Arc<Planned> {
    Arc::new(Planned::new(Arc::clone(program(db, package))))
}

/// Whether a file is without errors and without layers or implementations.
pub(crate) fn declares_nothing(db: &dyn salsa::Database, file: SourceFile) -> bool {
    parse(db, file).errors().is_empty() && !indexed(db, file).index.declares_something()
}

/// The finding for a participating package without layers. The first file is where the search began.
pub(crate) fn no_layers(package: &Package) -> Diagnostic {
    let span = Span { file: 0, start: 0, end: 0 };
    let help = "declare a layer, `#[layer] impl Name for State { … }`, in a file that `mod` items lead to";
    Diagnostic {
        label: "the search began here".to_owned(),
        help: Some(help.to_owned()),
        ..Diagnostic::error(codes::CS0002, span, format!("package `{}` declares no layers", package.name))
    }
}
