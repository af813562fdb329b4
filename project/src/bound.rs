//! Bounds by name, as written on the command line and in manifests.

use std::{num::NonZero, str::FromStr};

use cspec_analysis::verdict::Scope;

/// One `NAME=N` of `--scope`, or of a table `scope`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    name: String,
    limit: NonZero<u64>,
}

/// The bounds with names of their own. Every other bound is named after a `#[scalar]` type.
const OWN_NAMES: [&str; 5] = ["Pid", "entries", "int", "scalar", "budget"];

/// The possible names of bounds in a package with these scalars.
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
    /// The bound with this name and limit, if they are valid.
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

    /// The scalar type that it bounds, or `None` for a bound with a name of its own.
    pub fn scalar(&self) -> Option<&str> {
        (!OWN_NAMES.contains(&self.name.as_str())).then_some(&self.name)
    }

    /// Sets the bound in `scope`.
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

#[cfg(test)]
mod tests {
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
}
