//! Calls on the paths of a procedure, and what each may be there.
//!
//! A call is judged where it stands: with its own arguments `a`, in the states `P` before it ([facts]), for the result `r` that
//! its path takes. A call with its result is an *edge*. For every state `s` of `P`, process `q` other than the own one, and operation `B` that
//! some procedure of the implementation calls, with any arguments (the mover judgements of CSPEC, OSDI'18, section 6.1, with the call in
//! place of the operation, and for one result):
//!
//! * **right** edge: silent, and `s --o(a)/r--> s1 --B@q/v,E--> s2` implies `∃ s'. s --B@q/v,E--> s' --o(a)/r--> s2`.
//! * **left** edge: silent, and `s --B@q/v,E--> s1 --o(a)/r--> s2` implies `∃ s'. s --o(a)/r--> s' --B@q/v,E--> s2`. If `B` fails in `s`,
//!   then `o(a)` can be made in `s`, and `B` may fail after it.
//! * **weak** edge: the step of this very path leaves the state as it was, and emits nothing.
//!
//! A call is **enabled** at `P` if it has a step in every state of `P`.
//!
//! That an operation moves in all states, with all arguments and results, is a lemma of its own, shared by all procedures and remembered. It
//! is asked first. Only where it does not hold the edge is judged.

use std::{cell::OnceCell, rc::Rc};

use super::{
    decisive::Past,
    facts::{self, Fact},
    given::{self, Asker},
    movers::{
        Direction, Pair, Refutation, certainly_does_not_move_from, does_move_from, enabled_from, is_silent_from,
        moves_from,
    },
    question::{Setting, Slots, Wanted, unmet},
    tokens::Token,
};
use crate::{
    explore::{
        cells::{Asked, Knowledge, Quantifier, Root},
        machine::{Machine, Site},
        search::{Abort, Action, Search},
        value::{Base, MapValue, Value},
    },
    ir::LayerId,
};

/// A call that a path makes.
pub struct PathCall {
    /// Which operation of the layer below.
    pub operation: usize,
    /// Where in the procedure.
    pub site: Site,
    /// With what.
    pub arguments: Vec<Value>,
    /// The states before it.
    pub before: Machine,
    /// What is known of them.
    pub facts: Rc<Vec<Fact>>,
    /// Where states are exact: those before each step of others since the own last step. The call may be made in them, too.
    pub earlier: Vec<Machine>,
    /// All states in which the process may wait to make the call, if those before it are only a case of them.
    pub whole: Option<Rc<Machine>>,
    /// What the process holds that others do not.
    pub tokens: Rc<Vec<Token>>,
    /// Whether it moves whatever it returns, to the right and to the left.
    moves: [OnceCell<bool>; 2],
    enabled: OnceCell<bool>,
}

impl PathCall {
    /// A call that has not been judged.
    pub fn new(
        (operation, arguments): (usize, Vec<Value>),
        site: Site,
        before: Machine,
        (facts, earlier): (Rc<Vec<Fact>>, Vec<Machine>),
    ) -> PathCall {
        let (whole, tokens, moves, enabled) = Default::default();
        PathCall { operation, site, arguments, before, facts, earlier, whole, tokens, moves, enabled }
    }

    /// The states that the step of another process starts from, which comes before the call or after it.
    fn waiting(&self, direction: Direction) -> &Machine {
        match (direction, &self.whole) {
            (Direction::Left, Some(whole)) => whole,
            _ => &self.before,
        }
    }
}

/// A call with the result that a path takes.
pub struct Edge {
    /// The call.
    pub call: Rc<PathCall>,
    /// What it returns.
    pub result: Value,
    /// The state after it.
    pub after: Value,
    /// What it emits.
    pub events: Rc<Vec<Value>>,
    /// What was known right after it.
    known: Knowledge,
    draws: u32,
    is_weak: OnceCell<bool>,
    moves: [OnceCell<bool>; 2],
    moves_anywhere: OnceCell<bool>,
}

/// Why an edge is not what it should be: past which operation, and the case that shows it.
pub type Obstacle = (Option<usize>, (Refutation, Knowledge));

/// What is known of the operations of the layer below, by index.
pub trait Table {
    /// Whether it moves right past everything, in all states.
    fn right(&self, operation: usize) -> bool;
    /// Whether it is silent in all states, and nothing disables it.
    fn silent_and_stable(&self, operation: usize) -> bool;
}

/// Judges edges.
pub struct Judge<'t> {
    /// What is known of operations.
    pub table: &'t dyn Table,
    /// Operations taken as right movers by some path, since they are in all states.
    pub relied_right: Vec<usize>,
    /// Operations taken as left movers by some path, since they are silent and stably enabled in all states.
    pub relied_left: Vec<usize>,
    /// States are exact, but there are others that are not followed: only what is confirmed counts against an edge.
    pub is_exact: bool,
    /// Which steps of others a left edge has to move past.
    pub past: Past,
}

fn index(direction: Direction) -> usize {
    match direction {
        Direction::Right => 0,
        Direction::Left => 1,
    }
}

/// Where edges are judged.
#[derive(Clone, Copy)]
pub struct Place<'a, 'p> {
    /// What it is checked with.
    pub setting: &'a Setting<'p>,
    /// The layer below.
    pub lower: LayerId,
    /// The process.
    pub me: &'a Value,
}

impl Edge {
    /// The edge of a machine that has just made the step of this call.
    pub fn new(call: Rc<PathCall>, machine: &Machine) -> Edge {
        let result = machine.stack.last().cloned().unwrap_or(Value::Unit);
        Edge {
            call,
            result: machine.written(&result),
            after: machine.state.clone(),
            events: machine.events.clone(),
            known: machine.known.clone(),
            draws: machine.draws,
            is_weak: OnceCell::new(),
            moves: Default::default(),
            moves_anywhere: OnceCell::new(),
        }
    }

    /// Whether it is a weak edge.
    ///
    /// # Errors
    /// If the search cannot be completed.
    pub fn is_weak(&self, search: &mut Search<'_, '_>) -> Result<bool, Abort> {
        if let Some(is_weak) = self.is_weak.get() {
            return Ok(*is_weak);
        }
        let is_weak = self.events.is_empty() && self.leaves_state(search)?;
        Ok(*self.is_weak.get_or_init(|| is_weak))
    }

    /// Whether the state after it is that before it, in every case of what is unknown.
    fn leaves_state(&self, search: &mut Search<'_, '_>) -> Result<bool, Abort> {
        let before = &self.call.before.state;
        if *before == self.after {
            return Ok(true);
        }
        let mut both = Machine::new(self.known.clone(), self.call.before.quantifier);
        both.draws = self.draws;
        both.slots = Rc::new(vec![before.clone(), self.after.clone()]);
        let pausing = std::mem::replace(&mut search.pausing, false);
        let unmet = unmet(search, &both, &Wanted::Run(&[Action::Equal(0, 1)], None));
        search.pausing = pausing;
        Ok(unmet?.is_none())
    }
}

impl Judge<'_> {
    /// Whether an edge moves right.
    ///
    /// # Errors
    /// If the search cannot be completed.
    pub fn right<'p>(&mut self, search: &mut Search<'_, 'p>, place: Place<'_, 'p>, edge: &Edge) -> Result<bool, Abort> {
        if self.table.right(edge.call.operation) {
            self.relied_right.push(edge.call.operation);
            return Ok(true);
        }
        self.moves(search, place, edge, Direction::Right)
    }

    /// Whether an edge moves left.
    ///
    /// # Errors
    /// If the search cannot be completed.
    pub fn left<'p>(&mut self, search: &mut Search<'_, 'p>, place: Place<'_, 'p>, edge: &Edge) -> Result<bool, Abort> {
        let moves = self.moves(search, place, edge, Direction::Left)?;
        if moves && self.table.silent_and_stable(edge.call.operation) {
            self.relied_left.push(edge.call.operation);
        }
        Ok(moves)
    }

    /// Whether an edge is right or weak: then nobody has noticed it yet.
    ///
    /// # Errors
    /// If the search cannot be completed.
    pub fn is_unnoticed<'p>(
        &mut self,
        search: &mut Search<'_, 'p>,
        place: Place<'_, 'p>,
        edge: &Edge,
    ) -> Result<bool, Abort> {
        Ok(edge.is_weak(search)? || self.right(search, place, edge)?)
    }

    fn moves<'p>(
        &mut self,
        search: &mut Search<'_, 'p>,
        place: Place<'_, 'p>,
        edge: &Edge,
        direction: Direction,
    ) -> Result<bool, Abort> {
        if let Some(moves) = edge.moves[index(direction)].get() {
            return Ok(*moves);
        }
        let pausing = std::mem::replace(&mut search.pausing, false);
        let moves = self.judged(search, place, edge, direction);
        search.pausing = pausing;
        let moves = moves?;
        Ok(*edge.moves[index(direction)].get_or_init(|| moves))
    }

    fn judged<'p>(
        &mut self,
        search: &mut Search<'_, 'p>,
        place: Place<'_, 'p>,
        edge: &Edge,
        direction: Direction,
    ) -> Result<bool, Abort> {
        if self.is_exact {
            return Ok(!place.certainly_does_not_move(search, edge, direction)?);
        }
        // Then a weak edge counts as left only if it is in any case: a later commit point makes fewer edges decisive.
        let past = if self.past == Past::Failures && edge.is_weak(search)? { &Past::All } else { &self.past };
        let whatever = &edge.call.moves[index(direction)];
        let whatever = match whatever.get() {
            Some(moves) => *moves,
            None => {
                let silent = direction == Direction::Left && self.table.silent_and_stable(edge.call.operation);
                let moves = place.all_move(search, edge, (direction, past), silent, false)?;
                *whatever.get_or_init(|| moves)
            }
        };
        Ok(whatever || place.all_move(search, edge, (direction, past), false, true)?)
    }

    /// Whether an edge's operation moves left in all states, with all arguments and results.
    ///
    /// # Errors
    /// If the search cannot be completed.
    pub fn left_anywhere<'p>(
        &mut self,
        search: &mut Search<'_, 'p>,
        place: Place<'_, 'p>,
        edge: &Edge,
    ) -> Result<bool, Abort> {
        if let Some(moves) = edge.moves_anywhere.get() {
            return Ok(*moves);
        }
        let pausing = std::mem::replace(&mut search.pausing, false);
        let moves = place.moves_left_anywhere(search, edge.call.operation);
        search.pausing = pausing;
        let moves = moves?;
        Ok(*edge.moves_anywhere.get_or_init(|| moves))
    }

    /// Whether a call is enabled.
    ///
    /// # Errors
    /// If the search cannot be completed.
    pub fn enabled<'p>(
        &mut self,
        search: &mut Search<'_, 'p>,
        place: Place<'_, 'p>,
        call: &PathCall,
    ) -> Result<bool, Abort> {
        if let Some(enabled) = call.enabled.get() {
            return Ok(*enabled);
        }
        let pausing = std::mem::replace(&mut search.pausing, false);
        let blocked = place.may_block(search, call);
        search.pausing = pausing;
        let enabled = !blocked?.is_some_and(|it| !self.is_exact || it.0.confirmation.is_confirmed());
        Ok(*call.enabled.get_or_init(|| enabled))
    }
}

/// A value with other unknowns in place of its own: what a path has been returned is one value, while the states that the call is judged in
/// are many. An unknown component of one of them would be another value in each.
fn any_such(search: &mut Search<'_, '_>, value: &Value, number: &mut u32) -> Value {
    let mut all = |search: &mut Search<'_, '_>, values: &[Value]| -> Vec<Value> {
        values.iter().map(|it| any_such(search, it, number)).collect()
    };
    match value {
        Value::Tuple(fields) => Value::tuple(all(search, fields)),
        Value::Variant(tag, fields) => Value::Variant(*tag, all(search, fields).into()),
        Value::Seq(elements) => Value::seq(all(search, elements)),
        Value::Map(MapValue { base: Base::Unknown(cell), .. }) | Value::Cell(cell) => {
            let ty = search.world.cells.get(*cell).ty.clone();
            *number += 1;
            search.world.cells.root(Root::Result(*number), &ty, Quantifier::Universal)
        }
        _ => value.clone(),
    }
}

impl<'p> Place<'_, 'p> {
    fn operations(&self) -> std::ops::Range<usize> {
        0..self.setting.program.layers[self.lower.0 as usize].operations.len()
    }

    /// Whether an edge is silent and moves past everything; it may be known that it is silent. Whatever it returns, or for its result.
    fn all_move(
        &self,
        search: &mut Search<'_, 'p>,
        edge: &Edge,
        (direction, past): (Direction, &Past),
        mut silent: bool,
        one_result: bool,
    ) -> Result<bool, Abort> {
        for other in self.operations() {
            for (pair, start) in self.pairs(search, edge, edge.call.waiting(direction), other, one_result)? {
                if !silent && !is_silent_from(self.setting, search, self.lower, &pair, start.clone())? {
                    return Ok(false);
                }
                silent = true;
                let counts = |result: &Value| direction == Direction::Right || past.counts(other, result);
                if !does_move_from(self.setting, search, self.lower, &pair, direction, start, &counts)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether an edge does not move from some state that its call may be made in, whatever bounds there are.
    fn certainly_does_not_move(
        &self,
        search: &mut Search<'_, 'p>,
        edge: &Edge,
        direction: Direction,
    ) -> Result<bool, Abort> {
        for before in edge.call.earlier.iter().chain([&edge.call.before]) {
            for other in self.operations() {
                for (pair, start) in self.pairs(search, edge, before, other, true)? {
                    if !is_silent_from(self.setting, search, self.lower, &pair, start.clone())?
                        || certainly_does_not_move_from(self.setting, search, self.lower, &pair, direction, start)?
                    {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Why an edge does not move, told.
    ///
    /// # Errors
    /// If the search cannot be completed.
    pub fn obstacle(
        &self,
        search: &mut Search<'_, 'p>,
        edge: &Edge,
        direction: Direction,
    ) -> Result<Option<Obstacle>, Abort> {
        for before in edge.call.earlier.iter().chain([&edge.call.before]) {
            let obstacle = self.obstacle_from(search, edge, before, direction)?;
            if obstacle.is_some() {
                return Ok(obstacle);
            }
        }
        Ok(None)
    }

    fn obstacle_from(
        &self,
        search: &mut Search<'_, 'p>,
        edge: &Edge,
        before: &Machine,
        direction: Direction,
    ) -> Result<Option<Obstacle>, Abort> {
        let mut is_first = true;
        for other in self.operations() {
            for (pair, start) in self.pairs(search, edge, before, other, true)? {
                if std::mem::take(&mut is_first)
                    && let Some(refutation) =
                        super::movers::not_silent_from(self.setting, search, self.lower, &pair, start.clone())?
                {
                    return Ok(Some((None, refutation)));
                }
                if let Some(refutation) = moves_from(self.setting, search, self.lower, &pair, direction, start)? {
                    return Ok(Some((Some(other), refutation)));
                }
            }
        }
        Ok(None)
    }

    /// An edge, and another operation by each process that may be a different one, where that process may be about to make it.
    ///
    /// # Errors
    /// If the search cannot be completed.
    fn pairs(
        &self,
        search: &mut Search<'_, 'p>,
        edge: &Edge,
        before: &Machine,
        other: usize,
        one_result: bool,
    ) -> Result<Vec<(Pair, Machine)>, Abort> {
        let call = &edge.call;
        // Values that the edge has brought into play are none that are new here.
        let known = Knowledge { atoms: edge.known.atoms.clone(), ..before.known.clone() };
        let at = Machine { known, draws: edge.draws.max(before.draws), ..before.clone() };
        let processes = facts::other_processes(search, self.me, &at);
        let mut number = 0;
        let result = any_such(search, &edge.result, &mut number);
        let placed = |search: &mut Search<'_, 'p>, (process, known): &(Value, Knowledge), arguments: &[Value]| {
            let mut pair = Pair::new(self.setting, self.lower, call.operation, other, Slots::of(Asked::Edge));
            if one_result {
                pair = pair.with_one_result();
            }
            let mut start = pair.slots.start(&mut search.world.cells, 0);
            start.known = known.clone();
            start.draws = at.draws;
            pair.place(&mut start, before.state.clone(), self.me, &call.arguments, process);
            pair.give(&mut start, arguments);
            pair.take(&mut start, &result);
            (pair, start)
        };
        let mut pairs = Vec::new();
        let Some(rely) = self.setting.rely else {
            let kinds = given::arguments(self.setting, search, self.lower, other, Asker::Mover);
            for process in &processes {
                pairs.extend(kinds.iter().map(|it| placed(search, process, it)));
            }
            return Ok(pairs);
        };
        for process in &processes {
            for made in rely.calls_of(search, other, &process.0, Asker::Mover) {
                let (pair, mut start) = placed(search, process, &made.arguments);
                if !made.is_beside(&call.tokens, &mut start) {
                    continue;
                }
                for start in facts::assume_in(search, &start, pair.state, &made.facts)? {
                    pairs.push((pair.clone(), start));
                }
            }
        }
        Ok(pairs)
    }

    fn moves_left_anywhere(&self, search: &mut Search<'_, 'p>, operation: usize) -> Result<bool, Abort> {
        for other in self.operations() {
            let pair = Pair::new(self.setting, self.lower, operation, other, Slots::of(Asked::Anywhere));
            let start = pair.slots.start(&mut search.world.cells, 2);
            if !is_silent_from(self.setting, search, self.lower, &pair, start.clone())?
                || !does_move_from(self.setting, search, self.lower, &pair, Direction::Left, start, &|_| true)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Why a call is not enabled, told.
    ///
    /// # Errors
    /// If the search cannot be completed.
    pub fn may_block(
        &self,
        search: &mut Search<'_, 'p>,
        call: &PathCall,
    ) -> Result<Option<(Refutation, Knowledge)>, Abort> {
        let pair = Pair::new(self.setting, self.lower, call.operation, call.operation, Slots::of(Asked::Edge));
        let mut start = pair.slots.start(&mut search.world.cells, 0);
        start.known = call.before.known.clone();
        start.draws = call.before.draws;
        pair.place(&mut start, call.before.state.clone(), self.me, &call.arguments, self.me);
        enabled_from(self.setting, search, self.lower, &pair, &start)
    }
}
