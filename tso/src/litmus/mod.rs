//! Litmus tests: small programs for several processes, with the question whether they can end in a certain way. `parse` reads
//! them, `explore` runs them on the executable model of the layer `Tso`; this module defines a test and reports the answers.

use std::fmt;

use serde::Deserialize;

use crate::layers::Addr;

mod explore;
mod parse;

pub use explore::{Bounds, Exploration, explore};
pub use parse::parse;

/// A litmus test. Locations are addresses in the order in which they are first named; registers are numbered by process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The name in the file.
    pub name: String,
    /// The program of each process.
    pub threads: Vec<Vec<Instruction>>,
    /// What memory holds at the start, where it is not zero.
    pub init: Vec<(Addr, u64)>,
    /// The end that is asked about: all of these together, after all stores are drained.
    pub condition: Vec<Clause>,
    /// Whether x86-TSO allows it, says the file.
    pub tso: Expected,
    /// Whether sequential consistency allows it, says the file. Only printed.
    pub sc: Option<Expected>,
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// `["W", location, value]`.
    Store {
        /// Where.
        at: Addr,
        /// What.
        value: u64,
    },
    /// `["R", location, register]`.
    Load {
        /// From where.
        at: Addr,
        /// Into which register.
        register: usize,
    },
    /// `["MFENCE"]`.
    Fence,
    /// `["XCHG", location, value, register]`.
    Exchange {
        /// Where.
        at: Addr,
        /// What is stored.
        value: u64,
        /// Where what was there before goes.
        register: usize,
    },
}

/// One part of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clause {
    /// `"thread:register": value`.
    Register {
        /// Whose.
        thread: usize,
        /// Which.
        register: usize,
        /// What it holds.
        value: u64,
    },
    /// `"location": value`.
    Location {
        /// Which.
        at: Addr,
        /// What it holds.
        value: u64,
    },
}

/// What the file says about an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// It can be reached.
    Allowed,
    /// It cannot.
    Forbidden,
}

/// What the exploration found out about an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was reached.
    Allowed,
    /// Everything was explored, and it was not reached.
    Forbidden,
    /// It was not reached, but not everything was explored.
    Undecided {
        /// Why not.
        because: String,
    },
}

impl Verdict {
    /// Whether this is what the file says; `None` when undecided.
    pub fn agrees(&self, expected: Expected) -> Option<bool> {
        match self {
            Verdict::Allowed => Some(expected == Expected::Allowed),
            Verdict::Forbidden => Some(expected == Expected::Forbidden),
            Verdict::Undecided { .. } => None,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Expected::Allowed => "allowed",
            Expected::Forbidden => "forbidden",
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Allowed => "allowed",
            Verdict::Forbidden => "forbidden",
            Verdict::Undecided { .. } => "undecided",
        })
    }
}

/// How many tests ended which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Verdicts that agree with the file.
    pub agree: usize,
    /// Verdicts that do not.
    pub disagree: usize,
    /// No verdict.
    pub undecided: usize,
}

impl Summary {
    /// 0 when all agree, 1 when any disagrees, otherwise 3.
    pub fn exit_code(self) -> u8 {
        match self {
            Summary { disagree: 1.., .. } => 1,
            Summary { undecided: 1.., .. } => 3,
            Summary { .. } => 0,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { agree, disagree, undecided } = self;
        let all = agree + disagree + undecided;
        write!(f, "{all} tests: {agree} agree, {disagree} disagree, {undecided} undecided")
    }
}

/// Explores the tests one after the other; `print` is shown a line for each.
pub fn report(tests: &[Test], bounds: Bounds, print: &mut dyn FnMut(&str)) -> Summary {
    let mut summary = Summary::default();
    let width = tests.iter().map(|test| test.name.chars().count()).max();
    for test in tests {
        let found = explore(test, bounds);
        let said = match found.verdict.agrees(test.tso) {
            Some(true) => {
                summary.agree += 1;
                "agrees".to_owned()
            }
            Some(false) => {
                summary.disagree += 1;
                format!("DISAGREES: the file says {}", test.tso)
            }
            None => {
                summary.undecided += 1;
                format!("the file says {}", test.tso)
            }
        };
        print(&line(test, &found, &said, width.unwrap_or(0)));
    }
    summary
}

fn line(test: &Test, found: &Exploration, said: &str, width: usize) -> String {
    let Exploration { verdict, states, finals } = found;
    let sc = test.sc.map_or(String::new(), |sc| format!(" (sc: {sc})"));
    let because = match verdict {
        Verdict::Undecided { because } => format!("; {because}"),
        Verdict::Allowed | Verdict::Forbidden => String::new(),
    };
    let name = &test.name;
    format!("{name:width$}  {states:>6} states {finals:>4} final  {verdict:9}  {said}{sc}{because}")
}
