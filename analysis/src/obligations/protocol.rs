//! Protocols: a layer used by rules.
//!
//! A protocol layer has the operations of the layer it restricts, each only where it is allowed (CSPEC, section 6.2):
//!
//! ```text
//! restricted step   allowed(op, p, s)  and  s --op@p/r,E--> s' in the unrestricted layer
//! nilpotent step    a restricted step, or, where op is not allowed, s --op@p/r,[]--> s for any r
//! ```
//!
//! To implement a layer over it is to show, of every procedure, that each call is allowed where it is made, given that the others keep to
//! the rules ([`super::shape`]), and that what is allowed stays allowed when others step, for all `op` and `op'` that some procedure of the
//! implementation calls or passes on. Its processes make no other calls:
//!
//! ```text
//! allowed(op, p, s)  and  q ≠ p  and  s --op'@q--> s' in the protocol layer   imply   allowed(op, p, s')
//! ```
//!
//! A procedure is not started where the operation above fails (its *gate*), but that is so in the run that is shown to be equivalent. In the
//! run itself, left movers of others may still be to come there, and right movers of theirs may have been made already. So the calls of a
//! procedure may rely on its gate only if no step of another process changes whether the operation above fails:
//!
//! ```text
//! q ≠ p  and  s --op'@q--> s' in the protocol layer   imply   op@p may fail in s iff it may fail in s'
//! ```
//!
//! Steps of the protocol layer are steps of the restricted or nilpotent form by construction, and its initial states are those of the
//! unrestricted layer.

use super::{
    idle::{self, Idle},
    movers::Refutation,
    question::{Answered, Confirmation, Effort, Setting, Slots, Wanted, for_all_exists, replays},
    tell::Teller,
};
use crate::{
    counterexample::RunRole,
    explore::{
        code::CodeId,
        machine::Machine,
        search::{Action, End},
        value::Value,
    },
    ir::{LayerId, Type},
};

/// Whether `operation` is allowed in every state, or in those in which what is known of idle processes holds. This is the obligation if it is
/// passed on, since nothing else is known about the state where it is called. The literals of `entries` matter.
pub fn always_allowed(
    setting: &Setting,
    entries: &[CodeId],
    layer: LayerId,
    operation: usize,
    mut idle: Option<&mut Idle>,
) -> (Answered<Refutation>, Effort) {
    let allowed = setting.code.allowed[layer.0 as usize][operation];
    let mut slots = Slots::default();
    let state = slots.unknown(setting.state(layer));
    let me = slots.process(0);
    let arguments = slots.unknowns(&setting.arguments(layer, operation));
    let holds = slots.empty();
    let mut all = vec![state, me];
    all.extend(&arguments);
    // Only states that satisfy the invariants can be reached.
    let invariant = setting.code.invariant[layer.0 as usize];
    let given = [
        Action::Call { function: invariant, arguments: vec![state], result: Some(holds) },
        Action::When(holds),
        Action::Call { function: allowed, arguments: all, result: Some(holds) },
    ];
    // What others do matters only for what is known of idle processes.
    setting.ask_in_parts(entries, idle.is_some().then_some(layer), |search| {
        let start = slots.start(&mut search.world.cells, 1);
        let wanted = |machine: &Machine, end: &End| match end {
            End::Done if machine.slots[holds] == Value::Bool(true) => Wanted::Nothing,
            _ => Wanted::Never,
        };
        let mut found = None;
        for start in idle::starts(setting, search, idle.as_deref_mut(), start, state, me)? {
            let initial = start.clone();
            if let Some(case) = for_all_exists(search, start, &given, &wanted)? {
                found = Some((initial, case));
                break;
            }
        }
        let Some((initial, case)) = found else { return Ok(None) };
        let confirmation = replays(search, &initial, &given, &case, &wanted)?;
        let mut teller = Teller::new(setting, search, case.known.clone());
        let values: Vec<Value> = arguments.iter().map(|it| initial.slots[*it].clone()).collect();
        let step = teller.refused(layer, operation, None, &initial.slots[me], &values);
        let run = teller.run(RunRole::Possible, layer, &initial.slots[state]).with(vec![step]);
        let process = teller.datum(&initial.slots[me], &Type::Pid);
        let name = &setting.program.layers[layer.0 as usize].operations[operation].name;
        let conclusion = format!("{process} may not call `{name}` there");
        Ok(Some(Refutation::new(teller.conclude(vec![run], conclusion), confirmation)))
    })
}

/// Whether `operation` stays allowed after a step of `other`.
pub fn stays_allowed(
    setting: &Setting,
    layer: LayerId,
    operation: usize,
    other: usize,
) -> (Answered<Refutation>, Effort) {
    let allowed = setting.code.allowed[layer.0 as usize][operation];
    let step = setting.code.step(layer, other);
    let mut slots = Slots::default();
    let before = slots.unknown(setting.state(layer));
    let (me, they) = (slots.process(0), slots.process(1));
    let arguments = slots.unknowns(&setting.arguments(layer, operation));
    let theirs = slots.unknowns(&setting.arguments(layer, other));
    let (after, holds) = (slots.empty(), slots.empty());
    let is_allowed = |state| {
        let mut all = vec![state, me];
        all.extend(&arguments);
        [Action::Call { function: allowed, arguments: all, result: Some(holds) }, Action::When(holds)]
    };
    let mut given = is_allowed(before).to_vec();
    let mut all = vec![after, they];
    all.extend(&theirs);
    given.extend([Action::Copy(before, after), Action::Call { function: step, arguments: all, result: None }]);
    let still = is_allowed(after);
    setting.ask_whole(&[allowed, step], None, |search| {
        let start = slots.start(&mut search.world.cells, 2);
        let initial = start.clone();
        let wanted = |_: &Machine, end: &End| match end {
            End::Done => Wanted::Run(&still, None),
            _ => Wanted::Nothing,
        };
        let Some(case) = for_all_exists(search, start, &given, &wanted)? else { return Ok(None) };
        let confirmation = replays(search, &initial, &given, &case, &wanted)?;
        let mut teller = Teller::new(setting, search, case.known.clone());
        let steps = teller.given(&initial.slots, &given, &case.end, Some(&case.slots))?;
        let run = teller.run(RunRole::Possible, layer, &initial.slots[before]).with(steps);
        let values: Vec<Value> = arguments.iter().map(|it| initial.slots[*it].clone()).collect();
        let call = teller.refused(layer, operation, None, &initial.slots[me], &values).call();
        let conclusion = format!("`{call}` is allowed before this step, but not after it");
        Ok(Some(Refutation::new(teller.conclude(vec![run], conclusion), confirmation)))
    })
}

/// Whether a step of `other` leaves it as it is whether an operation of the layer above may fail, whose step is `gate`.
pub fn leaves_gate(
    setting: &Setting,
    (layer, other): (LayerId, usize),
    (gate, arguments): (CodeId, &[Type]),
) -> (Answered<Refutation>, Effort) {
    let step = setting.code.step(layer, other);
    let mut slots = Slots::default();
    let before = slots.unknown(setting.state(layer));
    let (me, they) = (slots.process(0), slots.process(1));
    let arguments = slots.unknowns(arguments);
    let theirs = slots.unknowns(&setting.arguments(layer, other));
    let (after, copy) = (slots.empty(), slots.empty());
    let fails_in = |state| {
        let all = [copy, me].into_iter().chain(arguments.iter().copied()).collect();
        [Action::Copy(state, copy), Action::Call { function: gate, arguments: all, result: None }]
    };
    let all = [after, they].into_iter().chain(theirs.iter().copied()).collect();
    let theirs = [Action::Copy(before, after), Action::Call { function: step, arguments: all, result: None }];
    setting.ask_whole(&[gate, step], None, |search| {
        let start = slots.start(&mut search.world.cells, 2);
        for (there, elsewhere) in [(before, after), (after, before)] {
            let given: Vec<Action> = theirs.iter().cloned().chain(fails_in(there)).collect();
            let too = fails_in(elsewhere);
            let wanted = |machine: &Machine, end: &End| match end {
                End::Failed(_) if machine.stage + 1 == given.len() => Wanted::Failure(&too),
                _ => Wanted::Nothing,
            };
            if for_all_exists(search, start.clone(), &given, &wanted)?.is_some() {
                let refutation =
                    Refutation { notes: vec![], counterexample: None, confirmation: Confirmation::NotReplayed };
                return Ok(Some(refutation));
            }
        }
        Ok(None)
    })
}
