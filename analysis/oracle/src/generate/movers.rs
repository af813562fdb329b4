//! Procedures of a few calls, and the operation that each should implement.

use std::fmt::Write;

use fastrand::Rng;

use super::{
    Bodies, Body, NAMES, View, bodies,
    body::{Kind, Stmt, Ty},
    init, operation,
    scenes::{self, Scene},
    state,
};

/// A step of a procedure.
enum Line {
    /// A call, and the variable for its result.
    Call(usize, String, Option<usize>),
    /// A branch that is taken if this variable is true, or false.
    If(usize, bool, Vec<Line>),
}

struct Procedure {
    name: &'static str,
    argument: Option<Ty>,
    result: Ty,
    lines: Vec<Line>,
    value: String,
}

struct Writing<'m, 'r> {
    make: &'m mut Bodies<'r>,
    bodies: &'m [Body],
    /// The types of the variables so far.
    variables: Vec<Ty>,
    argument: Option<Ty>,
}

impl Writing<'_, '_> {
    /// Completes the procedure that makes these calls.
    fn planned(mut self, name: &'static str, plan: &[usize]) -> Procedure {
        let lines = plan.iter().map(|it| self.call(*it)).collect();
        let last = (0..self.variables.len()).next_back();
        let (result, value) = last.map_or((Ty::Unit, "()".to_owned()), |it| (self.variables[it], format!("v{it}")));
        Procedure { name, argument: self.argument, result, lines, value }
    }

    fn procedure(mut self, name: &'static str) -> Procedure {
        let calls = 1 + self.make.random.usize(..4);
        let mut lines = Vec::new();
        for _ in 0..calls {
            let operation = self.make.random.usize(..self.bodies.len());
            let call = self.call(operation);
            let test = (0..self.variables.len()).rfind(|it| self.variables[*it] == Ty::Bool);
            match (test, &call) {
                (Some(test), Line::Call(_, _, result)) if *result != Some(test) && self.make.percent(40) => {
                    let when = self.make.percent(75);
                    // A variable bound in a branch does not exist after it.
                    if let Line::Call(operation, argument, Some(variable)) = call {
                        self.variables[variable] = Ty::Unit;
                        lines.push(Line::If(test, when, vec![Line::Call(operation, argument, None)]));
                    } else {
                        lines.push(Line::If(test, when, vec![call]));
                    }
                }
                _ => lines.push(call),
            }
        }
        let (result, value) = self.value();
        Procedure { name, argument: self.argument, result, lines, value }
    }

    fn call(&mut self, operation: usize) -> Line {
        let body = &self.bodies[operation];
        let argument = body.argument.map(|ty| self.expression(ty)).unwrap_or_default();
        let result = (body.result != Ty::Unit).then(|| {
            self.variables.push(body.result);
            self.variables.len() - 1
        });
        Line::Call(operation, argument, result)
    }

    /// A constant, the argument, or a variable, as Rust code.
    fn expression(&mut self, ty: Ty) -> String {
        if self.argument == Some(ty) && self.make.percent(60) {
            return "arg".to_owned();
        }
        let fitting: Vec<usize> = (0..self.variables.len()).filter(|it| self.variables[*it] == ty).collect();
        match self.make.random.choice(fitting) {
            Some(variable) if self.make.percent(70) => format!("v{variable}"),
            _ => ty.constant(self.make.random),
        }
    }

    fn value(&mut self) -> (Ty, String) {
        let bound: Vec<usize> = (0..self.variables.len()).filter(|it| self.variables[*it] != Ty::Unit).collect();
        match self.make.random.choice(bound) {
            Some(variable) if self.make.percent(75) => (self.variables[variable], format!("v{variable}")),
            _ => (Ty::Unit, "()".to_owned()),
        }
    }
}

impl Procedure {
    /// The lines as Rust code; `call` prints a call.
    fn written(&self, call: &dyn Fn(usize, &str) -> String) -> String {
        fn write(lines: &[Line], call: &dyn Fn(usize, &str) -> String, text: &mut String) {
            for line in lines {
                let _ = match line {
                    Line::Call(operation, argument, None) => write!(text, "{}; ", call(*operation, argument)),
                    Line::Call(operation, argument, Some(variable)) => {
                        write!(text, "let v{variable} = {}; ", call(*operation, argument))
                    }
                    Line::If(variable, when, then) => {
                        let _ = write!(text, "if {}v{variable} {{ ", if *when { "" } else { "!" });
                        write(then, call, text);
                        write!(text, "}} ")
                    }
                };
            }
        }
        let mut text = String::new();
        write(&self.lines, call, &mut text);
        text + &self.value
    }

    fn parameters(&self) -> String {
        self.argument.map(|it| format!(", arg: {}", it.name())).unwrap_or_default()
    }

    /// The procedure over a layer.
    fn over(&self, bodies: &[Body], layer: &str) -> String {
        let text = self.written(&|operation, argument| format!("lo.{}({argument})", bodies[operation].name));
        let (name, parameters, result) = (self.name, self.parameters(), self.result.name());
        format!("    fn {name}(lo: &mut impl {layer}{parameters}) -> {result} {{\n        {text}\n    }}\n")
    }

    /// The operation that does the same in one step; perhaps without one of its lines, or with another result.
    fn at_once(&self, bodies: &[Body], skip: Option<usize>, constant: Option<&str>) -> String {
        let counter = std::cell::Cell::new(0);
        let text = self.written(&|operation, argument| {
            let body = &bodies[operation];
            counter.set(counter.get() + 1);
            if skip == Some(counter.get() - 1) {
                return format!("any::<{}>()", body.result.name());
            }
            let comma = if argument.is_empty() { "" } else { ", " };
            format!("self.do_{}(me{comma}{argument})", body.name)
        });
        let text = match constant {
            // The value that the procedure computes is replaced.
            Some(constant) => text[..text.len() - self.value.len()].to_owned() + constant,
            None => text,
        };
        let (name, parameters, result) = (self.name, self.parameters(), self.result.name());
        format!("    #[op]\n    fn {name}(&mut self, me: Pid{parameters}) -> {result} {{\n        {text}\n    }}\n")
    }
}

/// The way in which procedures are generated.
#[derive(Clone, Copy)]
pub struct How {
    /// The calls of each procedure; random if empty.
    pub plans: [&'static [usize]; 2],
    /// The percentage of procedures whose operation above is slightly different.
    pub slips: u32,
}

impl How {
    /// Random procedures, few of which differ from their operation.
    pub const RANDOM: How = How { plans: [&[], &[]], slips: 8 };
}

/// One or two procedures, and their operations: the text of each.
fn procedures(make: &mut Bodies, bodies: &[Body], layer: &str, how: How) -> (String, String) {
    let (mut operations, mut code) = (String::new(), String::new());
    let count = 1 + usize::from(!how.plans[1].is_empty() || make.percent(30));
    for (name, plan) in ["fox", "gnu"].into_iter().zip(how.plans).take(count) {
        let argument = make.random.choice([None, None, Some(Ty::Num), Some(Ty::Bool), Some(Ty::Tok)]).flatten();
        let is_planned = !plan.is_empty() && make.percent(85);
        let writing = Writing { make, bodies, variables: Vec::new(), argument };
        let procedure = if is_planned { writing.planned(name, plan) } else { writing.procedure(name) };
        let skip = make.percent(how.slips).then(|| make.random.usize(..procedure.lines.len()));
        let constant = make.percent(how.slips).then(|| procedure.result.constant(make.random));
        operations += &procedure.at_once(bodies, skip, constant.as_deref());
        code += &procedure.over(bodies, layer);
    }
    (operations, code)
}

/// The operations of a scene, sometimes with a change, or with an additional operation.
fn staged(make: &mut Bodies, scene: Scene) -> Vec<Body> {
    let mut bodies: Vec<Body> =
        scene.bodies.iter().map(|it| if make.percent(3) { make.mutated(it) } else { it.clone() }).collect();
    if bodies.len() < NAMES.len() && make.percent(20) {
        bodies.push(make.body(NAMES[bodies.len()]));
    }
    bodies
}

/// A random condition on initial states.
fn start(make: &mut Bodies) -> Option<String> {
    let condition = make.percent(40).then(|| make.cond(None, 1, true))?;
    let fields = make.fields.clone();
    Some(View { fields: &fields, hidden: None, keyed: false }.cond(&condition))
}

/// `High` over `Low`, implemented by movers; some operations of `Low` are operations of `High` too.
pub fn movers(random: &mut Rng) -> (String, Vec<&'static str>) {
    let (mut make, mut bodies) = bodies(random, 15);
    let (mut how, mut passed) = (How::RANDOM, 70);
    if make.percent(20) {
        let scene = scenes::movers(&mut make);
        (how.plans, passed) = (scene.plans, 90);
        bodies = staged(&mut make, scene);
    }
    let start = start(&mut make);
    let passed = some_of(&mut make, &bodies, passed);
    let layers = over(&mut make, &bodies, ["Low", "Store"], start.is_some(), &passed, how);
    let fields = make.fields.clone();
    let view = View { fields: &fields, hidden: None, keyed: false };
    let low: String = bodies.iter().map(operation).collect();
    let text = format!(
        "{}\n#[layer]\nimpl Low for Store {{\n{}{low}}}\n{layers}",
        state("Store", &view, &bodies),
        init(start.as_deref()),
    );
    (text, vec!["Together"])
}

/// `High` over `Low`, which has an invariant: operations may wait where they would break it. Some procedures end with a call that they
/// began with, and so may wait for themselves.
pub fn kept(random: &mut Rng) -> (String, Vec<&'static str>) {
    let (mut make, mut bodies) = bodies(random, 10);
    if make.field(Kind::Owner).is_none() && make.percent(60) {
        make.fields[0] = Kind::Owner;
        bodies = bodies.iter().map(|it| make.body(&it.name)).collect();
    }
    let how = match make.random.u8(..10) {
        0..3 => How { plans: [&[0, 1, 0], &[]], slips: 8 },
        3..5 => How { plans: [&[0, 0], &[1, 0]], slips: 8 },
        _ => How::RANDOM,
    };
    let holds = loop {
        let holds = make.cond(None, 2, false);
        let fields = make.fields.clone();
        let text = View { fields: &fields, hidden: None, keyed: false }.cond(&holds);
        // An invariant is about the state only: it makes no choices and does not depend on a process.
        let mut words = text.split(|it: char| !it.is_alphanumeric());
        if words.all(|it| !matches!(it, "maybe" | "any" | "me")) {
            break holds;
        }
    };
    for body in &mut bodies {
        if make.percent(30) {
            body.statements.push(Stmt::When(holds.clone()));
        }
    }
    let start = start(&mut make);
    let passed = some_of(&mut make, &bodies, 70);
    let layers = over(&mut make, &bodies, ["Low", "Store"], start.is_some(), &passed, how);
    let fields = make.fields.clone();
    let view = View { fields: &fields, hidden: None, keyed: false };
    let low: String = bodies.iter().map(operation).collect();
    let text = format!(
        "{}\n#[layer]\nimpl Low for Store {{\n{}    #[invariant]\n    fn holds(&self) -> bool {{\n        {}\n    }}\n{low}}}\n{layers}",
        state("Store", &view, &bodies),
        init(start.as_deref()),
        view.cond(&holds),
    );
    (text, vec!["Together"])
}

/// A random selection of the operations, with this probability in percent, by name.
pub fn some_of(make: &mut Bodies, bodies: &[Body], percent: u32) -> Vec<String> {
    bodies.iter().filter(|_| make.percent(percent)).map(|it| it.name.clone()).collect()
}

/// The layer `High` and its implementation `Together` over a layer with these operations, this name and this state; some are passed on.
pub fn over(
    make: &mut Bodies,
    bodies: &[Body],
    [low, store]: [&str; 2],
    has_init: bool,
    passed: &[String],
    how: How,
) -> String {
    let (operations, code) = procedures(make, bodies, low, how);
    let mut inherited = passed.to_vec();
    inherited.extend(has_init.then(|| "init".to_owned()));
    let inherit =
        if inherited.is_empty() { String::new() } else { format!("(inherit({low}: {}))", inherited.join(", ")) };
    let pass = if passed.is_empty() { String::new() } else { format!(", pass({})", passed.join(", ")) };
    format!(
        "\n#[layer{inherit}]\nimpl High for {store} {{\n{operations}}}\n
#[implement(High, over = {low}, by = movers{pass})]\nimpl Together {{\n{code}}}\n"
    )
}

/// `High` over `Low`, which is `Raw` with a protocol.
pub fn protocol(random: &mut Rng) -> (String, Vec<&'static str>) {
    let (mut make, mut bodies) = bodies(random, 12);
    if make.field(Kind::Owner).is_none() && make.percent(70) {
        make.fields[0] = Kind::Owner;
        bodies = bodies.iter().map(|it| make.body(&it.name)).collect();
    }
    let (mut how, mut given) = (How::RANDOM, None);
    if make.percent(25) {
        let (scene, rules) = scenes::protocol(&mut make);
        how = How { plans: scene.plans, slips: 15 };
        bodies = staged(&mut make, scene);
        given = Some(rules);
    }
    let start = start(&mut make);
    let fields = make.fields.clone();
    let view = View { fields: &fields, hidden: None, keyed: false };
    let mut free: Vec<String> = bodies.iter().map(|it| it.name.clone()).collect();
    let rules = match &given {
        Some(rules) => {
            let ruled: Vec<String> = rules.ruled.iter().map(|it| bodies[*it].name.clone()).collect();
            free.retain(|it| !ruled.contains(it));
            allowed(0, &ruled, rules.rule)
        }
        None => random_rules(&mut make, &view, &bodies, &mut free),
    };
    let nilpotent = given.as_ref().map_or_else(|| make.percent(40), |it| it.nilpotent);
    // Passing on an operation that is not always allowed is a mistake.
    let passed = match &given {
        Some(_) => free.into_iter().filter(|_| make.percent(90)).collect(),
        None => some_of(&mut make, &bodies, if free.is_empty() { 5 } else { 15 }),
    };
    let layers = over(&mut make, &bodies, ["Low", "Store"], start.is_some(), &passed, how);
    let raw: String = bodies.iter().map(operation).collect();
    let nilpotent = if nilpotent { ", nilpotent" } else { "" };
    let text = format!(
        "{}\n#[layer]\nimpl Raw for Store {{\n{}{raw}}}\n
#[layer(protocol = Raw{nilpotent})]\nimpl Low for Store {{\n{rules}}}\n{layers}",
        state("Store", &view, &bodies),
        init(start.as_deref()),
    );
    (text, vec!["Together"])
}

/// One or two rules; operations without a rule remain in `free`.
fn random_rules(make: &mut Bodies, view: &View, bodies: &[Body], free: &mut Vec<String>) -> String {
    let mut rules = String::new();
    let owner = make.field(Kind::Owner);
    for number in 0..1 + usize::from(make.percent(25)) {
        let ruled = some_of(make, bodies, 60);
        if ruled.is_empty() {
            continue;
        }
        free.retain(|it| !ruled.contains(it));
        let rule = match owner {
            Some(owner) if make.percent(75) => format!("self.{} == Some(me)", view.name(owner)),
            _ => rule(make, view),
        };
        rules += &allowed(number, &ruled, &rule);
    }
    rules
}

/// A rule of the protocol for some operations.
fn allowed(number: usize, ruled: &[String], rule: &str) -> String {
    format!(
        "    #[allowed({})]\n    fn rule{number}(&self, me: Pid) -> bool {{\n        {rule}\n    }}\n",
        ruled.join(", ")
    )
}

/// A condition without choices.
fn rule(make: &mut Bodies, view: &View) -> String {
    loop {
        let condition = make.cond(None, 1, false);
        let text = view.cond(&condition);
        if !text.contains("maybe") {
            return text;
        }
    }
}
