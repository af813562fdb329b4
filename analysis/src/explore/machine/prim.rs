//! The primitives: which arguments each one reads, and the module that computes it.

use super::{Machine, Stop, World};
use crate::{
    explore::{
        cells::{default_of, has_known_default},
        value::Value,
    },
    ir::{Prim, Type},
};

impl Machine {
    /// Replaces the operands of a primitive by its result.
    pub(super) fn prim(&mut self, world: &mut World, prim: Prim, count: usize, ty: u32) -> Result<(), Stop> {
        let ty = &world.code.types[ty as usize];
        let value = match prim {
            Prim::Eq | Prim::Ne => {
                let (a, b) = (self.top(1), self.top(0));
                let equal = self.is_equal(world, &a, &b)?;
                Value::Bool(equal == (prim == Prim::Eq))
            }
            Prim::Empty | Prim::Default if !has_known_default(world.cells.program, ty) => {
                return Err(self.unsupported(world));
            }
            Prim::Empty | Prim::Default => default_of(world.cells.program, ty),
            Prim::Elements => {
                let elements = self.stack[self.stack.len() - count..].to_vec();
                match ty {
                    Type::Set(_) => self.set_of(world, &elements)?,
                    _ => Value::seq(elements),
                }
            }
            Prim::Lt | Prim::Le | Prim::Gt | Prim::Ge => {
                let (a, b) = (self.number_top(world, 1)?, self.number_top(world, 0)?);
                Value::Bool(match prim {
                    Prim::Lt => a < b,
                    Prim::Le => a <= b,
                    Prim::Gt => a > b,
                    _ => a >= b,
                })
            }
            Prim::Concat => self.concatenate(world, count)?,
            Prim::Text => self.text_top(world)?,
            Prim::SplitOnce => self.split_once(world)?,
            Prim::Parse => self.parse(world, ty)?,
            Prim::Arith(..)
            | Prim::AbsDiff
            | Prim::UnsignedAbs
            | Prim::BitAnd
            | Prim::BitOr
            | Prim::BitXor
            | Prim::Not
            | Prim::RotateLeft
            | Prim::RotateRight
            | Prim::Count(_)
            | Prim::IsPowerOfTwo
            | Prim::Min
            | Prim::Max
            | Prim::Cast => self.arithmetic(world, prim, count, ty)?,
            Prim::Index => return self.index(world),
            Prim::Range => self.range(world, false)?,
            Prim::RangeInclusive => self.range(world, true)?,
            _ => self.collection_prim(world, prim, ty)?,
        };
        self.replace(count, value);
        Ok(())
    }
}
