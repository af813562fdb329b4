//! The settings of a client: the `cspec` section of its configuration, or its initialization options. `docs/editors.md` lists them.

use std::collections::BTreeMap;

use cspec_analysis::{
    verdict::{OverflowMode, Scope},
    workspace::{FeatureSelection, Selection, TargetSelection},
};
use serde::Deserialize;
use serde_json::Value;

/// The settings of the server.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "camelCase")]
pub struct Config {
    /// When obligations are explored. Findings in the source itself are always shown while typing.
    pub check: Trigger,
    /// Whether to read tests, examples and benchmarks too, like `--all-targets`.
    pub all_targets: bool,
    /// Features to enable, like `--features`.
    pub features: Vec<String>,
    /// Whether to enable all features, like `--all-features`.
    pub all_features: bool,
    /// Whether to disable default features, like `--no-default-features`.
    pub no_default_features: bool,
    /// The platform to read for, like `--target`.
    pub target: Option<String>,
    /// The bounds of explorations.
    pub scope: ScopeConfig,
    /// How to treat overflow of plain 64-bit arithmetic; if not given, the manifests decide.
    pub overflow: Option<OverflowConfig>,
    /// How findings are delivered.
    pub diagnostics: DiagnosticsConfig,
    /// Which inlay hints to show.
    pub inlay_hints: HintsConfig,
    /// Whether to show verdicts above declarations.
    pub code_lenses: bool,
    /// Whether to colour the functions of cspec. Off by default where another server's colours would be lost.
    pub semantic_tokens: bool,
    /// Whether to send `cspec/status` whenever a run starts, proceeds or ends.
    pub status: bool,
}

/// The event after which obligations are explored.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Trigger {
    /// `onType`: after every edit.
    #[serde(rename = "onType")]
    Edit,
    /// `onSave`: when a document is saved.
    #[serde(rename = "onSave")]
    Save,
    /// `onCommand`: only on the command `cspec.check`.
    #[serde(rename = "onCommand")]
    Command,
}

/// Bounds; a bound that is not given comes from the manifests, or else is the engine's default.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "camelCase")]
pub struct ScopeConfig {
    /// The bound `Pid`: the number of processes.
    pub pid: Option<u32>,
    /// The bound `entries`: the maximum number of entries of a collection.
    pub entries: Option<u32>,
    /// The bound `int`: the number of integer values.
    pub int: Option<u32>,
    /// Bounds of scalars by name.
    pub scalars: BTreeMap<String, u32>,
    /// The bound of all other scalars.
    pub scalar: Option<u32>,
    /// The budget of one obligation.
    pub budget: Option<u64>,
}

/// How to treat overflow of plain 64-bit arithmetic.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum OverflowConfig {
    /// It is assumed not to happen.
    Assumed,
    /// It is a panic, as in a build with overflow checks.
    Exact,
}

/// How findings are delivered to the client.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "camelCase")]
pub struct DiagnosticsConfig {
    /// Whether findings are delivered at all.
    pub enable: bool,
    /// Whether they are sent or requested.
    pub mode: Mode,
}

/// Who initiates the delivery of findings.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// The server publishes findings when they change.
    Push,
    /// The client requests them (`textDocument/diagnostic`), and the server signals when to request them again.
    Pull,
}

/// The kinds of inlay hints to show.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "camelCase")]
pub struct HintsConfig {
    /// Whether to show the mover type of each operation.
    pub movers: bool,
    /// Whether to show the phase before each call in a procedure.
    pub phases: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            check: Trigger::Edit,
            scope: ScopeConfig::default(),
            overflow: None,
            all_targets: false,
            features: Vec::new(),
            all_features: false,
            no_default_features: false,
            target: None,
            diagnostics: DiagnosticsConfig::default(),
            inlay_hints: HintsConfig::default(),
            code_lenses: true,
            semantic_tokens: true,
            status: false,
        }
    }
}

impl Default for DiagnosticsConfig {
    fn default() -> DiagnosticsConfig {
        DiagnosticsConfig { enable: true, mode: Mode::Push }
    }
}

impl Default for HintsConfig {
    fn default() -> HintsConfig {
        HintsConfig { movers: true, phases: true }
    }
}

impl Config {
    /// Reads settings, with or without an enclosing key `cspec`. `null` means that nothing is set.
    ///
    /// # Errors
    /// A message that says what is wrong with them.
    pub fn read(settings: &Value) -> Result<Config, String> {
        let settings = settings.get("cspec").unwrap_or(settings);
        if settings.is_null() {
            return Ok(Config::default());
        }
        serde_json::from_value(settings.clone()).map_err(|error| format!("the settings of cspec are ignored: {error}"))
    }
}

impl Config {
    /// A scope overridden by these settings.
    pub fn over(&self, usual: Scope) -> Scope {
        let mut scope = self.scope.over(usual);
        match self.overflow {
            Some(OverflowConfig::Assumed) => scope.overflow = OverflowMode::Assumed,
            Some(OverflowConfig::Exact) => scope.overflow = OverflowMode::Exact,
            None => {}
        }
        scope
    }

    /// The targets of a workspace to read.
    pub fn selection(&self) -> Selection {
        let targets = if self.all_targets { TargetSelection::all() } else { TargetSelection::default() };
        let features = FeatureSelection {
            names: self.features.clone(),
            all: self.all_features,
            no_default: self.no_default_features,
        };
        let cargo_flags = vec!["--offline".to_owned()];
        Selection {
            workspace: true,
            targets,
            features,
            platform: self.target.clone(),
            cargo_flags,
            ..Selection::default()
        }
    }

    /// Whether other settings lead to reading different targets.
    pub fn reads_as(&self, other: &Config) -> bool {
        let read = |it: &Config| {
            (it.all_targets, it.features.clone(), it.all_features, it.no_default_features, it.target.clone())
        };
        read(self) == read(other)
    }
}

impl ScopeConfig {
    /// A scope overridden by these bounds.
    pub fn over(&self, usual: Scope) -> Scope {
        let mut scalars = usual.scalars;
        scalars.extend(self.scalars.clone());
        Scope {
            pids: self.pid.unwrap_or(usual.pids),
            entries: self.entries.unwrap_or(usual.entries),
            ints: self.int.unwrap_or(usual.ints),
            scalars,
            scalars_default: self.scalar.unwrap_or(usual.scalars_default),
            budget: self.budget.unwrap_or(usual.budget),
            overflow: usual.overflow,
            find_idle: usual.find_idle,
            guards: usual.guards,
            absorbed_turns: usual.absorbed_turns,
            decisive_steps: usual.decisive_steps,
            symmetry: usual.symmetry,
            spurious_failures: usual.spurious_failures,
            given_arguments: usual.given_arguments,
            mistaken_results: usual.mistaken_results,
            call_site_facts: usual.call_site_facts,
            whole_questions: usual.whole_questions,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_set_is_as_usual() {
        let config = Config::read(&json!({"cspec": {"check": "onSave", "scope": {"pid": 2, "scalars": {"Addr": 4}}}}));
        let config = config.expect("these are settings");
        assert_eq!(config.check, Trigger::Save);
        let expected = Scope { pids: 2, scalars: [("Addr".to_owned(), 4)].into(), ..Scope::default() };
        assert_eq!(config.scope.over(Scope::default()), expected);
        assert_eq!(Config::read(&Value::Null), Ok(Config::default()));
        let exact = Config::read(&json!({"overflow": "exact"})).expect("these are settings");
        assert_eq!(exact.over(Scope::default()).overflow, OverflowMode::Exact);
    }

    #[test]
    fn wrong_settings_are_named() {
        let error = Config::read(&json!({"check": "sometimes"})).expect_err("there is no such word");
        assert!(error.contains("sometimes"), "{error}");
    }
}
