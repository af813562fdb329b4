//! `check` with one line for each diagnostic: `path:line:column: error[CS0301]: message`.

use std::io::{self, Write};

use super::{
    Detail, Render, causes,
    place::Place,
    severity_name,
    summary::{Checked, Summary},
};
use crate::exit::Status;

/// Renders each diagnostic of `check` on one line.
pub struct Short<'a> {
    out: &'a mut dyn Write,
    detail: Detail,
}

impl<'a> Short<'a> {
    /// Creates a renderer that writes to `out`.
    pub fn new(out: &'a mut dyn Write, detail: Detail) -> Short<'a> {
        Short { out, detail }
    }
}

impl Render for Short<'_> {
    fn package(&mut self, checked: &Checked) -> io::Result<()> {
        for found in &causes(&checked.report) {
            let place = match Place::find(&checked.report.files, found.span) {
                Some(place) => place.to_string(),
                None => checked.report.manifest_path.to_string(),
            };
            writeln!(self.out, "{place}: {}[{}]: {}", severity_name(found.severity), found.code, found.message)?;
        }
        self.out.flush()
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        let quiet = self.detail == Detail::Problems && summary.status() == Status::Success;
        if quiet || summary.unusable {
            return Ok(());
        }
        writeln!(self.out, "{}", summary.line())
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::fixtures::{broken, failing, passing, rendered};

    #[test]
    fn one_line_for_each_diagnostic_and_one_for_the_run() {
        let packages = [failing(), passing(), broken()];
        let text = rendered(&packages, |out| Box::new(Short::new(out, Detail::Summary)));
        expect![[r#"
            demo/src/lock.rs:4:10: error[CS0301]: `Lock::write` is not a right mover: `Lock::read` sees what it wrote
            demo/src/count.rs:3:2: error[CS0901]: whether `inc` does what `Counter::inc` allows is undecided: the budget ran out
            demo/src/lock.rs:10:8: warning[CS1001]: `read` is never enabled: it has no transition in any state
            demo/src/count.rs:7:5: error[CS0101]: expected a type
            demo/src/binary.rs:1:1: error[CS0001]: `demo/src/binary.rs` is not UTF-8
            /work/demo/Cargo.toml: error[CS0002]: package `demo` declares no layers
            failed: 2 errors in the source, 2 violated, 1 undecided, 1 checked to scope, 5 proved
        "#]].assert_eq(&text);
    }

    #[test]
    fn quiet_says_nothing_of_a_run_without_problems() {
        let mut checked = passing();
        checked.report.outcomes.iter_mut().for_each(|(outcome, _)| outcome.diagnostics.clear());
        assert_eq!(rendered(&[checked], |out| Box::new(Short::new(out, Detail::Problems))), "");
    }
}
