//! The atomic specification: a procedure that runs alone does what the operation above allows.
//!
//! For every state `s`, process and arguments, and every run of the procedure from `s` to its end, without any step of others, with result
//! `r`, events `E` and end state `s'` (CSPEC, section 6.1, Figure 11; `compile_correct` of its development):
//!
//! ```text
//! s --op/r,E--> s'  is a step of the layer above
//! ```
//!
//! `s` is one where the procedure may start ([`idle`]).
//!
//! Where the run fails or panics, the operation above must be able to fail in `s` too: then its caller has broken what it asserts. A run that blocks owes nothing: nothing is claimed about
//! progress.

use super::{
    idle::{self, Idle},
    movers::first_difference,
    question::{Answered, Confirmation, Effort, Refutes, Setting, Slots, Wanted, for_all_exists, replays},
    tell::Teller,
};
use crate::{
    counterexample::{Counterexample, RunRole},
    explore::{
        code::CodeId,
        machine::{Machine, Site},
        search::{Abort, Action, End},
    },
    ir::{Anchor, Code as How, FunctionId, LayerId},
};

/// A run that the operation above does not allow.
pub struct Disallowed {
    /// The state, the run, and the step that the operation above lacks.
    pub counterexample: Counterexample<Anchor>,
    /// The end of the run.
    pub end: End,
    /// The place of its failure, if it failed.
    pub site: Option<Site>,
    /// Whether the run refutes the obligation.
    pub confirmation: Confirmation,
}

/// One operation of the layer above, with the code that implements it.
pub struct Implemented<'a> {
    /// The layer above.
    pub upper: LayerId,
    /// The layer below.
    pub lower: LayerId,
    /// The index of the operation in the layer above.
    pub operation: usize,
    /// Its code over the layer below.
    pub how: &'a How,
}

/// The code of a procedure, or of an operation that is passed on, and of the operation above.
pub fn entries(setting: &Setting, implemented: &Implemented) -> Option<[CodeId; 2]> {
    let Implemented { upper, lower, operation, how } = *implemented;
    let name = &setting.program.layers[upper.0 as usize].operations[operation].name;
    let entry = match how {
        How::Pass => setting.step_named(lower, name)?,
        How::Procedure(function) => setting.code.function(*function),
    };
    Some([entry, setting.code.step(upper, operation)])
}

/// Where the procedure starts.
pub enum From<'i> {
    /// In states in which what is known of idle processes holds, if that is looked at.
    Rest(Option<&'i mut Idle>),
    /// In initial states.
    Init,
}

/// Checks one operation. The literals of `entries` matter.
pub fn check(
    setting: &Setting,
    entries: &[CodeId],
    implemented: &Implemented,
    mut from: From<'_>,
) -> (Answered<Disallowed>, Effort) {
    let Implemented { upper, lower, operation, how } = *implemented;
    let mut slots = Slots::default();
    let before = slots.unknown(setting.state(upper));
    let me = slots.process(0);
    let arguments = slots.unknowns(&setting.arguments(upper, operation));
    let (after, above) = (slots.empty(), slots.empty());
    let (result, events) = (slots.empty(), slots.empty());
    let (result_above, events_above) = (slots.empty(), slots.empty());
    let name = &setting.program.layers[upper.0 as usize].operations[operation].name;
    let step_above = setting.code.step(upper, operation);
    let call = |function, state| {
        let mut all = vec![state, me];
        all.extend(&arguments);
        Action::Call { function, arguments: all, result: None }
    };
    let run = match how {
        How::Pass => {
            let Some(step) = setting.step_named(lower, name) else { return (Answered::Holds, Effort::default()) };
            call(step, after)
        }
        How::Procedure(function) => {
            let function = setting.code.function(*function);
            Action::Procedure { function, lower, state: after, me, arguments: arguments.clone(), result: None }
        }
    };
    let given = [Action::Copy(before, after), with_result(run, result), Action::TakeEvents(events)];
    let allowed = [
        Action::Copy(before, above),
        with_result(call(step_above, above), result_above),
        Action::Equal(result_above, result),
        Action::TakeEvents(events_above),
        Action::Equal(events_above, events),
        Action::Equal(above, after),
    ];
    setting.ask_in_parts(entries, Some(lower), |search| {
        // By the shape of the procedure.
        search.turns_are_judged = true;
        let start = slots.start(&mut search.world.cells, 1);
        let wanted = |_: &Machine, end: &End| match end {
            End::Done => Wanted::Run(&allowed, Some(1)),
            End::Failed(_) | End::Panicked(..) => Wanted::Failure(&allowed[..2]),
            _ => Wanted::Never,
        };
        let mut found = None;
        let starts = match &mut from {
            From::Rest(idle) => idle::starts(setting, search, idle.as_deref_mut(), start, before, me)?,
            From::Init => idle::holding_in(search, &start, setting.code.init[lower.0 as usize], vec![before])?,
        };
        for start in starts {
            let initial = start.clone();
            if let Some(case) = for_all_exists(search, start, &given, &wanted)? {
                found = Some((initial, case));
                break;
            }
        }
        let Some((initial, case)) = found else { return Ok(None) };
        let confirmation = replays(search, &initial, &given, &case, &wanted)?;
        let mut teller = Teller::new(setting, search, case.known.clone());
        let steps = teller.given(&initial.slots, &given, &case.end, Some(&case.slots))?;
        let mut runs = vec![teller.run(RunRole::Procedure, lower, &initial.slots[before]).with(steps)];
        let layer = teller.layer(upper);
        let conclusion = match case.end {
            End::Done => {
                let mut slots = case.slots.clone();
                slots[before] = initial.slots[before].clone();
                let steps = teller.attempt(&slots, &allowed)?;
                let returned = teller.datum(&case.slots[result], setting.result(upper, operation));
                let missing = first_difference(steps.last());
                runs.push(teller.run(RunRole::Above, upper, &initial.slots[before]).with(steps));
                format!("the procedure returns {returned}, and `{layer}::{name}` has no such step: {missing}")
            }
            // The corresponding step above would fail as well, and cannot.
            End::Panicked(_, why) => {
                let types = setting.arguments(upper, operation);
                let given =
                    arguments.iter().zip(&types).map(|(it, ty)| teller.datum(&initial.slots[*it], ty).to_string());
                let given = given.collect::<Vec<_>>().join(", ");
                format!("called as `{name}({given})`, the procedure panics: {why}")
            }
            _ => format!("the procedure fails, and `{layer}::{name}` cannot fail there"),
        };
        let counterexample = teller.conclude(runs, conclusion);
        let end = case.end;
        let site = match end {
            End::Failed(site) | End::Panicked(site, _) => Some(site),
            _ => None,
        };
        Ok(Some(Disallowed { counterexample, end, site, confirmation }))
    })
}

/// Whether some run of a procedure, alone, over a layer finishes, or fails. `None` if the search was stopped.
pub fn may_end(setting: &Setting, lower: LayerId, function: FunctionId) -> Option<bool> {
    let mut slots = Slots::default();
    let (state, me) = (slots.unknown(setting.state(lower)), slots.process(0));
    let parameters = &setting.program.functions[function.0 as usize];
    let arguments =
        parameters.locals[..parameters.parameters as usize].iter().map(|it| slots.unknown(&it.ty)).collect();
    let function = setting.code.function(function);
    let script = [Action::Procedure { function, lower, state, me, arguments, result: None }];
    let (answered, _) = setting.ask(&[function], Some(lower), |search| {
        let start = slots.start(&mut search.world.cells, 1);
        let mut ends = None;
        search.for_all(start, &script, &mut |_, _, _| {
            ends = Some(Ends);
            Ok(false)
        })?;
        Ok(ends)
    });
    match answered {
        Answered::Holds => Some(false),
        Answered::GivenUp(Abort::Stopped) => None,
        Answered::Violated(Ends) | Answered::GivenUp(_) => Some(true),
    }
}

/// Some run ends: there is nothing to replay.
struct Ends;

impl Refutes for Ends {
    fn is_confirmed(&self) -> bool {
        true
    }
}

fn with_result(mut action: Action, slot: usize) -> Action {
    match &mut action {
        Action::Call { result, .. } | Action::Procedure { result, .. } => *result = Some(slot),
        _ => {}
    }
    action
}

impl Refutes for Disallowed {
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
