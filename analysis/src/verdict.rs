//! The outcome of checking an obligation, as plain data: no values of the exploration, no positions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::diagnostics::Diagnostic;

/// The proof pattern an obligation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// The obligations of a layer by itself: its operations do not panic, its invariants can hold.
    Layer,
    /// Commuting operations, shape of procedures, atomic specification.
    Movers,
    /// Operations are called only where they are allowed.
    Protocol,
    /// A relation between two states is a forward simulation.
    Abstraction,
    /// A failed turn of a loop changes nothing.
    Retry,
    /// A proof for one key holds for all keys.
    Partition,
    /// An implementation that rests on the search alone.
    Search,
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
            Pattern::Search => "search",
            Pattern::Stack => "stack",
            Pattern::EndToEnd => "end-to-end",
        }
    }
}

/// The name of an obligation: readable, and stable across runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObligationName {
    /// The implementation that has the obligation; empty if it belongs to a layer, stack or client.
    pub implementation: String,
    /// The proof pattern.
    pub pattern: Pattern,
    /// The statement to be shown, within the pattern: `right-mover`, `simulation`, `atomic-spec`, ….
    pub kind: &'static str,
    /// The layer whose steps it is about.
    pub layer: String,
    /// The operation (or procedure, stack, client) that it is about.
    pub operation: String,
    /// The other operation, if there is one.
    pub against: String,
}

impl ObligationName {
    /// The name as a single string: the same for the same obligation, whatever its current text.
    pub fn id(&self) -> String {
        let ObligationName { implementation, pattern, kind, layer, operation, against } = self;
        format!("{}:{kind}:{implementation}:{layer}:{operation}:{against}", pattern.name())
    }
}

/// One of exactly six verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// The case split closed without meeting any bound: it holds for any number of processes, values and entries.
    Proved,
    /// The case split closed within the bounds that [`Outcome::bounds_met`] lists.
    Checked,
    /// Nothing is proved: some programs were run, in every order of their steps, and none of these runs is wrong. [`Outcome::bounds_met`] lists
    /// what was run.
    Searched,
    /// There is a counterexample; it has been replayed. The diagnostic shows it.
    Violated,
    /// The proof fails here, and a search of small programs found no run that the layer above does not allow. The diagnostic shows why the
    /// proof fails.
    NotShown,
    /// The budget ran out, or a counterexample could not be replayed; the diagnostic says how far it got.
    Undecided,
}

impl Verdict {
    /// The name used in messages and in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Proved => "proved",
            Verdict::Checked => "checked",
            Verdict::Searched => "searched",
            Verdict::Violated => "violated",
            Verdict::NotShown => "not shown",
            Verdict::Undecided => "undecided",
        }
    }
}

/// An assumption of a verdict. It is shown wherever the verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Assumption {
    /// No plain `+`, `-` or `*` on a 64-bit type overflows. A result below 0 in an unsigned type is not covered by the assumption.
    No64BitOverflow,
    /// Whoever calls an operation of the top layer of a stack keeps its assertions. The declared clients do: that is checked.
    CallersKeepAssertions,
}

impl Assumption {
    /// The name used in messages and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Assumption::No64BitOverflow => "no 64-bit overflow",
            Assumption::CallersKeepAssertions => "callers keep the assertions of the top layer",
        }
    }
}

/// How to treat a plain `+`, `-` or `*` whose result does not fit 64 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OverflowMode {
    /// It is assumed not to happen ([`Assumption::No64BitOverflow`]).
    #[default]
    Assumed,
    /// The code panics, as with overflow checks.
    Exact,
}

impl OverflowMode {
    /// The names in the settings.
    pub const NAMES: [&str; 2] = ["assumed", "exact"];

    /// The mode with this name in the settings.
    pub fn named(name: &str) -> Option<OverflowMode> {
        match name {
            "assumed" => Some(OverflowMode::Assumed),
            "exact" => Some(OverflowMode::Exact),
            _ => None,
        }
    }

    /// The name in the settings.
    pub fn name(self) -> &'static str {
        match self {
            OverflowMode::Assumed => "assumed",
            OverflowMode::Exact => "exact",
        }
    }
}

/// The bounds of an exploration. Written `Pid=3,entries=2,int=2` on the command line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The number of processes that loops may range over.
    pub pids: u32,
    /// The number of entries of a collection about which nothing is known.
    pub entries: u32,
    /// Integers that code calculates with range over `0..=ints`, or from `-ints` if the type is signed. The two lowest and the two highest
    /// values of the type are tried as well, and so are literals of the code and their neighbours.
    pub ints: u32,
    /// Bounds on `#[scalar]` types, by name, for values that loops may range over; `scalars_default` for the others.
    pub scalars: BTreeMap<String, u32>,
    /// The bound for scalar types that are not in `scalars`.
    pub scalars_default: u32,
    /// Steps of exploration for one obligation before it is given up as undecided.
    pub budget: u64,
    /// How to treat an overflow of 64 bits. It is not a bound, but results depend on it as on bounds.
    pub overflow: OverflowMode,
    /// Whether to look for what holds where a procedure starts. Without it only what `#[idle]` states is known there.
    pub find_idle: bool,
    /// Whether other processes give only such arguments as the text of their calls says.
    pub given_arguments: bool,
    /// Whether procedures that are not shown otherwise are shown if others make their calls only where they [make](crate::obligations::rely) them.
    pub call_site_facts: bool,
    /// Whether facts may hold under a guard: as long as a component keeps its value.
    pub guards: bool,
    /// Whether turns of a loop before the commit point may change something that the next turn changes again.
    pub absorbed_turns: bool,
    /// Whether calls after the commit point may move past [decisive](crate::obligations::decisive) steps only, where they do not move past all.
    pub decisive_steps: bool,
    /// Whether the search visits one of all configurations that differ only in which process is which.
    pub symmetry: bool,
    /// Whether procedures may be shown over a layer with [spurious failures](crate::obligations::weaker), where they are not shown over their own.
    pub spurious_failures: bool,
    /// Whether procedures may be shown over a layer in which a result is [mistaken](crate::obligations::weaker) for another.
    pub mistaken_results: bool,
    /// Whether [questions about all entries](crate::explore::questions) of a collection may be put as a whole, instead of listing the entries.
    pub whole_questions: bool,
}

impl Scope {
    /// The smallest scope within this one in which two processes can meet: it has the simplest counterexamples.
    pub fn smallest(&self) -> Scope {
        Scope { pids: self.pids.min(2), entries: self.entries.min(1), ints: self.ints.min(1), ..self.clone() }
    }

    /// Whether procedures may be shown over a [weaker](crate::obligations::weaker) layer.
    pub fn has_weaker_layers(&self) -> bool {
        self.spurious_failures || self.mistaken_results
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
            find_idle: true,
            given_arguments: true,
            call_site_facts: true,
            guards: true,
            absorbed_turns: true,
            decisive_steps: true,
            symmetry: true,
            spurious_failures: true,
            mistaken_results: true,
            whole_questions: true,
        }
    }
}

/// The verdict on an obligation, and its cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The name of the obligation.
    pub name: ObligationName,
    /// The verdict of the obligation.
    pub verdict: Verdict,
    /// The bounds that were met, as shown: `Pid ≤ 3`, `Seq ≤ 2 entries`. Empty unless the verdict is `checked` or `searched`.
    pub bounds_met: Vec<String>,
    /// The assumptions of the verdict, if the obligation holds.
    pub assumptions: Vec<Assumption>,
    /// What is assumed of the state where the procedure starts, since its process is between two procedures: stated by `#[idle]`, or found.
    pub at_start: Vec<String>,
    /// What is known where other processes make their calls, in words: see [`rely`](crate::obligations::rely).
    pub at_calls: Vec<String>,
    /// What operations below are taken to do, too, in words: see [`weaker`](crate::obligations::weaker).
    pub even_if: Vec<String>,
    /// Whether a procedure has its shape only since calls after its commit points need not move past all steps of others, but past
    /// [decisive](crate::obligations::decisive) ones.
    pub past_decisive: bool,
    /// The number of cases that closed the split.
    pub cases: u64,
    /// The number of visited states: paths of lazy exploration, or configurations of explicit search.
    pub states: u64,
    /// Where the obligation is stated.
    pub span: crate::ir::Span,
    /// Findings: exactly one error if it does not hold, and any warnings.
    pub diagnostics: Vec<Diagnostic>,
}
