//! The files of a package: the root file, and what its `mod name;` declarations lead to.

use std::collections::HashSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Package, shown, texts::identity};
use crate::{
    diagnostics::{Diagnostic, codes},
    index::ModuleDeclaration,
    ir::Span,
};

/// Where the texts of files come from.
pub trait Files {
    /// The modules that a file declares.
    ///
    /// # Errors
    /// Why the file cannot be read, in words.
    fn modules(&mut self, path: &Utf8Path) -> Result<Vec<ModuleDeclaration>, String>;
    /// Whether there is such a file.
    fn exists(&self, path: &Utf8Path) -> bool;
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFiles {
    /// The root file first, modules in the order of their declarations. A [`Span`]'s file is an index into this.
    pub files: Vec<FoundFile>,
    /// Files that are missing or not UTF-8.
    pub diagnostics: Vec<Diagnostic>,
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// Where it is.
    pub path: Utf8PathBuf,
    /// Relative to the workspace root where possible.
    pub shown: Utf8PathBuf,
    /// It cannot be read; it counts as empty.
    pub unreadable: bool,
    /// The `mod name;` that it is the text of: a file, and an index into its modules. `None` for the root.
    pub parent: Option<(u32, u32)>,
}

/// Finds the files of a package. What cannot be read is reported, and the rest is read all the same.
pub fn source_files(package: &Package, files: &mut dyn Files) -> SourceFiles {
    let mut reader = Reader { package, files, found: SourceFiles::default(), seen: HashSet::new() };
    let root = package.target.2.clone();
    let start = Span { file: 0, start: 0, end: 0 };
    let mut open = vec![(root, start, None)];
    while let Some((path, declared, parent)) = open.pop() {
        let mut children = reader.read(&path, declared, parent);
        children.reverse();
        open.extend(children.into_iter().map(|(path, span, parent)| (path, span, Some(parent))));
    }
    reader.found
}

struct Reader<'a> {
    package: &'a Package,
    files: &'a mut dyn Files,
    found: SourceFiles,
    seen: HashSet<Utf8PathBuf>,
}

impl Reader<'_> {
    /// Reads one file; gives the files of its modules with where each is declared.
    fn read(
        &mut self,
        path: &Utf8Path,
        declared: Span,
        parent: Option<(u32, u32)>,
    ) -> Vec<(Utf8PathBuf, Span, (u32, u32))> {
        let identity = identity(path);
        if !self.seen.insert(identity) {
            return Vec::new();
        }
        let modules = self.files.modules(path);
        let unreadable = modules.is_err();
        let modules = modules.unwrap_or_else(|reason| {
            let message = format!("file `{}` cannot be read: {reason}", shown(path, self.package));
            self.report(declared, message, None);
            Vec::new()
        });
        let file = self.found.files.len() as u32;
        let shown = shown(path, self.package);
        self.found.files.push(FoundFile { path: path.to_owned(), shown, unreadable, parent });
        let mut found = Vec::new();
        for (number, module) in modules.iter().enumerate() {
            let located = self.locate(path, parent.is_none(), file, module);
            found.extend(located.map(|(path, span)| (path, span, (file, number as u32))));
        }
        found
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
        if let Some(found) = candidates.iter().find(|it| self.files.exists(it)) {
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
        self.found.diagnostics.push(Diagnostic { help, ..Diagnostic::error(codes::CS0001, span, message) });
    }
}

/// Where rustc would look for the module, in order.
pub(crate) fn candidates(path: &Utf8Path, is_root: bool, module: &ModuleDeclaration) -> Vec<Utf8PathBuf> {
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
