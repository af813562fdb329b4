//! The flags for the scope, the number of threads, and the part of the obligations to check.

use std::{num::NonZero, str::FromStr};

use clap::Args;
use cspec_analysis::verdict::{ObligationName, OverflowMode};
use cspec_project::{Bound, overflow_mode};

/// The scope to explore, and the number of threads.
#[derive(Clone, Debug, Default, Args)]
pub struct EffortArguments {
    /// Bounds that replace the default ones: `Pid=3,entries=2,int=2`, a scalar by its name, `scalar=N` for the others, `budget=N` steps.
    #[arg(long, value_name = "NAME=N,…", value_delimiter = ',', value_parser = Bound::from_str)]
    #[arg(help = "How far to explore: Pid=3,entries=2,int=2, Name=N for a scalar, scalar=N for the others, budget=N")]
    pub scope: Vec<Bound>,
    /// How to treat a plain `+`, `-` or `*` that overflows 64 bits: assume that it does not happen, or panic.
    #[arg(long, value_name = "MODE", value_parser = overflow_mode)]
    #[arg(
        help = "How to treat overflow of plain 64-bit arithmetic: assumed (it does not happen, the default) or exact (a panic)"
    )]
    pub overflow: Option<OverflowMode>,
    /// Number of threads [default: the number of cores].
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZero<usize>>,
}

/// `--partition hash:M/N`: of all obligations, the M-th of N parts, M from 1 to N. Which part an obligation is in depends on its name
/// alone, so that the parts of one commit are disjoint and complete on any machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    part: u64,
    of: u64,
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Partition, String> {
        const SHAPE: &str = "expected hash:M/N with M from 1 to N, such as hash:1/4";
        let (part, of) = text.strip_prefix("hash:").and_then(|rest| rest.split_once('/')).ok_or(SHAPE)?;
        match (part.parse(), of.parse()) {
            (Ok(part), Ok(of)) if 1 <= part && part <= of => Ok(Partition { part, of }),
            _ => Err(SHAPE.to_owned()),
        }
    }
}

impl Partition {
    /// Whether an obligation is in this part.
    pub fn contains(&self, name: &ObligationName) -> bool {
        let ObligationName { implementation, pattern, kind, layer, operation, against } = name;
        let words = [implementation, pattern.name(), kind, layer, operation, against].join("\0");
        let hash = blake3::hash(words.as_bytes());
        let (first, _) = hash.as_bytes().split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        u64::from_le_bytes(*first) % self.of == self.part - 1
    }
}

impl std::fmt::Display for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "hash:{}/{}", self.part, self.of)
    }
}

#[cfg(test)]
mod tests {
    use cspec_analysis::verdict::Pattern;

    use super::*;

    #[test]
    fn every_obligation_is_in_exactly_one_part() {
        let parts: Vec<Partition> =
            (1..=3).map(|part| format!("hash:{part}/3").parse().expect("it is a partition")).collect();
        let mut sizes = [0; 3];
        for number in 0..300 {
            let name = ObligationName {
                implementation: format!("I{number}"),
                pattern: Pattern::Movers,
                kind: "shape",
                layer: "L".to_owned(),
                operation: "op".to_owned(),
                against: String::new(),
            };
            let inside: Vec<usize> = (0..3).filter(|part| parts[*part].contains(&name)).collect();
            assert_eq!(inside.len(), 1);
            sizes[inside[0]] += 1;
        }
        assert!(sizes.iter().all(|size| *size > 60), "{sizes:?}");
    }

    #[test]
    fn a_partition_counts_from_one() {
        for wrong in ["1/4", "hash:0/4", "hash:5/4", "hash:1/0", "hash:x/4", "slice:1/4", ""] {
            assert!(wrong.parse::<Partition>().is_err(), "{wrong}");
        }
        assert_eq!("hash:4/4".parse::<Partition>().map(|it| it.to_string()), Ok("hash:4/4".to_owned()));
    }
}
