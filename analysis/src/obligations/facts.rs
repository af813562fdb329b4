//! What a process knows between two of its own steps: facts that its prefix established and that no step of the others destroys.
//!
//! CSPEC tracks the exact set of states `P` after a prefix: own step, then any steps of the others (section 6.1). Here `P` is
//! over-approximated by a conjunction of *facts* "this component of the state has this value". All components that the prefix has written
//! or looked at are proposed; those that some step of another process, from a state in which all facts hold, changes are dropped, until
//! nothing changes. What remains is an invariant of the others' steps, so a left mover shown under it is a left mover at `P`: every
//! judgement is antitone in `P`. Each check is one lazy step, so that what follows can be proved for states of every size.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::atomic::Ordering,
};

use super::{
    given::{self, Asker},
    question::Setting,
    tokens::Token,
};
use crate::{
    explore::{
        cells::{Implication, Knowledge, Need, Numbers, Quantifier, Relation, Root, with_base},
        machine::{Machine, Stop},
        search::{Abort, Action, End, Search},
        value::{Base, CellId, MapValue, Value},
    },
    ir::{LayerId, Type},
};

/// A component of the state. `V` stands for values here and below: those of a search, or [terms](super::rely::Term) that mean the same in
/// all searches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Component<V = Value> {
    Field(usize),
    Entry(V),
}

/// What is known of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known<V = Value> {
    Is(V),
    Present,
    Absent,
    /// Of a map: it has no entries but at these keys.
    NoneBut(Vec<V>),
    /// How it is related to a value, if it is there.
    Related(Relation, V),
    /// It is the same as another component.
    Same(Vec<usize>),
    /// How it is related to another component.
    RelatedTo(Relation, Vec<usize>),
}

/// Something known about the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact<V = Value> {
    pub(super) path: Vec<Component<V>>,
    pub(super) known: Known<V>,
    /// The condition under which it is known, if it is not always.
    pub(super) only_if: Option<Rc<Fact<V>>>,
}

impl<V> Fact<V> {
    /// The same fact about other values, if there is one for each of its own.
    pub(super) fn map<W>(&self, to: &mut dyn FnMut(&V) -> Option<W>) -> Option<Fact<W>> {
        let component = |it: &Component<V>, to: &mut dyn FnMut(&V) -> Option<W>| match it {
            Component::Field(index) => Some(Component::Field(*index)),
            Component::Entry(key) => to(key).map(Component::Entry),
        };
        let path = self.path.iter().map(|it| component(it, to)).collect::<Option<_>>()?;
        let known = match &self.known {
            Known::Is(value) => Known::Is(to(value)?),
            Known::Present => Known::Present,
            Known::Absent => Known::Absent,
            Known::NoneBut(keys) => Known::NoneBut(keys.iter().map(&mut *to).collect::<Option<_>>()?),
            Known::Related(relation, value) => Known::Related(*relation, to(value)?),
            Known::Same(other) => Known::Same(other.clone()),
            Known::RelatedTo(relation, other) => Known::RelatedTo(*relation, other.clone()),
        };
        let only_if = match &self.only_if {
            Some(condition) => Some(Rc::new(condition.map(to)?)),
            None => None,
        };
        Some(Fact { path, known, only_if })
    }
}

impl Fact {
    pub(super) fn new(path: &[Component], known: Known) -> Fact {
        Fact { path: path.to_vec(), known, only_if: None }
    }

    /// The same under a condition.
    pub(super) fn only_if(&self, condition: &Fact) -> Fact {
        Fact { only_if: Some(Rc::new(condition.clone())), ..self.clone() }
    }

    /// The same without its condition.
    pub(super) fn unconditional(&self) -> Fact {
        Fact { only_if: None, ..self.clone() }
    }

    /// Whether it is about this component.
    pub(super) fn is_about(&self, path: &[Component]) -> bool {
        self.path == path
    }

    /// Whether another fact follows from it by its form: a component that is a constant is no other one.
    pub(super) fn is_stronger_than(&self, other: &Fact) -> bool {
        let differs = match (&self.known, &other.known) {
            (Known::Is(value), Known::Related(Relation::Not, different)) => are_different_constants(value, different),
            _ => false,
        };
        differs && self.path == other.path && (self.only_if.is_none() || self.only_if == other.only_if)
    }

    /// Facts that give components values come first: relations are then between these.
    fn rank(&self) -> u8 {
        match self.known {
            Known::Is(_) | Known::Present | Known::Absent => 0,
            Known::Same(_) => 1,
            // Of a collection, after what is known of its entries.
            Known::Related(..) | Known::RelatedTo(..) | Known::NoneBut(_) => 2,
        }
    }
}

/// Whether two values are constants, and never the same.
fn are_different_constants(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Variant(one, _), Value::Variant(other, _)) if one != other => true,
        (Value::Variant(_, one), Value::Variant(_, other)) => {
            one.len() == other.len() && one.iter().zip(other.iter()).any(|it| are_different_constants(it.0, it.1))
        }
        (Value::Int(one), Value::Int(other)) => one != other,
        (Value::Atom(..), Value::Atom(..)) => one != other,
        _ => false,
    }
}

/// All that is known of the state of a machine: which values components have, and, if that is asked for, how they are related to these.
pub fn known_of_state(search: &mut Search<'_, '_>, machine: &Machine, me: &Value, relations: bool) -> Vec<Fact> {
    let mut facts = Vec::new();
    let state = machine.state.clone();
    propose(search, machine, &state, relations, &mut Vec::new(), &mut facts);
    if relations {
        let related: Vec<Fact> = facts.iter().flat_map(|it| related(search, machine, me, it)).collect();
        facts.extend(related);
    }
    facts
}

/// What is less than a value of a component, and follows from it: that an integer is no less, or no more; that something is not the own
/// process, or not one of the variants that it is not.
fn related(search: &Search<'_, '_>, machine: &Machine, me: &Value, fact: &Fact) -> Vec<Fact> {
    let Known::Is(value) = &fact.known else { return Vec::new() };
    let resolved = machine.resolve(value);
    let is_integer = match &resolved {
        Value::Int(_) => true,
        Value::Cell(id) => {
            search.world.cells.numbers != Numbers::Atoms && matches!(*search.world.cells.get(*id).ty, Type::Int { .. })
        }
        _ => false,
    };
    let mut known = Vec::new();
    if is_integer {
        known.extend([Relation::AtLeast, Relation::AtMost].map(|it| (it, value.clone())));
    }
    let mut differs = |other: Value| {
        if machine.known.same(&machine.written(value), &other) == Some(false) {
            known.push((Relation::Not, other));
        }
    };
    match &resolved {
        Value::Atom(..) => differs(me.clone()),
        Value::Variant(own, _) => {
            differs(Value::some(me.clone()));
            // Without its payload, a variant stands for all values of that variant.
            let others = (0..MOST_VARIANTS).filter(|tag| tag != own);
            others.for_each(|tag| differs(Value::Variant(tag, Rc::from([]))));
        }
        _ => {}
    }
    let fact_of = |(relation, other)| Fact::new(&fact.path, Known::Related(relation, other));
    known.into_iter().map(fact_of).collect()
}

/// Variants of an enum that a component may be known not to be.
const MOST_VARIANTS: u32 = 4;

/// Replaces the state of a machine, which stands right after a step of `me`, by an unknown one of which only those of these facts hold that survive
/// any steps of others. Gives these facts, too.
///
/// # Errors
/// If a search cannot be completed.
pub fn let_others_run(
    setting: &Setting,
    search: &mut Search<'_, '_>,
    process: Process,
    machine: Machine,
    mut facts: Vec<Fact>,
    number: &mut u32,
) -> Result<(Machine, Vec<Fact>), Abort> {
    loop {
        *number += 1;
        let (state, known) = assume(search, setting.state(process.layer), &machine.known, &facts, *number);
        let after = Machine { state, known, ..machine.clone() };
        let kept = surviving(setting, search, process, &after, &facts)?;
        if kept.len() == facts.len() {
            return Ok((after, facts));
        }
        facts = kept;
    }
}

/// What is known of a state after others have run: in all cases, and in each case.
pub struct Cases {
    /// An unknown state with what is known in all cases.
    pub whole: Machine,
    /// The cases: an unknown state with what is known of it in this case, and the facts.
    pub cases: Vec<(Machine, Vec<Fact>)>,
}

/// The facts that are tried as guards.
const MOST_GUARDS: usize = 4;

/// The same as [`let_others_run`], where facts may survive under a condition, the *guard*: that a component still has its value. Then there
/// is one case with the guard, and there are others without it: the component has another value, or it is not there.
///
/// ```text
/// guard(s) implies rest(s),  q ≠ p,  s --op@q--> s'   imply   guard(s') implies rest(s')
/// ```
///
/// # Errors
/// If a search cannot be completed.
pub fn let_others_run_in_cases(
    setting: &Setting,
    search: &mut Search<'_, '_>,
    process: Process,
    machine: Machine,
    all: Vec<Fact>,
    number: &mut u32,
) -> Result<Cases, Abort> {
    let (whole, kept) = let_others_run(setting, search, process, machine.clone(), all.clone(), number)?;
    let may_be_guarded = |it: &Fact| !it.is_relation() && it.only_if.is_none();
    let lost: Vec<Fact> = all.into_iter().filter(|it| may_be_guarded(it) && !kept.contains(it)).collect();
    let mut best: Option<(Fact, Vec<Fact>)> = None;
    let mut guards = lost.clone();
    guards.retain(|it| match &it.known {
        // That one component keeps its value is what a program compares.
        Known::Is(value) => !matches!(expanded(search, &machine, value), Value::Tuple(_)),
        _ => false,
    });
    for guard in guards.iter().take(MOST_GUARDS) {
        let rest = lost.iter().filter(|it| *it != guard).cloned().collect();
        let rest = surviving_under(setting, search, process, &machine, (guard, &kept, rest), number)?;
        if rest.len() > best.as_ref().map_or(0, |it| it.1.len()) {
            best = Some((guard.clone(), rest));
        }
    }
    let Some((guard, rest)) = best else { return Ok(Cases { cases: vec![(whole.clone(), kept)], whole }) };
    let mut cases = Vec::new();
    for facts in in_cases(search, &machine, (&guard, &kept, &rest)) {
        *number += 1;
        let (state, known) = assume(search, setting.state(process.layer), &machine.known, &facts, *number);
        cases.push((Machine { state, known, ..machine.clone() }, facts));
    }
    Ok(Cases { cases, whole })
}

/// The facts with a guard, and then those without it, where `kept` always holds, and `rest` under the guard.
fn in_cases(
    search: &mut Search<'_, '_>,
    machine: &Machine,
    (guard, kept, rest): (&Fact, &[Fact], &[Fact]),
) -> Vec<Vec<Fact>> {
    let Known::Is(value) = &guard.known else { return vec![kept.to_vec()] };
    let mut cases = vec![[kept, std::slice::from_ref(guard), rest].concat()];
    // That the entries on the way to the component are there: first, since only of such entries more is said.
    let mut there = Vec::new();
    let mut at = machine.state.clone();
    for (index, component) in guard.path.iter().enumerate() {
        let path = &guard.path[..=index];
        let next = match (component, expanded(search, machine, &at)) {
            (Component::Field(index), Value::Tuple(fields)) => fields.get(*index).cloned(),
            (Component::Entry(key), Value::Map(map)) => {
                // A total function has a value at each key, and what is always there is there.
                let is_there = kept.contains(&Fact::new(path, Known::Present));
                if map.default.is_none() && !is_there {
                    cases.push([there.as_slice(), &[Fact::new(path, Known::Absent)], kept].concat());
                }
                there.push(Fact::new(path, Known::Present));
                let below = map.base.cell().and_then(|it| machine.known.bases.get(&it)?.entries.get(key).cloned());
                map.over.get(key).cloned().or(below).flatten()
            }
            _ => None,
        };
        let Some(next) = next else { break };
        at = next;
    }
    there.push(Fact::new(&guard.path, Known::Related(Relation::Not, value.clone())));
    cases.push([there.as_slice(), kept].concat());
    cases
}

impl Fact {
    /// Whether it says that a component is a key of a collection, or is not.
    pub(super) fn is_about_keys(&self) -> bool {
        matches!(&self.known, Known::RelatedTo(relation, _) if relation.is_about_keys())
    }

    fn is_relation(&self) -> bool {
        matches!(self.known, Known::Related(..))
    }
}

/// The facts of `rest` that every step of others keeps under the guard, where `kept` always holds.
fn surviving_under(
    setting: &Setting,
    search: &mut Search<'_, '_>,
    process: Process,
    machine: &Machine,
    (guard, kept, mut rest): (&Fact, &[Fact], Vec<Fact>),
    number: &mut u32,
) -> Result<Vec<Fact>, Abort> {
    loop {
        let mut still = rest.clone();
        for facts in in_cases(search, machine, (guard, kept, &rest)) {
            *number += 1;
            let (state, known) = assume(search, setting.state(process.layer), &machine.known, &facts, *number);
            let from = Machine { state, known, ..machine.clone() };
            after_others(setting, search, process, &from, &mut |search, after| {
                let mut kept = Vec::new();
                for fact in &still {
                    if always_follows(search, after, guard, fact)? {
                        kept.push(fact.clone());
                    }
                }
                still = kept;
                Ok(!still.is_empty())
            })?;
        }
        if still.len() == rest.len() || still.is_empty() {
            return Ok(still);
        }
        rest = still;
    }
}

/// All that is known of the components of `value`; if that is asked for, of the components of entries, too.
fn propose(
    search: &mut Search<'_, '_>,
    machine: &Machine,
    value: &Value,
    in_entries: bool,
    path: &mut Vec<Component>,
    facts: &mut Vec<Fact>,
) {
    if propose_fields(search, machine, value, in_entries, path, facts) {
        return;
    }
    let expanded = expanded(search, machine, value);
    match &expanded {
        Value::Map(map) => {
            let mut entries = match map.base {
                // What is known of the keys is known of the map.
                Base::Keys(_) => return,
                Base::Unknown(base) => machine.known.bases.get(&base).map(|it| it.entries.clone()).unwrap_or_default(),
                Base::Empty => Default::default(),
            };
            entries.extend(map.over.iter().map(|(key, entry)| (key.clone(), entry.clone())));
            let is_closed = match map.base {
                Base::Unknown(base) => machine.known.bases.get(&base).is_some_and(|it| it.closed),
                _ => true,
            };
            let present = entries.iter().filter(|it| it.1.is_some()).map(|it| it.0.clone()).collect();
            for (key, entry) in entries {
                path.push(Component::Entry(key));
                let absent = match &map.default {
                    Some(default) => Known::Is((**default).clone()),
                    None => Known::Absent,
                };
                let known = entry.clone().map_or(absent, Known::Is);
                if matches!(known, Known::Is(_)) && map.default.is_none() {
                    facts.push(Fact::new(path, Known::Present));
                }
                facts.push(Fact::new(path, known));
                if let (Some(entry), true) = (entry, in_entries) {
                    propose_fields(search, machine, &entry, in_entries, path, facts);
                }
                path.pop();
            }
            // It comes after what is known of the entries.
            if is_closed && map.default.is_none() {
                facts.push(Fact::new(path, Known::NoneBut(present)));
            }
        }
        _ => facts.push(Fact::new(path, Known::Is(expanded))),
    }
}

/// All that is known of the fields of `value`, if it has fields.
fn propose_fields(
    search: &mut Search<'_, '_>,
    machine: &Machine,
    value: &Value,
    in_entries: bool,
    path: &mut Vec<Component>,
    facts: &mut Vec<Fact>,
) -> bool {
    let Value::Tuple(fields) = expanded(search, machine, value) else { return false };
    for (index, field) in fields.iter().enumerate() {
        path.push(Component::Field(index));
        propose(search, machine, field, in_entries, path, facts);
        path.pop();
    }
    true
}

/// A value as far as its type and what is known tell what it consists of.
pub(super) fn expanded(search: &mut Search<'_, '_>, machine: &Machine, value: &Value) -> Value {
    let value = machine.resolve(value);
    match value {
        Value::Cell(id) => search.world.cells.expand(id).unwrap_or(value),
        _ => value,
    }
}

/// An unknown state in which the facts hold, with what is known of it.
fn assume(
    search: &mut Search<'_, '_>,
    ty: &Type,
    known: &Knowledge,
    facts: &[Fact],
    number: u32,
) -> (Value, Knowledge) {
    let state = search.world.cells.root(Root::State(number), ty, Quantifier::Universal);
    let mut known = known.clone();
    let state = with_facts(search, &mut known, state, facts);
    (state, known)
}

/// A state in which the facts hold, too. Of those that hold only under a condition nothing is said, unless they are about fields.
fn with_facts(search: &mut Search<'_, '_>, known: &mut Knowledge, mut state: Value, facts: &[Fact]) -> Value {
    let (conditional, mut always): (Vec<&Fact>, Vec<&Fact>) = facts.iter().partition(|it| it.only_if.is_some());
    always.sort_by_key(|it| it.rank());
    for fact in always {
        let about = match &fact.known {
            Known::Same(other) => component(search, &state, other).map(Known::Is),
            Known::RelatedTo(relation, other) => {
                component(search, &state, other).map(|it| Known::Related(*relation, it))
            }
            about => Some(about.clone()),
        };
        if let Some(about) = about {
            state = with_fact(search, known, state, &fact.path, &about);
        }
    }
    for fact in conditional {
        if let Some(implication) = implication(search, &state, fact)
            && !known.implications.contains(&implication)
        {
            Rc::make_mut(&mut known.implications).push(implication);
        }
    }
    state
}

/// A fact that holds only under a condition, if it is about fields.
fn implication(search: &mut Search<'_, '_>, state: &Value, fact: &Fact) -> Option<Implication> {
    let mut field = |fact: &Fact| {
        let path = fact.path.iter().map(|it| if let Component::Field(index) = it { Some(*index) } else { None });
        component(search, state, &path.collect::<Option<Vec<_>>>()?)
    };
    let condition = fact.only_if.as_ref()?;
    let Known::Is(value) = &condition.known else { return None };
    let only_if = (field(condition)?, value.clone());
    let (value, is_same) = match &fact.known {
        Known::Is(value) => (value, true),
        Known::Related(Relation::Not, value) => (value, false),
        _ => return None,
    };
    Some(Implication { only_if, then: (field(fact)?, value.clone()), is_same })
}

/// The component that fields lead to.
pub(super) fn component(search: &mut Search<'_, '_>, value: &Value, path: &[usize]) -> Option<Value> {
    let [first, rest @ ..] = path else { return Some(value.clone()) };
    let expanded = match value {
        Value::Cell(id) => search.world.cells.expand(*id)?,
        _ => value.clone(),
    };
    let Value::Tuple(fields) = expanded else { return None };
    component(search, &fields[*first], rest)
}

fn with_fact(
    search: &mut Search<'_, '_>,
    known: &mut Knowledge,
    value: Value,
    path: &[Component],
    fact: &Known,
) -> Value {
    let [first, rest @ ..] = path else {
        return match fact {
            Known::Is(value) => value.clone(),
            Known::Present | Known::Absent | Known::Same(_) | Known::RelatedTo(..) => value,
            Known::NoneBut(keys) => closed(search, known, value, keys),
            Known::Related(relation, other) => {
                Rc::make_mut(&mut known.relations).push((value.clone(), *relation, other.clone()));
                value
            }
        };
    };
    let expanded = match value {
        Value::Cell(id) => search.world.cells.expand(id).unwrap_or(value),
        _ => value,
    };
    match (first, &expanded) {
        (Component::Field(index), Value::Tuple(fields)) => {
            let mut fields = fields.to_vec();
            fields[*index] = with_fact(search, known, fields[*index].clone(), rest, fact);
            Value::Tuple(Rc::from(fields))
        }
        (Component::Entry(key), Value::Map(map)) => {
            // Of an entry at a key that is not known nothing is said: it may be one of those that are.
            if let (Base::Unknown(base), Some(key)) = (map.base, known_key(known, key)) {
                let key = &key;
                let before = search.world.cells.entry(base, key);
                let there = known.bases.get(&base).and_then(|it| it.entries.get(key)).cloned();
                let entry = match (fact, there) {
                    (Known::Related(..), there) => {
                        // Whether the entry is there is not said. If it is not known, nothing must be said of its value that cannot be: then
                        // there would be no state in which it is not there. Some integer is no less than any.
                        let is_possible = matches!(fact, Known::Related(Relation::AtLeast, _));
                        let there = there.unwrap_or(is_possible.then_some(before));
                        there.into_iter().for_each(|it| drop(with_fact(search, known, it, rest, fact)));
                        return expanded;
                    }
                    (Known::Absent, _) if rest.is_empty() => None,
                    // Of an entry within this one nothing is said if it is not known whether this one is there.
                    (Known::Absent, None) => return expanded,
                    (_, Some(None)) => None,
                    (_, there) => Some(with_fact(search, known, there.flatten().unwrap_or(before), rest, fact)),
                };
                *known = with_base(known, base, |facts| drop(facts.entries.insert(key.clone(), entry)));
            }
            expanded
        }
        _ => expanded,
    }
}

/// A key as far as it is known: wholly, or not at all.
fn known_key(known: &Knowledge, key: &Value) -> Option<Value> {
    let all = |parts: &[Value]| parts.iter().map(|it| known_key(known, it)).collect::<Option<Vec<_>>>();
    Some(match key {
        Value::Cell(id) => known_key(known, known.resolved.get(id)?)?,
        Value::Tuple(fields) => Value::tuple(all(fields)?),
        Value::Variant(tag, fields) => Value::Variant(*tag, all(fields)?.into()),
        Value::Seq(elements) => Value::seq(all(elements)?),
        key => key.clone(),
    })
}

/// A map that has no entries but at these keys, if it is known whether they are there.
fn closed(search: &mut Search<'_, '_>, known: &mut Knowledge, map: Value, keys: &[Value]) -> Value {
    let expanded = match map {
        Value::Cell(id) => search.world.cells.expand(id).unwrap_or(map),
        _ => map,
    };
    if let Value::Map(MapValue { base: Base::Unknown(base), .. }) = &expanded {
        let entries = known.bases.get(base).map(|it| it.entries.clone()).unwrap_or_default();
        if keys.iter().all(|it| known_key(known, it).is_some_and(|it| entries.contains_key(&it))) {
            *known = with_base(known, *base, |facts| facts.closed = true);
        }
    }
    expanded
}

/// The facts that hold after every step of every other process from the state of `machine`.
fn surviving(
    setting: &Setting,
    search: &mut Search<'_, '_>,
    process: Process,
    machine: &Machine,
    facts: &[Fact],
) -> Result<Vec<Fact>, Abort> {
    let mut kept = facts.to_vec();
    after_others(setting, search, process, machine, &mut |search, after| {
        let mut still = Vec::new();
        for fact in &kept {
            if always_holds(search, after, fact)? {
                still.push(fact.clone());
            }
        }
        kept = still;
        Ok(!kept.is_empty())
    })?;
    Ok(kept)
}

/// Shows the machines after every step of every other process from the state of `machine`, with the state in slot 0, until nothing more is
/// wanted.
fn after_others(
    setting: &Setting,
    search: &mut Search<'_, '_>,
    process: Process,
    machine: &Machine,
    show: &mut dyn FnMut(&mut Search<'_, '_>, &Machine) -> Result<bool, Abort>,
) -> Result<(), Abort> {
    let mut goes_on = true;
    for operation in 0..setting.program.layers[process.layer.0 as usize].operations.len() {
        for start in others(setting, search, process, operation, machine)? {
            if !goes_on {
                return Ok(());
            }
            let arguments = (0..start.slots.len() - 1).collect();
            let script =
                [Action::Call { function: setting.code.step(process.layer, operation), arguments, result: None }];
            let pausing = std::mem::replace(&mut search.pausing, false);
            let result = search.for_all(start, &script, &mut |search, machine, end| {
                goes_on = end != End::Done || !search.survives(&machine.known)? || show(search, &machine)?;
                Ok(goes_on)
            });
            search.pausing = pausing;
            result?;
        }
    }
    Ok(())
}

/// A process whose steps are followed, while others make theirs.
#[derive(Clone, Copy)]
pub struct Process<'a> {
    /// The layer of the steps.
    pub layer: LayerId,
    /// The process.
    pub me: &'a Value,
    /// What it holds that others do not.
    pub tokens: &'a [Token],
}

/// Machines in which, in the state of `machine`, another process is about to perform the operation: for each process that has been mentioned, and
/// one for some other; with what is [`given`], or where its procedures [make](super::rely) the call. Slots: the state, the process, the
/// arguments, and one for nothing.
///
/// # Errors
/// If the search cannot be completed.
pub fn others(
    setting: &Setting,
    search: &mut Search<'_, '_>,
    process: Process,
    operation: usize,
    machine: &Machine,
) -> Result<Vec<Machine>, Abort> {
    let processes = other_processes(search, process.me, machine);
    let start = |other: &Value, known: &Knowledge, arguments: &[Value]| {
        let mut start = Machine::new(known.clone(), Quantifier::Universal);
        start.draws = machine.draws;
        start.slots = Rc::new([&[machine.state.clone(), other.clone()], arguments, &[Value::Unit]].concat());
        start
    };
    let mut starts = Vec::new();
    let Some(rely) = setting.rely else {
        let kinds = given::arguments(setting, search, process.layer, operation, Asker::Fact);
        for (other, known) in &processes {
            starts.extend(kinds.iter().map(|it| start(other, known, it)));
        }
        return Ok(starts);
    };
    for (other, known) in &processes {
        for call in rely.calls_of(search, operation, other, Asker::Fact) {
            let mut start = start(other, known, &call.arguments);
            if call.is_beside(process.tokens, &mut start) {
                starts.extend(assume_in(search, &start, 0, &call.facts)?);
            }
        }
    }
    Ok(starts)
}

/// The processes other than `me`: each that has been mentioned, and some other one.
pub fn other_processes(search: &mut Search<'_, '_>, me: &Value, machine: &Machine) -> Vec<(Value, Knowledge)> {
    let processes = search.world.cells.values_of(&Type::Pid, &machine.known, false);
    processes.into_iter().filter(|(process, _)| process != me).collect()
}

/// The cases of a machine in which the facts hold in the state in a slot: one for each way in which their conditions can hold or not.
///
/// # Errors
/// If the search cannot be completed.
pub fn assume_at(
    search: &mut Search<'_, '_>,
    machine: Machine,
    slot: usize,
    facts: &[Fact],
) -> Result<Vec<Machine>, Abort> {
    let always: Vec<Fact> = facts.iter().filter(|it| it.only_if.is_none()).cloned().collect();
    let mut machines = vec![with_facts_at(search, machine, slot, &always)];
    let mut conditions: Vec<&Rc<Fact>> = Vec::new();
    for condition in facts.iter().filter_map(|it| it.only_if.as_ref()) {
        if !conditions.contains(&condition) {
            conditions.push(condition);
        }
    }
    for condition in conditions {
        let then: Vec<Fact> =
            facts.iter().filter(|it| it.only_if.as_ref() == Some(condition)).map(Fact::unconditional).collect();
        let mut pending = std::mem::take(&mut machines);
        while let Some(machine) = pending.pop() {
            match is_so(search, &machine, &machine.slots[slot], condition) {
                Ok(Some(true)) => machines.push(with_facts_at(search, machine, slot, &then)),
                Err(Stop::Need(need)) => {
                    let cases = split(search, &need, &machine.known)?;
                    pending.extend(cases.into_iter().map(|known| Machine { known, ..machine.clone() }));
                }
                Err(Stop::NumbersNeeded) => return Err(Abort::NumbersNeeded),
                // Of a condition that cannot be looked at nothing is said.
                Ok(Some(false) | None) | Err(_) => machines.push(machine),
            }
        }
    }
    // Of facts that contradict each other, the last one is in the state.
    machines.retain(|it| !facts.iter().any(|fact| matches!(is_so(search, it, &it.slots[slot], fact), Ok(Some(false)))));
    Ok(machines)
}

fn with_facts_at(search: &mut Search<'_, '_>, mut machine: Machine, slot: usize, facts: &[Fact]) -> Machine {
    let mut known = machine.known.clone();
    let state = with_facts(search, &mut known, machine.slots[slot].clone(), facts);
    machine.known = known;
    machine.set(slot, state);
    machine
}

/// Those facts that hold in the state of a machine, in every case of what is unknown.
///
/// # Errors
/// If the search cannot be completed.
pub fn holding(search: &mut Search<'_, '_>, machine: &Machine, facts: &[Fact]) -> Result<Vec<Fact>, Abort> {
    let mut at = Machine::new(machine.known.clone(), Quantifier::Universal);
    at.draws = machine.draws;
    at.slots = Rc::new(vec![machine.state.clone()]);
    let mut kept = Vec::new();
    for fact in facts {
        if always_holds(search, &at, fact)? {
            kept.push(fact.clone());
        }
    }
    Ok(kept)
}

/// Whether all facts hold in the state of a machine, in every case of what is unknown.
///
/// # Errors
/// If the search cannot be completed.
pub(super) fn all_hold(search: &mut Search<'_, '_>, machine: &Machine, facts: &[Fact]) -> Result<bool, Abort> {
    Ok(holding(search, machine, facts)?.len() == facts.len())
}

/// The cases in which all facts hold in the state in a slot.
///
/// # Errors
/// If the search cannot be completed.
pub fn assume_in(
    search: &mut Search<'_, '_>,
    machine: &Machine,
    slot: usize,
    facts: &[Fact],
) -> Result<Vec<Machine>, Abort> {
    let mut pending = vec![machine.known.clone()];
    let mut cases = Vec::new();
    'cases: while let Some(known) = pending.pop() {
        let machine = Machine { known, ..machine.clone() };
        for fact in facts {
            match is_so(search, &machine, &machine.slots[slot], fact) {
                // What is not known is not assumed.
                Ok(Some(true) | None) => {}
                Ok(Some(false)) => continue 'cases,
                // Of more cases no more is said.
                Err(Stop::Need(_)) if pending.len() + cases.len() >= MOST_CASES => break,
                Err(Stop::Need(need)) => {
                    pending.extend(split(search, &need, &machine.known)?);
                    continue 'cases;
                }
                Err(Stop::NumbersNeeded) => return Err(Abort::NumbersNeeded),
                // What cannot be looked at is not assumed.
                Err(_) => {}
            }
        }
        cases.push(machine);
    }
    Ok(cases)
}

/// Whether a fact holds in the state in slot 0, in every case of what is unknown.
pub(super) fn always_holds(search: &mut Search<'_, '_>, machine: &Machine, fact: &Fact) -> Result<bool, Abort> {
    let mut pending = vec![machine.known.clone()];
    while let Some(known) = pending.pop() {
        let machine = Machine { known, ..machine.clone() };
        match is_so(search, &machine, &machine.slots[0], fact) {
            Ok(Some(true)) => {}
            Ok(Some(false) | None) => return Ok(false),
            Err(Stop::Need(need)) => pending.extend(split(search, &need, &machine.known)?),
            Err(Stop::NumbersNeeded) => return Err(Abort::NumbersNeeded),
            Err(_) => return Ok(false),
        }
    }
    Ok(true)
}

/// Whether one fact holds in the state in slot 0 wherever another does, in every case of what is unknown.
fn always_follows(search: &mut Search<'_, '_>, machine: &Machine, guard: &Fact, fact: &Fact) -> Result<bool, Abort> {
    let mut pending = vec![machine.known.clone()];
    while let Some(known) = pending.pop() {
        let machine = Machine { known, ..machine.clone() };
        match is_so(search, &machine, &machine.slots[0], guard) {
            Ok(Some(false)) => {}
            Ok(Some(true)) if always_holds(search, &machine, fact)? => {}
            Ok(_) => return Ok(false),
            Err(Stop::Need(need)) => pending.extend(split(search, &need, &machine.known)?),
            Err(Stop::NumbersNeeded) => return Err(Abort::NumbersNeeded),
            Err(_) => return Ok(false),
        }
    }
    Ok(true)
}

/// The most cases in which facts are assumed or told apart.
const MOST_CASES: usize = 100;

/// What a case costs, in steps of exploration: about as long as it takes.
const PRICE_OF_CASE: u64 = 50;

/// The cases of what is unknown, which are paid for as steps of exploration are.
fn split(search: &mut Search<'_, '_>, need: &Need, known: &Knowledge) -> Result<Vec<Knowledge>, Abort> {
    if search.stop.load(Ordering::Relaxed) {
        return Err(Abort::Stopped);
    }
    let cases = search.world.cells.split(need, known, false);
    let price = PRICE_OF_CASE * cases.len() as u64;
    let left = search.world.fuel.checked_sub(price).ok_or(Abort::OutOfFuel)?;
    search.world.fuel = left;
    Ok(cases)
}

/// Whether a fact holds in a state.
fn is_so(search: &mut Search<'_, '_>, machine: &Machine, state: &Value, fact: &Fact) -> Result<Option<bool>, Stop> {
    if let Some(condition) = &fact.only_if
        && is_so(search, machine, state, condition)? != Some(true)
    {
        return Ok(Some(true));
    }
    let about = match &fact.known {
        Known::Same(other) => Known::Is(forced(search, machine, state, other)?),
        Known::RelatedTo(relation, other) => Known::Related(*relation, forced(search, machine, state, other)?),
        about => about.clone(),
    };
    holds(search, machine, state, &fact.path, &about)
}

/// The component that fields lead to, once it is known.
fn forced(search: &mut Search<'_, '_>, machine: &Machine, value: &Value, path: &[usize]) -> Result<Value, Stop> {
    let [first, rest @ ..] = path else { return Ok(value.clone()) };
    match machine.force(search.world, value).map_err(Stop::Need)? {
        Value::Tuple(fields) => forced(search, machine, &fields[*first], rest),
        _ => Err(Stop::Disabled),
    }
}

/// Whether a map has no entries but at these keys, if that is known.
fn has_none_but(
    search: &mut Search<'_, '_>,
    machine: &Machine,
    map: &Value,
    keys: &[Value],
) -> Result<Option<bool>, Stop> {
    let Value::Map(map) = machine.force(search.world, map).map_err(Stop::Need)? else { return Ok(None) };
    let mut entries = BTreeMap::new();
    let mut is_closed = true;
    if let Some(base) = map.base.cell() {
        let known = machine.known.bases.get(&base);
        is_closed = known.is_some_and(|it| it.closed);
        entries.extend(known.map(|it| it.entries.clone()).unwrap_or_default());
    }
    entries.extend(map.over.iter().map(|(key, entry)| (key.clone(), entry.clone())));
    let keys = keys.iter().map(|it| machine.force_all(search.world, it)).collect::<Result<Vec<_>, _>>();
    let keys = keys.map_err(Stop::Need)?;
    let has_none = entries.iter().all(|(key, entry)| entry.is_none() || keys.contains(key));
    Ok((is_closed || !has_none).then_some(has_none))
}

/// Whether a value is a key of a collection; of an `Option`, whether what is in it is, or nothing if there is nothing in it.
fn is_key(
    search: &mut Search<'_, '_>,
    machine: &Machine,
    value: &Value,
    collection: &Value,
) -> Result<Option<Option<bool>>, Stop> {
    let key = match machine.force(search.world, value).map_err(Stop::Need)? {
        Value::Variant(_, inside) => match inside.first() {
            Some(key) => machine.force_all(search.world, key).map_err(Stop::Need)?,
            None => return Ok(Some(None)),
        },
        key => key,
    };
    match machine.force(search.world, collection).map_err(Stop::Need)? {
        Value::Map(map) => Ok(Some(Some(machine.lookup(search.world, &map, &key).map_err(Stop::Need)?.is_some()))),
        _ => Ok(None),
    }
}

/// Whether all keys of a collection are keys of another one, or less than an integer, if that is known. It is known of those in an unknown base
/// only if it was so of that base before.
fn is_within(
    search: &mut Search<'_, '_>,
    machine: &Machine,
    collection: &Value,
    other: &Value,
) -> Result<Option<bool>, Stop> {
    let (collection, other) = (
        machine.force(search.world, collection).map_err(Stop::Need)?,
        machine.force(search.world, other).map_err(Stop::Need)?,
    );
    let Value::Map(map) = &collection else { return Ok(None) };
    let mut keys: BTreeSet<Value> = map.over.keys().cloned().collect();
    if let Value::Map(other) = &other {
        keys.extend(other.over.keys().cloned());
    }
    if let Some(base) = map.base.cell() {
        match machine.known.bases.get(&base) {
            Some(known) if known.closed => keys.extend(known.entries.keys().cloned()),
            _ if is_base_within(machine, base, &other) => {}
            _ => return Ok(None),
        }
    }
    for key in keys {
        if machine.lookup(search.world, map, &key).map_err(Stop::Need)?.is_none() {
            continue;
        }
        let is_there = match &other {
            Value::Map(other) => machine.lookup(search.world, other, &key).map_err(Stop::Need)?.is_some(),
            Value::Int(bound) => matches!(&key, Value::Int(key) if key < bound),
            _ => return Ok(None),
        };
        if !is_there {
            return Ok(Some(false));
        }
    }
    Ok(Some(true))
}

/// Whether all keys of an unknown base are keys of the base of another collection, or less than an integer.
fn is_base_within(machine: &Machine, base: CellId, other: &Value) -> bool {
    let plain_base = |value: &Value| match machine.resolve(value) {
        Value::Cell(id) => Some(id),
        Value::Map(map) if map.over.is_empty() => map.base.cell(),
        _ => None,
    };
    let other_base = if let Value::Map(map) = other { map.base.cell() } else { None };
    other_base == Some(base)
        || machine.known.relations.iter().any(|(one, relation, bound)| {
            *relation == Relation::Within
                && plain_base(one) == Some(base)
                && match (other, machine.resolve(bound)) {
                    (Value::Int(now), Value::Int(before)) => before <= *now,
                    _ => other_base.is_some() && plain_base(bound) == other_base,
                }
        })
}

/// The cases of a machine in which it is known of each of these facts whether it holds of the state. What is a key is then known by name.
///
/// # Errors
/// If the search cannot be completed.
pub fn told_apart(search: &mut Search<'_, '_>, machine: &Machine, facts: &[&Fact]) -> Result<Vec<Knowledge>, Abort> {
    let mut pending = vec![machine.known.clone()];
    let mut cases = Vec::new();
    'cases: while let Some(known) = pending.pop() {
        let machine = Machine { known, ..machine.clone() };
        for fact in facts {
            match is_so(search, &machine, &machine.state, fact) {
                // Of more cases no more is said.
                Err(Stop::Need(_)) if pending.len() + cases.len() >= MOST_CASES => break,
                Err(Stop::Need(need)) => {
                    pending.extend(split(search, &need, &machine.known)?);
                    continue 'cases;
                }
                Err(Stop::NumbersNeeded) => return Err(Abort::NumbersNeeded),
                Ok(_) | Err(_) => {}
            }
        }
        cases.push(machine.known);
    }
    Ok(cases)
}

/// Whether a fact holds of a value, if that is known. Nothing is split to find out whether a map has other entries.
fn holds(
    search: &mut Search<'_, '_>,
    machine: &Machine,
    value: &Value,
    path: &[Component],
    fact: &Known,
) -> Result<Option<bool>, Stop> {
    let [first, rest @ ..] = path else {
        return match fact {
            Known::Is(wanted) => machine.is_equal(search.world, value, wanted).map(Some),
            Known::Present => Ok(Some(true)),
            Known::Absent | Known::Same(_) | Known::RelatedTo(..) => Ok(Some(false)),
            Known::NoneBut(keys) => has_none_but(search, machine, value, keys),
            Known::Related(Relation::Not, other) => machine.is_equal(search.world, value, other).map(|it| Some(!it)),
            Known::Related(relation @ (Relation::KeyOf | Relation::NoKeyOf), other) => {
                let is_key = is_key(search, machine, value, other)?;
                Ok(is_key.map(|it| it.is_none_or(|it| it == (*relation == Relation::KeyOf))))
            }
            Known::Related(Relation::Within, other) => is_within(search, machine, value, other),
            Known::Related(relation, other) => {
                let value = machine.force(search.world, value).map_err(Stop::Need)?;
                let other = machine.force(search.world, other).map_err(Stop::Need)?;
                Ok(Some(match (value, other) {
                    (Value::Int(a), Value::Int(b)) if *relation == Relation::AtLeast => a >= b,
                    (Value::Int(a), Value::Int(b)) => a <= b,
                    _ => false,
                }))
            }
        };
    };
    match (first, machine.force(search.world, value).map_err(Stop::Need)?) {
        (Component::Field(index), Value::Tuple(fields)) => holds(search, machine, &fields[*index], rest, fact),
        (Component::Entry(key), Value::Map(map)) => {
            let key = machine.force_all(search.world, key).map_err(Stop::Need)?;
            let entry = machine.lookup(search.world, &map, &key).map_err(Stop::Need)?;
            match entry.or_else(|| map.default.as_deref().cloned()) {
                Some(value) => holds(search, machine, &value, rest, fact),
                None => Ok(Some(matches!(fact, Known::Absent | Known::Related(..)))),
            }
        }
        _ => Ok(Some(false)),
    }
}
