//! Random layers, procedures, protocols, relations, retry loops and partitions, as source text.
//!
//! There is one family for each pattern. Cases are made so that their obligations hold about half of the time: the layer above is written
//! from the same random bodies as the layer below, and then often something is changed. The measure of this generator is not the number of
//! its cases, but the mutants of the checker that they detect ([`crate::mutants`]).

mod abstraction;
mod body;
mod calls;
mod disguise;
mod idle;
mod integers;
mod locks;
mod movers;
mod partition;
mod rely;
mod retry;
mod scenes;
mod stamps;
mod whole;
mod wild;

use std::fmt::Write;

use body::{Bodies, Body, View};
pub use disguise::disguised;
use fastrand::Rng;

/// A family of cases: the pattern that they are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// Procedures justified by movers.
    Movers,
    /// Procedures by movers whose calls have to be judged in their context.
    Calls,
    /// Procedures by movers of random form.
    Wild,
    /// Procedures by movers that rely on where others make their calls.
    Rely,
    /// Procedures by movers that take what only one process can have.
    Locks,
    /// Procedures by movers that rely on where their process has been left.
    Idle,
    /// Procedures by movers of which the number that they have read tells whether their other reads count.
    Stamps,
    /// Procedures over a protocol layer.
    Protocol,
    /// Procedures over a protocol layer with an invariant; and procedures that may wait for ever.
    Kept,
    /// Abstractions that hide a part of the state.
    Abstraction,
    /// Abstractions to the same state with an invariant, and failures that do not happen.
    Invariant,
    /// Loops justified by retry.
    Retry,
    /// Partitions into layers for one key.
    Partition,
    /// Movers over an abstraction.
    Stack,
    /// Abstractions with integers at the ends of their types.
    Integers,
    /// Abstractions to the same state with an invariant about whole collections.
    Whole,
}

impl Pattern {
    /// All families, in the order of the command's output.
    pub const ALL: [Pattern; 16] = [
        Pattern::Movers,
        Pattern::Calls,
        Pattern::Wild,
        Pattern::Rely,
        Pattern::Locks,
        Pattern::Idle,
        Pattern::Stamps,
        Pattern::Protocol,
        Pattern::Kept,
        Pattern::Abstraction,
        Pattern::Invariant,
        Pattern::Retry,
        Pattern::Partition,
        Pattern::Stack,
        Pattern::Integers,
        Pattern::Whole,
    ];

    /// The name of the family on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Pattern::Movers => "movers",
            Pattern::Calls => "calls",
            Pattern::Wild => "wild",
            Pattern::Rely => "rely",
            Pattern::Locks => "locks",
            Pattern::Idle => "idle",
            Pattern::Stamps => "stamps",
            Pattern::Protocol => "protocol",
            Pattern::Kept => "kept",
            Pattern::Abstraction => "abstraction",
            Pattern::Invariant => "invariant",
            Pattern::Retry => "retry",
            Pattern::Partition => "partition",
            Pattern::Stack => "stack",
            Pattern::Integers => "integers",
            Pattern::Whole => "whole",
        }
    }
}

/// A random package, and the tower of its implementations.
#[derive(Clone, Debug)]
pub struct Case {
    /// The family of the case.
    pub pattern: Pattern,
    /// The seed that generates it.
    pub seed: u64,
    /// The source text of the package.
    pub source: String,
    /// The names of implementations, top to bottom.
    pub tower: Vec<&'static str>,
}

/// The case of a family with this seed.
pub fn case(pattern: Pattern, seed: u64) -> Case {
    let mut random = Rng::with_seed(seed);
    let (body, tower) = match pattern {
        Pattern::Movers => movers::movers(&mut random),
        Pattern::Calls => calls::calls(&mut random),
        Pattern::Wild => wild::wild(&mut random),
        Pattern::Rely => rely::rely(&mut random),
        Pattern::Locks => locks::locks(&mut random),
        Pattern::Idle => idle::idle(&mut random),
        Pattern::Stamps => stamps::stamps(&mut random),
        Pattern::Protocol => movers::protocol(&mut random),
        Pattern::Kept => movers::kept(&mut random),
        Pattern::Abstraction => abstraction::hiding(&mut random),
        Pattern::Invariant => abstraction::invariant(&mut random),
        Pattern::Retry => retry::retry(&mut random),
        Pattern::Partition => partition::partition(&mut random),
        Pattern::Stack => abstraction::stack(&mut random),
        Pattern::Integers => integers::integers(&mut random),
        Pattern::Whole => whole::whole(&mut random),
    };
    Case { pattern, seed, source: format!("{HEADER}{body}"), tower }
}

const HEADER: &str = "use cspec::prelude::*;

#[scalar]
pub struct Tok(u64);
pub const TOK: Tok = Tok(1);
";

/// The names that operations get.
const NAMES: [&str; 5] = ["ant", "bee", "cat", "dog", "elk"];

/// A state, with a helper method for each body, which the operations of its layers call.
fn state(name: &str, view: &View, bodies: &[Body]) -> String {
    let mut text = format!("\n#[state]\npub struct {name} {{\n");
    for (field, kind) in view.fields.iter().enumerate().filter(|(field, _)| view.hidden != Some(*field)) {
        // Writing to a string cannot fail; so in all of this module.
        let _ = writeln!(text, "    pub {}: {},", view.name(field), kind.ty());
    }
    let _ = writeln!(text, "}}\n\nimpl {name} {{");
    for body in bodies {
        let (parameters, result) = (View::parameters(body), body.result.name());
        let _ = writeln!(text, "    fn do_{}(&mut self, {parameters}) -> {result} {{", body.name);
        let _ = writeln!(text, "        {}\n    }}", view.body(body));
    }
    text.push_str("}\n");
    text
}

/// An operation that calls the helper of the same name.
fn operation(body: &Body) -> String {
    let (parameters, result) = (View::parameters(body), body.result.name());
    let argument = if body.argument.is_some() { ", arg" } else { "" };
    let name = &body.name;
    format!(
        "    #[op]\n    fn {name}(&mut self, {parameters}) -> {result} {{\n        self.do_{name}(me{argument})\n    }}\n"
    )
}

/// Two to five bodies over random fields.
fn bodies<'r>(random: &'r mut Rng, effects: u32) -> (Bodies<'r>, Vec<Body>) {
    let fields = Bodies::fields(random);
    // With few operations a mover has to pass few others.
    let count = 2 + random.usize(..4).min(random.usize(..4));
    let mut make = Bodies { random, fields, effects };
    let bodies = NAMES[..count].iter().map(|name| make.body(name)).collect();
    (make, bodies)
}

/// An `#[init]` function, if there is a condition.
fn init(condition: Option<&str>) -> String {
    let function = condition.map(|it| format!("    #[init]\n    fn init(&self) -> bool {{\n        {it}\n    }}\n"));
    function.unwrap_or_default()
}
