//! The capabilities of the server, and what it learns about the client at initialization.

use tower_lsp_server::ls_types::*;

use crate::{
    config::{Config, Mode},
    features::{commands, tokens},
    position::Encoding,
};

/// The relevant capabilities of the client.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// The encoding of columns that was negotiated.
    pub encoding: Encoding,
    /// Whether it shows progress that the server starts.
    pub progress: bool,
    /// Whether it can be asked to watch files.
    pub watch: bool,
    /// Whether it reports changed settings only after registration.
    pub register_configuration: bool,
    /// Whether it can be asked for its settings.
    pub configuration: bool,
    /// Whether it can show a document on request.
    pub show_document: bool,
    /// What it can refresh on request.
    pub refresh: Refresh,
    /// Whether it shows related places of a diagnostic.
    pub related: bool,
}

/// The requests that the client repeats when told to.
#[derive(Clone, Copy, Debug)]
pub struct Refresh {
    /// Whether inlay hints can be refreshed: `workspace/inlayHint/refresh`.
    pub hints: bool,
    /// Whether code lenses can be refreshed: `workspace/codeLens/refresh`.
    pub lenses: bool,
    /// Whether diagnostics can be requested again: `workspace/diagnostic/refresh`.
    pub diagnostics: bool,
}

impl Client {
    /// Reads the capabilities that a client sends.
    pub fn new(capabilities: &ClientCapabilities) -> Client {
        let workspace = capabilities.workspace.as_ref();
        let window = capabilities.window.as_ref();
        let offered = capabilities.general.as_ref().and_then(|it| it.position_encodings.as_deref());
        let publish = capabilities.text_document.as_ref().and_then(|it| it.publish_diagnostics.as_ref());
        let dynamic = |it: Option<&DynamicRegistrationClientCapabilities>| it.and_then(|it| it.dynamic_registration);
        Client {
            encoding: Encoding::negotiate(offered),
            progress: window.and_then(|it| it.work_done_progress).unwrap_or(false),
            watch: workspace
                .and_then(|it| it.did_change_watched_files.as_ref())
                .and_then(|it| it.dynamic_registration)
                .unwrap_or(false),
            register_configuration: dynamic(workspace.and_then(|it| it.did_change_configuration.as_ref()))
                .unwrap_or(false),
            configuration: workspace.and_then(|it| it.configuration).unwrap_or(false),
            show_document: window.and_then(|it| it.show_document.as_ref()).is_some_and(|it| it.support),
            refresh: Refresh {
                hints: workspace.and_then(|it| it.inlay_hint.as_ref()).and_then(|it| it.refresh_support) == Some(true),
                lenses: workspace.and_then(|it| it.code_lens.as_ref()).and_then(|it| it.refresh_support) == Some(true),
                diagnostics: workspace.and_then(|it| it.diagnostics.as_ref()).and_then(|it| it.refresh_support)
                    == Some(true),
            },
            related: publish.and_then(|it| it.related_information).unwrap_or(false),
        }
    }
}

/// The capabilities that the server offers to this client.
pub fn server(client: &Client, config: &Config) -> ServerCapabilities {
    let semantic_tokens = SemanticTokensOptions {
        legend: tokens::legend(),
        full: Some(SemanticTokensFullOptions::Bool(true)),
        ..SemanticTokensOptions::default()
    };
    let diagnostics = DiagnosticOptions {
        identifier: Some("cspec".to_owned()),
        inter_file_dependencies: true,
        workspace_diagnostics: false,
        ..DiagnosticOptions::default()
    };
    let pull = config.diagnostics.mode == Mode::Pull;
    ServerCapabilities {
        position_encoding: Some(client.encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::Supported(true)),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(vec!["(".to_owned(), ",".to_owned(), ".".to_owned(), "=".to_owned()]),
            ..CompletionOptions::default()
        }),
        definition_provider: Some(OneOf::Left(true)),
        declaration_provider: Some(DeclarationCapability::Simple(true)),
        implementation_provider: Some(ImplementationProviderCapability::Simple(true)),
        references_provider: Some(OneOf::Left(true)),
        document_highlight_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        workspace_symbol_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
            ..CodeActionOptions::default()
        })),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: Some(false) }),
        inlay_hint_provider: Some(OneOf::Left(true)),
        folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
        call_hierarchy_provider: Some(CallHierarchyServerCapability::Simple(true)),
        semantic_tokens_provider: config.semantic_tokens.then(|| semantic_tokens.into()),
        diagnostic_provider: pull.then_some(DiagnosticServerCapabilities::Options(diagnostics)),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: commands::ALL.iter().map(|it| (*it).to_owned()).collect(),
            ..ExecuteCommandOptions::default()
        }),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            ..WorkspaceServerCapabilities::default()
        }),
        ..ServerCapabilities::default()
    }
}

/// The registrations to request: files that change outside of the client, and settings.
pub fn registrations(client: &Client) -> Vec<Registration> {
    let mut registrations = Vec::new();
    if client.watch {
        let watcher = |pattern: &str| serde_json::json!({ "globPattern": pattern });
        registrations.push(Registration {
            id: "cspec-files".to_owned(),
            method: "workspace/didChangeWatchedFiles".to_owned(),
            register_options: Some(serde_json::json!({ "watchers": [watcher("**/*.rs"), watcher("**/Cargo.toml")] })),
        });
    }
    if client.register_configuration {
        registrations.push(Registration {
            id: "cspec-settings".to_owned(),
            method: "workspace/didChangeConfiguration".to_owned(),
            register_options: Some(serde_json::json!({ "section": "cspec" })),
        });
    }
    registrations
}
