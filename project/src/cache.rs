//! Verdicts on disk, in `target/cspec/cache`: a file for each result, named by the fingerprint of everything that it depends on, including
//! the engine.
//!
//! A file is trusted only if its checksum is right and it contains the requested fingerprint: a truncated, changed or foreign file is
//! treated as missing, and is rewritten. A file is written under another name and then renamed, so concurrent runs never see half of one;
//! if two write the same result, the last rename wins, and both have the same content. If the disk is not writable, the run continues
//! without the cache, and says so once.

use std::{
    collections::HashSet,
    fs,
    io::{self, Write as _},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use camino::{Utf8DirEntry, Utf8Path, Utf8PathBuf};
use cspec_analysis::{
    obligations::report::Settled,
    results::{self, Fingerprint},
};

/// The first words of every file. The number changes with the layout.
const MAGIC: &str = "cspec result 1";

/// A cache: a folder of results.
#[derive(Debug)]
pub struct Cache {
    folder: Utf8PathBuf,
    failure: OnceLock<String>,
}

/// The cache folder of a workspace.
pub fn folder(target_directory: &Utf8Path) -> Utf8PathBuf {
    target_directory.join("cspec").join("cache")
}

impl Cache {
    /// The cache in this target directory. The folder is created when the first result is stored.
    pub fn new(target_directory: &Utf8Path) -> Cache {
        Cache { folder: folder(target_directory), failure: OnceLock::new() }
    }

    /// The fingerprints of all stored results. It saves a file access for each result that is not stored.
    pub fn fingerprints(&self) -> HashSet<Fingerprint> {
        let entries = |folder: &Utf8Path| folder.read_dir_utf8().into_iter().flatten().flatten();
        let groups = entries(&self.folder);
        let in_group = |group: Utf8DirEntry| {
            let rests = entries(group.path()).map(move |it| format!("{}{}", group.file_name(), it.file_name()));
            rests.filter_map(|name| name.parse().ok()).collect::<Vec<Fingerprint>>()
        };
        groups.flat_map(in_group).collect()
    }

    /// Why results could not be stored, if storing failed.
    pub fn failure(&self) -> Option<String> {
        self.failure.get().map(|why| format!("the cache in {} cannot be written: {why}", self.folder))
    }

    fn path(&self, fingerprint: Fingerprint) -> Utf8PathBuf {
        let name = fingerprint.to_string();
        let (group, rest) = name.split_at(2);
        self.folder.join(group).join(rest)
    }

    fn write(&self, fingerprint: Fingerprint, text: &str) -> io::Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let path = self.path(fingerprint);
        let group = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(group)?;
        let unfinished = group.join(format!(".{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        let written = fs::File::create(&unfinished)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&unfinished, &path));
        if written.is_err() {
            // Only the first error is reported.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }
}

impl results::Cache for Cache {
    fn load(&self, fingerprint: Fingerprint) -> Option<Settled> {
        decode(fingerprint, &fs::read_to_string(self.path(fingerprint)).ok()?)
    }

    fn store(&self, fingerprint: Fingerprint, settled: &Settled) {
        if self.failure.get().is_some() {
            return;
        }
        let written = encode(fingerprint, settled).and_then(|text| self.write(fingerprint, &text));
        if let Err(error) = written {
            // Another process may have stored the same result already.
            let _ = self.failure.set(error.to_string());
        }
    }
}

/// The text of a file: `cspec result 1 FINGERPRINT CHECKSUM`, and below it the result.
///
/// # Errors
/// If the result cannot be written as JSON.
pub fn encode(fingerprint: Fingerprint, settled: &Settled) -> io::Result<String> {
    let body = serde_json::to_string(settled)?;
    Ok(format!("{}\n{body}", head(fingerprint, &body)))
}

/// Parses the text of a file. `None` unless it was written for this fingerprint and is undamaged.
pub fn decode(fingerprint: Fingerprint, text: &str) -> Option<Settled> {
    let (found, body) = text.split_once('\n')?;
    (found == head(fingerprint, body)).then(|| serde_json::from_str(body).ok()).flatten()
}

/// The first line of a file.
fn head(fingerprint: Fingerprint, body: &str) -> String {
    format!("{MAGIC} {fingerprint} {}", checksum(fingerprint, body))
}

fn checksum(fingerprint: Fingerprint, body: &str) -> blake3::Hash {
    blake3::hash(format!("{fingerprint} {body}").as_bytes())
}
