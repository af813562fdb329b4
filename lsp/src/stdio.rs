//! The transport: framed messages, from standard input to the handlers and back to standard output.
//!
//! It guarantees the order that the protocol requires: each message's handler runs up to its first pause before the next message is read,
//! and handlers push into the session's queue before they pause. A message that is not valid JSON, or not a valid message, is answered with
//! an error, and reading continues. It knows no method except `exit`.

use std::{
    io::{BufRead, BufReader, Read, Write},
    sync::mpsc as blocking,
    thread,
    time::Duration,
};

use futures::{
    FutureExt, SinkExt, StreamExt,
    future::{BoxFuture, poll_fn},
    stream::FuturesUnordered,
};
use serde_json::Value;
use tokio::sync::mpsc;
use tower::Service;
use tower_lsp_server::{
    ClientSocket, ExitedError, LspService,
    jsonrpc::{Error, ErrorCode, Id, Request, Response},
    ls_types::NumberOrString,
};

use crate::server::{self, Server};

/// The maximum length of a message.
const LONGEST: usize = 256 << 20;
/// How long output may take to drain at the end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Methods that take no parameters.
const WITHOUT_PARAMETERS: [&str; 3] = ["shutdown", "exit", "cspec/layers"];

type Answer = BoxFuture<'static, Result<Option<Response>, ExitedError>>;

/// Serves until the client exits or disconnects.
pub fn run(input: impl Read + Send + 'static, output: impl Write + Send + 'static) -> bool {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("cspec-lsp cannot start: {error}");
            return false;
        }
    };
    let (writer, written) = start_writer(output);
    let orderly = runtime.block_on(async {
        let (service, socket) = server::service();
        serve(service, socket, start_reader(input), writer).await
    });
    // A client that no longer reads must not keep the process alive.
    let _ = written.recv_timeout(PATIENCE);
    orderly
}

/// The result of reading a frame.
enum Frame {
    /// The content of a frame.
    Content(Vec<u8>),
    /// An invalid frame; reading can continue after it.
    Malformed(String),
}

/// Reads frames on a thread of its own. The channel closes at the end of the input.
fn start_reader(input: impl Read + Send + 'static) -> mpsc::UnboundedReceiver<Frame> {
    let (sender, receiver) = mpsc::unbounded_channel();
    thread::spawn(move || {
        let mut input = BufReader::new(input);
        while let Ok(Some(frame)) = read_frame(&mut input) {
            if sender.send(frame).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Reads one frame. `None` at the end of the input.
fn read_frame(input: &mut impl BufRead) -> std::io::Result<Option<Frame>> {
    let mut length = None;
    let mut headers = 0;
    loop {
        let mut line = Vec::new();
        if input.take(4096).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        // After a frame with a wrong length, the rest of that frame precedes the header on its line.
        let start = line.to_ascii_lowercase().rfind("content-length:").unwrap_or_default();
        match line[start..].split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                headers += 1;
                length = value.trim().parse::<usize>().ok().filter(|it| *it <= LONGEST);
            }
            Some(_) => headers += 1,
            // An empty line ends the headers; between messages it is ignored.
            None if line.is_empty() && headers == 0 => {}
            None if line.is_empty() => break,
            None => return Ok(Some(Frame::Malformed("a line that is not a header".to_owned()))),
        }
    }
    let Some(length) = length else {
        return Ok(Some(Frame::Malformed("no usable Content-Length".to_owned())));
    };
    let mut content = Vec::new();
    if input.take(length as u64).read_to_end(&mut content)? < length {
        return Ok(None);
    }
    Ok(Some(Frame::Content(content)))
}

/// Writes frames on a thread of its own. The second channel closes when everything is written.
fn start_writer(mut output: impl Write + Send + 'static) -> (blocking::Sender<Vec<u8>>, blocking::Receiver<()>) {
    let (sender, receiver) = blocking::channel::<Vec<u8>>();
    let (done, written) = blocking::channel();
    thread::spawn(move || {
        let _done: blocking::Sender<()> = done;
        for content in receiver {
            let sent = write!(output, "Content-Length: {}\r\n\r\n", content.len())
                .and_then(|()| output.write_all(&content))
                .and_then(|()| output.flush());
            if sent.is_err() {
                break;
            }
        }
    });
    (sender, written)
}

/// Runs the service until `exit` or the end of the input; returns whether the client disconnected properly.
async fn serve(
    mut service: LspService<Server>,
    socket: ClientSocket,
    mut frames: mpsc::UnboundedReceiver<Frame>,
    output: blocking::Sender<Vec<u8>>,
) -> bool {
    let (mut to_client, mut from_client) = socket.split();
    let mut pending: FuturesUnordered<Answer> = FuturesUnordered::new();
    let send = |message: Vec<u8>| drop(output.send(message));
    loop {
        tokio::select! {
            frame = frames.recv() => {
                let Some(frame) = frame else { return false };
                match message(frame) {
                    Ok(Message::Request(request)) => {
                        let is_exit = request.method() == "exit";
                        let shut_down = service.inner().is_shut_down();
                        if poll_fn(|context| service.poll_ready(context)).await.is_err() {
                            return shut_down;
                        }
                        let id = request.id().cloned();
                        let mut answer: Answer = service.call(request).map(|it| Ok(answered(id, it?))).boxed();
                        match (&mut answer).now_or_never() {
                            Some(Ok(Some(response))) => send(bytes(&response)),
                            Some(_) => {}
                            None => pending.push(answer),
                        }
                        if is_exit {
                            return shut_down;
                        }
                    }
                    Ok(Message::Response(response)) => {
                        let _ = from_client.send(response).await;
                    }
                    Err(refusal) => send(bytes(&refusal)),
                }
            }
            Some(answer) = pending.next(), if !pending.is_empty() => {
                if let Ok(Some(response)) = answer {
                    send(bytes(&response));
                }
            }
            Some(request) = to_client.next() => send(bytes(&request)),
        }
    }
}

/// The answer to a message. A notification has none; but a client that numbers one, like a request, waits for an answer.
fn answered(id: Option<Id>, answer: Option<Response>) -> Option<Response> {
    answer.or_else(|| Some(Response::from_error(id?, Error::invalid_request())))
}

/// A message from the client.
enum Message {
    Request(Request),
    Response(Response),
}

/// Parses a message, or returns an error response.
fn message(frame: Frame) -> Result<Message, Response> {
    let content = match frame {
        Frame::Content(content) => content,
        Frame::Malformed(why) => return Err(refusal(&Value::Null, ErrorCode::ParseError, &why)),
    };
    let mut value: Value = serde_json::from_slice(&content)
        .map_err(|error| refusal(&Value::Null, ErrorCode::ParseError, &error.to_string()))?;
    let id = value.get("id").cloned().unwrap_or_default();
    let wrong = |error: serde_json::Error| refusal(&id, ErrorCode::InvalidRequest, &error.to_string());
    if let Some(method) = value.get("method") {
        // Some clients send parameters where there are none: nothing, null, or an empty object.
        if WITHOUT_PARAMETERS.iter().any(|it| method == it)
            && let Some(message) = value.as_object_mut()
        {
            message.remove("params");
        }
        serde_json::from_value(value).map(Message::Request).map_err(wrong)
    } else {
        serde_json::from_value(value).map(Message::Response).map_err(wrong)
    }
}

/// An error for a message that cannot be handled.
fn refusal(id: &Value, code: ErrorCode, why: &str) -> Response {
    let id: Option<NumberOrString> = serde_json::from_value(id.clone()).ok();
    let error = Error { code, message: why.to_owned().into(), data: None };
    Response::from_error(id.map(Into::into).unwrap_or_default(), error)
}

/// A message as bytes. Requests and responses are maps with string keys, which always serialize.
fn bytes(message: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(message).unwrap_or_default()
}
