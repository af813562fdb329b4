//! Counterexamples as files: one for each finding, with the data needed to find its obligation again.
//!
//! A file may come from anywhere, so its contents are validated, bounded, and printed without control characters.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cspec_analysis::{counterexample::Counterexample, report::SourceText, results::ENGINE, verdict::Outcome};
use serde::{Deserialize, Serialize};

use crate::render::{place::Place, summary::Checked};

/// The format that this version writes, and the only one that it reads.
const FORMAT: u32 = 1;

/// The maximum size of a file that is read.
const LARGEST: u64 = 16 << 20;

/// A saved counterexample: the contents of a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// The version of the format.
    pub format: u32,
    /// The engine that found it.
    pub engine: String,
    /// The package, by its title.
    pub package: String,
    /// The obligation, by its stable name.
    pub obligation: String,
    /// Whether it belongs to the end-to-end search.
    pub end_to_end: bool,
    /// The code of the finding.
    pub code: String,
    /// The finding in one line.
    pub message: String,
    /// The run that refutes the obligation.
    pub counterexample: Counterexample<Position>,
}

/// A position at the time when the file was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// The path, relative to the workspace.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

impl Position {
    /// A position in these files.
    pub fn of(place: &Place<'_>) -> Position {
        let start = place.start();
        Position { file: place.path.to_string(), line: start.line, column: start.column }
    }
}

impl Saved {
    /// The counterexample of an outcome. `None` if no run refutes the obligation.
    pub fn of(files: &[SourceText], package: &str, outcome: &Outcome) -> Option<Saved> {
        let found = outcome.diagnostics.iter().find(|it| it.counterexample.is_some() || it.wrong_run.is_some())?;
        let searched = found.wrong_run.as_ref().map(|it| &it.counterexample);
        Some(Saved {
            format: FORMAT,
            engine: ENGINE.to_owned(),
            package: package.to_owned(),
            obligation: outcome.name.id(),
            end_to_end: outcome.name.pattern == cspec_analysis::verdict::Pattern::EndToEnd,
            code: found.code.to_owned(),
            message: found.message.clone(),
            counterexample: found
                .counterexample
                .as_ref()
                .or(searched)?
                .at(|it| Place::find(files, *it).map(|it| Position::of(&it))),
        })
    }

    /// The name of its file: the same for the same obligation.
    fn file_name(&self) -> String {
        let plain = |it: char| if it.is_alphanumeric() || it == '_' { it } else { '-' };
        format!("{}-{}.json", self.package, self.obligation.chars().map(plain).collect::<String>())
    }

    /// Reads a file. The error is a finished message.
    pub fn read(path: &Utf8Path) -> Result<Saved, String> {
        let size = fs::metadata(path).map_err(|error| format!("`{path}` cannot be read: {error}"))?.len();
        if size > LARGEST {
            return Err(format!("`{path}` is not a counterexample: it has {size} bytes"));
        }
        let text = fs::read_to_string(path).map_err(|error| format!("`{path}` cannot be read: {error}"))?;
        Saved::parse(&text).map_err(|error| format!("`{path}` {error}"))
    }

    /// Parses the text of a file. The error says what is wrong with the file.
    pub fn parse(text: &str) -> Result<Saved, String> {
        let saved: Saved = serde_json::from_str(text).map_err(|error| format!("is not a counterexample: {error}"))?;
        if saved.format != FORMAT {
            return Err(format!("has format {}, and this cspec reads format {FORMAT}", saved.format));
        }
        Ok(saved)
    }
}

/// Writes the counterexamples of a package to a folder. The error is a finished message.
pub fn save(folder: &Utf8Path, checked: &Checked) -> Result<(), String> {
    let report = &checked.report;
    let saved = report.outcomes.iter().filter_map(|(it, _)| Saved::of(&report.files, &report.title, it));
    for saved in saved {
        let path: Utf8PathBuf = folder.join(saved.file_name());
        let text = serde_json::to_string_pretty(&saved).map_err(|error| error.to_string())?;
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text + "\n"))
            .map_err(|error| format!("`{path}` cannot be written: {error}"))?;
    }
    Ok(())
}
