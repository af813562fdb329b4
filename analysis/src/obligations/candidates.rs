//! What may be known of a state between procedures: candidates, read off the type of the state.
//!
//! They are components that have a constant value, or another one than that; entries of the own process that are there, or not; components
//! that are the same, or different, or one no more than the other; components that are keys of a collection, or are not, where of an option only
//! what is in it counts; collections of which all keys are keys of another one, or less than a counter; and each of the first under one condition on the own process or a flag. Most
//! of them are wrong: [`super::idle`] keeps those that hold.

use super::facts::{Component, Fact, Known};
use crate::{
    explore::{
        cells::{Numbers, Relation, sort_of},
        search::Search,
        value::{Sort, Value},
    },
    ir::{Type, TypeDefKind, int::IntType},
};

/// Constants of one type that are tried.
const MOST_CONSTANTS: usize = 4;

/// Variants of an enum that are tried.
const MOST_VARIANTS: usize = 8;

/// Components that are looked at.
const MOST_COMPONENTS: usize = 24;

/// A component that is neither a struct nor a map.
struct Leaf {
    path: Vec<Component>,
    /// The path, if there are only fields on it.
    fields: Option<Vec<usize>>,
    ty: Type,
}

/// Candidates: those that always hold, and those that hold only under a condition.
pub(super) struct Candidates {
    pub(super) always: Vec<Fact>,
    pub(super) conditional: Vec<Fact>,
    /// Whether there are components whose order may be known: two integers of one type, or one and a collection with such keys.
    pub(super) has_integers: bool,
}

/// Candidates for states of a type, and a process.
pub(super) fn candidates(search: &Search<'_, '_>, ty: &Type, me: &Value) -> Candidates {
    let mut finder = Finder { search, me, leaves: Vec::new(), collections: Vec::new(), always: Vec::new() };
    finder.component(ty, &mut Vec::new());
    finder.leaves.truncate(MOST_COMPONENTS);
    let Finder { leaves, collections, mut always, .. } = finder;
    let mut conditions = Vec::new();
    for leaf in &leaves {
        let constants = constants(search, &leaf.ty, me);
        let tells_itself = |value: &Value| *value == *me || *value == Value::some(me.clone());
        for (value, can_differ) in constants {
            let is = Fact::new(&leaf.path, Known::Is(value.clone()));
            if leaf.fields.is_some() && (tells_itself(&value) || leaf.ty == Type::Bool) {
                conditions.push((leaf.path.clone(), is.clone()));
            }
            always.push(is);
            if can_differ {
                always.push(Fact::new(&leaf.path, Known::Related(Relation::Not, value)));
            }
        }
    }
    let under = |(path, condition): &(Vec<Component>, Fact)| -> Vec<Fact> {
        always.iter().filter(|it| !it.is_about(path)).map(|it| it.only_if(condition)).collect()
    };
    let conditional = conditions.iter().flat_map(under).collect();
    always.extend(pairs(search, &leaves));
    always.extend(keys(search, &leaves, &collections));
    always.extend(within(search, &leaves, &collections));
    let integers: Vec<&Type> = leaves.iter().map(|it| &it.ty).filter(|it| matches!(it, Type::Int { .. })).collect();
    let is_counted = |it: &&&Type| collections.iter().any(|(_, key)| key == **it);
    let has_integers = integers.iter().enumerate().any(|(index, it)| integers[..index].contains(it))
        || integers.iter().any(|it| is_counted(&it));
    Candidates { always, conditional, has_integers }
}

struct Finder<'a, 'w, 'p> {
    search: &'a Search<'w, 'p>,
    me: &'a Value,
    leaves: Vec<Leaf>,
    /// Maps and sets, and the types of their keys.
    collections: Vec<(Vec<usize>, Type)>,
    /// Facts about entries.
    always: Vec<Fact>,
}

impl Finder<'_, '_, '_> {
    fn component(&mut self, ty: &Type, path: &mut Vec<Component>) {
        let fields: Vec<Type> = match ty {
            Type::Tuple(fields) => fields.clone(),
            Type::User(id) => match &self.search.program.types[id.0 as usize].kind {
                TypeDefKind::Struct(fields) => fields.iter().map(|it| it.ty.clone()).collect(),
                TypeDefKind::Scalar | TypeDefKind::Enum(_) => return self.leaf(ty, path),
            },
            Type::Map(key, value) | Type::Total(key, value) => {
                if matches!(ty, Type::Map(..)) {
                    self.collection(key, path);
                }
                if **key == Type::Pid {
                    self.entry(matches!(ty, Type::Map(..)), value, path);
                }
                return;
            }
            Type::Set(key) => {
                self.collection(key, path);
                if **key == Type::Pid {
                    self.entry(true, &Type::UNIT, path);
                }
                return;
            }
            Type::Seq(_) | Type::Str | Type::Never => return,
            _ => return self.leaf(ty, path),
        };
        for (index, field) in fields.iter().enumerate() {
            path.push(Component::Field(index));
            self.component(field, path);
            path.pop();
        }
    }

    fn entry(&mut self, may_be_absent: bool, value: &Type, path: &mut Vec<Component>) {
        path.push(Component::Entry(self.me.clone()));
        if may_be_absent {
            self.always.extend([Known::Absent, Known::Present].map(|it| Fact::new(path, it)));
        }
        self.component(value, path);
        path.pop();
    }

    fn collection(&mut self, key: &Type, path: &[Component]) {
        self.collections.extend(fields(path).map(|it| (it, key.clone())));
    }

    fn leaf(&mut self, ty: &Type, path: &[Component]) {
        let fields = fields(path);
        self.leaves.push(Leaf { path: path.to_vec(), fields, ty: ty.clone() });
    }
}

/// The path, if there are only fields on it.
fn fields(path: &[Component]) -> Option<Vec<usize>> {
    path.iter().map(|it| if let Component::Field(index) = it { Some(*index) } else { None }).collect()
}

/// Components that are keys of collections, or are not; or what is in them, if they are options.
fn keys(search: &Search<'_, '_>, leaves: &[Leaf], collections: &[(Vec<usize>, Type)]) -> Vec<Fact> {
    let mut all = Vec::new();
    for leaf in leaves.iter().filter(|it| it.fields.is_some()) {
        let inside = if let Type::Option(inside) = &leaf.ty { inside } else { &leaf.ty };
        let is_plain = matches!(inside, Type::Int { .. }) || sort_of(search.program, inside).is_some();
        for (path, _) in collections.iter().filter(|it| is_plain && it.1 == *inside) {
            let relations = [Relation::KeyOf, Relation::NoKeyOf];
            all.extend(relations.map(|it| Fact::new(&leaf.path, Known::RelatedTo(it, path.clone()))));
        }
    }
    all
}

/// Collections of which all keys are keys of another one, or less than a counter.
fn within(search: &Search<'_, '_>, leaves: &[Leaf], collections: &[(Vec<usize>, Type)]) -> Vec<Fact> {
    let has_order = search.world.cells.numbers != Numbers::Atoms;
    let counters = leaves.iter().filter(|it| has_order && matches!(it.ty, Type::Int { .. }));
    let counters = counters.filter_map(|it| Some((it.fields.clone()?, it.ty.clone())));
    let others: Vec<(Vec<usize>, Type)> = collections.iter().cloned().chain(counters).collect();
    let mut all = Vec::new();
    for (path, key) in collections {
        let at: Vec<Component> = path.iter().map(|it| Component::Field(*it)).collect();
        for (other, _) in others.iter().filter(|it| it.0 != *path && it.1 == *key) {
            all.push(Fact::new(&at, Known::RelatedTo(Relation::Within, other.clone())));
        }
    }
    all
}

/// Constants of a type, each with whether it says something that a component is not this one.
pub(super) fn constants(search: &Search<'_, '_>, ty: &Type, me: &Value) -> Vec<(Value, bool)> {
    match ty {
        Type::Bool => [false, true].map(|it| (Value::Bool(it), false)).to_vec(),
        Type::Pid => vec![(me.clone(), true)],
        Type::Option(inside) => {
            let mut all = vec![(Value::none(), true)];
            if **inside == Type::Pid {
                all.push((Value::some(me.clone()), true));
            }
            all
        }
        Type::Int { .. } => {
            let fits = |it: &&i128| IntType::of(ty).is_some_and(|int| int.contains(**it));
            let literals = search.world.cells.int_literals.iter().filter(fits).take(MOST_CONSTANTS);
            literals.map(|it| (Value::int(*it), true)).collect()
        }
        Type::User(id) => match &search.program.types[id.0 as usize].kind {
            TypeDefKind::Enum(variants) => {
                let bare = variants.iter().enumerate().take(MOST_VARIANTS).filter(|it| it.1.fields.is_empty());
                bare.map(|(tag, _)| (Value::Variant(tag as u32, [].into()), variants.len() > 2)).collect()
            }
            TypeDefKind::Scalar => {
                let sort = sort_of(search.program, ty).unwrap_or(Sort::User(id.0));
                let count = search.world.cells.scalar_literals(sort).len().min(MOST_CONSTANTS);
                (0..count).map(|it| (Value::Atom(sort, it as u32), true)).collect()
            }
            TypeDefKind::Struct(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// How components of one type may be related.
fn pairs(search: &Search<'_, '_>, leaves: &[Leaf]) -> Vec<Fact> {
    let mut all = Vec::new();
    for (index, first) in leaves.iter().enumerate() {
        for second in &leaves[index + 1..] {
            let (Some(one), Some(other)) = (&first.fields, &second.fields) else { continue };
            if first.ty != second.ty {
                continue;
            }
            let about = |it| Fact::new(&first.path, it);
            all.push(about(Known::Same(other.clone())));
            all.push(about(Known::RelatedTo(Relation::Not, other.clone())));
            if matches!(first.ty, Type::Int { .. }) && search.world.cells.numbers != Numbers::Atoms {
                all.push(about(Known::RelatedTo(Relation::AtMost, other.clone())));
                all.push(Fact::new(&second.path, Known::RelatedTo(Relation::AtMost, one.clone())));
            }
        }
    }
    all
}
