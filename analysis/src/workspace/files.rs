//! The files of a package: the root file, and the files that its `mod name;` declarations refer to.

use std::collections::HashSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Dependencies, Package, shown, texts::identity};
use crate::{
    diagnostics::{Diagnostic, codes},
    index::ModuleDeclaration,
    ir::Span,
};

/// Access to the texts of files.
pub trait Files {
    /// The modules that a file of a crate declares.
    ///
    /// # Errors
    /// The reason why the file cannot be read, as a message.
    fn modules(&mut self, krate: u32, path: &Utf8Path) -> Result<Vec<ModuleDeclaration>, String>;
    /// Whether a file contains a word.
    fn has_word(&mut self, krate: u32, path: &Utf8Path, word: &str) -> bool;
    /// Whether the file exists.
    fn exists(&self, path: &Utf8Path) -> bool;
}

/// The files of a package that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFiles {
    /// The root file, then the files of modules in the order of their declarations. A [`Span`]'s file is an index into this.
    pub files: Vec<FoundFile>,
    /// Files that are missing or not UTF-8.
    pub diagnostics: Vec<Diagnostic>,
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// The path of the file.
    pub path: Utf8PathBuf,
    /// The path as shown: relative to the workspace root where possible.
    pub shown: Utf8PathBuf,
    /// Whether it cannot be read; then its text is empty.
    pub unreadable: bool,
    /// The `mod name;` that includes it: a file, and an index into its modules. `None` for the root.
    pub parent: Option<(u32, u32)>,
    /// The number of the crate that it belongs to: 0 for the target itself, above that the libraries that are read with it.
    pub krate: u32,
}

/// Finds the files of a package. Files that cannot be read are reported, and the others are still read.
pub fn source_files(package: &Package, files: &mut dyn Files) -> SourceFiles {
    let mut reader = Reader { package, files, found: SourceFiles::default(), seen: HashSet::new() };
    reader.read_crate(0, &package.target.root);
    let Dependencies { libraries, names } = &*package.dependencies;
    // A library is read only if a crate that is read names it.
    let mut open = vec![0];
    let mut known: HashSet<u32> = [0].into();
    while let Some(krate) = open.pop() {
        for (_, name, other) in names.iter().filter(|(of, ..)| *of == krate) {
            let root = (*other as usize).checked_sub(1).and_then(|it| libraries.get(it));
            if let Some(library) = root.filter(|_| !known.contains(other) && reader.names(krate, name)) {
                known.insert(*other);
                open.push(*other);
                reader.read_crate(*other, &library.root);
            }
        }
    }
    reader.found
}

/// A file to read.
struct Found {
    path: Utf8PathBuf,
    /// The place of its declaration.
    declared: Span,
    parent: Option<(u32, u32)>,
    /// The number of the crate that it belongs to.
    krate: u32,
    /// Whether its modules are in the folder that contains it, as those of `mod.rs` are.
    owns_folder: bool,
    /// Whether `include!` includes it; the same text may be included in several places.
    is_included: bool,
}

struct Reader<'a> {
    package: &'a Package,
    files: &'a mut dyn Files,
    found: SourceFiles,
    /// The files that were found, each with its crate.
    seen: HashSet<(u32, Utf8PathBuf)>,
}

impl Reader<'_> {
    /// Reads all files of a crate, beginning with its root.
    fn read_crate(&mut self, krate: u32, root: &Utf8Path) {
        let declared = Span { file: 0, start: 0, end: 0 };
        let path = root.to_owned();
        let mut open = vec![Found { path, declared, parent: None, krate, owns_folder: true, is_included: false }];
        while let Some(found) = open.pop() {
            let mut children = self.read(&found);
            children.reverse();
            open.extend(children);
        }
    }

    /// Whether a file of a crate contains a word.
    fn names(&mut self, krate: u32, word: &str) -> bool {
        let of_crate = self.found.files.iter().filter(|it| it.krate == krate);
        of_crate.into_iter().any(|it| self.files.has_word(krate, &it.path, word))
    }

    /// Reads one file; returns the files of its modules.
    fn read(&mut self, file: &Found) -> Vec<Found> {
        let path = &file.path;
        if !self.seen.insert((file.krate, identity(path))) {
            if file.is_included {
                let message = format!("`{}` is included twice, and read once", shown(path, self.package));
                self.report(file.declared, message, Some("put it into a module of its own".to_owned()));
            }
            return Vec::new();
        }
        let modules = self.files.modules(file.krate, path);
        let unreadable = modules.is_err();
        let modules = modules.unwrap_or_else(|reason| {
            let message = format!("file `{}` cannot be read: {reason}", shown(path, self.package));
            self.report(file.declared, message, None);
            Vec::new()
        });
        let number = self.found.files.len() as u32;
        let shown = shown(path, self.package);
        let Found { parent, krate, .. } = *file;
        self.found.files.push(FoundFile { path: path.clone(), shown, unreadable, parent, krate });
        let located = |(at, module)| self.locate(file, (number, at as u32), module);
        modules.iter().enumerate().filter_map(located).collect()
    }

    /// Finds the file of a module that is declared at `parent`; reports it if there is none.
    fn locate(&mut self, file: &Found, parent: (u32, u32), module: &ModuleDeclaration) -> Option<Found> {
        let declared = Span { file: parent.0, start: module.range.start, end: module.range.end };
        let candidates = candidates(&file.path, file.owns_folder, module);
        let Some(path) = candidates.iter().find(|it| self.files.exists(it)).cloned() else {
            let tried: Vec<String> = candidates.iter().map(|it| format!("`{}`", shown(it, self.package))).collect();
            let help = format!("create {}", tried.join(" or "));
            let what = match module.name.as_str() {
                "" => "the file that is included".to_owned(),
                name => format!("the file of module `{name}`"),
            };
            self.report(declared, format!("{what} does not exist"), Some(help));
            return None;
        };
        // The modules of a file with an explicit path are in the folder that contains it.
        let (owns_folder, is_included) = (module.path.is_some(), module.name.is_empty());
        let krate = file.krate;
        Some(Found { path, declared, parent: Some(parent), krate, owns_folder, is_included })
    }

    fn report(&mut self, span: Span, message: String, help: Option<String>) {
        self.found.diagnostics.push(Diagnostic { help, ..Diagnostic::error(codes::CS0001, span, message) });
    }
}

/// The paths where rustc would look for the module, in order. `owns_folder`: the modules of the file are in the folder that contains it, as
/// those of `mod.rs` are.
pub(crate) fn candidates(path: &Utf8Path, owns_folder: bool, module: &ModuleDeclaration) -> Vec<Utf8PathBuf> {
    let mut folder = path.parent().unwrap_or(Utf8Path::new("")).to_owned();
    let owns_folder = owns_folder || path.file_name() == Some("mod.rs");
    // The folder of a file's modules is named like the file. `#[path]` is relative to the file itself, unless the declaration is inside an
    // inline module.
    let mut own = (!owns_folder).then(|| path.file_stem().unwrap_or_default());
    for around in &module.inside {
        match &around.path {
            Some(explicit) => {
                folder.push(explicit);
                own = None;
            }
            None => {
                folder.extend(own.take());
                folder.push(&around.name);
            }
        }
    }
    if let Some(explicit) = &module.path {
        return vec![folder.join(explicit)];
    }
    folder.extend(own);
    vec![folder.join(format!("{}.rs", module.name)), folder.join(&module.name).join("mod.rs")]
}
