//! `CSPEC_LOG`: what the engine does, on standard error, for those who change cspec.
//!
//! The value is a filter of `tracing-subscriber`: `CSPEC_LOG=debug` shows each obligation and how long it took,
//! `CSPEC_LOG=cspec_analysis=trace` also each search and what it split. Unset, nothing is logged.

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
    // A log that was started before, by a test in the same process, stays as it is.
    let _ = log.try_init();
}
