//! Where a procedure starts: what holds for a process that is between two procedures.
//!
//! Let `I(p, s)` be a condition on the state of the layer below and a process, stated by `#[idle]` or found here. Let `others` be the steps of
//! other processes: of operations that some procedure of the implementation calls or passes on, with any arguments, in any state; or where these
//! calls are [made](super::rely). A procedure is assumed to start in `P0 = closure of I(p, ·) under others`. Shown in return:
//!
//! ```text
//! initially   init(s)  implies  I(p, s)                                         for every process p
//! returns     started in P0, whenever a procedure returns in s:  I(p, s)        for every procedure, and every operation passed on
//! ```
//!
//! An operation that is passed on is a procedure of one call. That others keep `I` is not asked: what they destroy is not known at the start,
//! since `P0` is closed under their steps. `returns` does not assume the [gate](super::shape) of an operation: that holds in the run above,
//! and in the real run left movers of others may still be to come.
//!
//! Why that is sound: by induction over a run of the layer below, in which every process runs one procedure of the implementation after the
//! other. Look at a procedure of `p` that starts in `s`. If it is the first one of `p`, then all steps before it are steps of others, from an
//! initial state, in which `I(p, ·)` holds. Otherwise the procedure of `p` before it has returned in a state in which `I(p, ·)` holds, by
//! `returns`, and all steps since then are steps of others. In both cases `s` is in the closure of `I(p, ·)` under others. That is so in every
//! run, and so in the one in which procedures have been brought together. A process that stops in the middle of a procedure starts no other
//! one: process ids are not used again before their procedures return, and nothing in the language restarts a process.
//!
//! `returns` is asked of the procedure as it runs, with all its turns, whatever becomes of them in the proof that it is atomic. A place where a
//! procedure starts afresh (`blocks`) is no start in this sense: what is known there has to be shown there. That blocks and weak turns are
//! left out of a run changes no state in which a procedure starts or returns, since they leave the state as it was. A procedure that does not
//! return owes nothing: its process starts no other one.
//!
//! **Found conditions.** All `candidates` are taken together, and those are dropped that do not hold initially, that some step of others from a
//! state in which all of them hold destroys, or that some return does not re-establish if all of them hold where the procedure starts; until
//! nothing changes. What remains is the greatest set for which the three hold together: then `I` is its conjunction, which is closed under
//! others, so `P0` is within `I`. To assume all candidates in each check is sound, since the ones that remain have been checked under these
//! alone. The steps of others are any, not only those from states in which `I` holds for *their* process: they may be in the middle of a
//! procedure.
//!
//! A stated condition is assumed together with what is found. What it implies need not hold initially or be re-established by a check of its
//! own, but others must keep it: only then it is known at the start.

use super::{
    candidates::{Candidates, candidates},
    facts::{self, Fact, Process},
    known_words::Words,
    movers::Refutation,
    needs,
    question::{self, Answered, Setting, Slots, Wanted, for_all_exists, replays},
    shape::{self, Question},
    tell::Teller,
};
use crate::{
    counterexample::RunRole,
    explore::{
        cells::{Knowledge, Numbers, Quantifier, Root},
        code::CodeId,
        machine::Machine,
        search::{Abort, Action, End, Search, Slot},
        value::{Sort, Value},
    },
    ir::{Code as How, ImplementationId, Justification, LayerId, Program, Type},
};

/// The parts of showing what is stated of idle processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// It holds initially.
    Initially,
    /// It holds where the procedure of an operation returns.
    Returns(usize),
}

/// The parts that an implementation owes.
pub fn parts(program: &Program, id: ImplementationId) -> Vec<Part> {
    let implementation = &program.implementations[id.0 as usize];
    let (Justification::Movers(code) | Justification::Retry(code)) = &implementation.by else { return Vec::new() };
    if !is_stated(program, id) {
        return Vec::new();
    }
    let operations = program.layers[implementation.upper.0 as usize].operations.iter().enumerate();
    let returns = operations.filter(|(_, it)| code.contains_key(&it.name)).map(|(index, _)| Part::Returns(index));
    [Part::Initially].into_iter().chain(returns).collect()
}

/// What is known where a procedure starts.
#[derive(Clone, Default)]
pub struct Start {
    /// Facts that others keep.
    pub facts: Vec<Fact>,
    /// The condition that is stated, if others keep it.
    pub stated: Option<CodeId>,
}

impl Start {
    /// Without what follows from another fact: it is nothing more to look at.
    fn without_weaker(mut self) -> Start {
        let all = self.facts.clone();
        self.facts.retain(|it| !all.iter().any(|other| other.is_stronger_than(it)));
        self
    }
}

/// How much is asked about the start of a procedure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effort {
    /// Only what is stated.
    #[default]
    Stated,
    /// Also what is found.
    Found,
}

/// What holds for idle processes, found when it is asked for.
pub struct Idle {
    implementation: ImplementationId,
    effort: Effort,
    found: Option<Start>,
    /// The same in words.
    told: Vec<String>,
    /// What has been found in a search with numbers of this kind. One that looks at more cases finds no more.
    before: Option<(Numbers, Vec<Fact>)>,
    /// Whether there are two components that are integers.
    has_integers: bool,
}

/// Steps that looking for conditions may take.
const MOST_TO_FIND: u64 = 40_000_000;

impl Idle {
    /// What holds for processes that run procedures of this implementation.
    pub fn new(implementation: ImplementationId, effort: Effort) -> Idle {
        Idle { implementation, effort, found: None, told: Vec::new(), before: None, has_integers: false }
    }

    /// Whether numbers would say more: how integers are ordered is something that can be found.
    pub fn wants_numbers(&self, search: &Search<'_, '_>) -> bool {
        self.effort == Effort::Found && self.has_integers && search.world.cells.numbers == Numbers::Atoms
    }

    /// Whether it was looked for more than what is stated, and there is nothing. Then no question is worth asking again.
    pub fn found_nothing(&self) -> bool {
        self.effort == Effort::Found && self.found.as_ref().is_none_or(|it| it.facts.is_empty())
    }

    /// What is known where a procedure starts, in words.
    pub fn told(&self) -> &[String] {
        &self.told
    }

    /// What is known where a procedure starts.
    ///
    /// # Errors
    /// If the search is stopped, or has to be made with numbers.
    pub fn start<'p>(&mut self, setting: &Setting<'p>, search: &mut Search<'_, 'p>) -> Result<Start, Abort> {
        // When a case is replayed, states are fixed: then what is known is what was known of all.
        if let (Some(found), false) = (&self.found, search.world.cells.pinned.is_empty()) {
            return Ok(found.clone());
        }
        let left = search.world.fuel;
        search.world.fuel = left.min(MOST_TO_FIND).min(left / 2);
        let spare = left - search.world.fuel;
        let pausing = std::mem::replace(&mut search.pausing, false);
        let mut finder = Finder::new(setting, search, self.implementation);
        let numbers = search.world.cells.numbers;
        finder.among = self.before.clone().filter(|it| it.0 == numbers).map(|it| it.1);
        let found = finder.start(search, self.effort);
        self.has_integers = finder.has_integers;
        let (me, begin) = (finder.me, finder.begin);
        search.pausing = pausing;
        search.world.fuel += spare;
        let found = match found {
            Err(Abort::OutOfFuel | Abort::Endless(_) | Abort::Unsupported) => Start::default(),
            found => {
                let found = found?;
                self.before = Some((numbers, found.facts.clone()));
                found.without_weaker()
            }
        };
        tracing::debug!(facts = ?found.facts, stated = found.stated.is_some(), "idle");
        let layer = setting.program.implementations[self.implementation.0 as usize].lower;
        let state = setting.state(layer);
        let mut teller = Teller::new(setting, search, begin);
        let mut say = |value: &Value, ty: &Type| match value {
            it if *it == me => "me".to_owned(),
            it if *it == Value::some(me.clone()) => "Some(me)".to_owned(),
            it => teller.datum(it, ty).to_string(),
        };
        let mut words = Words { program: setting.program, state, say: &mut say };
        self.told = found.facts.iter().map(|it| words.fact(it)).collect();
        let stated = setting.program.layers[layer.0 as usize].idle.iter().filter(|_| found.stated.is_some());
        self.told.extend(stated.map(|it| format!("{}(me)", setting.program.functions[it.0 as usize].name)));
        self.found = Some(found.clone());
        Ok(found)
    }
}

/// Whether something may be known where procedures of this implementation start.
pub fn is_stated(program: &Program, implementation: ImplementationId) -> bool {
    let lower = program.implementations[implementation.0 as usize].lower;
    !program.layers[lower.0 as usize].idle.is_empty()
}

/// The cases in which all that is known at the start holds in the state in a slot.
///
/// # Errors
/// If the search cannot be completed.
pub fn assumed(
    search: &mut Search<'_, '_>,
    start: &Start,
    machine: Machine,
    state: Slot,
    me: Slot,
) -> Result<Vec<Machine>, Abort> {
    // When a case is replayed, the state is fixed, and nothing can be put into it.
    let cases = match search.world.cells.pinned.is_empty() {
        true => facts::assume_at(search, machine, state, &start.facts)?,
        false => facts::assume_in(search, &machine, state, &start.facts)?,
    };
    let Some(stated) = start.stated else { return Ok(cases) };
    let mut all = Vec::new();
    for machine in cases {
        all.extend(holding_in(search, &machine, stated, vec![state, me])?);
    }
    Ok(all)
}

/// The machines in which a procedure may start, if that is to be looked at: none, if looking has found nothing new.
///
/// # Errors
/// If the search cannot be completed.
pub fn starts<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    idle: Option<&mut Idle>,
    machine: Machine,
    state: Slot,
    me: Slot,
) -> Result<Vec<Machine>, Abort> {
    let Some(idle) = idle else { return Ok(vec![machine]) };
    let start = idle.start(setting, search)?;
    if idle.found_nothing() {
        return if idle.wants_numbers(search) { Err(Abort::NumbersNeeded) } else { Ok(Vec::new()) };
    }
    assumed(search, &start, machine, state, me)
}

/// Whether what is stated of idle processes holds in all initial states.
pub fn initially(setting: &Setting, layer: LayerId) -> (Answered<Refutation>, question::Effort) {
    let (init, stated) = (setting.code.init[layer.0 as usize], setting.code.idle[layer.0 as usize]);
    let mut slots = Slots::default();
    let (state, me, holds) = (slots.unknown(setting.state(layer)), slots.process(0), slots.empty());
    let given = [
        Action::Call { function: init, arguments: vec![state], result: Some(holds) },
        Action::When(holds),
        Action::Call { function: stated, arguments: vec![state, me], result: Some(holds) },
    ];
    setting.ask_whole(&[init, stated], None, |search| {
        let initial = slots.start(&mut search.world.cells, 1);
        let wanted = |machine: &Machine, end: &End| match end {
            End::Done if machine.slots[holds] == Value::Bool(true) => Wanted::Nothing,
            _ => Wanted::Never,
        };
        let Some(case) = for_all_exists(search, initial.clone(), &given, &wanted)? else { return Ok(None) };
        let confirmation = replays(search, &initial, &given, &case, &wanted)?;
        let mut teller = Teller::new(setting, search, case.known.clone());
        let process = teller.datum(&initial.slots[me], &Type::Pid);
        let run = teller.run(RunRole::Possible, layer, &initial.slots[state]).with(Vec::new());
        let conclusion = format!("the state is initial, and the condition does not hold there for {process}");
        Ok(Some(Refutation::new(teller.conclude(vec![run], conclusion), confirmation)))
    })
}

/// Whether what is stated of idle processes holds after an operation that is passed on.
pub fn kept_by(
    setting: &Setting,
    entries: &[CodeId],
    layer: LayerId,
    name: &str,
    mut idle: Option<&mut Idle>,
) -> (Answered<Refutation>, question::Effort) {
    let operations = &setting.program.layers[layer.0 as usize].operations;
    let Some(operation) = operations.iter().position(|it| it.name == name) else {
        return (Answered::GivenUp(Abort::Unsupported), question::Effort::default());
    };
    let (step, stated) = (setting.code.step(layer, operation), setting.code.idle[layer.0 as usize]);
    let mut slots = Slots::default();
    let (before, me) = (slots.unknown(setting.state(layer)), slots.process(0));
    let arguments = slots.unknowns(&setting.arguments(layer, operation));
    let (after, holds) = (slots.empty(), slots.empty());
    let call = [after, me].into_iter().chain(arguments).collect();
    let given = [Action::Copy(before, after), Action::Call { function: step, arguments: call, result: None }];
    let still =
        [Action::Call { function: stated, arguments: vec![after, me], result: Some(holds) }, Action::When(holds)];
    setting.ask_in_parts(entries, Some(layer), |search| {
        let start = slots.start(&mut search.world.cells, 1);
        let wanted = |_: &Machine, end: &End| match end {
            End::Done => Wanted::Run(&still, None),
            _ => Wanted::Nothing,
        };
        for start in starts(setting, search, idle.as_deref_mut(), start, before, me)? {
            let initial = start.clone();
            let Some(case) = for_all_exists(search, start, &given, &wanted)? else { continue };
            let confirmation = replays(search, &initial, &given, &case, &wanted)?;
            let mut teller = Teller::new(setting, search, case.known.clone());
            let steps = teller.given(&initial.slots, &given, &case.end, Some(&case.slots))?;
            let run = teller.run(RunRole::Possible, layer, &initial.slots[before]).with(steps);
            let conclusion = "what is said of idle processes does not hold after it".to_owned();
            return Ok(Some(Refutation::new(teller.conclude(vec![run], conclusion), confirmation)));
        }
        Ok(None)
    })
}

/// The cases in which a condition holds.
///
/// # Errors
/// If the search cannot be completed.
pub(super) fn holding_in(
    search: &mut Search<'_, '_>,
    machine: &Machine,
    condition: CodeId,
    arguments: Vec<Slot>,
) -> Result<Vec<Machine>, Abort> {
    let mut asked = Machine { tale: None, ..machine.clone() };
    let result = asked.slots.len();
    asked.push_slot(Value::Unit);
    let script = [Action::Call { function: condition, arguments, result: Some(result) }, Action::When(result)];
    let mut cases: Vec<Knowledge> = Vec::new();
    let mut draws = machine.draws;
    let pausing = std::mem::replace(&mut search.pausing, false);
    let searched = search.for_all(asked, &script, &mut |_, machine, end| {
        draws = draws.max(machine.draws);
        if end == End::Done {
            cases.push(machine.known);
        }
        Ok(true)
    });
    search.pausing = pausing;
    searched?;
    Ok(cases.into_iter().map(|known| Machine { known, draws, ..machine.clone() }).collect())
}

/// Finds conditions. Slot 0 of its machines is the state, slot 1 the process.
struct Finder<'s, 'p> {
    setting: &'s Setting<'p>,
    implementation: ImplementationId,
    lower: LayerId,
    me: Value,
    begin: Knowledge,
    number: u32,
    /// Only these are looked at, if they are given.
    among: Option<Vec<Fact>>,
    has_integers: bool,
}

const STATE: Slot = 0;
const ME: Slot = 1;

impl<'s, 'p> Finder<'s, 'p> {
    fn new(setting: &'s Setting<'p>, search: &Search<'_, '_>, implementation: ImplementationId) -> Finder<'s, 'p> {
        let literals = search.world.cells.scalar_literals(Sort::Pid).len() as u32;
        let mut begin = search.world.cells.start();
        begin.mention(Sort::Pid, literals + 1);
        let lower = setting.program.implementations[implementation.0 as usize].lower;
        let me = Value::Atom(Sort::Pid, literals);
        Finder { setting, implementation, lower, me, begin, number: 0, among: None, has_integers: false }
    }

    fn start(&mut self, search: &mut Search<'_, 'p>, effort: Effort) -> Result<Start, Abort> {
        let stated = is_stated(self.setting.program, self.implementation);
        let stated = stated.then_some(self.setting.code.idle[self.lower.0 as usize]);
        let start = self.known_with(search, stated, stated, effort)?;
        match start.stated {
            Some(condition) if !self.others_keep(search, &start, condition)? => {
                self.known_with(search, stated, None, effort)
            }
            _ => Ok(start),
        }
    }

    /// What is known if a condition is stated, and this much of it is assumed as a whole.
    fn known_with(
        &mut self,
        search: &mut Search<'_, 'p>,
        stated: Option<CodeId>,
        assumed: Option<CodeId>,
        effort: Effort,
    ) -> Result<Start, Abort> {
        let Candidates { always, conditional, has_integers } =
            candidates(search, self.setting.state(self.lower), &self.me);
        self.has_integers = has_integers;
        let mut start = Start { facts: Vec::new(), stated: assumed };
        for wanted in [always, conditional] {
            let may_be = |it: &Fact| self.among.as_ref().is_none_or(|all| all.contains(it));
            let is_new = |it: &Fact| may_be(it) && !start.facts.contains(&it.unconditional());
            let wanted: Vec<Fact> = wanted.into_iter().filter(is_new).collect();
            let implied = self.implied(search, stated, wanted.clone())?;
            let found = match effort {
                Effort::Stated => Vec::new(),
                Effort::Found => self.initially(search, wanted)?,
            };
            tracing::trace!(?found, "hold initially");
            let found = found.into_iter().filter(|it| !implied.contains(it)).collect();
            start = self.kept(search, start, implied, found)?;
        }
        Ok(start)
    }

    /// A machine with an unknown state.
    fn machine(&mut self, search: &mut Search<'_, 'p>) -> Machine {
        self.number += 1;
        let mut machine = Machine::new(self.begin.clone(), Quantifier::Universal);
        let state =
            search.world.cells.root(Root::Idle(self.number), self.setting.state(self.lower), Quantifier::Universal);
        machine.push_slot(state);
        machine.push_slot(self.me.clone());
        machine
    }

    /// Those that hold in all states in which a stated condition does.
    fn implied(
        &mut self,
        search: &mut Search<'_, 'p>,
        stated: Option<CodeId>,
        facts: Vec<Fact>,
    ) -> Result<Vec<Fact>, Abort> {
        let Some(stated) = stated else { return Ok(Vec::new()) };
        let machine = self.machine(search);
        let cases = holding_in(search, &machine, stated, vec![STATE, ME])?;
        all_hold(search, &cases, facts)
    }

    /// Those that hold in all initial states.
    fn initially(&mut self, search: &mut Search<'_, 'p>, facts: Vec<Fact>) -> Result<Vec<Fact>, Abort> {
        let machine = self.machine(search);
        let init = self.setting.code.init[self.lower.0 as usize];
        let cases = holding_in(search, &machine, init, vec![STATE])?;
        all_hold(search, &cases, facts)
    }

    /// What is known at the start, and of these facts the greatest set that is kept: by others; and those that are not implied also by all
    /// procedures.
    fn kept(
        &mut self,
        search: &mut Search<'_, 'p>,
        start: Start,
        mut implied: Vec<Fact>,
        mut found: Vec<Fact>,
    ) -> Result<Start, Abort> {
        let known = start.facts;
        loop {
            let all = [known.clone(), implied.clone(), found.clone()].concat();
            let start = Start { facts: all, stated: start.stated };
            let count = implied.len() + found.len();
            if count == 0 {
                return Ok(start);
            }
            (implied, found) = self.kept_by_others(search, &start, implied, found)?;
            tracing::trace!(?implied, ?found, "others keep");
            if implied.len() + found.len() < count {
                continue;
            }
            found = self.re_established(search, &start, found)?;
            tracing::trace!(?found, "procedures re-establish");
            if implied.len() + found.len() == count {
                return Ok(start);
            }
        }
    }

    fn kept_by_others(
        &mut self,
        search: &mut Search<'_, 'p>,
        start: &Start,
        mut implied: Vec<Fact>,
        mut found: Vec<Fact>,
    ) -> Result<(Vec<Fact>, Vec<Fact>), Abort> {
        self.after_others(search, start, &mut |search, machine| {
            let at = std::slice::from_ref(machine);
            implied = all_hold(search, at, std::mem::take(&mut implied))?;
            found = all_hold(search, at, std::mem::take(&mut found))?;
            Ok(!(implied.is_empty() && found.is_empty()))
        })?;
        Ok((implied, found))
    }

    /// Whether others keep a condition.
    fn others_keep(&mut self, search: &mut Search<'_, 'p>, start: &Start, condition: CodeId) -> Result<bool, Abort> {
        let (mut keep, me) = (true, self.me.clone());
        self.after_others(search, start, &mut |search, machine| {
            let mut after = Machine::new(machine.known.clone(), Quantifier::Universal);
            after.draws = machine.draws;
            after.push_slot(machine.slots[STATE].clone());
            after.push_slot(me.clone());
            keep = always(search, after, condition)?;
            Ok(keep)
        })?;
        Ok(keep)
    }

    /// Visits the ends of the steps of others from states in which all that is known holds.
    fn after_others(
        &mut self,
        search: &mut Search<'_, 'p>,
        start: &Start,
        visit: &mut dyn FnMut(&mut Search<'_, 'p>, &Machine) -> Result<bool, Abort>,
    ) -> Result<(), Abort> {
        let machine = self.machine(search);
        for mut machine in assumed(search, start, machine, STATE, ME)? {
            machine.state = machine.slots[STATE].clone();
            for operation in 0..self.setting.program.layers[self.lower.0 as usize].operations.len() {
                let me = self.me.clone();
                let process = Process { layer: self.lower, me: &me, tokens: &[] };
                for other in facts::others(self.setting, search, process, operation, &machine)? {
                    let arguments = (0..other.slots.len() - 1).collect();
                    let function = self.setting.code.step(self.lower, operation);
                    let script = [Action::Call { function, arguments, result: None }];
                    let mut goes_on = true;
                    search.for_all(other, &script, &mut |search, machine, end| {
                        if end == End::Done && search.survives(&machine.known)? {
                            goes_on = visit(search, &machine)?;
                        }
                        Ok(goes_on)
                    })?;
                    if !goes_on {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Those that hold wherever a procedure returns.
    fn re_established(
        &mut self,
        search: &mut Search<'_, 'p>,
        start: &Start,
        mut facts: Vec<Fact>,
    ) -> Result<Vec<Fact>, Abort> {
        let program = self.setting.program;
        let implementation = &program.implementations[self.implementation.0 as usize];
        let upper = implementation.upper;
        for operation in 0..program.layers[upper.0 as usize].operations.len() {
            if facts.is_empty() {
                break;
            }
            facts = match needs::how(program, self.implementation, operation) {
                Some(How::Procedure(function)) => {
                    let procedure = self.setting.code.function(*function);
                    let mut question = Question::of_walk(self.lower, procedure, start.clone());
                    shape::re_established(self.setting, search, &mut question, facts)?
                }
                Some(How::Pass) => {
                    let name = &program.layers[upper.0 as usize].operations[operation].name;
                    self.re_established_by(search, start, name, facts)?
                }
                // Code that is not there may do anything.
                None => Vec::new(),
            };
        }
        Ok(facts)
    }

    /// Those that hold after an operation that is passed on.
    fn re_established_by(
        &mut self,
        search: &mut Search<'_, 'p>,
        start: &Start,
        name: &str,
        mut facts: Vec<Fact>,
    ) -> Result<Vec<Fact>, Abort> {
        let operations = &self.setting.program.layers[self.lower.0 as usize].operations;
        let operation = operations.iter().position(|it| it.name == name).ok_or(Abort::Unsupported)?;
        let function = self.setting.code.step(self.lower, operation);
        let types: Vec<Type> = self.setting.arguments(self.lower, operation);
        let machine = self.machine(search);
        for mut machine in assumed(search, start, machine, STATE, ME)? {
            for (index, ty) in types.iter().enumerate() {
                let argument = search.world.cells.root(Root::Passed(index as u32), ty, Quantifier::Universal);
                machine.push_slot(argument);
            }
            let arguments = (0..machine.slots.len()).collect();
            let script = [Action::Call { function, arguments, result: None }];
            search.for_all(machine, &script, &mut |search, machine, end| {
                if end == End::Done {
                    facts = all_hold(search, &[machine], std::mem::take(&mut facts))?;
                }
                Ok(!facts.is_empty())
            })?;
        }
        Ok(facts)
    }
}

/// Those facts that hold in the states in slot 0 of all machines. If there is none, nothing can be said.
fn all_hold(search: &mut Search<'_, '_>, machines: &[Machine], facts: Vec<Fact>) -> Result<Vec<Fact>, Abort> {
    if machines.is_empty() {
        return Ok(Vec::new());
    }
    let mut kept = Vec::new();
    'facts: for fact in facts {
        for machine in machines {
            if !facts::always_holds(search, machine, &fact)? {
                continue 'facts;
            }
        }
        kept.push(fact);
    }
    Ok(kept)
}

/// Whether a condition on slots 0 and 1 holds in all cases.
fn always(search: &mut Search<'_, '_>, mut machine: Machine, condition: CodeId) -> Result<bool, Abort> {
    machine.push_slot(Value::Unit);
    let call = Action::Call { function: condition, arguments: vec![STATE, ME], result: Some(2) };
    let mut holds = true;
    search.for_all(machine, &[call], &mut |_, machine, end| {
        holds = end == End::Done && machine.slots[2] == Value::Bool(true);
        Ok(holds)
    })?;
    Ok(holds)
}
