//! The commands, which a lens or a user starts. `docs/editors.md` lists them with their arguments.

use camino::Utf8PathBuf;
use cspec_analysis::verdict::Scope;
use serde::Deserialize;
use serde_json::Value;
use tower_lsp_server::{
    jsonrpc::{Error, Result},
    ls_types::{ExecuteCommandParams, Uri},
};

use super::counterexample;
use crate::{config::ScopeConfig, server::Outgoing, session::Session};

/// Explores again in the configured scope.
pub const CHECK: &str = "cspec.check";
/// Stops the current run.
pub const STOP: &str = "cspec.stop";
/// Explores in the given scope, or in one with each bound increased by one.
pub const RUN_AT_SCOPE: &str = "cspec.runAtScope";
/// Shows the counterexample to an obligation as a document.
pub const COUNTEREXAMPLE: &str = "cspec.showCounterexample";

/// All commands that the server offers.
pub const ALL: [&str; 4] = [CHECK, STOP, RUN_AT_SCOPE, COUNTEREXAMPLE];

/// An obligation, given by the name of its package and its id.
#[derive(Debug, Deserialize)]
pub struct Obligation {
    /// The name of the package.
    pub package: String,
    /// The id, as in the `data` of a diagnostic.
    pub obligation: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Selected {
    package: Option<String>,
    scope: Option<ScopeConfig>,
}

pub fn execute(session: &mut Session, params: &ExecuteCommandParams) -> Result<Option<Value>> {
    let argument = params.arguments.first().cloned().unwrap_or_default();
    match params.command.as_str() {
        CHECK => {
            let package = selected(session, argument)?.0;
            session.check(package, None);
            Ok(None)
        }
        STOP => {
            session.stop();
            Ok(None)
        }
        RUN_AT_SCOPE => {
            let (package, scope) = selected(session, argument)?;
            let scope = move |usual: Scope| match &scope {
                Some(scope) => scope.over(usual),
                None => larger(usual),
            };
            session.check(package, Some(&scope));
            Ok(None)
        }
        COUNTEREXAMPLE => {
            let obligation = read(argument)?;
            let text = counterexample(session, &obligation)?;
            show(session, &obligation, &text);
            Ok(Some(text))
        }
        other => Err(Error::invalid_params(format!("there is no command {other}"))),
    }
}

fn read<T: for<'de> Deserialize<'de>>(argument: Value) -> Result<T> {
    serde_json::from_value(argument).map_err(|error| Error::invalid_params(error.to_string()))
}

/// The package and the scope of an argument, which may be missing.
fn selected(session: &mut Session, argument: Value) -> Result<(Option<usize>, Option<ScopeConfig>)> {
    let selected: Selected = if argument.is_null() { Selected::default() } else { read(argument)? };
    let package = match selected.package {
        None => None,
        Some(name) => Some(package(session, &name)?),
    };
    Ok((package, selected.scope))
}

/// The index of the package of this name.
fn package(session: &mut Session, name: &str) -> Result<usize> {
    let found = session.view().packages.iter().position(|it| it.facts.package.title == name);
    found.ok_or_else(|| Error::invalid_params(format!("there is no package {name} with layers")))
}

/// A scope with each bound increased by one.
fn larger(usual: Scope) -> Scope {
    let scalars = usual.scalars.into_iter().map(|(name, bound)| (name, bound + 1)).collect();
    Scope {
        pids: usual.pids + 1,
        entries: usual.entries + 1,
        ints: usual.ints + 1,
        scalars,
        scalars_default: usual.scalars_default + 1,
        ..usual
    }
}

/// The counterexample to an obligation, as a document.
pub fn counterexample(session: &mut Session, obligation: &Obligation) -> Result<Value> {
    let package = package(session, &obligation.package)?;
    let view = session.current_view().clone();
    let package = &view.packages[package];
    let entry = session.state(package).and_then(|it| it.verdicts.get(&obligation.obligation));
    let text = entry.and_then(|it| counterexample::document(&view, package, it));
    let text = text.ok_or_else(|| Error::invalid_params("this obligation has no counterexample (any more)"))?;
    Ok(Value::String(text))
}

/// Shows a document to a client that can be asked to; the document is stored in the target directory.
fn show(session: &mut Session, obligation: &Obligation, text: &Value) {
    let Some(text) = text.as_str().filter(|_| session.client.show_document) else { return };
    let view = session.current_view();
    let package = view.packages.iter().find(|it| it.facts.package.title == obligation.package);
    let Some(target) = package.map(|it| it.facts.package.target_directory.clone()) else { return };
    let folder: Utf8PathBuf = target.join("cspec").join("counterexamples");
    let name = format!("{}-{}", obligation.package, obligation.obligation);
    let name: String = name.chars().map(|it| if it.is_alphanumeric() { it } else { '-' }).collect();
    let path = folder.join(format!("{name}.md"));
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, text));
    if let Some(uri) = written.ok().and_then(|()| Uri::from_file_path(&path)) {
        session.say(Outgoing::ShowDocument(uri));
    }
}
