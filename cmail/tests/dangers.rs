//! Every test that a table of dangers in `docs/server.md` names exists.

use std::fs;
use std::path::Path;

/// The text of all sources below a directory.
fn sources(directory: &Path) -> String {
    let entries = fs::read_dir(directory).expect("the sources are there").map(|entry| entry.expect("an entry").path());
    entries
        .map(|path| match path.is_dir() {
            true => sources(&path),
            false => fs::read_to_string(&path).expect("sources are text"),
        })
        .collect()
}

#[test]
fn every_danger_has_its_tests() {
    let crate_directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = sources(&crate_directory.join("src")) + &sources(&crate_directory.join("tests"));
    let page = fs::read_to_string(crate_directory.join("../docs/server.md")).expect("the page is there");
    let (_, dangers) = page.split_once("## Dangers").expect("a chapter on dangers");
    let (dangers, _) = dangers.split_once("\n## ").expect("another chapter");
    let mut rows = 0;
    for row in dangers.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |")) {
        rows += 1;
        let cells: Vec<&str> = row.split(" | ").collect();
        assert_eq!(cells[0], format!("| {rows}"), "{row}");
        let tests: Vec<&str> = cells.last().expect("cells").split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test: {row}");
        for test in tests {
            assert!(
                sources.contains(&format!("#[test]\n    fn {test}()"))
                    || sources.contains(&format!("#[test]\nfn {test}()")),
                "there is no test {test}: {row}"
            );
        }
    }
    assert_eq!(rows, 42);
}
