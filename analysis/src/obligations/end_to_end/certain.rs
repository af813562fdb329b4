//! Whether a wrong run is certain: the top has no run with its trace, even if its steps have more choices.
//!
//! A step at the top that chooses a number or a scalar tries only a few. Those that are not tried might match. So a wrong run is compared
//! with the top once more, with many more numbers, and with all scalars that occur in the run from the start. What then remains is certain
//! if the layer at the top does not calculate with integers, except that it adds small numbers: code that only compares them cannot tell the
//! untried ones from tried ones. If another bound was met, a wrong run is not certain. A search that finds no other is undecided.
//!
//! The initial states of the top are listed within bounds, too. If a larger scope has no others, these are taken for all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Reductions, Uncertain, WrongRun,
    above::Above,
    control::{OwnFailure, Runs, mention_atoms},
    intern::Id,
    product::Product,
    system::{Edge, System},
};
use crate::{
    explore::{
        cells::Knowledge,
        code::{CodeId, Op},
        search::{Abort, Search},
        value::Value,
    },
    ir::{Arith, LayerId, Literal, Overflow, Prim, Program, Type, TypeDefKind, int::IntType},
    obligations::question::Setting,
    verdict::OverflowMode,
};

/// The largest integer that steps at the top try besides those of the run.
const INTS: u32 = 8;

/// The number of processes, and of scalars of each type, that are tried besides those of the run.
const MORE: u32 = 2;

/// The budget for one comparison.
const BUDGET: u64 = 500_000;

/// The most configurations of the top that are looked at in one comparison of a search beside a check.
const MOST_CONFIGURATIONS: usize = 50_000;

/// The largest number that code may add to integers that it compares.
const SMALL: i128 = 2;

/// The largest integer of a run up to which all are tried.
const MOST_INTS: i128 = 100;

/// The number of entries, integers and scalars that initial states are listed with besides those of the scope.
const MORE_AT_THE_START: u32 = 2;

/// The depth up to which the parts of a type are looked at.
const MOST_NESTED: u32 = 8;

/// The number of wrong runs that are compared once more before a search gives up on them.
pub(super) const MOST_COMPARED: u32 = 100;

/// How a run goes wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Its last event is not possible.
    Event,
    /// It fails.
    Fails,
    /// It ends in a wrong state.
    Ends,
}

impl<'p> Product<'_, 'p> {
    /// The run to a pair, and perhaps one step further, which goes wrong. `None` if that is not certain: then the search goes on without the
    /// run, and remembers the first.
    pub(super) fn wrong(
        &mut self,
        search: &mut Search<'_, 'p>,
        runs: Runs<'_>,
        run: (Id, Option<Edge>),
        how: How,
    ) -> Result<Option<WrongRun>, Abort> {
        self.unfolded(search, run, |it, search, run| it.wrong_for_real(search, runs, run, how))
    }

    fn wrong_for_real(
        &mut self,
        search: &mut Search<'_, 'p>,
        runs: Runs<'_>,
        run: (Id, Option<Edge>),
        how: How,
    ) -> Result<Option<WrongRun>, Abort> {
        let bounds = match self.comparisons > 0 {
            true => self.uncertain_within(search, runs, run, how)?,
            false => Some(BTreeSet::new()),
        };
        self.comparisons = self.comparisons.saturating_sub(1);
        let Some(bounds) = bounds else { return self.told(search, run, how).map(Some) };
        self.left_out += 1;
        if self.uncertain.is_none() {
            self.uncertain = Some(Uncertain { run: self.told(search, run, how)?, bounds });
        }
        Ok(None)
    }

    /// The bounds beyond which the top may match a wrong run. `None` if it cannot, whatever it chooses.
    fn uncertain_within(
        &mut self,
        search: &mut Search<'_, 'p>,
        runs: Runs<'_>,
        (at, last): (Id, Option<Edge>),
        how: How,
    ) -> Result<Option<BTreeSet<String>>, Abort> {
        let client = self.is_careful.then(|| self.failing_client(at)).flatten().filter(|_| how == How::Fails);
        let top = steps(self.low.setting, self.high.system.end);
        if how == How::Fails && client.is_none() && !may_fail(self.low.setting, top) {
            return Ok(None);
        }
        let path = self.graph.path_to(at);
        let mut trace = self.edges_along(search, &path)?;
        trace.extend(last);
        let mut scalars = Knowledge::default();
        let mut ints = BTreeSet::new();
        for pair in &path {
            let low = self.low_of(*pair).to_vec();
            self.low.mention(&low, &mut scalars);
            ints_of(&self.low.state(&low), &mut ints);
        }
        for value in trace.iter().flat_map(|it| self.events.get(it.events).iter()) {
            mention_atoms(&mut scalars, value);
            ints_of(value, &mut ints);
        }
        // There may be but one state to start from: that others were not tried does not matter.
        let first = path.first().filter(|_| self.starts_alike).map(|it| vec![self.low.state(self.low_of(*it))]);
        let starts = match first {
            Some(first) => Some(first),
            None => self.all_starts(search)?,
        };
        let has_all_starts = starts.is_some();
        let cells = &mut search.world.cells;
        let before = (cells.scope.clone(), cells.int_literals.clone(), std::mem::take(&mut cells.bounds_met));
        cells.int_literals.extend(ints.iter().flat_map(|it| [it - 1, *it, it + 1]));
        let largest = ints.last().copied().unwrap_or_default().clamp(0, MOST_INTS) as u32;
        cells.scope.ints = cells.scope.ints.max(largest + INTS);
        cells.scope.pids += MORE;
        let most = scalars.atoms.values().copied().max().unwrap_or(0) + MORE;
        (cells.scope.scalars, cells.scope.scalars_default) = (BTreeMap::new(), most);
        let end = self.low.state(self.low_of(at));
        let fuel = search.world.fuel;
        search.world.fuel = fuel.min(BUDGET);
        let matched = self.is_matched(search, runs, (&trace, scalars, starts), (how, &end, client));
        search.world.fuel += fuel - fuel.min(BUDGET);
        let cells = &mut search.world.cells;
        let met = std::mem::take(&mut cells.bounds_met);
        (cells.scope, cells.int_literals, cells.bounds_met) = before;
        // Steps that would follow a longer range were left out.
        let has_cut_ranges = cells.bounds_met.iter().any(|it| it.starts_with("ranges "));
        let is_matched = match matched {
            // The search itself has followed all choices of the top, from all states in which it may start.
            Err(Abort::OutOfFuel) if has_all_starts && !self.top_chooses() && !has_cut_ranges => false,
            // The top may match it. Others would take as long.
            Err(Abort::OutOfFuel) => {
                self.comparisons = 0;
                search.world.fuel = search.world.fuel.saturating_sub(MOST_CONFIGURATIONS as u64);
                true
            }
            matched => matched?,
        };
        if is_matched {
            let fallback = || BTreeSet::from(["the choices that were tried".to_owned()]);
            let met = &search.world.cells.bounds_met;
            return Ok(Some(if met.is_empty() { fallback() } else { met.clone() }));
        }
        let names: BTreeSet<&str> = self.low.setting.program.types.iter().map(|it| it.name.as_str()).collect();
        let top = || steps(self.low.setting, self.high.system.end);
        let is_enough = |it: &String| match it.split_once(" ≤ ") {
            Some(("int", _)) => !calculates(self.low.setting, top()),
            // See below.
            Some(("String", _)) => true,
            Some((name, _)) if name == "Pid" || names.contains(name) => true,
            // Sizes: that no initial state of more entries matches a run is taken for granted, unless only certain runs count.
            _ => !self.is_careful,
        };
        let mut beyond: BTreeSet<String> = met.into_iter().filter(|it| !is_enough(it)).collect();
        // An unknown string stands for all that are none of the others. But with parts added, it may be one of them.
        if makes_strings(self.low.setting, top())
            && (!has_all_starts && self.is_careful || chooses_strings(self.low.setting, top()))
        {
            beyond.insert(format!("String ≤ {most}"));
        }
        Ok((!beyond.is_empty()).then_some(beyond))
    }

    /// Whether a step of the top chooses a value of a type that may have more values than are tried.
    fn top_chooses(&self) -> bool {
        let setting = self.low.setting;
        chooses(setting, steps(setting, self.high.system.end))
    }

    /// The initial states of the top, if no bound matters for them.
    fn all_starts(&mut self, search: &mut Search<'_, 'p>) -> Result<Option<Vec<Value>>, Abort> {
        if let Some(known) = &self.all_starts {
            return Ok(known.clone());
        }
        let listed = self.high.system.starts();
        let has_all = self.high.system.bounds_of_start.is_empty() || self.has_no_other_start(search, &listed)?;
        let all = has_all.then_some(listed);
        self.all_starts = Some(all.clone());
        Ok(all)
    }

    /// Whether a larger scope has no initial states but these.
    fn has_no_other_start(&mut self, search: &mut Search<'_, 'p>, listed: &[Value]) -> Result<bool, Abort> {
        let (setting, top, count) = (self.low.setting, self.high.system.end, self.low.count);
        let init = vec![setting.code.init[top.0 as usize]];
        let cells = &mut search.world.cells;
        let before = (cells.scope.clone(), std::mem::take(&mut cells.bounds_met));
        cells.scope.entries += MORE_AT_THE_START;
        cells.scope.ints += MORE_AT_THE_START;
        cells.scope.pids += MORE_AT_THE_START;
        cells.scope.scalars_default += MORE_AT_THE_START;
        cells.scope.scalars.values_mut().for_each(|it| *it += MORE_AT_THE_START);
        let most = i128::from(cells.scope.entries);
        let fuel = search.world.fuel;
        search.world.fuel = fuel.min(BUDGET);
        let mut system = System::new(setting, search, Vec::new(), (top, top), count, Reductions::ALL);
        let more = system.initial_states(search);
        search.world.fuel += fuel - fuel.min(BUDGET);
        (search.world.cells.scope, search.world.cells.bounds_met) = before;
        match more {
            Err(Abort::OutOfFuel) => Ok(false),
            // A size that the code names could be beyond the scope.
            more => {
                Ok(more? == listed && !calculates(setting, init.clone()) && literals_are_within(setting, init, most))
            }
        }
    }

    /// Whether the top has a run with these events that goes the same way, or may fail before.
    fn is_matched(
        &mut self,
        search: &mut Search<'_, 'p>,
        runs: Runs<'_>,
        (trace, scalars, starts): (&[Edge], Knowledge, Option<Vec<Value>>),
        (how, end, client): (How, &Value, Option<(u32, OwnFailure)>),
    ) -> Result<bool, Abort> {
        let (setting, top, count) = (self.low.setting, self.high.system.end, self.low.count);
        let mut system = System::new(setting, search, Vec::new(), (top, top), count, Reductions::ALL);
        system.know(scalars);
        if let Some(starts) = starts {
            system.start_in(&starts);
        }
        let mut high = Above::new(system);
        high.most = self.is_careful.then_some(MOST_CONFIGURATIONS);
        let events = &mut self.events;
        let mut set = high.start(search, events, runs)?;
        if high.is_impossible(set) {
            return Ok(true);
        }
        for edge in trace {
            if high.may_fail(search, events, set)? {
                return Ok(true);
            }
            set = high.after(search, events, set, edge)?;
        }
        Ok(high.may_fail(search, events, set)?
            || match how {
                How::Event => !high.is_impossible(set),
                How::Fails => client.is_some_and(|it| high.has_failed(set, it)),
                How::Ends => high.ends_in(set, end),
            })
    }
}

/// Collects the integers in a value.
fn ints_of(value: &Value, ints: &mut BTreeSet<i128>) {
    value.for_each_part(&mut |it| {
        if let Value::Int(number) = it {
            ints.insert(number.get());
        }
    });
}

/// The steps of a layer.
fn steps(setting: &Setting, layer: LayerId) -> Vec<CodeId> {
    let operations = 0..setting.program.layers[layer.0 as usize].operations.len();
    operations.map(|it| setting.code.step(layer, it)).collect()
}

/// Code, with all code that it calls.
fn reachable(setting: &Setting, mut pending: Vec<CodeId>) -> BTreeSet<CodeId> {
    let mut seen: BTreeSet<CodeId> = pending.iter().copied().collect();
    while let Some(function) = pending.pop() {
        for op in &setting.code.functions[function].ops {
            if let Op::Call(callee) = op
                && seen.insert(*callee as usize)
            {
                pending.push(*callee as usize);
            }
        }
    }
    seen
}

/// The integer that an instruction stands for.
fn literal(setting: &Setting, op: &Op) -> Option<i128> {
    match op {
        Op::Literal(index) => match setting.code.literals[*index as usize] {
            Literal::Int(it) => Some(it),
            _ => None,
        },
        _ => None,
    }
}

/// Whether no integer in code is larger than this.
fn literals_are_within(setting: &Setting, code: Vec<CodeId>, most: i128) -> bool {
    let all = reachable(setting, code);
    all.iter()
        .flat_map(|it| &setting.code.functions[*it].ops)
        .all(|it| literal(setting, it).is_none_or(|it| it <= most))
}

/// Whether code does more with integers than to compare them, also after it has added a small literal.
fn calculates(setting: &Setting, code: Vec<CodeId>) -> bool {
    let is_int = |ty: u32| setting.code.types.get(ty as usize).and_then(IntType::of);
    let is_wide = |ty: u32| is_int(ty).is_some_and(|it| it.max() >= i128::from(i64::MAX));
    let is_widest = |ty: u32| is_int(ty).is_some_and(|it| it.max() >= i128::from(u64::MAX));
    let assumed = setting.scope.overflow == OverflowMode::Assumed;
    reachable(setting, code).into_iter().any(|function| {
        let ops = &setting.code.functions[function].ops;
        // A small literal is the second operand, whatever way leads here.
        let adds_literal = |at: usize| {
            let is_target =
                |op: &Op| matches!(op, Op::Jump(to) | Op::JumpIfFalse(to) | Op::JumpIfTrue(to) if *to as usize == at);
            let before = at.checked_sub(1).and_then(|it| literal(setting, &ops[it]));
            before.is_some_and(|it| it.abs() <= SMALL) && !ops.iter().any(is_target)
        };
        ops.iter().enumerate().any(|(at, op)| match op {
            Op::Prim(Prim::Arith(Arith::Add | Arith::Sub, Overflow::Panics), _, ty) => {
                !(assumed && is_wide(*ty) && adds_literal(at))
            }
            Op::Prim(Prim::Cast, _, ty) => !is_widest(*ty),
            Op::Prim(
                Prim::Arith(..) | Prim::IsPowerOfTwo | Prim::Text | Prim::Parse | Prim::Range | Prim::RangeInclusive,
                ..,
            ) => true,
            Op::Prim(prim, _, ty) => {
                let compares =
                    matches!(prim, Prim::Len | Prim::Default | Prim::Get | Prim::Index | Prim::First | Prim::Last);
                is_int(*ty).is_some() && !compares && !matches!(prim, Prim::Min | Prim::Max)
            }
            _ => false,
        })
    })
}

/// Whether code chooses values of a type that may have more than are tried.
fn chooses(setting: &Setting, code: Vec<CodeId>) -> bool {
    let is_small =
        |ty: u32| setting.code.types.get(ty as usize).is_some_and(|it| *it == Type::Bool || *it == Type::UNIT);
    let all = reachable(setting, code);
    all.iter()
        .flat_map(|it| &setting.code.functions[*it].ops)
        .any(|op| matches!(op, Op::Any(ty) | Op::External(_, ty) if !is_small(*ty)))
}

/// Whether code chooses values with strings in them.
fn chooses_strings(setting: &Setting, code: Vec<CodeId>) -> bool {
    let has_strings =
        |ty: u32| setting.code.types.get(ty as usize).is_none_or(|it| has_strings(setting.program, it, 0));
    let all = reachable(setting, code);
    all.iter()
        .flat_map(|it| &setting.code.functions[*it].ops)
        .any(|op| matches!(op, Op::Any(ty) | Op::External(_, ty) if has_strings(*ty)))
}

/// Whether values of a type may have strings in them. A type that is nested too deeply counts as one.
fn has_strings(program: &Program, ty: &Type, depth: u32) -> bool {
    let has = |it: &Type| depth > MOST_NESTED || has_strings(program, it, depth + 1);
    match ty {
        Type::Str => true,
        Type::Never | Type::Bool | Type::Int { .. } | Type::Pid => false,
        Type::User(user) => match &program.types[user.0 as usize].kind {
            TypeDefKind::Scalar => false,
            TypeDefKind::Struct(fields) => fields.iter().any(|it| has(&it.ty)),
            TypeDefKind::Enum(variants) => variants.iter().flat_map(|it| &it.fields).any(|it| has(&it.ty)),
        },
        Type::Tuple(parts) => parts.iter().any(has),
        Type::Option(inner) | Type::Set(inner) | Type::Seq(inner) => has(inner),
        Type::Result(one, other) | Type::Map(one, other) | Type::Total(one, other) => has(one) || has(other),
    }
}

/// Whether code builds strings, or takes them apart: then one that was not tried may be made of some that were.
fn makes_strings(setting: &Setting, code: Vec<CodeId>) -> bool {
    let all = reachable(setting, code);
    all.iter()
        .flat_map(|it| &setting.code.functions[*it].ops)
        .any(|op| matches!(op, Op::Prim(Prim::Concat | Prim::Text | Prim::SplitOnce | Prim::Parse, ..)))
}

/// Whether some instruction of code may fail.
fn may_fail(setting: &Setting, code: Vec<CodeId>) -> bool {
    let all = reachable(setting, code);
    let harmless = [Prim::Eq, Prim::Ne, Prim::Lt, Prim::Le, Prim::Gt, Prim::Ge, Prim::Not, Prim::Len, Prim::Contains];
    all.iter().flat_map(|it| &setting.code.functions[*it].ops).any(|op| match op {
        Op::Assert
        | Op::Index
        | Op::SetIndex
        | Op::Payload(_)
        | Op::SetPayload(_)
        | Op::NoMatch
        | Op::Unsupported
        | Op::Mutate(..) => true,
        Op::Prim(prim, ..) => !harmless.contains(prim),
        _ => false,
    })
}
