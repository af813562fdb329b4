//! Hints: the choices of one run, offered to another run of the same code.
//!
//! A witness usually makes the same choices as the given run, at the same places in the code. So a witness search first tries those
//! choices, place by place, in the order in which they were made. A hint can only speed up the search for a witness; a witness found
//! through hints is checked like any other.

use std::collections::BTreeMap;

use super::{
    machine::{Chosen, Machine, Site},
    value::{CellId, Value},
};

/// Choices to make, in the order in which they were made. There are a few dozen at most, so they are searched from the front.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    choices: Vec<Hint>,
}

#[derive(Clone, Debug)]
struct Hint {
    site: Site,
    chosen: Chosen,
    used: bool,
}

impl Hints {
    /// The choices of a run.
    pub fn of(machine: &Machine) -> Hints {
        let mut choices = Vec::new();
        let mut taken = machine.trail.as_ref();
        while let Some(it) = taken {
            let chosen = match &it.chosen {
                Chosen::Drawn(value) => {
                    let value = remembered(&machine.drawn, value);
                    Chosen::Drawn(machine.resolve(&value))
                }
                other => other.clone(),
            };
            choices.push(Hint { site: it.site, chosen, used: false });
            taken = it.before.as_ref();
        }
        choices.reverse();
        Hints { choices }
    }

    /// Drops the choices to leave a loop at places where the run also continued it: then the turns of several visits to a loop are offered
    /// as one.
    pub fn without_refusals(mut self) -> Hints {
        let went_on: Vec<Site> =
            self.choices.iter().filter(|it| it.chosen == Chosen::Maybe(true)).map(|it| it.site).collect();
        for choice in &mut self.choices {
            choice.used |= choice.chosen == Chosen::Maybe(false) && went_on.contains(&choice.site);
        }
        self
    }

    /// Whether the other run made a choice at this place.
    pub fn know(&self, site: Site) -> bool {
        self.choices.iter().any(|it| it.site == site)
    }

    /// The next choice at a place.
    pub fn next(&mut self, site: Site) -> Option<Chosen> {
        let next = self.choices.iter_mut().find(|it| !it.used && it.site == site)?;
        next.used = true;
        Some(next.chosen.clone())
    }
}

fn remembered(drawn: &BTreeMap<CellId, Value>, value: &Value) -> Value {
    match value {
        Value::Cell(id) => drawn.get(id).cloned().unwrap_or_else(|| value.clone()),
        _ => value.clone(),
    }
}
