//! `check` as workflow commands of GitHub Actions: `::error file=…,line=…::message`, which GitHub shows as annotations in the change.
//!
//! GitHub shows the message of an annotation as plain text, without the excerpt: so notes and help follow the message.

use std::io::{self, Write};

use cspec_analysis::diagnostics::Diagnostic;

use super::{
    Render, causes,
    place::Place,
    severity_name,
    summary::{Checked, Summary},
};

/// Renders the results as workflow commands of GitHub Actions.
pub struct Github<'a> {
    out: &'a mut dyn Write,
}

impl<'a> Github<'a> {
    /// Creates a renderer that writes to `out`.
    pub fn new(out: &'a mut dyn Write) -> Github<'a> {
        Github { out }
    }
}

impl Render for Github<'_> {
    fn package(&mut self, checked: &Checked) -> io::Result<()> {
        for found in &causes(&checked.report) {
            let place = match Place::find(&checked.report.files, found.span) {
                Some(place) => {
                    let (start, end) = (place.start(), place.end());
                    // Columns are meaningful only within one line.
                    let columns = if start.line == end.line {
                        format!(",col={},endColumn={}", start.column, end.column)
                    } else {
                        String::new()
                    };
                    format!("file={},line={},endLine={}{columns}", property(place.path.as_str()), start.line, end.line)
                }
                None => format!("file={}", property(checked.report.manifest_path.as_str())),
            };
            let title = property(&format!("{}: {}", found.code, found.message));
            writeln!(self.out, "::{} {place},title={title}::{}", severity_name(found.severity), data(&body(found)))?;
        }
        self.out.flush()
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        if summary.unusable { Ok(()) } else { writeln!(self.out, "::notice title=cspec::{}", data(&summary.line())) }
    }
}

/// The text below the title.
fn body(found: &Diagnostic) -> String {
    let help = found.help.iter().map(|help| format!("help: {help}"));
    let paragraphs: Vec<String> = found.paragraphs().into_iter().chain(help).collect();
    if paragraphs.is_empty() { found.message.clone() } else { paragraphs.join("\n") }
}

/// Text after `::`, as the runner reads it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, as the runner reads it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::fixtures::{broken, failing, rendered};

    #[test]
    fn an_annotation_for_each_diagnostic() {
        let text = rendered(&[failing(), broken()], |out| Box::new(Github::new(out)));
        expect![[r#"
            ::error file=demo/src/lock.rs,line=4,endLine=4,col=10,endColumn=15,title=CS0301%3A `Lock%3A%3Awrite` is not a right mover%3A `Lock%3A%3Aread` sees what it wrote::in the state  Locked { value: 0 }%0Apossible      p1: write(1) → ()%0Athen          p2: read() → 1%0Aending in     Locked { value: 1 }%0Ain the state  Locked { value: 0 }%0Aother order   p2: read() → 0, not 1%0Ain the other order `read` cannot return 1%0Ahelp: claim #[op(non)], or guard the operation with a lock
            ::error file=demo/src/count.rs,line=3,endLine=5,title=CS0901%3A whether `inc` does what `Counter%3A%3Ainc` allows is undecided%3A the budget ran out::4000 cases were closed
            ::error file=demo/src/count.rs,line=7,endLine=7,col=5,endColumn=5,title=CS0101%3A expected a type::expected a type
            ::error file=demo/src/binary.rs,line=1,endLine=1,col=1,endColumn=1,title=CS0001%3A `demo/src/binary.rs` is not UTF-8::help: save the file as UTF-8
            ::error file=/work/demo/Cargo.toml,title=CS0002%3A package `demo` declares no layers::package `demo` declares no layers
            ::notice title=cspec::failed: 2 errors in the source, 2 violated, 1 undecided, 1 proved
        "#]].assert_eq(&text);
    }

    #[test]
    fn what_the_runner_would_read_is_escaped() {
        assert_eq!(property("50%: a,b\r\n"), "50%25%3A a%2Cb%0D%0A");
    }
}
