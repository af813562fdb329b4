//! Turns of a retry loop, over plain values: each leaves everything unchanged, or is the operation above. Also the form of such a loop: it
//! is the only loop, nothing is performed before it, and each turn performs at most one operation.
//!
//! Turns are followed one after the other from the start of the procedure, each from any state of the universe, since other processes take
//! steps between them. So an earlier turn contributes only the values that some turn really leaves in a variable, not any value of the
//! type.

use std::collections::BTreeSet;

use cspec_analysis::ir::Code;

use crate::{
    claims::{ME, States, fails},
    eval::{Below, DontKnow, Logged, Outcome},
    shape::{At, Procedure},
    stack::{Descent, Tower},
    value::Value,
};

/// The maximum number of consecutive turns.
const MOST_TURNS: usize = 4;

/// The maximum number of paths to a turn, through the turns before it.
const MOST_LOGS: usize = 200;

impl Procedure<'_, '_> {
    /// A turn that changes or shows something and continues, or returns and is not a step of the operation above.
    pub(crate) fn refute_turn(&self, states: &mut States) -> Result<Option<String>, DontKnow> {
        let (evaluator, upper) = (&self.claims.evaluator, self.upper);
        let above = self.claims.operation_named(upper, self.name)?;
        let types = evaluator.argument_types(upper, above);
        let from = states.of(evaluator, self.claims.state(self.lower));
        for arguments in states.arguments(evaluator, &types) {
            if let Some(flaw) = self.flaw_of_form(&arguments, &[])? {
                return Ok(Some(format!("{}{arguments:?}: {flaw}", self.name)));
            }
            let mut logs = BTreeSet::from([Vec::new()]);
            for _ in 0..MOST_TURNS {
                let mut next = BTreeSet::new();
                for state in &from {
                    let allowed = evaluator.step(upper, above, state, &ME, &arguments)?;
                    for log in logs.iter().take(MOST_LOGS) {
                        if let Some(bad) = self.turn(state, &arguments, log, &allowed, &mut next)? {
                            return Ok(Some(format!("in {state}: {}{arguments:?}: {bad}", self.name)));
                        }
                    }
                }
                logs = next;
            }
        }
        Ok(None)
    }

    fn turn(
        &self,
        state: &Value,
        arguments: &[Value],
        log: &[Logged],
        allowed: &[Outcome<(Value, Value)>],
        next: &mut BTreeSet<Vec<Logged>>,
    ) -> Result<Option<String>, DontKnow> {
        let is_allowed = |it: &Outcome<(Value, Value)>| allowed.contains(&Outcome::Failed) || allowed.contains(it);
        for at in self.next(arguments, log)? {
            let At::Wants(log, operation, called_with, _) = at else { continue };
            for step in self.claims.evaluator.step(self.lower, operation, state, &ME, &called_with)? {
                let Outcome::Done((result, after), events) = &step else {
                    if !fails(&allowed.to_vec()) || matches!(step, Outcome::Panicked(_)) {
                        return Ok(Some(format!("a turn can be {step:?}")));
                    }
                    continue;
                };
                let log = [&log[..], &[Logged::Result(result.clone())]].concat();
                if let Some(flaw) = self.flaw_of_form(arguments, &log)? {
                    return Ok(Some(format!("after {step:?}: {flaw}")));
                }
                for then in self.next(arguments, &log)? {
                    match then {
                        At::Wants(..) if after == state && events.is_empty() => drop(next.insert(log.clone())),
                        At::Wants(..) => return Ok(Some(format!("a turn goes on after {step:?}"))),
                        At::Ended(Some(returned)) => {
                            if !is_allowed(&Outcome::Done((returned.clone(), after.clone()), events.clone())) {
                                return Ok(Some(format!("a turn returns {returned} after {step:?}")));
                            }
                        }
                        At::Ended(None) => return Ok(Some("a turn fails by itself".to_owned())),
                    }
                }
            }
        }
        Ok(None)
    }

    /// The reason why a procedure that gets these results is not a retry loop.
    fn flaw_of_form(&self, arguments: &[Value], log: &[Logged]) -> Result<Option<&'static str>, DontKnow> {
        let Code::Procedure(function) = self.code else { return Ok(None) };
        let tower = Tower::layer(self.lower);
        let mut flaw = None;
        self.claims.evaluator.each_run(log, Below::Stack(Descent::new(&tower)), &mut |run| {
            // Its end is checked elsewhere.
            let _ = run.call(*function, arguments.to_vec());
            flaw = flaw.or(run.form.flaw);
            Ok(())
        })?;
        Ok(flaw)
    }
}
