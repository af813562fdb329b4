//! Programs about one operation, whose procedure is refused or undecided: those that are most likely to show that it is wrong come first.
//!
//! 1. One process runs alone. It shows which procedures are wrong although no other process acts, and which states there are to begin in.
//! 2. One process makes one call of the operation, and another one makes a few calls of any operation, at any time. Before that, it may
//!    have led the layer to one of the states found.
//! 3. All other programs of a few calls by a few processes.
//!
//! Within each of these, the smallest programs come first. A wrong run counts only if the program does not go wrong without the calls of the
//! operation.

use std::{collections::BTreeSet, ops::Range, rc::Rc};

use super::{
    WrongRun,
    control::{Runs, Script},
    generate::{Limits, Trial, sequences, shares, split},
    system::System,
};
use crate::explore::{
    search::{Abort, Search},
    value::{Sort, Value},
};

/// The maximum number of calls of one process before the others begin.
pub const MOST_BEFORE: usize = 4;

/// The maximum number of beginnings of programs: calls of one process after which the layer is in another state.
const MOST_BEGINNINGS: usize = 12;

/// The part of the budget that one program may use: a quarter is for the process that runs alone, a half for the second kind.
const PART_OF_ONE: u64 = 4;

/// The number of wrong runs of one program that are compared once more with the top.
const COMPARISONS: u32 = 32;

/// The calls of each process, by their numbers.
type Numbers = Vec<Vec<usize>>;

/// What has been tried, and what is left.
struct Tried<'t> {
    programs: &'t mut u64,
    /// The numbers of the calls of the operation.
    about: Range<usize>,
    /// The budget of one program.
    budget_of_one: u64,
    /// Sorts of scalars that no initial state contains. Programs that differ only in which of them is which are the same.
    nameless: BTreeSet<Sort>,
    /// Whether something was left out.
    is_cut: bool,
}

impl Tried<'_> {
    /// Whether no more than this is left of the budget.
    fn is_over(&mut self, search: &Search<'_, '_>, left: u64) -> bool {
        let is_over = search.world.fuel <= left;
        self.is_cut |= is_over;
        is_over
    }
}

impl<'p> Trial<'_, 'p> {
    /// Tries the programs that call an operation.
    pub(super) fn all_about(
        &mut self,
        search: &mut Search<'_, 'p>,
        about: &str,
        limits: Limits,
        (programs, reached): (&mut u64, &mut usize),
    ) -> Result<Option<WrongRun>, Abort> {
        let first = self.calls.iter().position(|it| it.operation == about).ok_or(Abort::Unsupported)?;
        let about = first..first + self.calls.iter().filter(|it| it.operation == about).count();
        let budget = search.world.fuel;
        let budget_of_one = budget / PART_OF_ONE;
        let mut tried =
            Tried { programs, about: about.clone(), budget_of_one, nameless: BTreeSet::new(), is_cut: false };
        // A procedure that runs alone does what the operation above allows, to the state as well. Otherwise only results count: a state
        // that no call can tell from another one may be reached in more ways.
        self.product.ends_alike = self.product.starts_alike;
        let (beginnings, wrong) = self.alone(search, &mut tried, budget / 4 * 3)?;
        self.product.ends_alike = false;
        if wrong.is_some() {
            return Ok(wrong);
        }
        let count = self.calls.len();
        let pairs = pairs(&beginnings, about.clone(), limits.calls, count);
        let others = others(about, limits, count);
        let kinds: [(u64, &mut dyn Iterator<Item = (Numbers, usize)>); 2] =
            [(budget / 4, &mut { pairs }), (0, &mut { others })];
        for (left, programs) in kinds {
            for (program, before) in programs {
                if tried.is_over(search, left) {
                    break;
                }
                if let Some(wrong) = self.together(search, &mut tried, &program, before)? {
                    return Ok(Some(wrong));
                }
            }
        }
        if !tried.is_cut {
            *reached = limits.calls;
        }
        Ok(None)
    }

    /// Runs one process alone, from all states that it reaches in a few calls. Returns the calls that lead to these states, and a wrong run.
    fn alone(
        &mut self,
        search: &mut Search<'_, 'p>,
        tried: &mut Tried<'_>,
        left: u64,
    ) -> Result<(Vec<Vec<usize>>, Option<WrongRun>), Abort> {
        let mut beginnings = vec![Vec::new()];
        let mut seen: BTreeSet<Value> = BTreeSet::new();
        let mut at = 0;
        while let Some(before) = beginnings.get(at).cloned() {
            for call in 0..self.calls.len() {
                if tried.is_over(search, left) {
                    return Ok((beginnings, None));
                }
                let program = vec![[&before[..], &[call]].concat()];
                if !self.is_canonical(&tried.nameless, &program) {
                    continue;
                }
                let found = self.within(search, tried, |it, search| it.one(search, &program))?;
                if seen.is_empty() {
                    let starts = self.product.low.starts();
                    tried.nameless = nameless(self, &starts);
                    seen.extend(starts);
                }
                let is_about = tried.about.contains(&call);
                match found {
                    Some(Some(wrong)) if is_about => return Ok((beginnings, Some(wrong))),
                    // It is too large; or another procedure is wrong, which is told of that one.
                    None | Some(Some(_)) => continue,
                    Some(None) => *tried.programs += u64::from(is_about),
                }
                let known = seen.len();
                seen.extend(self.states_at_the_end());
                let is_new = seen.len() > known;
                let [program] = <[_; 1]>::try_from(program).unwrap_or_default();
                if is_new && program.len() <= MOST_BEFORE && beginnings.len() < MOST_BEGINNINGS {
                    beginnings.push(program);
                }
            }
            at += 1;
        }
        Ok((beginnings, None))
    }

    /// The states in which the processes of the last program may have finished.
    fn states_at_the_end(&self) -> Vec<Value> {
        let product = &self.product;
        let rows = (0..product.pairs.len()).map(|it| product.low_of(it as u32));
        rows.filter(|row| System::is_finished(row)).map(|row| product.low.state(row)).collect()
    }

    /// Runs a program, in which the first process makes so many calls before the others begin.
    fn together(
        &mut self,
        search: &mut Search<'_, 'p>,
        tried: &mut Tried<'_>,
        program: &[Vec<usize>],
        before: usize,
    ) -> Result<Option<WrongRun>, Abort> {
        if !self.is_canonical(&tried.nameless, program) {
            return Ok(None);
        }
        self.product.alone = before as u32;
        self.product.comparisons = COMPARISONS;
        let about = tried.about.clone();
        let found = self.within(search, tried, |it, search| {
            let found = it.one(search, program)?;
            let is_wrong = found.is_some() && !it.goes_wrong_without(search, program, &about)?;
            Ok(found.filter(|_| is_wrong))
        });
        self.product.alone = 0;
        let found = found?;
        *tried.programs += u64::from(matches!(found, Some(None)));
        Ok(found.flatten())
    }

    /// Runs a program within the budget of one. `None` if it takes more.
    fn within<T>(
        &mut self,
        search: &mut Search<'_, 'p>,
        tried: &mut Tried<'_>,
        run: impl FnOnce(&mut Self, &mut Search<'_, 'p>) -> Result<T, Abort>,
    ) -> Result<Option<T>, Abort> {
        let saved = search.world.fuel.saturating_sub(tried.budget_of_one);
        search.world.fuel -= saved;
        let found = run(self, search);
        search.world.fuel += saved;
        match found {
            Err(Abort::OutOfFuel) => {
                tried.is_cut = true;
                Ok(None)
            }
            found => found.map(Some),
        }
    }

    /// Whether a program goes wrong without the calls of the operation that it is about.
    fn goes_wrong_without(
        &mut self,
        search: &mut Search<'_, 'p>,
        program: &[Vec<usize>],
        about: &Range<usize>,
    ) -> Result<bool, Abort> {
        let before = program[0][..self.product.alone as usize].iter().filter(|it| !about.contains(it)).count();
        let without = |it: &Vec<usize>| {
            let calls = it.iter().filter(|call| !about.contains(call)).map(|it| self.calls[*it].clone());
            Rc::new(calls.collect::<Script>())
        };
        let rest: Vec<Rc<Script>> = program.iter().map(without).collect();
        if rest.iter().all(|it| it.is_empty()) {
            return Ok(false);
        }
        self.product.alone = before as u32;
        self.product.start_over();
        Ok(self.product.search(search, Runs::Scripts(&rest, true))?.is_some())
    }

    /// Whether a program uses each nameless scalar only after those with smaller numbers.
    fn is_canonical(&self, nameless: &BTreeSet<Sort>, program: &[Vec<usize>]) -> bool {
        let mut used: Vec<(Sort, u32)> = Vec::new();
        let mut is_canonical = true;
        let arguments = program.iter().flatten().flat_map(|it| &self.calls[*it].arguments);
        arguments.for_each(|it| {
            it.for_each_part(&mut |part| match part {
                Value::Atom(sort, number) if nameless.contains(sort) && !used.contains(&(*sort, *number)) => {
                    is_canonical &= used.iter().filter(|it| it.0 == *sort).count() == *number as usize;
                    used.push((*sort, *number));
                }
                _ => {}
            });
        });
        is_canonical
    }
}

/// The sorts of scalars in the calls that none of these states contains.
fn nameless(trial: &Trial<'_, '_>, states: &[Value]) -> BTreeSet<Sort> {
    let sorts = |values: &mut dyn Iterator<Item = &Value>| {
        let mut sorts = BTreeSet::new();
        values.for_each(|it| {
            it.for_each_part(&mut |part| {
                if let Value::Atom(sort @ Sort::User(_), _) = part {
                    sorts.insert(*sort);
                }
            });
        });
        sorts
    };
    let named = sorts(&mut states.iter());
    let used = sorts(&mut trial.calls.iter().flat_map(|it| &it.arguments));
    &used - &named
}

/// Programs in which one process makes one call of an operation, and the other one a few of any, with the number of calls that the first
/// process makes before the other one begins.
fn pairs(
    beginnings: &[Vec<usize>],
    about: Range<usize>,
    most: usize,
    calls: usize,
) -> impl Iterator<Item = (Numbers, usize)> {
    (2..=most + MOST_BEFORE).flat_map(move |size| {
        let about = about.clone();
        let fitting = beginnings.iter().filter(move |it| (it.len() + 2..=it.len() + most).contains(&size));
        fitting.flat_map(move |before| {
            let about = about.clone();
            sequences(size - before.len() - 1, calls).flat_map(move |others| {
                let own = [&before[..], &others].concat();
                about.clone().map(move |call| (vec![own.clone(), vec![call]], before.len()))
            })
        })
    })
}

/// All programs of a few calls that call an operation, except for those of [`pairs`]; only one of those that differ in the order of processes.
fn others(about: Range<usize>, limits: Limits, calls: usize) -> impl Iterator<Item = (Numbers, usize)> {
    let lengths = (2..=limits.calls).flat_map(move |it| shares(it, limits.processes));
    let all = lengths.flat_map(move |lengths| {
        let count = lengths.iter().sum();
        sequences(count, calls).map(move |it| split(&it, &lengths))
    });
    let is_other = move |program: &Numbers| {
        let is_alone = |it: &Vec<usize>| it.len() == 1 && about.contains(&it[0]);
        let is_pair = program.len() == 2 && program.iter().any(is_alone);
        let is_sorted = program.windows(2).all(|it| it[0].len() != it[1].len() || it[0] <= it[1]);
        is_sorted && !is_pair && program.iter().flatten().any(|it| about.contains(it))
    };
    all.filter(is_other).map(|it| (it, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pairs_come_first_and_no_program_twice() {
        let beginnings = [vec![], vec![0]];
        let pairs: Vec<_> = pairs(&beginnings, 1..2, 2, 2).collect();
        let told: Vec<(&[usize], &[usize], usize)> =
            pairs.iter().map(|(it, before)| (&*it[0], &*it[1], *before)).collect();
        assert_eq!(told, [(&[0][..], &[1][..], 0), (&[1], &[1], 0), (&[0, 0], &[1], 1), (&[0, 1], &[1], 1),]);
        let limits = Limits { calls: 2, ..Limits::QUICK };
        assert_eq!(others(1..2, limits, 2).count(), 0);
    }
}
