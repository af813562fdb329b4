//! Terminal colours, or none.

use cspec_analysis::{diagnostics::Severity, verdict::Verdict};

/// Whether to use colour.
#[derive(Clone, Copy, Debug)]
pub struct Paint(pub bool);

impl Paint {
    /// The text in bold.
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// The text in a fainter colour.
    pub fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    /// The text in bold and in the colour of a severity.
    pub fn severity(self, severity: Severity, text: &str) -> String {
        match severity {
            Severity::Error => self.with("1;31", text),
            Severity::Warning => self.with("1;33", text),
        }
    }

    /// The text in the colour of a verdict: `checked` is never as green as `proved`.
    pub fn verdict(self, verdict: &Verdict, text: &str) -> String {
        match verdict {
            Verdict::Proved => self.with("32", text),
            Verdict::Checked => self.with("36", text),
            Verdict::Searched => self.with("35", text),
            Verdict::Violated => self.with("1;31", text),
            Verdict::NotShown => self.with("31", text),
            Verdict::Undecided => self.with("1;33", text),
        }
    }

    fn with(self, style: &str, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
