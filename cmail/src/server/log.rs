//! The destination of the log: standard error, or a file that is reopened after it was moved away.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// The file of the log.
#[derive(Clone, Debug)]
struct Log {
    path: PathBuf,
    file: Arc<RwLock<Arc<File>>>,
}

/// The log of this process, if it goes to a file.
static LOG: OnceLock<Log> = OnceLock::new();

/// One line of the log.
#[derive(Debug)]
struct Entry(Arc<File>);

impl Write for Entry {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        (&*self.0).write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Entry;

    fn make_writer(&'a self) -> Entry {
        Entry(self.file.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// Starts the log; `RUST_LOG` sets the level.
pub fn start(json: bool, path: Option<&Path>) -> io::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter);
    let Some(path) = path else {
        let log = log.with_writer(io::stderr);
        match json {
            true => log.json().init(),
            false => log.with_ansi(io::stderr().is_terminal()).init(),
        }
        return Ok(());
    };
    let file = Log { path: path.to_owned(), file: Arc::new(RwLock::new(Arc::new(open(path)?))) };
    let file = LOG.get_or_init(|| file).clone();
    let log = log.with_writer(file);
    match json {
        true => log.json().init(),
        false => log.with_ansi(false).init(),
    }
    Ok(())
}

/// Reopens the file of the log, which may have been replaced. If that fails, the old one stays in use.
pub fn reopen() -> io::Result<()> {
    let Some(log) = LOG.get() else { return Ok(()) };
    let file = open(&log.path)?;
    *log.file.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(file);
    Ok(())
}

/// The file of the log, if there is one.
pub fn file() -> Option<Arc<File>> {
    Some(LOG.get()?.file.read().unwrap_or_else(PoisonError::into_inner).clone())
}

fn open(path: &Path) -> io::Result<File> {
    let file = File::options().append(true).create(true).mode(0o640).open(path);
    file.map_err(|error| io::Error::new(error.kind(), format!("the log {}: {error}", path.display())))
}
