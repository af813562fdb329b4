//! Questions of a layer, asked of every state that a search reaches.
//!
//! ```text
//! never:  in every reachable configuration the condition is false of the state
//! always: in every reachable configuration the condition is true of the state
//! ```
//!
//! The top is left out: a state counts if it can be reached, whatever the top allows. What fails makes no step, and the others go on. A
//! condition that panics has no answer, which is wrong for both.

use std::rc::Rc;

use super::{
    Answer, Asks, Wrong, WrongRun,
    control::{Runs, fresh},
    intern::Id,
    product::Product,
    schedule::Ending,
    system::{Edge, System},
};
use crate::{
    explore::{
        search::{Abort, Action, End, Search},
        value::Value,
    },
    ir::Question,
};

impl<'p> Product<'_, 'p> {
    /// Follows all that can be reached from these configurations, without a top to compare with.
    pub(super) fn search_alone(
        &mut self,
        search: &mut Search<'_, 'p>,
        runs: Runs<'_>,
        starts: Vec<Vec<u32>>,
    ) -> Result<Option<WrongRun>, Abort> {
        if starts.is_empty() {
            // Nothing is looked at.
            self.cut_off = Some(self.low.end);
        }
        for mut row in starts {
            row.push(0);
            self.pairs.intern(&row);
        }
        self.follow_all(search, runs)
    }

    /// Asks the question of one configuration, and follows its steps.
    pub(super) fn follow_asked(
        &mut self,
        search: &mut Search<'_, 'p>,
        asks: Asks,
        at: Id,
        (edges, successors): (&mut Vec<Edge>, &mut Vec<u32>),
    ) -> Result<Option<WrongRun>, Abort> {
        let row = self.pairs.get(at).to_vec();
        let low = &row[..row.len() - 1];
        if let Some(answer) = self.wrong_answer(search, asks, low)? {
            let question = match answer {
                Answer::Yes => "holds",
                Answer::No => "does not hold",
                Answer::Fails => "has no answer: it panics, or an assertion in it fails",
            };
            let conclusion = format!("in this state `{}` {question}", self.question_name(asks));
            let counterexample = self.run_to(search, (at, None), conclusion)?;
            let schedule = self.schedule(search, (at, None), Ending::Answer)?;
            let (wrong, notes) = (Wrong::Answers(answer), Vec::new());
            return Ok(Some(WrongRun { wrong, counterexample, notes, schedule }));
        }
        self.low_edges(search, low, edges)?;
        self.finishes |= System::is_finished(low);
        successors.clear();
        for edge in edges.iter() {
            let mut after = row.clone();
            edge.apply(&mut after[..row.len() - 1]);
            successors.push(self.pairs.intern(&after).0);
        }
        self.graph.add(false, successors);
        Ok(None)
    }

    fn question_name(&self, asks: Asks) -> &str {
        let source = self.low.setting.code.functions[asks.code].source;
        let name = source.map(|it| self.low.setting.program.functions[it.0 as usize].name.as_str());
        name.and_then(|it| it.rsplit("::").next()).unwrap_or("the condition")
    }

    /// The answer in this configuration, if it is wrong. Equal states have equal answers.
    pub(super) fn wrong_answer(
        &mut self,
        search: &mut Search<'_, 'p>,
        asks: Asks,
        low: &[u32],
    ) -> Result<Option<Answer>, Abort> {
        if let Some(known) = self.answers.get(&low[0]) {
            return Ok(*known);
        }
        let state = self.low.state(low);
        let mut machine = fresh(search, &[&state], self.low.control.mentioned);
        machine.slots = Rc::new(vec![state, Value::Unit]);
        let script = [Action::Call { function: asks.code, arguments: vec![0], result: Some(1) }];
        let mut ends = Vec::new();
        search.for_all(machine, &script, &mut |search, machine, end| {
            ends.push(match (end, machine.force_all(search.world, &machine.slots[1])) {
                (End::Done, Ok(Value::Bool(true))) => Answer::Yes,
                (End::Done, Ok(Value::Bool(false))) => Answer::No,
                (End::Failed(_) | End::Panicked(..), _) => Answer::Fails,
                _ => return Err(Abort::Unsupported),
            });
            Ok(true)
        })?;
        // A condition makes no choice. If there is no answer, it is a bug that must not look like one.
        if ends.is_empty() {
            return Err(Abort::Unsupported);
        }
        let right = match asks.question {
            Question::Never => Answer::No,
            Question::Always => Answer::Yes,
        };
        let wrong = ends.into_iter().find(|it| *it != right);
        self.answers.insert(low[0], wrong);
        Ok(wrong)
    }

    /// The last number of a pair after a step: the configurations that the top may be in, or what is shown.
    pub(super) fn top_after(&mut self, search: &mut Search<'_, 'p>, high: Id, edge: &Edge) -> Result<Id, Abort> {
        match (self.asks, &mut self.listing) {
            (Some(_), _) => Ok(high),
            (None, Some(listing)) => Ok(listing.after(&mut self.events, high, edge)),
            (None, None) => self.high.after(search, &mut self.events, high, edge),
        }
    }
}
