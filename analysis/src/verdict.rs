//! The outcome of checking an obligation, as plain data: no values of the exploration, no positions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::diagnostics::Diagnostic;

/// The proof pattern an obligation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// What every layer owes by itself: its operations do not panic, its invariants can hold.
    Layer,
    /// Commuting operations, shape of procedures, atomic specification.
    Movers,
    /// Operations are used only where they are allowed.
    Protocol,
    /// A relation between two states is a forward simulation.
    Abstraction,
    /// A failed turn of a loop does nothing.
    Retry,
    /// What is shown of one key holds of all.
    Partition,
    /// A chain of implementations fits together.
    Stack,
    /// Direct search of a client program.
    EndToEnd,
}

impl Pattern {
    /// The name used in messages and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Pattern::Layer => "layer",
            Pattern::Movers => "movers",
            Pattern::Protocol => "protocol",
            Pattern::Abstraction => "abstraction",
            Pattern::Retry => "retry",
            Pattern::Partition => "partition",
            Pattern::Stack => "stack",
            Pattern::EndToEnd => "end-to-end",
        }
    }
}

/// Which obligation: enough to name it to a user, and stable across runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObligationName {
    /// The implementation that owes it; empty if a layer, stack or client does.
    pub implementation: String,
    /// The pattern.
    pub pattern: Pattern,
    /// What is to be shown, within the pattern: `right-mover`, `simulation`, `atomic-spec`, ….
    pub kind: &'static str,
    /// The layer whose steps it is about.
    pub layer: String,
    /// The operation (or procedure, stack, client) that it is about.
    pub operation: String,
    /// The other operation, if there is one.
    pub against: String,
}

impl ObligationName {
    /// One word for it: the same for the same obligation, whatever its text is at the moment.
    pub fn id(&self) -> String {
        let ObligationName { implementation, pattern, kind, layer, operation, against } = self;
        format!("{}:{kind}:{implementation}:{layer}:{operation}:{against}", pattern.name())
    }
}

/// One of exactly four verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// The case split closed without meeting any bound: it holds for any number of processes, values and entries.
    Proved,
    /// It closed within the bounds that [`Outcome::bounds_met`] lists.
    Checked,
    /// There is a counterexample; it has been replayed. The diagnostic shows it.
    Violated,
    /// The budget ran out, or a counterexample could not be replayed; the diagnostic says how far it got.
    Undecided,
}

impl Verdict {
    /// The name used in messages and in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Proved => "proved",
            Verdict::Checked => "checked",
            Verdict::Violated => "violated",
            Verdict::Undecided => "undecided",
        }
    }
}

/// Something that a verdict takes for granted. It is shown wherever the verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Assumption {
    /// No plain `+`, `-` or `*` on a type of 64 bits has a result that does not fit. What is below 0 in an unsigned type never fits, and is
    /// not assumed away.
    No64BitOverflow,
}

impl Assumption {
    /// The name used in messages and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Assumption::No64BitOverflow => "no 64-bit overflow",
        }
    }
}

/// What becomes of a plain `+`, `-` or `*` whose result does not fit 64 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OverflowMode {
    /// It is assumed not to happen ([`Assumption::No64BitOverflow`]).
    #[default]
    Assumed,
    /// The code panics, as it does where overflows are checked.
    Exact,
}

impl OverflowMode {
    /// The words of the settings.
    pub const NAMES: [&str; 2] = ["assumed", "exact"];

    /// The mode that a word of the settings means.
    pub fn named(name: &str) -> Option<OverflowMode> {
        match name {
            "assumed" => Some(OverflowMode::Assumed),
            "exact" => Some(OverflowMode::Exact),
            _ => None,
        }
    }

    /// The word of the settings.
    pub fn name(self) -> &'static str {
        match self {
            OverflowMode::Assumed => "assumed",
            OverflowMode::Exact => "exact",
        }
    }
}

/// How far an exploration may go. Written `Pid=3,entries=2,int=2` on the command line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Processes that loops may bring into play.
    pub pids: u32,
    /// Entries of a collection about which nothing is known.
    pub entries: u32,
    /// Where code calculates with integers they range over `0..=ints`, or from `-ints` if the type has signs. The two lowest and the two
    /// highest of the type are tried as well, and so are literals of the code and the numbers beside them.
    pub ints: u32,
    /// Bounds on `#[scalar]` types, by name, for values that loops bring into play; `scalars_default` for the others.
    pub scalars: BTreeMap<String, u32>,
    /// See `scalars`.
    pub scalars_default: u32,
    /// Steps of exploration for one obligation before it is given up as undecided.
    pub budget: u64,
    /// What becomes of an overflow of 64 bits. No limit, but results differ by it as they do by limits.
    pub overflow: OverflowMode,
}

impl Scope {
    /// The smallest scope within this one in which two processes can meet: where the simplest counterexamples are.
    pub fn smallest(&self) -> Scope {
        Scope { pids: self.pids.min(2), entries: self.entries.min(1), ints: self.ints.min(1), ..self.clone() }
    }
}

impl Default for Scope {
    fn default() -> Scope {
        Scope {
            pids: 3,
            entries: 2,
            ints: 2,
            scalars: BTreeMap::new(),
            scalars_default: 2,
            budget: 200_000_000,
            overflow: OverflowMode::default(),
        }
    }
}

/// The verdict on an obligation, and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which obligation.
    pub name: ObligationName,
    /// The verdict.
    pub verdict: Verdict,
    /// The bounds that were met, as shown: `Pid ≤ 3`, `Seq ≤ 2 entries`. Empty unless the verdict is `checked`.
    pub bounds_met: Vec<String>,
    /// What the verdict takes for granted, if the obligation holds.
    pub assumptions: Vec<Assumption>,
    /// Cases that the split was closed with.
    pub cases: u64,
    /// States visited: paths of lazy exploration, or configurations of explicit search.
    pub states: u64,
    /// Where the obligation is stated.
    pub span: crate::ir::Span,
    /// Findings: exactly one error if violated or undecided, and any warnings.
    pub diagnostics: Vec<Diagnostic>,
}
