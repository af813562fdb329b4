//! Checks the documentation of this repository: links have a target, and statements about the code are up to date.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use cargo_cspec::Status;
use cspec_analysis::diagnostics::codes;
use support::Folder;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every page except those of the diagnostics.
fn pages() -> Vec<PathBuf> {
    let docs = root().join("docs");
    let in_docs = fs::read_dir(&docs)
        .expect("docs is part of the repository")
        .map(|entry| entry.expect("a readable folder").path());
    let mut pages: Vec<PathBuf> = in_docs.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    pages.extend([root().join("README.md"), root().join("analysis/diagnostics/README.md")]);
    pages
}

/// The targets of `[…](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// The anchors of the headings of a page.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let name = |heading: &str| -> String {
        let named = |it: &char| it.is_alphanumeric() || " -_".contains(*it);
        heading.to_lowercase().chars().filter(named).map(|it| if it == ' ' { '-' } else { it }).collect()
    };
    text.lines().filter(|line| line.starts_with('#')).map(move |line| name(line.trim_start_matches('#').trim()))
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_in_it() {
    for page in pages() {
        let text = read(&page);
        for link in links(&text).filter(|link| !link.starts_with("http")) {
            let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
            let folder = page.parent().expect("a page is in a folder");
            let target = if file.is_empty() { page.clone() } else { folder.join(file) };
            assert!(target.exists(), "{}: {link}", page.display());
            let is_there = heading.is_none_or(|it| headings(&read(&target)).any(|known| known == it));
            assert!(is_there, "{}: {link}", page.display());
        }
    }
}

#[test]
fn the_index_of_diagnostics_is_complete() {
    let index = read(&root().join("analysis/diagnostics/README.md"));
    for known in codes::ALL {
        let line = format!("* [{0}]({0}.md): {1}\n", known.code, known.title);
        assert!(index.contains(&line), "{line}");
    }
}

#[test]
fn the_readme_lists_every_exit_status() {
    let readme = read(&root().join("README.md"));
    let statuses =
        [Status::Success, Status::Violated, Status::Usage, Status::Undecided, Status::Bug, Status::Interrupted];
    for status in statuses {
        assert!(readme.contains(&format!("\n| {} | ", status.code())), "{status:?}");
    }
}

#[test]
fn the_failing_check_in_the_readme_is_what_is_printed() {
    let copy = Folder::new();
    copy.write("Cargo.toml", "[workspace]\nmembers = [\"tso\"]\nresolver = \"3\"\n");
    copy.add_package("tso", "");
    copy_folder(&root().join("tso/src"), &copy.join("tso/src"));
    let changed = "tso/src/layers/locked_counter.rs";
    let (right, wrong) = ("lo.write(seen + 1);\n        lo.release();", "lo.release();\n        lo.write(seen + 1);");
    let text = read(&copy.join(changed));
    assert!(text.contains(right), "{changed} has other lines than the README says");
    copy.write(changed, text.replacen(right, wrong, 1));
    let output = support::cspec(&copy, &["check", "-q"]);
    assert_eq!(support::status(&output), Some(1));
    let printed = support::stdout(&output);
    assert!(read(&root().join("README.md")).contains(printed), "the README should show this:\n{printed}");
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("a readable folder") {
        let from = entry.expect("a readable folder").path();
        let to = to.join(from.file_name().expect("an entry has a name"));
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a file can be copied");
        }
    }
}

/// Compares the output of the command with the text between `<!-- cargo cspec list --figure -p PACKAGE -->` and `<!-- end -->` on a page.
/// `UPDATE_EXPECT=1` writes it there.
#[test]
fn the_figures_of_the_stacks_are_those_of_the_workspaces() {
    for package in ["tso", "cmail"] {
        let path = root().join(format!("docs/{package}.md"));
        let page = read(&path);
        let opening = format!("<!-- cargo cspec list --figure -p {package} -->\n");
        let (before, rest) = page.split_once(&opening).expect("the page marks the start of the figure");
        let (_, after) = rest.split_once("<!-- end -->\n").expect("the page marks the end of the figure");
        let printed = support::cspec(&root(), &["list", "--figure", "-p", package]);
        assert!(printed.status.success(), "{}", support::stderr(&printed));
        let expected = format!("{before}{opening}\n{}\n<!-- end -->\n{after}", support::stdout(&printed));
        expect_test::expect_file![path].assert_eq(&expected);
    }
}
