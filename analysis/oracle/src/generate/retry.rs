//! Loops that try an operation until it says that it worked.

use std::fmt::Write;

use fastrand::Rng;

use super::{
    Bodies, Body, View, bodies,
    body::{Num, Stmt, Ty, Value},
    init, operation, state,
};

/// `High` over `Low`, by retry.
pub fn retry(random: &mut Rng) -> (String, Vec<&'static str>) {
    let (mut make, mut bodies) = bodies(random, 10);
    for body in &mut bodies {
        if make.percent(70) {
            *body = attempt(&mut make, body);
        }
    }
    let fields = make.fields.clone();
    let view = View { fields: &fields, hidden: None, keyed: false };
    let (mut operations, mut code, mut passed) = (String::new(), String::new(), Vec::new());
    for body in &bodies {
        if body.result == Ty::Bool && make.percent(75) {
            let (operation, procedure) = looped(&mut make, &view, body);
            operations += &operation;
            code += &procedure;
        } else {
            passed.push(body.name.as_str());
        }
    }
    let inherit = if passed.is_empty() { String::new() } else { format!("(inherit(Low: {}))", passed.join(", ")) };
    let pass = if passed.is_empty() { String::new() } else { format!(", pass({})", passed.join(", ")) };
    let low: String = bodies.iter().map(|it| below(&mut make, &view, it)).collect();
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

/// The states to start from: below, and above.
fn starts(make: &mut Bodies, view: &View) -> (String, String) {
    let below = view.cond(&make.cond(None, 1, true));
    let above = match make.random.u8(..10) {
        0 => view.cond(&make.cond(None, 1, true)),
        1..=4 => "true".to_owned(),
        _ => below.clone(),
    };
    (below, above)
}

/// An operation that says whether it worked, and mostly changes nothing if it did not.
fn attempt(make: &mut Bodies, body: &Body) -> Body {
    let mut body = body.clone();
    body.result = Ty::Bool;
    let refuses = Stmt::Leave(make.cond(body.argument, 1, false), Value::Bool(super::body::Cond::Arg("false")));
    // A statement that returned something else would not fit the type.
    body.statements.retain(|it| !matches!(it, Stmt::Leave(..)));
    let at = if make.percent(85) { 0 } else { make.random.usize(..=body.statements.len()) };
    body.statements.insert(at, refuses);
    if make.percent(8) {
        // It says that it tries.
        body.statements.insert(0, Stmt::Emit(Num::Const(1)));
    }
    body.value = if make.percent(85) {
        Value::Bool(super::body::Cond::Arg("true"))
    } else {
        make.value(Ty::Bool, body.argument)
    };
    body
}

/// The operation that is tried. Sometimes it does what the one above does not do: it emits where it worked, or where it did not, or fails.
fn below(make: &mut Bodies, view: &View, body: &Body) -> String {
    if body.result != Ty::Bool || !make.percent(20) {
        return operation(body);
    }
    let says = view.statement(&Stmt::Emit(Num::Const(1)));
    let (first, last) = match make.random.u8(..4) {
        0 => (String::new(), format!("if done {{ {says} }} ")),
        1 => (String::new(), format!("if !done {{ {says} }} ")),
        _ => (view.statement(&Stmt::Assert(make.cond(None, 1, true))), String::new()),
    };
    let (name, parameters) = (&body.name, View::parameters(body));
    let argument = if body.argument.is_some() { ", arg" } else { "" };
    format!(
        "    #[op]\n    fn {name}(&mut self, {parameters}) -> bool {{
        {first}let done = self.do_{name}(me{argument}); {last}done\n    }}\n"
    )
}

/// The operation that succeeds, and the loop that tries it.
fn looped(make: &mut Bodies, view: &View, body: &Body) -> (String, String) {
    let (name, wanted) = (&body.name, make.percent(90));
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
    let slip = if make.percent(8) { view.statement(&make.statement(None, 1)) } else { String::new() };
    let promise = match make.random.u8(..12) {
        0 => String::new(),
        1 => format!("when({not}!done); "),
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
    match make.random.u8(..15) {
        // A step outside of the loop, and a turn of two.
        0 => before += &format!("lo.{name}({given}); "),
        1 => after += &format!("lo.{name}({given}); "),
        _ => {}
    }
    let _ = write!(
        procedure,
        "    fn {name}(lo: &mut impl Low{parameters}) -> bool {{
        {before}loop {{ let done = lo.{name}({given}); if {not}done {{ return done; }} {after}}}\n    }}\n"
    );
    (operation, procedure)
}
