//! Minted values: results that are new.
//!
//! A call of `o` mints a part `v` of its result if, in all states, with all arguments,
//!
//! ```text
//! s --o(a)/r--> s', v in r                     implies   not K(s, v)  and  K(s', v)
//! ```
//!
//! where `K(s, v)` says that `v` is a key of a collection of `s`, or less than a counter. Addresses of new nodes, tickets and generations are minted.
//! Minted values stay so if no operation that is called gives them back:
//!
//! ```text
//! s --B(b)/...--> s',  K(s, v),  B is called   implies   K(s', v)
//! ```
//!
//! What follows for values that processes hold is in [tokens](super::tokens).

use super::{
    facts::{self, Component, Fact, Known},
    given, needs,
    question::{Answered, Effort, Setting, Slots, Unrefuted},
};
use crate::{
    explore::{
        cells::Relation,
        machine::Machine,
        search::{Abort, Action, End, Search},
        value::Value,
    },
    ir::{ImplementationId, LayerId, Program, Type, TypeDefKind},
};

/// An operation that mints a part of its result.
#[derive(Clone, Debug, PartialEq)]
pub struct Mint {
    /// The operation.
    pub operation: usize,
    /// Where the part is in the result.
    pub part: Vec<Part>,
    /// Its type.
    pub ty: Type,
    /// How what is minted is told from what is not yet.
    pub kind: Kind,
    /// Whether what is minted stays so.
    pub stays: bool,
    /// The components of the state that may hold such values.
    pub places: Vec<Place>,
}

/// A component of the state that may hold a value of some type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The fields that lead to it.
    pub path: Vec<usize>,
    /// Whether it may also hold nothing.
    pub is_option: bool,
}

/// A step to a part of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Of a tuple or struct.
    Field(usize),
    /// Of a variant.
    Payload(u32, usize),
}

/// How minted values are told from others: by a component of the state, to which these fields lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// They are keys of this collection.
    Key(Vec<usize>),
    /// They are less than this counter.
    Below(Vec<usize>),
}

/// The part of a value, if it has it.
pub fn part_of<'v>(value: &'v Value, path: &[Part]) -> Option<&'v Value> {
    let [first, rest @ ..] = path else { return Some(value) };
    match (first, value) {
        (Part::Field(index), Value::Tuple(fields)) => part_of(fields.get(*index)?, rest),
        (Part::Payload(tag, index), Value::Variant(own, fields)) if tag == own => part_of(fields.get(*index)?, rest),
        _ => None,
    }
}

/// What operations that some procedure of an implementation calls mint.
pub fn find(setting: &Setting, id: ImplementationId, effort: &mut Effort) -> Vec<Mint> {
    let layer = setting.program.implementations[id.0 as usize].lower;
    let called = needs::called(setting.program, id);
    let mut components = Vec::new();
    collect(setting.program, setting.state(layer), &mut Vec::new(), &mut components);
    let mut mints = Vec::new();
    for &operation in &called {
        for (part, ty) in parts(setting.program, setting.result(layer, operation)) {
            let kinds = components.iter().filter(|it| it.1 == ty).map(|it| it.0.clone());
            for kind in kinds {
                let places = places(setting.program, setting.state(layer), &ty);
                let (part, ty) = (part.clone(), ty.clone());
                let mut mint = Mint { operation, part, ty, kind, stays: false, places };
                let mut within = Effort::default();
                if is_new(setting, layer, &mint, &mut within) {
                    mint.stays =
                        called.iter().all(|it| is_kept(setting, (layer, *it), (&mint.kind, &mint.ty), &mut within));
                    effort.add(within);
                    mints.push(mint);
                }
            }
        }
    }
    mints
}

/// The most parts within parts.
const DEPTH: usize = 2;

/// The most components that are looked at as places of values.
const MOST_PLACES: usize = 6;

/// The components of a state that may hold values of a type.
fn places(program: &Program, state: &Type, wanted: &Type) -> Vec<Place> {
    fn add(program: &Program, ty: &Type, wanted: &Type, path: &mut Vec<usize>, found: &mut Vec<Place>) {
        let is_option = matches!(ty, Type::Option(inside) if **inside == *wanted);
        if is_option || ty == wanted {
            return found.push(Place { path: path.clone(), is_option });
        }
        for (index, it) in given::fields(program, ty).unwrap_or_default().iter().enumerate() {
            path.push(index);
            add(program, it, wanted, path, found);
            path.pop();
        }
    }
    let mut found = Vec::new();
    add(program, state, wanted, &mut Vec::new(), &mut found);
    found.truncate(MOST_PLACES);
    found
}

/// The scalars and integers that a value of a type consists of.
pub fn parts(program: &Program, ty: &Type) -> Vec<(Vec<Part>, Type)> {
    fn add(program: &Program, ty: &Type, path: &mut Vec<Part>, found: &mut Vec<(Vec<Part>, Type)>) {
        if is_name(program, ty) {
            return found.push((path.clone(), ty.clone()));
        }
        if path.len() >= DEPTH {
            return;
        }
        let within = match ty {
            Type::Option(value) => vec![(Part::Payload(1, 0), (**value).clone())],
            _ => {
                let fields = given::fields(program, ty).unwrap_or_default().into_iter().enumerate();
                fields.map(|(index, it)| (Part::Field(index), it)).collect()
            }
        };
        for (part, ty) in within {
            path.push(part);
            add(program, &ty, path, found);
            path.pop();
        }
    }
    let mut found = Vec::new();
    add(program, ty, &mut Vec::new(), &mut found);
    found
}

/// Whether values of a type may name things: scalars and integers.
fn is_name(program: &Program, ty: &Type) -> bool {
    match ty {
        Type::Int { .. } => true,
        Type::User(id) => matches!(program.types[id.0 as usize].kind, TypeDefKind::Scalar),
        _ => false,
    }
}

/// The collections and counters of a state, with the type of what they tell apart.
fn collect(program: &Program, ty: &Type, path: &mut Vec<usize>, found: &mut Vec<(Kind, Type)>) {
    match ty {
        Type::Map(key, _) | Type::Set(key) => found.push((Kind::Key(path.clone()), (**key).clone())),
        Type::Int { .. } => found.push((Kind::Below(path.clone()), ty.clone())),
        _ => {
            for (index, it) in given::fields(program, ty).unwrap_or_default().iter().enumerate() {
                path.push(index);
                collect(program, it, path, found);
                path.pop();
            }
        }
    }
}

impl Kind {
    fn path(&self) -> Vec<Component> {
        let (Kind::Key(fields) | Kind::Below(fields)) = self;
        fields.iter().map(|it| Component::Field(*it)).collect()
    }

    /// That a value has been minted.
    pub(super) fn has(&self, value: &Value) -> Vec<Fact> {
        let mut path = self.path();
        match self {
            Kind::Key(_) => {
                path.push(Component::Entry(value.clone()));
                vec![Fact::new(&path, Known::Present)]
            }
            Kind::Below(_) => [Relation::AtLeast, Relation::Not]
                .map(|it| Fact::new(&path, Known::Related(it, value.clone())))
                .to_vec(),
        }
    }

    /// That a value has not been minted yet.
    fn has_not(&self, value: &Value) -> Vec<Fact> {
        let mut path = self.path();
        match self {
            Kind::Key(_) => {
                path.push(Component::Entry(value.clone()));
                vec![Fact::new(&path, Known::Absent)]
            }
            Kind::Below(_) => vec![Fact::new(&path, Known::Related(Relation::AtMost, value.clone()))],
        }
    }
}

/// Whether facts hold in a state of a machine.
fn hold(search: &mut Search<'_, '_>, machine: &Machine, state: &Value, facts: &[Fact]) -> Result<bool, Abort> {
    facts::all_hold(search, &Machine { state: state.clone(), ..machine.clone() }, facts)
}

/// Whether what an operation returns there had not been minted before, and is afterwards.
fn is_new(setting: &Setting, layer: LayerId, mint: &Mint, effort: &mut Effort) -> bool {
    let step = setting.code.step(layer, mint.operation);
    let mut slots = Slots::default();
    let (before, me) = (slots.unknown(setting.state(layer)), slots.process(0));
    let arguments = slots.unknowns(&setting.arguments(layer, mint.operation));
    let (after, result) = (slots.empty(), slots.empty());
    let call = [after, me].into_iter().chain(arguments).collect();
    let script = [Action::Copy(before, after), Action::Call { function: step, arguments: call, result: Some(result) }];
    let (answered, more) = setting.ask(&[step], Some(layer), |search| {
        let start = slots.start(&mut search.world.cells, 1);
        let mut is_new = true;
        search.for_all(start, &script, &mut |search, machine, end| {
            if end == End::Done {
                let returned = machine.written(&machine.slots[result]);
                is_new = match part_of(&returned, &mint.part) {
                    Some(value) => {
                        hold(search, &machine, &machine.slots[before], &mint.kind.has_not(value))?
                            && hold(search, &machine, &machine.slots[after], &mint.kind.has(value))?
                    }
                    // It has another variant; or nothing is known of it.
                    None => is_another_variant(&returned, &mint.part),
                };
            }
            Ok(is_new)
        })?;
        Ok((!is_new).then_some(Unrefuted))
    });
    effort.add(more);
    matches!(answered, Answered::Holds)
}

/// Whether a value has no such part, since it is of another variant.
fn is_another_variant(value: &Value, path: &[Part]) -> bool {
    match (path, value) {
        ([Part::Field(index), rest @ ..], Value::Tuple(fields)) => {
            fields.get(*index).is_some_and(|it| is_another_variant(it, rest))
        }
        ([Part::Payload(tag, index), rest @ ..], Value::Variant(own, fields)) => {
            tag != own || fields.get(*index).is_some_and(|it| is_another_variant(it, rest))
        }
        _ => false,
    }
}

/// Whether an operation leaves what has been minted so.
fn is_kept(
    setting: &Setting,
    (layer, operation): (LayerId, usize),
    (kind, ty): (&Kind, &Type),
    effort: &mut Effort,
) -> bool {
    let step = setting.code.step(layer, operation);
    let mut slots = Slots::default();
    let (state, me, value) = (slots.unknown(setting.state(layer)), slots.process(0), slots.unknown(ty));
    let arguments = slots.unknowns(&setting.arguments(layer, operation));
    let call = [state, me].into_iter().chain(arguments).collect();
    let script = [Action::Call { function: step, arguments: call, result: None }];
    let (answered, more) = setting.ask(&[step], Some(layer), |search| {
        let start = slots.start(&mut search.world.cells, 1);
        let facts = kind.has(&start.slots[value]);
        let mut is_kept = true;
        for start in facts::assume_in(search, &start, state, &facts)? {
            search.for_all(start, &script, &mut |search, machine, end| {
                is_kept = end != End::Done || hold(search, &machine, &machine.slots[state], &facts)?;
                Ok(is_kept)
            })?;
        }
        Ok((!is_kept).then_some(Unrefuted))
    });
    effort.add(more);
    matches!(answered, Answered::Holds)
}
