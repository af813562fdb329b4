//! The language server: what the engine finds, while you type.
//!
//! Three kinds of thread, and one direction for each kind of message. The *transport* (`stdio`, one async thread) reads messages and hands
//! them, in their order, to handlers (`server`) that do nothing but push into the queue of the *session*. The session (`session`, one
//! thread) owns all state: documents, packages, verdicts. It answers requests at once, from what is known, and starts *runs* (`run`) of the
//! engine on threads of their own. A run sends its outcomes to the session's queue; an edit stops it.
//!
//! This crate holds no opinion on layers or procedures: every verdict and every word of a diagnostic comes from `cspec_analysis`.

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

/// Serves a client on standard input and output until it says `exit` or goes away.
///
/// Gives whether it left in good order: after `shutdown` and `exit` the process is to end with status 0, and otherwise with 1.
pub fn run_stdio() -> bool {
    run(std::io::stdin(), std::io::stdout())
}

/// The same on any two streams of bytes.
pub fn run(input: impl std::io::Read + Send + 'static, output: impl std::io::Write + Send + 'static) -> bool {
    stdio::run(input, output)
}
