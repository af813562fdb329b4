//! Settings in manifests: `[package.metadata.cspec]`, and `[workspace.metadata.cspec]` for all packages.
//!
//! A package's table overrides the workspace's, and the command line overrides both. An unknown key is an error, since a setting that
//! is silently ignored is worse than none. `docs/configuration.md` describes the keys; `docs/metadata.schema.json` is their schema.

use std::{num::NonZero, time::Duration};

use cspec_analysis::{
    ir::Program,
    verdict::{OverflowMode, Scope},
    workspace::Package,
};
use serde_json::{Map, Value};

use crate::{Bound, bound_names, duration, unknown};

/// The settings of a package: the tables of its manifest and of its workspace's manifest combined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Bounds set by the workspace. They may name scalars that only another package has.
    pub workspace_scope: Vec<Bound>,
    /// Bounds set by the package.
    pub scope: Vec<Bound>,
    /// How to treat overflow of plain 64-bit arithmetic.
    pub overflow: Option<OverflowMode>,
    /// Whether to look for what holds where a procedure starts.
    pub find_idle: Option<bool>,
    /// Whether turns of a loop before the commit point may change something that the next turn changes again.
    pub absorbed_turns: Option<bool>,
    /// Whether facts may hold under a guard.
    pub guards: Option<bool>,
    /// Whether calls after the commit point may move past decisive steps only.
    pub decisive_steps: Option<bool>,
    /// Whether other processes give only such arguments as the text of their calls says.
    pub given_arguments: Option<bool>,
    /// Whether procedures may be shown over a layer with spurious failures.
    pub spurious_failures: Option<bool>,
    /// Whether procedures may be shown over a layer in which a result is mistaken for another.
    pub mistaken_results: Option<bool>,
    /// See [`Scope::call_site_facts`].
    pub call_site_facts: Option<bool>,
    /// Whether questions about all entries of a collection may be put as a whole.
    pub whole_questions: Option<bool>,
    /// The time limit of a run.
    pub budget: Option<Duration>,
    /// Whether verdicts are stored on disk.
    pub cache: Option<bool>,
    /// Whether `check` searches for a wrong run where a proof fails or is undecided.
    pub search_refused: Option<bool>,
    /// The time limit of the git hook.
    pub hook_budget: Option<Duration>,
    /// Whether the hook accepts a commit with undecided obligations.
    pub hook_allow_undecided: Option<bool>,
    /// Macros of other crates that do not change the meaning of layers. The engine takes them from the package itself.
    pub transparent: Vec<String>,
}

/// The keys of the table `cspec`.
const KEYS: [&str; 16] = [
    "absorbed-turns",
    "budget",
    "cache",
    "call-site-facts",
    "decisive-steps",
    "find-idle",
    "given-arguments",
    "guards",
    "hook",
    "mistaken-results",
    "overflow",
    "scope",
    "search-refused",
    "spurious-failures",
    "transparent",
    "whole-questions",
];
/// The keys of the table `hook`.
const HOOK_KEYS: [&str; 2] = ["allow-undecided", "budget"];

impl Settings {
    /// The settings of a package; the error is a finished message.
    pub fn of(package: &Package) -> Result<Settings, String> {
        let mut settings = Settings::default();
        let workspace = package.workspace_root.join("Cargo.toml");
        settings
            .read(&package.tables.workspace)
            .map_err(|error| format!("{workspace}: [workspace.metadata.cspec]: {error}"))?;
        settings.workspace_scope = std::mem::take(&mut settings.scope);
        settings
            .read(&package.tables.package)
            .map_err(|error| format!("{}: [package.metadata.cspec]: {error}", package.manifest_path))?;
        Ok(settings)
    }

    /// Reads a table; its values override the current ones.
    fn read(&mut self, table: &str) -> Result<(), String> {
        if table.is_empty() {
            return Ok(());
        }
        let Ok(Value::Object(table)) = serde_json::from_str(table) else {
            return Err("expected a table".to_owned());
        };
        for (key, value) in &table {
            match key.as_str() {
                "absorbed-turns" => self.absorbed_turns = Some(yes_or_no(key, value)?),
                "budget" => self.budget = Some(time(key, value)?),
                "cache" => self.cache = Some(yes_or_no(key, value)?),
                "decisive-steps" => self.decisive_steps = Some(yes_or_no(key, value)?),
                "given-arguments" => self.given_arguments = Some(yes_or_no(key, value)?),
                "call-site-facts" => self.call_site_facts = Some(yes_or_no(key, value)?),
                "mistaken-results" => self.mistaken_results = Some(yes_or_no(key, value)?),
                "spurious-failures" => self.spurious_failures = Some(yes_or_no(key, value)?),
                "find-idle" => self.find_idle = Some(yes_or_no(key, value)?),
                "guards" => self.guards = Some(yes_or_no(key, value)?),
                "hook" => self.read_hook(value)?,
                "overflow" => self.overflow = Some(overflow(key, value)?),
                "scope" => self.read_scope(value)?,
                "search-refused" => self.search_refused = Some(yes_or_no(key, value)?),
                "whole-questions" => self.whole_questions = Some(yes_or_no(key, value)?),
                "transparent" => self.transparent.extend(paths(key, value)?),
                _ => return Err(unknown("key", key, &KEYS)),
            }
        }
        Ok(())
    }

    fn read_hook(&mut self, value: &Value) -> Result<(), String> {
        for (key, value) in object("hook", value)? {
            match key.as_str() {
                "allow-undecided" => self.hook_allow_undecided = Some(yes_or_no(key, value)?),
                "budget" => self.hook_budget = Some(time(key, value)?),
                _ => return Err(unknown("key", &format!("hook.{key}"), &HOOK_KEYS.map(|it| format!("hook.{it}")))),
            }
        }
        Ok(())
    }

    fn read_scope(&mut self, value: &Value) -> Result<(), String> {
        for (name, limit) in object("scope", value)? {
            let limit = limit.as_u64().and_then(NonZero::new);
            let limit = limit.ok_or_else(|| format!("`scope.{name}`: expected a whole number from 1 upwards"))?;
            self.scope.push(Bound::new(name, limit)?);
        }
        Ok(())
    }

    /// Refuses bounds of the package on scalars that it does not have; the error is a finished message.
    pub fn check(&self, package: &Package, scalars: &[String]) -> Result<(), String> {
        check_bounds(&self.scope, scalars)
            .map_err(|error| format!("{}: [package.metadata.cspec.scope]: {error}", package.manifest_path))
    }

    /// The scope of a run: `usual`, overridden by the settings, overridden by the command line.
    pub fn scope(&self, usual: Scope, command_line: &[Bound]) -> Scope {
        let mut scope = usual;
        self.workspace_scope.iter().chain(&self.scope).chain(command_line).for_each(|bound| bound.apply(&mut scope));
        scope.overflow = self.overflow.unwrap_or(scope.overflow);
        scope.find_idle = self.find_idle.unwrap_or(scope.find_idle);
        scope.absorbed_turns = self.absorbed_turns.unwrap_or(scope.absorbed_turns);
        scope.guards = self.guards.unwrap_or(scope.guards);
        scope.decisive_steps = self.decisive_steps.unwrap_or(scope.decisive_steps);
        scope.given_arguments = self.given_arguments.unwrap_or(scope.given_arguments);
        scope.call_site_facts = self.call_site_facts.unwrap_or(scope.call_site_facts);
        scope.mistaken_results = self.mistaken_results.unwrap_or(scope.mistaken_results);
        scope.spurious_failures = self.spurious_failures.unwrap_or(scope.spurious_failures);
        scope.whole_questions = self.whole_questions.unwrap_or(scope.whole_questions);
        scope
    }
}

/// The `#[scalar]` types of a program.
pub fn scalars(program: &Program) -> Vec<String> {
    let is_scalar = |kind: &_| matches!(kind, cspec_analysis::ir::TypeDefKind::Scalar);
    program.types.iter().filter(|it| is_scalar(&it.kind)).map(|it| it.name.clone()).collect()
}

/// Refuses bounds on scalars that do not exist.
pub fn check_bounds(bounds: &[Bound], scalars: &[String]) -> Result<(), String> {
    for scalar in bounds.iter().filter_map(Bound::scalar) {
        if !scalars.iter().any(|known| known == scalar) {
            return Err(unknown("bound", scalar, &bound_names(scalars)));
        }
    }
    Ok(())
}

fn object<'a>(key: &str, value: &'a Value) -> Result<&'a Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("`{key}`: expected a table"))
}

fn yes_or_no(key: &str, value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("`{key}`: expected true or false"))
}

/// Reads a list of paths of macros.
fn paths(key: &str, value: &Value) -> Result<Vec<String>, String> {
    let is_path =
        |it: &&str| it.split("::").all(|it| !it.is_empty() && it.chars().all(|it| it.is_alphanumeric() || it == '_'));
    let path = |it: &Value| it.as_str().filter(is_path).map(str::to_owned);
    let paths = value.as_array().and_then(|list| list.iter().map(path).collect());
    paths.ok_or_else(|| format!("`{key}`: expected a list of paths in quotes, such as [\"my_crate::traced\"]"))
}

fn overflow(key: &str, value: &Value) -> Result<OverflowMode, String> {
    let text = value.as_str().unwrap_or_default();
    overflow_mode(text).map_err(|error| format!("`{key}`: {error}"))
}

/// Parses the name of an overflow mode.
///
/// # Errors
/// If there is no mode of this name; the error is a finished message.
pub fn overflow_mode(word: &str) -> Result<OverflowMode, String> {
    let [assumed, exact] = OverflowMode::NAMES;
    OverflowMode::named(word).ok_or_else(|| format!("expected \"{assumed}\" or \"{exact}\""))
}

fn time(key: &str, value: &Value) -> Result<Duration, String> {
    let text = value.as_str().ok_or_else(|| format!("`{key}`: expected a time in quotes, such as \"30s\""))?;
    duration(text).map_err(|error| format!("`{key}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tables: &[&str]) -> Result<Settings, String> {
        let mut settings = Settings::default();
        tables.iter().try_for_each(|table| settings.read(table))?;
        Ok(settings)
    }

    #[test]
    fn the_later_table_counts() {
        let settings = read(&[
            r#"{"scope": {"Pid": 2, "entries": 1}, "budget": "1m", "cache": false}"#,
            r#"{"scope": {"Pid": 3}, "hook": {"budget": "5s"}}"#,
        ])
        .expect("the tables are well-formed");
        assert_eq!(settings.budget, Some(Duration::from_secs(60)));
        assert_eq!((settings.cache, settings.hook_budget), (Some(false), Some(Duration::from_secs(5))));
        let scope = settings.scope(Scope::default(), &["entries=4".parse().expect("a bound")]);
        assert_eq!((scope.pids, scope.entries), (3, 4));
    }

    #[test]
    fn overflows_are_assumed_away_unless_a_table_says_otherwise() {
        let mode = |tables: &[&str]| read(tables).map(|it| it.scope(Scope::default(), &[]).overflow);
        assert_eq!(mode(&[]), Ok(OverflowMode::Assumed));
        assert_eq!(mode(&[r#"{"overflow": "exact"}"#]), Ok(OverflowMode::Exact));
        assert_eq!(mode(&[r#"{"overflow": "exact"}"#, r#"{"overflow": "assumed"}"#]), Ok(OverflowMode::Assumed));
        let wrong = Err("`overflow`: expected \"assumed\" or \"exact\"".to_owned());
        assert_eq!(mode(&[r#"{"overflow": "wraps"}"#]), wrong);
        assert_eq!(mode(&[r#"{"overflow": true}"#]), wrong);
    }

    #[test]
    fn an_unknown_key_is_an_error_with_a_suggestion() {
        let error = |table| read(&[table]).expect_err("it should be refused");
        assert_eq!(error(r#"{"bugdet": "1m"}"#), "there is no key `bugdet`\nhelp: did you mean `budget`?");
        assert_eq!(
            error(r#"{"zzz": 1}"#),
            "there is no key `zzz`\nhelp: there are absorbed-turns, budget, cache, call-site-facts, decisive-steps, find-idle, given-arguments, guards, hook, mistaken-results, overflow, scope, search-refused, spurious-failures, transparent, whole-questions"
        );
        assert_eq!(
            error(r#"{"hook": {"allow_undecided": true}}"#),
            "there is no key `hook.allow_undecided`\nhelp: did you mean `hook.allow-undecided`?"
        );
        assert_eq!(error(r#"{"budget": 30}"#), "`budget`: expected a time in quotes, such as \"30s\"");
        assert_eq!(error(r#"{"scope": {"Pid": 0}}"#), "`scope.Pid`: expected a whole number from 1 upwards");
    }

    #[test]
    fn an_unknown_scalar_is_an_error_with_a_suggestion() {
        let bounds = ["Mesage=3".parse().expect("a bound")];
        let error = check_bounds(&bounds, &["Message".to_owned()]).expect_err("it should be refused");
        assert_eq!(error, "there is no bound `Mesage`\nhelp: did you mean `Message`?");
    }

    #[test]
    fn the_schema_has_the_same_keys() {
        let schema: Value = serde_json::from_str(include_str!("../../docs/metadata.schema.json")).expect("it is JSON");
        let keys = |properties: &Value| properties.as_object().expect("properties").keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&schema["properties"]), KEYS);
        assert_eq!(keys(&schema["properties"]["hook"]["properties"]), HOOK_KEYS);
        let valid = jsonschema::validator_for(&schema).expect("it is a schema");
        for (table, good) in [
            (
                r#"{"scope": {"Pid": 2, "Message": 4}, "budget": "1m 30s", "cache": false, "hook": {"budget": "5s"}}"#,
                true,
            ),
            (r#"{}"#, true),
            (r#"{"overflow": "exact"}"#, true),
            (r#"{"overflow": "wraps"}"#, false),
            (r#"{"find-idle": false}"#, true),
            (r#"{"guards": false, "decisive-steps": false}"#, true),
            (r#"{"guards": "some"}"#, false),
            (r#"{"find-idle": "stated"}"#, false),
            (r#"{"search-refused": false}"#, true),
            (r#"{"search-refused": "never"}"#, false),
            (r#"{"bugdet": "1m"}"#, false),
            (r#"{"scope": {"Pid": 0}}"#, false),
            (r#"{"transparent": ["my_crate::traced", "tables"]}"#, true),
            (r#"{"transparent": "tables"}"#, false),
            (r#"{"transparent": ["tables!"]}"#, false),
            (r#"{"hook": {"allow_undecided": true}}"#, false),
        ] {
            assert_eq!(read(&[table]).is_ok(), good, "{table}");
            let table = serde_json::from_str(table).expect("it is JSON");
            assert_eq!(valid.is_valid(&table), good, "{table}");
        }
    }
}
