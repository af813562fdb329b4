//! What primitives do: which of them look at what, and who works it out.

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
            Prim::Not => Value::Bool(self.force_top(world, 0)? != Value::Bool(true)),
            Prim::Lt | Prim::Le | Prim::Gt | Prim::Ge => {
                let (a, b) = (self.number_top(world, 1)?, self.number_top(world, 0)?);
                Value::Bool(match prim {
                    Prim::Lt => a < b,
                    Prim::Le => a <= b,
                    Prim::Gt => a > b,
                    _ => a >= b,
                })
            }
            Prim::Add if *ty == Type::Str => self.concatenate(world, count)?,
            Prim::Text => self.text_top(world)?,
            Prim::SplitOnce => self.split_once(world)?,
            Prim::Parse => self.parse(world, ty)?,
            Prim::Add
            | Prim::Sub
            | Prim::Mul
            | Prim::Div
            | Prim::Rem
            | Prim::Min
            | Prim::Max
            | Prim::SaturatingAdd
            | Prim::SaturatingSub
            | Prim::WrappingAdd
            | Prim::WrappingSub
            | Prim::CheckedAdd
            | Prim::CheckedSub => self.arithmetic(world, prim, ty)?,
            Prim::Neg | Prim::Cast => {
                let operand = i128::from(self.number_top(world, 0)?);
                self.in_range(world, if prim == Prim::Neg { -operand } else { operand }, ty)?
            }
            Prim::Index => return self.index(world),
            Prim::Range => {
                let (from, to) = (self.number_top(world, 1)?, self.number_top(world, 0)?);
                if to.saturating_sub(from) > 1 << 16 {
                    return Err(self.panic_here(world, "this range is too long to explore"));
                }
                world.pay_for(usize::try_from(to.saturating_sub(from)).unwrap_or_default())?;
                Value::seq((from..to).map(|it| self.made(world, it)).collect::<Result<_, _>>()?)
            }
            _ => self.collection_prim(world, prim, ty)?,
        };
        self.replace(count, value);
        Ok(())
    }
}
