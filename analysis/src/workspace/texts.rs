//! The texts of files: those on disk, overridden by the buffers of an editor.

use std::{collections::HashMap, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};

/// A text, or the message why it cannot be read.
pub type Text = Result<Arc<str>, String>;

/// Texts, read once and kept until they are reported as changed.
#[derive(Debug, Default)]
pub struct Texts {
    disk: HashMap<Utf8PathBuf, Text>,
    buffers: HashMap<Utf8PathBuf, Arc<str>>,
    /// The folder that is hidden, except for buffers.
    hidden: Option<Utf8PathBuf>,
}

impl Texts {
    /// The text of a file.
    ///
    /// # Errors
    /// If it cannot be read as UTF-8.
    pub fn read(&mut self, path: &Utf8Path) -> Text {
        let path = identity(path);
        match self.buffers.get(&path) {
            Some(text) => Ok(Arc::clone(text)),
            None if self.hides(&path) => Err("it is hidden, and not among the buffers".to_owned()),
            None => self.disk.entry(path).or_insert_with_key(|path| read(path)).clone(),
        }
    }

    /// Whether the file exists.
    pub fn exists(&self, path: &Utf8Path) -> bool {
        let identity = identity(path);
        self.buffers.contains_key(&identity) || (!self.hides(&identity) && path.is_file())
    }

    /// Hides everything on disk below this folder, except buffers.
    pub fn hide(&mut self, folder: &Utf8Path) {
        self.hidden = Some(identity(folder));
    }

    fn hides(&self, path: &Utf8Path) -> bool {
        self.hidden.as_ref().is_some_and(|folder| path.starts_with(folder))
    }

    /// Gives a file this text, whatever is on disk.
    pub fn set_buffer(&mut self, path: &Utf8Path, text: Arc<str>) {
        self.buffers.insert(identity(path), text);
    }

    /// Drops the buffer of a file: the text on disk is used again.
    pub fn close_buffer(&mut self, path: &Utf8Path) {
        self.buffers.remove(&identity(path));
        self.changed_on_disk(path);
    }

    /// Records that the file on disk has changed.
    pub fn changed_on_disk(&mut self, path: &Utf8Path) {
        self.disk.remove(&identity(path));
    }
}

fn read(path: &Utf8Path) -> Text {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map(Arc::from).map_err(|_| "it is not UTF-8".to_owned())
}

/// A canonical path, the same for all paths to a file.
pub(super) fn identity(path: &Utf8Path) -> Utf8PathBuf {
    path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned())
}
