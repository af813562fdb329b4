//! A run at the bottom that is not as it should be, as a counterexample.

use super::{
    Product, Reached, Wrong, WrongRun,
    system::{Id, OwnFailure, Process},
};
use crate::{
    counterexample::{Counterexample, Datum, Run, RunRole, Step, StepEnd},
    explore::{order::Numbering, search::Search, show::Show, value::Value},
    ir::Anchor,
};

impl<'p> Product<'_, 'p> {
    /// The run to a pair, whose trace the top does not have.
    pub(super) fn told(&self, search: &Search<'_, 'p>, last: usize, conclusion: &str) -> WrongRun {
        let counterexample = self.run_to(search, last, conclusion.to_owned());
        WrongRun { wrong: Wrong::Trace(None), counterexample }
    }

    /// The run to a pair at which something fails at the bottom: a client, a procedure, or a step.
    pub(super) fn told_failure(&self, search: &Search<'_, 'p>, at: usize) -> WrongRun {
        let Reached { low, high, .. } = self.reached[at];
        let processes = &self.low.configurations.get(low).processes;
        let own = processes.iter().enumerate().filter_map(|(number, it)| match &*self.low.processes.get(*it) {
            Process::Fails(failure) => Some((number, *failure)),
            _ => None,
        });
        let Some((number, failure)) = own.min_by_key(|(_, failure)| !failure.of_client) else {
            return self.told(search, at, &self.failing_step(low));
        };
        let what = match failure.panic {
            Some(why) => format!("panics: {why}"),
            None => "fails: an assertion does not hold".to_owned(),
        };
        let name = &self.low.setting.program.functions[failure.function.0 as usize].name;
        if failure.of_client {
            let at_the_top = self.fails_at_the_top(high, number, &failure);
            let counterexample = self.run_to(search, at, format!("and then `{name}` of p{number} {what}"));
            return WrongRun { wrong: Wrong::ClientFails(failure, at_the_top), counterexample };
        }
        let conclusion =
            format!("and then the procedure `{name}` of p{number} {what}. At the top nothing can fail there");
        WrongRun { wrong: Wrong::Trace(Some(failure)), counterexample: self.run_to(search, at, conclusion) }
    }

    /// Which step fails in a configuration at the bottom.
    fn failing_step(&self, low: Id) -> String {
        let configuration = self.low.configurations.get(low);
        let layer = &self.low.setting.program.layers[self.low.end.0 as usize];
        let failing = (0..).zip(&configuration.processes).find_map(|(number, process)| {
            let outcomes = self.low.steps.get(&(configuration.state, *process, number))?;
            match &*self.low.processes.get(*process) {
                Process::Wants { operation, .. } if outcomes.fails => {
                    Some((number, &layer.operations[*operation].name))
                }
                _ => None,
            }
        });
        let what = failing.map_or_else(|| "a step".to_owned(), |(number, name)| format!("`{name}` of p{number}"));
        format!("and then {what} fails. At the top nothing can fail there")
    }

    /// Whether, after the same events, the client of this process can fail at the same place at the top.
    fn fails_at_the_top(&self, high: Id, number: usize, failure: &OwnFailure) -> bool {
        self.high.sets.get(high).iter().any(|configuration| {
            let processes = &self.high.system.configurations.get(*configuration).processes;
            let there = self.high.system.processes.get(processes[number]);
            matches!(&*there, Process::Fails(it) if it.site == failure.site)
        })
    }

    fn run_to(&self, search: &Search<'_, 'p>, last: usize, conclusion: String) -> Counterexample<Anchor> {
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
        Counterexample { values: Vec::new(), runs: vec![run], conclusion }
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
