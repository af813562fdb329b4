//! Facts about a value that follow from its type.

use std::{collections::BTreeSet, rc::Rc};

use crate::{
    explore::value::{MapValue, Sort, Value},
    ir::{Program, Type, TypeDefKind, TypeId},
};

/// The sort of a type whose values are only compared for equality.
pub fn sort_of(program: &Program, ty: &Type) -> Option<Sort> {
    match ty {
        Type::Pid => Some(Sort::Pid),
        Type::User(id) => match program.types[id.0 as usize].kind {
            TypeDefKind::Scalar => Some(Sort::User(id.0)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the default of a type is known: the default of a scalar is known if it is a literal of the code.
pub fn has_known_default(program: &Program, ty: &Type) -> bool {
    match ty {
        Type::Pid | Type::Result(..) => false,
        Type::Tuple(fields) => fields.iter().all(|it| has_known_default(program, it)),
        Type::User(id) => match &program.types[id.0 as usize].kind {
            TypeDefKind::Scalar => program.types[id.0 as usize].default.is_some(),
            TypeDefKind::Struct(fields) => fields.iter().all(|it| has_known_default(program, &it.ty)),
            TypeDefKind::Enum(variants) => variants
                .get(default_variant(program, *id))
                .is_none_or(|it| it.fields.iter().all(|field| has_known_default(program, &field.ty))),
        },
        _ => true,
    }
}

/// Whether values of a type contain signed integers, apart from those in the fields of user types.
pub fn has_signed(ty: &Type) -> bool {
    match ty {
        Type::Int { signed, .. } => *signed,
        Type::Map(one, other) | Type::Total(one, other) | Type::Result(one, other) => {
            has_signed(one) || has_signed(other)
        }
        Type::Option(inner) | Type::Set(inner) | Type::Seq(inner) => has_signed(inner),
        Type::Tuple(fields) => fields.iter().any(has_signed),
        Type::Never | Type::Bool | Type::Str | Type::Pid | Type::User(_) => false,
    }
}

/// Whether a type contains a total function whose default is not known.
pub fn has_unknown_total(program: &Program, ty: &Type) -> bool {
    match ty {
        Type::Total(key, value) => {
            !has_known_default(program, value) || has_unknown_total(program, key) || has_unknown_total(program, value)
        }
        Type::Map(one, other) | Type::Result(one, other) => {
            has_unknown_total(program, one) || has_unknown_total(program, other)
        }
        Type::Option(inner) | Type::Set(inner) | Type::Seq(inner) => has_unknown_total(program, inner),
        Type::Tuple(fields) => fields.iter().any(|it| has_unknown_total(program, it)),
        _ => false,
    }
}

/// The scalars that occur in the default of a type, and in the defaults of its total functions.
pub fn scalars_of_default(program: &Program, ty: &Type, is_default: bool, found: &mut BTreeSet<TypeId>) {
    let mut all = |types: &mut dyn Iterator<Item = &Type>| {
        types.for_each(|it| scalars_of_default(program, it, is_default, found));
    };
    match ty {
        Type::Total(key, value) => {
            scalars_of_default(program, key, false, found);
            scalars_of_default(program, value, true, found);
        }
        Type::Map(one, other) | Type::Result(one, other) => {
            [one, other].iter().for_each(|it| scalars_of_default(program, it, false, found));
        }
        Type::Option(inner) | Type::Set(inner) | Type::Seq(inner) => scalars_of_default(program, inner, false, found),
        Type::Tuple(fields) => all(&mut fields.iter()),
        Type::User(id) if is_default => match &program.types[id.0 as usize].kind {
            TypeDefKind::Scalar => drop(found.insert(*id)),
            TypeDefKind::Struct(fields) => all(&mut fields.iter().map(|it| &it.ty)),
            TypeDefKind::Enum(variants) => all(&mut variants
                .get(default_variant(program, *id))
                .into_iter()
                .flat_map(|it| &it.fields)
                .map(|it| &it.ty)),
        },
        _ => {}
    }
}

/// `Default::default()` of a type. For a scalar: its first atom, the one of the literal (see [`has_known_default`]).
pub fn default_of(program: &Program, ty: &Type) -> Value {
    match ty {
        Type::Bool => Value::Bool(false),
        Type::Int { .. } => Value::int(0),
        Type::Str => Value::Str(Rc::from("")),
        Type::Pid => Value::Atom(Sort::Pid, 0),
        Type::Option(_) => Value::none(),
        // It has none.
        Type::Result(ok, _) => Value::Variant(0, [default_of(program, ok)].into()),
        Type::Map(..) | Type::Set(_) => Value::Map(MapValue::empty(None)),
        Type::Total(_, value) => Value::Map(MapValue::empty(Some(default_of(program, value)))),
        Type::Seq(_) => Value::seq(Vec::new()),
        Type::Tuple(fields) => Value::tuple(fields.iter().map(|ty| default_of(program, ty)).collect()),
        Type::Never => Value::Unit,
        Type::User(id) => match &program.types[id.0 as usize].kind {
            TypeDefKind::Scalar => Value::Atom(Sort::User(id.0), 0),
            TypeDefKind::Struct(fields) => Value::tuple(fields.iter().map(|it| default_of(program, &it.ty)).collect()),
            TypeDefKind::Enum(variants) => {
                let tag = default_variant(program, *id);
                let fields = variants.get(tag).map_or(&[][..], |it| &it.fields);
                Value::Variant(tag as u32, fields.iter().map(|it| default_of(program, &it.ty)).collect())
            }
        },
    }
}

/// The number of the variant that is the default of an enum.
fn default_variant(program: &Program, id: TypeId) -> usize {
    let definition = &program.types[id.0 as usize];
    let TypeDefKind::Enum(variants) = &definition.kind else { return 0 };
    variants.iter().position(|it| Some(&it.name) == definition.default.as_ref()).unwrap_or(0)
}
