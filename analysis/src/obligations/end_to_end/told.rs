//! Builds the counterexample for a wrong run at the bottom.

use super::{
    Wrong, WrongRun,
    certain::How,
    control::{OwnFailure, Process},
    intern::Id,
    product::Product,
    schedule::Ending,
    system::{Edge, RETURNED},
};
use crate::{
    counterexample::{Counterexample, Datum, Run, RunRole, Step, StepEnd, emitted_in_words},
    explore::{
        order::Numbering,
        search::{Abort, Search},
        show::Show,
        value::Value,
    },
    ir::Anchor,
};

/// The maximum number of alternative events that are named.
const MOST_INSTEAD: usize = 6;

impl<'p> Product<'_, 'p> {
    /// The run to a pair, and perhaps one step further, which goes wrong.
    pub(super) fn told(
        &mut self,
        search: &mut Search<'_, 'p>,
        (at, last): (Id, Option<Edge>),
        how: How,
    ) -> Result<WrongRun, Abort> {
        let (conclusion, notes) = match how {
            How::Fails => return self.told_failure(search, at),
            How::Ends => (
                "all calls have returned; at the top the same calls with the same results cannot end in this state",
                Vec::new(),
            ),
            How::Event => ("the last event is not possible at the top", self.possible_instead(search, at)?),
        };
        let counterexample = self.run_to(search, (at, last), conclusion.to_owned())?;
        let schedule = self.schedule(search, (at, last), Ending::Trace)?;
        Ok(WrongRun { wrong: Wrong::Trace(None), counterexample, notes, schedule })
    }

    /// The run to a pair at which a client, a procedure or a step at the bottom fails.
    fn told_failure(&mut self, search: &mut Search<'_, 'p>, at: Id) -> Result<WrongRun, Abort> {
        let row = self.pairs.get(at).to_vec();
        let schedule = self.schedule(search, (at, None), Ending::Fails)?;
        let own = self.failing(at).min_by_key(|(_, failure)| !failure.of_client);
        let Some((number, failure)) = own else {
            let conclusion = self.failing_step(search, &row)?;
            let counterexample = self.run_to(search, (at, None), conclusion)?;
            return Ok(WrongRun { wrong: Wrong::Trace(None), counterexample, notes: Vec::new(), schedule });
        };
        let what = match failure.panic {
            Some(why) => format!("panics: {why}"),
            None => "fails: an assertion does not hold".to_owned(),
        };
        let name = &self.low.setting.program.functions[failure.function.0 as usize].name;
        let notes = Vec::new();
        if failure.of_client {
            let conclusion = format!("and then `{name}` of p{number} {what}");
            let at_the_top = self.high.has_failed(row[row.len() - 1], (number, failure));
            let counterexample = self.run_to(search, (at, None), conclusion)?;
            let wrong = Wrong::ClientFails(failure, at_the_top);
            return Ok(WrongRun { wrong, counterexample, notes, schedule });
        }
        let conclusion =
            format!("and then the procedure `{name}` of p{number} {what}. At the top nothing can fail there");
        let counterexample = self.run_to(search, (at, None), conclusion)?;
        Ok(WrongRun { wrong: Wrong::Trace(Some(failure)), counterexample, notes, schedule })
    }

    /// The processes that fail in code of their own in a pair.
    fn failing(&self, at: Id) -> impl Iterator<Item = (u32, OwnFailure)> {
        let numbers = self.pairs.get(at)[1..=self.low.count as usize].iter().zip(0..);
        numbers.filter_map(|(process, number)| match &**self.low.control.processes.get(*process) {
            Process::Fails(failure) => Some((number, *failure)),
            _ => None,
        })
    }

    /// The first process whose client fails in a pair.
    pub(super) fn failing_client(&self, at: Id) -> Option<(u32, OwnFailure)> {
        self.failing(at).find(|(_, failure)| failure.of_client)
    }

    /// The run to a pair at which an operation of the top layer fails for a process.
    pub(super) fn told_gate(
        &mut self,
        search: &mut Search<'_, 'p>,
        at: Id,
        (operation, process): (usize, u32),
    ) -> Result<WrongRun, Abort> {
        let name = &self.low.setting.program.layers[self.low.end.0 as usize].operations[operation].name;
        let conclusion = format!("and then `{name}` of p{process} fails");
        let counterexample = self.run_to(search, (at, None), conclusion)?;
        let schedule = self.schedule(search, (at, None), Ending::Fails)?;
        Ok(WrongRun { wrong: Wrong::TopFails(operation), counterexample, notes: Vec::new(), schedule })
    }

    /// The step that fails in a configuration at the bottom.
    fn failing_step(&mut self, search: &mut Search<'_, 'p>, row: &[u32]) -> Result<String, Abort> {
        let layer = &self.low.setting.program.layers[self.low.end.0 as usize];
        for number in 0..self.low.count {
            let outcomes = self.low.outcomes(search, &mut self.events, row, number)?;
            if outcomes.is_some_and(|it| self.low.steps.outcomes.get(it).fails)
                && let Some(operation) = self.low.operation(row, number)
            {
                let name = &layer.operations[operation].name;
                return Ok(format!("and then `{name}` of p{number} fails. At the top nothing can fail there"));
            }
        }
        Ok("and then a step fails. At the top nothing can fail there".to_owned())
    }

    /// The run to a pair from which the processes can never all finish.
    pub(super) fn told_stuck(&mut self, search: &mut Search<'_, 'p>, at: usize) -> Result<WrongRun, Abort> {
        let doing = self.doing(search, at as Id)?;
        let conclusion = match self.graph.is_final(at) {
            true => format!("and then no process can take a step: {doing}"),
            false => format!("from here on no order of steps lets all processes finish: {doing}"),
        };
        let counterexample = self.run_to(search, (at as Id, None), conclusion)?;
        let schedule = self.schedule(search, (at as Id, None), Ending::Stuck)?;
        let wrong = Wrong::Stuck(self.bounds_of_steps.clone());
        Ok(WrongRun { wrong, counterexample, notes: Vec::new(), schedule })
    }

    pub(super) fn run_to(
        &mut self,
        search: &mut Search<'_, 'p>,
        (at, last): (Id, Option<Edge>),
        conclusion: String,
    ) -> Result<Counterexample<Anchor>, Abort> {
        let path = self.graph.path_to(at);
        let mut steps = Vec::new();
        for (pair, edge) in path.iter().zip(self.edges_along(search, &path)?) {
            let from = self.low_of(*pair).to_vec();
            steps.push(self.step_told(search, &from, &edge)?);
        }
        let row = self.low_of(at).to_vec();
        if let Some(edge) = last {
            steps.push(self.step_told(search, &row, &edge)?);
        }
        let first = self.low_of(path.first().copied().unwrap_or(at)).to_vec();
        let layer = &self.low.setting.program.layers[self.low.end.0 as usize];
        let role = match (self.gate, self.asks) {
            (Some(_), _) => RunRole::AtTheTop,
            (None, Some(_)) => RunRole::Possible,
            (None, None) => RunRole::AtTheBottom,
        };
        let run = Run { role, layer: layer.name.clone(), from: self.state(search, &first), steps };
        Ok(Counterexample { values: Vec::new(), runs: vec![run], conclusion })
    }

    /// The steps along a path of pairs.
    pub(super) fn edges_along(&mut self, search: &mut Search<'_, 'p>, path: &[Id]) -> Result<Vec<Edge>, Abort> {
        let mut edges = Vec::new();
        for pair in path.windows(2) {
            let (from, to) = (self.low_of(pair[0]).to_vec(), self.pairs.get(pair[1]).to_vec());
            let high = self.pairs.get(pair[0])[from.len()];
            edges.extend(self.edge_between(search, (&from, high), &to)?);
        }
        Ok(edges)
    }

    /// A step from one pair to another.
    fn edge_between(
        &mut self,
        search: &mut Search<'_, 'p>,
        (from, high): (&[u32], Id),
        to: &[u32],
    ) -> Result<Option<Edge>, Abort> {
        let mut edges = Vec::new();
        self.low.expand(search, &mut self.events, from, &mut edges)?;
        for edge in edges {
            let mut after = from.to_vec();
            edge.apply(&mut after);
            if after[..] == to[..from.len()] && self.top_after(search, high, &edge)? == to[from.len()] {
                return Ok(Some(edge));
            }
        }
        Ok(None)
    }

    pub(super) fn state(&self, search: &Search<'_, 'p>, row: &[u32]) -> Datum {
        let as_they_are = Numbering::new();
        let show = Show { cells: &search.world.cells, numbering: &as_they_are };
        show.datum(&self.low.state(row), &self.low.setting.program.layers[self.low.end.0 as usize].state)
    }

    pub(super) fn step_told(
        &mut self,
        search: &mut Search<'_, 'p>,
        from: &[u32],
        edge: &Edge,
    ) -> Result<Step<Anchor>, Abort> {
        let result = self.low.result_of(search, &mut self.events, from, edge)?;
        let (end, setting) = (self.low.end, self.low.setting);
        let mut after = from.to_vec();
        edge.apply(&mut after);
        let after = Some(self.state(search, &after));
        let as_they_are = Numbering::new();
        let show = Show { cells: &search.world.cells, numbering: &as_they_are };
        let layer = &setting.program.layers[end.0 as usize];
        let blank = Step {
            process: None,
            operation: "background".to_owned(),
            arguments: Vec::new(),
            end: StepEnd::Returns(Datum::Unit),
            against_rules: false,
            events: Vec::new(),
            choices: Vec::new(),
            after,
            mismatch: None,
            place: layer.background.map(Anchor::Function),
        };
        let wanted = from.get(edge.process as usize + 1).map(|it| self.low.control.processes.get(*it));
        if let Some(Process::Shows { then, value }) = wanted.map(|it| &**it) {
            let shown = self.shown(&show, &self.low.control.called(*then), value);
            let operation = format!("shows {}", self.low.control.called(*then));
            return Ok(Step {
                process: Some(Datum::Pid(edge.process)),
                operation,
                end: StepEnd::Returns(shown),
                place: None,
                ..blank
            });
        }
        let Some(Process::Wants { operation, arguments, .. }) = wanted.map(|it| &**it) else { return Ok(blank) };
        let types = setting.arguments(end, *operation);
        let result = result.map_or(Datum::Opaque, |it| show.datum(&it, setting.result(end, *operation)));
        let emitted = self.events.get(edge.events).iter();
        Ok(Step {
            process: Some(Datum::Pid(edge.process)),
            operation: layer.operations[*operation].name.clone(),
            arguments: arguments.iter().zip(&types).map(|(it, ty)| show.datum(it, ty)).collect(),
            end: StepEnd::Returns(result),
            events: emitted.map(|it| show.event(it, &setting.code.events)).collect(),
            place: Some(Anchor::Operation(end, *operation)),
            ..blank
        })
    }

    /// The result of a call of a script, as data.
    fn shown(&self, show: &Show<'_, '_>, operation: &str, value: &Value) -> Datum {
        let (setting, top) = (self.low.setting, self.high.system.end);
        let operations = &setting.program.layers[top.0 as usize].operations;
        match operations.iter().position(|it| it.name == operation) {
            Some(index) => show.datum(value, setting.result(top, index)),
            None => Datum::Opaque,
        }
    }

    /// The call of its script that a process is at in a pair.
    fn current_call(&self, at: Id, process: u32) -> Option<String> {
        let state = self.pairs.get(at).get(process as usize + 1)?;
        match &**self.low.control.processes.get(*state) {
            Process::Shows { then, .. } | Process::Wants { then: Some(then), .. } => {
                Some(self.low.control.called(*then))
            }
            _ => None,
        }
    }

    /// The current operation of each process in a pair.
    pub(super) fn doing(&mut self, search: &mut Search<'_, 'p>, at: Id) -> Result<String, Abort> {
        let row = self.low_of(at).to_vec();
        let mut all = Vec::new();
        for number in 0..self.low.count {
            let outcomes = self.low.outcomes(search, &mut self.events, &row, number)?;
            let waits = outcomes.is_some_and(|it| self.low.steps.outcomes.get(it).done.is_empty());
            let as_they_are = Numbering::new();
            let show = Show { cells: &search.world.cells, numbering: &as_they_are };
            all.push(match &**self.low.control.processes.get(row[number as usize + 1]) {
                Process::Finished => format!("p{number} has finished"),
                Process::Fails(_) => format!("p{number} has failed"),
                Process::Shows { then, .. } => {
                    format!("p{number} shows the result of `{}`", self.low.control.called(*then))
                }
                Process::Wants { operation, arguments, .. } => {
                    let (layer, setting) = (self.low.end, self.low.setting);
                    let types = setting.arguments(layer, *operation);
                    let arguments = arguments.iter().zip(&types).map(|(it, ty)| show.datum(it, ty).to_string());
                    let arguments: Vec<String> = arguments.collect();
                    let name = &setting.program.layers[layer.0 as usize].operations[*operation].name;
                    let verb = if waits { "waits in" } else { "repeats" };
                    format!("p{number} {verb} `{name}({})`", arguments.join(", "))
                }
            });
        }
        Ok(all.join(", "))
    }

    /// What the top could do next, from the configurations of a pair, that others see: show results, or emit events.
    pub(super) fn possible_instead(&mut self, search: &mut Search<'_, 'p>, at: Id) -> Result<Vec<String>, Abort> {
        let high = self.pairs.get(at).last().copied().unwrap_or_default();
        let next = self.high.next_events(search, &mut self.events, high)?;
        let as_they_are = Numbering::new();
        let show = Show { cells: &search.world.cells, numbering: &as_they_are };
        let mut words = Vec::new();
        for (process, emitted) in &next {
            let types = &self.low.setting.code.events;
            words.push(match &self.events.get(*emitted)[..] {
                // It is the next result that this process shows, so that of the call that it is at.
                [Value::Tuple(parts)] if matches!(&parts[..], [Value::Str(name), _] if **name == *RETURNED) => {
                    let call = self.current_call(at, *process).unwrap_or_default();
                    format!("p{process} shows {call}() → {}", self.shown(&show, &call, &parts[1]))
                }
                emitted => {
                    let emitted: Vec<Datum> = emitted.iter().map(|it| show.event(it, types)).collect();
                    format!("p{process} emits {}", emitted_in_words(&emitted))
                }
            });
        }
        words.dedup();
        if words.len() > MOST_INSTEAD {
            let more = words.len() - MOST_INSTEAD;
            words.truncate(MOST_INSTEAD);
            words.push(format!("{more} more"));
        }
        Ok(match words.is_empty() {
            true => vec!["after the same events nothing is possible at the top".to_owned()],
            false => vec![format!("after the same events the top could do this instead: {}", words.join("; "))],
        })
    }
}
