//! Follows the tutorial: writes each listing where the page says, runs each command, and compares each output with the page.
//!
//! The page is a script. A comment before a block of code says what to do with it: `<!-- write: FILE -->`, `<!-- append: FILE -->`, and for
//! a block of changed lines `<!-- change: FILE -->`, which `<!-- undo -->` reverts. Blocks without a comment are commands: `sh` has to
//! succeed, and `console` has to print what the page shows. With `UPDATE_EXPECT=1` the output is written into the page.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use support::{Folder, stderr, stdout, with_rustc};

/// A piece of the page, to be executed in order.
enum Piece {
    /// `<!-- … -->` on a line of its own.
    Comment(String),
    /// A block of code, and the word after its fence.
    Block { language: String, text: String },
    /// Any other line of the page.
    Prose(String),
}

fn pieces(page: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: String = lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
            pieces.push(Piece::Block { language: language.to_owned(), text });
        } else if let Some(comment) = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) {
            pieces.push(Piece::Comment(comment.to_owned()));
        } else {
            pieces.push(Piece::Prose(line.to_owned()));
        }
    }
    pieces
}

/// The reader's folder, with the changes of the page up to here.
struct Reader {
    folder: PathBuf,
    /// The files before each change that was not reverted.
    before: Vec<(PathBuf, String)>,
}

impl Reader {
    /// Writes a listing to the file that the comment before it names.
    fn put(&mut self, comment: &str, text: &str) {
        let (verb, file) = comment.split_once(": ").expect("a comment says what to do with which file");
        let path = self.folder.join(file);
        let old = fs::read_to_string(&path).unwrap_or_default();
        let new = match verb {
            "write" => text.to_owned(),
            "append" => old + text,
            "change" => {
                let side = |sign| -> String {
                    let kept = text.lines().filter(|line| line.starts_with([' ', sign]));
                    kept.flat_map(|line| [&line[1..], "\n"]).collect()
                };
                let (from, to) = (side('-'), side('+'));
                assert_eq!(old.matches(&from).count(), 1, "{file} has these lines once:\n{from}");
                let new = old.replace(&from, &to);
                self.before.push((path.clone(), old));
                new
            }
            _ => panic!("`{verb}` is not something to do with a file"),
        };
        fs::write(path, new).expect("a file can be written");
    }

    fn undo(&mut self) {
        let (path, text) = self.before.pop().expect("something was changed");
        fs::write(path, text).expect("a file can be written");
    }

    /// Runs one command line. The builds are kept for the next test; the dependencies have been downloaded for this workspace.
    fn run(&mut self, line: &str) -> Option<Output> {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["cd", folder] => {
                self.folder.push(folder);
                None
            }
            // With rustc, since the reader's program compiles at every step.
            ["cargo", "cspec", arguments @ ..] => {
                Some(with_rustc(&self.folder, arguments).output().expect("the command starts"))
            }
            ["cargo", arguments @ ..] => {
                let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
                cargo.args(arguments).arg("--offline").current_dir(&self.folder);
                cargo.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("new"));
                Some(cargo.output().expect("cargo starts"))
            }
            _ => panic!("the page may run cargo and change the folder, not: {line}"),
        }
    }

    /// The expected text of a `console` block, whose first line is the command.
    fn session(&mut self, block: &str) -> String {
        let line = block.lines().next().and_then(|line| line.strip_prefix("$ ")).expect("a session starts with `$ `");
        let output = self.run(line).expect("a command with output");
        format!("$ {line}\n{}", without_times(stdout(&output)))
    }
}

/// Durations differ from run to run.
fn without_times(text: &str) -> String {
    let line =
        |line: &str| match line.split_once(" in ").and_then(|(head, rest)| Some((head, rest.split_once(" s: ")?))) {
            Some((head, (seconds, tail))) if seconds.parse::<f64>().is_ok() => format!("{head} in 0.02 s: {tail}\n"),
            _ => format!("{line}\n"),
        };
    text.lines().map(line).collect()
}

#[test]
fn the_tutorial_works_as_it_is_written() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tutorial.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let here = Folder::new();
    let mut reader = Reader { folder: here.join(""), before: Vec::new() };
    let (mut done, mut todo) = (String::new(), None);
    for piece in pieces(&page) {
        match piece {
            Piece::Prose(line) => done += &format!("{line}\n"),
            Piece::Comment(comment) => {
                done += &format!("<!-- {comment} -->\n");
                match comment.as_str() {
                    "undo" => reader.undo(),
                    _ => todo = Some(comment),
                }
            }
            Piece::Block { language, text } => {
                let text = match (language.as_str(), todo.take()) {
                    ("rust" | "diff", Some(comment)) => {
                        reader.put(&comment, &text);
                        text
                    }
                    ("sh", None) => {
                        for output in text.lines().filter_map(|line| reader.run(line)) {
                            assert!(output.status.success(), "{text}{}{}", stdout(&output), stderr(&output));
                        }
                        text
                    }
                    ("console", None) => reader.session(&text),
                    (language, _) => panic!("what is this block of {language} for?\n{text}"),
                };
                done += &format!("```{language}\n{text}```\n");
            }
        }
    }
    expect_test::expect_file![path].assert_eq(&done);
    the_code_is_formatted(&reader.folder);
}

/// Asserts that the reader's final code is formatted as rustfmt would.
fn the_code_is_formatted(folder: &Path) {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--check", "--edition", "2024", "src/main.rs"]).current_dir(folder);
    let output = rustfmt.output().expect("rustfmt starts");
    assert!(output.status.success(), "{}", stdout(&output));
}
