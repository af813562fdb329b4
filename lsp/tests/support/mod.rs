//! A client for the tests. It starts the real program, speaks the protocol over its standard input and output, and records the messages of
//! the server. It also acts as the editor: it keeps documents with texts and versions, and converts edits to positions.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// The text of the package that most tests open.
pub const FIXTURE: &str = include_str!("../fixture/lib.rs");

/// A time longer than anything should take; only a server that hangs exhausts it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with one package that has layers; removed when the value is dropped.
pub struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    /// Creates a package whose root file has this text.
    pub fn new(text: &str) -> Workspace {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let workspace = Workspace { folder };
        workspace.write(
            "Cargo.toml",
            "[package]\nname = \"fixture\"\nedition = \"2024\"\n[package.metadata.cspec]\n[workspace]\n",
        );
        workspace.write("src/lib.rs", text);
        workspace
    }

    /// Writes a file below the folder.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("the folder is writable");
        std::fs::write(path, text).expect("the folder is writable");
    }

    /// Copies the sources of a package into a subfolder.
    pub fn copy(&self, from: &Path, name: &str) {
        for entry in std::fs::read_dir(from).expect("the repository is there") {
            let path = entry.expect("a readable folder").path();
            let name = format!("{name}/{}", path.file_name().expect("it has a name").to_string_lossy());
            if path.is_dir() {
                self.copy(&path, &name);
            } else if path.extension().is_some_and(|it| it == "rs") {
                self.write(&name, &std::fs::read_to_string(&path).expect("it is text"));
            }
        }
    }

    /// The path of a file below the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("it exists").join(name)
    }

    /// The URI of a file below the folder.
    pub fn uri(&self, name: &str) -> String {
        format!("file://{}", self.path(name).display())
    }
}

/// A client with a running server.
pub struct Client {
    process: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    next_id: i64,
    /// All notifications of the server, in order.
    pub heard: Vec<Value>,
    answers: HashMap<String, Value>,
    /// The versions of open documents, by URI.
    versions: HashMap<String, i32>,
}

/// The capabilities of a client that supports everything.
pub fn capabilities() -> Value {
    json!({
        "general": { "positionEncodings": ["utf-16"] },
        "window": { "workDoneProgress": true, "showDocument": { "support": true } },
        "workspace": {
            "configuration": false,
            "didChangeWatchedFiles": { "dynamicRegistration": true },
            "inlayHint": { "refreshSupport": true },
            "codeLens": { "refreshSupport": true },
        },
        "textDocument": { "publishDiagnostics": { "relatedInformation": true, "versionSupport": true } },
    })
}

impl Client {
    /// Starts the server without sending anything.
    pub fn start() -> Client {
        let mut process = Command::new(env!("CARGO_BIN_EXE_cspec-lsp"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server was built for this test");
        let output = process.stdout.take().expect("it is piped");
        let input = process.stdin.take();
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Client {
            process,
            input,
            messages,
            next_id: 0,
            heard: Vec::new(),
            answers: HashMap::new(),
            versions: HashMap::new(),
        }
    }

    /// Starts the server in a workspace and initializes it.
    pub fn open(workspace: &Workspace) -> Client {
        Client::open_with(workspace, &capabilities(), &json!({ "status": true }))
    }

    /// Like `open`, with these capabilities and settings.
    pub fn open_with(workspace: &Workspace, capabilities: &Value, settings: &Value) -> Client {
        let mut client = Client::start();
        client.initialize(&workspace.uri(""), capabilities, settings);
        client
    }

    /// Initializes the server. Returns its answer.
    pub fn initialize(&mut self, root: &str, capabilities: &Value, settings: &Value) -> Value {
        self.initialize_for(root, capabilities, settings, &Value::Null)
    }

    /// Initializes the server on behalf of the process with this id.
    pub fn initialize_for(&mut self, root: &str, capabilities: &Value, settings: &Value, process: &Value) -> Value {
        let folders = json!([{ "uri": root.trim_end_matches('/'), "name": "fixture" }]);
        let params = json!({ "processId": process, "rootUri": null, "workspaceFolders": folders,
            "capabilities": capabilities, "initializationOptions": settings });
        let answer = self.request("initialize", params);
        self.notify("initialized", json!({}));
        answer
    }

    /// Writes raw bytes to the server.
    pub fn write_raw(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("it is open");
        input.write_all(bytes).and_then(|()| input.flush()).expect("the server reads");
    }

    /// Sends a message in a frame.
    pub fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.write_raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    /// Sends a notification with these parameters.
    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Sends a request without waiting for the answer. Returns its id.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next_id += 1;
        let id = json!(self.next_id);
        let mut message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        if params_are_absent(&message["params"]) {
            message.as_object_mut().expect("it is one").remove("params");
        }
        self.send(&message);
        id
    }

    /// Waits for the response to a request, and returns the whole message.
    pub fn answer(&mut self, id: &Value) -> Value {
        let key = id.to_string();
        self.wait(&format!("the answer to request {key}"), |client| client.answers.remove(&key))
    }

    /// Sends a request and waits for its result.
    #[track_caller]
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params);
        let mut answer = self.answer(&id);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    /// Receives messages until `look` returns a value.
    #[track_caller]
    pub fn wait<T>(&mut self, what: &str, mut wanted: impl FnMut(&mut Client) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = wanted(self) {
                return found;
            }
            let left = PATIENCE.checked_sub(start.elapsed()).unwrap_or_else(|| panic!("{what} never came"));
            let message = self.messages.recv_timeout(left);
            self.take(message.unwrap_or_else(|error| panic!("{what} never came: {error}")));
        }
    }

    /// Polls for something that no message reports.
    #[track_caller]
    pub fn wait_polling<T>(&mut self, what: &str, mut wanted: impl FnMut(&mut Client) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = wanted(self) {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "{what} never came");
            self.listen(Duration::from_millis(50));
        }
    }

    /// Receives the messages that arrive within this time.
    pub fn listen(&mut self, time: Duration) {
        let start = Instant::now();
        while let Some(left) = time.checked_sub(start.elapsed()) {
            match self.messages.recv_timeout(left) {
                Ok(message) => self.take(message),
                Err(_) => return,
            }
        }
    }

    fn take(&mut self, message: Value) {
        if message.get("method").is_none() {
            let (id, twice) = (message["id"].clone(), self.answers.insert(message["id"].to_string(), message));
            // Numbers are the ids of this client. The tests may use other ids twice.
            assert!(twice.is_none() || !id.is_number(), "request {id} has two answers");
        } else {
            if let Some(id) = message.get("id") {
                // A request of the server gets the answer null.
                let answer = json!({ "jsonrpc": "2.0", "id": id, "result": null });
                self.send(&answer);
            }
            self.heard.push(message);
        }
    }

    /// Opens a document with version 1.
    pub fn did_open(&mut self, uri: &str, text: &str) {
        self.versions.insert(uri.to_owned(), 1);
        let document = json!({ "uri": uri, "languageId": "rust", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Replaces the text of a document. Returns its new version.
    pub fn did_change(&mut self, uri: &str, text: &str) -> i32 {
        self.did_edit(uri, &json!([{ "text": text }]))
    }

    /// Edits a document. Returns its new version.
    pub fn did_edit(&mut self, uri: &str, changes: &Value) -> i32 {
        let version = self.versions.get_mut(uri).expect("it is open");
        *version += 1;
        let version = *version;
        let document = json!({ "uri": uri, "version": version });
        self.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
        version
    }

    /// The findings of a document, as last published.
    pub fn diagnostics(&self, uri: &str) -> Option<&Value> {
        let published = |it: &&Value| it["method"] == "textDocument/publishDiagnostics" && it["params"]["uri"] == uri;
        self.heard.iter().rfind(published).map(|it| &it["params"])
    }

    /// Waits until no package is being explored and all findings have arrived.
    #[track_caller]
    pub fn settle(&mut self) {
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < PATIENCE, "the packages never settle");
            let layers = self.request("cspec/layers", Value::Null);
            let packages = layers.as_array().expect("a list");
            let settled = |it: &Value| it["status"]["phase"] == "settled" || it["status"]["broken"] == true;
            if !packages.is_empty() && packages.iter().all(settled) {
                break;
            }
            self.listen(Duration::from_millis(10));
        }
        // Publications are written before the answer to a later request.
        self.listen(Duration::from_millis(40));
        self.request("cspec/layers", Value::Null);
    }

    /// The codes and ranges of a document's findings, in the order of their places.
    pub fn findings(&self, uri: &str) -> Vec<String> {
        let Some(published) = self.diagnostics(uri) else { return Vec::new() };
        let mut found: Vec<String> = published["diagnostics"].as_array().expect("a list").iter().map(finding).collect();
        found.sort();
        found
    }

    /// Sends `shutdown` and `exit`, and waits for the server to end.
    pub fn shut_down(mut self) -> ExitStatus {
        self.request("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        self.ended()
    }

    /// Waits for the server to end by itself.
    pub fn wait_for_end(mut self) -> ExitStatus {
        self.ended()
    }

    /// Closes the input, and waits for the server to end.
    pub fn hang_up(mut self) -> ExitStatus {
        self.input = None;
        self.ended()
    }

    fn ended(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().expect("it is our child") {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The process id of the server.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Kills the server's process.
    pub fn kill(mut self) {
        self.process.kill().expect("it is our child");
        self.ended();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn params_are_absent(params: &Value) -> bool {
    params.is_null()
}

/// A finding in one line: the first line of its message, its code and its range.
pub fn finding(it: &Value) -> String {
    let (start, end) = (&it["range"]["start"], &it["range"]["end"]);
    let message = it["message"].as_str().unwrap_or_default().lines().next().unwrap_or_default().to_owned();
    format!(
        "{:>3}:{}-{}:{} {} {message}",
        start["line"],
        start["character"],
        end["line"],
        end["character"],
        it["code"].as_str().unwrap_or_default()
    )
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).expect("the server writes JSON"))
}

/// The position of the `n`-th occurrence (from 0) of `needle` in `text`, in UTF-16 units.
#[track_caller]
pub fn position(text: &str, needle: &str, n: usize) -> Value {
    let (offset, _) = text.match_indices(needle).nth(n).unwrap_or_else(|| panic!("{needle:?} is not there"));
    let line = text[..offset].matches('\n').count();
    let start = text[..offset].rfind('\n').map_or(0, |it| it + 1);
    json!({ "line": line, "character": text[start..offset].encode_utf16().count() })
}

/// The parameters of a request at a position of a document.
#[track_caller]
pub fn at(uri: &str, text: &str, needle: &str, n: usize) -> Value {
    json!({ "textDocument": { "uri": uri }, "position": position(text, needle, n) })
}

/// Applies the edits of a workspace edit to the text of one document.
pub fn apply(edit: &Value, uri: &str, text: &str) -> String {
    let mut edits: Vec<&Value> = edit["changes"][uri].as_array().expect("edits of this document").iter().collect();
    edits.sort_by_key(|it| {
        let start = &it["range"]["start"];
        (start["line"].as_u64(), start["character"].as_u64())
    });
    let mut text = text.to_owned();
    for edit in edits.into_iter().rev() {
        let (start, end) = (offset(&text, &edit["range"]["start"]), offset(&text, &edit["range"]["end"]));
        text.replace_range(start..end, edit["newText"].as_str().expect("a text"));
    }
    text
}

/// The offset of a position in UTF-16 units, in a text with `\n` line endings.
pub fn offset(text: &str, position: &Value) -> usize {
    let line = position["line"].as_u64().expect("a number") as usize;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let mut units = position["character"].as_u64().expect("a number") as usize;
    for (at, character) in text[start..].char_indices() {
        if units == 0 || character == '\n' {
            return start + at;
        }
        units = units.saturating_sub(character.len_utf16());
    }
    text.len()
}

/// The root folder of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in a folder of it")
}
