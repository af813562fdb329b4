//! Rely: which steps other processes make, as far as it is known where they make them.
//!
//! Processes that run procedures of an implementation make a step only where a procedure makes a call. Let `F(c)` be a set of facts for each
//! call `c` in the text of the procedures: about the state `s`, the process `q`, and what is in its variables `x` when it is about to make the call.
//! The steps of others are then
//!
//! ```text
//! others(p)  =  { s --o(a)@q/r,E--> s'  |  q ≠ p,  c calls o with a,  F(c) holds of (s, q, x),  what q holds is apart from what p does }
//! ```
//!
//! instead of those of `o` in all states, with any arguments. Shown, with these steps of others:
//!
//! ```text
//! wherever a procedure, from any state, is about to make a call c, and others have made steps:  F(c)
//! ```
//!
//! Sound by induction over the steps of all processes together (Owicki and Gries, "An axiomatic proof technique for parallel programs I",
//! Acta Informatica 6, 1976; Jones, "Tentative steps toward a development method for interfering programs", TOPLAS 5, 1983): as long as each step so far
//! was made where `F` holds, the procedure of each process has been walked with all steps that the others have made; so `F` holds where the next
//! step is made. `F` is the greatest such set: it begins with all that is known if others do nothing, and what turns out not to hold is dropped,
//! until nothing changes.
//!
//! It holds of runs of the layer below. Judgements of movers ask about two neighbouring steps of such a run, or of one made from it by exchanging
//! neighbours, and by leaving out steps that leave no trace: there, too, each process makes the calls of its procedures in their order.
//!
//! * Another process that makes its step after one of `p` was about to make it before that: so `F(c)` is assumed in the state before both.
//! * A call that is passed on is made in any state, with any arguments.
//! * A gate may be used in `F` only if no step of others changes it, as with [decisive steps](super::decisive). With other gates the rule is
//!   wrong: a step of `p` that is still to come may hide that a call of `q` fails.
//!
//! **Where procedures start.** What holds for [idle] processes, `I`, can be found together with `F`: `P0` is then the closure of `I`
//! under the steps of others above, and the walks for `returns` are made with these steps, too. The induction is the same: as long as each step so far
//! was made where `F` holds, each procedure that returned has been walked with all steps that the others have made, so `I` holds where it
//! returned, and the next one of its process starts in `P0`. `I` and `F` are the greatest such pair: what remains of both, when nothing changes.
//!
//! **Tokens.** What is in a variable of `q` may be known to differ from what `p` holds: see [tokens](super::tokens).

use std::rc::Rc;

use super::{
    candidates::constants,
    facts::{self, Fact, Known},
    given::{self, Asker},
    idle::{self, Idle, Start},
    known_words::Words,
    mints::{self, Mint, Part},
    needs,
    question::{Answered, Effort, Setting, Unrefuted},
    shape::{self, Question},
    tokens::{Mark, Token},
    weaker::variant_name,
};
use crate::{
    explore::{
        cells::{Numbers, Quantifier, Relation, Root},
        code::CodeId,
        machine::Machine,
        search::{Abort, Search},
        value::Value,
    },
    ir::{Code as How, ImplementationId, LayerId, Program, Type},
};

/// Where the processes that run procedures of an implementation make their calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rely {
    calls: Vec<Call>,
    mints: Vec<Mint>,
    /// How much was asked about where procedures start.
    starts: idle::Effort,
}

/// A call in the text, and what is known there.
#[derive(Clone, Debug, PartialEq)]
struct Call {
    /// The functions around it, and where each of them is. Empty if it is passed on.
    at: Vec<(CodeId, usize)>,
    operation: usize,
    /// The types of its arguments.
    types: Vec<Type>,
    /// What each argument is known to be: any of these terms, which are the same. Anything, if there is none.
    arguments: Vec<Vec<Term>>,
    /// The variables, and parts of what is in them.
    names: Vec<Name>,
    /// What differs from what others hold, and how.
    tokens: Vec<(Term, Mark)>,
    /// Names of what is not one of these constants.
    differs: Vec<(usize, Term)>,
    facts: Vec<Fact<Term>>,
    /// Whether some walk has come to it.
    is_visited: bool,
}

/// A variable, or a part of what is in it.
#[derive(Clone, Debug, PartialEq)]
struct Name {
    frame: usize,
    local: usize,
    path: Vec<Part>,
    ty: Type,
    /// In words.
    said: String,
}

impl Name {
    fn is_same(&self, other: &Name) -> bool {
        (self.frame, self.local, &self.path) == (other.frame, other.local, &other.path)
    }
}

/// A value that means the same in all searches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// The process.
    Me,
    /// What is in a variable, by the number of its name.
    Name(usize),
    /// A constant.
    Unit,
    /// A constant.
    Bool(bool),
    /// A constant.
    Int(i128),
    /// A variant of such values.
    Variant(u32, Vec<Term>),
    /// A tuple of such values.
    Tuple(Vec<Term>),
}

/// A call that another process is about to make.
pub struct Made {
    /// Its arguments.
    pub arguments: Vec<Value>,
    /// What is known of the state.
    pub facts: Vec<Fact>,
    tokens: Vec<Token>,
    /// Values that are different.
    differs: Vec<(Value, Value)>,
}

/// The most facts of a call.
const MOST_FACTS: usize = 40;

/// The most facts of a call that are told.
const MOST_TOLD: usize = 3;

/// The most ways to say a fact by names.
const MOST_WAYS: usize = 6;

/// The most parts within parts that have names.
const DEPTH: usize = 2;

impl Made {
    /// Assumes that it is made beside a process that has these tokens: what the two hold is different. False if that cannot be.
    pub fn is_beside(&self, tokens: &[Token], machine: &mut Machine) -> bool {
        let held = self.tokens.iter().flat_map(|it| {
            let others = tokens.iter().filter(|other| it.mark.is_apart_from(&other.mark));
            others.map(|other| (&it.value, &other.value))
        });
        let known = self.differs.iter().map(|(one, other)| (one, other));
        for (one, other) in held.chain(known) {
            if is_same(machine, one, other) {
                return false;
            }
            let apart = (one.clone(), Relation::Not, other.clone());
            if !machine.known.relations.contains(&apart) {
                Rc::make_mut(&mut machine.known.relations).push(apart);
            }
        }
        true
    }
}

impl Rely {
    /// How much it asks about where procedures start.
    pub fn starts(&self) -> idle::Effort {
        self.starts
    }

    /// The calls of an operation that another process may be about to make.
    pub fn calls_of(&self, search: &mut Search<'_, '_>, operation: usize, process: &Value, asker: Asker) -> Vec<Made> {
        let calls = self.calls.iter().enumerate().filter(|it| it.1.operation == operation);
        calls.map(|(number, it)| it.made(search, number as u32 + asker as u32, process)).collect()
    }

    /// What operations mint.
    pub fn mints(&self) -> &[Mint] {
        &self.mints
    }

    /// Adds a visit of a walk to a call, in the state of the machine; keeps what holds there, too.
    ///
    /// # Errors
    /// If the search cannot be completed.
    pub fn visit(
        &mut self,
        setting: &Setting,
        search: &mut Search<'_, '_>,
        (machine, known): (&Machine, &[Fact]),
        me: &Value,
        tokens: &[Token],
        call: (LayerId, usize, &[Value]),
    ) -> Result<(), Abort> {
        let (layer, operation, arguments) = call;
        let at: Vec<(CodeId, usize)> = machine.frames.iter().map(|it| (it.code, it.pc)).collect();
        let visit = Visit::new(setting, machine, me);
        match self.calls.iter_mut().find(|it| it.at == at && it.operation == operation) {
            Some(call) => call.keep(search, &visit, tokens, arguments),
            None => {
                let types = setting.arguments(layer, operation);
                self.calls.push(visit.call(search, at, (operation, types), (known, tokens, arguments)));
                Ok(())
            }
        }
    }

    /// What is known where calls are made, in words, for each call of which something is known.
    pub fn told(&self, program: &Program, layer: LayerId) -> Vec<String> {
        self.calls.iter().filter_map(|it| it.told(program, layer)).collect()
    }

    fn begin_round(&mut self) {
        self.calls.iter_mut().for_each(|it| it.is_visited = false);
    }

    fn end_round(&mut self) {
        self.calls.retain(|it| it.is_visited);
    }

    fn pass(&mut self, operation: usize, types: Vec<Type>) {
        let (at, names, tokens, differs, facts) = Default::default();
        let arguments = vec![Vec::new(); types.len()];
        self.calls.retain(|it| !it.at.is_empty() || it.operation != operation);
        self.calls.push(Call { at, operation, types, arguments, names, tokens, differs, facts, is_visited: true });
    }
}

impl Call {
    fn made(&self, search: &mut Search<'_, '_>, number: u32, process: &Value) -> Made {
        let mut unknown = |index: usize, ty: &Type| {
            search.world.cells.root(Root::Other(number, index as u32), ty, Quantifier::Universal)
        };
        let names: Vec<Value> = self.names.iter().enumerate().map(|(index, it)| unknown(index, &it.ty)).collect();
        let mut argument = |(index, known): (usize, &Vec<Term>)| match known.first() {
            Some(term) => value(term, process, &|it| names.get(it).cloned()),
            None => Some(unknown(names.len() + index, &self.types[index])),
        };
        let arguments = self.arguments.iter().enumerate().filter_map(&mut argument).collect();
        let fact = |it: &Fact<Term>| it.map(&mut |term| value(term, process, &|it| names.get(it).cloned()));
        let facts = self.facts.iter().filter_map(fact).collect();
        let token = |(term, mark): &(Term, Mark)| {
            let value = value(term, process, &|it| names.get(it).cloned())?;
            Some(Token { value, mark: mark.clone() })
        };
        let tokens = self.tokens.iter().filter_map(token).collect();
        let apart = |(name, term): &(usize, Term)| Some((names[*name].clone(), value(term, process, &|_| None)?));
        let differs = self.differs.iter().filter_map(apart).collect();
        Made { arguments, facts, tokens, differs }
    }

    /// What is known there, if anything is.
    fn told(&self, program: &Program, layer: LayerId) -> Option<String> {
        let layer = &program.layers[layer.0 as usize];
        let mut say = |term: &Term, ty: &Type| self.say(program, term, ty);
        let mut words = Words { program, state: &layer.state, say: &mut say };
        let taken: Vec<Fact<Term>> = self.tokens.iter().filter_map(|it| it.1.taken(&it.0, &constant)).collect();
        // That an entry of a set is `()` is no news, nor what the process has seen to itself.
        let facts = self.facts.iter().filter(|it| it.known != Known::Is(Term::Unit) && !taken.contains(it));
        let mut known: Vec<String> = facts.take(MOST_TOLD).map(|it| words.fact(it)).collect();
        known.extend(self.tokens.iter().filter_map(|it| self.said_of_token(&mut words, it)));
        let differs = self.differs.iter().filter(|it| self.names[it.0].path.is_empty()).take(MOST_TOLD);
        let differs = differs.map(|(name, term)| (&self.names[*name], term));
        known.extend(differs.map(|(name, term)| format!("{} != {}", name.said, self.say(program, term, &name.ty))));
        let name = &layer.operations[self.operation].name;
        (!known.is_empty()).then(|| format!("{name} where {}", known.join(" and ")))
    }

    /// What a token says, if it is about what has been minted or taken.
    fn said_of_token(&self, words: &mut Words<'_, Term>, (term, mark): &(Term, Mark)) -> Option<String> {
        match (mark.taken(term, &constant), term) {
            (Some(fact), _) => Some(format!("the process itself has made {}", words.fact(&fact))),
            (None, Term::Name(name)) if mark.is_minted() => {
                // What does not stay minted may have been given to others before.
                let verb = if mark.stays() { "has been given" } else { "holds" };
                Some(format!("no other process {verb} {}", self.names[*name].said))
            }
            _ => None,
        }
    }

    fn say(&self, program: &Program, term: &Term, ty: &Type) -> String {
        let all = |terms: &[Term], types: Vec<Type>| {
            let said: Vec<String> = terms.iter().zip(&types).map(|(it, ty)| self.say(program, it, ty)).collect();
            said.join(", ")
        };
        match term {
            Term::Me => "me".to_owned(),
            Term::Name(name) => self.names[*name].said.clone(),
            Term::Unit => "()".to_owned(),
            Term::Bool(constant) => constant.to_string(),
            Term::Int(constant) => constant.to_string(),
            Term::Variant(tag, parts) => {
                let name = variant_name(program, ty, *tag);
                match parts.is_empty() {
                    true => name,
                    false => format!("{name}({})", all(parts, given::payload(program, ty, *tag).unwrap_or_default())),
                }
            }
            Term::Tuple(parts) => format!("({})", all(parts, given::fields(program, ty).unwrap_or_default())),
        }
    }

    /// Keeps what holds on this visit, too.
    fn keep(
        &mut self,
        search: &mut Search<'_, '_>,
        visit: &Visit<'_>,
        tokens: &[Token],
        arguments: &[Value],
    ) -> Result<(), Abort> {
        self.is_visited = true;
        let names: Vec<Option<&Value>> = self.names.iter().map(|it| visit.value_of(it)).collect();
        let named = |it: usize| names.get(it).copied().flatten().cloned();
        for (terms, argument) in self.arguments.iter_mut().zip(arguments) {
            terms.retain(|it| value(it, visit.me, &named).is_some_and(|it| is_same(visit.machine, &it, argument)));
        }
        let held = |term: &Term| value(term, visit.me, &named);
        self.tokens.retain(|(term, mark)| held(term).is_some_and(|it| is_held(visit.machine, &it, mark, tokens)));
        let differs = |(name, term): &(usize, Term)| {
            named(*name).zip(value(term, visit.me, &|_| None)).is_some_and(|it| are_apart(visit.machine, &it.0, &it.1))
        };
        self.differs.retain(differs);
        let mut kept = Vec::new();
        for fact in std::mem::take(&mut self.facts) {
            let there = fact.map(&mut |term| value(term, visit.me, &named));
            if let Some(there) = there
                && !facts::holding(search, visit.machine, &[there])?.is_empty()
            {
                kept.push(fact);
            }
        }
        self.facts = kept;
        Ok(())
    }
}

/// Whether a process has such a token for a value.
fn is_held(machine: &Machine, value: &Value, mark: &Mark, tokens: &[Token]) -> bool {
    tokens.iter().any(|it| it.mark == *mark && is_same(machine, value, &it.value))
}

fn is_same(machine: &Machine, one: &Value, other: &Value) -> bool {
    machine.is_same(&machine.written(one), &machine.written(other))
}

fn are_apart(machine: &Machine, one: &Value, other: &Value) -> bool {
    machine.known.same(&machine.written(one), other) == Some(false)
}

/// The term of a constant.
fn constant(value: &Value) -> Option<Term> {
    let all = |parts: &[Value]| parts.iter().map(constant).collect::<Option<Vec<_>>>();
    Some(match value {
        Value::Unit => Term::Unit,
        Value::Bool(constant) => Term::Bool(*constant),
        Value::Int(constant) => Term::Int(constant.get()),
        Value::Variant(tag, parts) => Term::Variant(*tag, all(parts)?),
        Value::Tuple(parts) => Term::Tuple(all(parts)?),
        _ => return None,
    })
}

/// The value of a term, if its names have values.
fn value(term: &Term, me: &Value, named: &dyn Fn(usize) -> Option<Value>) -> Option<Value> {
    let all = |terms: &[Term]| terms.iter().map(|it| value(it, me, named)).collect::<Option<Vec<_>>>();
    Some(match term {
        Term::Me => me.clone(),
        Term::Name(name) => named(*name)?,
        Term::Unit => Value::Unit,
        Term::Bool(constant) => Value::Bool(*constant),
        Term::Int(constant) => Value::int(*constant),
        Term::Variant(tag, parts) => Value::Variant(*tag, all(parts)?.into()),
        Term::Tuple(parts) => Value::tuple(all(parts)?),
    })
}

/// A machine that is about to make a call.
struct Visit<'a> {
    machine: &'a Machine,
    me: &'a Value,
    names: Vec<(Name, Value)>,
}

impl<'a> Visit<'a> {
    fn new(setting: &Setting, machine: &'a Machine, me: &'a Value) -> Visit<'a> {
        let mut visit = Visit { machine, me, names: Vec::new() };
        for (frame, it) in machine.frames.iter().enumerate() {
            let Some(source) = setting.code.functions[it.code].source else { continue };
            for (local, variable) in setting.program.functions[source.0 as usize].locals.iter().enumerate() {
                // What has not been assigned yet is nothing.
                if let Some(value) = it.locals.get(local).filter(|it| **it != Value::Unit) {
                    let (path, ty, said) = (Vec::new(), variable.ty.clone(), variable.name.clone());
                    visit.name(setting.program, Name { frame, local, path, ty, said }, &machine.written(value));
                }
            }
        }
        visit
    }

    /// Gives names to a value and its parts.
    fn name(&mut self, program: &Program, name: Name, value: &Value) {
        let ty = &name.ty;
        let (parts, types, part): (&[Value], _, &dyn Fn(usize) -> Part) = match value {
            Value::Tuple(parts) => (parts, given::fields(program, ty), &Part::Field),
            Value::Variant(tag, parts) => (parts, given::payload(program, ty, *tag), &|it| Part::Payload(*tag, it)),
            _ => (&[], None, &Part::Field),
        };
        if name.path.len() < DEPTH {
            for (index, (value, ty)) in parts.iter().zip(types.unwrap_or_default()).enumerate() {
                let path = name.path.iter().copied().chain([part(index)]).collect();
                let said = match parts.len() {
                    1 => name.said.clone(),
                    _ => format!("{}.{index}", name.said),
                };
                self.name(program, Name { path, ty, said, ..name.clone() }, value);
            }
        }
        self.names.push((name, value.clone()));
    }

    fn value_of(&self, name: &Name) -> Option<&Value> {
        self.names.iter().find(|it| it.0.is_same(name)).map(|it| &it.1)
    }

    /// The ways to say a value by names.
    fn terms(&self, value: &Value) -> Vec<Term> {
        let value = self.machine.written(value);
        let mut terms = Vec::new();
        if value == *self.me {
            terms.push(Term::Me);
        }
        let same = self.names.iter().enumerate().filter(|it| self.machine.is_same(&it.1.1, &value));
        terms.extend(same.map(|it| Term::Name(it.0)));
        let parts =
            |parts: &[Value]| parts.iter().map(|it| self.terms(it).into_iter().next()).collect::<Option<Vec<_>>>();
        terms.extend(match &value {
            Value::Unit => Some(Term::Unit),
            Value::Bool(constant) => Some(Term::Bool(*constant)),
            Value::Int(constant) => Some(Term::Int(constant.get())),
            Value::Variant(tag, fields) => parts(fields).map(|it| Term::Variant(*tag, it)),
            Value::Tuple(fields) => parts(fields).map(Term::Tuple),
            _ => None,
        });
        terms
    }

    /// The ways to say a fact by names.
    fn ways(&self, fact: &Fact) -> Vec<Fact<Term>> {
        let mut choices: Vec<Vec<Term>> = Vec::new();
        let has_ways = fact.map(&mut |it| {
            let terms = self.terms(it);
            let is_said = !terms.is_empty();
            choices.push(terms);
            is_said.then_some(())
        });
        if has_ways.is_none() {
            return Vec::new();
        }
        let ways = choices.iter().map(Vec::len).product::<usize>().min(MOST_WAYS);
        let way = |mut number: usize| {
            let mut choices = choices.iter();
            fact.map(&mut |_| {
                let terms = choices.next()?;
                let term = terms[number % terms.len()].clone();
                number /= terms.len();
                Some(term)
            })
        };
        (0..ways).filter_map(way).collect()
    }

    /// What is not one of the constants of its type.
    fn differs(&self, search: &Search<'_, '_>) -> Vec<(usize, Term)> {
        let mut all = Vec::new();
        for (index, (name, value)) in self.names.iter().enumerate() {
            for (other, _) in constants(search, &name.ty, self.me) {
                let term = if other == *self.me { Some(Term::Me) } else { constant(&other) };
                if let Some(term) = term.filter(|_| are_apart(self.machine, value, &other)) {
                    all.push((index, term));
                }
            }
        }
        all
    }

    fn call(
        &self,
        search: &Search<'_, '_>,
        at: Vec<(CodeId, usize)>,
        (operation, types): (usize, Vec<Type>),
        (known, tokens, arguments): (&[Fact], &[Token], &[Value]),
    ) -> Call {
        let mut facts: Vec<Fact<Term>> = known.iter().flat_map(|it| self.ways(it)).collect();
        facts.truncate(MOST_FACTS);
        let marks =
            |it: &Token| self.terms(&it.value).into_iter().map(|term| (term, it.mark.clone())).collect::<Vec<_>>();
        Call {
            at,
            operation,
            types,
            arguments: arguments.iter().map(|it| self.terms(it)).collect(),
            names: self.names.iter().map(|it| it.0.clone()).collect(),
            tokens: tokens.iter().flat_map(marks).collect(),
            differs: self.differs(search),
            facts,
            is_visited: true,
        }
    }
}

/// The most rounds in which facts are dropped.
const MOST_ROUNDS: usize = 12;

/// A procedure that is walked, and the step above whose failure it may take to be impossible where it starts.
pub struct Walked {
    /// The code of the procedure.
    pub procedure: CodeId,
    /// The step of the operation above.
    pub gate: Option<CodeId>,
}

/// What is looked for: where procedures make their calls.
pub struct Wanted<'w> {
    /// The implementation.
    pub implementation: ImplementationId,
    /// Its procedures.
    pub walked: &'w [Walked],
    /// How much is asked about where they start.
    pub starts: idle::Effort,
    /// The code whose literals matter.
    pub entries: &'w [CodeId],
}

/// Where processes that run procedures of an implementation make their calls; none if that is not found.
pub fn find(setting: &Setting, wanted: &Wanted<'_>) -> (Option<Rely>, Effort) {
    let id = wanted.implementation;
    let lower = setting.program.implementations[id.0 as usize].lower;
    let mut effort = Effort::default();
    let mints = mints::find(setting, id, &mut effort);
    let mut rely = Rely { calls: Vec::new(), mints, starts: wanted.starts };
    let mut idle = Idle::new(id, wanted.starts);
    for _ in 0..MOST_ROUNDS {
        let mut round = Effort::default();
        let mut next = rely.clone();
        next.begin_round();
        for operation in passed(setting.program, id) {
            next.pass(operation, setting.arguments(lower, operation));
        }
        // All walks of a round start from the same. What is found with numbers says more.
        let mut starts: Vec<(Numbers, Start)> = Vec::new();
        for it in wanted.walked {
            let setting = Setting { rely: Some(&rely), ..*setting };
            let mut noted = None;
            let (answered, more) = setting.ask_in_parts(wanted.entries, Some(lower), |search| {
                let numbers = search.world.cells.numbers;
                let start = match starts.iter().find(|it| it.0 == numbers) {
                    Some((_, start)) => start.clone(),
                    None => idle.start(&setting, search)?,
                };
                starts.push((numbers, start.clone()));
                let mut question = Question::of_walk(lower, it.procedure, start);
                question.gate = it.gate;
                noted = Some(shape::calls(&setting, search, &mut question, next.clone())?);
                Ok(None::<Unrefuted>)
            });
            round.add(more);
            let (Answered::Holds, Some(noted)) = (answered, noted) else { return (None, effort) };
            next = noted;
        }
        next.end_round();
        if next.calls == rely.calls {
            effort.add(round);
            return (Some(rely), effort);
        }
        rely = next;
    }
    (None, effort)
}

/// The operations of the lower layer that are passed on.
fn passed(program: &Program, id: ImplementationId) -> Vec<usize> {
    let upper = program.implementations[id.0 as usize].upper;
    let passed = (0..program.layers[upper.0 as usize].operations.len())
        .filter(|it| matches!(needs::how(program, id, *it), Some(How::Pass)));
    passed.flat_map(|it| needs::called_by(program, id, it)).collect()
}
