//! Small operations, each about some forms of the language. rustc compiles this module to models; the engine reads its text.
//!
//! `tick` makes the order of evaluation visible: it changes the state, and returns how often it was called. Small integers overflow.

use std::cmp::{self, Ordering, Ordering::Greater};
use std::mem::{self, swap};

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

/// Changes of whole collections, and iterators.
#[layer]
impl Iterators for Slots {
    #[init]
    fn init(&self) -> bool {
        true
    }

    #[op]
    fn changed(&mut self, me: Pid, x: u8) -> u8 {
        self.seq.retain(|it| *it != x);
        self.set.retain(|it| *it > x);
        self.map.retain(|key, value| *key > x || *value > 1);
        self.seq.extend(self.set.iter().copied());
        self.set.extend([x, 7]);
        self.map.extend(self.seq.iter().map(|it| (*it, x)));
        self.tick()
    }

    #[op]
    fn ends(&mut self, me: Pid, x: u8) -> (Option<u8>, Option<u8>, Option<(u8, u8)>, Option<u8>) {
        self.seq.push_front(x);
        self.seq.push_back(1);
        let least = self.set.first().copied();
        let first = self.set.pop_first();
        let last = self.map.pop_last();
        if self.map.first_key_value().is_some_and(|(key, value)| key > value) {
            self.set.pop_last();
            self.map.pop_first();
        }
        (first, least, last, self.seq.pop_back().or(self.seq.front().copied()).xor(self.seq.back().copied()))
    }

    #[op]
    fn elements(&mut self, me: Pid, x: u8) -> u8 {
        self.seq.swap(0, self.seq.len() - 1);
        let removed = self.seq.remove(x as usize);
        self.seq.swap(x as usize, 0);
        removed
    }

    #[op]
    fn in_place(&mut self, me: Pid, x: u8) {
        for it in self.seq.iter_mut() {
            *it ^= x;
            if *it == 0 {
                continue;
            }
            *it -= 1;
        }
        for it in &mut self.seq {
            *it /= 2;
        }
        'all: for (key, value) in self.map.iter_mut() {
            for it in self.set.iter() {
                if it == key {
                    break 'all;
                }
            }
            *value = *key;
        }
        for (_, value) in &mut self.map {
            *value = value.wrapping_add(1);
        }
        for value in self.map.values_mut() {
            *value ^= 1;
        }
    }

    #[op]
    fn adapted(&mut self, me: Pid, x: u8, y: u8) -> (Option<usize>, Seq<(usize, u8)>, Seq<u8>, Seq<(u8, u8)>) {
        let at = self.seq.iter().position(|it| 100 / *it > x);
        let numbered = self.seq.iter().copied().enumerate().collect();
        let skipped = self.seq.iter().skip(x as usize).take(y as usize).copied().collect();
        let zipped = self.seq.iter().copied().zip(self.set.iter().copied()).collect();
        (at, numbered, skipped, zipped)
    }

    #[op]
    fn folded(&mut self, me: Pid, x: u8) -> (u8, u8, Option<u8>, Option<u8>, Option<u8>) {
        let sum = self.seq.iter().fold(x, |sum, it| sum.wrapping_mul(3) ^ it);
        let mut seen = 0;
        self.set.iter().for_each(|it| seen = it / 2 + x);
        let next = self.set.iter().next().copied();
        let last = self.seq.iter().rev().last().copied();
        (sum, seen, next, last, self.map.keys().iter().max().copied())
    }
}

/// An error that others are converted to.
#[state]
pub enum Problem {
    Full,
    Refused(Refusal),
    Number { code: u8 },
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full => Problem::Full,
            other => Self::Refused(other),
        }
    }
}

impl From<u8> for Problem {
    fn from(code: u8) -> Problem {
        Problem::Number { code: code / 2 }
    }
}

impl From<std::num::TryFromIntError> for Problem {
    fn from(_: std::num::TryFromIntError) -> Problem {
        Problem::Number { code: 255 }
    }
}

impl From<Problem> for u8 {
    fn from(problem: Problem) -> u8 {
        if let Problem::Number { code } = problem { code - 1 } else { 7 }
    }
}

/// Conversions.
#[layer]
impl Conversions for Slots {
    #[init]
    fn init(&self) -> bool {
        true
    }

    #[op]
    fn widened(&mut self, me: Pid, x: u8, y: i8, z: bool) -> (u64, i16, u8, Option<u32>) {
        let first: u64 = x.into();
        (first, y.into(), z.into(), Some(x.into()))
    }

    #[op]
    fn narrowed(&mut self, me: Pid, x: u64, y: i8, z: i64) -> (Option<u8>, Option<u8>, Option<i8>, u8) {
        let third = match i8::try_from(z) {
            Ok(it) => Some(it),
            Err(_) => None,
        };
        (u8::try_from(x).ok(), u8::try_from(y).ok(), third, u8::try_from(300 + i32::from(y)).unwrap_or(9))
    }

    #[op]
    fn signs(&mut self, me: Pid, x: i8, y: u8) -> (bool, bool, bool, bool, usize) {
        let last: Result<usize, _> = x.try_into();
        let Ok(last) = last else { return (false, false, false, false, 0) };
        let wide = u64::try_from(y).is_ok_and(|it| it > 1);
        (u64::try_from(x).is_ok(), i8::try_from(y).is_err(), wide, i16::try_from(y).is_ok(), last)
    }

    #[op]
    fn unwrapped(&mut self, me: Pid, x: u64) -> (u8, Result<u8, bool>) {
        (u8::try_from(x).unwrap(), u8::try_from(x).map_err(|_| true))
    }

    #[op]
    fn by_type(&mut self, me: Pid, x: u8, y: Refusal) -> (Problem, Problem, Problem, u8, u8) {
        let first: Problem = x.into();
        let second = Problem::from(y);
        let third: Problem = if x > 1 { Refusal::Taken(x).into() } else { Problem::from(self.tick()) };
        let number = u8::from(first.clone());
        (first.clone(), second, third, number, first.into())
    }

    #[op]
    fn asked(&mut self, me: Pid, x: u8) -> Result<u8, Problem> {
        let first = self.reserve(x)?;
        let second = self.compare_exchange(first, x)?;
        let third = i8::try_from(second)?;
        self.tick();
        if third > 1 {
            return Err(Refusal::Taken(first).into());
        }
        self.numbered(third)
    }

    #[op]
    fn named(
        &mut self,
        me: Pid,
        x: Result<u8, Refusal>,
        y: Result<bool, u8>,
        z: u64,
    ) -> (Result<u8, Problem>, Result<bool, Problem>, Option<u8>) {
        (x.map_err(Problem::from), y.map_err(Problem::from), Some(z).map(u8::try_from).and_then(|it| it.ok()))
    }

    #[op]
    fn transposed(
        &mut self,
        me: Pid,
        x: Option<Result<u8, bool>>,
        y: Result<Option<u8>, bool>,
    ) -> (Result<Option<u8>, bool>, Option<Result<u8, bool>>) {
        (x.transpose(), y.transpose())
    }

    #[op]
    fn filled(&mut self, me: Pid, x: u8) -> (u8, u8) {
        *self.a.get_or_insert(x) -= 1;
        let it = self.b.get_or_insert_with(|| x / 2);
        *it ^= 1;
        (*it, *self.a.get_or_insert(100 / x))
    }
}

impl Slots {
    fn numbered(&self, number: i8) -> Result<u8, Problem> {
        let number = u8::try_from(number)?;
        Ok(number)
    }
}

/// Changes of sequences.
#[layer]
impl Sequences for Slots {
    #[init]
    fn init(&self) -> bool {
        true
    }

    #[op]
    fn inserted(&mut self, me: Pid, x: u8) {
        self.seq.insert(x as usize, self.ticks);
    }

    #[op]
    fn inserted_in_order(&mut self, me: Pid, x: u8) -> Option<u8> {
        let mut copy = self.seq.clone();
        copy.insert(self.tick() as usize - 1, self.tick());
        self.seq.insert(self.seq.len(), x);
        copy.get(1).copied()
    }

    #[op]
    fn cut(&mut self, me: Pid, x: usize) -> usize {
        self.seq.truncate(x);
        self.seq.len()
    }

    #[op]
    fn reversed(&mut self, me: Pid, x: u8) {
        self.seq.push(x);
        self.seq.reverse();
    }
}

/// A type with an order.
#[state]
pub enum Grade {
    None,
    Some(u8, bool),
    Best { by: Option<i8> },
}

impl Grade {
    fn than(&self, other: &Grade) -> Ordering {
        self.cmp(other).reverse()
    }
}

/// Orders.
#[layer]
impl Orders for Slots {
    #[init]
    fn init(&self) -> bool {
        true
    }

    #[op]
    fn of_integers(&mut self, me: Pid, x: u8, y: i8) -> (u8, bool, bool, u8) {
        let first = match x.cmp(&self.ticks) {
            Ordering::Less => 0,
            Ordering::Equal => 1,
            Greater => 2,
        };
        let second = y.partial_cmp(&-1) == Some(Ordering::Less);
        (first, second, x.lt(&3) != x.ge(&self.ticks), x.clamp(self.ticks, 128))
    }

    #[op]
    fn of_bools(&mut self, me: Pid, x: bool, y: bool) -> (bool, bool, bool, bool, bool) {
        (x < y, x <= y, x.max(y), x.cmp(&y).is_ge(), x.eq(&y))
    }

    #[op]
    fn of_tuples(
        &mut self,
        me: Pid,
        x: (u8, Option<i8>),
        y: (u8, Option<i8>),
    ) -> (bool, bool, bool, bool, (u8, Option<i8>)) {
        (x < y, x <= y, x > y, x >= y, x.max(y))
    }

    #[op]
    fn of_options(&mut self, me: Pid, x: Option<u8>, y: Option<u8>) -> (bool, Option<u8>, Option<u8>, bool) {
        (x < y, x.min(y), cmp::max(x, y), x.cmp(&y).then_with(|| self.tick().cmp(&1)) == Ordering::Equal)
    }

    #[op]
    fn of_types(&mut self, me: Pid, x: Grade, y: Grade) -> (bool, bool, bool, Grade) {
        let both = x.cmp(&y);
        let other = x.than(&y);
        let third = both < other;
        (x <= y, both.is_ne(), third, x.max(y))
    }

    #[op]
    fn of_results(&mut self, me: Pid, x: Result<u8, bool>, y: Result<u8, bool>) -> (bool, bool) {
        (x < y, x.cmp(&y).then(self.tick().cmp(&1)).is_gt())
    }

    #[op]
    fn of_order(&mut self, me: Pid, x: u8, y: u8) -> bool {
        (self.tick() / x, x) < (self.tick() / y, self.ticks)
    }

    #[op]
    fn clamped(&mut self, me: Pid, x: Option<u8>, y: bool) -> (Option<u8>, bool) {
        (x.clamp(self.a, self.b), y.clamp(false, true))
    }

    #[op]
    fn debug(&mut self, me: Pid, x: u8) -> u8 {
        debug_assert!(x > 0, "not {x}");
        debug_assert_ne!(self.ticks, x);
        debug_assert_eq!(self.seq.iter().filter(|it| **it == x).count(), 0, "of {}", x);
        debug_assert!(self.seq.iter().position(|it| *it == 7).is_none());
        x
    }
}

/// More of iterators.
#[layer]
impl Loops for Slots {
    #[init]
    fn init(&self) -> bool {
        true
    }

    #[op]
    fn greatest(&mut self, me: Pid) -> (Option<u8>, Option<u8>, Option<(u8, u8)>, Option<(u8, u8)>) {
        (
            self.seq.iter().copied().max_by_key(|it| it / 2),
            self.seq.iter().min_by_key(|it| **it / 2).copied(),
            self.map.iter().max_by_key(|(_, value)| **value).map(|(key, value)| (*key, *value)),
            self.map.iter().map(|(key, value)| (*key, *value)).min_by_key(|&(_, value)| value > 1),
        )
    }

    #[op]
    fn compared(&mut self, me: Pid, x: u8) -> (Option<u8>, Option<u8>, Option<(bool, u8)>, Option<(bool, u8)>) {
        (
            self.seq.iter().copied().max_by(|a, b| (a / 2).cmp(&(b / 2))),
            self.seq.iter().copied().min_by(|a, b| (b / 2).cmp(&(a / 2)).then(Ordering::Less)),
            self.seq.iter().map(|it| (*it > x, *it)).max(),
            self.seq.iter().map(|it| (*it > x, *it)).min(),
        )
    }

    #[op]
    fn early(&mut self, me: Pid, x: u8) -> (Option<u8>, Seq<u8>, Seq<u8>, Seq<u8>) {
        (
            self.seq.iter().find_map(|it| (100 / *it > x).then_some(it / 2)),
            self.seq.iter().copied().take_while(|it| 100 / *it > x).collect(),
            self.seq.iter().copied().skip_while(|it| *it > x).collect(),
            self.seq.iter().map_while(|it| it.checked_sub(1)).collect(),
        )
    }

    #[op]
    fn joined(&mut self, me: Pid, x: u8) -> (Seq<u8>, Seq<u8>, Seq<u8>, Seq<u8>) {
        (
            self.seq.iter().chain(self.set.iter()).copied().collect(),
            self.seq.iter().flat_map(|it| Seq::from([*it, x])).collect(),
            self.seq.iter().map(|it| it.checked_sub(1)).flatten().collect(),
            (0..x).step_by(self.ticks as usize).chain([x]).collect(),
        )
    }

    #[op]
    fn reduced(&mut self, me: Pid) -> (Option<u8>, u8, u64) {
        let first = self.seq.iter().copied().reduce(|a, b| a / 2 ^ b);
        let second = self.seq.iter().copied().skip(1).product::<u8>();
        (first, second, self.seq.iter().map(|it| u64::from(*it)).product())
    }
}

fn halved(it: u8) -> u8 {
    it / 2
}

/// Functions and closures by their names.
#[layer]
impl Functions for Slots {
    #[init]
    fn init(&self) -> bool {
        true
    }

    #[op]
    fn closures(&mut self, me: Pid, x: u8, y: u8) -> (u8, u8, u8, i8) {
        let least = x;
        let larger = |it| if it > least { it } else { least };
        let least = y;
        let mut turns = 0;
        let mut counted = |a: u8, (b, _): (u8, bool)| {
            turns += 1;
            a.wrapping_mul(b)
        };
        let first = counted(least, (2, true));
        let second = counted(larger(first), (3, false));
        let same = |it| it;
        let wide = same(127);
        let narrow: i8 = same(1);
        (second, turns, self.seq.iter().copied().map(larger).max().unwrap_or(least), wide + narrow)
    }

    #[op]
    fn paths(&mut self, me: Pid, x: Option<u8>) -> (Option<Option<u8>>, Option<u64>, u8, Result<u8, Refusal>) {
        let first = x.map(halved).map(Some);
        let third = x.map(Slots::doubled).unwrap_or_else(Default::default);
        (first, x.map(u64::from), third, self.a.ok_or(third).map_err(Refusal::Taken))
    }

    #[op]
    fn effects(&mut self, me: Pid, x: u8) -> u8 {
        let mut bump = |by: u8| {
            self.ticks += by;
            self.ticks
        };
        bump(x);
        bump(1)
    }
}

impl Slots {
    fn doubled(it: u8) -> u8 {
        it * 2
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

/// Its default is not the first variant.
#[state]
#[derive(Default)]
pub enum Mode {
    Idle,
    #[default]
    Busy,
    Held {
        by: u8,
        count: u8,
    },
    Pair(u8, Option<u8>),
}

impl Mode {
    const MOST: u8 = 1 + 1;

    fn count(&self) -> u8 {
        match self {
            Self::Held { count, .. } => *count,
            Mode::Pair(number @ 1..=Self::MOST, None) => *number,
            Mode::Pair(0 | 127.., Some(it)) => *it,
            _ => 9,
        }
    }

    fn increment(&mut self) -> u8 {
        match self {
            Mode::Held { count, by } if *by > 0 => {
                *count += 1;
                *by = *count;
                *count
            }
            Mode::Pair(number, inner) => {
                *number ^= 1;
                inner.replace(*number).unwrap_or(7)
            }
            whole => {
                *whole = Mode::Held { by: 1, count: 0 };
                0
            }
        }
    }
}

/// Modes, and a total function whose default is one.
#[state]
pub struct Modes {
    pub mode: Mode,
    pub all: Map<u8, Mode>,
    pub numbers: Map<u8, u8>,
    pub pair: (u8, Option<u8>),
    pub seq: Seq<u8>,
    pub slot: Option<Mode>,
    pub n: u8,
}

impl Modes {
    fn tick(&mut self) -> u8 {
        self.n += 1;
        self.n
    }
}

/// Names that refer to parts of places.
#[layer]
impl References for Modes {
    #[init]
    fn init(&self) -> bool {
        true
    }

    #[op]
    fn of_self(&mut self, me: Pid) -> (u8, u8) {
        (self.mode.increment(), self.mode.count())
    }

    #[op]
    fn of_fields(&mut self, me: Pid, x: u8) -> u8 {
        match &mut self.mode {
            Mode::Held { count, .. } => *count = x,
            Mode::Pair(_, Some(inner)) => *inner += x,
            Mode::Pair(number, it @ None) => *it = Some(*number),
            _ => self.n = x,
        }
        if let Mode::Pair(first, _) = &mut self.mode {
            *first = first.wrapping_add(1);
            return *first;
        }
        let (one, other) = &mut self.pair;
        *one = other.take().unwrap_or(3);
        if let Some(it) = self.pair.1.as_mut() {
            *it -= 1;
        }
        self.mode.count()
    }

    #[op]
    fn of_entries(&mut self, me: Pid, x: u8, y: u8) -> bool {
        if let Some(it) = self.numbers.get_mut(&x) {
            *it += y;
        }
        let Some(mode) = self.all.get_mut(&y) else { return false };
        mode.increment();
        if let Mode::Pair(number, _) = mode {
            *number = x;
        }
        match self.all.get_mut(&x) {
            Some(Mode::Held { by, .. }) => {
                *by = y;
                true
            }
            Some(other) => {
                mem::take(other);
                true
            }
            None => false,
        }
    }

    #[op]
    fn of_elements(&mut self, me: Pid, x: u8) -> u8 {
        if let Some(it) = self.seq.last_mut() {
            *it = x;
        }
        if let Some(it) = self.seq.first_mut() {
            *it /= 2;
        }
        if let Some(it) = self.seq.get_mut(1) {
            *it ^= x;
        }
        *self.numbers.get_mut(&x).unwrap() += 1;
        self.all.get_mut(&x).expect("a mode").increment()
    }

    #[op]
    fn of_vacant_entries(&mut self, me: Pid, x: u8, y: u8) -> (u8, u8, Option<u8>) {
        *self.numbers.entry(x).or_insert(y) += 1;
        self.numbers.entry(y).or_default();
        self.numbers.entry(1).and_modify(|it| *it ^= 1).or_insert_with(|| 4);
        let slot = self.numbers.entry(2).or_insert(8);
        *slot *= 2;
        let copied = *self.numbers.entry(0).or_insert(5);
        let counted = self.all.entry(x).or_default().increment();
        (copied, counted, self.numbers.get(&x).copied())
    }

    #[op]
    fn of_options(&mut self, me: Pid) -> u8 {
        match &mut self.slot {
            Some(Mode::Held { count, by }) => mem::swap(count, by),
            Some(mode) => *mode = mem::replace(&mut self.mode, Mode::Idle),
            slot => *slot = Some(Mode::default()),
        }
        self.slot.as_mut().unwrap().increment();
        let mut result = if self.n > 1 { Ok(self.n) } else { Err(self.pair.0) };
        match &mut result {
            Ok(it) => {
                *it += 1;
                *it
            }
            Err(it) => mem::take(it),
        }
    }

    #[op]
    fn tried(&mut self, me: Pid, x: u8) -> Option<u8> {
        let found = self.numbers.get_mut(&x)?;
        *found ^= 1;
        let copy = *self.seq.first_mut()?;
        *self.seq.last_mut()? = x;
        let Mode::Pair(_, inner) = self.all.get_mut(&x)? else { return Some(copy) };
        self.seq.extend(inner.take());
        if let Some(it) = *inner {
            self.n = it;
        }
        self.seq.iter().copied().nth(1)
    }

    #[op]
    fn turns(&mut self, me: Pid) -> u8 {
        let mut turns = 0;
        while let Some(it) = self.slot.as_mut() {
            turns += 1;
            if turns > 3 {
                break;
            }
            if let Mode::Busy = it {
                self.slot = None;
            } else {
                *it = mem::take(&mut self.mode);
            }
        }
        turns
    }

    #[op]
    fn moves(&mut self, me: Pid, x: u8) -> (u8, u8, u8, Mode) {
        let first = mem::take(&mut self.n);
        let second = mem::replace(&mut self.n, x);
        let mut third = x.wrapping_add(1);
        swap(&mut third, &mut self.pair.0);
        (first, second, third, mem::replace(&mut self.mode, Mode::Pair(cmp::max(x, 1), None)))
    }

    #[op]
    fn defaults(&mut self, me: Pid) -> (Mode, Mode, u8) {
        let first: Mode = Default::default();
        (first, self.slot.take().unwrap_or_default(), cmp::min(self.n, 2))
    }

    #[op]
    fn assigned(&mut self, me: Pid, x: u8, y: u8) -> (u8, u8) {
        let (mut a, mut b) = (x, y);
        (a, b) = (b, a);
        (self.n, (_, self.pair.0)) = (a, (b, b.wrapping_sub(1)));
        let mut at = 1;
        self.seq[at] = {
            at -= 1;
            7
        };
        (at as u8, a)
    }

    #[op]
    fn order_of_entries(&mut self, me: Pid, x: u8) {
        let mut at = x;
        *self.numbers.entry(at).or_insert(1) += {
            at ^= 1;
            at
        };
    }
}

/// Patterns that only look.
#[layer]
impl Patterns for Modes {
    #[init]
    fn init(&self) -> bool {
        true
    }

    #[op]
    fn ranges(&mut self, me: Pid, x: u8, y: i8) -> (u8, u8, bool) {
        let first = match x {
            0 => 1,
            1..=2 => 2,
            it @ (3..100 | 200..) => it,
            _ => 4,
        };
        let second = match y {
            i8::MIN..=-2 => 1,
            -1..1 => 2,
            ..=100 => 3,
            101.. => 4,
        };
        (first, second, matches!(self.pair, (..=2, Some(127..)) | (255, None)))
    }

    #[op]
    fn guards(&mut self, me: Pid, x: u8, y: Option<u8>) -> (u8, u8) {
        // The guard is tried for each alternative that fits.
        let first = match (x, y) {
            (it, _) | (_, Some(it)) if it > 1 => it,
            (0 | 1, None) if self.tick() > 1 => 8,
            _ => 9,
        };
        let (one, other) = self.pair;
        let second = match (one, other) {
            (0 | 1, _) | (_, Some(_)) if self.tick() > 2 => 1,
            (_, it) => it.unwrap_or(self.n),
        };
        (first, second)
    }

    #[op]
    fn chains(&mut self, me: Pid, x: Option<u8>) -> u8 {
        if let Some(a) = x
            && a > 0
            && let (b @ 1.., None) = self.pair
            && b != a
        {
            return b;
        }
        let Some(1..=127) = x else { return self.tick() };
        loop {
            if self.n > 1 {
                break self.n;
            }
            self.n += 1;
        }
    }
}

/// Labels.
#[layer]
impl Labels for Modes {
    #[init]
    fn init(&self) -> bool {
        true
    }

    #[op]
    fn nested(&mut self, me: Pid, x: u8, y: u8) -> u8 {
        let mut seen = 0;
        'outer: for i in 0..4 {
            let mut j = 0;
            'middle: while j < 5 {
                j += 1;
                for k in 0..3 {
                    seen += 1;
                    if k == x {
                        continue 'outer;
                    }
                    if i == y {
                        break 'outer;
                    }
                    if k + j == 4 {
                        continue 'middle;
                    }
                    if seen > 20 {
                        break 'middle;
                    }
                    if i + j + k == 8 {
                        break;
                    }
                }
                seen += 1;
            }
            seen += 10;
        }
        seen
    }

    #[op]
    fn values(&mut self, me: Pid, x: u8) -> (u8, u8, u8) {
        let first = 'found: loop {
            loop {
                if self.n > x {
                    break 'found self.n;
                }
                while let Some(it) = self.seq.pop() {
                    if it == x {
                        break 'found 100;
                    }
                }
                self.n += 1;
                if self.n == 1 {
                    continue 'found;
                }
            }
        };
        let second = 'block: {
            if x > 1 {
                break 'block 1;
            }
            for it in self.seq.iter() {
                if *it > 1 {
                    break 'block *it;
                }
            }
            if self.pair.1.is_none() {
                return (first, 0, 0);
            }
            2
        };
        let mut third = 0;
        'turns: loop {
            'checks: {
                if third > x {
                    break 'turns;
                }
                third += 1;
                if third == 2 {
                    break 'checks;
                }
                third += 1;
            }
            if third > 5 {
                break;
            }
        }
        (first, second, third)
    }
}

/// A state whose variants hold collections.
#[state]
pub enum Holders {
    Nobody,
    Some(Set<u8>, Map<u8, u8>),
}

/// Changes of collections inside variants.
#[layer]
impl Inside for Holders {
    #[init]
    fn init(&self) -> bool {
        true
    }

    #[op]
    fn change(&mut self, me: Pid, x: u8) -> (bool, Option<u8>) {
        match self {
            Holders::Nobody => {
                *self = Holders::Some(Set::from([x]), Map::new());
                (false, None)
            }
            Holders::Some(set, map) => {
                let results = (set.remove(&x), map.insert(x, 1));
                map.retain(|key, _| key != &2);
                if set.is_empty() {
                    *self = Holders::Nobody;
                }
                results
            }
        }
    }
}
