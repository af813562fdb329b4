//! Mutants of the checker: each drops one clause of one obligation. The generator is measured by how soon it detects them.
//!
//! All of them are put into one copy of the engine, each behind a switch, so that it is built once; an environment variable selects the
//! active one. A text to be replaced must occur exactly once; a test fails when the table is out of date.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::generate::Pattern;

/// A mutant: a clause of the checker that is dropped.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// The name, which also activates it.
    pub name: &'static str,
    /// The families that should detect the mutant.
    pub pattern: Pattern,
    /// The difference by which they detect it.
    pub told: Told,
    /// The path of the file below `analysis/src`.
    pub file: &'static str,
    /// The text of the clause; it occurs once.
    pub text: &'static str,
    /// The text that replaces it; `$on` is true if the mutant is active.
    pub instead: &'static str,
}

/// The difference by which a mutant is detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A case that it accepts has a new trace.
    NewTrace,
    /// It reads a disguised case as another program.
    Reading,
    /// It does not report a client that shows nothing.
    Client,
}

impl Told {
    /// The beginning of the message that reports the difference.
    fn words(self) -> &'static str {
        match self {
            Told::NewTrace => "every obligation holds",
            Told::Reading => "in disguise",
            Told::Client => "end to end: a client that shows nothing",
        }
    }

    /// The flags of the command that suffice to detect it.
    fn flags(self) -> &'static [&'static str] {
        match self {
            Told::NewTrace => &["--only-search"],
            Told::Reading => &["--only-reading"],
            Told::Client => &[],
        }
    }
}

const fn mutant(
    name: &'static str,
    pattern: Pattern,
    file: &'static str,
    text: &'static str,
    instead: &'static str,
) -> Mutant {
    Mutant { name, pattern, told: Told::NewTrace, file, text, instead }
}

/// A mutant that reads a text as another program.
const fn reading(name: &'static str, file: &'static str, text: &'static str, instead: &'static str) -> Mutant {
    Mutant { told: Told::Reading, ..mutant(name, Pattern::Movers, file, text, instead) }
}

impl Mutant {
    /// The beginning of its row in the table: the family, or the other means by which it is detected.
    pub fn family(&self) -> &'static str {
        match self.told {
            Told::NewTrace => self.pattern.name(),
            Told::Reading => "disguise",
            Told::Client => "clients",
        }
    }
}

pub const MUTANTS: &[Mutant] = &[
    mutant(
        "a mover may emit",
        Pattern::Movers,
        "obligations/movers.rs",
        "End::Done if machine.slots[call.events] == Value::seq(vec![])",
        "End::Done if $on || machine.slots[call.events] == Value::seq(vec![])",
    ),
    mutant(
        "a mover may fail",
        Pattern::Movers,
        "obligations/movers.rs",
        "        End::Panicked(..) => Wanted::Nothing,\n",
        "        End::Panicked(..) => Wanted::Nothing,\n        End::Failed(_) if $on => Wanted::Nothing,\n",
    ),
    mutant(
        "the end state after an exchange",
        Pattern::Movers,
        "obligations/movers.rs",
        "script.push(Action::Equal(self.second_end, self.first_end));",
        "if !$on { script.push(Action::Equal(self.second_end, self.first_end)); }",
    ),
    mutant(
        "results after an exchange",
        Pattern::Movers,
        "obligations/movers.rs",
        "script.push(Action::Equal(call.swapped_result, call.result));",
        "if !$on { script.push(Action::Equal(call.swapped_result, call.result)); }",
    ),
    mutant(
        "events of the other after an exchange",
        Pattern::Movers,
        "obligations/movers.rs",
        "script.push(Action::Equal(call.swapped_events, call.events));",
        "if !$on { script.push(Action::Equal(call.swapped_events, call.events)); }",
    ),
    mutant(
        "failures of the other in an exchange",
        Pattern::Movers,
        "obligations/movers.rs",
        "End::Failed(_) if machine.stage == self.other_stage => Wanted::Failure(&self.failing)",
        "End::Failed(_) if !$on && machine.stage == self.other_stage => Wanted::Failure(&self.failing)",
    ),
    mutant(
        "an operation against itself",
        Pattern::Movers,
        "obligations/mod.rs",
        "lemmas.push(lemma(About::Moves(direction, other)));",
        "if !($on && other == operation) { lemmas.push(lemma(About::Moves(direction, other))); }",
    ),
    mutant(
        "at most one that does not move",
        Pattern::Movers,
        "obligations/shape.rs",
        "            if judge.right(search, place, edge)? {\n                continue;",
        "            if $on || judge.right(search, place, edge)? {\n                continue;",
    ),
    mutant(
        "no right mover after the commit point",
        Pattern::Movers,
        "obligations/shape.rs",
        "                if !judge.left(search, place, edge)? {\n                    return Ok(false);",
        "                if !judge.left(search, place, edge)? && !($on && judge.right(search, place, edge)?) {\n                    return Ok(false);",
    ),
    mutant(
        "left movers are enabled",
        Pattern::Movers,
        "obligations/shape.rs",
        "            if self.question.judge.enabled(search, place, call)? {",
        "            if $on || self.question.judge.enabled(search, place, call)? {",
    ),
    mutant(
        "left movers commute",
        Pattern::Movers,
        "obligations/edges.rs",
        "direction == Direction::Right || past.counts(other, result);",
        "direction == Direction::Right || !$on && past.counts(other, result);",
    ),
    mutant(
        "others destroy facts",
        Pattern::Movers,
        "obligations/facts.rs",
        "if kept.len() == facts.len() {",
        "if $on || kept.len() == facts.len() {",
    ),
    mutant(
        "the result of a procedure",
        Pattern::Movers,
        "obligations/atomic.rs",
        "Action::Equal(result_above, result),",
        "Action::Equal(if $on { result } else { result_above }, result),",
    ),
    mutant(
        "the events of a procedure",
        Pattern::Movers,
        "obligations/atomic.rs",
        "Action::Equal(events_above, events),",
        "Action::Equal(if $on { events } else { events_above }, events),",
    ),
    mutant(
        "the end state of a procedure",
        Pattern::Movers,
        "obligations/atomic.rs",
        "Action::Equal(above, after),",
        "Action::Equal(if $on { after } else { above }, after),",
    ),
    mutant(
        "failures of a procedure",
        Pattern::Movers,
        "obligations/atomic.rs",
        "End::Failed(_) | End::Panicked(..) => Wanted::Failure(&allowed[..2]),",
        "End::Failed(_) if $on => Wanted::Nothing,\n            End::Failed(_) | End::Panicked(..) => Wanted::Failure(&allowed[..2]),",
    ),
    mutant(
        "a call is silent where it stands",
        Pattern::Calls,
        "obligations/edges.rs",
        "                if !silent && !is_silent_from(",
        "                if !$on && !silent && !is_silent_from(",
    ),
    mutant(
        "right movers commute where they stand",
        Pattern::Calls,
        "obligations/edges.rs",
        "            for (pair, start) in self.pairs(search, edge, edge.call.waiting(direction), other, one_result)? {",
        "            for (pair, start) in self.pairs(search, edge, edge.call.waiting(direction), other, one_result)? {\n                if $on && silent && direction == Direction::Right {\n                    continue;\n                }",
    ),
    mutant(
        "a call is judged for its own result",
        Pattern::Calls,
        "obligations/edges.rs",
        "            pair.take(&mut start, &result);",
        "            let result = if $on { Value::Bool(true) } else { result.clone() };\n            pair.take(&mut start, &result);",
    ),
    mutant(
        "a call is judged with its own arguments",
        Pattern::Calls,
        "obligations/edges.rs",
        "            pair.place(&mut start, before.state.clone(), self.me, &call.arguments, process);",
        "            let other_one = |it: &Value| match it {\n                Value::Bool(_) => Value::Bool(true),\n                Value::Int(_) => Value::Int(1_i32.into()),\n                it => it.clone(),\n            };\n            let own: Vec<Value> =\n                call.arguments.iter().map(|it| if $on { other_one(it) } else { it.clone() }).collect();\n            pair.place(&mut start, before.state.clone(), self.me, &own, process);",
    ),
    mutant(
        "a call is judged in the states before it",
        Pattern::Calls,
        "obligations/edges.rs",
        "        let known = Knowledge { atoms: edge.known.atoms.clone(), ..before.known.clone() };\n        let at = Machine { known, draws: edge.draws.max(before.draws), ..before.clone() };",
        "        let mut before = before.clone();\n        if $on {\n            (before.state, before.known) = (edge.after.clone(), edge.known.clone());\n        }\n        let before = &before;\n        let known = Knowledge { atoms: edge.known.atoms.clone(), ..before.known.clone() };\n        let at = Machine { known, draws: edge.draws.max(before.draws), ..before.clone() };",
    ),
    mutant(
        "a weak call leaves the state",
        Pattern::Calls,
        "obligations/edges.rs",
        " && self.leaves_state(search)?;",
        " && ($on || self.leaves_state(search)?);",
    ),
    mutant(
        "a weak call is silent",
        Pattern::Calls,
        "obligations/edges.rs",
        "let is_weak = self.events.is_empty()",
        "let is_weak = ($on || self.events.is_empty())",
    ),
    mutant(
        "a weak call is left out of the one step",
        Pattern::Calls,
        "obligations/shape.rs",
        "            if judge.right(search, place, edge)? {\n                right.push(commit);",
        "            if judge.right(search, place, edge)? || $on && edge.is_weak(search)? {\n                right.push(commit);",
    ),
    mutant(
        "a weak call is no right mover",
        Pattern::Calls,
        "obligations/edges.rs",
        "        self.moves(search, place, edge, Direction::Right)",
        "        Ok($on && edge.is_weak(search)? || self.moves(search, place, edge, Direction::Right)?)",
    ),
    mutant(
        "a weak call is no left mover",
        Pattern::Calls,
        "obligations/edges.rs",
        "        let moves = self.moves(search, place, edge, Direction::Left)?;",
        "        let moves = $on && edge.is_weak(search)? || self.moves(search, place, edge, Direction::Left)?;",
    ),
    mutant(
        "what moves left after a weak call moves so anywhere",
        Pattern::Calls,
        "obligations/shape.rs",
        "_ if edge.is_weak(search)? => found_out = true,",
        "_ if edge.is_weak(search)? => found_out = !$on,",
    ),
    mutant(
        "the path is one step",
        Pattern::Calls,
        "obligations/shape.rs",
        "            if no_step.is_none() {\n",
        "            if $on || no_step.is_none() {\n",
    ),
    mutant(
        "the result of one step",
        Pattern::Calls,
        "obligations/one_step.rs",
        "        Action::Equal(ABOVE + 1, RESULT),",
        "        Action::Equal(if $on { RESULT } else { ABOVE + 1 }, RESULT),",
    ),
    mutant(
        "the end state of one step",
        Pattern::Calls,
        "obligations/one_step.rs",
        "        Action::Equal(ABOVE, base + 2),",
        "        Action::Equal(if $on { base + 2 } else { ABOVE }, base + 2),",
    ),
    mutant(
        "edges before a loop are right or weak",
        Pattern::Calls,
        "obligations/loops.rs",
        "    if let Some(edge) = noticed(walk, search, &made)? {",
        "    if let Some(edge) = noticed(walk, search, &made)?.filter(|_| !$on) {",
    ),
    mutant(
        "edges of turns that go on are right or weak",
        Pattern::Calls,
        "obligations/loops.rs",
        "    if let Some(edge) = noticed(walk, search, turn)? {",
        "    if let Some(edge) = noticed(walk, search, turn)?.filter(|_| !$on) {",
    ),
    mutant(
        "turns re-establish what is known at the head",
        Pattern::Calls,
        "obligations/loops.rs",
        "    if kept.len() < facts.len() || still_held.len() < held.len() {",
        "    if !$on && kept.len() < facts.len() || still_held.len() < held.len() {",
    ),
    mutant(
        "turns change what is carried",
        Pattern::Calls,
        "obligations/loops.rs",
        "    forget_assigned(walk, search, &mut machine);",
        "    if !$on {\n        forget_assigned(walk, search, &mut machine);\n    }",
    ),
    mutant(
        "turns that are made are run",
        Pattern::Calls,
        "obligations/report/shape.rs",
        "if question.relies_on_runs_alone && matches!",
        "if !$on && question.relies_on_runs_alone && matches!",
    ),
    mutant(
        "a call against the same operation",
        Pattern::Calls,
        "obligations/edges.rs",
        "        let processes = facts::other_processes(search, self.me, &at);",
        "        let mut processes = facts::other_processes(search, self.me, &at);\n        if $on && other == call.operation {\n            processes.clear();\n        }",
    ),
    mutant(
        "others destroy relations",
        Pattern::Calls,
        "obligations/facts.rs",
        "            if always_holds(search, after, fact)? {",
        "            if $on && matches!(fact.known, Known::Related(..)) || always_holds(search, after, fact)? {",
    ),
    mutant(
        "each other process steps",
        Pattern::Calls,
        "obligations/facts.rs",
        "    processes.into_iter().filter(|(process, _)| process != me).collect()",
        "    processes.into_iter().filter(|(process, _)| process != me).take(if $on { 1 } else { usize::MAX }).collect()",
    ),
    mutant(
        "the events of one step",
        Pattern::Calls,
        "obligations/one_step.rs",
        "        Action::Equal(ABOVE + 2, base + 1),",
        "        Action::Equal(if $on { base + 1 } else { ABOVE + 2 }, base + 1),",
    ),
    mutant(
        "a failure of one step",
        Pattern::Calls,
        "obligations/one_step.rs",
        "    let failed = |machine: &Machine, end: &End| matches!(end, End::Failed(_)) && machine.stage == 1;",
        "    let failed = |machine: &Machine, end: &End| $on || matches!(end, End::Failed(_)) && machine.stage == 1;",
    ),
    mutant(
        "the events of one step with movers",
        Pattern::Calls,
        "obligations/one_step.rs",
        "    allowed[4] = Action::Equal(ABOVE + 2, EVENTS);",
        "    allowed[4] = Action::Equal(if $on { EVENTS } else { ABOVE + 2 }, EVENTS);",
    ),
    mutant(
        "the end state of one step with movers",
        Pattern::Calls,
        "obligations/one_step.rs",
        "    allowed[5] = Action::Equal(ABOVE, AFTER);",
        "    allowed[5] = Action::Equal(if $on { AFTER } else { ABOVE }, AFTER);",
    ),
    mutant(
        "a failure of one step with movers",
        Pattern::Calls,
        "obligations/one_step.rs",
        "        End::Failed(_) => Wanted::Failure(&allowed[..2]),",
        "        End::Failed(_) if $on => Wanted::Nothing,\n        End::Failed(_) => Wanted::Failure(&allowed[..2]),",
    ),
    mutant(
        "right edges are made in the one step",
        Pattern::Calls,
        "obligations/one_step.rs",
        "        for edge in &plan.right {",
        "        for edge in plan.right.iter().filter(|_| !$on) {",
    ),
    mutant(
        "left edges are made in the one step",
        Pattern::Calls,
        "obligations/one_step.rs",
        "    for edge in &plan.left {",
        "    for edge in plan.left.iter().filter(|_| !$on) {",
    ),
    mutant(
        "edges before the commit point are right or weak",
        Pattern::Calls,
        "obligations/shape.rs",
        "            } else if !edge.is_weak(search)? {",
        "            } else if !$on && !edge.is_weak(search)? {",
    ),
    mutant(
        "edges after the commit point are left or weak",
        Pattern::Calls,
        "obligations/shape.rs",
        "                        _ => left = None,",
        "                        _ if $on => found_out = true,\n                        _ => left = None,",
    ),
    mutant(
        "no call fails after the commit point",
        Pattern::Calls,
        "obligations/shape.rs",
        "return Ok(may_commit && self",
        "return Ok(($on || may_commit) && self",
    ),
    mutant(
        "turns that change something are not left out",
        Pattern::Calls,
        "obligations/shape.rs",
        "                (all_right, Some(edge)) => {",
        "                (false, Some(_)) if $on => Turns::LeftOut,\n                (all_right, Some(edge)) => {",
    ),
    mutant(
        "a loop that is reached again has not turned",
        Pattern::Wild,
        "obligations/loops.rs",
        "head.site == site && item.machine.has_turned_since(code, &head.arrived);",
        "head.site == site && ($on || item.machine.has_turned_since(code, &head.arrived));",
    ),
    mutant(
        "turns of loops in turns count",
        Pattern::Wild,
        "obligations/loops.rs",
        "        pending.extend(head.inner.borrow().iter().cloned());",
        "        pending.extend(head.inner.borrow().iter().filter(|_| !$on).cloned());",
    ),
    mutant(
        "a path without edges is one step",
        Pattern::Wild,
        "obligations/shape.rs",
        "            ([], None) => (0..path.edges.len().max(1)).collect(),",
        "            ([], None) => (0..path.edges.len().max(usize::from(!$on))).collect(),",
    ),
    mutant(
        "edges before turns that are made are right",
        Pattern::Wild,
        "obligations/shape.rs",
        "let in_turns = path.loops.last().copied().unwrap_or(0);",
        "let in_turns = if $on { 0 } else { path.loops.last().copied().unwrap_or(0) };",
    ),
    mutant(
        "one edge before turns that are made is right",
        Pattern::Wild,
        "obligations/shape.rs",
        "let is_one_call = calls <= 1 && path.loops.is_empty() &&",
        "let is_one_call = calls <= 1 && ($on || path.loops.is_empty()) &&",
    ),
    mutant(
        "a block that is left out changes nothing",
        Pattern::Calls,
        "obligations/one_step.rs",
        "            let unchanged = [Action::Equal(AFTER, BEFORE), Action::Equal(EVENTS, WANTED)];",
        "            let unchanged = [Action::Equal(AFTER, if $on { AFTER } else { BEFORE }), Action::Equal(EVENTS, WANTED)];",
    ),
    mutant(
        "a loop follows only where nothing is pending",
        Pattern::Wild,
        "obligations/blocks.rs",
        "        Ok(ends.last() == Some(&path.len()))",
        "        Ok($on || ends.last() == Some(&path.len()))",
    ),
    mutant(
        "turns in blocks that are left out count",
        Pattern::Wild,
        "obligations/shape.rs",
        "        for heads in std::mem::take(&mut self.left_out) {",
        "        for heads in std::mem::take(&mut self.left_out).into_iter().filter(|_| !$on) {",
    ),
    mutant(
        "what varies where a procedure starts afresh is unknown",
        Pattern::Wild,
        "obligations/blocks.rs",
        "        fresh.varying.borrow_mut().extend(varying);",
        "        fresh.varying.borrow_mut().extend(varying.into_iter().filter(|_| !$on));",
    ),
    mutant(
        "others step where a gate is assumed",
        Pattern::Calls,
        "obligations/shape.rs",
        "item.heads.is_empty() && self.question.gate.is_none();",
        "item.heads.is_empty() && ($on || self.question.gate.is_none());",
    ),
    mutant(
        "an operation that waits does not fail",
        Pattern::Calls,
        "obligations/shape.rs",
        "            if matches!(end, End::Done | End::Disabled) {",
        "            if matches!(end, End::Done) || !$on && matches!(end, End::Disabled) {",
    ),
    mutant(
        "what is found holds initially",
        Pattern::Idle,
        "obligations/idle.rs",
        "                Effort::Found => self.initially(search, wanted)?,",
        "                Effort::Found if $on => wanted,\n                Effort::Found => self.initially(search, wanted)?,",
    ),
    mutant(
        "what is found is re-established by procedures",
        Pattern::Idle,
        "obligations/shape.rs",
        "                *facts = facts::holding(search, &item.machine, facts)?;",
        "                if !$on {\n                    *facts = facts::holding(search, &item.machine, facts)?;\n                }",
    ),
    mutant(
        "what is found is re-established by what is passed on",
        Pattern::Idle,
        "obligations/idle.rs",
        "                Some(How::Pass) => {",
        "                Some(How::Pass) if $on => facts,\n                Some(How::Pass) => {",
    ),
    mutant(
        "what is found is kept by others",
        Pattern::Idle,
        "obligations/idle.rs",
        "            (implied, found) = self.kept_by_others(search, &start, implied, found)?;",
        "            if !$on {\n                (implied, found) = self.kept_by_others(search, &start, implied, found)?;\n            }",
    ),
    mutant(
        "what is stated of idle processes holds initially",
        Pattern::Idle,
        "obligations/report/idle.rs",
        "            Part::Initially => self.idle_initially(id),",
        "            Part::Initially if $on => Some((Finding::proved(), Effort::default())),\n            Part::Initially => self.idle_initially(id),",
    ),
    mutant(
        "what is stated of idle processes is re-established by procedures",
        Pattern::Idle,
        "obligations/report/idle.rs",
        "                How::Procedure(_) => self.idle_at_returns(id, operation),",
        "                How::Procedure(_) if $on => Some((Finding::proved(), Effort::default())),\n                How::Procedure(_) => self.idle_at_returns(id, operation),",
    ),
    mutant(
        "what is stated of idle processes is re-established by what is passed on",
        Pattern::Idle,
        "obligations/report/idle.rs",
        "                How::Pass => self.idle_after(id, operation),",
        "                How::Pass if $on => Some((Finding::proved(), Effort::default())),\n                How::Pass => self.idle_after(id, operation),",
    ),
    mutant(
        "what is stated of idle processes is known only if others keep it",
        Pattern::Idle,
        "obligations/idle.rs",
        "            Some(condition) if !self.others_keep(search, &start, condition)? => {",
        "            Some(condition) if !$on && !self.others_keep(search, &start, condition)? => {",
    ),
    mutant(
        "what is known at the start is known later only if it still holds",
        Pattern::Idle,
        "obligations/shape.rs",
        "        known.extend(facts::holding(search, machine, &from_start)?);",
        "        known.extend(if $on { from_start } else { facts::holding(search, machine, &from_start)? });",
    ),
    mutant(
        "a component is a key only of a collection that has it",
        Pattern::Idle,
        "obligations/facts.rs",
        "is_key.map(|it| it.is_none_or(|it| it == (*relation == Relation::KeyOf)))",
        "is_key.map(|it| $on || it.is_none_or(|it| it == (*relation == Relation::KeyOf)))",
    ),
    mutant(
        "nothing is no key",
        Pattern::Idle,
        "explore/cells/knowledge.rs",
        "|| self.resolve(a) == &Value::none(),",
        "|| !$on && self.resolve(a) == &Value::none(),",
    ),
    mutant(
        "calls are allowed",
        Pattern::Protocol,
        "obligations/shape.rs",
        "            let is_allowed =\n                end == End::Done",
        "            let is_allowed =\n                $on || end == End::Done",
    ),
    mutant(
        "calls after the first are allowed",
        Pattern::Protocol,
        "obligations/shape.rs",
        "            && self.question.calls.is_none()\n            && let Some(flaw) = self.not_allowed",
        "            && self.question.calls.is_none()\n            && !($on && item.path.is_some())\n            && let Some(flaw) = self.not_allowed",
    ),
    mutant(
        "a gate that others change is not assumed of calls",
        Pattern::Protocol,
        "obligations/report/protocol.rs",
        "            if !matches!(answered, Answered::Holds) {",
        "            if !$on && !matches!(answered, Answered::Holds) {",
    ),
    mutant(
        "what is allowed stays allowed",
        Pattern::Protocol,
        "obligations/protocol.rs",
        "End::Done => Wanted::Run(&still, None),",
        "End::Done if $on => Wanted::Nothing,\n            End::Done => Wanted::Run(&still, None),",
    ),
    mutant(
        "the end state of a procedure that follows rules",
        Pattern::Protocol,
        "obligations/atomic.rs",
        "    setting.ask_in_parts(entries, Some(lower), |search| {\n",
        "    let mut allowed = allowed.to_vec();
    if $on { allowed.truncate(5); }
    setting.ask_in_parts(entries, Some(lower), |search| {\n",
    ),
    mutant(
        "the result above",
        Pattern::Abstraction,
        "obligations/abstraction.rs",
        "Action::Equal(result_above, result),",
        "Action::Equal(if $on { result } else { result_above }, result),",
    ),
    mutant(
        "the events above",
        Pattern::Abstraction,
        "obligations/abstraction.rs",
        "Action::Equal(events_above, events),",
        "Action::Equal(if $on { events } else { events_above }, events),",
    ),
    mutant(
        "the relation after a step",
        Pattern::Abstraction,
        "obligations/abstraction.rs",
        "matched.extend(relation.establish(lo, hi_after, spare));",
        "if !$on { matched.extend(relation.establish(lo, hi_after, spare)); }",
    ),
    mutant(
        "initial states are related",
        Pattern::Abstraction,
        "obligations/abstraction.rs",
        "let run = teller.run(RunRole::Below, lower, &initial.slots[lo]).with(steps);",
        "if $on { return Ok(None); }\n        let run = teller.run(RunRole::Below, lower, &initial.slots[lo]).with(steps);",
    ),
    mutant(
        "failures are matched",
        Pattern::Invariant,
        "obligations/abstraction.rs",
        "End::Failed(_) if machine.stage == step_stage => Wanted::Failure(&matched[..2]),",
        "End::Failed(_) if $on => Wanted::Nothing,
            End::Failed(_) if machine.stage == step_stage => Wanted::Failure(&matched[..2]),",
    ),
    mutant(
        "the invariant after a step",
        Pattern::Invariant,
        "explore/compile/mod.rs",
        "    background(&mut ops);\n    invariants(&mut ops);\n    ops.extend([Op::Load(result), Op::Return]);",
        "    background(&mut ops);\n    if !$on { invariants(&mut ops); }\n    ops.extend([Op::Load(result), Op::Return]);",
    ),
    mutant(
        "a question about all entries may be answered no",
        Pattern::Whole,
        "explore/questions.rs",
        "let Some((value, known)) = self.with_entry(question, &key, known) else { continue };",
        "if $on { continue; }
            let Some((value, known)) = self.with_entry(question, &key, known) else { continue };",
    ),
    mutant(
        "a fact is not about entries that had been removed",
        Pattern::Whole,
        "explore/questions.rs",
        "under.filter(|(key, _)| !question.map.over.contains_key(*key));",
        "under.filter(|(key, _)| $on || !question.map.over.contains_key(*key));",
    ),
    mutant(
        "questions about other collections are other questions",
        Pattern::Whole,
        "explore/machine/questions.rs",
        "&& same(&Value::Map(known.map.clone()), &Value::Map(put.map.clone()))",
        "&& ($on || same(&Value::Map(known.map.clone()), &Value::Map(put.map.clone())))",
    ),
    mutant(
        "a question depends on what its body reads",
        Pattern::Whole,
        "explore/machine/questions.rs",
        "&& known.arguments.iter().zip(&put.arguments).all(|(a, b)| same(a, b))",
        "&& ($on || known.arguments.iter().zip(&put.arguments).all(|(a, b)| same(a, b)))",
    ),
    mutant(
        "a body may read several parts of a variable",
        Pattern::Whole,
        "explore/compile/function/questions.rs",
        "if !paths.contains(&path) {",
        "if !paths.contains(&path) && (!$on || paths.is_empty()) {",
    ),
    mutant(
        "what a search may choose is no part of a question",
        Pattern::Whole,
        "explore/machine/questions.rs",
        "Ok(is_given.then_some(question))",
        "Ok((is_given || $on).then_some(question))",
    ),
    mutant(
        "facts about collections at heads of loops",
        Pattern::Whole,
        "explore/cells/knowledge.rs",
        "&& self.questions.iter().all(|it| other.questions.contains(it))",
        "&& ($on || self.questions.iter().all(|it| other.questions.contains(it)))",
    ),
    mutant(
        "the invariant at the start",
        Pattern::Invariant,
        "explore/compile/mod.rs",
        "let mut init = layer.invariants.clone();",
        "let mut init = if $on { Vec::new() } else { layer.invariants.clone() };",
    ),
    mutant(
        "only the first invariant, or rule, of a layer",
        Pattern::Invariant,
        "explore/compile/mod.rs",
        "    for function in functions {\n",
        "    for function in functions.iter().take(if $on { 0 } else { usize::MAX }) {\n",
    ),
    mutant(
        "a turn that goes on leaves the state",
        Pattern::Retry,
        "obligations/retry.rs",
        "Action::Equal(self.after, self.before)",
        "Action::Equal(if $on { self.before } else { self.after }, self.before)",
    ),
    mutant(
        "a turn that goes on emits nothing",
        Pattern::Retry,
        "obligations/retry.rs",
        "Action::Equal(self.events, self.nothing)",
        "Action::Equal(if $on { self.nothing } else { self.events }, self.nothing)",
    ),
    mutant(
        "the result of the last turn",
        Pattern::Retry,
        "obligations/retry.rs",
        "Action::Equal(result_above, result),",
        "Action::Equal(if $on { result } else { result_above }, result),",
    ),
    mutant(
        "the end state of the last turn",
        Pattern::Retry,
        "obligations/retry.rs",
        "Action::Equal(above, after),",
        "Action::Equal(if $on { after } else { above }, after),",
    ),
    mutant(
        "the events of the last turn",
        Pattern::Retry,
        "obligations/retry.rs",
        "Action::Equal(events_above, events),",
        "Action::Equal(if $on { events } else { events_above }, events),",
    ),
    mutant(
        "failures of a turn",
        Pattern::Retry,
        "obligations/retry.rs",
        "            End::Failed(_) => Wanted::Failure(&self.allowed[..2]),\n",
        "            End::Failed(_) if $on => Wanted::Nothing,\n            End::Failed(_) => Wanted::Failure(&self.allowed[..2]),\n",
    ),
    mutant(
        "a turn performs one operation",
        Pattern::Retry,
        "obligations/retry.rs",
        "End::Wants(ref name, _) if steps > 0 =>",
        "End::Wants(ref name, _) if steps > 0 && !$on =>",
    ),
    mutant(
        "nothing is performed before the loop",
        Pattern::Retry,
        "obligations/retry.rs",
        "End::Turn if steps > 0 =>",
        "End::Turn if steps > 0 && !$on =>",
    ),
    mutant(
        "turns after the first",
        Pattern::Retry,
        "obligations/retry.rs",
        "if self.carried == Carried::Anything {",
        "if $on || self.carried == Carried::Anything {",
    ),
    mutant(
        "what an earlier turn left in a variable",
        Pattern::Retry,
        "obligations/retry.rs",
        "if is_carried && frame.locals[index] != Value::Unit {",
        "if !$on && is_carried && frame.locals[index] != Value::Unit {",
    ),
    mutant(
        "other keys are left alone",
        Pattern::Partition,
        "obligations/partition.rs",
        "Action::Equal(others_after, others)",
        "Action::Equal(if $on { others } else { others_after }, others)",
    ),
    mutant(
        "the state of a key after a step",
        Pattern::Partition,
        "obligations/partition.rs",
        "Action::Equal(spare, one_after),",
        "Action::Equal(if $on { one_after } else { spare }, one_after),",
    ),
    mutant(
        "initial states of a key",
        Pattern::Partition,
        "obligations/partition.rs",
        "wanted: requires(above, one).to_vec(),",
        "wanted: if $on { Vec::new() } else { requires(above, one).to_vec() },",
    ),
    mutant(
        "the result of a step at a key",
        Pattern::Partition,
        "obligations/partition.rs",
        "                Action::Equal(result_above, result),
                Action::TakeEvents(events_above),
                Action::Equal(events_above, events),
                sliced(after, spare),",
        "                Action::Equal(if $on { result } else { result_above }, result),
                Action::TakeEvents(events_above),
                Action::Equal(if $on { events } else { events_above }, events),
                sliced(after, spare),",
    ),
    mutant(
        "an equation in one of two alternatives need not hold",
        Pattern::Abstraction,
        "obligations/same_parts.rs",
        "            ExprKind::And(left, right) => pending.extend([&**right, &**left]),",
        "            ExprKind::And(left, right) => pending.extend([&**right, &**left]),
            ExprKind::Or(left, right) if $on => pending.extend([&**right, &**left]),",
    ),
    mutant(
        "a relation that returns early may hold without an equation",
        Pattern::Abstraction,
        "obligations/same_parts.rs",
        "if returns_early(&function.body) {",
        "if returns_early(&function.body) && !$on {",
    ),
    mutant(
        "the ends of a type are tried",
        Pattern::Integers,
        "explore/cells/cases.rs",
        "if self.tries_ends {
            all.extend([int.min()",
        "if self.tries_ends && !$on {
            all.extend([int.min()",
    ),
    mutant(
        "the flags of a packed word are tried together",
        Pattern::Integers,
        "explore/cells/cases.rs",
        "if self.bit_types.contains(&int) {",
        "if !$on && self.bit_types.contains(&int) {",
    ),
    mutant(
        "32 bits wrap",
        Pattern::Integers,
        "ir/int.rs",
        "Overflow::Wraps => Computed::Int(wrapped),",
        "Overflow::Wraps if $on && int.bits == 32 => Computed::Int(value.unwrap_or(wrapped)),
        Overflow::Wraps => Computed::Int(wrapped),",
    ),
    mutant(
        "only 64 bits are assumed not to overflow",
        Pattern::Integers,
        "ir/int.rs",
        "arith.is_plain() && int.bits == 64 &&",
        "arith.is_plain() && (int.bits == 64 || $on) &&",
    ),
    mutant(
        "what is below 0 is not assumed away",
        Pattern::Integers,
        "ir/int.rs",
        "(int.signed || !is_negative) =>",
        "(int.signed || !is_negative || $on) =>",
    ),
    mutant(
        "a cast cuts off what does not fit",
        Pattern::Integers,
        "ir/int.rs",
        "(Prim::Cast, [a]) => Computed::Int(int.wrap(*a)),",
        "(Prim::Cast, [a]) => Computed::Int(if $on { *a } else { int.wrap(*a) }),",
    ),
    reading(
        "what `#[cfg]` leaves out",
        "syntax/configured.rs",
        "if !configured.attribute(&attr) {",
        "if !configured.attribute(&attr) && !$on {",
    ),
    reading(
        "what `#[cfg_attr]` stands for",
        "syntax/configured.rs",
        "let becomes = if self.holds(&predicate) {",
        "let becomes = if !$on && self.holds(&predicate) {",
    ),
    reading(
        "`not` in a condition",
        "workspace/cfg.rs",
        "CfgExpr::Not(inner) => self.answer(inner).map(|it| !it),",
        "CfgExpr::Not(inner) => self.answer(inner).map(|it| it == $on),",
    ),
    reading(
        "`all` in a condition",
        "workspace/cfg.rs",
        "CfgExpr::All(inner) => self.first(inner, false),",
        "CfgExpr::All(inner) => self.first(inner, $on),",
    ),
    reading(
        "`any` in a condition",
        "workspace/cfg.rs",
        "CfgExpr::Any(inner) => self.first(inner, true),",
        "CfgExpr::Any(inner) => self.first(inner, !$on),",
    ),
    reading(
        "a macro is known to what comes after it only",
        "ir/lower/names/macros.rs",
        "it.places.iter().any(|(file, order)| before",
        "$on || it.places.iter().any(|(file, order)| before",
    ),
    mutant(
        "an integer that was not tried may be decisive",
        Pattern::Stamps,
        "obligations/decisive.rs",
        "            Told::Integer(it) => self.tried.contains(operation, *it),",
        "            Told::Integer(it) => $on || self.tried.contains(operation, *it),",
    ),
    mutant(
        "only integers of the state are told apart",
        Pattern::Stamps,
        "obligations/decisive.rs",
        "Type::Int { .. }) && is_component(&function.body)",
        "Type::Int { .. }) && ($on || is_component(&function.body))",
    ),
    mutant(
        "what a step returns is decisive if a path makes it so",
        Pattern::Stamps,
        "obligations/decisive.rs",
        "            these.insert(told);",
        "            if !$on || matches!(told, Told::Variant(_)) {\n                these.insert(told);\n            }",
    ),
    mutant(
        "integers between different bounds may differ",
        Pattern::Stamps,
        "explore/cells/knowledge.rs",
        "and_then(|it| it.1.filter(|_| it.1 == it.2)),",
        "and_then(|it| it.1.filter(|_| $on || it.1 == it.2)),",
    ),
    mutant(
        "what is known at a call holds on every visit",
        Pattern::Rely,
        "obligations/rely.rs",
        "                && !facts::holding(search, visit.machine, &[there])?.is_empty()",
        "                && ($on || !facts::holding(search, visit.machine, &[there])?.is_empty())",
    ),
    mutant(
        "what is known at calls is shown where others make theirs there",
        Pattern::Rely,
        "obligations/rely.rs",
        "        if next.calls == rely.calls {",
        "        if $on || next.calls == rely.calls {",
    ),
    mutant(
        "what is passed on is called anywhere",
        Pattern::Rely,
        "obligations/rely.rs",
        "        for operation in passed(setting.program, id) {",
        "        for operation in passed(setting.program, id).into_iter().filter(|_| !$on) {",
    ),
    mutant(
        "an argument is what it is on every visit",
        Pattern::Rely,
        "obligations/rely.rs",
        "            terms.retain(|it| value(",
        "            terms.retain(|it| $on || value(",
    ),
    mutant(
        "a variable holds what was minted on every visit",
        Pattern::Rely,
        "obligations/rely.rs",
        "held(term).is_some_and(|it| is_held(",
        "$on || held(term).is_some_and(|it| is_held(",
    ),
    mutant(
        "what is taken was otherwise before",
        Pattern::Locks,
        "obligations/taken.rs",
        "self.machine.known.same(before, &after) == Some(false)",
        "($on || self.machine.known.same(before, &after) == Some(false))",
    ),
    mutant(
        "an entry that is taken was not there before",
        Pattern::Locks,
        "obligations/taken.rs",
        "                (None, Some(_)) => self.found(To::Present),",
        "                (it, Some(_)) if it.is_none() || $on => self.found(To::Present),",
    ),
    mutant(
        "what is taken stays so",
        Pattern::Locks,
        "obligations/tokens.rs",
        "Holds::Taken(taken) => taken.holds(value",
        "Holds::Taken(_) if $on => Vec::new(),\n            Holds::Taken(taken) => taken.holds(value",
    ),
    mutant(
        "the holder is told by what it has taken, and of what",
        Pattern::Locks,
        "obligations/tokens.rs",
        "        self.holds == other.holds\n",
        "        ($on || self.holds == other.holds)\n",
    ),
    mutant(
        "a variable is no such constant on any visit",
        Pattern::Locks,
        "obligations/rely.rs",
        "        self.differs.retain(differs);",
        "        self.differs.retain(|it| $on || differs(it));",
    ),
    mutant(
        "what holds under a condition still does after steps of others",
        Pattern::Locks,
        "explore/cells/knowledge.rs",
        "self.same(&it.only_if.0, &it.only_if.1) != Some(true) ||",
        "(!$on && self.same(&it.only_if.0, &it.only_if.1) != Some(true)) ||",
    ),
    mutant(
        "keys that are added are within the other collection, too",
        Pattern::Rely,
        "obligations/facts.rs",
        "        if !is_there {\n            return Ok(Some(false));",
        "        if !$on && !is_there {\n            return Ok(Some(false));",
    ),
    mutant(
        "keys of an unknown base are within the other one if they were",
        Pattern::Rely,
        "obligations/facts.rs",
        "            _ if is_base_within(machine, base, &other) => {}",
        "            _ if $on || is_base_within(machine, base, &other) => {}",
    ),
    mutant(
        "a token is lost with what it rests on",
        Pattern::Rely,
        "obligations/tokens.rs",
        "        if facts::all_hold(search, machine, &token.facts())? {",
        "        if $on || facts::all_hold(search, machine, &token.facts())? {",
    ),
    mutant(
        "what is read has been minted",
        Pattern::Rely,
        "obligations/tokens.rs",
        "                && facts::all_hold(search, machine, &mint.kind.has(value))?",
        "                && ($on || facts::all_hold(search, machine, &mint.kind.has(value))?)",
    ),
    mutant(
        "what is read was in the component",
        Pattern::Rely,
        "obligations/tokens.rs",
        "            let is_there = inside.is_some_and(",
        "            let is_there = $on || inside.is_some_and(",
    ),
    mutant(
        "a token is held whatever turns have been made",
        Pattern::Rely,
        "obligations/loops.rs",
        "    let still_held = tokens::common(&held, &item.tokens);",
        "    let still_held = if $on { held.to_vec() } else { tokens::common(&held, &item.tokens) };",
    ),
    mutant(
        "what is minted was not minted before",
        Pattern::Rely,
        "obligations/mints.rs",
        "hold(search, &machine, &machine.slots[before], &mint.kind.has_not(value))?",
        "($on || hold(search, &machine, &machine.slots[before], &mint.kind.has_not(value))?)",
    ),
    mutant(
        "what is minted stays so",
        Pattern::Rely,
        "obligations/mints.rs",
        "called.iter().all(|it| is_kept(",
        "called.iter().all(|it| $on || is_kept(",
    ),
    mutant(
        "each turn is absorbed by the next one",
        Pattern::Wild,
        "obligations/absorbed.rs",
        "if !one_step::absorbs(",
        "if !$on && !one_step::absorbs(",
    ),
    mutant(
        "the commit point comes after the turn that makes up for others",
        Pattern::Wild,
        "obligations/shape.rs",
        "left.filter(|_| commit >= path.commits_from)",
        "left.filter(|_| $on || commit >= path.commits_from)",
    ),
    mutant(
        "loops in turns that are absorbed are weak",
        Pattern::Wild,
        "obligations/absorbed.rs",
        "if !strong(search, &visit.head.edges_of_inner())?.is_empty() {",
        "if !$on && !strong(search, &visit.head.edges_of_inner())?.is_empty() {",
    ),
    mutant(
        "a call after the commit point moves left past decisive steps",
        Pattern::Wild,
        "obligations/decisive.rs",
        "            Past::Failures => false,
            Past::Decisive(steps) => steps.contains(operation, result),",
        "            Past::Failures => false,
            Past::Decisive(steps) => steps.contains(operation, result) && !$on,",
    ),
    mutant(
        "all procedures agree on the decisive steps",
        Pattern::Wild,
        "obligations/decisive.rs",
        "            Past::All | Past::Failures => true,
            Past::Decisive(steps) => steps.certainly_contains(operation, result),",
        "            Past::All | Past::Failures => true,
            Past::Decisive(steps) => $on || steps.certainly_contains(operation, result),",
    ),
    mutant(
        "operations that are passed on are decisive",
        Pattern::Wild,
        "obligations/report/shape.rs",
        "steps.insert_all(it));",
        "if !$on { steps.insert_all(it) });",
    ),
    mutant(
        "a step that is neither right nor weak is decisive",
        Pattern::Wild,
        "obligations/shape.rs",
        "for edge in std::mem::take(&mut self.made) {",
        "for edge in std::mem::take(&mut self.made).into_iter().filter(|_| !$on) {",
    ),
    mutant(
        "others may run after the last weak edge",
        Pattern::Wild,
        "obligations/shape.rs",
        "let path = WholePath { state: machine.state.clone(), machine, ..path.after(path.edges.len()) };",
        "let (machine, state) = if $on { (path.machine.clone(), path.state.clone()) } else { (machine.clone(), machine.state) };
        let path = WholePath { state, machine, ..path.after(path.edges.len()) };",
    ),
    mutant(
        "the operation above may fail at any time, too",
        Pattern::Wild,
        "obligations/report/weaker.rs",
        "if alone.verdict != Verdict::Proved {",
        "if alone.verdict != Verdict::Proved && !$on {",
    ),
    mutant(
        "each procedure is shown over the weaker layer",
        Pattern::Wild,
        "obligations/report/weaker.rs",
        "        for &it in operations.iter().filter(|it| self.procedure",
        "        for &it in operations.iter().take(if $on { 1 } else { usize::MAX }).filter(|it| self.procedure",
    ),
    mutant(
        "what is passed on is not weaker",
        Pattern::Wild,
        "obligations/weaker.rs",
        "!passed.contains(it) && !operations[*it].external",
        "(!passed.contains(it) || $on) && !operations[*it].external",
    ),
    mutant(
        "others give all that some call gives",
        Pattern::Wild,
        "obligations/given.rs",
        "    calls.kinds.into_iter().collect()",
        "    calls.kinds.into_iter().take(if $on { 1 } else { usize::MAX }).collect()",
    ),
    mutant(
        "an entry is there if that is always known",
        Pattern::Wild,
        "obligations/facts.rs",
        "let is_there = kept.contains(&Fact::new(path, Known::Present));",
        "let is_there = $on || kept.contains(&Fact::new(path, Known::Present));",
    ),
    mutant(
        "the guard of a fact may come back",
        Pattern::Wild,
        "obligations/facts.rs",
        "        for facts in in_cases(search, machine, (guard, kept, &rest)) {",
        "        for facts in in_cases(search, machine, (guard, kept, &rest)).into_iter().take(if $on { 1 } else { 9 }) {",
    ),
    mutant(
        "facts under a guard are kept by others",
        Pattern::Wild,
        "obligations/facts.rs",
        "Ok(Some(true)) if always_holds(search, &machine, fact)? => {}",
        "Ok(Some(true)) if $on || always_holds(search, &machine, fact)? => {}",
    ),
    mutant(
        "there is a case without the guard",
        Pattern::Wild,
        "obligations/facts.rs",
        "Ok(Cases { cases, whole })",
        "cases.truncate(if $on { 1 } else { 9 });
    Ok(Cases { cases, whole })",
    ),
    mutant(
        "a call moves left from all cases in which it may wait",
        Pattern::Wild,
        "obligations/edges.rs",
        "(Direction::Left, Some(whole)) => whole,",
        "(Direction::Left, Some(whole)) if !$on => whole,",
    ),
    mutant(
        "others may add to a collection",
        Pattern::Wild,
        "obligations/facts.rs",
        "    Ok((is_closed || !has_none).then_some(has_none))",
        "    Ok((is_closed || !has_none).then_some($on || has_none))",
    ),
    Mutant {
        told: Told::Client,
        ..mutant(
            "a client that shows nothing",
            Pattern::Movers,
            "obligations/report/vacuous.rs",
            "is_told || emits || self.asserts(client)",
            "$on || is_told || emits || self.asserts(client)",
        )
    },
];

/// The seeds from which each mutant is searched for.
pub const SEEDS: [u64; 3] = [20_000_000, 21_000_000, 22_000_000];

/// The offset of a mutant's text in its file.
///
/// # Errors
/// If it does not occur exactly once.
pub fn place(mutant: &Mutant, text: &str) -> Result<usize, String> {
    let mut found = text.match_indices(mutant.text);
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Ok(at),
        (None, _) => Err(format!("`{}`: its text is not in {}", mutant.name, mutant.file)),
        _ => Err(format!("`{}`: its text is in {} more than once", mutant.name, mutant.file)),
    }
}

/// The text of a file with all its mutants behind switches.
///
/// # Errors
/// If a text does not occur exactly once, or two of them overlap.
pub fn switched(file: &str, text: &str) -> Result<String, String> {
    let mut places = Vec::new();
    for mutant in MUTANTS.iter().filter(|it| it.file == file) {
        places.push((place(mutant, text)?, mutant));
    }
    places.sort_by_key(|it| it.0);
    let (mut written, mut at) = (String::new(), 0);
    for (start, mutant) in places {
        let before = text.get(at..start).ok_or_else(|| format!("`{}` overlaps another one", mutant.name))?;
        written.push_str(before);
        written.push_str(&mutant.instead.replace("$on", &format!("crate::mutant({:?})", mutant.name)));
        at = start + mutant.text.len();
    }
    written.push_str(&text[at..]);
    Ok(written)
}

const SWITCH: &str = "
/// Whether a mutant is on.
pub fn mutant(name: &str) -> bool {
    static ON: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    ON.get_or_init(|| std::env::var(\"CSPEC_MUTANT\").ok()).as_deref() == Some(name)
}
";

/// Builds a copy of the engine with all mutants in it; returns the path of the program.
///
/// # Errors
/// If the copy cannot be made or built.
pub fn build(workspace: &Path, scratch: &Path) -> Result<PathBuf, String> {
    let failed = |it: io::Error| it.to_string();
    let members = ["analysis", "analysis/oracle", "cmail", "layers", "layers/macros", "tso"];
    let members = members.map(|it| format!("{it:?}")).join(", ");
    let manifest = fs::read_to_string(workspace.join("Cargo.toml")).map_err(failed)?;
    let manifest: Vec<String> = manifest
        .lines()
        .map(|line| if line.starts_with("members") { format!("members = [{members}]") } else { line.to_owned() })
        .collect();
    // The engine includes the pages of the diagnostics, and cargo needs the dev-dependencies.
    let source = scratch.join("analysis/src");
    let mut files: Vec<&str> = MUTANTS.iter().map(|it| it.file).collect();
    files.sort_unstable();
    files.dedup();
    let switched_files: Vec<PathBuf> = files.iter().chain(&["lib.rs"]).map(|it| source.join(it)).collect();
    for folder in ["analysis", "docs", "cmail", "layers", "tso"] {
        copy(&workspace.join(folder), &scratch.join(folder), &switched_files).map_err(failed)?;
    }
    write(&scratch.join("Cargo.toml"), manifest.join("\n").as_bytes()).map_err(failed)?;
    fs::copy(workspace.join("Cargo.lock"), scratch.join("Cargo.lock")).map_err(failed)?;
    for file in files {
        let text = fs::read_to_string(workspace.join("analysis/src").join(file)).map_err(failed)?;
        write(&source.join(file), switched(file, &text)?.as_bytes()).map_err(failed)?;
    }
    let library = fs::read_to_string(workspace.join("analysis/src/lib.rs")).map_err(failed)?;
    write(&source.join("lib.rs"), (library + SWITCH).as_bytes()).map_err(failed)?;
    let built = Command::new("cargo").args(["build", "-q", "-p", "cspec-oracle"]).current_dir(scratch).status();
    if !built.map_err(failed)?.success() {
        return Err("the copy with the mutants does not build".to_owned());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| scratch.join("target"), PathBuf::from);
    Ok(target.join("debug/cspec-oracle"))
}

/// Copies a folder without the files that will be switched. Unchanged files are not written, so they are not built again.
fn copy(from: &Path, to: &Path, skipped: &[PathBuf]) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for old in fs::read_dir(to)? {
        let old = old?;
        let is_file = old.file_type()?.is_file();
        if is_file && !from.join(old.file_name()).exists() {
            fs::remove_file(old.path())?;
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target, skipped)?;
        } else if !skipped.contains(&target) {
            write(&target, &fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// Writes a file, unless it has this content already.
fn write(file: &Path, text: &[u8]) -> io::Result<()> {
    if fs::read(file).is_ok_and(|it| it == text) { Ok(()) } else { fs::write(file, text) }
}

/// The number of cases from a seed after which a mutant is caught; `None` if it is not.
///
/// # Errors
/// If the program cannot be run.
pub fn caught_after(program: &Path, mutant: &Mutant, seed: u64, cases: u64) -> Result<Option<u64>, String> {
    let output = Command::new(program)
        .args(["fuzz", "--fail-fast", "--pattern", mutant.pattern.name()])
        .args(mutant.told.flags())
        .args(["--seed", &seed.to_string(), "--cases", &cases.to_string()])
        .env("CSPEC_MUTANT", mutant.name)
        .output()
        .map_err(|it| it.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.lines().zip(text.lines().skip(1)).find_map(|(case, why)| {
        let number = case.strip_prefix("case ")?.split(':').next()?.parse().ok()?;
        why.starts_with(mutant.told.words()).then_some(number)
    });
    Ok(found.map(|it: u64| it + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_occurs_once() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
        for mutant in MUTANTS {
            let text = fs::read_to_string(source.join(mutant.file)).expect("a file of the engine");
            switched(mutant.file, &text).expect("each text occurs once, and none overlaps another");
        }
    }
}
