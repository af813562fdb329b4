//! The results of searches for a wrong run, where an obligation does not hold. They are told with that obligation: see
//! [`crate::doubt`].

use super::{Reporter, Settled};
use crate::{
    diagnostics::{Diagnostic, codes},
    explore::search::Abort,
    ir::{Anchor, ImplementationId},
    obligations::{
        Doubt,
        end_to_end::{self, Limits, MOST_BEFORE, Searched, TriedOut, Wrong, WrongRun},
        question::{Answered, Effort},
    },
    verdict::Verdict,
};

/// What a search was about: how it is called if nothing was found, and where a wrong run is told.
struct About {
    /// What was tried, as part of a sentence: `108 programs of up to 4 calls by up to 3 processes`.
    tried: String,
    message: String,
    notes: Vec<String>,
    span: Anchor,
}

impl Reporter<'_> {
    /// Searches for a wrong run. `None` if the search was stopped.
    pub(super) fn search(&self, doubt: Doubt) -> Option<Settled> {
        match doubt {
            Doubt::Programs(id, operation) => self.search_programs(id, operation),
            Doubt::Client(client, processes, id) => self.search_client(client as usize, processes, id),
        }
    }

    fn search_programs(&self, id: ImplementationId, operation: usize) -> Option<Settled> {
        let implementation = self.implementation(id);
        let limits = Limits::about(operation, self.setting.scope);
        let found = end_to_end::try_out(&self.setting, &[implementation], limits);
        let TriedOut { answered, program, tried, calls, uncertain, effort, .. } = found;
        let tried = match (&answered, tried) {
            (Answered::GivenUp(Abort::Stopped), _) => return None,
            (_, 0) => "no program could be run".to_owned(),
            (_, tried) => {
                let Limits { calls: most, processes, budget, .. } = limits;
                let cut = match calls < most {
                    true => format!(", until the budget of {budget} steps ran out"),
                    false => String::new(),
                };
                format!(
                    "{tried} programs of up to {most} calls by up to {processes} processes, also after up to {MOST_BEFORE} calls of one of them{cut}"
                )
            }
        };
        let shown = program.iter().enumerate().map(|(number, it)| format!("p{number}: {}", it.join("; ")));
        let (name, upper) = (&implementation.name, self.layer_name(implementation.upper));
        let about = About {
            tried,
            message: format!("a search found a run of `{name}` that `{upper}` does not allow"),
            notes: vec![format!("the program is  {}", shown.collect::<Vec<_>>().join("  |  "))],
            span: self.procedure_anchor(id, operation),
        };
        Some(self.searched(answered, uncertain.is_some(), effort, about))
    }

    fn search_client(&self, index: usize, processes: u32, id: ImplementationId) -> Option<Settled> {
        let client = &self.program().clients[index];
        let (name, below) = (&client.name, self.layer_name(self.implementation(id).lower));
        let stack = &self.program().stacks[client.stack as usize];
        let top = stack.implementations.first().map(|it| self.layer_name(self.implementation(*it).upper));
        let budget = end_to_end::doubt_budget(self.setting.scope);
        let found = end_to_end::doubt(&self.setting, client, processes, id, budget);
        let Searched { answered, effort, uncertain, goes_wrong_above, .. } = found;
        let cut = match answered {
            Answered::GivenUp(Abort::Stopped) => return None,
            Answered::GivenUp(_) => format!(", as far as the budget of {budget} steps reached"),
            _ if goes_wrong_above => ", which goes wrong over the implementations above already".to_owned(),
            _ => String::new(),
        };
        let top = top.unwrap_or_default();
        let does = match &answered {
            Answered::Violated(WrongRun { wrong: Wrong::ClientFails(..), .. }) => {
                format!("fails in a run over `{below}`, and over `{top}` it cannot fail there")
            }
            _ => format!("has a run over `{below}` that `{top}` does not allow"),
        };
        let about = About {
            tried: format!("the client `{name}` with {processes} processes{cut}"),
            message: format!("with {processes} processes, `{name}` {does}"),
            notes: Vec::new(),
            span: Anchor::Client(index),
        };
        Some(self.searched(answered, uncertain.is_some(), effort, about))
    }

    fn searched(&self, answered: Answered<WrongRun>, left_out: bool, effort: Effort, about: About) -> Settled {
        let About { mut tried, message, mut notes, span } = about;
        if left_out {
            tried.push_str(", leaving out runs that the top may match beyond the bounds");
        }
        let (verdict, diagnostics) = match answered {
            Answered::Violated(WrongRun { counterexample, notes: more, .. }) => {
                notes.extend(more);
                let found = Diagnostic {
                    notes,
                    counterexample: Some(counterexample),
                    ..self.error(codes::CS0801, message, span)
                };
                (Verdict::Violated, vec![found])
            }
            Answered::Holds | Answered::GivenUp(_) => (Verdict::Checked, Vec::new()),
        };
        Settled {
            verdict,
            bounds_met: Vec::new(),
            assumptions: Vec::new(),
            cases: effort.cases,
            states: effort.states,
            diagnostics,
            relied: Vec::new(),
            refutation: None,
            at_start: Vec::new(),
            at_calls: Vec::new(),
            even_if: Vec::new(),
            is_superseded: false,
            tried,
            met_unsupported: false,
            may_be_unreachable: false,
        }
    }
}
