//! The client's open documents: their texts, which override the disk, and their versions.
//!
//! This module knows nothing of packages. Edits are applied in the given order; a change that cannot be applied leaves text and
//! version unchanged.

use std::{collections::HashMap, sync::Arc};

use camino::Utf8PathBuf;
use tower_lsp_server::ls_types::{TextDocumentContentChangeEvent, Uri};

use crate::position::{Encoding, Text};

/// An open document, as the client last described it.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its URI, as the client writes it.
    pub uri: Uri,
    /// The version of this text, given by the client.
    pub version: i32,
    pub text: Text,
    /// Whether the text equals the one on disk, as far as is known.
    pub is_saved: bool,
}

/// All open documents, by file.
#[derive(Debug, Default)]
pub struct Documents {
    open: HashMap<Utf8PathBuf, Document>,
}

/// Why a change was not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The document is not open.
    NotOpen,
    /// The version is not newer than the current one.
    OldVersion,
    /// The end of a range is before its start.
    ReversedRange,
}

impl Documents {
    /// The document of a file, if it is open.
    pub fn get(&self, path: &Utf8PathBuf) -> Option<&Document> {
        self.open.get(path)
    }

    /// The files of all open documents.
    pub fn paths(&self) -> impl Iterator<Item = &Utf8PathBuf> {
        self.open.keys()
    }

    /// Opens a document, or replaces one that is open.
    pub fn open(&mut self, path: Utf8PathBuf, uri: Uri, version: i32, text: String) {
        let is_saved = std::fs::read(&path).is_ok_and(|it| it == text.as_bytes());
        self.open.insert(path, Document { uri, version, text: Text::new(text.into()), is_saved });
    }

    /// Records that the text of a document was saved.
    pub fn saved(&mut self, path: &Utf8PathBuf) {
        if let Some(document) = self.open.get_mut(path) {
            document.is_saved = true;
        }
    }

    /// Closes a document; from now on the file on disk counts.
    pub fn close(&mut self, path: &Utf8PathBuf) -> bool {
        self.open.remove(path).is_some()
    }

    /// Applies the changes of one notification, all or none. Returns the first offset where the text has changed.
    ///
    /// # Errors
    /// If they are invalid.
    pub fn change(
        &mut self,
        path: &Utf8PathBuf,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> Result<u32, Refused> {
        let document = self.open.get_mut(path).ok_or(Refused::NotOpen)?;
        if version <= document.version {
            return Err(Refused::OldVersion);
        }
        let mut text = document.text.clone();
        for change in changes {
            text = changed(&text, change, encoding)?;
        }
        let edited_at = same_start(document.text.content(), text.content());
        document.text = text;
        document.is_saved = false;
        document.version = version;
        Ok(edited_at)
    }
}

/// The length of the common prefix of two texts.
fn same_start(before: &str, after: &str) -> u32 {
    before.bytes().zip(after.bytes()).take_while(|(before, after)| before == after).count() as u32
}

/// The text after one change.
fn changed(text: &Text, change: TextDocumentContentChangeEvent, encoding: Encoding) -> Result<Text, Refused> {
    let Some(range) = change.range else { return Ok(Text::new(change.text.into())) };
    if range.end < range.start {
        return Err(Refused::ReversedRange);
    }
    let (start, end) = (text.offset(range.start, encoding) as usize, text.offset(range.end, encoding) as usize);
    let before = text.content();
    let mut after = String::with_capacity(before.len() - (end - start) + change.text.len());
    after.push_str(&before[..start]);
    after.push_str(&change.text);
    after.push_str(&before[end..]);
    Ok(Text::new(Arc::from(after)))
}

/// The file of a `file:` URI, as a canonical path.
pub fn path_of(uri: &Uri) -> Option<Utf8PathBuf> {
    if !uri.scheme().as_str().eq_ignore_ascii_case("file") {
        return None;
    }
    let path = Utf8PathBuf::from_path_buf(uri.to_file_path()?.into_owned()).ok()?;
    Some(canonical(path))
}

/// A path with links resolved, as far as it exists.
pub fn canonical(path: Utf8PathBuf) -> Utf8PathBuf {
    path.canonicalize_utf8().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use tower_lsp_server::ls_types::{Position, Range};

    use super::*;

    fn one(text: &str) -> (Documents, Utf8PathBuf) {
        let mut documents = Documents::default();
        let path = Utf8PathBuf::from("/a.rs");
        documents.open(path.clone(), "file:///a.rs".parse().expect("a name"), 1, text.to_owned());
        (documents, path)
    }

    fn edit(start: (u32, u32), end: (u32, u32), text: &str) -> TextDocumentContentChangeEvent {
        let range = Range::new(Position::new(start.0, start.1), Position::new(end.0, end.1));
        TextDocumentContentChangeEvent { range: Some(range), range_length: None, text: text.to_owned() }
    }

    #[test]
    fn changes_of_one_notification_build_on_each_other() {
        let (mut documents, path) = one("fn a() {}\r\n");
        let changes = vec![edit((0, 3), (0, 4), "\u{1f980}"), edit((0, 5), (0, 5), "b")];
        assert_eq!(documents.change(&path, 2, changes, Encoding::Utf16), Ok(3), "the offset of the first change");
        let document = documents.get(&path).expect("it is open");
        assert_eq!((&**document.text.content(), document.version), ("fn \u{1f980}b() {}\r\n", 2));
    }

    #[test]
    fn what_makes_no_sense_changes_nothing() {
        let (mut documents, path) = one("abc");
        let reversed = vec![edit((0, 0), (0, 1), "x"), edit((0, 2), (0, 1), "y")];
        assert_eq!(documents.change(&path, 2, reversed, Encoding::Utf8), Err(Refused::ReversedRange));
        assert_eq!(
            documents.change(&path, 1, vec![edit((0, 0), (0, 0), "x")], Encoding::Utf8),
            Err(Refused::OldVersion)
        );
        let other = Utf8PathBuf::from("/b.rs");
        assert_eq!(documents.change(&other, 2, Vec::new(), Encoding::Utf8), Err(Refused::NotOpen));
        assert_eq!(&**documents.get(&path).expect("it is open").text.content(), "abc");
    }
}
