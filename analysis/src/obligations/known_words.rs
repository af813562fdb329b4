//! Facts in words: `phase[me] is absent`, `stage == Waiting if first == me`.

use super::{
    facts::{Component, Fact, Known},
    tell::Teller,
};
use crate::{
    explore::{cells::Relation, value::Value},
    ir::{Program, Type, TypeDefKind},
};

/// Says facts about states of one type, and a process.
pub(super) struct Words<'a, 't, 'w, 'p> {
    pub(super) program: &'a Program,
    pub(super) state: &'a Type,
    pub(super) me: &'a Value,
    pub(super) teller: Teller<'t, 'w, 'p>,
}

impl Words<'_, '_, '_, '_> {
    /// A fact, with its condition.
    pub(super) fn fact(&mut self, fact: &Fact) -> String {
        let (place, ty) = self.place(&fact.path);
        let said = match &fact.known {
            Known::Is(value) => format!("{place} == {}", self.value(value, &ty)),
            Known::Present => format!("{place} is present"),
            Known::Absent => format!("{place} is absent"),
            Known::NoneBut(keys) => format!("{place} has at most {} entries", keys.len()),
            Known::Related(relation, value) => format!("{place} {} {}", sign(*relation), self.value(value, &ty)),
            Known::Same(other) => format!("{place} == {}", self.other_place(other)),
            Known::RelatedTo(relation, other) => format!("{place} {} {}", sign(*relation), self.other_place(other)),
        };
        match &fact.only_if {
            Some(condition) => format!("{said} if {}", self.fact(condition)),
            None => said,
        }
    }

    fn other_place(&self, fields: &[usize]) -> String {
        let path: Vec<Component> = fields.iter().map(|it| Component::Field(*it)).collect();
        self.place(&path).0
    }

    /// A component as code would write it, and its type.
    fn place(&self, path: &[Component]) -> (String, Type) {
        let (mut text, mut ty) = (String::new(), self.state.clone());
        for component in path {
            let next = match (component, &ty) {
                (Component::Field(index), Type::Tuple(fields)) => fields.get(*index).map(|it| (index.to_string(), it)),
                (Component::Field(index), Type::User(id)) => match &self.program.types[id.0 as usize].kind {
                    TypeDefKind::Struct(fields) => fields.get(*index).map(|it| (it.name.clone(), &it.ty)),
                    _ => None,
                },
                (Component::Entry(_), Type::Map(_, value) | Type::Total(_, value)) => Some(("me".to_owned(), &**value)),
                (Component::Entry(_), Type::Set(_)) => Some(("me".to_owned(), &Type::UNIT)),
                _ => None,
            };
            let Some((name, inside)) = next else { break };
            match component {
                Component::Entry(_) => text.push_str("[me]"),
                Component::Field(_) if text.is_empty() => text.push_str(&name),
                Component::Field(_) => text.push_str(&format!(".{name}")),
            }
            ty = inside.clone();
        }
        (text, ty)
    }

    fn value(&mut self, value: &Value, ty: &Type) -> String {
        if value == self.me {
            "me".to_owned()
        } else if *value == Value::some(self.me.clone()) {
            "Some(me)".to_owned()
        } else {
            self.teller.datum(value, ty).to_string()
        }
    }
}

fn sign(relation: Relation) -> &'static str {
    match relation {
        Relation::Not => "!=",
        Relation::AtLeast => ">=",
        Relation::AtMost => "<=",
    }
}
