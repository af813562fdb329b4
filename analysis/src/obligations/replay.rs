//! Replay: repeats the refutation of an obligation with concrete values, and shrinks it.
//!
//! A violation is found by splitting cases, so it stands for many values. Once every part of the case has been settled, its starting point is
//! written down: a value for each unknown ([`Pins`]). Then the obligation is asked again in a world in which the unknowns have these
//! values. It counts as violated only if it is violated there, too; the run that is shown is the run made there.
//!
//! After that, smaller values are tried, one change at a time: fewer entries and elements, the first variant, smaller
//! numbers. A number is never changed to one that occurs elsewhere (a field may become 0): different values must not look equal, because
//! a reader would take that for the cause.

use std::collections::BTreeSet;

use super::question::{Refutes, concrete_value};
use crate::{
    counterexample::{Counterexample, Datum, StepEnd},
    explore::{
        cells::{Cells, Knowledge, Numbers, Origin, Pins, default_of, has_known_default},
        code::Code,
        search::{Abort, Search},
        show::unnamed,
        value::{Sort, Value},
    },
    ir::{Anchor, Program, Type, TypeDefKind},
};

/// The maximum number of tries with smaller values.
const MOST_TRIES: u32 = 200;

/// The maximum number of exploration steps of all tries together.
const FUEL: u64 = 1_000_000;

/// The values of a question's unknowns in a case, if everything that it mentions is settled.
pub fn pins(search: &mut Search<'_, '_>, mut known: Knowledge) -> Pins {
    let mentioned = search.world.cells.mentioned(&known);
    let pinned = mentioned.into_iter().map(|(origin, cell)| {
        let value = concrete_value(search, &mut known, &Value::Cell(cell));
        (origin, value)
    });
    pinned.collect()
}

/// Asks a question again with pinned unknowns, with this much fuel.
pub type Again<'a, V> = &'a mut dyn FnMut(&Pins, u64) -> Result<Option<V>, Abort>;

/// The violation as found with the pinned values, or with smaller ones. If it is not found, there is no violation.
///
/// # Errors
/// If the search was stopped.
pub fn replayed<V: Refutes>(
    found: V,
    pins: Pins,
    small: &Small<'_>,
    fuel: u64,
    again: Again<'_, V>,
) -> Result<V, Abort> {
    match again(&pins, fuel) {
        Ok(Some(same)) if same.is_confirmed() => smallest(same, pins, small, again),
        Err(Abort::Stopped) => Err(Abort::Stopped),
        _ if found.was_replayed_in_parts() => Ok(found),
        Ok(Some(unconfirmed)) => Ok(unconfirmed),
        Ok(None) | Err(_) => {
            let mut found = found;
            found.not_replayed();
            Ok(found)
        }
    }
}

/// The violation from the smallest values that still give it.
fn smallest<V: Refutes>(mut found: V, mut pins: Pins, small: &Small<'_>, again: Again<'_, V>) -> Result<V, Abort> {
    let mut next = 0;
    for _ in 0..MOST_TRIES {
        let Some(smaller) = small.than(&pins, &found).into_iter().nth(next) else { break };
        match again(&smaller, FUEL / u64::from(MOST_TRIES)) {
            // Values that failed earlier may succeed now; they are tried again only from here on, or the search would not end.
            Ok(Some(still)) if still.is_confirmed() => (found, pins) = (still, smaller),
            Err(Abort::Stopped) => return Err(Abort::Stopped),
            Ok(_) | Err(_) => next += 1,
        }
    }
    Ok(found)
}

/// Defines which values are smaller.
pub struct Small<'p> {
    program: &'p Program,
    code: &'p Code,
    /// Integers that a value may become; `None`: any.
    literals: Option<BTreeSet<i128>>,
    /// For each sort, the scalars that code names: these are not renumbered.
    named: Vec<(Sort, Vec<String>)>,
}

/// The context of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// An argument, or a choice.
    Nothing,
    /// A field of a state.
    Fields,
    /// An element of a collection.
    Collection,
}

impl<'p> Small<'p> {
    /// The definition for the values of this world.
    pub fn of(cells: &Cells<'p>, code: &'p Code) -> Small<'p> {
        let sorts = cells.program.types.iter().enumerate().filter(|(_, it)| matches!(it.kind, TypeDefKind::Scalar));
        let sorts = sorts.map(|(index, _)| Sort::User(index as u32)).chain([Sort::Pid, Sort::Str]);
        Small {
            program: cells.program,
            code,
            literals: (cells.numbers == Numbers::Atoms).then(|| cells.int_literals.clone()),
            named: sorts.map(|it| (it, cells.scalar_literals(it).to_vec())).collect(),
        }
    }

    /// Values for the unknowns that are smaller in one place.
    fn than<V: Refutes>(&self, pins: &Pins, found: &V) -> Vec<Pins> {
        let used = Used::of(pins);
        let mut all = Vec::new();
        for (origin, value) in pins {
            let ty = match origin {
                Origin::Root(_, ty) => ty,
                Origin::Choice(_, ty) => &self.code.types[*ty as usize],
                _ => continue,
            };
            for smaller in self.parts(value, ty, Within::Nothing, &used) {
                let mut pins = pins.clone();
                pins.insert(origin.clone(), smaller);
                all.push(pins);
            }
        }
        let everywhere = self.renamings(&used, found.counterexample());
        all.extend(everywhere.into_iter().map(|(from, to)| {
            pins.iter().map(|(origin, value)| (origin.clone(), value.replaced(&from, &to))).collect()
        }));
        all
    }

    /// Renamings of numbers and scalars everywhere they occur.
    fn renamings(&self, used: &Used, told: Option<&Counterexample<Anchor>>) -> Vec<(Value, Value)> {
        let mut all = Vec::new();
        for number in used.integers.iter().filter(|it| **it != 0) {
            let smaller = self.below(number.abs()).filter(|it| self.may_be(*it, used)).take(2);
            all.extend(smaller.map(|it| (Value::int(*number), Value::int(it))));
        }
        let told = told.map(Told::of).unwrap_or_default();
        for (sort, number) in &used.atoms {
            let atom = Value::Atom(*sort, *number);
            if *sort == Sort::Int {
                all.extend(self.may_be(0, used).then_some((atom, Value::int(0))));
                continue;
            }
            let literals = self.named.iter().find(|(it, _)| it == sort).map_or(&[][..], |it| &it.1);
            let named = literals.len() as u32;
            let shown = |it: u32| if *sort == Sort::Pid { it - named } else { unnamed(it - named, literals) };
            let is_free =
                |it: &u32| !used.atoms.contains(&(*sort, *it)) && !told.mentions(self.program, *sort, shown(*it));
            let lowest = (named..*number).find(is_free);
            all.extend(lowest.map(|it| (atom, Value::Atom(*sort, it))));
        }
        all
    }

    /// Whether an integer may become this one, which occurs nowhere.
    fn may_be(&self, number: i128, used: &Used) -> bool {
        !used.integers.contains(&number) && self.literals.as_ref().is_none_or(|it| it.contains(&number))
    }

    /// The value with one part of it smaller.
    fn parts(&self, value: &Value, ty: &Type, within: Within, used: &Used) -> Vec<Value> {
        match (value, ty) {
            (Value::Bool(true), _) => vec![Value::Bool(false)],
            (Value::Int(number), _) => self.integers(number.get().abs(), within, used),
            (Value::Atom(Sort::Int, _), _) => self.integers(1, within, used),
            (Value::Variant(1, fields), Type::Option(inner)) => {
                let less = fields.iter().flat_map(|it| self.parts(it, inner, within, used)).map(Value::some);
                [Value::none()].into_iter().chain(less).collect()
            }
            (Value::Variant(tag, fields), Type::Result(ok, err)) => {
                let part = if *tag == 0 { &**ok } else { &**err };
                let smaller = self.fields(fields, &[part], within, used).into_iter();
                smaller.map(|it| Value::Variant(*tag, it.into())).collect()
            }
            (Value::Variant(tag, fields), Type::User(id)) => self.variants(*tag, fields, id.0, within, used),
            (Value::Tuple(fields), Type::Tuple(types)) => {
                let types: Vec<&Type> = types.iter().collect();
                self.fields(fields, &types, within, used).into_iter().map(Value::tuple).collect()
            }
            (Value::Tuple(fields), Type::User(id)) => {
                let TypeDefKind::Struct(of) = &self.program.types[id.0 as usize].kind else { return Vec::new() };
                let types: Vec<&Type> = of.iter().map(|it| &it.ty).collect();
                let within = if within == Within::Nothing { Within::Fields } else { within };
                self.fields(fields, &types, within, used).into_iter().map(Value::tuple).collect()
            }
            (Value::Seq(elements), Type::Seq(of)) => {
                let without = (0..elements.len()).rev().map(|left_out| {
                    let mut elements = elements.to_vec();
                    elements.remove(left_out);
                    elements
                });
                let types = vec![&**of; elements.len()];
                let smaller = self.fields(elements, &types, Within::Collection, used);
                without.chain(smaller).map(Value::seq).collect()
            }
            (Value::Map(map), Type::Map(_, of) | Type::Total(_, of) | Type::Set(of)) => {
                let present = || map.over.iter().filter_map(|(key, it)| Some((key, it.as_ref()?)));
                let without = present().map(|(key, _)| Value::Map(map.with(key.clone(), None)));
                let smaller = present().flat_map(|(key, it)| {
                    let less = self.parts(it, of, Within::Collection, used).into_iter();
                    less.map(move |less| Value::Map(map.with(key.clone(), Some(less))))
                });
                without.chain(smaller).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Integers that one of this size may become in its context.
    fn integers(&self, size: i128, within: Within, used: &Used) -> Vec<Value> {
        let may_be = |it: &i128| match within {
            Within::Nothing => false,
            Within::Fields => *it == 0 || !used.integers.contains(it),
            Within::Collection => self.may_be(*it, used),
        };
        // Nothing would be found below, and there may be many values.
        if within == Within::Nothing {
            return Vec::new();
        }
        self.below(size).filter(may_be).take(2).map(Value::int).collect()
    }

    /// The integers below this one that a value may become; there may be very many.
    fn below(&self, size: i128) -> Box<dyn Iterator<Item = i128> + '_> {
        match &self.literals {
            Some(literals) if size > 0 => Box::new(literals.range(0..size).copied()),
            _ => Box::new(0..size),
        }
    }

    /// Variants before this one, and this one with a smaller payload.
    fn variants(&self, tag: u32, fields: &[Value], user: u32, within: Within, used: &Used) -> Vec<Value> {
        let TypeDefKind::Enum(variants) = &self.program.types[user as usize].kind else { return Vec::new() };
        let types = |tag: u32| variants[tag as usize].fields.iter().map(|it| &it.ty).collect::<Vec<_>>();
        let simple = (0..tag).filter(|it| types(*it).into_iter().all(|ty| has_known_default(self.program, ty)));
        let default = |it: u32| types(it).into_iter().map(|ty| default_of(self.program, ty)).collect();
        let earlier = simple.map(|it| Value::Variant(it, default(it)));
        let smaller = self.fields(fields, &types(tag), within, used).into_iter();
        earlier.chain(smaller.map(|it| Value::Variant(tag, it.into()))).collect()
    }

    /// The fields with one of them smaller.
    fn fields(&self, fields: &[Value], types: &[&Type], within: Within, used: &Used) -> Vec<Vec<Value>> {
        let mut all = Vec::new();
        for (index, (field, ty)) in fields.iter().zip(types).enumerate() {
            for smaller in self.parts(field, ty, within, used) {
                let mut fields = fields.to_vec();
                fields[index] = smaller;
                all.push(fields);
            }
        }
        all
    }
}

/// The integers and scalars that occur in the case.
#[derive(Default)]
struct Used {
    integers: BTreeSet<i128>,
    atoms: BTreeSet<(Sort, u32)>,
}

impl Used {
    fn of(pins: &Pins) -> Used {
        let mut used = Used::default();
        for value in pins.values() {
            value.for_each_part(&mut |it| match it {
                Value::Int(number) => drop(used.integers.insert(number.get())),
                Value::Atom(sort, number) => drop(used.atoms.insert((*sort, *number))),
                _ => {}
            });
        }
        used
    }
}

/// The processes and scalars in the counterexample, by the numbers that they are shown with.
#[derive(Default)]
struct Told {
    processes: BTreeSet<u32>,
    scalars: BTreeSet<(String, u32)>,
}

impl Told {
    fn of(told: &Counterexample<Anchor>) -> Told {
        let mut found = Told::default();
        let mut note = |datum: &Datum| {
            datum.for_each_part(&mut |it| match it {
                Datum::Pid(number) => drop(found.processes.insert(*number)),
                Datum::Fresh(name, number) => drop(found.scalars.insert((name.clone(), *number))),
                _ => {}
            });
        };
        told.values.iter().for_each(|(_, it)| note(it));
        for run in &told.runs {
            note(&run.from);
            for step in &run.steps {
                step.process.iter().chain(&step.arguments).chain(&step.after).for_each(&mut note);
                if let StepEnd::Returns(it) = &step.end {
                    note(it);
                }
            }
        }
        found
    }

    fn mentions(&self, program: &Program, sort: Sort, number: u32) -> bool {
        match sort {
            Sort::Pid => self.processes.contains(&number),
            Sort::User(user) => {
                let name = &program.types[user as usize].name;
                self.scalars.iter().any(|(of, it)| of == name && *it == number)
            }
            Sort::Int | Sort::Str => true,
        }
    }
}
