//! Messages for an implementation that rests on the search alone.

use super::{Finding, Reporter};
use crate::{
    diagnostics::{Diagnostic, codes},
    ir::{Anchor, ImplementationId},
    obligations::{Asking, question::Effort},
    verdict::Verdict,
};

impl Reporter<'_> {
    /// The runs over an implementation `by = search`. If none is wrong, it is searched, which is less than checked: the bounds are those of the
    /// programs, not of the statement.
    pub(super) fn rests_on_search(&self, id: ImplementationId, asking: Asking) -> Option<(Finding, Effort)> {
        let (finding, mut effort) = match asking {
            Asking::Client(index, processes) => self.end_to_end(index, processes)?,
            Asking::Programs(over) => self.tried_out(over)?,
            Asking::Nowhere => (self.searched_by_nothing(id), Effort::default()),
        };
        if finding.verdict != Verdict::Proved {
            return Some((finding, effort));
        }
        if let Asking::Client(index, _) = asking {
            effort.bounds_met.insert(format!("client `{}`", self.program().clients[index].name));
        }
        Some((Finding { verdict: Verdict::Searched, ..finding }, effort))
    }

    /// An implementation that no search is about.
    fn searched_by_nothing(&self, id: ImplementationId) -> Finding {
        let implementation = self.implementation(id);
        let message = format!(
            "`{}` rests on the search, and nothing is searched: `{}` has a protocol, so no programs can be generated for it",
            implementation.name,
            self.layer_name(implementation.upper)
        );
        let help = "write a client of a stack that contains it";
        let span = Anchor::Implementation(id);
        let diagnostic = Diagnostic { help: Some(help.to_owned()), ..self.error(codes::CS0910, message, span) };
        Finding::of(Verdict::Undecided, diagnostic)
    }
}
