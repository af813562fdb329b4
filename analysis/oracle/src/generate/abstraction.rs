//! Abstractions: an upper layer that hides one field of the state, or that has an invariant.

use fastrand::Rng;

use super::{
    Bodies, Body, View, bodies,
    body::{Kind, Stmt},
    init, movers, operation, state,
};

/// The form in which the relation is written.
#[derive(Clone, Copy)]
enum Relation {
    Up,
    Predicate,
}

/// `High`, which lacks a field of `Low`.
pub fn hiding(random: &mut Rng) -> (String, Vec<&'static str>) {
    let (mut make, bodies) = bodies(random, 15);
    let text = hidden(&mut make, &bodies, "High", None);
    (text, vec!["View"])
}

/// An implementation by movers over a layer that hides a field of the bottom layer.
pub fn stack(random: &mut Rng) -> (String, Vec<&'static str>) {
    let (mut make, bodies) = bodies(random, 8);
    let hide = make.random.usize(..make.fields.len());
    let (kind, fields) = (make.fields[hide], make.fields.clone());
    // The middle layer has the same operations on fewer fields; procedures need only their signatures.
    let mut text = hidden(&mut make, &bodies, "Middle", Some(hide));
    make.fields = fields;
    debug_assert_eq!(make.fields[hide], kind, "procedures are written over the same operations");
    let passed = movers::some_of(&mut make, &bodies, 60);
    text += &movers::over(&mut make, &bodies, ["Middle", "Seen"], true, &passed, movers::How::RANDOM);
    (text, vec!["Together", "View"])
}

/// The layers `Low` over `Store` and `upper` over `Seen`, and the implementation `View`.
fn hidden(make: &mut Bodies, bodies: &[Body], upper: &str, hide: Option<usize>) -> String {
    let hide = hide.unwrap_or_else(|| make.random.usize(..make.fields.len()));
    let fields = make.fields.clone();
    let low = View { fields: &fields, hidden: None, keyed: false };
    let high = View { fields: &fields, hidden: Some(hide), keyed: false };
    let above: Vec<Body> =
        bodies.iter().map(|it| if make.percent(12) { make.mutated(it) } else { it.clone() }).collect();
    let relation = if make.percent(40) { Relation::Predicate } else { Relation::Up };
    let seen: Vec<String> = (0..fields.len()).filter(|it| *it != hide).map(|it| low.name(it)).collect();
    let (start, also) = (make.cond(None, 1, true), make.cond(None, 1, true));
    let is_partial = make.percent(30);
    let function = match relation {
        Relation::Up => {
            let fields: Vec<String> = seen.iter().map(|it| format!("{it}: lo.{it}.clone()")).collect();
            let guard = if is_partial { format!("when({}); ", on(&low, &also, "lo")) } else { String::new() };
            format!("fn seen(lo: &Store) -> Seen {{\n        {guard}Seen {{ {} }}\n    }}", fields.join(", "))
        }
        Relation::Predicate => {
            // An equation may have either order, be one of two alternatives, or follow a condition that returns early.
            let alternative = make.cond(None, 0, true);
            let equation = |it: &String| match make.random.u8(..12) {
                0..6 => format!("hi.{it} == lo.{it}"),
                6..11 => format!("lo.{it} == hi.{it}"),
                _ => format!("({} || hi.{it} == lo.{it})", on(&low, &alternative, "lo")),
            };
            let mut all: Vec<String> = seen.iter().map(equation).collect();
            all.extend(is_partial.then(|| on(&low, &also, "lo")));
            if make.percent(5) {
                all[0] = format!("if {} {{ return true; }} {}", on(&low, &alternative, "lo"), all[0]);
            }
            format!("fn seen(lo: &Store, hi: &Seen) -> bool {{\n        {}\n    }}", all.join(" && "))
        }
    };
    // If the relation is partial, the initial states are mostly those in its domain.
    let start = if is_partial && make.percent(70) { also } else { start };
    let start_above = make.percent(60).then(|| high.cond(&start)).filter(|it| !it.contains("maybe"));
    let operations = |bodies: &[Body]| bodies.iter().map(operation).collect::<String>();
    format!(
        "{}\n#[layer]\nimpl Low for Store {{\n{}{}}}\n{}\n#[layer(ops = Low)]\nimpl {upper} for Seen {{\n{}{}}}\n
#[implement({upper}, over = Low, by = abstraction)]\nimpl View {{\n    #[abstraction]\n    {function}\n}}\n",
        state("Store", &low, bodies),
        init(Some(&low.cond(&start))),
        operations(bodies),
        state("Seen", &high, &above),
        init(Some(start_above.as_deref().unwrap_or("true"))),
        operations(&above),
    )
}

/// A condition on a state, as Rust code about a variable.
fn on(view: &View, condition: &super::body::Cond, variable: &str) -> String {
    view.cond(condition).replace("self.", &format!("{variable}."))
}

/// `High` over the same state as `Low`, with an invariant, and without the assertions of `Low`.
pub fn invariant(random: &mut Rng) -> (String, Vec<&'static str>) {
    let (mut make, mut bodies) = bodies(random, 0);
    if make.field(Kind::Flag).is_none() {
        make.fields[0] = Kind::Flag;
        bodies = bodies.iter().map(|it| make.body(&it.name)).collect();
    }
    let fields = make.fields.clone();
    let view = View { fields: &fields, hidden: None, keyed: false };
    let holds = make.cond(None, 1, true);
    let mut low = Vec::new();
    let mut high = Vec::new();
    for body in &bodies {
        let mut body = body.clone();
        if make.percent(50) {
            // Steps that would break the invariant are often disabled below as well.
            body.statements.push(Stmt::When(holds.clone()));
        }
        high.push(if make.percent(8) { make.mutated(&body) } else { body.clone() });
        if make.percent(45) {
            let claim = if make.percent(70) { holds.clone() } else { make.cond(None, 0, true) };
            let at = make.random.usize(..=body.statements.len());
            body.statements.insert(at, Stmt::Assert(claim));
        }
        low.push(body);
    }
    let text = view.cond(&holds);
    let mut start = make.cond(None, 0, true);
    if make.percent(70) {
        start = super::body::Cond::And(Box::new(holds), Box::new(start));
    }
    let start = view.cond(&start);
    let all: String = low.iter().map(operation).collect();
    let renamed: Vec<Body> = high.iter().map(|it| Body { name: format!("hi_{}", it.name), ..it.clone() }).collect();
    let mut helpers = low.clone();
    helpers.extend(renamed);
    let above: String = high.iter().map(|it| operation(it).replace("self.do_", "self.do_hi_")).collect();
    let start_above = if make.percent(50) { start.clone() } else { "true".to_owned() };
    let same = match make.random.u8(..3) {
        0 => "fn same(lo: &Store, hi: &Store) -> bool {\n        lo == hi\n    }",
        _ => "fn same(lo: &Store) -> Store {\n        lo.clone()\n    }",
    };
    let text = format!(
        "{}\n#[layer]\nimpl Low for Store {{\n{}{all}}}\n\n#[layer(ops = Low)]\nimpl High for Store {{\n{}    #[invariant]
    fn holds(&self) -> bool {{\n        {text}\n    }}\n{above}}}\n
#[implement(High, over = Low, by = abstraction)]\nimpl Same {{\n    #[abstraction]
    {same}\n}}\n",
        state("Store", &view, &helpers),
        init(Some(&start)),
        init(Some(&start_above)),
    );
    (text, vec!["Same"])
}
