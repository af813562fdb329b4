//! The language server: shows the engine's findings while you type.
//!
//! There are three kinds of threads, and each kind of message flows in one direction. The *transport* (`stdio`, one async thread) reads
//! messages and passes them, in order, to handlers (`server`) that only push into the queue of the *session*. The session (`session`, one
//! thread) owns all state: documents, packages, verdicts. It answers requests at once, from what is known, and starts *runs* (`run`) of the
//! engine on separate threads. A run sends its outcomes to the session's queue; an edit stops it.
//!
//! Every verdict and the text of every diagnostic come from `cspec_analysis`.

mod capabilities;
mod config;
mod documents;
mod features;
mod keep;
mod mentions;
mod parent;
mod position;
mod publish;
mod run;
mod server;
mod session;
mod snapshot;
mod stdio;
mod verdicts;

/// Serves a client on standard input and output until it sends `exit` or disconnects.
///
/// Returns whether it disconnected properly: after `shutdown` and `exit` the process must end with status 0, otherwise with 1.
pub fn run_stdio() -> bool {
    run(std::io::stdin(), std::io::stdout())
}

/// Like [`run_stdio`], on any two streams of bytes.
pub fn run(input: impl std::io::Read + Send + 'static, output: impl std::io::Write + Send + 'static) -> bool {
    stdio::run(input, output)
}
