//! The record of a run: each call, its process, its start and end, and its result. One JSON object per line, appended with one
//! call, so that processes may share a file. Contents are written as digests, since only their equality matters.

use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cspec::Pid;
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// One recorded call, with its times and its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The process that made it.
    pub process: String,
    /// The start, in nanoseconds on a clock that all processes of a machine share.
    pub start: u64,
    /// The end, on the same clock.
    pub end: u64,
    /// The operation, with its arguments and result.
    #[serde(flatten)]
    pub call: Call,
}

/// A file: user, directory, name.
pub type Place = (String, String, String);

/// A call with its result. The first nine are operations of the lowest layer, the others of the top layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are named after the arguments and results of the operations")]
pub enum Call {
    Create { file: Place, result: bool },
    Write { file: Place, message: String, result: bool },
    Link { from: Place, to: Place, result: String },
    Unlink { file: Place },
    List { user: String, dir: String, result: Vec<String> },
    Read { file: Place, result: Option<String> },
    Lock { user: String },
    Unlock { user: String },
    Exists { user: String, result: bool },
    CheckUser { user: String, result: bool },
    Deliver { user: String, message: String, result: bool },
    Pickup { user: String, result: Vec<(String, String)> },
    Delete { user: String, id: String },
}

impl Call {
    /// The user that it is about.
    pub fn user(&self) -> &str {
        match self {
            Call::Create { file, .. } | Call::Write { file, .. } | Call::Unlink { file } | Call::Read { file, .. } => {
                &file.0
            }
            Call::Link { to, .. } => &to.0,
            Call::List { user, .. }
            | Call::Lock { user }
            | Call::Unlock { user }
            | Call::Exists { user, .. }
            | Call::CheckUser { user, .. }
            | Call::Deliver { user, .. }
            | Call::Pickup { user, .. }
            | Call::Delete { user, .. } => user,
        }
    }

    /// Whether it is an operation of the top layer.
    pub fn is_top(&self) -> bool {
        matches!(self, Call::CheckUser { .. } | Call::Deliver { .. } | Call::Pickup { .. } | Call::Delete { .. })
    }
}

/// Contents as recorded. Empty contents are recorded as empty: the layers know the empty message.
pub fn digest(contents: &[u8]) -> String {
    if contents.is_empty() {
        return String::new();
    }
    let mut hasher = DefaultHasher::new();
    hasher.write(contents);
    format!("{}-{:016x}", contents.len(), hasher.finish())
}

/// Writes a record, or nothing.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Option<Arc<File>>);

impl Recorder {
    /// Appends to a file.
    pub fn append_to(path: &Path) -> io::Result<Recorder> {
        Ok(Recorder(Some(Arc::new(File::options().append(true).create(true).open(path)?))))
    }

    /// Whether calls are recorded.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The current time, if recording is on.
    pub fn now(&self) -> u64 {
        match self.0 {
            Some(_) => {
                // Linux has this clock.
                let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default();
                u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
            }
            None => 0,
        }
    }

    /// Records a completed call.
    pub fn record(&self, process: Pid, start: u64, call: impl FnOnce() -> Call) {
        let Some(file) = &self.0 else { return };
        let entry = Entry { process: process.to_string(), start, end: self.now(), call: call() };
        let line = serde_json::to_string(&entry).map(|line| line + "\n");
        if let Err(error) = line.map_err(io::Error::other).and_then(|line| (&**file).write_all(line.as_bytes())) {
            tracing::error!(%error, "the record has a gap");
        }
    }
}
