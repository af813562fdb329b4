//! Import and export of mail: Maildir directories and mbox files. Messages go through the store, like those of clients.
//! Outside files have LF line endings; a mailbox of this server has CRLF, as messages are sent.

mod maildir;
mod mbox;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::Root;
use crate::conform::record::Recorder;
use crate::layers::encode;
use crate::server::pop3::with_crlf;
use crate::server::store::{Options, Plan, Store};
use crate::server::{Failure, trace};

/// The other side of a transfer.
#[derive(Clone, Debug)]
pub enum Place {
    /// A directory with `tmp`, `new` and `cur` in it.
    Maildir(PathBuf),
    /// One file in the `mboxrd` format.
    Mbox(PathBuf),
}

/// A message to export.
struct Leaving {
    /// Its unique name on this server.
    name: String,
    /// The text with LF line endings.
    text: Vec<u8>,
    /// The sender, as recorded when the message was received.
    sender: String,
    /// The time when it was received.
    time: SystemTime,
}

/// Imports messages into a mailbox, each durably before the next one. Returns their number. If it fails, those before stay.
pub fn import(root: &Path, user: &str, from: &Place) -> Result<usize, Failure> {
    let store = open(root, user)?;
    let mut taken = 0;
    let mut take = |text: &[u8]| -> Result<(), Failure> {
        let users = [user.to_owned()];
        match block_on(store.deliver(&users, with_crlf(text.to_vec())))? {
            true => taken += 1,
            false => return Err(format!("a message could not be stored; {taken} before it were stored").into()),
        }
        Ok(())
    };
    match from {
        Place::Maildir(path) => {
            for file in maildir::messages(path)? {
                take(&fs::read(&file).map_err(|error| at(&file, &error))?)?;
            }
        }
        Place::Mbox(path) => {
            let text = fs::read(path).map_err(|error| at(path, &error))?;
            for message in mbox::split(&text).map_err(|why| format!("{}: {why}", path.display()))? {
                take(&message)?;
            }
        }
    }
    Ok(taken)
}

/// Copies all messages of a mailbox, which stay in it. Returns their number, and how many of them existed already.
pub fn export(root: &Path, user: &str, to: &Place) -> Result<(usize, usize), Failure> {
    let store = open(root, user)?;
    let Some(_lock) = store.session(user).map_err(|_| "the mailbox cannot be opened")? else {
        return Err(format!("the mailbox {user} is open in a session; retry when that has ended").into());
    };
    let mail = block_on(store.pickup(user))?.map_err(|_| "the mailbox cannot be read; standard error says why")?;
    let messages: Vec<Leaving> = mail
        .into_iter()
        .map(|(id, message)| {
            let (sender, time) = trace::origin(&message.0).unwrap_or((String::new(), SystemTime::now()));
            Leaving { name: encode(&id), text: with_lf(&message.0), sender, time }
        })
        .collect();
    let there_already = match to {
        Place::Maildir(path) => maildir::add(path, &messages).map_err(|error| at(path, &error))?,
        Place::Mbox(path) => {
            mbox::create(path, &messages).map_err(|error| at(path, &error))?;
            0
        }
    };
    Ok((messages.len(), there_already))
}

fn open(root: &Path, user: &str) -> Result<Store, Failure> {
    if !Root::open(root)?.has_user(user) {
        return Err(format!("there is no mailbox {user:?}; `cmail adduser` creates one").into());
    }
    let options = Options { threads: 1, plan: Plan::default(), durable: true, recorder: Recorder::default() };
    Ok(Store::start(root, options)?)
}

fn block_on<T>(what: impl Future<Output = T>) -> io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().build()?.block_on(what))
}

fn at(path: &Path, error: &io::Error) -> Failure {
    format!("{}: {error}", path.display()).into()
}

/// The text with LF where it has CRLF.
fn with_lf(text: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                lines.extend_from_slice(line);
                lines.push(b'\n');
            }
            None => lines.extend_from_slice(line),
        }
    }
    lines
}
