//! A run at the bottom that the top does not have, as a counterexample.

use super::{
    Product, Reached, UnmatchedTrace,
    system::{Id, Process},
};
use crate::{
    counterexample::{Counterexample, Datum, Run, RunRole, Step, StepEnd},
    explore::{order::Numbering, search::Search, show::Show, value::Value},
    ir::Anchor,
};

impl<'p> Product<'_, 'p> {
    pub(super) fn told(&self, search: &Search<'_, 'p>, last: usize, conclusion: &str) -> UnmatchedTrace {
        let mut path = vec![&self.reached[last]];
        while let Some((from, _)) = path[path.len() - 1].from {
            path.push(&self.reached[from]);
        }
        path.reverse();
        let as_they_are = Numbering::new();
        let show = Show { cells: &search.world.cells, numbering: &as_they_are };
        let layer = &self.low.setting.program.layers[self.low.end.0 as usize];
        let state = |reached: &Reached| {
            let state = self.low.states.get(self.low.configurations.get(reached.low).state);
            show.datum(&state, &layer.state)
        };
        let steps = path.iter().filter_map(|it| self.step_told(&show, it, state(it)));
        let run = Run {
            role: RunRole::AtTheBottom,
            layer: layer.name.clone(),
            from: path.first().map_or(Datum::Opaque, |it| state(it)),
            steps: steps.collect(),
        };
        let counterexample = Counterexample { values: Vec::new(), runs: vec![run], conclusion: conclusion.to_owned() };
        UnmatchedTrace { counterexample }
    }

    /// The step to a pair. What it returned can be one of several things, which the trace does not tell apart.
    fn step_told(&self, show: &Show<'_, '_>, reached: &Reached, state: Datum) -> Option<Step<Anchor>> {
        let (before, edge) = reached.from?;
        let end = self.low.end;
        let from = self.low.configurations.get(self.reached[before].low);
        let to = self.low.configurations.get(edge.to);
        let process = from.processes[edge.process as usize];
        let wanted = self.low.processes.get(process);
        let Process::Wants { operation, arguments, .. } = &*wanted else { return None };
        let outcomes = self.low.steps.get(&(from.state, process, edge.process))?;
        let leads_there = |(state, result, events): &&(Id, Value, Id)| {
            let next = self.low.advances.get(&(process, result.clone()));
            let goes_on = next.is_some_and(|it| it.contains(&to.processes[edge.process as usize]));
            *state == to.state && *events == edge.events && goes_on
        };
        let (_, result, events) = outcomes.done.iter().find(leads_there)?;
        let types = self.low.setting.arguments(end, *operation);
        Some(Step {
            process: Some(Datum::Pid(edge.process)),
            operation: self.low.setting.program.layers[end.0 as usize].operations[*operation].name.clone(),
            arguments: arguments.iter().zip(&types).map(|(it, ty)| show.datum(it, ty)).collect(),
            end: StepEnd::Returns(show.datum(result, self.low.setting.result(end, *operation))),
            against_rules: false,
            events: self.events.get(*events).iter().map(|it| show.event(it, &self.low.setting.code.events)).collect(),
            choices: Vec::new(),
            after: Some(state),
            mismatch: None,
            place: Some(Anchor::Operation(end, *operation)),
        })
    }
}
