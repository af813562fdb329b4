//! Mutants for people and for programs. For people only survivors are of interest: each is shown as the lines before and after.

use std::{
    io::{self, Write},
    time::Duration,
};

use cspec_analysis::{mutation::Mutant, report::SourceText, verdict::ObligationName};
use serde::Serialize;

use super::{
    Detail,
    human::obligation,
    json::line,
    paint::Paint,
    place::{Place, Position},
};
use crate::exit::Status;

/// The fate of a mutant.
#[derive(Clone, Debug)]
pub enum Fate {
    /// This obligation is violated.
    Killed(ObligationName),
    /// Every obligation holds, so the change was not noticed.
    Survived,
    /// None is violated, but this one is undecided.
    Undecided(ObligationName),
    /// The changed text has an error, so it is not a change of the layers.
    NoProgram(String),
}

impl Fate {
    fn name(&self) -> &'static str {
        match self {
            Fate::Killed(_) => "killed",
            Fate::Survived => "survived",
            Fate::Undecided(_) => "undecided",
            Fate::NoProgram(_) => "no program",
        }
    }
}

/// A mutant that was tried.
pub struct Tried {
    /// The mutant that was tried.
    pub mutant: Mutant,
    pub fate: Fate,
    /// The time that it took.
    pub time: Duration,
}

/// The counts of a run.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    package: String,
    mutants: usize,
    killed: usize,
    survived: usize,
    undecided: usize,
    no_program: usize,
    /// The duration of the run.
    pub elapsed: Duration,
}

impl Counts {
    /// Creates counts of zero.
    pub fn new(package: String, mutants: usize) -> Counts {
        Counts { package, mutants, ..Counts::default() }
    }

    /// Counts the fate of one mutant.
    pub fn add(&mut self, fate: &Fate) {
        *match fate {
            Fate::Killed(_) => &mut self.killed,
            Fate::Survived => &mut self.survived,
            Fate::Undecided(_) => &mut self.undecided,
            Fate::NoProgram(_) => &mut self.no_program,
        } += 1;
    }

    /// The exit status: a survivor is a failure; an undecided mutant is not.
    pub fn status(&self) -> Status {
        match (self.survived, self.undecided + self.not_tried()) {
            (1.., _) => Status::Violated,
            (0, 1..) => Status::Undecided,
            (0, 0) => Status::Success,
        }
    }

    fn not_tried(&self) -> usize {
        self.mutants - self.killed - self.survived - self.undecided - self.no_program
    }

    /// The summary: `tso: 120 of 132 mutants killed (90.9 %) in 12.3 s, 10 survived, 2 undecided; 4 did not compile`.
    fn line(&self) -> String {
        let tried = self.killed + self.survived + self.undecided;
        let share = if tried == 0 { 0.0 } else { 100.0 * self.killed as f64 / tried as f64 };
        let seconds = self.elapsed.as_secs_f64();
        let mut words = vec![format!("{} of {tried} mutants killed ({share:.1} %) in {seconds:.1} s", self.killed)];
        for (count, word) in [(self.survived, "survived"), (self.undecided, "undecided")] {
            if count > 0 {
                words.push(format!("{count} {word}"));
            }
        }
        let mut line = format!("{}: {}", self.package, words.join(", "));
        if self.no_program > 0 {
            line += &format!("; {} more did not compile", self.no_program);
        }
        if self.not_tried() > 0 {
            line += &format!("; {} not tried", self.not_tried());
        }
        line
    }
}

/// A format of `cargo cspec mutate`.
pub trait Render {
    /// Shows a mutant that has not been tried.
    fn listed(&mut self, files: &[SourceText], mutant: &Mutant) -> io::Result<()>;
    /// Shows the number of mutants.
    fn count(&mut self, package: &str, mutants: usize) -> io::Result<()>;
    /// Shows the fate of a mutant, as soon as it is known.
    fn tried(&mut self, files: &[SourceText], tried: &Tried) -> io::Result<()>;
    /// Shows the summary of the run.
    fn finish(&mut self, counts: &Counts) -> io::Result<()>;
}

/// The format for people.
pub struct Human<'a> {
    out: &'a mut dyn Write,
    paint: Paint,
    detail: Detail,
}

impl<'a> Human<'a> {
    /// Creates a renderer that writes to `out`.
    pub fn new(out: &'a mut dyn Write, colour: bool, detail: Detail) -> Human<'a> {
        Human { out, paint: Paint(colour), detail }
    }

    /// The first line: `guard in Lock::acquire, src/lib.rs:20:9: …`.
    fn head(files: &[SourceText], mutant: &Mutant) -> String {
        let place =
            at(files, mutant).map_or_else(String::new, |(path, it)| format!(", {path}:{}:{}", it.line, it.column));
        format!("{} in {}{place}: {}", mutant.kind.name(), mutant.place(), mutant.change)
    }

    /// The lines before and after.
    fn lines(&mut self, files: &[SourceText], mutant: &Mutant) -> io::Result<()> {
        let Some(place) = Place::find(files, mutant.span) else { return Ok(()) };
        let from = place.text[..place.bytes.start].rfind('\n').map_or(0, |at| at + 1);
        let to = place.text[place.bytes.end..].find('\n').map_or(place.text.len(), |at| place.bytes.end + at);
        let before = &place.text[from..to];
        let after =
            [&place.text[from..place.bytes.start], &mutant.replacement, &place.text[place.bytes.end..to]].concat();
        for (sign, text) in [('-', before), ('+', &after)] {
            for line in text.lines().filter(|it| !it.trim().is_empty()) {
                writeln!(self.out, "  {sign} {}", line.trim_end())?;
            }
        }
        writeln!(self.out)
    }
}

impl Render for Human<'_> {
    fn listed(&mut self, files: &[SourceText], mutant: &Mutant) -> io::Result<()> {
        writeln!(self.out, "{}", Human::head(files, mutant))
    }

    fn count(&mut self, package: &str, mutants: usize) -> io::Result<()> {
        if self.detail == Detail::Problems { Ok(()) } else { writeln!(self.out, "{package}: {mutants} mutants") }
    }

    fn tried(&mut self, files: &[SourceText], tried: &Tried) -> io::Result<()> {
        let head = Human::head(files, &tried.mutant);
        let fate = tried.fate.name();
        match &tried.fate {
            Fate::Killed(name) if self.detail == Detail::Everything => {
                writeln!(self.out, "{fate}: {head}\n  by {}", obligation(name))
            }
            Fate::NoProgram(message) if self.detail == Detail::Everything => {
                writeln!(self.out, "{fate}: {head}\n  {message}")
            }
            Fate::Killed(_) | Fate::NoProgram(_) => Ok(()),
            Fate::Survived => {
                writeln!(self.out, "{}: {head}", self.paint.bold(fate))?;
                self.lines(files, &tried.mutant)
            }
            Fate::Undecided(name) => {
                writeln!(self.out, "{}: {head}\n  {}", self.paint.bold(fate), obligation(name))?;
                self.lines(files, &tried.mutant)
            }
        }
    }

    fn finish(&mut self, counts: &Counts) -> io::Result<()> {
        if self.detail == Detail::Problems && counts.status() == Status::Success {
            return Ok(());
        }
        writeln!(self.out, "{}", self.paint.bold(&counts.line()))
    }
}

/// The format for programs.
pub struct Json<'a> {
    out: &'a mut dyn Write,
}

impl<'a> Json<'a> {
    /// Creates a renderer that writes to `out`.
    pub fn new(out: &'a mut dyn Write) -> Json<'a> {
        Json { out }
    }
}

/// A line `{"reason":"cspec-mutant",…}`: a mutant, and its fate if it was tried.
#[derive(Serialize)]
struct Object<'a> {
    reason: &'static str,
    file: &'a str,
    line: usize,
    column: usize,
    byte_start: u32,
    byte_end: u32,
    replacement: &'a str,
    kind: &'static str,
    function: String,
    change: &'a str,
    fate: Option<&'static str>,
    /// The obligation that kills it, or is undecided.
    obligation: Option<String>,
    seconds: Option<f64>,
}

impl<'a> Object<'a> {
    fn new(files: &'a [SourceText], mutant: &'a Mutant) -> Object<'a> {
        let (file, Position { line, column }) = at(files, mutant).unwrap_or(("", Position { line: 0, column: 0 }));
        Object {
            reason: "cspec-mutant",
            file,
            line,
            column,
            byte_start: mutant.span.start,
            byte_end: mutant.span.end,
            replacement: &mutant.replacement,
            kind: mutant.kind.name(),
            function: mutant.place(),
            change: &mutant.change,
            fate: None,
            obligation: None,
            seconds: None,
        }
    }
}

/// A line `{"reason":"cspec-mutants-finished",…}`: the counts of the run.
#[derive(Serialize)]
struct Finished<'a> {
    reason: &'static str,
    package: &'a str,
    mutants: usize,
    killed: usize,
    survived: usize,
    undecided: usize,
    no_program: usize,
    not_tried: usize,
}

impl Render for Json<'_> {
    fn listed(&mut self, files: &[SourceText], mutant: &Mutant) -> io::Result<()> {
        line(self.out, &Object::new(files, mutant))
    }

    fn count(&mut self, package: &str, mutants: usize) -> io::Result<()> {
        self.finish(&Counts::new(package.to_owned(), mutants))
    }

    fn tried(&mut self, files: &[SourceText], tried: &Tried) -> io::Result<()> {
        let obligation = match &tried.fate {
            Fate::Killed(name) | Fate::Undecided(name) => Some(name.id()),
            _ => None,
        };
        let (fate, seconds) = (Some(tried.fate.name()), Some(tried.time.as_secs_f64()));
        line(self.out, &Object { fate, obligation, seconds, ..Object::new(files, &tried.mutant) })
    }

    fn finish(&mut self, counts: &Counts) -> io::Result<()> {
        line(
            self.out,
            &Finished {
                reason: "cspec-mutants-finished",
                package: &counts.package,
                mutants: counts.mutants,
                killed: counts.killed,
                survived: counts.survived,
                undecided: counts.undecided,
                no_program: counts.no_program,
                not_tried: counts.not_tried(),
            },
        )
    }
}

/// The position of a mutant.
fn at<'a>(files: &'a [SourceText], mutant: &Mutant) -> Option<(&'a str, Position)> {
    Place::find(files, mutant.span).map(|it| (it.path.as_str(), it.start()))
}
