//! Questions about all entries of an unknown collection (`all`, `any`), put as a whole instead of listing the entries.
//!
//! Such a question has two answers, which cover all cases:
//!
//! * *Yes* adds a fact about all entries. Nothing is listed, so there is no bound on their number.
//! * *No* adds one entry, at any key, of which the body says otherwise.
//!
//! The fact holds of the collection as it was when the question was put: a [`Question`] holds values, which nothing changes any more. It is used
//! only to leave out paths that do not exist: [`Search::survives`] applies it to the entries that have been looked at. What it says of other
//! entries is not used, so more paths are followed than exist. Therefore only that *nothing refutes* an obligation counts where a question
//! was put as a whole. Anything else is asked again with the entries listed ([`Abort::Unsettled`]).

use std::{collections::BTreeSet, rc::Rc};

use super::{
    cells::{Knowledge, Need, Quantifier, Question, with_base},
    machine::{Machine, Stop},
    search::{Abort, Action, End, Search},
    value::Value,
};
use crate::ir::Type;

/// The maximum number of facts that are applied, by cases, to find that one path does not exist.
const MOST_INSTANCES: u32 = 200;

/// The maximum number of cases in which facts are applied to what is known after a call.
const MOST_CASES: usize = 40;

/// The share of the budget that is left once a question has been put as a whole: one of this many.
const WHOLE_SHARE: u64 = 4;

/// What a case costs, in steps of exploration.
const PRICE_OF_CASE: u64 = 20;

impl Search<'_, '_> {
    /// The cases that a need is split into. They are paid for: values may be compared, case by case, without a step of the code.
    ///
    /// # Errors
    /// If the search cannot be completed.
    pub(super) fn split(&mut self, need: &Need, known: &Knowledge, bounded: bool) -> Result<Vec<Knowledge>, Abort> {
        let cases = match need {
            Need::Holds(question) => self.answers(question, known, bounded)?,
            _ => self.world.cells.split(need, known, bounded),
        };
        let price = PRICE_OF_CASE * cases.len() as u64;
        self.world.fuel = self.world.fuel.checked_sub(price).ok_or(Abort::OutOfFuel)?;
        Ok(cases)
    }

    /// The two answers to a question; *no* for each key and each way in which the body says otherwise there.
    fn answers(&mut self, question: &Rc<Question>, known: &Knowledge, bounded: bool) -> Result<Vec<Knowledge>, Abort> {
        if !self.world.cells.has_put_one {
            self.world.cells.has_put_one = true;
            // The rest is for asking again, with the entries listed.
            self.world.fuel = self.world.fuel.min(self.world.cells.scope.budget / WHOLE_SHARE);
        }
        let mut cases = vec![known.answered(question, true)];
        let base = self.world.cells.get(question.base());
        let (Type::Map(key, _) | Type::Set(key)) = &*base.ty.clone() else { return Err(Abort::Unsettled) };
        for (key, known) in self.world.cells.values_of(key, known, bounded) {
            let Some((value, known)) = self.with_entry(question, &key, known) else { continue };
            let otherwise = self.outcomes(question, (&key, &value), known, !question.wanted)?;
            cases.extend(otherwise.into_iter().map(|it| it.answered(question, false)));
        }
        cases.retain(|it| !self.is_plainly_refuted(it));
        Ok(cases)
    }

    /// The entry of the question's map at a key, and the knowledge that it is there; `None` if it is not.
    fn with_entry(&mut self, question: &Question, key: &Value, known: Knowledge) -> Option<(Value, Knowledge)> {
        if let Some(entry) = question.map.over.get(key) {
            return Some((entry.clone()?, known));
        }
        let base = question.base();
        let facts = known.bases.get(&base);
        let entry = match facts.and_then(|it| it.entries.get(key)) {
            Some(entry) => return Some((question.map.base.entry(entry.clone())?, known)),
            None if facts.is_some_and(|it| it.closed) => return None,
            None => self.world.cells.entry(base, key),
        };
        let known = with_base(&known, base, |facts| drop(facts.entries.insert(key.clone(), Some(entry.clone()))));
        Some((question.map.base.entry(Some(entry))?, known))
    }

    /// The cases in which the body of a question says this of an entry.
    fn outcomes(
        &mut self,
        question: &Question,
        (key, value): (&Value, &Value),
        known: Knowledge,
        says: bool,
    ) -> Result<Vec<Knowledge>, Abort> {
        let mut slots = question.arguments.clone();
        slots.push(question.element(key, value));
        let (arguments, result) = ((0..slots.len()).collect(), slots.len());
        slots.extend([Value::Unit, Value::Bool(says)]);
        let mut machine = Machine::new(known, Quantifier::Universal);
        machine.slots = Rc::new(slots);
        let script = [
            Action::Call { function: question.body, arguments, result: Some(result) },
            Action::Equal(result, result + 1),
        ];
        let mut cases = Vec::new();
        let mut is_complete = true;
        let (pausing, sees_disabled) = (self.pausing, self.sees_disabled);
        (self.pausing, self.sees_disabled) = (false, false);
        let searched = self.for_all(machine, &script, &mut |_, machine, end| {
            is_complete &= end == End::Done;
            cases.push(machine.known);
            Ok(is_complete)
        });
        (self.pausing, self.sees_disabled) = (pausing, sees_disabled);
        searched?;
        if is_complete { Ok(cases) } else { Err(Abort::Unsettled) }
    }

    /// What the body of a question says of an entry, if that is known.
    fn plainly(&mut self, question: &Question, (key, value): (&Value, &Value), known: &Knowledge) -> Option<bool> {
        let mut arguments = question.arguments.clone();
        arguments.push(question.element(key, value));
        let mut machine = Machine::new(known.clone(), Quantifier::Universal);
        machine.call(self.world.code, question.body, arguments);
        let Stop::Finished(answer) = machine.run(self.world) else { return None };
        match machine.resolve(&answer) {
            Value::Bool(answer) => Some(answer),
            _ => None,
        }
    }

    /// Whether some fact is plainly wrong about an entry that has been looked at: then this case does not exist.
    fn is_plainly_refuted(&mut self, known: &Knowledge) -> bool {
        let facts = known.questions.iter().filter(|(_, holds)| *holds);
        facts.into_iter().any(|(question, _)| {
            let entries = looked_at(question, known);
            entries.iter().any(|(key, value)| self.plainly(question, (key, value), known) == Some(!question.wanted))
        })
    }

    /// Whether this path may exist, given the facts about whole collections: they are applied to the entries that have been looked at. If too
    /// many would have to be, it counts as one that may.
    ///
    /// # Errors
    /// If the search cannot be completed.
    pub fn survives(&mut self, known: &Knowledge) -> Result<bool, Abort> {
        Ok(!self.applied(known, 1)?.is_empty())
    }

    /// The cases of this path, with the facts about whole collections applied to the entries that have been looked at; as it is, if there would be
    /// too many.
    ///
    /// # Errors
    /// If the search cannot be completed.
    pub fn with_facts_applied(&mut self, known: &Knowledge) -> Result<Vec<Knowledge>, Abort> {
        let cases = self.applied(known, MOST_CASES + 1)?;
        Ok(if cases.len() > MOST_CASES { vec![known.clone()] } else { cases })
    }

    /// The first cases, up to this many.
    fn applied(&mut self, known: &Knowledge, most: usize) -> Result<Vec<Knowledge>, Abort> {
        let mut cases = Vec::new();
        let mut pending = vec![(known.clone(), BTreeSet::new())];
        let mut left = MOST_INSTANCES;
        while let Some((known, mut applied)) = pending.pop() {
            let mut open = None;
            let mut is_refuted = false;
            for (number, (question, _)) in known.questions.iter().enumerate().filter(|(_, (_, holds))| *holds) {
                for (key, value) in looked_at(question, &known) {
                    if is_refuted || applied.contains(&(number, key.clone())) {
                        continue;
                    }
                    match self.plainly(question, (&key, &value), &known) {
                        Some(answer) if answer == question.wanted => drop(applied.insert((number, key))),
                        Some(_) => is_refuted = true,
                        None => drop(open.get_or_insert((number, key, value))),
                    }
                }
            }
            if is_refuted {
                continue;
            }
            let Some((number, key, value)) = open.filter(|_| left > 0) else {
                cases.push(known);
                if cases.len() >= most {
                    break;
                }
                continue;
            };
            left -= 1;
            let question = known.questions[number].0.clone();
            applied.insert((number, key.clone()));
            let more = self.outcomes(&question, (&key, &value), known, question.wanted)?;
            pending.extend(more.into_iter().rev().map(|it| (it, applied.clone())));
        }
        Ok(cases)
    }
}

/// The entries of a question's map that are known to be there.
fn looked_at(question: &Question, known: &Knowledge) -> Vec<(Value, Value)> {
    let base = question.base();
    let under = known.bases.get(&base).into_iter().flat_map(|it| &it.entries);
    let under = under.filter(|(key, _)| !question.map.over.contains_key(*key));
    let under = under.filter_map(|(key, entry)| Some((key.clone(), question.map.base.entry(entry.clone())?)));
    let over = question.map.over.iter().filter_map(|(key, entry)| Some((key.clone(), entry.clone()?)));
    over.chain(under).collect()
}
