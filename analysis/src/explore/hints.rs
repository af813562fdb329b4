//! Hints: the choices of one run, offered to another that goes through the same code.
//!
//! The run that shows an obligation usually makes the choices that the given run made, at the same places in the code. So a witness search
//! first follows those, place by place in the order they were made, before it searches. A hint can only find a witness sooner; what it finds
//! is checked like any other.

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::FxHashMap;

use super::{
    machine::{Chosen, Machine, Site},
    value::{CellId, Value},
};

/// Choices to make, by place.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    by_site: FxHashMap<Site, VecDeque<Chosen>>,
}

impl Hints {
    /// The choices that `machine` made. Without `refusals`, those to leave a loop are dropped where the run also went on: then the turns of
    /// several visits to a loop are offered as one.
    pub fn of(machine: &Machine, refusals: bool) -> Hints {
        let mut hints = Hints::default();
        let mut taken = machine.trail.as_ref();
        while let Some(it) = taken {
            let chosen = match &it.chosen {
                Chosen::Drawn(value) => {
                    let value = remembered(&machine.drawn, value);
                    Chosen::Drawn(machine.resolve(&value))
                }
                other => other.clone(),
            };
            hints.by_site.entry(it.site).or_default().push_front(chosen);
            taken = it.before.as_ref();
        }
        if !refusals {
            for choices in hints.by_site.values_mut() {
                if choices.contains(&Chosen::Maybe(true)) {
                    choices.retain(|it| *it != Chosen::Maybe(false));
                }
            }
        }
        hints
    }

    /// Whether the other run made a choice at this place.
    pub fn know(&self, site: Site) -> bool {
        self.by_site.contains_key(&site)
    }

    /// The next choice at a place.
    pub fn next(&mut self, site: Site) -> Option<Chosen> {
        self.by_site.get_mut(&site)?.pop_front()
    }
}

fn remembered(drawn: &BTreeMap<CellId, Value>, value: &Value) -> Value {
    match value {
        Value::Cell(id) => drawn.get(id).cloned().unwrap_or_else(|| value.clone()),
        _ => value.clone(),
    }
}
