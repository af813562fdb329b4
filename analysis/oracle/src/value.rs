//! Plain values, and all values of a type at a scope.
//!
//! Values are represented directly: a map is a [`BTreeMap`], a scalar is its text. Nothing is unknown, shared or renamed. A
//! [`Universe`] lists every value of a type within a [`Scope`], or draws one at random; it depends only on types.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt,
    rc::Rc,
};

use cspec_analysis::ir::{Literal, Program, Type, TypeDefKind};
use rustc_hash::FxHashMap;

/// A concrete value, with nothing unknown in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A truth value: `true` or `false`.
    Bool(bool),
    /// An integer of any type.
    Int(i128),
    Str(Rc<str>),
    /// A process, by its number.
    Pid(u64),
    /// A value of a `#[scalar]` type, named by a text.
    Scalar(Rc<str>),
    /// A tuple or struct; `()` is the empty one.
    Tuple(Vec<Value>),
    /// A variant of an enum; `None` is 0 and `Some` is 1.
    Variant(u32, Vec<Value>),
    /// A finite map: `Map`.
    Map(BTreeMap<Value, Value>),
    /// `Total`: the entries that differ from the default, and the default.
    Total(BTreeMap<Value, Value>, Box<Value>),
    /// A finite set: `Set`.
    Set(BTreeSet<Value>),
    /// A sequence: `Seq`, or an iterator.
    Seq(Vec<Value>),
}

impl Value {
    /// The unit value, `()`.
    pub const UNIT: Value = Value::Tuple(Vec::new());

    pub fn str(text: &str) -> Value {
        Value::Str(Rc::from(text))
    }

    /// The `Option` with this value, or `None`.
    pub fn option(value: Option<Value>) -> Value {
        match value {
            None => Value::Variant(0, Vec::new()),
            Some(value) => Value::Variant(1, vec![value]),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(it) => write!(f, "{it}"),
            Value::Int(it) => write!(f, "{it}"),
            Value::Str(it) => write!(f, "{it:?}"),
            Value::Pid(it) => write!(f, "p{it}"),
            Value::Scalar(it) => write!(f, "`{it}`"),
            Value::Tuple(fields) => list(f, "(", fields, ")"),
            Value::Variant(tag, fields) if fields.is_empty() => write!(f, "#{tag}"),
            Value::Variant(tag, fields) => {
                write!(f, "#{tag}")?;
                list(f, "(", fields, ")")
            }
            Value::Map(entries) => pairs(f, entries, None),
            Value::Total(entries, default) => pairs(f, entries, Some(default)),
            Value::Set(elements) => list(f, "{", elements, "}"),
            Value::Seq(elements) => list(f, "[", elements, "]"),
        }
    }
}

fn list<'v>(
    f: &mut fmt::Formatter<'_>,
    open: &str,
    values: impl IntoIterator<Item = &'v Value>,
    close: &str,
) -> fmt::Result {
    f.write_str(open)?;
    for (index, value) in values.into_iter().enumerate() {
        write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
    }
    f.write_str(close)
}

fn pairs(f: &mut fmt::Formatter<'_>, entries: &BTreeMap<Value, Value>, default: Option<&Value>) -> fmt::Result {
    f.write_str("{")?;
    for (index, (key, value)) in entries.iter().enumerate() {
        write!(f, "{}{key}: {value}", if index == 0 { "" } else { ", " })?;
    }
    match default {
        Some(default) if entries.is_empty() => write!(f, "..: {default}}}"),
        Some(default) => write!(f, ", ..: {default}}}"),
        None => f.write_str("}"),
    }
}

/// The finite universe of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The number of processes; they are numbered from 0.
    pub pids: u64,
    /// The integers, of every integer type that holds them.
    pub ints: Vec<i128>,
    /// Whether the two lowest and the two highest integers of each type belong to it, and those that the program names.
    pub ends: bool,
    /// Strings in addition to those in the program.
    pub strings: Vec<String>,
    /// The number of values of each `#[scalar]` type, in addition to those in the program.
    pub scalars: usize,
    /// The maximum number of entries of a map, total function or set.
    pub entries: usize,
    /// The maximum length of a sequence.
    pub length: usize,
}

impl Default for Scope {
    fn default() -> Scope {
        Scope { pids: 2, ints: vec![0, 1], ends: false, strings: vec![], scalars: 2, entries: 2, length: 2 }
    }
}

/// The values of a type cannot be listed, since there are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

/// The maximum number of values of one type that are listed.
pub const MOST_VALUES: usize = 200_000;

/// The values of a type, if there are few enough.
pub type Listed = Result<Rc<Vec<Value>>, TooMany>;

/// All values of each type of a program at a scope.
pub struct Universe<'p> {
    program: &'p Program,
    scope: Scope,
    literals: BTreeSet<Literal>,
    listed: RefCell<FxHashMap<Type, Listed>>,
}

impl<'p> Universe<'p> {
    /// The universe of a program. The literals of the program belong to it.
    pub fn new(program: &'p Program, scope: Scope) -> Universe<'p> {
        let literals = crate::literals::of(program);
        Universe { program, scope, literals, listed: RefCell::default() }
    }

    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Every value of a type.
    ///
    /// # Errors
    /// If there are more than [`MOST_VALUES`].
    pub fn values(&self, ty: &Type) -> Listed {
        if let Some(known) = self.listed.borrow().get(ty) {
            return known.clone();
        }
        let listed = if self.count(ty) > MOST_VALUES { Err(TooMany) } else { self.list(ty).map(Rc::new) };
        self.listed.borrow_mut().insert(ty.clone(), listed.clone());
        listed
    }

    /// The number of values of a type, without listing them; `usize::MAX` if it is too large to count.
    pub fn count(&self, ty: &Type) -> usize {
        let product = |types: &mut dyn Iterator<Item = &Type>| {
            types.fold(1_usize, |product, ty| product.saturating_mul(self.count(ty)))
        };
        match ty {
            Type::Never => 0,
            Type::Bool => 2,
            Type::Int { bits, signed } => self.ints(*bits, *signed).len(),
            Type::Str => self.strings().len(),
            Type::Pid => usize::try_from(self.scope.pids).unwrap_or(usize::MAX),
            Type::User(id) => match &self.program.types[id.0 as usize].kind {
                TypeDefKind::Scalar => self.scalars(ty).len(),
                TypeDefKind::Struct(fields) => product(&mut fields.iter().map(|it| &it.ty)),
                TypeDefKind::Enum(variants) => {
                    let counts = variants.iter().map(|it| product(&mut it.fields.iter().map(|it| &it.ty)));
                    counts.fold(0, usize::saturating_add)
                }
            },
            Type::Tuple(fields) => product(&mut fields.iter()),
            Type::Option(inner) => self.count(inner).saturating_add(1),
            Type::Result(ok, err) => self.count(ok).saturating_add(self.count(err)),
            Type::Map(key, value) => self.count_functions(self.count(key), self.count(value)),
            Type::Total(key, value) => {
                let default = self.default(value);
                // The values of an entry: the default is not an entry, and need not be in the universe.
                let values = match self.values(value) {
                    Ok(all) => all.iter().filter(|it| **it != default).count(),
                    Err(TooMany) => usize::MAX,
                };
                self.count_functions(self.count(key), values)
            }
            Type::Set(element) => self.count_functions(self.count(element), 1),
            Type::Seq(element) => {
                let longer = |number: &usize| Some(number.saturating_mul(self.count(element)));
                let by_length = std::iter::successors(Some(1_usize), longer).take(self.scope.length + 1);
                by_length.fold(0, usize::saturating_add)
            }
        }
    }

    /// The number of functions from this many keys to this many values, with few enough entries.
    fn count_functions(&self, keys: usize, values: usize) -> usize {
        let mut with_so_many = 1_usize;
        let mut all = 1_usize;
        for entries in 1..=self.scope.entries.min(keys) {
            // `n` entries have `n!` orders.
            with_so_many = with_so_many.saturating_mul(keys - entries + 1).saturating_mul(values) / entries;
            all = all.saturating_add(with_so_many);
        }
        all
    }

    fn list(&self, ty: &Type) -> Result<Vec<Value>, TooMany> {
        Ok(match ty {
            Type::Never => Vec::new(),
            Type::Bool => vec![Value::Bool(false), Value::Bool(true)],
            Type::Int { bits, signed } => self.ints(*bits, *signed),
            Type::Str => self.strings(),
            Type::Pid => (0..self.scope.pids).map(Value::Pid).collect(),
            Type::User(id) => match &self.program.types[id.0 as usize].kind {
                TypeDefKind::Scalar => self.scalars(ty),
                TypeDefKind::Struct(fields) => self.product(fields.iter().map(|it| &it.ty), Value::Tuple)?,
                TypeDefKind::Enum(variants) => {
                    let mut all = Vec::new();
                    for (tag, variant) in variants.iter().enumerate() {
                        let fields = variant.fields.iter().map(|it| &it.ty);
                        all.extend(self.product(fields, |fields| Value::Variant(tag as u32, fields))?);
                    }
                    all
                }
            },
            Type::Tuple(fields) => self.product(fields.iter(), Value::Tuple)?,
            Type::Option(inner) => {
                let some = self.values(inner)?;
                std::iter::once(None).chain(some.iter().cloned().map(Some)).map(Value::option).collect()
            }
            Type::Result(ok, err) => {
                let ok = self.product(std::iter::once(&**ok), |it| Value::Variant(0, it))?;
                let err = self.product(std::iter::once(&**err), |it| Value::Variant(1, it))?;
                ok.into_iter().chain(err).collect()
            }
            Type::Map(key, value) => self.functions(key, value, None)?.into_iter().map(Value::Map).collect(),
            Type::Total(key, value) => {
                let default = self.default(value);
                let all = self.functions(key, value, Some(&default))?;
                all.into_iter().map(|it| Value::Total(it, Box::new(default.clone()))).collect()
            }
            Type::Set(element) => {
                let all = self.functions(element, &Type::UNIT, None)?;
                all.into_iter().map(|it| Value::Set(it.into_keys().collect())).collect()
            }
            Type::Seq(element) => {
                let elements = self.values(element)?;
                let mut all = vec![Vec::new()];
                let mut longest = vec![Vec::new()];
                for _ in 0..self.scope.length {
                    longest = longest
                        .iter()
                        .flat_map(|seq: &Vec<Value>| {
                            elements.iter().map(|it| [&seq[..], std::slice::from_ref(it)].concat())
                        })
                        .collect();
                    all.extend(longest.iter().cloned());
                    limited(all.len())?;
                }
                all.into_iter().map(Value::Seq).collect()
            }
        })
    }

    fn ints(&self, bits: u8, signed: bool) -> Vec<Value> {
        let range = int_range(bits, signed);
        let mut all: BTreeSet<i128> = self.scope.ints.iter().copied().collect();
        if self.scope.ends {
            let (least, greatest) = (*range.start(), *range.end());
            all.extend([least, least + 1, greatest - 1, greatest]);
            all.extend(self.literals.iter().filter_map(|it| match it {
                Literal::Int(it) => Some(*it),
                _ => None,
            }));
        }
        all.into_iter().filter(|it| range.contains(it)).map(Value::Int).collect()
    }

    fn strings(&self) -> Vec<Value> {
        let mut all: BTreeSet<Value> = self.scope.strings.iter().map(|it| Value::str(it)).collect();
        all.extend(self.literals.iter().filter_map(|it| match it {
            Literal::Str(text) => Some(Value::str(text)),
            _ => None,
        }));
        all.into_iter().collect()
    }

    fn scalars(&self, ty: &Type) -> Vec<Value> {
        let named = self.literals.iter().filter_map(|it| match it {
            Literal::Scalar(of, text) if of == ty => Some(text.clone()),
            _ => None,
        });
        let others = (0..self.scope.scalars).map(|it| format!("?{it}"));
        named.chain(others).map(|it| Value::Scalar(Rc::from(it))).collect()
    }

    fn product<'t>(
        &self,
        types: impl Iterator<Item = &'t Type>,
        make: impl Fn(Vec<Value>) -> Value,
    ) -> Result<Vec<Value>, TooMany> {
        let mut rows = vec![Vec::new()];
        for ty in types {
            let values = self.values(ty)?;
            limited(rows.len() * values.len())?;
            rows = rows
                .iter()
                .flat_map(|row: &Vec<Value>| values.iter().map(|it| [&row[..], std::slice::from_ref(it)].concat()))
                .collect();
        }
        Ok(rows.into_iter().map(make).collect())
    }

    /// All finite functions with this many entries; entries with the default are omitted.
    fn functions(
        &self,
        key: &Type,
        value: &Type,
        default: Option<&Value>,
    ) -> Result<Vec<BTreeMap<Value, Value>>, TooMany> {
        let (keys, values) = (self.values(key)?, self.values(value)?);
        let mut all = vec![BTreeMap::new()];
        for key in keys.iter() {
            let mut more = Vec::new();
            for map in all.iter().filter(|it: &&BTreeMap<_, _>| it.len() < self.scope.entries) {
                for value in values.iter().filter(|it| Some(*it) != default) {
                    let mut map = map.clone();
                    map.insert(key.clone(), value.clone());
                    more.push(map);
                }
                limited(all.len() + more.len())?;
            }
            all.extend(more);
        }
        Ok(all)
    }

    /// Whether a value belongs to a type, inside or outside of this scope.
    pub fn belongs(&self, value: &Value, ty: &Type) -> bool {
        let all = |values: &[Value], types: Vec<&Type>| {
            values.len() == types.len() && values.iter().zip(types).all(|(value, ty)| self.belongs(value, ty))
        };
        let fields = |fields: &'p [cspec_analysis::ir::Field]| fields.iter().map(|it| &it.ty).collect::<Vec<_>>();
        match (value, ty) {
            (Value::Bool(_), Type::Bool) | (Value::Str(_), Type::Str) | (Value::Pid(_), Type::Pid) => true,
            (Value::Int(it), Type::Int { bits, signed }) => int_range(*bits, *signed).contains(it),
            (_, Type::User(id)) => match (value, &self.program.types[id.0 as usize].kind) {
                (Value::Scalar(_), TypeDefKind::Scalar) => true,
                (Value::Tuple(values), TypeDefKind::Struct(types)) => all(values, fields(types)),
                (Value::Variant(tag, values), TypeDefKind::Enum(variants)) => {
                    variants.get(*tag as usize).is_some_and(|it| all(values, fields(&it.fields)))
                }
                _ => false,
            },
            (Value::Tuple(values), Type::Tuple(types)) => all(values, types.iter().collect()),
            (Value::Variant(0, values), Type::Option(_)) => values.is_empty(),
            (Value::Variant(1, values), Type::Option(inner)) => all(values, vec![inner]),
            (Value::Variant(0, values), Type::Result(ok, _)) => all(values, vec![ok]),
            (Value::Variant(1, values), Type::Result(_, err)) => all(values, vec![err]),
            (Value::Map(entries), Type::Map(key, value)) | (Value::Total(entries, _), Type::Total(key, value)) => {
                entries.iter().all(|(k, v)| self.belongs(k, key) && self.belongs(v, value))
            }
            (Value::Set(elements), Type::Set(ty)) => elements.iter().all(|it| self.belongs(it, ty)),
            (Value::Seq(elements), Type::Seq(ty)) => elements.iter().all(|it| self.belongs(it, ty)),
            _ => false,
        }
    }

    /// A random value of a type; `None` if it has no value in this scope.
    pub fn sample(&self, ty: &Type, random: &mut fastrand::Rng) -> Option<Value> {
        let one_of = |values: Vec<Value>, random: &mut fastrand::Rng| random.choice(values);
        Some(match ty {
            Type::Never => return None,
            Type::Bool | Type::Int { .. } | Type::Str | Type::Pid => one_of(self.list(ty).ok()?, random)?,
            Type::User(id) => match &self.program.types[id.0 as usize].kind {
                TypeDefKind::Scalar => one_of(self.scalars(ty), random)?,
                TypeDefKind::Struct(fields) => Value::Tuple(self.samples(fields.iter().map(|it| &it.ty), random)?),
                TypeDefKind::Enum(variants) => {
                    let tag = random.usize(..variants.len());
                    Value::Variant(tag as u32, self.samples(variants[tag].fields.iter().map(|it| &it.ty), random)?)
                }
            },
            Type::Tuple(fields) => Value::Tuple(self.samples(fields.iter(), random)?),
            Type::Option(inner) => Value::option(if random.bool() { Some(self.sample(inner, random)?) } else { None }),
            Type::Result(ok, err) => {
                let tag = u32::from(random.bool());
                Value::Variant(tag, vec![self.sample(if tag == 0 { ok } else { err }, random)?])
            }
            Type::Map(key, value) => Value::Map(self.sample_entries(key, value, random)),
            Type::Total(key, value) => {
                let default = self.default(value);
                let mut entries = self.sample_entries(key, value, random);
                entries.retain(|_, it| *it != default);
                Value::Total(entries, Box::new(default))
            }
            Type::Set(element) => Value::Set(self.sample_entries(element, &Type::UNIT, random).into_keys().collect()),
            Type::Seq(element) => {
                let length = random.usize(..=self.scope.length);
                Value::Seq((0..length).filter_map(|_| self.sample(element, random)).collect())
            }
        })
    }

    fn samples<'t>(&self, types: impl Iterator<Item = &'t Type>, random: &mut fastrand::Rng) -> Option<Vec<Value>> {
        types.map(|ty| self.sample(ty, random)).collect()
    }

    fn sample_entries(&self, key: &Type, value: &Type, random: &mut fastrand::Rng) -> BTreeMap<Value, Value> {
        let count = random.usize(..=self.scope.entries);
        (0..count).filter_map(|_| Some((self.sample(key, random)?, self.sample(value, random)?))).collect()
    }

    /// The value of `Default::default()` of a type.
    pub fn default(&self, ty: &Type) -> Value {
        let all = |fields: &[cspec_analysis::ir::Field]| fields.iter().map(|it| self.default(&it.ty)).collect();
        match ty {
            Type::Never => Value::UNIT,
            Type::Bool => Value::Bool(false),
            Type::Int { .. } => Value::Int(0),
            Type::Str => Value::str(""),
            Type::Pid => Value::Pid(0),
            Type::User(id) => match &self.program.types[id.0 as usize].kind {
                TypeDefKind::Scalar => {
                    Value::Scalar(Rc::from(self.program.types[id.0 as usize].default.as_deref().unwrap_or_default()))
                }
                TypeDefKind::Struct(fields) => Value::Tuple(all(fields)),
                TypeDefKind::Enum(variants) => {
                    let default = self.program.types[id.0 as usize].default.as_ref();
                    let tag = variants.iter().position(|it| Some(&it.name) == default).unwrap_or(0);
                    Value::Variant(tag as u32, all(&variants[tag].fields))
                }
            },
            Type::Tuple(fields) => Value::Tuple(fields.iter().map(|it| self.default(it)).collect()),
            Type::Option(_) => Value::option(None),
            // It has none.
            Type::Result(ok, _) => Value::Variant(0, vec![self.default(ok)]),
            Type::Map(..) => Value::Map(BTreeMap::new()),
            Type::Total(_, value) => Value::Total(BTreeMap::new(), Box::new(self.default(value))),
            Type::Set(_) => Value::Set(BTreeSet::new()),
            Type::Seq(_) => Value::Seq(Vec::new()),
        }
    }
}

fn limited(count: usize) -> Result<(), TooMany> {
    if count > MOST_VALUES { Err(TooMany) } else { Ok(()) }
}

/// The range of an integer type.
pub fn int_range(bits: u8, signed: bool) -> std::ops::RangeInclusive<i128> {
    if signed { -(1 << (bits - 1))..=(1 << (bits - 1)) - 1 } else { 0..=(1 << bits) - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(ty: &Type, scope: Scope) -> usize {
        let program = Program::default();
        let universe = Universe::new(&program, scope);
        let listed = universe.values(ty).map_or(usize::MAX, |it| it.len());
        assert_eq!(universe.count(ty), listed, "counted without a list, and with one");
        listed
    }

    #[test]
    fn values_are_counted_by_hand() {
        let (pid, bool) = (Box::new(Type::Pid), Box::new(Type::Bool));
        let scope = || Scope { pids: 3, ..Scope::default() };
        assert_eq!(count(&Type::Option(pid.clone()), scope()), 4);
        assert_eq!(count(&Type::Tuple(vec![Type::Bool, Type::Pid, Type::UNIT]), scope()), 6);
        // No entry; one of three keys with two values; two of three keys with two values each.
        assert_eq!(count(&Type::Map(pid.clone(), bool.clone()), scope()), 1 + 3 * 2 + 3 * 4);
        // The default is not an entry.
        assert_eq!(count(&Type::Total(pid.clone(), bool.clone()), scope()), 1 + 3 + 3);
        assert_eq!(count(&Type::Set(pid.clone()), scope()), 1 + 3 + 3);
        assert_eq!(count(&Type::Seq(bool), scope()), 1 + 2 + 4);
        assert_eq!(
            count(&Type::Int { bits: 8, signed: true }, Scope { ints: vec![-129, -128, 127, 128], ..scope() }),
            2
        );
    }

    #[test]
    fn samples_are_among_the_values() {
        let program = Program::default();
        let universe = Universe::new(&program, Scope::default());
        let ty = Type::Tuple(vec![
            Type::Map(Box::new(Type::Pid), Box::new(Type::U64)),
            Type::Total(Box::new(Type::Pid), Box::new(Type::Seq(Box::new(Type::Bool)))),
        ]);
        let all: BTreeSet<Value> = universe.values(&ty).expect("few").iter().cloned().collect();
        let mut random = fastrand::Rng::with_seed(1);
        let drawn: BTreeSet<Value> = (0..200_000).filter_map(|_| universe.sample(&ty, &mut random)).collect();
        assert!(drawn.is_subset(&all));
        assert_eq!(drawn.len(), all.len(), "in so many draws every value comes up");
    }
}
