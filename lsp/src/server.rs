//! The handlers of the protocol's methods. Each pushes into the session's queue before it first waits; none decides anything.
//!
//! [`deliver`] sends the session's messages to the client, so that the session never waits for it.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
    mpsc::{Receiver, Sender, channel},
};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tower_lsp_server::{
    Client, ClientSocket, LanguageServer, LspService,
    jsonrpc::{Error, ErrorCode, Result},
    ls_types::*,
};

use crate::{
    capabilities,
    config::Config,
    features::{
        calls, commands, completion, fixes, folding, hints, hover, layers, lenses, navigation, symbols, tokens,
    },
    parent, publish,
    session::{Event, Session},
};

/// A message from the session to the client.
pub enum Outgoing {
    /// The findings of a file, replacing all earlier ones.
    Publish(PublishDiagnosticsParams),
    /// A line for the client's log.
    Log(MessageType, String),
    /// A message for the user.
    Show(MessageType, String),
    /// Requests to refresh parts of the editor.
    Refresh(capabilities::Refresh),
    /// Registrations to request from the client.
    Register(Vec<Registration>),
    /// A request for the client's settings.
    Configuration,
    /// A file that the client should show.
    ShowDocument(Uri),
    /// Work that takes long: its steps, until the channel closes.
    Progress(mpsc::UnboundedReceiver<Step>),
    /// The state of packages, as `cspec/status`.
    Status(layers::Status),
}

/// A step of long work.
pub struct Step {
    /// A description of the current step.
    pub message: String,
    /// The percentage of completed work, up to 100.
    pub percentage: u32,
}

/// The type of the notification `cspec/status`.
enum StatusNotification {}

impl notification::Notification for StatusNotification {
    type Params = Value;
    const METHOD: &'static str = "cspec/status";
}

/// The session's ends of the queues: its events, its messages, and the receiver of these.
type Ends = (Receiver<Event>, mpsc::UnboundedSender<Outgoing>, mpsc::UnboundedReceiver<Outgoing>);

/// The handlers of the protocol.
pub struct Server {
    client: Client,
    queue: Sender<Event>,
    /// Available until the client is known.
    session: Mutex<Option<Ends>>,
    shut_down: AtomicBool,
}

/// The server and its channel to the client.
pub fn service() -> (LspService<Server>, ClientSocket) {
    let build = LspService::build(|client| {
        let (queue, events) = channel();
        let (sender, outgoing) = mpsc::unbounded_channel();
        let session = Mutex::new(Some((events, sender, outgoing)));
        Server { client, queue, session, shut_down: AtomicBool::new(false) }
    });
    build
        .custom_method("cspec/layers", Server::layers)
        .custom_method("cspec/counterexample", Server::counterexample)
        .finish()
}

impl Server {
    /// Whether the client has sent `shutdown`.
    pub fn is_shut_down(&self) -> bool {
        self.shut_down.load(Ordering::Relaxed)
    }

    fn tell(&self, event: Event) {
        // Without a session there is no receiver.
        let _ = self.queue.send(event);
    }

    /// Asks the session. If the client cancels in the meantime, the session skips the request.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Session) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.tell(Event::Ask(Box::new(move |session| {
            if !reply.is_closed() {
                let _ = reply.send(guarded(|| question(session)));
            }
        })));
        answer.await.unwrap_or_else(|_| Err(Error::internal_error()))
    }

    async fn layers(&self) -> Result<Vec<layers::Package>> {
        self.ask(|session| Ok(layers::packages(session))).await
    }

    async fn counterexample(&self, params: commands::Obligation) -> Result<Value> {
        self.ask(move |session| commands::counterexample(session, &params)).await
    }
}

/// A bug in one request becomes an error of that request, and does not end the session.
fn guarded<T>(question: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(question)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|it| (*it).to_owned())).unwrap_or_default();
        let message = format!("a bug in cspec: {text}").into();
        Err(Error { code: ErrorCode::InternalError, message, data: None })
    })
}

impl LanguageServer for Server {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let client = capabilities::Client::new(&params.capabilities);
        let settings = params.initialization_options.clone().unwrap_or_default();
        let config = Config::read(&settings).unwrap_or_default();
        let offer = capabilities::server(&client, &config);
        let taken = self.session.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((events, sender, outgoing)) = taken {
            if let Some(id) = params.process_id {
                parent::watch(id);
            }
            let session = Session::new(client, config, &params, self.queue.clone(), sender);
            std::thread::spawn(move || session.run(&events));
            tokio::spawn(deliver(self.client.clone(), outgoing, self.queue.clone()));
        }
        let server_info =
            ServerInfo { name: "cspec-lsp".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
        Ok(InitializeResult { capabilities: offer, server_info: Some(server_info), ..InitializeResult::default() })
    }

    async fn initialized(&self, _: InitializedParams) {
        self.tell(Event::Initialized);
    }

    async fn shutdown(&self) -> Result<()> {
        self.shut_down.store(true, Ordering::Relaxed);
        self.ask(|session| {
            session.stop();
            Ok(())
        })
        .await
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        self.tell(Event::Opened(params.text_document));
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        self.tell(Event::Changed(params));
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        self.tell(Event::Saved(params.text_document.uri));
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.tell(Event::Closed(params.text_document.uri));
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        self.tell(Event::Configuration(params.settings));
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        self.tell(Event::Folders(params.event));
    }

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        self.tell(Event::FilesChanged(params.changes));
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        self.ask(move |session| Ok(hover::hover(session, &params.text_document_position_params))).await
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        self.ask(move |session| Ok(hints::hints(session, &params))).await
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        self.ask(move |session| Ok(lenses::lenses(session, &params.text_document.uri))).await
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        self.ask(move |session| Ok(fixes::actions(session, &params))).await
    }

    async fn document_symbol(&self, params: DocumentSymbolParams) -> Result<Option<DocumentSymbolResponse>> {
        self.ask(move |session| Ok(symbols::document(session, &params.text_document.uri))).await
    }

    async fn symbol(&self, params: WorkspaceSymbolParams) -> Result<Option<WorkspaceSymbolResponse>> {
        self.ask(move |session| Ok(symbols::workspace(session, &params.query))).await
    }

    async fn goto_definition(&self, params: GotoDefinitionParams) -> Result<Option<GotoDefinitionResponse>> {
        self.ask(move |session| Ok(navigation::definition(session, &params.text_document_position_params))).await
    }

    async fn goto_declaration(
        &self,
        params: request::GotoDeclarationParams,
    ) -> Result<Option<request::GotoDeclarationResponse>> {
        self.ask(move |session| Ok(navigation::declaration(session, &params.text_document_position_params))).await
    }

    async fn goto_implementation(
        &self,
        params: request::GotoImplementationParams,
    ) -> Result<Option<request::GotoImplementationResponse>> {
        self.ask(move |session| Ok(navigation::implementation(session, &params.text_document_position_params))).await
    }

    async fn references(&self, params: ReferenceParams) -> Result<Option<Vec<Location>>> {
        self.ask(move |session| Ok(navigation::references(session, &params))).await
    }

    async fn document_highlight(&self, params: DocumentHighlightParams) -> Result<Option<Vec<DocumentHighlight>>> {
        self.ask(move |session| Ok(navigation::highlight(session, &params.text_document_position_params))).await
    }

    async fn prepare_call_hierarchy(
        &self,
        params: CallHierarchyPrepareParams,
    ) -> Result<Option<Vec<CallHierarchyItem>>> {
        self.ask(move |session| Ok(calls::prepare(session, &params.text_document_position_params))).await
    }

    async fn incoming_calls(
        &self,
        params: CallHierarchyIncomingCallsParams,
    ) -> Result<Option<Vec<CallHierarchyIncomingCall>>> {
        self.ask(move |session| Ok(calls::incoming(session, &params.item))).await
    }

    async fn outgoing_calls(
        &self,
        params: CallHierarchyOutgoingCallsParams,
    ) -> Result<Option<Vec<CallHierarchyOutgoingCall>>> {
        self.ask(move |session| Ok(calls::outgoing(session, &params.item))).await
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        self.ask(move |session| Ok(completion::completion(session, &params.text_document_position))).await
    }

    async fn folding_range(&self, params: FoldingRangeParams) -> Result<Option<Vec<FoldingRange>>> {
        self.ask(move |session| Ok(folding::folding(session, &params.text_document.uri))).await
    }

    async fn semantic_tokens_full(&self, params: SemanticTokensParams) -> Result<Option<SemanticTokensResult>> {
        self.ask(move |session| Ok(tokens::tokens(session, &params.text_document.uri))).await
    }

    async fn diagnostic(&self, params: DocumentDiagnosticParams) -> Result<DocumentDiagnosticReportResult> {
        self.ask(move |session| Ok(publish::report(session, &params))).await
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<Value>> {
        self.ask(move |session| commands::execute(session, &params)).await
    }
}

/// Delivers the session's messages to the client. Findings of a file that newer ones have replaced are skipped.
async fn deliver(client: Client, mut outgoing: mpsc::UnboundedReceiver<Outgoing>, queue: Sender<Event>) {
    let client = Arc::new(client);
    let mut waiting = Vec::new();
    while outgoing.recv_many(&mut waiting, 256).await > 0 {
        let batch = std::mem::take(&mut waiting);
        let last_of =
            |uri: &Uri| batch.iter().rposition(|it| matches!(it, Outgoing::Publish(other) if other.uri == *uri));
        let is_overtaken = |at: usize| matches!(&batch[at], Outgoing::Publish(it) if last_of(&it.uri) != Some(at));
        let overtaken: Vec<bool> = (0..batch.len()).map(is_overtaken).collect();
        for (message, overtaken) in batch.into_iter().zip(overtaken) {
            if !overtaken {
                deliver_one(&client, message, &queue).await;
            }
        }
    }
}

async fn deliver_one(client: &Arc<Client>, message: Outgoing, queue: &Sender<Event>) {
    let client = Arc::clone(client);
    match message {
        Outgoing::Publish(it) => client.publish_diagnostics(it.uri, it.diagnostics, it.version).await,
        Outgoing::Log(kind, text) => client.log_message(kind, text).await,
        Outgoing::Show(kind, text) => client.show_message(kind, text).await,
        Outgoing::Status(status) => {
            client.send_notification::<StatusNotification>(serde_json::json!(status)).await;
        }
        // Responses of the client are awaited in separate tasks, since they may never come.
        Outgoing::Refresh(what) => {
            if what.hints {
                let client = Arc::clone(&client);
                drop(tokio::spawn(async move { client.inlay_hint_refresh().await }));
            }
            if what.lenses {
                let client = Arc::clone(&client);
                drop(tokio::spawn(async move { client.code_lens_refresh().await }));
            }
            if what.diagnostics {
                drop(tokio::spawn(async move { client.workspace_diagnostic_refresh().await }));
            }
        }
        Outgoing::Register(what) => drop(tokio::spawn(async move { client.register_capability(what).await })),
        Outgoing::ShowDocument(uri) => drop(tokio::spawn(async move {
            let params = ShowDocumentParams { uri, external: Some(false), take_focus: Some(true), selection: None };
            client.show_document(params).await
        })),
        Outgoing::Progress(steps) => drop(tokio::spawn(async move { progress(&client, steps).await })),
        Outgoing::Configuration => {
            let queue = queue.clone();
            drop(tokio::spawn(async move {
                let item = ConfigurationItem { scope_uri: None, section: Some("cspec".to_owned()) };
                if let Ok(mut settings) = client.configuration(vec![item]).await
                    // A client without such settings sends null: then the initial settings stay.
                    && let Some(settings) = settings.pop().filter(|it| !it.is_null())
                {
                    let _ = queue.send(Event::Configuration(settings));
                }
            }));
        }
    }
}

/// Shows long work until it ends.
async fn progress(client: &Client, mut steps: mpsc::UnboundedReceiver<Step>) {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let token = ProgressToken::String(format!("cspec/{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    if client.create_work_done_progress(token.clone()).await.is_err() {
        return;
    }
    let shown = client.progress(token, "cspec").with_percentage(0).begin().await;
    while let Some(mut step) = steps.recv().await {
        // Only the last of the steps that have arrived.
        while let Ok(later) = steps.try_recv() {
            step = later;
        }
        shown.report_with_message(step.message, step.percentage).await;
    }
    shown.finish().await;
}
