//! The files of a package: the root file, and what its `mod name;` declarations lead to.

use std::collections::HashSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Package, shown};
use crate::{
    diagnostics::{Diagnostic, Severity, codes},
    index::{self, ModuleDeclaration},
    ir::Span,
    syntax,
};

/// The text of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileText {
    /// Relative to the workspace root where possible.
    pub path: Utf8PathBuf,
    /// Empty if the file cannot be read.
    pub text: String,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFiles {
    /// The root file first, modules in the order of their declarations. A [`Span`]'s file is an index into this.
    pub files: Vec<FileText>,
    /// Files that are missing or not UTF-8.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a package. What cannot be read is reported, and the rest is read all the same.
pub fn source_files(package: &Package) -> SourceFiles {
    let mut reader = Reader { package, found: SourceFiles::default(), seen: HashSet::new() };
    let root = package.target.2.clone();
    let start = Span { file: 0, start: 0, end: 0 };
    let mut open = vec![(root, start, true)];
    while let Some((path, declared, is_root)) = open.pop() {
        let mut children = reader.read(&path, declared, is_root);
        children.reverse();
        open.extend(children.into_iter().map(|(path, span)| (path, span, false)));
    }
    reader.found
}

struct Reader<'a> {
    package: &'a Package,
    found: SourceFiles,
    seen: HashSet<Utf8PathBuf>,
}

impl Reader<'_> {
    /// Reads one file; gives the files of its modules with where each is declared.
    fn read(&mut self, path: &Utf8Path, declared: Span, is_root: bool) -> Vec<(Utf8PathBuf, Span)> {
        let identity = path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned());
        if !self.seen.insert(identity) {
            return Vec::new();
        }
        let text = std::fs::read(path).map_err(|error| error.to_string());
        let text = text.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned()));
        let text = text.unwrap_or_else(|reason| {
            let message = format!("file `{}` cannot be read: {reason}", shown(path, self.package));
            self.report(declared, message, None);
            String::new()
        });
        let modules = index::modules(&syntax::parse(&text));
        let file = self.found.files.len() as u32;
        self.found.files.push(FileText { path: shown(path, self.package), text });
        modules.iter().filter_map(|module| self.locate(path, is_root, file, module)).collect()
    }

    /// The file of a module.
    fn locate(
        &mut self,
        path: &Utf8Path,
        is_root: bool,
        file: u32,
        module: &ModuleDeclaration,
    ) -> Option<(Utf8PathBuf, Span)> {
        let span = Span { file, start: module.range.start, end: module.range.end };
        let candidates = candidates(path, is_root, module);
        if let Some(found) = candidates.iter().find(|it| it.is_file()) {
            return Some((found.clone(), span));
        }
        if !module.conditional {
            let tried: Vec<String> = candidates.iter().map(|it| format!("`{}`", shown(it, self.package))).collect();
            let help = format!("create {}", tried.join(" or "));
            self.report(span, format!("the file of module `{}` does not exist", module.name), Some(help));
        }
        None
    }

    fn report(&mut self, span: Span, message: String, help: Option<String>) {
        self.found.diagnostics.push(Diagnostic {
            code: codes::CS0001,
            severity: Severity::Error,
            message,
            span,
            label: String::new(),
            related: Vec::new(),
            notes: Vec::new(),
            help,
        });
    }
}

/// Where rustc would look for the module, in order.
fn candidates(path: &Utf8Path, is_root: bool, module: &ModuleDeclaration) -> Vec<Utf8PathBuf> {
    let here = path.parent().unwrap_or(Utf8Path::new("")).to_owned();
    let owns_folder = is_root || path.file_name() == Some("mod.rs");
    let mut folder = if owns_folder { here.clone() } else { here.join(path.file_stem().unwrap_or_default()) };
    folder.extend(&module.inside);
    match &module.path {
        // `#[path]` counts from the file itself, unless inline modules stand around it.
        Some(explicit) if module.inside.is_empty() => vec![here.join(explicit)],
        Some(explicit) => vec![folder.join(explicit)],
        None => vec![folder.join(format!("{}.rs", module.name)), folder.join(&module.name).join("mod.rs")],
    }
}
