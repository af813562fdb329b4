//! `CSPEC_LOG`: logs what the engine does to standard error, for developers of cspec.
//!
//! The value is a filter of `tracing-subscriber`: `CSPEC_LOG=debug` logs each obligation and its duration,
//! `CSPEC_LOG=cspec_analysis=trace` also each search and each case split. If it is unset, nothing is logged.

use std::io;

use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

/// Starts logging, if `CSPEC_LOG` is set.
pub fn start() {
    let Ok(filter) = std::env::var("CSPEC_LOG") else { return };
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(io::stderr);
    // If a test in the same process has started a log already, that one is kept.
    let _ = log.try_init();
}
