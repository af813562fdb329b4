//! Values of the exploration as [data](Datum), for counterexamples. Processes are numbered from 0.

use super::{
    cells::{Cells, WITNESS_ATOMS},
    order::Numbering,
    text::Piece,
    value::{MapValue, Sort, Value},
};
use crate::{
    counterexample::{Datum, TextPart},
    ir::{Type, TypeDefKind},
};

/// Shows values.
pub struct Show<'c, 'p> {
    /// What is behind them.
    pub cells: &'c Cells<'p>,
    /// The numbers that atoms are shown with.
    pub numbering: &'c Numbering,
}

impl Show<'_, '_> {
    /// The value as data.
    pub fn datum(&self, value: &Value, ty: &Type) -> Datum {
        match (value, ty) {
            (Value::Unit, _) => Datum::Unit,
            (Value::Bool(it), _) => Datum::Bool(*it),
            (Value::Int(it), _) => Datum::Int(*it),
            (Value::Str(it), _) => Datum::Str(it.to_string()),
            (Value::Text(pieces), _) => self.text(pieces),
            (Value::Atom(sort, number), _) => self.atom(*sort, *number),
            (Value::Tuple(fields), Type::Tuple(types)) => {
                Datum::Tuple(fields.iter().zip(types).map(|(it, ty)| self.datum(it, ty)).collect())
            }
            (Value::Tuple(fields), Type::User(id)) => {
                let def = &self.cells.program.types[id.0 as usize];
                let TypeDefKind::Struct(names) = &def.kind else { return Datum::Opaque };
                let fields = fields.iter().zip(names);
                let fields = fields.map(|(it, field)| (field.name.clone(), self.datum(it, &field.ty)));
                Datum::Struct(def.name.clone(), fields.collect())
            }
            (Value::Variant(tag, fields), Type::Option(ty)) => {
                let name = if *tag == 0 { "None" } else { "Some" };
                let fields = fields.iter().map(|it| self.datum(it, ty)).collect();
                Datum::Variant("Option".to_owned(), name.to_owned(), fields)
            }
            (Value::Variant(tag, fields), Type::User(id)) => self.variant(*tag, fields, id.0),
            (Value::Seq(elements), Type::Seq(ty)) => Datum::Seq(elements.iter().map(|it| self.datum(it, ty)).collect()),
            (Value::Map(map), _) => self.map(map, ty),
            (Value::Cell(_) | Value::Tuple(_) | Value::Variant(..) | Value::Seq(_) | Value::Unordered(_), _) => {
                Datum::Opaque
            }
        }
    }

    fn variant(&self, tag: u32, fields: &[Value], user: u32) -> Datum {
        let def = &self.cells.program.types[user as usize];
        let TypeDefKind::Enum(variants) = &def.kind else { return Datum::Opaque };
        let Some(variant) = variants.get(tag as usize) else { return Datum::Opaque };
        let fields = fields.iter().zip(&variant.fields).map(|(it, field)| self.datum(it, &field.ty)).collect();
        Datum::Variant(def.name.clone(), variant.name.clone(), fields)
    }

    fn map(&self, map: &MapValue, ty: &Type) -> Datum {
        let present = map.over.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
        let pairs =
            |k: &Type, v: &Type| present.clone().map(|(key, it)| (self.datum(key, k), self.datum(it, v))).collect();
        match ty {
            Type::Map(k, v) => Datum::Map(pairs(k, v)),
            Type::Total(k, v) => Datum::Total(pairs(k, v)),
            Type::Set(k) => Datum::Set(present.map(|(key, _)| self.datum(key, k)).collect()),
            _ => Datum::Opaque,
        }
    }

    fn text(&self, pieces: &[Piece]) -> Datum {
        let part = |piece: &Piece| match piece {
            Piece::Literal(text) => TextPart::Characters(text.to_string()),
            Piece::Decimal(sort, number) => TextPart::Of(self.atom(*sort, *number)),
            Piece::Other(number) => TextPart::Of(self.atom(Sort::Str, *number)),
        };
        Datum::Text(pieces.iter().map(part).collect())
    }

    /// A value whose type is not known, that of an event, as data.
    pub fn untyped(&self, value: &Value) -> Datum {
        match value {
            Value::Unit => Datum::Unit,
            Value::Bool(it) => Datum::Bool(*it),
            Value::Int(it) => Datum::Int(*it),
            Value::Str(it) => Datum::Str(it.to_string()),
            Value::Text(pieces) => self.text(pieces),
            Value::Atom(sort, number) => self.atom(*sort, *number),
            Value::Tuple(fields) => Datum::Tuple(fields.iter().map(|it| self.untyped(it)).collect()),
            Value::Seq(elements) => Datum::Seq(elements.iter().map(|it| self.untyped(it)).collect()),
            _ => Datum::Opaque,
        }
    }

    fn atom(&self, sort: Sort, number: u32) -> Datum {
        let literals = self.cells.scalar_literals(sort);
        let type_name = |user: u32| self.cells.program.types[user as usize].name.clone();
        if let Some(text) = literals.get(number as usize) {
            let name = if let Sort::User(user) = sort { type_name(user) } else { "Pid".to_owned() };
            return Datum::Named(name, text.clone());
        }
        let number = self.numbering.get(&(sort, number)).copied().unwrap_or(number);
        let number = if number >= WITNESS_ATOMS { number - WITNESS_ATOMS + 90 } else { number };
        match sort {
            Sort::Pid => Datum::Pid(number - literals.len() as u32),
            Sort::User(user) => Datum::Fresh(type_name(user), number),
            // Some integer that the code does not name.
            Sort::Int => {
                Datum::Int(self.cells.int_literals.last().copied().unwrap_or(0).max(6) + 1 + i64::from(number))
            }
            Sort::Str => Datum::Str(format!("s{number}")),
        }
    }
}
