//! A scalar type always has an unused value, so it cannot wrap a small type.

pub enum Side { Left, Right }

#[scalar]
pub struct Slot((Side, Option<bool>));
//         ^^^^ CS0207

#[state]
pub struct Slots { pub used: Set<Slot> }

#[layer]
impl Take for Slots {
    #[op]
    fn take(&mut self, me: Pid) { let slot: Slot = any(); when(!self.used.contains(&slot)); self.used.insert(slot); }
}
