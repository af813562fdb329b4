//! Converts values of the exploration to [data](Datum), for counterexamples. Processes are numbered from 0.

use super::{
    cells::{Cells, sort_of},
    order::Numbering,
    text::Piece,
    value::{MapValue, Sort, Value},
};
use crate::{
    counterexample::{Datum, TextPart},
    ir::{Type, TypeDefKind},
};

/// Converts values to data.
pub struct Show<'c, 'p> {
    /// The cells that the values refer to.
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
            (Value::Int(it), _) => Datum::Int(it.get()),
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
            (Value::Variant(tag, fields), Type::Result(ok, err)) => {
                let (name, ty) = if *tag == 0 { ("Ok", ok) } else { ("Err", err) };
                let fields = fields.iter().map(|it| self.datum(it, ty)).collect();
                Datum::Variant("Result".to_owned(), name.to_owned(), fields)
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

    /// An event as data. It does not carry its types, but there are only a few kinds of events of its name.
    pub fn event(&self, event: &Value, kinds: &[(String, Vec<Type>)]) -> Datum {
        let Value::Tuple(parts) = event else { return Datum::Opaque };
        let Some((Value::Str(name), rest)) = parts.split_first() else { return Datum::Opaque };
        let of_this_name = kinds.iter().filter(|(it, types)| **it == **name && types.len() == rest.len());
        let fitting = of_this_name.filter(|(_, types)| rest.iter().zip(types).all(|(it, ty)| self.is_of(it, ty)));
        let mut shown: Vec<Vec<Datum>> =
            fitting.map(|(_, types)| rest.iter().zip(types).map(|(it, ty)| self.datum(it, ty)).collect()).collect();
        shown.dedup();
        // If the values of two types look alike, the type is ambiguous.
        let parts = match shown.pop() {
            Some(parts) if shown.is_empty() => parts,
            _ => vec![Datum::Opaque; rest.len()],
        };
        Datum::Tuple([Datum::Str(name.to_string())].into_iter().chain(parts).collect())
    }

    /// Whether a value may be one of this type.
    fn is_of(&self, value: &Value, ty: &Type) -> bool {
        let all = |values: &[Value], types: &mut dyn Iterator<Item = &Type>| {
            values.iter().all(|it| types.next().is_some_and(|ty| self.is_of(it, ty))) && types.next().is_none()
        };
        match (value, ty) {
            (Value::Unit, _) => *ty == Type::UNIT,
            (Value::Bool(_), _) => *ty == Type::Bool,
            (Value::Int(_) | Value::Atom(Sort::Int, _), _) => matches!(ty, Type::Int { .. }),
            (Value::Str(_) | Value::Text(_) | Value::Atom(Sort::Str, _), _) => *ty == Type::Str,
            (Value::Atom(sort, _), _) => sort_of(self.cells.program, ty) == Some(*sort),
            (Value::Tuple(fields), Type::Tuple(types)) => all(fields, &mut types.iter()),
            (Value::Variant(tag, fields), Type::Option(ty)) => {
                all(fields, &mut std::iter::repeat_n(&**ty, *tag as usize))
            }
            (Value::Variant(tag, fields), Type::Result(ok, err)) => {
                all(fields, &mut std::iter::once(if *tag == 0 { &**ok } else { &**err }))
            }
            (Value::Tuple(fields), Type::User(id)) => match &self.cells.program.types[id.0 as usize].kind {
                TypeDefKind::Struct(types) => all(fields, &mut types.iter().map(|it| &it.ty)),
                _ => false,
            },
            (Value::Variant(tag, fields), Type::User(id)) => match &self.cells.program.types[id.0 as usize].kind {
                TypeDefKind::Enum(variants) => {
                    variants.get(*tag as usize).is_some_and(|it| all(fields, &mut it.fields.iter().map(|it| &it.ty)))
                }
                _ => false,
            },
            (Value::Seq(elements), Type::Seq(ty)) => elements.iter().all(|it| self.is_of(it, ty)),
            (Value::Map(map), Type::Map(key, of) | Type::Total(key, of)) => {
                map.over.iter().all(|(k, v)| self.is_of(k, key) && v.iter().all(|it| self.is_of(it, of)))
            }
            (Value::Map(map), Type::Set(key)) => map.over.keys().all(|it| self.is_of(it, key)),
            _ => false,
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
        let number = number.saturating_sub(literals.len() as u32);
        match sort {
            Sort::Pid => Datum::Pid(number),
            Sort::User(user) => Datum::Fresh(type_name(user), unnamed(number, literals)),
            Sort::Int => Datum::Int(i128::from(number)),
            Sort::Str => {
                let mut text = format!("s{number}");
                while self.cells.str_literals.contains(&text) {
                    text.push('_');
                }
                Datum::Str(text)
            }
        }
    }
}

/// The number that a scalar is shown with which the code does not name: none of those that it names.
pub fn unnamed(number: u32, literals: &[String]) -> u32 {
    let mut named: Vec<u32> = literals.iter().filter_map(|it| it.parse().ok()).collect();
    named.sort_unstable();
    named.into_iter().fold(number, |number, it| if it <= number { number + 1 } else { number })
}

#[cfg(test)]
mod tests {
    use super::unnamed;

    #[test]
    fn scalars_that_the_code_does_not_name_have_other_numbers() {
        let literals = ["5", "0", "LOCK"].map(str::to_owned);
        let shown: Vec<u32> = (0..6).map(|it| unnamed(it, &literals)).collect();
        assert_eq!(shown, [1, 2, 3, 4, 6, 7]);
    }
}
