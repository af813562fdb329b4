//! Loops that repeat an operation until it succeeds.

use std::fmt::Write;

use fastrand::Rng;

use super::{
    Bodies, Body, View, bodies,
    body::{Cond, Num, Stmt, Ty, Value},
    init, operation, state,
};

/// `High` over `Low`, implemented by retry.
pub fn retry(random: &mut Rng) -> (String, Vec<&'static str>) {
    let (mut make, mut bodies) = bodies(random, 10);
    // If several operations were unusual, one of them would nearly always be wrong.
    let odd = make.random.usize(..bodies.len());
    for (number, body) in bodies.iter_mut().enumerate() {
        if make.percent(85) {
            *body = attempt(&mut make, body, number == odd);
        }
    }
    let parts = if make.percent(10) { bodies.first().and_then(parts) } else { None };
    let fields = make.fields.clone();
    let view = View { fields: &fields, hidden: None, keyed: false };
    let (mut operations, mut code, mut passed) = (String::new(), String::new(), Vec::new());
    for (number, body) in bodies.iter().enumerate() {
        if let Some([look, act]) = &parts
            && number == 0
        {
            operations += &waiting(body);
            code += &looks_and_acts(body, look, act);
        } else if body.result == Ty::Bool && make.percent(75) {
            let (operation, procedure) = looped(&mut make, &view, body, number == odd);
            operations += &operation;
            code += &procedure;
        } else {
            passed.push(body.name.as_str());
        }
    }
    let inherit = if passed.is_empty() { String::new() } else { format!("(inherit(Low: {}))", passed.join(", ")) };
    let pass = if passed.is_empty() { String::new() } else { format!(", pass({})", passed.join(", ")) };
    bodies.extend(parts.into_iter().flatten());
    let low = bodies.iter().enumerate().map(|(number, it)| below(&mut make, &view, it, number == odd));
    let low: String = low.collect();
    let (below, above) = starts(&mut make, &view);
    let text = format!(
        "{}\n#[layer]\nimpl Low for Store {{\n{}{low}}}\n\n#[layer{inherit}]\nimpl High for Store {{\n{}{operations}}}\n
#[implement(High, over = Low, by = retry{pass})]\nimpl Again {{\n{code}}}\n",
        state("Store", &view, &bodies),
        init(Some(&below)),
        init(Some(&above)),
    );
    (text, vec!["Again"])
}

/// The conditions on initial states, below and above.
fn starts(make: &mut Bodies, view: &View) -> (String, String) {
    let below = view.cond(&make.cond(None, 1, true));
    let above = match make.random.u8(..10) {
        0 => view.cond(&make.cond(None, 1, true)),
        1..=4 => "true".to_owned(),
        _ => below.clone(),
    };
    (below, above)
}

/// An operation that returns whether it succeeded, and changes nothing if it did not; an unusual one may.
fn attempt(make: &mut Bodies, body: &Body, is_odd: bool) -> Body {
    let mut body = body.clone();
    body.result = Ty::Bool;
    let refuses = Stmt::Leave(make.cond(body.argument, 1, false), Value::Bool(Cond::Arg("false")));
    // A statement that returns another value would not have the right type.
    body.statements.retain(|it| !matches!(it, Stmt::Leave(..)));
    let at = if !is_odd || make.percent(75) { 0 } else { make.random.usize(..=body.statements.len()) };
    body.statements.insert(at, refuses);
    if is_odd && make.percent(20) {
        // It emits an event for the attempt.
        body.statements.insert(0, Stmt::Emit(Num::Const(1)));
    }
    body.value = match !is_odd || make.percent(75) {
        true => Value::Bool(Cond::Arg("true")),
        false => make.value(Ty::Bool, body.argument),
    };
    body
}

/// Splits an operation that may refuse into two: one checks whether it may proceed, and one proceeds without checking.
fn parts(body: &Body) -> Option<[Body; 2]> {
    let (Stmt::Leave(refuses, Value::Bool(Cond::Arg("false"))), rest) = body.statements.split_first()? else {
        return None;
    };
    let part = |name: &str, statements: &[Stmt], value: Cond| Body {
        name: format!("{name}_{}", body.name),
        statements: statements.to_vec(),
        value: Value::Bool(value),
        ..body.clone()
    };
    let may = Cond::Not(Box::new(refuses.clone()));
    Some([part("look", &[], may), part("act", rest, Cond::Arg("true"))])
}

/// The operation that waits until it may proceed.
fn waiting(body: &Body) -> String {
    let (name, parameters) = (&body.name, View::parameters(body));
    let argument = if body.argument.is_some() { ", arg" } else { "" };
    format!(
        "    #[op]\n    fn {name}(&mut self, {parameters}) -> bool {{
        let done = self.do_{name}(me{argument}); when(done); done\n    }}\n"
    )
}

/// A turn that checks and then proceeds in a second step, so that other steps may come between.
fn looks_and_acts(body: &Body, look: &Body, act: &Body) -> String {
    let parameters = View::parameters(body).replacen("me: Pid", "", 1);
    let given = if body.argument.is_some() { "arg" } else { "" };
    format!(
        "    fn {}(lo: &mut impl Low{parameters}) -> bool {{
        loop {{ if lo.{}({given}) {{ return lo.{}({given}); }} }}\n    }}\n",
        body.name, look.name, act.name
    )
}

/// The operation that is tried. An unusual one differs from the operation above: it emits on success, or on refusal, or fails.
fn below(make: &mut Bodies, view: &View, body: &Body, is_odd: bool) -> String {
    if body.result != Ty::Bool || !is_odd || make.percent(65) {
        return operation(body);
    }
    let says = view.statement(&Stmt::Emit(Num::Const(1)));
    let (first, last) = match make.random.u8(..5) {
        0 => (String::new(), format!("if done {{ {says} }} ")),
        1 | 2 => (String::new(), format!("if !done {{ {says} }} ")),
        _ => (view.statement(&Stmt::Assert(make.cond(None, 1, true))), String::new()),
    };
    let (name, parameters) = (&body.name, View::parameters(body));
    let argument = if body.argument.is_some() { ", arg" } else { "" };
    format!(
        "    #[op]\n    fn {name}(&mut self, {parameters}) -> bool {{
        {first}let done = self.do_{name}(me{argument}); {last}done\n    }}\n"
    )
}

/// The operation that succeeds, and the loop that tries it. An unusual one may be wrong.
fn looped(make: &mut Bodies, view: &View, body: &Body, is_odd: bool) -> (String, String) {
    let (name, wanted) = (&body.name, !is_odd || make.percent(85));
    let not = if wanted { "" } else { "!" };
    let carries = body.argument == Some(Ty::Num) && make.percent(50);
    let (mut operation, mut procedure) = (String::new(), String::new());
    let parameters = if carries { String::new() } else { View::parameters(body).replacen("me: Pid", "", 1) };
    let given = if body.argument.is_some() { "arg" } else { "" };
    let comma = if given.is_empty() { "" } else { ", " };
    let chosen = match (carries, make.random.u8(..4)) {
        (false, _) => "",
        (true, 0) => "let arg = 0; ",
        (true, 1) => "let arg = if maybe() { 0 } else { 1 }; ",
        (true, _) => "let arg = any::<u64>(); ",
    };
    let slip = if is_odd && make.percent(15) { view.statement(&make.statement(None, 1)) } else { String::new() };
    let promise = match make.random.u8(..6) {
        0 if is_odd => String::new(),
        1 if is_odd => format!("when({not}!done); "),
        _ => format!("when({not}done); "),
    };
    let _ = write!(
        operation,
        "    #[op]\n    fn {name}(&mut self, me: Pid{parameters}) -> bool {{
        {chosen}let done = self.do_{name}(me{comma}{given}); {promise}{slip} done\n    }}\n"
    );
    let (mut before, mut after) = (String::new(), String::new());
    if carries {
        before += "let mut arg = 0; ";
        after +=
            make.random.choice(["arg = 1; ", "arg = 1; ", "arg = 0; ", "arg = (arg + 1) % 3; "]).unwrap_or_default();
    }
    match make.random.u8(..6) {
        // A step before the loop, or a turn with two steps.
        0 if is_odd => before += &format!("lo.{name}({given}); "),
        1 if is_odd => after += &format!("lo.{name}({given}); "),
        _ => {}
    }
    let _ = write!(
        procedure,
        "    fn {name}(lo: &mut impl Low{parameters}) -> bool {{
        {before}loop {{ let done = lo.{name}({given}); if {not}done {{ return done; }} {after}}}\n    }}\n"
    );
    (operation, procedure)
}
