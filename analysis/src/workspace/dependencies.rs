//! The packages around the selected ones: which libraries have layers that a target can name, and which features cargo enables in each
//! package when it compiles the selected ones together.
//!
//! Only dependencies by path are followed: they are the user's own code, and their text is available.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Dependency, DependencyKind, Metadata, MetadataCommand};
use serde_json::Value;

use super::{Asked, CfgOptions, Reading, Target, TargetKind, cfg, table, transparent};

/// The libraries that are read with a target, because it can name their layers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// The libraries, each once. The number of a crate is its index here plus one; 0 is the target itself.
    pub libraries: Vec<Library>,
    /// The names of crates: the number of a crate, a name used in it, and the number of the crate with that name.
    pub names: Vec<(u32, String, u32)>,
}

/// A library whose layers others can name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// The cargo package id.
    pub package: String,
    /// The name of the crate.
    pub name: String,
    /// The path of its root file.
    pub root: Utf8PathBuf,
    /// The options under which its text is read.
    pub reading: Arc<Reading>,
}

/// The crate that each file of a package belongs to, and the options under which crates are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crates {
    of_files: Vec<u32>,
    own: Arc<Reading>,
    dependencies: Arc<Dependencies>,
}

impl Crates {
    /// The crates of a target; `of_files` contains the number of the crate of each file.
    pub fn new(of_files: Vec<u32>, own: Arc<Reading>, dependencies: Arc<Dependencies>) -> Crates {
        Crates { of_files, own, dependencies }
    }

    /// The number of crates.
    pub fn count(&self) -> usize {
        1 + self.dependencies.libraries.len()
    }

    /// The number of the crate that a file belongs to.
    pub fn of_file(&self, file: u32) -> u32 {
        self.of_files.get(file as usize).copied().unwrap_or_default()
    }

    /// The options under which a file is read.
    pub fn reading(&self, file: u32) -> &Reading {
        self.library(self.of_file(file)).map_or(&self.own, |it| &it.reading)
    }

    /// The name of a crate; empty for the target itself.
    pub fn name(&self, number: u32) -> &str {
        self.library(number).map_or("", |it| &it.name)
    }

    /// The names of crates: see [`Dependencies::names`].
    pub fn names(&self) -> &[(u32, String, u32)] {
        &self.dependencies.names
    }

    fn library(&self, number: u32) -> Option<&Library> {
        self.dependencies.libraries.get((number as usize).checked_sub(1)?)
    }
}

/// A package that `cargo metadata` returned, with the table of its workspace.
struct Found {
    package: cargo_metadata::Package,
    of_workspace: Option<Value>,
}

/// All packages that a workspace depends on by path, directly or not, with their features.
pub(super) struct Known {
    /// The packages, by the folders of their manifests.
    by_folder: HashMap<Utf8PathBuf, Found>,
    /// The enabled features, by package id.
    features: BTreeMap<String, BTreeSet<String>>,
}

impl Known {
    /// Finds these packages, for compiling the selected ones together.
    pub(super) fn new(metadata: &Metadata, selected: &[&cargo_metadata::Package], asked: &Asked<'_>) -> Known {
        let mut known = Known { by_folder: HashMap::new(), features: BTreeMap::new() };
        known.enter(metadata.clone());
        known.follow();
        known.features =
            selected.iter().map(|it| (it.id.repr.clone(), cfg::features(it, &asked.selection.features))).collect();
        known.unify(selected, asked.targets.compiles_tests());
        known
    }

    fn enter(&mut self, metadata: Metadata) {
        let of_workspace = metadata.workspace_metadata.get("cspec").cloned();
        for package in metadata.packages {
            let Some(folder) = package.manifest_path.parent().map(Utf8Path::to_owned) else { continue };
            let of_workspace = of_workspace.clone();
            self.by_folder.entry(folder).or_insert(Found { package, of_workspace });
        }
    }

    /// Asks cargo for packages in other workspaces.
    fn follow(&mut self) {
        loop {
            let wanted = self.by_folder.values().flat_map(|it| &it.package.dependencies).filter(|it| is_followed(it));
            let missing = wanted.filter_map(|it| it.path.clone()).find(|it| !self.by_folder.contains_key(it));
            let Some(folder) = missing else { return };
            let mut command = MetadataCommand::new();
            command.no_deps().manifest_path(folder.join("Cargo.toml"));
            // If cargo cannot read it, `cargo check` reports that.
            let Some(metadata) = command.exec().ok() else {
                // No folder is asked for twice.
                self.by_folder.retain(|_, it| {
                    it.package.dependencies.retain(|it| it.path.as_ref() != Some(&folder));
                    true
                });
                continue;
            };
            self.enter(metadata);
            if !self.by_folder.contains_key(&folder) {
                return;
            }
        }
    }

    fn of(&self, dependency: &Dependency) -> Option<&Found> {
        self.by_folder.get(dependency.path.as_ref()?)
    }

    /// Enables the features that dependents request, until nothing changes. Cargo compiles each package once for all that are selected.
    /// Dev-dependencies count if tests are compiled.
    fn unify(&mut self, selected: &[&cargo_metadata::Package], with_tests: bool) {
        loop {
            let mut asked: Vec<(String, BTreeSet<String>)> = Vec::new();
            for Found { package, .. } in self.by_folder.values() {
                let Some(on) = self.features.get(&package.id.repr) else { continue };
                let is_selected = selected.iter().any(|it| it.id == package.id);
                let counts = |it: &&Dependency| match it.kind {
                    DependencyKind::Development => with_tests && is_selected,
                    kind => kind == DependencyKind::Normal,
                };
                for dependency in package.dependencies.iter().filter(counts) {
                    let entries: Vec<&String> = on.iter().filter_map(|it| package.features.get(it)).flatten().collect();
                    if let (Some(found), Some(wanted)) = (self.of(dependency), asked_of(dependency, &entries)) {
                        asked.push((found.package.id.repr.clone(), cfg::closed(&found.package, wanted)));
                    }
                }
            }
            let mut has_changed = false;
            for (package, more) in asked {
                let is_new = !self.features.contains_key(&package);
                let on = self.features.entry(package).or_default();
                let before = on.len();
                on.extend(more);
                has_changed |= is_new || on.len() > before;
            }
            if !has_changed {
                return;
            }
        }
    }

    /// The `cfg` options of a package.
    pub(super) fn options(&self, package: &cargo_metadata::Package, platform: &CfgOptions) -> CfgOptions {
        let features = self.features(package);
        let options = features.iter().fold(platform.clone(), |it, name| it.with_value("feature", name));
        let has_script = package.targets.iter().any(|it| it.kind.contains(&cargo_metadata::TargetKind::CustomBuild));
        if has_script { options.with_build_script() } else { options }
    }

    /// The enabled features of a package.
    pub(super) fn features(&self, package: &cargo_metadata::Package) -> BTreeSet<String> {
        self.features.get(&package.id.repr).cloned().unwrap_or_default()
    }

    /// The options under which the text of a package is read.
    fn reading(&self, found: &Found, platform: &CfgOptions) -> Arc<Reading> {
        let tables = found.of_workspace.iter().chain(table(&found.package));
        Arc::new(Reading { cfg: Arc::new(self.options(&found.package, platform)), transparent: transparent(tables) })
    }

    /// The libraries that a target of a package can name, and those that these libraries can name.
    pub(super) fn dependencies(
        &self,
        package: &cargo_metadata::Package,
        target: &Target,
        platform: &CfgOptions,
    ) -> Dependencies {
        let mut dependencies = Dependencies::default();
        let Some(found) = package.manifest_path.parent().and_then(|it| self.by_folder.get(it)) else {
            return dependencies;
        };
        if target.kind != TargetKind::Lib
            && let Some(number) = self.library(found, platform, &mut dependencies)
        {
            let name = dependencies.libraries[number as usize - 1].name.clone();
            dependencies.names.push((0, name, number));
        }
        let for_tests = target.is_test || target.kind == TargetKind::Example;
        self.name_all(0, found, for_tests, platform, &mut dependencies);
        dependencies
    }

    /// Records the names that a crate has for its dependencies.
    fn name_all(
        &self,
        of: u32,
        found: &Found,
        for_tests: bool,
        platform: &CfgOptions,
        dependencies: &mut Dependencies,
    ) {
        let counts = |it: &&Dependency| match it.kind {
            DependencyKind::Development => for_tests,
            kind => kind == DependencyKind::Normal,
        };
        for dependency in found.package.dependencies.iter().filter(counts) {
            let Some(other) = self.of(dependency) else { continue };
            let Some(number) = self.library(other, platform, dependencies) else { continue };
            let own = dependencies.libraries[number as usize - 1].name.clone();
            let name = dependency.rename.as_ref().map_or(own, |it| it.replace('-', "_"));
            if !dependencies.names.contains(&(of, name.clone(), number)) {
                dependencies.names.push((of, name, number));
            }
        }
    }

    /// The number of the library of a package; `None` if the package has no table of cspec, or no library.
    fn library(&self, found: &Found, platform: &CfgOptions, dependencies: &mut Dependencies) -> Option<u32> {
        table(&found.package)?;
        let package = &found.package.id.repr;
        if let Some(known) = dependencies.libraries.iter().position(|it| it.package == *package) {
            return Some(known as u32 + 1);
        }
        let mut targets = found.package.targets.iter();
        let target = targets.find(|it| TargetKind::of(it) == Some(TargetKind::Lib))?;
        dependencies.libraries.push(Library {
            package: package.clone(),
            name: target.name.replace('-', "_"),
            root: target.src_path.clone(),
            reading: self.reading(found, platform),
        });
        let number = dependencies.libraries.len() as u32;
        self.name_all(number, found, false, platform, dependencies);
        Some(number)
    }
}

/// Whether a dependency is a package whose text is available; the crate `cspec` itself has no layers.
fn is_followed(dependency: &Dependency) -> bool {
    dependency.path.is_some() && dependency.name != "cspec" && dependency.kind != DependencyKind::Build
}

/// The features that a dependent requests, given the enabled entries of its table; `None` if the dependency is optional and disabled.
fn asked_of(dependency: &Dependency, entries: &[&String]) -> Option<Vec<String>> {
    let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
    let mut wanted = dependency.features.clone();
    let mut is_on = !dependency.optional;
    for entry in entries {
        match entry.split_once('/') {
            Some((of, feature)) if of.trim_end_matches('?') == name => {
                is_on |= !of.ends_with('?');
                wanted.push(feature.to_owned());
            }
            None => is_on |= entry.strip_prefix("dep:") == Some(name),
            Some(_) => {}
        }
    }
    wanted.extend(dependency.uses_default_features.then(|| "default".to_owned()));
    is_on.then_some(wanted)
}
