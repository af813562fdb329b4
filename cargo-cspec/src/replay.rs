//! `cargo cspec replay`: steps through a saved counterexample, and reports whether the source still has it.
//!
//! It shows the run in the file. It also checks the obligation again on the current source; that may be violated by the same run, by
//! another one, or not at all.

use std::{
    io::{self, BufRead, IsTerminal as _, Write},
    sync::atomic::AtomicBool,
};

use camino::Utf8Path;
use cspec_analysis::{
    counterexample::{Choice, Chosen, Counterexample, Datum, Mismatch, Run, Step},
    diagnostics::Diagnostic,
    verdict::{ObligationName, Scope, Verdict},
};

use crate::{
    as_test,
    cli::ReplayArguments,
    engine::{Engine, Job},
    exit::Status,
    output::{complain, delivered},
    packages,
    saved::{Position, Saved},
    schedule,
};

/// Runs `cargo cspec replay`.
pub fn run(arguments: &ReplayArguments) -> Status {
    replay(arguments).unwrap_or_else(|message| {
        complain(&printable(&message));
        Status::Usage
    })
}

/// The error is a finished message.
fn replay(arguments: &ReplayArguments) -> Result<Status, String> {
    let file = Utf8Path::new(&arguments.run);
    if schedule::is_line(&arguments.run) && !file.exists() {
        return schedule::replay(arguments);
    }
    let saved = Saved::read(file)?;
    let packages = packages::prepare(&arguments.selection.selection(), &arguments.effort, &Scope::default())?;
    let engine = Engine::open(packages, true);
    let index = engine.packages().iter().position(|it| it.package.title == saved.package);
    let index = index.ok_or_else(|| format!("there is no package `{}` here", saved.package))?;
    let mut stdout = io::stdout().lock();
    if arguments.as_test {
        let module = as_test::module(&saved, engine.package(index))?;
        return Ok(delivered(Status::Success, write!(stdout, "{module}")));
    }
    let now = now(&engine, index, &saved)?;
    let frames = frames(&saved.counterexample);
    let head = [format!("{}[{}] {}", saved.package, saved.code, saved.message), now.words().to_owned()];
    drop(stdout);
    Ok(delivered(now.status(), show(&head, &frames)))
}

/// Shows a run: one step at a time, if someone is there to ask for the next.
pub fn show(head: &[String], frames: &[Frame]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let is_interactive = stdout.is_terminal() && io::stdin().is_terminal();
    head.iter().try_for_each(|it| writeln!(stdout, "{}", printable(it)))?;
    writeln!(stdout)?;
    match is_interactive {
        true => step_through(frames, &mut io::stdin().lock(), &mut stdout),
        false => frames.iter().try_for_each(|it| it.write(&mut stdout)),
    }
}

/// The output of `replay` for the text of a file, before any source is read. The error says what is wrong with the file.
///
/// # Errors
/// If the text is not a counterexample.
pub fn shown(text: &str) -> Result<String, String> {
    let saved = Saved::parse(text)?;
    let mut shown = Vec::new();
    let written = frames(&saved.counterexample).iter().try_for_each(|it| it.write(&mut shown));
    written.map_err(|error| error.to_string())?;
    String::from_utf8(shown).map_err(|error| error.to_string())
}

/// The result of checking the obligation on the current source.
enum Now {
    /// The same run refutes it.
    Same,
    /// Another run refutes it.
    Another,
    Holds,
    Undecided,
}

impl Now {
    fn words(&self) -> &'static str {
        match self {
            Now::Same => "the source still has it: checked again, refuted by this run",
            Now::Another => {
                "the source has changed: checked again, refuted by another run, which `check --save-counterexamples` writes"
            }
            Now::Holds => "the source no longer has it: checked again, the obligation holds",
            Now::Undecided => "it is undecided whether the source still has it",
        }
    }

    fn status(&self) -> Status {
        match self {
            Now::Same | Now::Another => Status::Violated,
            Now::Holds => Status::Success,
            Now::Undecided => Status::Undecided,
        }
    }
}

/// Checks the obligation again. The error is a finished message.
fn now(engine: &Engine, index: usize, saved: &Saved) -> Result<Now, String> {
    let only = |name: &ObligationName| name.id() == saved.obligation;
    let stop = AtomicBool::new(false);
    let checked = engine.check(index, &Job { end_to_end: saved.end_to_end, only: &only, progress: false, stop: &stop });
    let outcome = checked.report.outcomes.iter().find(|(it, _)| only(&it.name));
    let Some((outcome, _)) = outcome else {
        return Err(format!("the source has changed: `{}` has no obligation `{}`", saved.package, saved.obligation));
    };
    let run =
        |it: &Diagnostic| it.counterexample.clone().or_else(|| Some(it.wrong_run.as_ref()?.counterexample.clone()));
    let found = outcome.diagnostics.iter().find_map(run);
    Ok(match (outcome.verdict, found) {
        (Verdict::Violated | Verdict::NotShown, Some(found)) => {
            let nowhere = saved.counterexample.at(|_| None::<()>);
            if found.at(|_| None::<()>) == nowhere { Now::Same } else { Now::Another }
        }
        (Verdict::Proved | Verdict::Checked | Verdict::Searched, _) => Now::Holds,
        _ => Now::Undecided,
    })
}

/// One screen: the beginning of a run, a step of it, or the conclusion.
pub struct Frame {
    lines: Vec<String>,
    /// The whole state at that point, for readers who have not seen the earlier frames.
    state: Option<String>,
}

impl Frame {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.lines.iter().try_for_each(|it| writeln!(out, "{}", printable(it).trim_end()))
    }
}

/// All frames of a counterexample, in order.
pub fn frames(counterexample: &Counterexample<Position>) -> Vec<Frame> {
    let mut frames = Vec::new();
    if !counterexample.values.is_empty() {
        let values = counterexample.values.iter().map(|(name, value)| format!("{name} {value}"));
        frames.push(Frame { lines: values.chain([String::new()]).collect(), state: None });
    }
    for run in &counterexample.runs {
        frames.push(Frame {
            lines: vec![format!("{}, in `{}`", run.role.words(), run.layer), format!("     {}", run.from)],
            state: None,
        });
        frames.extend(run.steps.iter().enumerate().map(|(number, step)| frame(run, number, step)));
        if let Some(last) = frames.last_mut() {
            last.lines.push(String::new());
        }
    }
    frames.push(Frame { lines: vec![format!("✗ {}", counterexample.conclusion)], state: None });
    frames
}

/// A step: its call, its choices, its changes, and its mismatches.
fn frame(run: &Run<Position>, number: usize, step: &Step<Position>) -> Frame {
    let mut lines = vec![format!("{:>3}  {step}{}", number + 1, at(step.place.as_ref()))];
    let mut say = |what: String| lines.push(format!("       {what}"));
    step.choices.iter().for_each(|it| say(chosen(it)));
    if let Some(after) = &step.after {
        run.before(number).differences(after).iter().for_each(|it| say(it.to_string()));
        if let Some(Mismatch::State(wanted)) = &step.mismatch {
            for it in wanted.differences(after) {
                let wanted = it.before.as_ref().map_or_else(|| "nothing".to_owned(), Datum::to_string);
                say(format!("{} should be {wanted}", if it.path.is_empty() { "the state" } else { &it.path }));
            }
        }
    }
    Frame { lines, state: step.after.as_ref().map(Datum::to_string) }
}

fn chosen(choice: &Choice<Position>) -> String {
    let what = match &choice.chosen {
        Chosen::Maybe(yes) => format!("maybe() is {yes}"),
        Chosen::Any(value) => format!("any() is {value}"),
        Chosen::Element(index) => format!("choose(…) takes element {index}"),
    };
    format!("{what}{}", at(choice.place.as_ref()))
}

fn at(place: Option<&Position>) -> String {
    place.map_or_else(String::new, |it| format!("  ({}:{}:{})", it.file, it.line, it.column))
}

/// Shows one frame at a time, forwards and backwards.
fn step_through(frames: &[Frame], input: &mut dyn BufRead, out: &mut dyn Write) -> io::Result<()> {
    let mut at = 0;
    loop {
        frames[at].write(out)?;
        if let Some(state) = &frames[at].state {
            writeln!(out, "       now {}", printable(state))?;
        }
        let is_last = at + 1 == frames.len();
        let next = if is_last { "end" } else { "next" };
        write!(out, "[{}/{}] Enter: {next}, b: back, q: quit > ", at + 1, frames.len())?;
        out.flush()?;
        let mut answer = String::new();
        if input.read_line(&mut answer)? == 0 {
            return writeln!(out);
        }
        match answer.trim() {
            "q" | "quit" => return Ok(()),
            "b" | "back" => at = at.saturating_sub(1),
            _ if is_last => return Ok(()),
            _ => at += 1,
        }
    }
}

/// The text without characters that move the cursor or change colours.
fn printable(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_go_forth_and_back() {
        let frame = |text: &str| Frame { lines: vec![text.to_owned()], state: None };
        let frames = ["one", "two"].map(frame);
        let mut out = Vec::new();
        step_through(&frames, &mut "\nb\n\n\n".as_bytes(), &mut out).expect("writing to memory succeeds");
        let shown = String::from_utf8(out).expect("the output is UTF-8");
        let shown: Vec<&str> = shown.split_whitespace().filter(|it| ["one", "two"].contains(it)).collect();
        assert_eq!(shown, ["one", "two", "one", "two"]);
    }

    #[test]
    fn nothing_of_a_file_moves_the_cursor() {
        assert_eq!(printable("a\u{1b}[31mb\r\n"), "a [31mb  ");
    }
}
