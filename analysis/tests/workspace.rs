//! Tests of finding packages and their files.

mod folders;

use camino::Utf8Path;
use cspec_analysis::{
    session::Session,
    workspace::{FeatureSelection, LoadError, Package, Selection, TargetKind, TargetSelection},
};
use folders::{folder, manifest, select};

#[test]
fn packages_are_selected_as_cargo_selects_them() {
    let (one, two) = (manifest("one"), manifest("two"));
    let plain = manifest("plain").replace("[package.metadata.cspec]", "");
    let root = folder(
        "selection",
        &[
            ("Cargo.toml", b"[workspace]\nmembers = [\"one\", \"two\", \"plain\"]\nresolver = \"3\"\n"),
            ("one/Cargo.toml", one.as_bytes()),
            ("one/src/main.rs", b"fn main() {}"),
            ("two/Cargo.toml", two.as_bytes()),
            ("two/src/lib.rs", b""),
            ("two/src/main.rs", b"fn main() {}"),
            ("plain/Cargo.toml", plain.as_bytes()),
            ("plain/src/lib.rs", b""),
        ],
    );
    let names = |packages: Result<Vec<Package>, LoadError>| {
        packages.map(|it| it.into_iter().map(|it| format!("{} {}", it.title, it.target)).collect::<Vec<_>>())
    };
    let of_two = ["two lib".to_owned(), "two (bin two) bin two".to_owned()];
    let all = || Ok([vec!["one bin one".to_owned()], of_two.to_vec()].concat());
    assert_eq!(names(select(&root, Selection::default())), all());
    assert_eq!(names(select(&root.join("one"), Selection::default())), Ok(vec!["one bin one".to_owned()]));
    assert_eq!(names(select(&root.join("one"), Selection { workspace: true, ..Selection::default() })), all());
    let named = |name: &str| select(&root, Selection { packages: vec![name.to_owned()], ..Selection::default() });
    assert_eq!(names(named("two")), Ok(of_two.to_vec()));
    assert_eq!(names(named("t*o")), Ok(of_two.to_vec()));
    assert_eq!(names(named("[a-s]*e")), Ok(vec!["one bin one".to_owned()]));
    assert_eq!(names(named("plain")), Err(LoadError::NotAPackageWithLayers { name: "plain".to_owned() }));
    assert_eq!(names(named("t?o")), Ok(of_two.to_vec()));
    // A pattern that nearly matches in many ways does not take long.
    let tiresome = format!("{}b", "o*".repeat(40));
    assert!(matches!(names(named(&tiresome)), Err(LoadError::NoSuchPackage { .. })));
    assert!(matches!(names(named("[t")), Err(LoadError::Pattern { .. })));
    let known = ["one", "plain", "two"].map(str::to_owned).to_vec();
    let mut unknown = named("three");
    if let Err(LoadError::NoSuchPackage { known, .. }) = &mut unknown {
        known.sort();
    }
    assert_eq!(names(unknown), Err(LoadError::NoSuchPackage { name: "three".to_owned(), known }));
    assert!(matches!(select(&root.join("nowhere"), Selection::default()), Err(LoadError::Metadata(_))));
}

/// The targets are those that cargo would check with the same flags.
#[test]
fn targets_are_selected_as_cargo_selects_them() {
    let root = folder(
        "targets",
        &[
            ("Cargo.toml", format!("{}[workspace]\n", manifest("many")).as_bytes()),
            ("src/lib.rs", b""),
            ("src/main.rs", b"fn main() {}"),
            ("src/bin/tool.rs", b"fn main() {}"),
            ("examples/shown.rs", b"fn main() {}"),
            ("tests/whole.rs", b""),
            ("benches/fast.rs", b""),
        ],
    );
    let titles = |targets: TargetSelection| -> Result<Vec<String>, LoadError> {
        let packages = select(&root, Selection { targets, ..Selection::default() });
        packages.map(|it| it.into_iter().map(|it| it.title.replacen("many ", "", 1)).collect())
    };
    let usual = TargetSelection::default;
    let one = || vec!["tool".to_owned()];
    let expected = [
        (usual(), "many, (bin many), (bin tool)"),
        (TargetSelection { lib: true, ..usual() }, "many"),
        (TargetSelection { bins: true, ..usual() }, "(bin many), (bin tool)"),
        (TargetSelection { bin: one(), ..usual() }, "(bin tool)"),
        (TargetSelection { lib: true, bin: vec!["t*".to_owned()], ..usual() }, "many, (bin tool)"),
        (TargetSelection { examples: true, ..usual() }, "(example shown)"),
        (TargetSelection { test: vec!["whole".to_owned()], ..usual() }, "(test whole)"),
        (TargetSelection { bench: vec!["fast".to_owned()], ..usual() }, "(bench fast)"),
        (TargetSelection { tests: true, ..usual() }, "(lib test), (bin many test), (bin tool test), (test whole)"),
        (
            TargetSelection::all(),
            "many, (bin many), (bin tool), (example shown), (lib test), (bin many test), (bin tool test), (test whole), (bench fast)",
        ),
    ];
    for (targets, expected) in expected {
        assert_eq!(titles(targets.clone()).map(|it| it.join(", ")), Ok(expected.to_owned()), "{targets:?}");
    }
    let missing = titles(TargetSelection { example: one(), ..usual() });
    let known = vec!["shown".to_owned()];
    assert_eq!(
        missing,
        Err(LoadError::NoSuchTarget { kind: TargetKind::Example, name: Some("tool".to_owned()), known })
    );
}

#[test]
fn modules_are_followed_and_unreadable_files_reported() {
    let root = folder(
        "modules",
        &[
            ("Cargo.toml", format!("{}[workspace]\n", manifest("modules")).as_bytes()),
            ("src/lib.rs", b"mod a;\nmod b;\nmod missing;\nmod latin;\n#[path = \"odd.rs\"] mod c;\n#[cfg(test)] mod tests;\n#[cfg(windows)] mod windows;\nmod inline { mod deep; }\n"),
            ("src/a.rs", b"mod child;"),
            ("src/a/child.rs", b""),
            ("src/b/mod.rs", b"mod child;"),
            ("src/b/child.rs", b"#[path = \"../lib.rs\"] mod again;"),
            ("src/latin.rs", b"// caf\xe9"),
            ("src/odd.rs", b""),
            ("src/inline/deep.rs", b""),
            ("src/tests.rs", b""),
        ],
    );
    let package = select(&root, Selection::default()).expect("a package").remove(0);
    let snapshot = Session::open(vec![package]).snapshot();
    let found = &snapshot.packages()[0];
    let paths: Vec<&str> = found.files.iter().map(|it| it.shown.as_str()).collect();
    assert_eq!(
        paths,
        [
            "src/lib.rs",
            "src/a.rs",
            "src/a/child.rs",
            "src/b/mod.rs",
            "src/b/child.rs",
            "src/latin.rs",
            "src/odd.rs",
            "src/inline/deep.rs"
        ]
    );
    let reported: Vec<String> = found.diagnostics.iter().map(|it| format!("{} {}", it.code, it.message)).collect();
    assert_eq!(
        reported,
        [
            "CS0001 the file of module `missing` does not exist",
            "CS0001 file `src/latin.rs` cannot be read: it is not UTF-8"
        ]
    );
}

/// The names of the layers in the source of a package, and the findings in it.
fn layers(root: &Utf8Path, selection: Selection) -> (Vec<String>, Vec<String>) {
    let package = select(root, selection).expect("a package").remove(0);
    let snapshot = Session::open(vec![package]).snapshot();
    let found = &snapshot.packages()[0];
    let layers = found.program().layers.iter().map(|it| it.name.clone()).collect();
    (layers, found.diagnostics.iter().map(|it| format!("{} {}", it.code, it.message)).collect())
}

fn layer(name: &str) -> String {
    format!(
        "use cspec::prelude::*;\n#[state] pub struct S{name} {{ pub x: u64 }}\n#[layer] impl {name} for S{name} {{ #[op] fn get(&mut self, me: Pid) -> u64 {{ self.x }} }}\n"
    )
}

#[test]
fn no_file_with_layers_is_passed_over() {
    let lib = "\u{feff}#[path = \"odd/place.rs\"] mod a;\nmod plain { #[path = \"other\"] mod inside { mod deep; } }\nmod b { include!(\"text.inc\"); }\nmod c { include!(concat!(\"a\", \"b\")); }\n";
    let root = folder(
        "layers_in_files",
        &[
            ("Cargo.toml", format!("{}[workspace]\n", manifest("layers_in_files")).as_bytes()),
            ("src/lib.rs", lib.as_bytes()),
            ("src/odd/place.rs", format!("mod sub;\n{}", layer("Placed")).as_bytes()),
            ("src/odd/sub.rs", layer("Sub").as_bytes()),
            ("src/plain/other/deep.rs", layer("Deep").as_bytes()),
            ("src/text.inc", layer("Included").as_bytes()),
        ],
    );
    let (layers, reported) = layers(&root, Selection::default());
    assert_eq!(layers, ["Placed", "Sub", "Deep", "Included"]);
    assert_eq!(reported, ["CS0107 items generated by `include!` are not read"]);
}

#[test]
fn features_are_those_that_cargo_would_switch_on() {
    let features = "[features]\ndefault = [\"base\"]\nbase = [\"deep\"]\ndeep = []\nmore = [\"deep\"]\n[workspace]\n";
    let part =
        |feature: &str, name: &str| format!("#[cfg(feature = \"{feature}\")]\nmod {feature} {{ {} }}\n", layer(name));
    let lib = [part("deep", "Deep"), part("more", "More"), "#[cfg(unix)] mod x {} #[cfg(windows)] mod x {}".to_owned()];
    let root = folder(
        "features",
        &[
            ("Cargo.toml", format!("{}{features}", manifest("features")).as_bytes()),
            ("src/lib.rs", lib.concat().as_bytes()),
        ],
    );
    let with = |features: FeatureSelection| layers(&root, Selection { features, ..Selection::default() });
    let named = |names: &[&str], no_default| FeatureSelection {
        names: names.iter().map(|it| (*it).to_owned()).collect(),
        no_default,
        all: false,
    };
    let no_errors =
        |names: &[&str]| (names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!(with(FeatureSelection::default()), no_errors(&["Deep"]));
    assert_eq!(with(named(&["more"], false)), no_errors(&["Deep", "More"]));
    assert_eq!(with(named(&["features/more,base"], true)), no_errors(&["Deep", "More"]));
    assert_eq!(with(FeatureSelection { all: true, ..Default::default() }), no_errors(&["Deep", "More"]));
    assert_eq!(with(named(&[], true)).1, ["CS0002 package `features` declares no layers"]);
}
