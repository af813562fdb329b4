//! The words for how far to explore, for how long, on how many cores, and which part of it.

use std::{num::NonZero, str::FromStr, time::Duration};

use clap::Args;
use cspec_analysis::verdict::{ObligationName, Scope};

/// How far to explore.
#[derive(Clone, Debug, Default, Args)]
pub struct EffortArguments {
    /// Bounds that replace the usual ones: `Pid=3,entries=2,int=2`, a scalar by its name, `scalar=N` for the others, `budget=N` steps.
    #[arg(long, value_name = "NAME=N,…", value_delimiter = ',', value_parser = Bound::from_str)]
    #[arg(help = "How far to explore: Pid=3,entries=2,int=2, Name=N for a scalar, scalar=N for the others, budget=N")]
    pub scope: Vec<Bound>,
    /// Threads; as many as there are cores unless told.
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZero<usize>>,
}

/// One `NAME=N` of `--scope`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    name: String,
    limit: NonZero<u64>,
}

/// The bounds that have names of their own. Every other one is called after a `#[scalar]` type.
const OWN_NAMES: [&str; 5] = ["Pid", "entries", "int", "scalar", "budget"];

/// The names that a bound can have in a package with these scalars.
pub fn bound_names(scalars: &[String]) -> Vec<&str> {
    OWN_NAMES.into_iter().chain(scalars.iter().map(String::as_str)).collect()
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Bound, String> {
        let (name, limit) = text.split_once('=').ok_or("expected NAME=N, such as Pid=3")?;
        let limit: NonZero<u64> =
            limit.trim().replace('_', "").parse().map_err(|_| "expected a whole number from 1 upwards".to_owned())?;
        Bound::new(name.trim(), limit)
    }
}

impl Bound {
    /// A bound, if it can be one.
    pub fn new(name: &str, limit: NonZero<u64>) -> Result<Bound, String> {
        if !OWN_NAMES.contains(&name) && !is_type_name(name) {
            return Err(format!(
                "no bound is called `{name}`; there are {}, and the names of #[scalar] types",
                OWN_NAMES.join(", ")
            ));
        }
        if name != "budget" && u32::try_from(limit.get()).is_err() {
            return Err(format!("expected a number up to {}", u32::MAX));
        }
        Ok(Bound { name: name.to_owned(), limit })
    }

    /// The scalar that it names, unless it is a bound with a name of its own.
    pub fn scalar(&self) -> Option<&str> {
        (!OWN_NAMES.contains(&self.name.as_str())).then_some(&self.name)
    }

    /// Puts the bound into `scope`.
    pub fn apply(&self, scope: &mut Scope) {
        let limit = u32::try_from(self.limit.get()).unwrap_or(u32::MAX);
        match self.name.as_str() {
            "Pid" => scope.pids = limit,
            "entries" => scope.entries = limit,
            "int" => scope.ints = limit,
            "scalar" => scope.scalars_default = limit,
            "budget" => scope.budget = self.limit.get(),
            scalar => {
                scope.scalars.insert(scalar.to_owned(), limit);
            }
        }
    }
}

/// Whether `name` could be a type: it starts with a capital letter.
fn is_type_name(name: &str) -> bool {
    name.starts_with(char::is_uppercase) && name.chars().all(|it| it.is_alphanumeric() || it == '_')
}

/// A length of time: `30s`, `5m`, `1m 30s`, `500ms`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|_| "expected a time, such as 30s or 5m".to_owned())?;
    if duration.is_zero() { Err("expected a time longer than nothing".to_owned()) } else { Ok(duration) }
}

/// `--partition hash:M/N`: of all obligations, the M-th of N parts, M from 1 to N. Which part an obligation is in depends on its name alone,
/// so that the parts of one commit are disjoint and complete on any machine.
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
    fn a_scope_changes_what_it_names() {
        let mut scope = Scope::default();
        for bound in ["Pid=2", "Message=4", "budget=1_000", "int=5"] {
            bound.parse::<Bound>().expect("it is a bound").apply(&mut scope);
        }
        let expected =
            Scope { pids: 2, ints: 5, budget: 1000, scalars: [("Message".to_owned(), 4)].into(), ..Scope::default() };
        assert_eq!(scope, expected);
    }

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

    #[test]
    fn times_have_units() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        for wrong in ["30", "", "0s", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
