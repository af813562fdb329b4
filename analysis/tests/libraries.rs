//! Layers of other crates: path dependencies are read together with the packages that name them.

mod folders;

use std::sync::atomic::AtomicBool;

use camino::Utf8Path;
use cspec_analysis::{
    report::Options,
    session::{Request, Session, State},
    verdict::Verdict,
    workspace::{FeatureSelection, Package, Selection, TargetSelection},
};
use folders::{folder, manifest, select};

/// A lock around a value, with its protocol.
const MACHINE: &str = "
    use cspec::prelude::*;
    #[state]
    pub struct Cell { pub value: u64, pub owner: Option<Pid> }
    #[layer]
    impl Raw for Cell {
        #[init] fn init(&self) -> bool { self.owner.is_none() }
        #[op] fn acquire(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
        #[op] fn release(&mut self, me: Pid) { self.owner = None; }
        #[op] fn read(&mut self, me: Pid) -> u64 { self.value }
        #[op] fn write(&mut self, me: Pid, value: u64) { self.value = value; }
    }
    #[layer(protocol = Raw, nilpotent)]
    impl Owned for Cell {
        #[allowed(release, read, write)] fn own(&self, me: Pid) -> bool { self.owner == Some(me) }
    }
";

/// Takes the larger of two values, over the protocol of the lock.
const USER: &str = "
    use cspec::prelude::*;
    use machine::*;
    #[layer(inherit(Raw: init))]
    impl Max for Cell {
        #[op]
        fn raise(&mut self, me: Pid, to: u64) {
            when(self.owner.is_none());
            if self.value < to { self.value = to; }
        }
    }
    #[implement(Max, over = Owned, by = movers)]
    impl Section {
        fn raise(lo: &mut impl Owned, to: u64) {
            lo.acquire();
            if lo.read() < to { lo.write(to); }
            lo.release();
        }
    }
";

fn depends(name: &str, on: &str) -> String {
    format!("{}[dependencies]\n{on}\n", manifest(name))
}

/// For each of these packages: the findings in its source, and the obligations that hold and that do not.
fn checked(packages: Vec<Package>) -> Vec<(Vec<String>, Vec<String>, Vec<String>)> {
    let snapshot = Session::open(packages).snapshot();
    let options = Options::default();
    snapshot.run(&Request::all(&options), &|_| {}, &AtomicBool::new(false));
    let of_package = |index: usize| {
        let problems = snapshot.packages()[index].diagnostics.iter().map(|it| format!("{} {}", it.code, it.message));
        let (mut holds, mut fails) = (Vec::new(), Vec::new());
        for listed in snapshot.obligations(index, &options) {
            // An obligation that depends on errors has no verdict.
            let State::Settled(outcome, _) = listed.state else { continue };
            let is_good = matches!(outcome.verdict, Verdict::Proved | Verdict::Checked);
            if is_good { &mut holds } else { &mut fails }.push(listed.name.id());
        }
        (problems.collect(), holds, fails)
    };
    (0..snapshot.packages().len()).map(of_package).collect()
}

fn workspace(name: &str, machine: &str, user: &str) -> camino::Utf8PathBuf {
    folder(
        name,
        &[
            ("Cargo.toml", b"[workspace]\nmembers = [\"machine\", \"user\"]\nresolver = \"3\"\n"),
            ("machine/Cargo.toml", manifest("machine").as_bytes()),
            ("machine/src/lib.rs", machine.as_bytes()),
            ("user/Cargo.toml", depends("user", "machine = { path = \"../machine\" }").as_bytes()),
            ("user/src/lib.rs", user.as_bytes()),
        ],
    )
}

fn only(root: &Utf8Path, package: &str) -> Vec<Package> {
    select(root, Selection { packages: vec![package.to_owned()], ..Selection::default() }).expect("a package")
}

#[test]
fn layers_of_a_dependency_are_read() {
    let root = workspace("library", MACHINE, USER);
    let found = checked(only(&root, "user"));
    let [(problems, holds, fails)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((problems.as_slice(), fails.as_slice()), ([].as_slice(), [].as_slice()));
    assert!(holds.iter().any(|it| it.contains("Section")), "{holds:?}");
    // The obligations of the dependency are checked here, too.
    assert!(holds.iter().any(|it| it.contains("Raw")), "{holds:?}");
}

#[test]
fn what_a_dependency_owes_is_told_once() {
    let root = workspace("library_once", MACHINE, USER);
    let packages = select(&root, Selection { workspace: true, ..Selection::default() }).expect("packages");
    let names: Vec<String> = packages.iter().map(|it| it.title.clone()).collect();
    let found = checked(packages);
    let of = |name: &str| &found[names.iter().position(|it| it == name).expect("a package")].1;
    assert!(of("machine").iter().any(|it| it.contains("Raw")));
    assert!(!of("user").iter().any(|it| it.contains("Raw")), "{:?}", of("user"));
    assert!(of("user").iter().any(|it| it.contains("Section")));
}

/// A mistake in a layer below makes the obligations above fail.
#[test]
fn a_mistake_in_a_dependency_is_found() {
    let wrong = MACHINE.replace("when(self.owner.is_none()); ", "");
    let root = workspace("library_mistake", &wrong, USER);
    let found = checked(only(&root, "user"));
    assert!(found[0].2.iter().any(|it| it.contains("Section")), "{found:?}");
}

#[test]
fn names_are_those_of_the_crate_that_they_stand_in() {
    // `crate::` means the library there. A glob does not import its private items.
    let machine = MACHINE.replace("pub value: u64", "pub value: crate::Number")
        + "pub type Number = u64;\n#[macro_export] macro_rules! assert { () => {} }\npub(crate) fn when(_: bool) {}\n";
    let machine = machine.replace("when(self", "cspec::when(self");
    // The user's macros and functions are not those of the library.
    let user = USER.replace("to: u64) {\n            when", "to: u64) {\n            std::assert!(true); when");
    let root = workspace("library_names", &machine, &user);
    let found = checked(only(&root, "user"));
    let [(problems, _, fails)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((problems.as_slice(), fails.as_slice()), ([].as_slice(), [].as_slice()));
    let called = USER.replace("when(", "assert!(true); when(");
    let root = workspace("library_macros", &machine, &called);
    assert!(checked(only(&root, "user"))[0].0.iter().any(|it| it.starts_with("CS0106")));
}

#[test]
fn a_dependency_may_have_another_name_and_another_workspace() {
    let root = folder(
        "library_elsewhere",
        &[
            ("machine/Cargo.toml", format!("{}[workspace]\n", manifest("machine")).as_bytes()),
            ("machine/src/lib.rs", MACHINE.as_bytes()),
            (
                "user/Cargo.toml",
                depends("user", "a-lock = { package = \"machine\", path = \"../machine\" }\n[workspace]").as_bytes(),
            ),
            ("user/src/lib.rs", USER.replace("machine::", "::a_lock::").as_bytes()),
        ],
    );
    let found = checked(select(&root.join("user"), Selection::default()).expect("a package"));
    assert_eq!((found[0].0.as_slice(), found[0].2.as_slice()), ([].as_slice(), [].as_slice()));
    // Without the table it is an ordinary crate, whose text is not read.
    let plain = manifest("machine").replace("[package.metadata.cspec]", "");
    std::fs::write(root.join("machine/Cargo.toml"), format!("{plain}[workspace]\n")).expect("a file");
    let found = checked(select(&root.join("user"), Selection::default()).expect("a package"));
    assert!(found[0].0.iter().any(|it| it.starts_with("CS0202")), "{found:?}");
}

/// A binary uses the library of its own package.
#[test]
fn a_binary_names_the_layers_of_its_library() {
    let root = folder(
        "library_and_binary",
        &[
            ("Cargo.toml", format!("{}[workspace]\n", manifest("machine")).as_bytes()),
            ("src/lib.rs", MACHINE.as_bytes()),
            ("src/main.rs", format!("{USER}\nfn main() {{}}").as_bytes()),
            ("src/bin/idle.rs", b"use machine::*; fn main() {}"),
        ],
    );
    let packages = select(&root, Selection::default()).expect("a package");
    let names: Vec<String> = packages.iter().map(|it| it.target.to_string()).collect();
    assert_eq!(names, ["lib", "bin idle", "bin machine"]);
    let found = checked(packages);
    assert!(found.iter().all(|it| it.0.is_empty() && it.2.is_empty()), "{found:?}");
    assert!(found[0].1.iter().any(|it| it.contains("Raw")));
    assert!(found[1].1.is_empty(), "{found:?}");
    assert!(found[2].1.iter().any(|it| it.contains("Section")) && !found[2].1.iter().any(|it| it.contains("Raw")));
}

/// Cargo compiles a dependency once, with the features that all selected packages request.
#[test]
fn features_are_unified_over_the_selected_packages() {
    let layer = |name: &str| format!("#[layer] impl {name} for Cell {{ #[op] fn nothing(&mut self, me: Pid) {{}} }}");
    let part = |name: &str| format!("#[cfg(feature = \"{}\")] {}\n", name.to_lowercase(), layer(name));
    let machine = ["Base", "Asked", "Through", "Flag", "Optional"].map(part).concat();
    let machine =
        format!("use cspec::prelude::*; #[state] pub struct Cell {{ pub x: u64 }}\n{}{machine}", layer("Always"));
    let features = "[features]\ndefault = [\"base\"]\nbase = []\nasked = []\nthrough = []\nflag = []\noptional = []\n";
    let plain = |name: &str| manifest(name).replace("[package.metadata.cspec]", "");
    let user = format!(
        "{}[dependencies]\nmachine = {{ path = \"../machine\", default-features = false, features = [\"asked\"] }}\nplain = {{ path = \"../plain\" }}\nother = {{ path = \"../other\", optional = true }}\n[features]\nflag = [\"machine/flag\"]\n",
        manifest("user")
    );
    let root = folder(
        "unified",
        &[
            ("Cargo.toml", b"[workspace]\nmembers = [\"machine\", \"user\", \"plain\", \"other\"]\nresolver = \"3\"\n"),
            ("machine/Cargo.toml", format!("{}{features}", manifest("machine")).as_bytes()),
            ("machine/src/lib.rs", machine.as_bytes()),
            ("user/Cargo.toml", user.as_bytes()),
            ("user/src/lib.rs", b"use machine::*;"),
            (
                "plain/Cargo.toml",
                format!("{}[dependencies]\nmachine = {{ path = \"../machine\", default-features = false, features = [\"through\"] }}\n", plain("plain")).as_bytes(),
            ),
            ("plain/src/lib.rs", b""),
            (
                "other/Cargo.toml",
                format!("{}[dependencies]\nmachine = {{ path = \"../machine\", features = [\"optional\"] }}\n", plain("other")).as_bytes(),
            ),
            ("other/src/lib.rs", b""),
        ],
    );
    let layers = |packages: &[&str], features: &[&str]| {
        let packages = packages.iter().map(|it| (*it).to_owned()).collect();
        let names = features.iter().map(|it| (*it).to_owned()).collect();
        let features = FeatureSelection { names, ..FeatureSelection::default() };
        let targets = TargetSelection { lib: true, ..TargetSelection::default() };
        let selected = select(&root, Selection { packages, features, targets, ..Selection::default() });
        let selected = selected.expect("packages");
        let of_machine = selected.iter().position(|it| it.name == "machine");
        let snapshot = Session::open(selected).snapshot();
        let program = snapshot.packages()[of_machine.unwrap_or(0)].program();
        program.layers.iter().map(|it| it.name.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(layers(&["machine"], &[]), "Always Base");
    // `user` requests one feature, and `plain`, its dependency, another.
    assert_eq!(layers(&["machine", "user"], &[]), "Always Base Asked Through");
    assert_eq!(layers(&["machine", "user"], &["user/flag"]), "Always Base Asked Through Flag");
    assert_eq!(layers(&["machine", "user"], &["user/other"]), "Always Base Asked Through Optional");
}
