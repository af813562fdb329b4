//! Bugs in cspec itself: turns a panic into a message that says so, with exit status 101.

use std::{
    any::Any,
    io::Write as _,
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    sync::Mutex,
};

use crate::{exit::Status, render::json};

/// The message of the last panic. A panic in a worker thread reaches [`guard`] without its location, so the hook stores it.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Runs `work`; a panic in it is reported and becomes [`Status::Bug`].
///
/// With `json`, one `compiler-message` is printed as well: editors take a run without any message for a broken tool.
pub fn guard(json: bool, work: impl FnOnce() -> Status) -> Status {
    panic::set_hook(Box::new(report));
    rescued(json, work)
}

/// [`guard`] without the hook, which belongs to the process.
fn rescued(json: bool, work: impl FnOnce() -> Status) -> Status {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        if json {
            let told = LAST.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
            let told = told.unwrap_or_else(|| words(payload.as_ref()).to_owned());
            let _ = writeln!(std::io::stdout(), "{}", json::internal_error(&told));
        }
        Status::Bug
    })
}

fn report(info: &PanicHookInfo<'_>) {
    let place = info.location().map(|place| format!(" at {place}")).unwrap_or_default();
    let told = format!("{}{place}", words(info.payload()));
    let mut stderr = std::io::stderr().lock();
    // If printing fails here, nothing can be done.
    let _ = writeln!(stderr, "error: internal error in cspec {}: {told}", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(stderr, "This is a bug in cspec, not in your program. Ignore all verdicts of this run.");
    let _ = writeln!(stderr, "Please report it with the input that led here.");
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|wanted| wanted != "0") {
        let _ = writeln!(stderr, "{}", std::backtrace::Backtrace::force_capture());
    } else {
        let _ = writeln!(stderr, "RUST_BACKTRACE=1 shows where it happened.");
    }
    *LAST.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(told);
}

/// The message of a panic.
fn words(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_our_bug_and_everything_else_is_as_it_was() {
        assert_eq!(rescued(false, || Status::Undecided), Status::Undecided);
        assert_eq!(rescued(false, || panic!("a panic on purpose")), Status::Bug);
        assert_eq!(rescued(true, || panic!("a panic on purpose")), Status::Bug);
    }
}
