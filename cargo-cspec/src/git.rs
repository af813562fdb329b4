//! Reads git's data: the files of the index and of the last commit, as blobs. It checks out, stashes and writes nothing.
//!
//! Inside a hook, git's environment variables select the index, and every call here inherits them.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    sync::Arc,
};

use camino::{Utf8Path, Utf8PathBuf};
use cspec_analysis::session::Session;

/// The Rust files of one state of a repository.
pub struct Tree {
    root: Utf8PathBuf,
    files: Vec<(Utf8PathBuf, Arc<str>)>,
}

impl Tree {
    /// The files in the index.
    pub fn staged() -> Result<Tree, String> {
        let root = root()?;
        let listed = git(&root, &["ls-files", "--stage", "-z", "--", "*.rs"])?;
        // `MODE OBJECT STAGE\tPATH`; stage 0 is what will be committed, the others are sides of a conflict.
        let entries = listed.split('\0').filter_map(|entry| {
            let (head, path) = entry.split_once('\t')?;
            let mut words = head.split(' ').skip(1);
            let object = words.next()?;
            (words.next() == Some("0")).then_some((path, object))
        });
        Tree::read(root.clone(), entries)
    }

    /// The files of the last commit; empty if there is none yet.
    pub fn last_commit() -> Result<Tree, String> {
        let root = root()?;
        let Ok(listed) = git(&root, &["ls-tree", "-r", "-z", "HEAD"]) else {
            return Ok(Tree { root, files: Vec::new() });
        };
        // `MODE TYPE OBJECT\tPATH`.
        let entries = listed.split('\0').filter_map(|entry| {
            let (head, path) = entry.split_once('\t')?;
            path.ends_with(".rs").then_some((path, head.split(' ').nth(2)?))
        });
        Tree::read(root.clone(), entries)
    }

    /// Reads the objects of these paths, all with one call.
    fn read<'a>(root: Utf8PathBuf, entries: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Tree, String> {
        let (paths, objects): (Vec<&str>, Vec<&str>) = entries.unzip();
        let blobs = blobs(&root, &objects)?;
        let text = |blob: Vec<u8>| Arc::from(String::from_utf8_lossy(&blob));
        let files = paths.into_iter().zip(blobs).map(|(path, blob)| (root.join(path), text(blob))).collect();
        Ok(Tree { root, files })
    }

    /// Makes a session see these files, and no others of the repository.
    pub fn lay_over(&self, session: &mut Session) {
        session.hide(&self.root);
        for (path, text) in &self.files {
            session.set_buffer(path, Arc::clone(text));
        }
    }
}

/// The Rust files and manifests with staged changes, as absolute paths, including staged removals.
pub fn changed() -> Result<Vec<Utf8PathBuf>, String> {
    let root = root()?;
    let arguments = ["diff", "--cached", "--name-only", "--no-renames", "-z", "--", "*.rs", "*Cargo.toml"];
    let paths = git(&root, &arguments)?;
    Ok(paths.split('\0').filter(|path| !path.is_empty()).map(|path| root.join(path)).collect())
}

/// Manifests whose staged text differs from the one on disk.
pub fn unstaged_manifests() -> Result<Vec<Utf8PathBuf>, String> {
    let paths = git(&root()?, &["diff", "--name-only", "-z", "--", "*Cargo.toml"])?;
    Ok(paths.split('\0').filter(|path| !path.is_empty()).map(Utf8PathBuf::from).collect())
}

/// A file with an uncommitted change.
pub struct Uncommitted {
    /// Its path, relative to the work tree.
    pub path: Utf8PathBuf,
    /// Whether the whole change is staged.
    pub is_staged: bool,
}

/// The files of the work tree that contains a folder with uncommitted changes, without ignored files.
pub fn uncommitted(folder: &Utf8Path) -> Result<Vec<Uncommitted>, String> {
    let listed = git(folder, &["status", "--porcelain", "--no-renames", "-z"])?;
    // `XY PATH`: X is the staged state, Y the unstaged one.
    let file = |entry: &str| {
        let (state, path) = entry.split_at_checked(3)?;
        Some(Uncommitted { path: path.into(), is_staged: state.as_bytes()[1] == b' ' })
    };
    Ok(listed.split('\0').filter_map(file).collect())
}

/// The root of the work tree. The error is a finished message.
pub fn root() -> Result<Utf8PathBuf, String> {
    let root = git(Utf8Path::new("."), &["rev-parse", "--show-toplevel"])
        .map_err(|error| format!("this needs the work tree of a git repository: {error}"))?;
    Ok(root.trim_end_matches('\n').into())
}

/// The folder of the hooks, according to the settings of the repository.
pub fn hooks() -> Result<Utf8PathBuf, String> {
    let root = root()?;
    let path = git(&root, &["rev-parse", "--git-path", "hooks"])?;
    Ok(root.join(path.trim_end_matches('\n')))
}

/// The output of a git command. The error is its message.
fn git(folder: &Utf8Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git").args(arguments).current_dir(folder).output();
    let output = output.map_err(|error| format!("cannot run git: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    String::from_utf8(output.stdout).map_err(|_| "git lists a file whose name is not UTF-8".to_owned())
}

/// The contents of objects, in their order.
fn blobs(folder: &Utf8Path, objects: &[&str]) -> Result<Vec<Vec<u8>>, String> {
    let failed = |error: std::io::Error| format!("cannot read objects from git: {error}");
    let mut child = Command::new("git")
        .args(["cat-file", "--batch"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let request = objects.join("\n") + "\n";
    let mut stdin = child.stdin.take().ok_or("cannot write to git")?;
    // On another thread, since git writes answers while it reads requests.
    let asking = std::thread::spawn(move || stdin.write_all(request.as_bytes()));
    let output = child.wait_with_output().map_err(failed)?;
    if let Ok(asked) = asking.join() {
        asked.map_err(failed)?;
    }
    let mut rest = output.stdout.as_slice();
    let mut blobs = Vec::new();
    for object in objects {
        let (blob, after) = next_blob(rest).ok_or_else(|| format!("git does not have the object {object}"))?;
        blobs.push(blob.to_vec());
        rest = after;
    }
    Ok(blobs)
}

/// `OBJECT blob SIZE\n`, the blob, `\n`: the blob, and what comes after it.
fn next_blob(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = answer.iter().position(|byte| *byte == b'\n')?;
    let size: usize = std::str::from_utf8(&answer[..end]).ok()?.rsplit(' ').next()?.parse().ok()?;
    let rest = answer.get(end + 1..)?;
    Some((rest.get(..size)?, rest.get(size + 1..)?))
}
