//! `cargo cspec replay LINE`: makes a run of the search once more, from the line that its finding ends with.

use std::sync::atomic::AtomicBool;

use cspec_analysis::{
    obligations::end_to_end::{Line, Replayed},
    report::{Options, SourceText},
    verdict::Scope,
};

use crate::{
    cli::ReplayArguments,
    engine::Engine,
    exit::Status,
    output::delivered,
    packages,
    render::{place::Place, summary::is_source_error},
    replay::{frames, show},
    saved::Position,
};

/// Whether a text is meant as a line, and not as the name of a file.
pub fn is_line(text: &str) -> bool {
    let format = text.trim().split('/').next().unwrap_or_default();
    text.contains('/') && format.strip_prefix("cs").is_some_and(|it| it.parse::<u32>().is_ok())
}

/// Replays the line. The error is a finished message.
pub fn replay(arguments: &ReplayArguments) -> Result<Status, String> {
    let line: Line = arguments.run.parse().map_err(|why| format!("this line {why}"))?;
    if arguments.as_test {
        return Err("`--as-test` takes a file that `search --save-counterexamples` wrote, not a line".to_owned());
    }
    let packages = packages::prepare(&arguments.selection.selection(), &arguments.effort, &Scope::default())?;
    let engine = Engine::open(packages, true);
    let (package, options, entry) = find(&engine, &line)?;
    let (prepared, snapshot) = (&engine.packages()[package], engine.package(package));
    let plan = snapshot.view().plan(&options);
    let stop = AtomicBool::new(false);
    let replayed = plan.entries[entry].replay(snapshot.program(), snapshot.source_map(), &line, &prepared.scope, &stop);
    let (run, is_wrong) = match replayed {
        None => return Err("the run of this line could not be made: a step of it cannot be evaluated".to_owned()),
        Some(Replayed::NoFit(why)) => {
            return Err(format!(
                "this line does not fit the code any more: {why}\nhelp: `cargo cspec search` looks for a run anew"
            ));
        }
        Some(Replayed::Made(run, is_wrong)) => (run, is_wrong),
    };
    let (words, status) = match (line.schedule.is_outcome(), is_wrong) {
        (true, _) => ("the code has this run", Status::Success),
        (false, Some(true)) => ("the code has this run, and it still goes wrong", Status::Violated),
        (false, Some(false)) => ("the code has this run, and nothing is wrong with it any more", Status::Success),
        (false, None) => ("the code has this run; whether it goes wrong is undecided", Status::Undecided),
    };
    let files: Vec<SourceText> =
        snapshot.files.iter().map(|it| SourceText { path: it.shown.clone(), text: it.text.to_string() }).collect();
    let run = run.at(|it| Place::find(&files, *it).map(|it| Position::of(&it)));
    let head = [format!("{}: {}", prepared.package.title, line.subject), words.to_owned()];
    Ok(delivered(status, show(&head, &frames(&run))))
}

/// The package and the obligation that a line is about: one of the search, or one of an implementation that rests on it. The error is a
/// finished message.
fn find(engine: &Engine, line: &Line) -> Result<(usize, Options, usize), String> {
    let options = |end_to_end| Options { end_to_end, ..Options::default() };
    match find_in(engine, line, &options(true))? {
        Some((package, entry)) => Ok((package, options(true), entry)),
        None => match find_in(engine, line, &options(false))? {
            Some((package, entry)) => Ok((package, options(false), entry)),
            None => Err(missing(engine, line)),
        },
    }
}

/// The same, among some obligations.
fn find_in(engine: &Engine, line: &Line, options: &Options) -> Result<Option<(usize, usize)>, String> {
    let mut found = Vec::new();
    for package in (0..engine.packages().len()).filter(|it| !engine.package(*it).is_bare) {
        let snapshot = engine.package(package);
        let entries = snapshot.view().plan(options).entries.iter().enumerate();
        let entries = entries.filter(|(_, it)| line.subject.is_of(snapshot.program(), &it.obligation));
        found.extend(entries.map(|(entry, _)| (package, entry)));
    }
    match found[..] {
        [] => Ok(None),
        [one, ..] if found.iter().all(|it| it.0 == one.0) => Ok(Some(one)),
        _ => Err(format!("several packages have {}: select one with `-p`", line.subject)),
    }
}

/// Why there is no obligation that a line is about.
fn missing(engine: &Engine, line: &Line) -> String {
    let mut packages = 0..engine.packages().len();
    match packages.any(|it| engine.package(it).diagnostics.iter().any(is_source_error)) {
        true => format!(
            "there is no longer {}, or it depends on code with errors: `cargo cspec search` shows them",
            line.subject
        ),
        false => format!("this line does not fit the code here: there is not {}", line.subject),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_from_a_file() {
        assert!(is_line("cs1/Stack.client/2/p2e1i1s2/9d3a/t/0x3.1"));
        assert!(is_line("cs2/whatever"));
        for file in ["cs.json", "cs1", "runs/cs1/x.json", "./cs1/x", "cspec/x"] {
            assert!(!is_line(file), "{file}");
        }
    }
}
