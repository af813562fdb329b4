//! The capabilities of the server, and what it learns about the client at initialization.

use tower_lsp_server::ls_types::*;

use crate::{
    config::{Config, Mode},
    features::{commands, tokens},
    position::Encoding,
};

/// What the client can do, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// How it counts columns.
    pub encoding: Encoding,
    /// It shows progress that the server begins.
    pub progress: bool,
    /// It can be asked to watch files.
    pub watch: bool,
    /// It tells of changed settings only if asked to.
    pub register_configuration: bool,
    /// It can be asked for its settings.
    pub configuration: bool,
    /// It shows a document when asked to.
    pub show_document: bool,
    /// It asks again for hints, lenses, colours and diagnostics when told to.
    pub refresh: Refresh,
    /// It shows other places that belong to a diagnostic.
    pub related: bool,
}

/// What the client asks for again when told to.
#[derive(Clone, Copy, Debug)]
pub struct Refresh {
    /// `workspace/inlayHint/refresh`
    pub hints: bool,
    /// `workspace/codeLens/refresh`
    pub lenses: bool,
    /// `workspace/diagnostic/refresh`
    pub diagnostics: bool,
}

impl Client {
    /// Reads what a client says about itself.
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

/// What the server offers to this client.
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

/// What to ask the client to tell: files that change outside of it, and settings.
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
