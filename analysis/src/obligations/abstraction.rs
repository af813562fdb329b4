//! Abstraction: a relation between two states that every step below keeps, matched by the same step above.
//!
//! For every pair of related states, operation, process and arguments (CSPEC, section 6.3, Figure 13; `op_abs` of its development):
//!
//! ```text
//! R(lo, hi)  and  lo --op@p/r,E--> lo'   imply   ∃ hi'. hi --op@p/r,E--> hi'  and  R(lo', hi')
//! ```
//!
//! Exactly one step above for each step below: the same operation, process, result and events. If the step below fails, the operation above
//! may fail too; if the operation above may fail in `hi`, it matches everything, since after a failure anything may happen. And:
//!
//! ```text
//! init(lo)   implies   ∃ hi. R(lo, hi)  and  init(hi)
//! ```
//!
//! If the layer below has background steps `b` (any number of them before and after every operation) and no invariant, it is enough, and
//! tried first, that the relation absorbs them and that the operation alone is matched:
//!
//! ```text
//! R(lo, hi)  and  lo --b--> lo'   imply   R(lo', hi)
//! ```
//!
//! `R` is the user's `#[abstraction]` — a function up, a function down, or a predicate, any of which may choose — and the invariant of the
//! layer above, if it has one.

use super::{
    movers::first_difference,
    question::{Answered, Confirmation, Effort, Refutes, Setting, Slots, Wanted, for_all_exists, replays},
    same_parts::{SamePart, identify, same_parts},
    tell::Teller,
};
use crate::{
    counterexample::{Counterexample, RunRole},
    explore::{
        cells::{Asked, Quantifier, Root},
        code::CodeId,
        machine::{Machine, Site},
        search::{Abort, Action, End, Slot},
    },
    ir::{Abstraction, Anchor, Implementation},
};

/// A step, or an initial state, that has no match above.
pub struct Unmatched {
    /// The states and the step.
    pub counterexample: Counterexample<Anchor>,
    /// The end of the step below.
    pub end: End,
    /// The place of its failure, if it failed.
    pub site: Option<Site>,
    /// Whether the case refutes the obligation.
    pub confirmation: Confirmation,
}

/// The relation as scripts: one assumes it, the other establishes it.
struct Relation {
    function: CodeId,
    kind: Kind,
    invariant: CodeId,
    /// Parts of the upper state that are parts of the lower one.
    same: Vec<SamePart>,
}

#[derive(Clone, Copy)]
enum Kind {
    Up,
    Down,
    Predicate,
}

impl Relation {
    fn of(setting: &Setting, implementation: &Implementation, relation: &Abstraction) -> Relation {
        let (function, kind) = match relation {
            Abstraction::Up(it) => (it, Kind::Up),
            Abstraction::Down(it) => (it, Kind::Down),
            Abstraction::Predicate(it) => (it, Kind::Predicate),
        };
        let invariant = setting.code.invariant[implementation.upper.0 as usize];
        let same = match kind {
            Kind::Predicate => same_parts(setting.program, *function),
            Kind::Up | Kind::Down => Vec::new(),
        };
        Relation { function: setting.code.function(*function), kind, invariant, same }
    }

    /// Assumes that the relation holds of the unknown states in `lo` and `hi`. `holds` is a spare slot.
    fn assume(&self, lo: Slot, hi: Slot, holds: Slot) -> Vec<Action> {
        let function = self.function;
        let mut script = match self.kind {
            Kind::Up => vec![Action::Call { function, arguments: vec![lo], result: Some(hi) }],
            Kind::Down => vec![Action::Call { function, arguments: vec![hi], result: Some(lo) }],
            Kind::Predicate => {
                vec![Action::Call { function, arguments: vec![lo, hi], result: Some(holds) }, Action::When(holds)]
            }
        };
        script.extend(self.invariant_of(hi, holds));
        script
    }

    /// Requires that the relation holds of the states in `lo` and `hi`. `spare` are spare slots.
    fn establish(&self, lo: Slot, hi: Slot, spare: Slot) -> Vec<Action> {
        let function = self.function;
        match self.kind {
            Kind::Up => {
                vec![Action::Call { function, arguments: vec![lo], result: Some(spare) }, Action::Equal(spare, hi)]
            }
            Kind::Down => {
                vec![Action::Call { function, arguments: vec![hi], result: Some(spare) }, Action::Equal(spare, lo)]
            }
            Kind::Predicate => {
                vec![Action::Call { function, arguments: vec![lo, hi], result: Some(spare) }, Action::When(spare)]
            }
        }
    }

    fn invariant_of(&self, hi: Slot, holds: Slot) -> [Action; 2] {
        [Action::Call { function: self.invariant, arguments: vec![hi], result: Some(holds) }, Action::When(holds)]
    }
}

/// Checks that the steps of one operation (by its index above) are matched. `absorbing`: the relation absorbs background steps below.
pub fn simulation(
    setting: &Setting,
    implementation: &Implementation,
    relation: &Abstraction,
    operation: usize,
    absorbing: bool,
) -> (Answered<Unmatched>, Effort) {
    let lower = implementation.lower;
    let name = &setting.program.layers[implementation.upper.0 as usize].operations[operation].name;
    let operations = &setting.program.layers[lower.0 as usize].operations;
    let Some(below) = operations.iter().position(|it| it.name == *name) else {
        return (Answered::Holds, Effort::default());
    };
    if absorbing {
        let (alone, effort) = matched(setting, implementation, relation, operation, setting.code.core(lower, below));
        if matches!(alone, Answered::Holds | Answered::GivenUp(Abort::Stopped)) {
            return (alone, effort);
        }
    }
    // A match of the operation alone suffices, but is not necessary: only the whole step can refute.
    matched(setting, implementation, relation, operation, setting.code.step(lower, below))
}

/// Background steps do not preserve the relation. This refutes nothing: the whole step may still be matched.
pub struct NotAbsorbed;

impl Refutes for NotAbsorbed {
    fn is_confirmed(&self) -> bool {
        true
    }
}

/// Whether background steps below preserve the relation.
pub fn absorbs_background(
    setting: &Setting,
    implementation: &Implementation,
    relation: &Abstraction,
) -> (Answered<NotAbsorbed>, Effort) {
    let (upper, lower) = (implementation.upper, implementation.lower);
    let relation = Relation::of(setting, implementation, relation);
    let Some(background) = setting.code.background[lower.0 as usize] else {
        return (Answered::Holds, Effort::default());
    };
    let mut slots = Slots::default();
    let (lo, hi) = (slots.unknown(setting.state(lower)), slots.unknown(setting.state(upper)));
    let spare = slots.empty();
    let mut given = relation.assume(lo, hi, spare);
    given.push(Action::Call { function: background, arguments: vec![lo], result: None });
    let kept = relation.establish(lo, hi, spare);
    setting.ask_whole(&[background, relation.function, relation.invariant], None, |search| {
        let mut start = slots.start(&mut search.world.cells, 1);
        identify(&mut search.world.cells, &mut start, &relation.same, (lo, hi));
        let wanted = |_: &Machine, end: &End| match end {
            End::Done => Wanted::Run(&kept, None),
            _ => Wanted::Never,
        };
        Ok(for_all_exists(search, start, &given, &wanted)?.map(|_| NotAbsorbed))
    })
}

/// Checks that every step of one operation, as `step_below` makes it, is matched.
fn matched(
    setting: &Setting,
    implementation: &Implementation,
    relation: &Abstraction,
    operation: usize,
    step_below: CodeId,
) -> (Answered<Unmatched>, Effort) {
    let (upper, lower) = (implementation.upper, implementation.lower);
    let name = &setting.program.layers[upper.0 as usize].operations[operation].name;
    let step_above = setting.code.step(upper, operation);
    let relation = Relation::of(setting, implementation, relation);
    let mut slots = Slots::default();
    let (lo, hi) = (slots.unknown(setting.state(lower)), slots.unknown(setting.state(upper)));
    let me = slots.process(0);
    let arguments = slots.unknowns(&setting.arguments(upper, operation));
    let hi_after = slots.empty();
    let (result, events, spare) = (slots.empty(), slots.empty(), slots.empty());
    let (result_above, events_above) = (slots.empty(), slots.empty());
    let call = |function, state, result| {
        let mut all = vec![state, me];
        all.extend(&arguments);
        Action::Call { function, arguments: all, result: Some(result) }
    };
    let mut given = relation.assume(lo, hi, spare);
    let step_stage = given.len();
    given.extend([call(step_below, lo, result), Action::TakeEvents(events)]);
    let mut matched = vec![
        Action::Copy(hi, hi_after),
        call(step_above, hi_after, result_above),
        Action::Equal(result_above, result),
        Action::TakeEvents(events_above),
        Action::Equal(events_above, events),
    ];
    matched.extend(relation.establish(lo, hi_after, spare));
    let entries = [step_below, step_above, relation.function, relation.invariant];
    setting.ask_whole(&entries, None, |search| {
        let mut start = slots.start(&mut search.world.cells, 1);
        identify(&mut search.world.cells, &mut start, &relation.same, (lo, hi));
        let initial = start.clone();
        let wanted = |machine: &Machine, end: &End| match end {
            End::Done => Wanted::Run(&matched, Some(1)),
            End::Failed(_) if machine.stage == step_stage => Wanted::Failure(&matched[..2]),
            _ => Wanted::Never,
        };
        let Some(case) = for_all_exists(search, start, &given, &wanted)? else { return Ok(None) };
        let confirmation = replays(search, &initial, &given, &case, &wanted)?;
        let mut teller = Teller::new(setting, search, case.known.clone());
        let steps = teller.given(&initial.slots, &given, &case.end, Some(&case.slots))?;
        // The relation is only established at the end; it may also construct the state before the step.
        let mut slots = case.slots.clone();
        let start = teller.start_of(&initial.slots, &given[..step_stage], (lo, hi), &case.slots)?;
        let below = teller.run(RunRole::Below, lower, &start.0).with(steps);
        slots[hi] = start.1.clone();
        let steps = if case.end == End::Done { teller.attempt(&slots, &matched)? } else { Vec::new() };
        let layer = teller.layer(upper);
        let conclusion = match &case.end {
            End::Done if steps.last().is_some_and(|it| it.after.is_some() && it.mismatch.is_none()) => {
                format!("no step of `{layer}::{name}` with this result leads to a related state")
            }
            End::Done => format!("`{layer}::{name}` has no such step: {}", first_difference(steps.last())),
            End::Panicked(_, why) => format!("the step below panics: {why}"),
            _ => format!("the step below fails, and `{layer}::{name}` cannot fail there"),
        };
        let above = teller.run(RunRole::Above, upper, &start.1).with(steps);
        let counterexample = teller.conclude(vec![below, above], conclusion);
        let site = match case.end {
            End::Failed(site) | End::Panicked(site, _) => Some(site),
            _ => None,
        };
        Ok(Some(Unmatched { counterexample, end: case.end, site, confirmation }))
    })
}

/// Checks that every initial state below is related to an initial state above.
pub fn initial(
    setting: &Setting,
    implementation: &Implementation,
    relation: &Abstraction,
) -> (Answered<Unmatched>, Effort) {
    let (upper, lower) = (implementation.upper, implementation.lower);
    let relation = Relation::of(setting, implementation, relation);
    let (init_below, init_above) = (setting.code.init[lower.0 as usize], setting.code.init[upper.0 as usize]);
    let mut slots = Slots::default();
    let lo = slots.unknown(setting.state(lower));
    let (hi, holds, spare) = (slots.empty(), slots.empty(), slots.empty());
    let is_initial =
        |function, state| [Action::Call { function, arguments: vec![state], result: Some(holds) }, Action::When(holds)];
    let given = is_initial(init_below, lo);
    let mut wanted_script = Vec::new();
    if let Kind::Up = relation.kind {
        wanted_script.push(Action::Call { function: relation.function, arguments: vec![lo], result: Some(hi) });
        wanted_script.extend(is_initial(init_above, hi));
    } else {
        wanted_script.extend(is_initial(init_above, hi));
        wanted_script.extend(relation.establish(lo, hi, spare));
    }
    setting.ask_whole(&[init_below, init_above, relation.function], None, |search| {
        let mut start = slots.start(&mut search.world.cells, 1);
        // The upper state is searched for.
        start.set(
            hi,
            search.world.cells.root(
                Root::Slot(Asked::Obligation, hi as u32),
                setting.state(upper),
                Quantifier::Existential,
            ),
        );
        identify(&mut search.world.cells, &mut start, &relation.same, (lo, hi));
        let initial = start.clone();
        let wanted = |_: &Machine, end: &End| match end {
            End::Done => Wanted::Run(&wanted_script, None),
            _ => Wanted::Never,
        };
        let Some(case) = for_all_exists(search, start, &given, &wanted)? else { return Ok(None) };
        let mut teller = Teller::new(setting, search, case.known.clone());
        let steps = teller.given(&initial.slots, &given, &case.end, None)?;
        let run = teller.run(RunRole::Below, lower, &initial.slots[lo]).with(steps);
        let conclusion = format!("no initial state of `{}` is related to it", teller.layer(upper));
        let counterexample = teller.conclude(vec![run], conclusion);
        Ok(Some(Unmatched {
            counterexample,
            end: case.end,
            site: None,
            confirmation: Confirmation::within(case.within),
        }))
    })
}

/// Checks that every state that is initial in one layer is initial in another over the same state.
pub fn initial_above(setting: &Setting, implementation: &Implementation) -> (Answered<Unmatched>, Effort) {
    let (upper, lower) = (implementation.upper, implementation.lower);
    let (init_below, init_above) = (setting.code.init[lower.0 as usize], setting.code.init[upper.0 as usize]);
    let mut slots = Slots::default();
    let state = slots.unknown(setting.state(lower));
    let holds = slots.empty();
    let is_initial =
        |function| [Action::Call { function, arguments: vec![state], result: Some(holds) }, Action::When(holds)];
    let (given, above) = (is_initial(init_below), is_initial(init_above));
    setting.ask_whole(&[init_below, init_above], None, |search| {
        let start = slots.start(&mut search.world.cells, 1);
        let initial = start.clone();
        let wanted = |_: &Machine, end: &End| match end {
            End::Done => Wanted::Run(&above, None),
            _ => Wanted::Never,
        };
        let Some(case) = for_all_exists(search, start, &given, &wanted)? else { return Ok(None) };
        let confirmation = replays(search, &initial, &given, &case, &wanted)?;
        let mut teller = Teller::new(setting, search, case.known.clone());
        let steps = teller.given(&initial.slots, &given, &case.end, None)?;
        let below = teller.run(RunRole::Below, lower, &initial.slots[state]).with(steps);
        let steps = teller.given(&initial.slots, &above[..1], &End::Done, None)?;
        let above = teller.run(RunRole::Above, upper, &initial.slots[state]).with(steps);
        let names = (teller.layer(lower), teller.layer(upper));
        let conclusion = format!("the state is initial in `{}`, but not in `{}`", names.0, names.1);
        let counterexample = teller.conclude(vec![below, above], conclusion);
        Ok(Some(Unmatched { counterexample, end: case.end, site: None, confirmation }))
    })
}

impl Refutes for Unmatched {
    fn is_confirmed(&self) -> bool {
        self.confirmation.is_confirmed()
    }

    fn not_replayed(&mut self) {
        self.confirmation = Confirmation::NotReplayed;
    }

    fn counterexample(&self) -> Option<&Counterexample<Anchor>> {
        Some(&self.counterexample)
    }
}
