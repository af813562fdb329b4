//! Small operations, each about some forms of the language. rustc compiles this module to models; the engine reads its text.
//!
//! `tick` makes the order of evaluation visible: it changes the state, and returns how often it was called. Small integers overflow.

use cspec::prelude::*;

/// A little of everything.
#[state]
pub struct Slots {
    pub a: Option<u8>,
    pub b: Option<u8>,
    pub ticks: u8,
    pub map: Map<u8, u8>,
    pub set: Set<u8>,
    pub seq: Seq<u8>,
}

impl Slots {
    fn tick(&mut self) -> u8 {
        self.ticks += 1;
        self.ticks
    }
}

/// Options: methods that look at them, and methods that change them.
#[layer]
impl Options for Slots {
    #[init]
    fn init(&self) -> bool {
        true
    }

    #[op]
    fn queries(&mut self, me: Pid, x: Option<u8>) -> (bool, bool, bool, bool) {
        (x.is_some(), x.is_none(), x.is_some_and(|it| it + 1 > 1), x.is_none_or(|it| it - 1 < 5))
    }

    #[op]
    fn unwraps(&mut self, me: Pid, x: Option<u8>) -> (u8, u8, u8) {
        let first = x.unwrap_or(self.tick());
        let second = x.unwrap_or_else(|| self.tick());
        (first, second, x.unwrap_or_default())
    }

    #[op]
    fn expects(&mut self, me: Pid, x: Option<u8>) -> u8 {
        self.tick();
        x.expect("a value") + self.a.unwrap()
    }

    #[op]
    fn maps(&mut self, me: Pid, x: Option<u8>) -> (Option<u8>, u8, u8) {
        let first = x.map(|it| it.wrapping_add(self.tick()));
        let second = x.map_or(self.tick(), |it| it / 2);
        let third = x.map_or_else(|| 7, |it| it ^ 1);
        (first, second, third)
    }

    #[op]
    fn chains(&mut self, me: Pid, x: Option<u8>) -> (Option<u8>, Option<u8>, Option<u8>) {
        let first = x.and_then(|it| it.checked_add(self.tick()));
        let second = x.or_else(|| self.b.take());
        let third = x.and_then(|it| self.map.get(&it)).copied();
        (first, second, third)
    }

    #[op]
    fn pairs(&mut self, me: Pid, x: Option<u8>) -> (Option<u8>, Option<bool>, Option<u8>, Option<(u8, u8)>) {
        let tick = self.tick();
        let second = x.and(Some(self.tick() > 2));
        (x.or(Some(tick)), second, x.xor(self.a), self.b.zip(x))
    }

    #[op]
    fn filters(&mut self, me: Pid, x: Option<u8>) -> (Option<u8>, Option<u8>, bool) {
        let first = x.filter(|it| *it > 1 && self.tick() > 1);
        let second = Some(x).flatten().filter(|&it| it < 2);
        (first, second, x.as_ref().is_some_and(|it| self.seq.contains(it)))
    }

    #[op]
    fn takes(&mut self, me: Pid, x: u8) -> (Option<u8>, Option<u8>, Option<u8>, Option<u8>) {
        let first = self.a.take();
        let again = self.a.take();
        let old = self.b.replace(x);
        let new = self.b.replace(self.ticks);
        let _ = self.a.insert(x);
        (first, again, old, new)
    }

    #[op]
    fn takes_of_locals(&mut self, me: Pid, x: Option<u8>) -> (Option<u8>, Option<u8>, Option<u8>) {
        let mut copy = x;
        let taken = copy.take();
        let slot = &mut self.a;
        let old = slot.replace(3);
        let temporary = x.clone().take();
        (taken, old.or(copy), temporary)
    }

    #[op]
    fn lazily(&mut self, me: Pid, x: bool) -> (Option<u8>, Option<u8>, Option<u8>) {
        let first = x.then(|| self.tick());
        let second = x.then_some(self.tick());
        (first, second, (self.ticks > 2 && x).then(|| 1))
    }

    #[op]
    fn question(&mut self, me: Pid, x: Option<u8>) -> Option<u8> {
        let it = x?;
        self.ticks += 1;
        let other = self.a.take()?;
        it.checked_sub(other)
    }
}

/// Results of changes to collections.
#[layer]
impl Collections for Slots {
    #[init]
    fn init(&self) -> bool {
        true
    }

    #[op]
    fn map_results(&mut self, me: Pid, x: u8, y: u8) -> (Option<u8>, Option<u8>, bool) {
        let old = self.map.insert(x, y);
        let gone = self.map.remove(&y);
        let again = self.map.remove(&y).is_some();
        (old, gone, again)
    }

    #[op]
    fn set_results(&mut self, me: Pid, x: u8) -> (bool, bool, bool) {
        let new = self.set.insert(x);
        let known = !self.set.insert(x);
        (new, known, self.set.remove(&(x / 2)))
    }

    #[op]
    fn conditions(&mut self, me: Pid, x: u8) -> u8 {
        if self.set.insert(x) && self.map.insert(x, 1).is_none() {
            return 1;
        }
        if let Some(old) = self.map.remove(&x) {
            return old;
        }
        9
    }

    #[op]
    fn order(&mut self, me: Pid, x: u8) -> Option<u8> {
        let mut at = x;
        self.map.insert(
            {
                at /= 2;
                at
            },
            {
                at += 100;
                at
            },
        )
    }
}

/// Why a step is refused.
#[state]
pub enum Refusal {
    Full,
    Taken(u8),
    At { number: u8, again: bool },
}

impl Slots {
    fn compare_exchange(&mut self, old: u8, new: u8) -> Result<u8, u8> {
        if self.ticks == old {
            self.ticks = new;
            Ok(old)
        } else {
            Err(self.ticks)
        }
    }

    fn reserve(&mut self, number: u8) -> Result<u8, Refusal> {
        match self.a {
            None => Err(Refusal::Full),
            Some(other) if other == number => Err(Refusal::Taken(other)),
            Some(_) if self.b.is_some() => Err(Refusal::At { number, again: true }),
            Some(it) => Ok(it),
        }
    }
}

/// Results: values, patterns, `?` and methods.
#[layer]
impl Results for Slots {
    #[init]
    fn init(&self) -> bool {
        true
    }

    #[op]
    fn swap(&mut self, me: Pid, old: u8, new: u8) -> Result<u8, u8> {
        self.compare_exchange(old, new)
    }

    #[op]
    fn matched(&mut self, me: Pid, old: u8, new: u8) -> (u8, bool) {
        let first = match self.compare_exchange(old, new) {
            Ok(_) => 0,
            Err(0 | 1) => 1,
            Err(other) if other == new => 2,
            Err(other) => other,
        };
        let second = if let Err(now) = self.compare_exchange(new, old) { now == 1 } else { false };
        let Ok(third) = self.compare_exchange(old, old) else { return (first, second) };
        (third, matches!(self.reserve(third), Err(Refusal::At { number, .. }) if number > 1))
    }

    #[op]
    fn questions(&mut self, me: Pid, number: u8) -> Result<u8, Refusal> {
        let first = self.reserve(number)?;
        self.ticks += 1;
        let second = self.compare_exchange(first, number).map_err(|it| Refusal::Taken(it))?;
        let third = self.b.ok_or(Refusal::Full)?;
        Ok(second ^ third)
    }

    #[op]
    fn asked(&mut self, me: Pid, x: Result<u8, bool>) -> (bool, bool, bool, bool, Option<u8>, Option<bool>) {
        let kinds = (x.is_ok(), x.is_err());
        let closer = (x.is_ok_and(|it| it + 1 > 2), x.is_err_and(|it| it));
        (kinds.0, kinds.1, closer.0, closer.1, x.ok(), x.clone().err())
    }

    #[op]
    fn unwrapped(&mut self, me: Pid, x: Result<u8, u8>) -> (u8, u8, u8) {
        let first = x.unwrap_or(self.tick());
        let second = x.unwrap_or_else(|it| it / 2 + self.tick());
        (first, second, x.unwrap_or_default())
    }

    #[op]
    fn expected(&mut self, me: Pid, x: Result<u8, u8>, y: bool) -> u8 {
        if y { x.unwrap() } else { x.expect_err("an error") + self.compare_exchange(1, 2).expect("one") }
    }

    #[op]
    fn mapped(&mut self, me: Pid, x: Result<u8, u8>) -> (Result<bool, u8>, Result<u8, (u8, u8)>, u8, u8) {
        let first = x.map(|it| it > 1);
        let second = x.map_err(|it| (it, self.tick()));
        let third = x.map_or(self.tick(), |it| it.wrapping_add(1));
        (first, second, third, x.map_or_else(|it| it, |it| it / 2))
    }

    #[op]
    fn chained(&mut self, me: Pid, x: Result<u8, u8>) -> (Result<u8, u8>, Result<u8, bool>, Result<u8, u8>) {
        let first = x.and_then(|it| it.checked_add(1).ok_or(it));
        let second = x.or_else(|it| if it > 1 { Ok(it) } else { Err(self.tick() > 1) });
        let other = self.compare_exchange(1, 2);
        (first.or(Err(9)), second, x.and(other))
    }

    #[op]
    fn fallible(&mut self, me: Pid, x: Option<u8>) -> (Result<u8, u8>, Result<u8, u8>) {
        let first = x.ok_or(self.tick());
        (first, x.ok_or_else(|| self.tick()))
    }
}
