//! The settings of a client: the `cspec` section of its configuration, or its initialization options. `docs/editors.md` lists them.

use std::collections::BTreeMap;

use cspec_analysis::{
    verdict::{OverflowMode, Scope},
    workspace::{FeatureSelection, Selection, TargetSelection},
};
use serde::Deserialize;
use serde_json::Value;

/// The settings.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "camelCase")]
pub struct Config {
    /// When obligations are explored. What the text itself shows is always found while typing.
    pub check: Trigger,
    /// Read tests, examples and benchmarks too, as `--all-targets` does.
    pub all_targets: bool,
    /// Features to enable, as after `--features`.
    pub features: Vec<String>,
    /// As `--all-features`.
    pub all_features: bool,
    /// As `--no-default-features`.
    pub no_default_features: bool,
    /// The platform to read for, as after `--target`.
    pub target: Option<String>,
    /// How far explorations go.
    pub scope: ScopeConfig,
    /// What becomes of an overflow of 64 bits; as the manifests say, if it is not given.
    pub overflow: Option<OverflowConfig>,
    /// Findings.
    pub diagnostics: DiagnosticsConfig,
    /// Hints between the words of the text.
    pub inlay_hints: HintsConfig,
    /// Verdicts above declarations.
    pub code_lenses: bool,
    /// Colours for the vocabulary of layers. Off where another server's colours would be lost.
    pub semantic_tokens: bool,
    /// Send `cspec/status` whenever a run starts, proceeds or ends.
    pub status: bool,
}

/// When to explore.
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

/// Bounds; those that are not given are those of the manifests, or else the engine's own.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "camelCase")]
pub struct ScopeConfig {
    /// `Pid`.
    pub pid: Option<u32>,
    /// `entries`.
    pub entries: Option<u32>,
    /// `int`.
    pub int: Option<u32>,
    /// Bounds of scalars by name.
    pub scalars: BTreeMap<String, u32>,
    /// All other scalars.
    pub scalar: Option<u32>,
    /// Steps for one obligation.
    pub budget: Option<u64>,
}

/// What becomes of an overflow of 64 bits.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum OverflowConfig {
    /// It is assumed not to happen.
    Assumed,
    /// It is a panic.
    Exact,
}

/// How findings reach the client.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "camelCase")]
pub struct DiagnosticsConfig {
    /// Whether they do.
    pub enable: bool,
    /// Whether they are sent, or asked for.
    pub mode: Mode,
}

/// Who begins.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// The server publishes.
    Push,
    /// The client asks (`textDocument/diagnostic`), and is told when to ask again.
    Pull,
}

/// Which hints to show.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "camelCase")]
pub struct HintsConfig {
    /// The mover type behind each operation.
    pub movers: bool,
    /// The phase before each call in a procedure.
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
    /// Reads settings, also where they stand under a key `cspec`. `null` means: nothing is set.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    pub fn read(settings: &Value) -> Result<Config, String> {
        let settings = settings.get("cspec").unwrap_or(settings);
        if settings.is_null() {
            return Ok(Config::default());
        }
        serde_json::from_value(settings.clone()).map_err(|error| format!("the settings of cspec are ignored: {error}"))
    }
}

impl Config {
    /// A scope with what is set here in its place.
    pub fn over(&self, usual: Scope) -> Scope {
        let mut scope = self.scope.over(usual);
        match self.overflow {
            Some(OverflowConfig::Assumed) => scope.overflow = OverflowMode::Assumed,
            Some(OverflowConfig::Exact) => scope.overflow = OverflowMode::Exact,
            None => {}
        }
        scope
    }

    /// What of a workspace to read.
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

    /// Whether other settings have something else of a workspace read.
    pub fn reads_as(&self, other: &Config) -> bool {
        let read = |it: &Config| {
            (it.all_targets, it.features.clone(), it.all_features, it.no_default_features, it.target.clone())
        };
        read(self) == read(other)
    }
}

impl ScopeConfig {
    /// A scope with what is set here in its place.
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
