//! Choices: a run takes them from a tape, from a given prefix, or from a caller.

use std::rc::Rc;

use super::{Choice, Logged, Run, Stop, Told, dont_know, loops::LoopEnd};
use crate::value::Value;

/// The next sequence of choices, the last choice first; false after the last sequence.
pub(super) fn advance(tape: &mut Vec<Choice>) -> bool {
    while let Some(choice) = tape.last_mut() {
        choice.picked += 1;
        if choice.picked < choice.of {
            return true;
        }
        tape.pop();
    }
    false
}

impl Run<'_, '_> {
    /// The next given choice, if choices are given.
    pub(super) fn told(&mut self) -> Result<Option<Told>, Stop> {
        match &mut self.told {
            None => Ok(None),
            Some(told) if told.is_empty() => Err(dont_know("the step makes more choices than are given")),
            Some(told) => Ok(Some(told.remove(0))),
        }
    }

    /// The result of a `maybe()`.
    pub(super) fn maybe(&mut self) -> Result<bool, Stop> {
        match self.told()? {
            None => Ok(self.choose(2)? == 1),
            Some(Told::Maybe(yes)) => Ok(yes),
            Some(other) => Err(dont_know(&format!("the given choice {other:?} is not one of `maybe()`"))),
        }
    }

    /// The index of the element that a `choose()` takes.
    pub(super) fn element(&mut self, of: usize) -> Result<usize, Stop> {
        match self.told()? {
            None => self.choose(of),
            Some(Told::Element(index)) if index < of => Ok(index),
            Some(other) => Err(dont_know(&format!("the given choice {other:?} is not one of `choose()` from {of}"))),
        }
    }

    /// One of this many alternatives; with none, the transition does not exist.
    pub(super) fn choose(&mut self, of: usize) -> Result<usize, Stop> {
        match of {
            0 => Err(Stop::Disabled),
            1 => Ok(0),
            _ => {
                let picked = match self.given.get(self.taken) {
                    Some(Logged::Choice(picked)) => {
                        self.taken += 1;
                        *picked
                    }
                    Some(Logged::Result(_)) => return Err(dont_know("a repeated run makes other choices")),
                    None => self.choose_anew(of, None),
                };
                self.log.push(Logged::Choice(picked));
                Ok(picked)
            }
        }
    }

    pub(super) fn choose_anew(&mut self, of: usize, ends: Option<Rc<Vec<LoopEnd>>>) -> usize {
        if self.at == self.tape.len() {
            self.tape.push(Choice { picked: 0, of, ends });
        }
        self.at += 1;
        self.tape[self.at - 1].picked
    }

    /// The given result of a want, if there is one.
    pub(crate) fn given_result(&mut self) -> Result<Option<Value>, Stop> {
        match self.given.get(self.taken) {
            Some(Logged::Result(value)) => {
                self.taken += 1;
                self.log.push(Logged::Result(value.clone()));
                Ok(Some(value.clone()))
            }
            Some(Logged::Choice(_)) => Err(dont_know("a repeated run makes other choices")),
            None => Ok(None),
        }
    }
}
