//! Facts in words: `phase[me] is absent`, `stage == Waiting if first == me`.

use super::facts::{Component, Fact, Known};
use crate::{
    explore::cells::Relation,
    ir::{Program, Type, TypeDefKind},
};

/// Says facts about states of one type.
pub(super) struct Words<'a, V> {
    pub(super) program: &'a Program,
    pub(super) state: &'a Type,
    /// Says a value of a type.
    pub(super) say: &'a mut dyn FnMut(&V, &Type) -> String,
}

impl<V> Words<'_, V> {
    /// A fact, with its condition.
    pub(super) fn fact(&mut self, fact: &Fact<V>) -> String {
        let (place, ty) = self.place(&fact.path);
        let said = match &fact.known {
            Known::Is(value) => format!("{place} == {}", (self.say)(value, &ty)),
            Known::Present => format!("{place} is present"),
            Known::Absent => format!("{place} is absent"),
            Known::NoneBut(keys) if keys.is_empty() => format!("{place} is empty"),
            Known::NoneBut(keys) => format!("{place} has at most {} entries", keys.len()),
            Known::Related(relation, value) => format!("{place} {} {}", sign(*relation), (self.say)(value, &ty)),
            Known::Same(other) => format!("{place} == {}", self.other_place(other)),
            Known::RelatedTo(Relation::KeyOf, other) => format!("{place} is a key of {}", self.other_place(other)),
            Known::RelatedTo(Relation::NoKeyOf, other) => format!("{place} is no key of {}", self.other_place(other)),
            Known::RelatedTo(Relation::Within, other) => self.within(&place, other),
            Known::RelatedTo(relation, other) => format!("{place} {} {}", sign(*relation), self.other_place(other)),
        };
        match &fact.only_if {
            Some(condition) => format!("{said} if {}", self.fact(condition)),
            None => said,
        }
    }

    fn within(&mut self, place: &str, other: &[usize]) -> String {
        let path: Vec<Component<V>> = other.iter().map(|it| Component::Field(*it)).collect();
        match self.place(&path) {
            (bound, Type::Int { .. }) => format!("all keys of {place} are less than {bound}"),
            (other, _) => format!("all keys of {place} are keys of {other}"),
        }
    }

    fn other_place(&mut self, fields: &[usize]) -> String {
        let path: Vec<Component<V>> = fields.iter().map(|it| Component::Field(*it)).collect();
        self.place(&path).0
    }

    /// A component as code would write it, and its type.
    fn place(&mut self, path: &[Component<V>]) -> (String, Type) {
        let (mut text, mut ty) = (String::new(), self.state.clone());
        for component in path {
            let next = match (component, &ty) {
                (Component::Field(index), Type::Tuple(fields)) => {
                    fields.get(*index).map(|it| (index.to_string(), it.clone()))
                }
                (Component::Field(index), Type::User(id)) => match &self.program.types[id.0 as usize].kind {
                    TypeDefKind::Struct(fields) => fields.get(*index).map(|it| (it.name.clone(), it.ty.clone())),
                    _ => None,
                },
                (Component::Entry(key), Type::Map(of, value) | Type::Total(of, value)) => {
                    Some((format!("[{}]", (self.say)(key, of)), (**value).clone()))
                }
                (Component::Entry(key), Type::Set(of)) => Some((format!("[{}]", (self.say)(key, of)), Type::UNIT)),
                _ => None,
            };
            let Some((name, inside)) = next else { break };
            match component {
                Component::Field(_) if !text.is_empty() => text.push_str(&format!(".{name}")),
                _ => text.push_str(&name),
            }
            ty = inside;
        }
        (text, ty)
    }
}

fn sign(relation: Relation) -> &'static str {
    match relation {
        Relation::Not => "!=",
        Relation::AtLeast => ">=",
        Relation::AtMost => "<=",
        Relation::KeyOf => "is a key of",
        Relation::NoKeyOf => "is no key of",
        Relation::Within => "is within",
    }
}
