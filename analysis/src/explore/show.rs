//! Values in words, for counterexamples. Values are written as the user would write them; processes are `p0`, `p1`, …

use super::{
    cells::{Cells, WITNESS_ATOMS},
    text::Piece,
    value::{MapValue, Sort, Value},
};
use crate::ir::{Type, TypeDefKind};

/// Writes values of known types.
pub struct Show<'c, 'p>(pub &'c Cells<'p>);

impl Show<'_, '_> {
    /// The value as text.
    pub fn value(&self, value: &Value, ty: &Type) -> String {
        match (value, ty) {
            (Value::Unit, _) => "()".to_owned(),
            (Value::Bool(it), _) => it.to_string(),
            (Value::Int(it), _) => it.to_string(),
            (Value::Str(it), _) => format!("{it:?}"),
            (Value::Text(pieces), _) => self.text(pieces),
            (Value::Atom(sort, number), _) => self.atom(*sort, *number),
            (Value::Cell(_), _) => "_".to_owned(),
            (Value::Tuple(fields), Type::Tuple(types)) => {
                let fields: Vec<String> = fields.iter().zip(types).map(|(it, ty)| self.value(it, ty)).collect();
                format!("({})", fields.join(", "))
            }
            (Value::Tuple(fields), Type::User(id)) => {
                let def = &self.0.program.types[id.0 as usize];
                let TypeDefKind::Struct(names) = &def.kind else { return def.name.clone() };
                let fields = fields
                    .iter()
                    .zip(names)
                    .map(|(it, field)| format!("{}: {}", field.name, self.value(it, &field.ty)));
                format!("{} {{ {} }}", def.name, fields.collect::<Vec<_>>().join(", "))
            }
            (Value::Variant(0, _), Type::Option(_)) => "None".to_owned(),
            (Value::Variant(_, fields), Type::Option(ty)) => {
                format!("Some({})", fields.first().map_or_else(String::new, |it| self.value(it, ty)))
            }
            (Value::Variant(tag, fields), Type::User(id)) => self.variant(*tag, fields, id.0),
            (Value::Seq(elements), Type::Seq(ty)) => {
                let elements: Vec<String> = elements.iter().map(|it| self.value(it, ty)).collect();
                format!("[{}]", elements.join(", "))
            }
            (Value::Map(map), _) => self.map(map, ty),
            (Value::Tuple(_) | Value::Variant(..) | Value::Seq(_), _) => "…".to_owned(),
        }
    }

    fn variant(&self, tag: u32, fields: &[Value], user: u32) -> String {
        let def = &self.0.program.types[user as usize];
        let TypeDefKind::Enum(variants) = &def.kind else { return def.name.clone() };
        let Some(variant) = variants.get(tag as usize) else { return def.name.clone() };
        if fields.is_empty() {
            return variant.name.clone();
        }
        let fields: Vec<String> =
            fields.iter().zip(&variant.fields).map(|(it, field)| self.value(it, &field.ty)).collect();
        format!("{}({})", variant.name, fields.join(", "))
    }

    fn map(&self, map: &MapValue, ty: &Type) -> String {
        let entries: Vec<String> = map
            .over
            .iter()
            .filter_map(|(key, value)| {
                let value = value.as_ref()?;
                Some(match ty {
                    Type::Map(k, v) | Type::Total(k, v) => format!("{}: {}", self.value(key, k), self.value(value, v)),
                    Type::Set(k) => self.value(key, k),
                    _ => "…".to_owned(),
                })
            })
            .collect();
        format!("{{{}}}", entries.join(", "))
    }

    /// A made string; what is printed of a process or number that is not known stands in braces.
    fn text(&self, pieces: &[Piece]) -> String {
        let pieces = pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => text.to_string(),
            Piece::Decimal(sort, number) => format!("{{{}}}", self.atom(*sort, *number)),
            Piece::Other(number) => format!("{{s{number}}}"),
        });
        format!("\"{}\"", pieces.collect::<String>())
    }

    fn atom(&self, sort: Sort, number: u32) -> String {
        if let Some(text) = self.0.scalar_literals(sort).get(number as usize) {
            return text.clone();
        }
        let number = if number >= WITNESS_ATOMS { number - WITNESS_ATOMS + 90 } else { number };
        match sort {
            Sort::Pid => format!("p{}", number - self.0.scalar_literals(sort).len() as u32),
            Sort::User(user) => format!("{}({number})", self.0.program.types[user as usize].name),
            // Some integer that the code does not name.
            Sort::Int => (self.0.int_literals.last().copied().unwrap_or(0).max(6) + 1 + i64::from(number)).to_string(),
            Sort::Str => format!("\"s{number}\""),
        }
    }
}
