//! The data that requests are answered from: the engine's snapshot, with lines, trees and names of the texts.
//!
//! Every span of the engine refers to the current text, even if a program or a verdict belongs to an earlier one.

use std::sync::{Arc, OnceLock};

use camino::{Utf8Path, Utf8PathBuf};
use cspec_analysis::{
    index::Indexed,
    ir::Span,
    session::{File, PackageSnapshot, Snapshot},
    syntax::{self, Parse, SyntaxKind},
};
use tower_lsp_server::ls_types::{Location, Range, Uri};

use crate::{
    mentions::Mentions,
    position::{Encoding, Text},
};

/// All packages at one moment.
#[derive(Clone)]
pub struct View {
    pub engine: Snapshot,
    /// The same packages in the same order.
    pub packages: Vec<Arc<PackageView>>,
    /// The encoding of columns.
    pub encoding: Encoding,
}

/// A package at one moment.
pub struct PackageView {
    /// The engine's snapshot of it.
    pub facts: Arc<PackageSnapshot>,
    pub files: Files,
    mentions: OnceLock<Mentions>,
}

/// The files of a package.
pub type Files = Arc<[Arc<FileView>]>;

/// A file at one moment.
#[derive(Debug)]
pub struct FileView {
    /// The path of the file.
    pub path: Utf8PathBuf,
    /// The URI of the file.
    pub uri: Uri,
    /// Its text, with lines.
    pub text: Text,
    /// Its syntax tree, of the current text.
    pub parse: Parse,
    pub indexed: Arc<Indexed>,
}

impl View {
    /// Creates a view of a snapshot. Files that have not changed since `before` are reused.
    pub fn new(
        engine: Snapshot,
        before: Option<&View>,
        encoding: Encoding,
        uri_of: &dyn Fn(&Utf8Path) -> Option<Uri>,
    ) -> View {
        let known = |key: &str| before?.packages.iter().find(|it| it.facts.package.key() == key).cloned();
        let package = |facts: &Arc<PackageSnapshot>| {
            let old = known(&facts.package.key());
            if let Some(old) = old.as_ref().filter(|it| Arc::ptr_eq(&it.facts, facts)) {
                return Arc::clone(old);
            }
            Arc::new(PackageView::new(Arc::clone(facts), old.as_deref(), uri_of))
        };
        let packages = engine.packages().iter().map(package).collect();
        View { engine, packages, encoding }
    }

    /// The package of a file, and the number of the file in it.
    pub fn find(&self, path: &Utf8Path) -> Option<(usize, u32)> {
        let all = self.packages.iter().enumerate();
        let with_file = all.filter_map(|(package, it)| {
            let file = it.files.iter().position(|file| file.path == path)?;
            Some((package, file as u32))
        });
        // Other packages may read it as text of a library.
        let is_own = |(package, file): &(usize, u32)| self.packages[*package].facts.files[*file as usize].krate == 0;
        with_file.clone().find(is_own).or_else(|| with_file.clone().next())
    }

    /// The current location of a span of a package.
    pub fn location(&self, package: &PackageView, span: Span) -> Option<Location> {
        let (file, range) = package.range(span, self.encoding)?;
        Some(Location::new(file.uri.clone(), range))
    }
}

impl FileView {
    /// The innermost function at an offset, with its attributes.
    pub fn function_around(&self, offset: u32) -> Option<std::ops::Range<u32>> {
        let functions = self.parse.root().descendants().filter(|it| it.kind() == SyntaxKind::FN);
        functions.map(|it| syntax::text_range(&it)).filter(|it| it.contains(&offset)).last()
    }

    /// The number of the innermost scope at an offset.
    pub fn scope_at(&self, offset: u32) -> u32 {
        let scopes = (0..).zip(syntax::scopes(&self.parse.root()));
        let around = scopes.filter(|(_, it)| syntax::text_range(it).contains(&offset));
        around.last().map_or(0, |(number, _)| number)
    }
}

impl PackageView {
    fn new(
        facts: Arc<PackageSnapshot>,
        old: Option<&PackageView>,
        uri_of: &dyn Fn(&Utf8Path) -> Option<Uri>,
    ) -> PackageView {
        let file = |now: &File| {
            let uri = uri_of(&now.path)?;
            let known = old.and_then(|it| it.files.iter().find(|file| file.path == now.path));
            if let Some(known) = known.filter(|it| *it.text.content() == now.text && it.uri == uri) {
                return Some(Arc::clone(known));
            }
            let (path, text) = (now.path.clone(), Text::new(Arc::clone(&now.text)));
            let (parse, indexed) = (now.parse.clone(), Arc::clone(&now.indexed));
            Some(Arc::new(FileView { path, uri, text, parse, indexed }))
        };
        let files: Files = facts.files.iter().filter_map(file).collect();
        PackageView { facts, files, mentions: OnceLock::new() }
    }

    /// The mentions in the package, computed on first use: they are not needed while the user types.
    pub fn mentions(&self) -> &Mentions {
        self.mentions.get_or_init(|| Mentions::find(&self.facts, &self.files))
    }

    /// The range of a span.
    pub fn range(&self, span: Span, encoding: Encoding) -> Option<(&FileView, Range)> {
        let file = self.files.get(span.file as usize)?;
        Some((file, file.text.range(span.start..span.end, encoding)))
    }
}
