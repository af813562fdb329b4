//! Calls through a stack: through the procedures of its implementations to a step of the lowest layer.
//!
//! A [`Process`] is a client program in progress: its decisions so far, and the step that it wants next. To continue, it is run again from
//! its start with the log of what happened so far; so its only state is the log.

use cspec_analysis::ir::{Code, Implementation, Justification, LayerId, Partition, PartitionEnd, Program};

use crate::{
    eval::{Below, DontKnow, Evaluator, Logged, Run, Stop, Want, dont_know},
    value::Value,
};

/// A call that a client makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The name of an operation of the top layer.
    pub operation: String,
    /// The arguments of the call.
    pub arguments: Vec<Value>,
}

/// A client: its calls in order. Each result is shown to the outside.
pub type Client = Vec<Call>;

/// A chain of implementations, top to bottom, and the layer below the last one. Without implementations, clients use that layer directly.
#[derive(Clone)]
pub struct Tower<'p> {
    pub implementations: Vec<&'p Implementation>,
    /// The layer whose steps are interleaved: the lower layer of the last implementation, without its protocol.
    pub end: LayerId,
}

impl<'p> Tower<'p> {
    /// Creates the tower of these implementations. The protocol of the lowest layer is ignored, since following it is what is checked.
    pub fn over(program: &'p Program, implementations: Vec<&'p Implementation>) -> Option<Tower<'p>> {
        let lower = implementations.last()?.lower;
        let end = program.layers[lower.0 as usize].protocol.as_ref().map_or(lower, |it| it.raw);
        Some(Tower { implementations, end })
    }

    /// A tower of one layer, without implementations.
    pub fn layer(end: LayerId) -> Tower<'p> {
        Tower { implementations: Vec::new(), end }
    }
}

/// The position of a procedure in a tower.
#[derive(Clone)]
pub struct Descent<'a> {
    tower: &'a Tower<'a>,
    /// The number of implementations above this position.
    level: usize,
    /// The key that layers for one key are used with, between the ends of a partition.
    key: Option<Value>,
}

/// The state of a client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Process {
    /// All calls are done.
    Finished,
    /// It wants to make this step; afterwards it continues from its log.
    Wants(Vec<Logged>, Want),
    /// The client itself has failed.
    Failed,
}

/// All continuations of a client from its log, up to the next step that it wants.
///
/// # Errors
/// If they cannot be determined.
pub fn go_on(
    evaluator: &Evaluator<'_>,
    tower: &Tower<'_>,
    client: &Client,
    log: &[Logged],
) -> Result<Vec<Process>, DontKnow> {
    let mut found = Vec::new();
    let below = Below::Stack(Descent::new(tower));
    evaluator.each_run(log, below, &mut |run| {
        match run_client(run, client) {
            Ok(()) => found.push(Process::Finished),
            Err(Stop::Wants(want)) => found.push(Process::Wants(run.log.clone(), want)),
            Err(Stop::Disabled) => {}
            Err(Stop::Failed | Stop::Panicked(_)) => found.push(Process::Failed),
            Err(Stop::DontKnow(why)) => return Err(DontKnow(why)),
            Err(stop) => return Err(DontKnow(format!("{stop:?} outside of what it leaves"))),
        }
        Ok(())
    })?;
    found.sort();
    found.dedup();
    Ok(found)
}

fn run_client(run: &mut Run<'_, '_>, client: &Client) -> Result<(), Stop> {
    for call in client {
        let result = run.perform(&call.operation, call.arguments.clone())?;
        if run.given_result()?.is_none() {
            return Err(Stop::Wants(Want::Show(result)));
        }
    }
    Ok(())
}

impl<'a> Descent<'a> {
    /// The position at the top of a tower.
    pub fn new(tower: &'a Tower<'a>) -> Descent<'a> {
        Descent { tower, level: 0, key: None }
    }

    /// Performs an operation of the layer below, by name.
    pub(crate) fn perform<'p>(
        mut self,
        run: &mut Run<'a, 'p>,
        name: &str,
        mut arguments: Vec<Value>,
    ) -> Result<Value, Stop> {
        let mut name = name.to_owned();
        while let Some(implementation) = self.tower.implementations.get(self.level) {
            self.level += 1;
            let code = match &implementation.by {
                Justification::Abstraction(_) => continue,
                Justification::Movers(code) | Justification::Retry(code) | Justification::Search(code) => code,
                Justification::Partition(partition) if partition.check.as_ref() == Some(&name) => {
                    // Layers for one key have no other keys, so the other end answers.
                    name = self.skip_to_other_end()?;
                    continue;
                }
                Justification::Partition(partition) => {
                    self.change_key(run, implementation, partition, &name, &mut arguments)?;
                    &partition.code
                }
            };
            match code.get(&name) {
                Some(Code::Pass) => {}
                Some(Code::Procedure(function)) => {
                    let above = std::mem::replace(&mut run.below, Below::Stack(self));
                    let (result, _) = run.call(*function, arguments)?;
                    run.below = above;
                    return Ok(result);
                }
                None => return Err(dont_know("an operation is not implemented")),
            }
        }
        let operations = &run.evaluator().program.layers[self.tower.end.0 as usize].operations;
        let operation = operations.iter().position(|it| it.name == name);
        let operation = operation.ok_or_else(|| dont_know("there is no such operation at the end"))?;
        match run.given_result()? {
            Some(result) => Ok(result),
            None => Err(Stop::Wants(Want::Step(operation, arguments))),
        }
    }

    /// At the top of layers for one key, removes the key from the arguments; at their bottom, adds it again.
    fn change_key(
        &mut self,
        run: &Run<'a, '_>,
        implementation: &Implementation,
        partition: &Partition,
        name: &str,
        arguments: &mut Vec<Value>,
    ) -> Result<(), Stop> {
        match &partition.end {
            PartitionEnd::Top { .. } => {
                let program = run.evaluator().program;
                let operations = &program.layers[implementation.upper.0 as usize].operations;
                let operation = operations.iter().find(|it| it.name == name);
                let operation = operation.ok_or_else(|| dont_know("there is no such operation above"))?;
                let is_keyed = partition.is_keyed(&program.functions[operation.function.0 as usize]);
                self.key = is_keyed.then(|| arguments.remove(0));
            }
            PartitionEnd::Bottom { .. } => {
                if let Some(Code::Procedure(_)) = partition.code.get(name) {
                    let key = self.key.clone().ok_or_else(|| dont_know("there is no key"))?;
                    arguments.insert(0, key);
                }
            }
        }
        Ok(())
    }

    fn skip_to_other_end(&mut self) -> Result<String, Stop> {
        while let Some(implementation) = self.tower.implementations.get(self.level) {
            self.level += 1;
            if let Justification::Partition(Partition { check: Some(check), .. }) = &implementation.by {
                return Ok(check.clone());
            }
        }
        Err(dont_know("a partition has no other end"))
    }
}
