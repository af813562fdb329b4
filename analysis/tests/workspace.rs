//! Finding packages and their files.

use camino::{Utf8Path, Utf8PathBuf};
use cspec_analysis::{
    session::Session,
    workspace::{LoadError, Package, Selection, load},
};

/// Writes files below a folder of its own.
fn folder(name: &str, files: &[(&str, &[u8])]) -> Utf8PathBuf {
    let root = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if root.exists() {
        std::fs::remove_dir_all(&root).expect("an old folder can be removed");
    }
    for (path, text) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    root
}

fn select(root: &Utf8Path, selection: Selection) -> Result<Vec<Package>, LoadError> {
    load(&Selection { manifest_path: Some(root.join("Cargo.toml")), ..selection })
}

const TABLE: &str = "[package]\nname = \"NAME\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[package.metadata.cspec]\n";

fn manifest(name: &str) -> String {
    TABLE.replace("NAME", name)
}

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
        packages.map(|it| it.into_iter().map(|it| format!("{} {}", it.name, it.target.1)).collect::<Vec<_>>())
    };
    let all = || Ok(vec!["one bin".to_owned(), "two lib".to_owned()]);
    assert_eq!(names(select(&root, Selection::default())), all());
    assert_eq!(names(select(&root.join("one"), Selection::default())), Ok(vec!["one bin".to_owned()]));
    assert_eq!(names(select(&root.join("one"), Selection { workspace: true, ..Selection::default() })), all());
    let named = |name: &str| select(&root, Selection { packages: vec![name.to_owned()], ..Selection::default() });
    assert_eq!(names(named("two")), Ok(vec!["two lib".to_owned()]));
    assert_eq!(names(named("plain")), Err(LoadError::NotAPackageWithLayers { name: "plain".to_owned() }));
    assert_eq!(names(named("t?o")), Ok(vec!["two lib".to_owned()]));
    // A pattern that nearly matches in many ways is answered at once.
    let tiresome = format!("{}b", "o*".repeat(40));
    assert!(matches!(names(named(&tiresome)), Err(LoadError::NoSuchPackage { .. })));
    let known = ["one", "plain", "two"].map(str::to_owned).to_vec();
    let mut unknown = named("three");
    if let Err(LoadError::NoSuchPackage { known, .. }) = &mut unknown {
        known.sort();
    }
    assert_eq!(names(unknown), Err(LoadError::NoSuchPackage { name: "three".to_owned(), known }));
    assert!(matches!(select(&root.join("nowhere"), Selection::default()), Err(LoadError::Metadata(_))));
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
