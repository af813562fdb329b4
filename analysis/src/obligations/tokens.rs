//! Tokens: values that a process holds, and what that says of those that other processes hold.
//!
//! Let `K` tell what is [minted](super::mints), let `C` be a component of the state, and let a process look at its states from one of its steps up to
//! now, after each of its own steps and each step of others. It has a token for a value `v`:
//!
//! ```text
//! minted      it has minted v, or [taken](super::taken) K(v), and K(s, v) has held since then
//! hidden C    it has minted v, and C(s) = v has not held since then
//! read C      it has found C(s) = v and K(s, v), and K(s, v) has held since then
//! ```
//!
//! Then the values of two processes are different if both have the token *minted*, or one *hidden C* and the other *read C*, for the same `K`:
//!
//! * Both minted: where the later one was minted, `K` did not hold of it, but of the earlier one.
//! * `v` is hidden, `w` is read. If `v` was minted first, then `C(s) = w` was found in a state in which `C(s) = v` does not hold. Otherwise `K`
//!   held of `w` where `v` was minted, and not of `v`.
//!
//! Where `K` is about no value, as that a lock is taken, `v` is `()`: then another process has no such token, and makes no call for which it would
//! need one.
//!
//! So a node that is not published yet is none that another process has found, and what one process frees is nothing that another one has made.
//! This is no rule of CSPEC. It is the usual argument for ownership and publication, as in separation logic (O'Hearn, "Resources, concurrency, and
//! local reasoning", TCS 375, 2007), for values that are names.
//!
//! That `K` or `C` is so in all states since a step is shown as [facts] are: it is proposed as a fact, and a token whose fact
//! does not survive the steps of others is dropped. Others are then asked about without it.

use std::rc::Rc;

use super::{
    facts::{self, Component, Fact, Known, Process},
    mints::{Kind, Mint, Place, part_of, parts},
    question::Setting,
    taken::{self, Taken, To},
};
use crate::{
    explore::{
        cells::Relation,
        machine::Machine,
        search::{Abort, Search},
        value::Value,
    },
    ir::{LayerId, Type},
};

/// How a process has come by a value, and what has been so since then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It has been minted.
    Minted,
    /// It has been minted, and is not in this component.
    Hidden(Place),
    /// It was in this component.
    Read(Place),
}

/// What holds of a value of which a process has a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// It is minted.
    Minted(Kind),
    /// It is the key of an entry, or `()`, of which this is taken.
    Taken(Taken),
}

impl Holds {
    /// That it is so of a value.
    fn of(&self, value: &Value) -> Vec<Fact> {
        match self {
            Holds::Minted(kind) => kind.has(value),
            Holds::Taken(taken) => taken.holds(value, &|it| Some(it.clone())).into_iter().collect(),
        }
    }
}

/// How values are told apart: what holds of them, and the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    holds: Holds,
    claim: Claim,
    /// Whether what is minted stays so.
    stays: bool,
}

/// A value that a process holds.
#[derive(Clone, Debug)]
pub struct Token {
    /// The value.
    pub value: Value,
    /// What is known of it.
    pub mark: Mark,
}

impl Mark {
    /// Whether the value has been minted by the process.
    pub fn is_minted(&self) -> bool {
        self.claim == Claim::Minted
    }

    /// What is taken of an entry with this key, if something is.
    pub(super) fn taken<V: Clone>(&self, key: &V, constant: &dyn Fn(&Value) -> Option<V>) -> Option<Fact<V>> {
        match &self.holds {
            Holds::Taken(taken) => taken.holds(key, constant),
            Holds::Minted(_) => None,
        }
    }

    /// Whether what is minted stays so: then no other process is ever given it.
    pub fn stays(&self) -> bool {
        self.stays
    }

    /// Whether a value with this mark is none that another process has with the other one.
    pub fn is_apart_from(&self, other: &Mark) -> bool {
        self.holds == other.holds
            && match (&self.claim, &other.claim) {
                (Claim::Minted, Claim::Minted) => true,
                (Claim::Hidden(one), Claim::Read(other)) | (Claim::Read(one), Claim::Hidden(other)) => one == other,
                _ => false,
            }
    }
}

impl Token {
    /// What has to be so as long as the process has the token.
    fn facts(&self) -> Vec<Fact> {
        match &self.mark.claim {
            Claim::Hidden(place) => vec![is_not_in(place, &self.value)],
            Claim::Minted | Claim::Read(_) if self.mark.stays => Vec::new(),
            Claim::Minted | Claim::Read(_) => self.mark.holds.of(&self.value),
        }
    }

    /// Whether it says the same of the same value.
    fn is_for_the_same(&self, other: &Token) -> bool {
        (&self.mark.holds, &self.mark.claim, &self.value) == (&other.mark.holds, &other.mark.claim, &other.value)
    }

    /// Whether it is the same one.
    fn is_same(&self, other: &Token) -> bool {
        self.mark == other.mark && self.value == other.value
    }
}

/// That a value is not in a component.
fn is_not_in(place: &Place, value: &Value) -> Fact {
    let path: Vec<Component> = place.path.iter().map(|it| Component::Field(*it)).collect();
    let inside = if place.is_option { Value::some(value.clone()) } else { value.clone() };
    Fact::new(&path, Known::Related(Relation::Not, inside))
}

/// The facts that tokens rest on.
pub(super) fn facts_of(tokens: &[Token]) -> Vec<Fact> {
    tokens.iter().flat_map(Token::facts).collect()
}

/// Those of the tokens that are among others.
pub(super) fn common(tokens: &[Token], others: &[Token]) -> Vec<Token> {
    tokens.iter().filter(|it| others.iter().any(|other| other.is_same(it))).cloned().collect()
}

/// The tokens of a process after a call has returned, in the state of the machine: those that it had before, and new ones. The call was made in
/// this state.
///
/// # Errors
/// If a search cannot be completed.
pub(super) fn after_call(
    setting: &Setting,
    search: &mut Search<'_, '_>,
    machine: &Machine,
    (before, state): (&[Token], &Value),
    (layer, operation, result): (LayerId, usize, &Value),
) -> Result<Vec<Token>, Abort> {
    let Some(rely) = setting.rely else { return Ok(Vec::new()) };
    let mut tokens = holding(search, machine, before)?;
    let result = machine.written(result);
    let own = rely.mints().iter().filter(|it| it.operation == operation);
    let minted = own.filter_map(|it| Some((it, part_of(&result, &it.part)?.clone())));
    let minted: Vec<Token> = minted.flat_map(|(mint, value)| tokens_of_new(mint, &value)).collect();
    tokens.extend(holding(search, machine, &minted)?);
    for (taken, key) in taken::by_call(search, machine, state) {
        let token = token_of_taken(taken, key);
        if !tokens.iter().any(|it| it.is_for_the_same(&token)) {
            tokens.push(token);
        }
    }
    let returned = parts(setting.program, setting.result(layer, operation));
    for (part, ty) in returned {
        let Some(value) = part_of(&result, &part) else { continue };
        for token in read(search, machine, (rely.mints(), value, &ty))? {
            if !tokens.iter().any(|it| it.is_same(&token)) {
                tokens.push(token);
            }
        }
    }
    Ok(tokens)
}

/// What is known to be in no other collection when it is minted: all keys of such a collection are minted.
pub(super) fn not_used_elsewhere(start: &[Fact], minted: &[Token]) -> Vec<Fact> {
    let mut facts = Vec::new();
    for token in minted.iter().filter(|it| it.mark.is_minted()) {
        let Holds::Minted(Kind::Key(minted) | Kind::Below(minted)) = &token.mark.holds else { continue };
        for fact in start {
            if fact.known == Known::RelatedTo(Relation::Within, minted.clone()) {
                let path: Vec<Component> =
                    fact.path.iter().cloned().chain([Component::Entry(token.value.clone())]).collect();
                facts.push(Fact::new(&path, Known::Absent));
            }
        }
    }
    facts
}

/// The tokens that a process has for what it has minted.
fn tokens_of_new(mint: &Mint, value: &Value) -> Vec<Token> {
    let claims = [Claim::Minted].into_iter().chain(mint.places.iter().cloned().map(Claim::Hidden));
    claims.map(|it| mint.token(value, it)).collect()
}

/// The token that a process has for what it has taken. An entry that it has made is minted, too.
fn token_of_taken(taken: Taken, value: Value) -> Token {
    let is_key = taken.to == To::Present && taken.in_entry.as_ref().is_some_and(Vec::is_empty);
    let holds = if is_key { Holds::Minted(Kind::Key(taken.fields)) } else { Holds::Taken(taken) };
    Token { value, mark: Mark { holds, claim: Claim::Minted, stays: false } }
}

/// The tokens that a process has for a value of a type that it has been given, if it is in a component.
fn read(
    search: &mut Search<'_, '_>,
    machine: &Machine,
    (mints, value, ty): (&[Mint], &Value, &Type),
) -> Result<Vec<Token>, Abort> {
    let mut tokens: Vec<Token> = Vec::new();
    for mint in mints.iter().filter(|it| it.ty == *ty) {
        for place in &mint.places {
            let inside = facts::component(search, &machine.state, &place.path).map(|it| machine.written(&it));
            let inside = match inside {
                Some(Value::Variant(1, fields)) if place.is_option => fields.first().cloned(),
                _ if place.is_option => None,
                inside => inside,
            };
            let token = mint.token(value, Claim::Read(place.clone()));
            let is_there = inside.is_some_and(|it| machine.is_same(&it, value));
            if is_there
                && !tokens.iter().any(|it| it.is_same(&token))
                && facts::all_hold(search, machine, &mint.kind.has(value))?
            {
                tokens.push(token);
            }
        }
    }
    Ok(tokens)
}

impl Mint {
    fn token(&self, value: &Value, claim: Claim) -> Token {
        let holds = Holds::Minted(self.kind.clone());
        Token { value: value.clone(), mark: Mark { holds, claim, stays: self.stays } }
    }
}

/// Those tokens that the process still has in the state of a machine.
fn holding(search: &mut Search<'_, '_>, machine: &Machine, tokens: &[Token]) -> Result<Vec<Token>, Abort> {
    let mut kept = Vec::new();
    for token in tokens {
        if facts::all_hold(search, machine, &token.facts())? {
            kept.push(token.clone());
        }
    }
    Ok(kept)
}

/// What is so after any steps of others.
pub(super) struct Others {
    /// The machine, in an unknown state.
    pub(super) machine: Machine,
    /// What is known of the state.
    pub(super) facts: Vec<Fact>,
    /// The tokens that the process still has.
    pub(super) tokens: Rc<Vec<Token>>,
}

/// The state of a machine after any steps of others: see [`facts::let_others_run`].
///
/// # Errors
/// If a search cannot be completed.
pub(super) fn let_others_run(
    setting: &Setting,
    search: &mut Search<'_, '_>,
    (layer, me): (LayerId, &Value),
    tokens: Rc<Vec<Token>>,
    machine: Machine,
    known: Vec<Fact>,
    number: &mut u32,
) -> Result<Others, Abort> {
    let mut tokens = tokens;
    loop {
        let process = Process { layer, me, tokens: &tokens };
        let known = known.clone();
        let (after, facts) = facts::let_others_run(setting, search, process, machine.clone(), known, number)?;
        let kept = holding(search, &after, &tokens)?;
        if kept.len() == tokens.len() {
            return Ok(Others { machine: after, facts, tokens });
        }
        tokens = Rc::new(kept);
    }
}
