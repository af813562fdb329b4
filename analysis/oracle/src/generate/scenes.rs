//! Scenes: operations that are designed for each other, so that one clause of an obligation decides. Random bodies rarely have this
//! property.
//!
//! The details of a scene are random, and its users may change any of its operations. So most scenes hold as they are, or fail for
//! another reason than the intended one.

use super::{
    Bodies, Body,
    body::{Cond, Kind, Num, Stmt, Ty, Value},
};

/// Operations, and the procedures that call them.
pub struct Scene {
    /// The operations of the lower layer.
    pub bodies: Vec<Body>,
    /// The calls of the first procedure, and of the second, as indices of operations. If empty, they are random.
    pub plans: [&'static [usize]; 2],
}

/// The protocol of a scene.
pub struct Rules {
    /// The operations that have a rule.
    pub ruled: &'static [usize],
    pub rule: &'static str,
    /// Whether an operation that is not allowed does nothing.
    pub nilpotent: bool,
}

fn body(name: &str, result: Ty, statements: Vec<Stmt>, value: Value) -> Body {
    Body { name: name.to_owned(), argument: None, result, statements, value }
}

fn unit(name: &str, statements: Vec<Stmt>) -> Body {
    body(name, Ty::Unit, statements, Value::Unit)
}

/// A random scene for movers.
pub fn movers(make: &mut Bodies) -> Scene {
    match make.random.u8(..5) {
        0 => destroyed_in_two_steps(make),
        1 => fails_by_chance(make),
        2 => says_it_twice(make),
        3 => is_seen_by_others(make),
        _ => tickets(make),
    }
}

/// Two steps of other processes destroy the condition that the first step establishes; neither does so alone.
fn destroyed_in_two_steps(make: &mut Bodies) -> Scene {
    make.fields = vec![Kind::Flag, Kind::Flag];
    let first = if make.percent(50) { "@ = true;" } else { "@ = !@;" };
    let bodies = vec![
        unit("ant", vec![Stmt::Do(0, "@ = false;"), Stmt::Do(1, "@ = false;")]),
        unit("bee", vec![Stmt::Do(0, first)]),
        unit("cat", vec![Stmt::If(Cond::About(0, "@"), vec![Stmt::Do(1, "@ = true;")], Vec::new())]),
        body("dog", Ty::Bool, Vec::new(), Value::Bool(Cond::About(1, "@"))),
    ];
    Scene { bodies, plans: [&[0, 3], &[]] }
}

/// After a step of another process, the last step may or may not fail.
fn fails_by_chance(make: &mut Bodies) -> Scene {
    make.fields = vec![Kind::Flag, Kind::Number];
    let fails = Stmt::Assert(Cond::About(0, "!@"));
    let first = Num::Const(make.random.u8(..2));
    // The observation must be visible at once: an earlier failure would excuse everything.
    let sees = vec![Stmt::Emit(Num::Of(1, "@")), Stmt::Do(0, "@ = true;")];
    let bodies = vec![
        unit("ant", vec![Stmt::DoNum(1, "@ = #;", first)]),
        unit("bee", sees),
        unit("cat", vec![Stmt::If(Cond::Maybe, vec![fails], Vec::new())]),
    ];
    Scene { bodies, plans: [&[0, 2], &[]] }
}

/// Two steps that only emit events.
fn says_it_twice(make: &mut Bodies) -> Scene {
    make.fields = vec![Kind::Number, Kind::Flag];
    let said = if make.percent(50) { Num::Const(1) } else { Num::Of(0, "@") };
    let bodies = vec![
        unit("ant", vec![Stmt::Emit(said)]),
        body("bee", Ty::Bool, Vec::new(), Value::Bool(Cond::About(1, "@"))),
        unit("cat", vec![Stmt::Do(1, "@ = true;")]),
    ];
    let plan: &[usize] = if make.percent(50) { &[0, 0] } else { &[2, 0] };
    Scene { bodies, plans: [plan, &[]] }
}

/// A mark that is removed again: its owner does not use it, but others see it, in one of three ways.
fn is_seen_by_others(make: &mut Bodies) -> Scene {
    let (kind, mark) = if make.percent(50) { (Kind::Marks, "@.insert(me);") } else { (Kind::Own, "@.insert(me, 1);") };
    make.fields = vec![kind, Kind::Number];
    let none = || Cond::About(0, "@.is_empty()");
    let sees = match make.random.u8(..4) {
        0 => body("bee", Ty::Bool, Vec::new(), Value::Bool(none())),
        1 => unit("bee", vec![Stmt::Assert(none())]),
        _ => unit("bee", vec![Stmt::If(none(), Vec::new(), vec![Stmt::Emit(Num::Const(1))])]),
    };
    let bodies = vec![unit("ant", vec![Stmt::Do(0, mark)]), sees, unit("cat", vec![Stmt::Do(0, "@.remove(&me);")])];
    Scene { bodies, plans: [&[0, 2], &[]] }
}

/// An operation that moves past all others, but not past itself.
fn tickets(make: &mut Bodies) -> Scene {
    make.fields = vec![Kind::Number, Kind::Flag];
    let next = Stmt::DoNum(0, "@ = #;", Num::Of(0, "(@ + 1) % 3"));
    let other = if make.percent(50) { "@ = true;" } else { "@ = !@;" };
    let bodies =
        vec![body("ant", Ty::Num, vec![next], Value::Num(Num::Of(0, "@"))), unit("bee", vec![Stmt::Do(1, other)])];
    Scene { bodies, plans: [&[0, 0], &[]] }
}

/// A random scene for protocols.
pub fn protocol(make: &mut Bodies) -> (Scene, Rules) {
    if make.percent(50) { taken_away(make) } else { locked(make) }
}

/// Other processes disable an operation's rule; the operation would then have a visible effect.
fn taken_away(make: &mut Bodies) -> (Scene, Rules) {
    make.fields = vec![Kind::Flag, Kind::Number];
    let harm = match make.random.u8(..3) {
        0 => Stmt::Assert(Cond::About(0, "@")),
        1 => Stmt::If(Cond::About(0, "!@"), vec![Stmt::Emit(Num::Const(1))], Vec::new()),
        _ => Stmt::If(Cond::About(0, "!@"), vec![Stmt::DoNum(1, "@ = #;", Num::Const(1))], Vec::new()),
    };
    let bodies = vec![
        unit("ant", vec![Stmt::Do(0, "@ = true;")]),
        unit("bee", vec![Stmt::Do(0, "@ = false;")]),
        unit("cat", vec![harm]),
        body("dog", Ty::Num, Vec::new(), Value::Num(Num::Of(1, "@"))),
    ];
    let rules = Rules { ruled: &[2], rule: "self.flag0", nilpotent: make.percent(75) };
    (Scene { bodies, plans: [&[0, 2], &[]] }, rules)
}

/// A lock guards what is read and written.
fn locked(make: &mut Bodies) -> (Scene, Rules) {
    make.fields = vec![Kind::Owner, Kind::Number];
    let written = if make.percent(50) { Num::Const(1) } else { Num::Of(1, "(@ + 1) % 3") };
    let bodies = vec![
        unit("ant", vec![Stmt::When(Cond::About(0, "@.is_none()")), Stmt::Do(0, "@ = Some(me);")]),
        unit("bee", vec![Stmt::DoNum(1, "@ = #;", written)]),
        body("cat", Ty::Num, Vec::new(), Value::Num(Num::Of(1, "@"))),
        unit("dog", vec![Stmt::Do(0, "@ = None;")]),
    ];
    let rules = Rules { ruled: &[1, 2, 3], rule: "self.owner0 == Some(me)", nilpotent: make.percent(40) };
    (Scene { bodies, plans: [&[0, 1, 3], &[0, 2, 3]] }, rules)
}
