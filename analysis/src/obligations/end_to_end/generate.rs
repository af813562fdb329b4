//! Generated programs: searches small programs for one whose trace at the bottom is not possible at the top.
//!
//! The programs call the upper operations, with arguments from the scope, from a few processes, the shortest programs first.
//! The results of calls are emitted as events, so no client has to be written. A wrong run refutes; finding none only means that
//! the programs that were tried show no new trace.
//!
//! This helps when a procedure is refused: [`try_out`] on the implementation tells whether it is wrong, or only not shown to be right.

use std::rc::Rc;

use super::{
    Answered, Effort, Ends, Reductions, Setting, Uncertain, WrongRun, asked_over,
    control::{Runs, Script, ScriptCall},
    ends,
    product::Product,
};
use crate::{
    explore::{
        cells::Numbers,
        order::Numbering,
        search::{Abort, Search},
        show::Show,
        value::{Sort, Value},
    },
    ir::{Implementation, ImplementationId, Justification, LayerId, Type},
    verdict::Scope,
};

/// The number of values tried for a parameter, and of argument combinations tried for a call.
const VALUES: usize = 2;
const COMBINATIONS: usize = 4;

/// The limits of trying programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of processes.
    pub processes: usize,
    /// The maximum number of calls of all processes together.
    pub calls: usize,
    /// The budget of exploration for all programs together: see [`Scope::budget`](crate::verdict::Scope::budget).
    pub budget: u64,
    /// Only wrong runs of programs count that need the calls of this operation for that.
    pub about: Option<usize>,
}

impl Limits {
    /// Limits that take about a second.
    pub const QUICK: Limits = Limits { processes: 3, calls: 4, budget: 1_000_000, about: None };

    /// Smaller limits, for the programs that call one operation whose procedure is in doubt.
    pub fn about(operation: usize, scope: &Scope) -> Limits {
        Limits { budget: doubt_budget(scope), about: Some(operation), ..Limits::QUICK }
    }
}

/// The budget of a search that is made because an obligation does not hold: about half a second. If little is to be spent on an obligation
/// itself, much less.
pub fn doubt_budget(scope: &Scope) -> u64 {
    if scope.budget < 5_000_000 { scope.budget / 100 } else { 500_000 }
}

/// The result of trying programs.
pub struct TriedOut {
    /// A wrong run; or no program has one, within the limits; or why they could not be tried.
    pub answered: Answered<WrongRun>,
    /// The program of the wrong run: the calls of each process.
    pub program: Vec<Vec<String>>,
    /// The same calls as numbers, for a schedule.
    pub numbers: Vec<Vec<usize>>,
    /// The number of programs that were completed.
    pub tried: u64,
    /// All programs with at most this many calls were tried.
    pub calls: usize,
    /// A run that was left out, and what may follow it: the top may match it with choices that were not tried.
    pub uncertain: Option<Uncertain>,
    /// The effort it took.
    pub effort: Effort,
}

/// Tries programs over a chain of implementations, top to bottom, or over a single one. Neither end may be a layer with protocol rules that
/// the calls might break.
pub fn try_out(setting: &Setting, implementations: &[&Implementation], limits: Limits) -> TriedOut {
    let tried = TriedOut::nothing();
    let Some(ends) = ends(setting, implementations) else { return tried };
    let is_careful = limits.about.is_some();
    let starts_alike = is_careful && implementations.iter().all(|it| has_one_state(it));
    let ends = Ends { is_careful, starts_alike, ..ends };
    try_between(setting, implementations, ends, limits)
}

/// Asks a question of a layer in all states that generated programs reach over the implementations above the layer in a chain.
pub fn ask_programs(
    setting: &Setting,
    chain: &[ImplementationId],
    (layer, question): (LayerId, usize),
    limits: Limits,
) -> TriedOut {
    match asked_over(setting, chain, layer, question) {
        Some((above, ends)) => try_between(setting, &above, ends, limits),
        None => TriedOut::nothing(),
    }
}

impl TriedOut {
    /// No program was tried.
    fn nothing() -> TriedOut {
        TriedOut {
            answered: Answered::GivenUp(Abort::Unsupported),
            program: Vec::new(),
            numbers: Vec::new(),
            tried: 0,
            calls: 0,
            uncertain: None,
            effort: Effort::default(),
        }
    }
}

fn try_between(setting: &Setting, implementations: &[&Implementation], ends: Ends, limits: Limits) -> TriedOut {
    let mut tried = TriedOut::nothing();
    if setting.program.layers[ends.top.0 as usize].protocol.is_some() {
        return tried;
    }
    let entries: Vec<_> = (0..setting.code.functions.len()).collect();
    let scope = Scope { budget: limits.budget, ..setting.scope.smallest() };
    let setting = &Setting { scope: &scope, ..*setting };
    let (answered, effort) = setting.ask(&entries, None, |search| {
        if search.world.cells.numbers == Numbers::Atoms {
            return Err(Abort::NumbersNeeded);
        }
        search.world.cells.ordered_by_number = true;
        // Each integer that a step may choose is a separate configuration, so the ends of types are left out; the bound says so.
        search.world.cells.tries_ends = false;
        (tried.tried, tried.calls) = (0, 0);
        let count = limits.processes as u32;
        search.world.cells.scope.pids = count;
        let product = Product::new(setting, search, implementations.to_vec(), ends, count, Reductions::ALL);
        let calls = calls(setting, search, ends.top);
        let mut trial = Trial { product, calls, found: None };
        let counts = (&mut tried.tried, &mut tried.calls);
        let found = match limits.about {
            None => trial.all(search, limits, counts),
            Some(about) => {
                let about = &setting.program.layers[ends.top.0 as usize].operations[about].name;
                trial.all_about(search, about, limits, counts)
            }
        };
        tried.uncertain = trial.product.uncertain;
        let (program, numbers) = trial.found.unwrap_or_default();
        tried.program = in_words(setting, search, ends.top, &program);
        tried.numbers = numbers;
        match found {
            // The results until then are kept.
            Err(Abort::OutOfFuel) if tried.tried > 0 => Ok(None),
            found => found,
        }
    });
    tried.answered = answered;
    tried.effort = effort;
    tried
}

/// Whether both layers of an implementation have one state.
pub(super) fn has_one_state(implementation: &Implementation) -> bool {
    matches!(implementation.by, Justification::Movers(_) | Justification::Retry(_))
}

/// The script of each process, and its calls as numbers.
type Program = (Vec<Rc<Script>>, Vec<Vec<usize>>);

pub(super) struct Trial<'a, 'p> {
    pub(super) product: Product<'a, 'p>,
    /// The calls that programs consist of.
    pub(super) calls: Vec<ScriptCall>,
    /// The program with the wrong run, or else with the first uncertain one; and its calls as numbers.
    found: Option<Program>,
}

impl<'p> Trial<'_, 'p> {
    /// Tries all programs, those with the fewest calls first.
    fn all(
        &mut self,
        search: &mut Search<'_, 'p>,
        limits: Limits,
        (tried, reached): (&mut u64, &mut usize),
    ) -> Result<Option<WrongRun>, Abort> {
        if self.calls.is_empty() {
            return Err(Abort::Unsupported);
        }
        for calls in 2..=limits.calls {
            for lengths in shares(calls, limits.processes) {
                for numbers in sequences(calls, self.calls.len()) {
                    if let Some(wrong) = self.one(search, &split(&numbers, &lengths))? {
                        return Ok(Some(wrong));
                    }
                    *tried += 1;
                }
            }
            *reached = calls;
        }
        Ok(None)
    }

    /// Tries one program, given the calls of each process.
    pub(super) fn one(
        &mut self,
        search: &mut Search<'_, 'p>,
        numbers: &[Vec<usize>],
    ) -> Result<Option<WrongRun>, Abort> {
        let script = |it: &Vec<usize>| Rc::new(it.iter().map(|it| self.calls[*it].clone()).collect::<Script>());
        let scripts: Vec<Rc<Script>> = numbers.iter().map(script).collect();
        self.product.start_over();
        let found = self.product.search(search, Runs::Scripts(&scripts, true))?;
        if self.product.pairs.len() == 0 {
            // There is no initial state to run it from.
            return Err(Abort::Unsupported);
        }
        if found.is_some() || self.product.uncertain.is_some() && self.found.is_none() {
            self.found = Some((scripts, numbers.to_vec()));
        }
        Ok(found)
    }
}

/// The ways to distribute calls among at least two and at most this many processes, each of which makes no more than the one before it:
/// renaming processes makes no difference.
pub(super) fn shares(calls: usize, processes: usize) -> Vec<Vec<usize>> {
    let mut shares = Vec::new();
    let mut pending = vec![Vec::new()];
    while let Some(share) = pending.pop() {
        let left = calls - share.iter().sum::<usize>();
        if left == 0 {
            if share.len() >= 2 {
                shares.push(share);
            }
            continue;
        }
        if share.len() < processes {
            let most = share.last().copied().unwrap_or(left).min(left);
            pending.extend((1..=most).map(|it| [&share[..], &[it]].concat()));
        }
    }
    shares.sort();
    shares
}

/// Calls, distributed among processes that make this many each.
pub(super) fn split(calls: &[usize], lengths: &[usize]) -> Vec<Vec<usize>> {
    let mut rest = calls;
    let take = |length: &usize| {
        let (own, others) = rest.split_at(*length);
        rest = others;
        own.to_vec()
    };
    lengths.iter().map(take).collect()
}

/// All sequences of this length of numbers below a bound, which is not zero, in order.
pub(super) fn sequences(length: usize, bound: usize) -> impl Iterator<Item = Vec<usize>> {
    let next = move |numbers: &Vec<usize>| {
        let grows = numbers.iter().rposition(|it| it + 1 < bound)?;
        let mut next = numbers[..grows].to_vec();
        next.push(numbers[grows] + 1);
        next.resize(length, 0);
        Some(next)
    };
    std::iter::successors(Some(vec![0; length]), next)
}

/// The calls of operations of a layer that programs consist of.
pub(super) fn calls(setting: &Setting, search: &mut Search<'_, '_>, layer: LayerId) -> Vec<ScriptCall> {
    let operations = &setting.program.layers[layer.0 as usize].operations;
    let mut calls = Vec::new();
    for (index, operation) in operations.iter().enumerate().filter(|(_, it)| !it.external) {
        let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
        for ty in setting.arguments(layer, index) {
            let values = arguments(search, &ty);
            rows = rows
                .iter()
                .flat_map(|row| values.iter().map(|it| [&row[..], std::slice::from_ref(it)].concat()))
                .collect();
        }
        rows.truncate(COMBINATIONS);
        let call = |arguments| ScriptCall { operation: operation.name.clone(), arguments };
        calls.extend(rows.into_iter().map(call));
    }
    calls
}

/// A few values of a parameter.
fn arguments(search: &mut Search<'_, '_>, ty: &Type) -> Vec<Value> {
    let mut known = search.world.cells.start();
    let mut found: Vec<Value> = Vec::new();
    let processes = known.mentioned(Sort::Pid);
    known.mention(Sort::Pid, processes + VALUES as u32);
    while found.len() < VALUES {
        let values = search.world.cells.values_of(ty, &known, false);
        let new = values.into_iter().find(|it| !found.contains(&it.0));
        let Some((value, more)) = new else { break };
        found.push(value);
        // A scalar that has been chosen is known, so the next one may differ from it.
        known = more;
    }
    found
}

/// A program as text.
fn in_words(setting: &Setting, search: &Search<'_, '_>, layer: LayerId, program: &[Rc<Script>]) -> Vec<Vec<String>> {
    let as_they_are = Numbering::new();
    let show = Show { cells: &search.world.cells, numbering: &as_they_are };
    let operations = &setting.program.layers[layer.0 as usize].operations;
    let call = |it: &ScriptCall| {
        let index = operations.iter().position(|operation| operation.name == it.operation).unwrap_or_default();
        let types = setting.arguments(layer, index);
        let arguments = it.arguments.iter().zip(&types).map(|(it, ty)| show.datum(it, ty).to_string());
        format!("{}({})", it.operation, arguments.collect::<Vec<_>>().join(", "))
    };
    program.iter().map(|script| script.iter().map(call).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_shared_in_each_way_once() {
        assert_eq!(shares(2, 3), [[1, 1]]);
        assert_eq!(shares(3, 3), [vec![1, 1, 1], vec![2, 1]]);
        assert_eq!(shares(4, 2), [[2, 2], [3, 1]]);
    }

    #[test]
    fn sequences_are_counted_up() {
        assert_eq!(sequences(2, 2).collect::<Vec<_>>(), [[0, 0], [0, 1], [1, 0], [1, 1]]);
        assert_eq!(sequences(3, 4).count(), 64);
    }
}
