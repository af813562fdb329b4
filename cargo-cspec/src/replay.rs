//! `cargo cspec replay`: steps through a counterexample that was saved, and checks its obligation again on the source as it is now.

use std::{
    io::{self, BufRead, IsTerminal as _, Write},
    sync::atomic::AtomicBool,
};

use cspec_analysis::{
    counterexample::Counterexample,
    verdict::{ObligationName, Scope, Verdict},
};

use crate::{
    cli::ReplayArguments,
    engine::{Engine, Job},
    exit::Status,
    output::{complain, delivered},
    packages,
    saved::Saved,
};

/// Runs `cargo cspec replay`.
pub fn run(arguments: &ReplayArguments) -> Status {
    let replayed = Saved::read(&arguments.file).and_then(|saved| Ok((now(arguments, &saved)?, saved)));
    let (now, saved) = match replayed {
        Ok(replayed) => replayed,
        Err(message) => {
            complain(&printable(&message));
            return Status::Usage;
        }
    };
    let mut stdout = io::stdout().lock();
    let shown = match &now {
        Now::Another(counterexample) => counterexample,
        _ => &saved.counterexample.at(|_| Some(())),
    };
    let head = format!("{}[{}] {}\n{}\n", saved.package, saved.code, saved.message, now.words());
    let lines: Vec<String> = shown.lines().iter().map(|it| printable(it)).collect();
    let is_interactive = stdout.is_terminal() && io::stdin().is_terminal();
    let written = writeln!(stdout, "{}", printable_lines(&head)).and_then(|()| match is_interactive {
        true => step_through(&lines, &mut io::stdin().lock(), &mut stdout),
        false => lines.iter().try_for_each(|it| writeln!(stdout, "  {it}")),
    });
    delivered(now.status(), written)
}

/// What becomes of the obligation on the source as it is now.
enum Now {
    /// The same run refutes it.
    Same,
    /// Another run refutes it.
    Another(Counterexample<()>),
    /// It holds.
    Holds,
    /// It is not settled.
    Undecided,
}

impl Now {
    fn words(&self) -> &'static str {
        match self {
            Now::Same => "checked again: violated, by this run",
            Now::Another(_) => "checked again: violated, but the source has changed; this is how it fails now",
            Now::Holds => {
                "checked again: the source has changed, and this counterexample no longer applies; this is how it failed"
            }
            Now::Undecided => "checked again: undecided; this is how it failed",
        }
    }

    fn status(&self) -> Status {
        match self {
            Now::Same | Now::Another(_) => Status::Violated,
            Now::Holds => Status::Success,
            Now::Undecided => Status::Undecided,
        }
    }
}

/// Checks the obligation again. The error is a finished message.
fn now(arguments: &ReplayArguments, saved: &Saved) -> Result<Now, String> {
    let packages = packages::prepare(&arguments.selection.selection(), &arguments.effort, &Scope::default())?;
    let engine = Engine::open(packages, true);
    let index = engine.packages().iter().position(|it| it.package.name == saved.package);
    let index = index.ok_or_else(|| format!("there is no package `{}` here", saved.package))?;
    let only = |name: &ObligationName| name.id() == saved.obligation;
    let stop = AtomicBool::new(false);
    let checked = engine.check(index, &Job { end_to_end: saved.end_to_end, only: &only, progress: false, stop: &stop });
    let outcome = checked.report.outcomes.iter().find(|(it, _)| only(&it.name));
    let Some((outcome, _)) = outcome else {
        return Err(format!(
            "the source has changed: `{}` owes nothing that is called `{}`",
            saved.package, saved.obligation
        ));
    };
    let found = outcome.diagnostics.iter().find_map(|it| it.counterexample.as_ref());
    Ok(match (outcome.verdict, found) {
        (Verdict::Violated, Some(found)) => {
            let found = found.at(|_| None::<()>);
            if found == saved.counterexample.at(|_| None) { Now::Same } else { Now::Another(found) }
        }
        (Verdict::Proved | Verdict::Checked, _) => Now::Holds,
        _ => Now::Undecided,
    })
}

/// Shows a line at a time, forth and back.
fn step_through(lines: &[String], input: &mut dyn BufRead, out: &mut dyn Write) -> io::Result<()> {
    let mut at = 0;
    loop {
        writeln!(out, "  {}", lines[at])?;
        let is_last = at + 1 == lines.len();
        write!(out, "[{}/{}] Enter: next, b: back, q: quit > ", at + 1, lines.len())?;
        out.flush()?;
        let mut answer = String::new();
        if input.read_line(&mut answer)? == 0 {
            return writeln!(out);
        }
        match answer.trim() {
            "q" => return Ok(()),
            "b" => at = at.saturating_sub(1),
            _ if is_last => return Ok(()),
            _ => at += 1,
        }
    }
}

/// The text without characters that move the cursor or change colours.
fn printable(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
}

fn printable_lines(text: &str) -> String {
    text.lines().map(|it| printable(it) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_go_forth_and_back() {
        let lines = ["one", "two"].map(str::to_owned);
        let mut out = Vec::new();
        step_through(&lines, &mut "\nb\n\n\n".as_bytes(), &mut out).expect("writing to memory succeeds");
        let shown = String::from_utf8(out).expect("the output is UTF-8");
        let shown: Vec<&str> = shown.split_whitespace().filter(|it| ["one", "two"].contains(it)).collect();
        assert_eq!(shown, ["one", "two", "one", "two"]);
    }

    #[test]
    fn nothing_of_a_file_moves_the_cursor() {
        assert_eq!(printable("a\u{1b}[31mb\r\n"), "a [31mb  ");
    }
}
