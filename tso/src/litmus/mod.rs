//! Litmus tests: small programs for several processes, with the question whether they can end in a certain way. `parse` reads
//! them, `explore` runs them on the executable model of the layer `Tso`; this module defines a test and reports the answers.

use std::fmt;

use serde::Deserialize;

use crate::layers::Addr;

mod explore;
mod parse;

pub use explore::{Bounds, Exploration, explore};
pub use parse::parse;

/// A litmus test. Locations become addresses in the order of their first mention; registers are numbered for each process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The name of the test, as in the file.
    pub name: String,
    /// The program of each process.
    pub threads: Vec<Vec<Instruction>>,
    /// The nonzero values of memory at the start.
    pub init: Vec<(Addr, u64)>,
    /// The end state in question: all clauses must hold after all stores are drained.
    pub condition: Vec<Clause>,
    /// Whether x86-TSO allows it, according to the file.
    pub tso: Expected,
    /// Whether sequential consistency allows it, according to the file. Only printed.
    pub sc: Option<Expected>,
}

/// One instruction of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// `["W", location, value]`: a store.
    Store {
        /// The address to write.
        at: Addr,
        /// The value to write.
        value: u64,
    },
    /// `["R", location, register]`: a load.
    Load {
        /// The address to read.
        at: Addr,
        /// The register for the value.
        register: usize,
    },
    /// `["MFENCE"]`: a fence, which drains the store buffer.
    Fence,
    /// `["XCHG", location, value, register]`: an atomic exchange, which also drains the store buffer.
    Exchange {
        /// The address to exchange.
        at: Addr,
        /// The value to write.
        value: u64,
        /// The register for the old value.
        register: usize,
    },
}

/// One clause of a condition: a register or a location has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clause {
    /// `"thread:register": value`: the value of a register.
    Register {
        /// The thread that has the register.
        thread: usize,
        /// The number of the register.
        register: usize,
        /// The value that the register must have.
        value: u64,
    },
    /// `"location": value`: the value of a location.
    Location {
        /// The address of the location.
        at: Addr,
        /// The value that the location must have.
        value: u64,
    },
}

/// The expectation in the file about an end state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// The end state can be reached.
    Allowed,
    /// The end state cannot be reached.
    Forbidden,
}

/// The result of the exploration about an end state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The end state was reached.
    Allowed,
    /// Everything was explored, and the end state was not reached.
    Forbidden,
    /// The end state was not reached, but not everything was explored.
    Undecided {
        /// Why the exploration is incomplete.
        because: String,
    },
}

impl Verdict {
    /// Whether the verdict agrees with the file; `None` when undecided.
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

/// The counts of verdicts over several tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Verdicts that agree with the file.
    pub agree: usize,
    /// Verdicts that disagree with the file.
    pub disagree: usize,
    /// Tests without a verdict.
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

/// Explores the tests one after the other, and calls `print` with a line for each.
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
