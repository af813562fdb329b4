//! Strings that code builds, parses and reads.

use super::{Machine, Stop, World};
use crate::{
    explore::{
        cells::{Function, Numbers},
        text::{self, Parsed, Piece, Split},
        value::{Sort, Value},
    },
    ir::{Type, int::IntType},
};

impl Machine {
    /// Concatenates the strings on the stack.
    pub(super) fn concatenate(&mut self, world: &mut World, count: usize) -> Result<Value, Stop> {
        let mut pieces = Vec::new();
        for depth in (0..count).rev() {
            let part = self.force_top(world, depth)?;
            match text::pieces(&part) {
                Some(more) => pieces.extend(more),
                None => return Err(self.unsupported(world)),
            }
        }
        world.pay_for(pieces.iter().map(Piece::length).sum())?;
        Ok(text::join(pieces))
    }

    /// The text that `{}` prints for the value on the stack.
    pub(super) fn text_top(&mut self, world: &mut World) -> Result<Value, Stop> {
        let value = self.force_top(world, 0)?;
        let value = match value {
            Value::Atom(Sort::Pid, _) if world.cells.numbers == Numbers::Digits => {
                let number = world.cells.process_number(&value);
                self.force(world, &number).map_err(Stop::Need)?
            }
            value => value,
        };
        text::pieces(&value).map(text::join).ok_or_else(|| self.unsupported(world))
    }

    /// The parts before and after the first separator.
    pub(super) fn split_once(&mut self, world: &mut World) -> Result<Value, Stop> {
        let (whole, separator) = (self.force_top(world, 1)?, self.force_top(world, 0)?);
        let (Some(pieces), Value::Str(separator)) = (text::pieces(&whole), &separator) else {
            return Err(self.unsupported(world));
        };
        if separator.is_empty() || separator.chars().any(|it| it.is_ascii_digit()) {
            return Err(self.unsupported(world));
        }
        match text::split_once(&pieces, separator) {
            Split::None => Ok(Value::none()),
            Split::At(left, right) => Ok(Value::some(Value::tuple(vec![left, right]))),
            Split::Unknown => {
                let parts = Type::Tuple(vec![Type::Str, Type::Str]);
                let key = Value::tuple(vec![whole, Value::Str(separator.clone())]);
                self.look_into(world, Function::Split, parts.clone(), Type::Option(Box::new(parts)), key)
            }
        }
    }

    /// The number or process that a string spells.
    pub(super) fn parse(&mut self, world: &mut World, ty: &Type) -> Result<Value, Stop> {
        let whole = self.force_top(world, 0)?;
        let (Some(pieces), Type::Option(target)) = (text::pieces(&whole), ty) else {
            return Err(self.unsupported(world));
        };
        let is_unknown = matches!(whole, Value::Atom(Sort::Str, _));
        if is_unknown {
            return self.look_into(world, Function::Parse, Type::Str, ty.clone(), whole);
        }
        match (text::parse(&pieces), &**target) {
            (Parsed::None, _) => Ok(Value::none()),
            (Parsed::Atom(Sort::Pid, number), Type::Pid) => Ok(Value::some(Value::Atom(Sort::Pid, number))),
            // An integer type with fewer bits may not hold it.
            (Parsed::Atom(Sort::Int, number), Type::Int { bits: 64, signed: false }) => {
                Ok(Value::some(Value::Atom(Sort::Int, number)))
            }
            (Parsed::Int(number), target) => match IntType::of(target) {
                // An unsigned integer has no sign, not even that of `-0`.
                Some(int) if int.contains(number) && (int.signed || !starts_with_minus(&whole)) => {
                    self.made(world, number).map(Value::some)
                }
                Some(_) => Ok(Value::none()),
                None => Err(self.unsupported(world)),
            },
            _ => Err(self.unsupported(world)),
        }
    }

    /// The result of reading an unknown string: any value, but always the same.
    fn look_into(
        &self,
        world: &mut World,
        function: Function,
        from: Type,
        to: Type,
        whole: Value,
    ) -> Result<Value, Stop> {
        let function = world.cells.function(function, from, to);
        let found = world.cells.entry(function, &whole);
        self.force(world, &found).map_err(Stop::Need)
    }
}

fn starts_with_minus(text: &Value) -> bool {
    matches!(text, Value::Str(it) if it.starts_with('-'))
}
