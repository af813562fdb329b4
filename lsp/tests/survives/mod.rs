//! A property of the server for every stream of bytes that a client may send. The fuzz targets in `fuzz/` check it too.

use std::{
    io::{Cursor, Write},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

/// The output of the server.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().map_err(|_| std::io::ErrorKind::Other)?.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Wraps a message in a frame.
pub fn framed(body: &[u8]) -> Vec<u8> {
    [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

/// Serves these bytes after `initialize`, to their end. Asserts that the output consists of whole messages, each a response or a
/// notification of the server.
pub fn survives(bytes: &[u8]) -> Vec<Value> {
    let hello = json!({ "jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": { "capabilities": {} } });
    let input = [&framed(hello.to_string().as_bytes()), bytes].concat();
    let written = Written::default();
    cspec_lsp::run(Cursor::new(input), written.clone());
    let bytes = written.0.lock().expect("no writer has panicked").clone();
    let messages = messages(&bytes);
    assert!(messages.iter().any(|it| it["id"] == "hello" && it.get("result").is_some()), "hello is answered");
    for message in &messages {
        let is_answer = message.get("result").is_some() != message.get("error").is_some();
        assert!(message["jsonrpc"] == "2.0" && (is_answer || message["method"].is_string()), "{message}");
        assert!(message["error"]["code"] != -32603, "an internal error: {message}");
    }
    messages
}

fn messages(mut bytes: &[u8]) -> Vec<Value> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").expect("a header ends");
        let header = std::str::from_utf8(&bytes[..end]).expect("a header is text");
        let length = header.strip_prefix("Content-Length: ").and_then(|it| it.parse::<usize>().ok());
        let length = length.expect("a header tells the length");
        let body = &bytes[end + 4..][..length];
        messages.push(serde_json::from_slice(body).expect("a message is JSON"));
        bytes = &bytes[end + 4 + length..];
    }
    messages
}
