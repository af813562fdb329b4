//! The bottom below the checked layers: the file system of Linux, by system calls. It is trusted, so it is small and simple.
//!
//! Each mailbox is a directory `ROOT/user` with `tmp` and `mail` in it. The server's own files are in `ROOT/.cmail`, a name that
//! no mailbox can have. Every path starts from a directory handle and is one component long; no symbolic link is followed,
//! so nothing outside the root can be reached.
//!
//! Errors. If the specification of an operation includes failure, the operation reports it. One without failure (listing, locking,
//! deleting) cannot continue if the system call fails, and neither can the process that called it: the process stops there, by unwinding
//! with [`Stopped`], its lock is released as if it had been killed, and its waiting callers get an error. Nothing is retried for ever: only
//! calls interrupted by a signal are repeated.
//!
//! No other code in this crate opens a file of a mailbox. [`Bottom`] performs the operations of the lowest layer and no others
//! on mail; only the threads of the store hold one.

mod calls;
mod disk;
pub(crate) mod histogram;
mod incarnation;
mod listing;
mod probe;
mod root;
mod sync;
mod temporary;
mod usage;

use std::collections::VecDeque;

use cspec::prelude::*;

pub(crate) use self::calls::{flock, retry_on_intr};
pub(crate) use self::disk::{Disk, Durability, Stopped};
pub use self::incarnation::{Incarnations, recover};
pub(crate) use self::probe::probe;
pub use self::root::{Error, Root, SessionLock};
pub(crate) use self::sync::Syncs;
pub(crate) use self::usage::Usage;
use crate::conform::record::{Call, Place, Recorder, digest};
use crate::conform::{dir_name, linked_name};
use crate::layers::*;

/// The lowest layer, for one process: its files, and the client that it serves.
#[derive(Debug)]
pub(crate) struct Bottom {
    disk: Disk,
    client: Client,
    recorder: Recorder,
}

/// A client, as a list of requests; the responses are kept for it.
#[derive(Debug, Default)]
pub(crate) struct Client {
    requests: VecDeque<Request>,
    responses: Vec<Response>,
}

impl Client {
    /// A client that makes these requests, and then leaves.
    pub fn new(requests: impl IntoIterator<Item = Request>) -> Client {
        Client { requests: requests.into_iter().collect(), responses: Vec::new() }
    }
}

impl Bottom {
    /// A process without a client.
    pub fn new(disk: Disk, recorder: Recorder) -> Bottom {
        Bottom { disk, client: Client::default(), recorder }
    }

    pub fn process(&self) -> Pid {
        self.disk.pid()
    }

    /// Ends the process, and starts the next one, which will accept this client.
    pub fn admit(&mut self, client: Client) {
        self.disk.next_incarnation();
        self.client = client;
    }

    /// The responses to the client. If syncing is on, everything is on disk.
    pub fn dismiss(&mut self) -> Vec<Response> {
        std::mem::take(&mut self.client).responses
    }
}

/// A file, as it is recorded.
fn place(file: File) -> Place {
    (file.0.0, dir_name(file.1), file.2)
}

/// Performed by system calls. The engine does not read this: it is trusted.
#[bottom]
impl MailFSInode for Bottom {
    fn pid(&mut self) -> Pid {
        self.disk.pid()
    }

    fn random(&mut self) -> u64 {
        self.disk.random()
    }

    fn exists(&mut self, user: User) -> bool {
        let start = self.recorder.now();
        let result = self.disk.exists(&user.0);
        self.recorder.record(self.disk.pid(), start, || Call::Exists { user: user.0, result });
        result
    }

    fn create(&mut self, file: File) -> bool {
        let start = self.recorder.now();
        let result = self.disk.create(&file.0.0, file.1, &file.2);
        self.recorder.record(self.disk.pid(), start, || Call::Create { file: place(file), result });
        result
    }

    fn write(&mut self, file: File, message: Message) -> bool {
        let start = self.recorder.now();
        let result = self.disk.write(&file.0.0, file.1, &file.2, &message.0);
        let call = || Call::Write { file: place(file), message: digest(&message.0), result };
        self.recorder.record(self.disk.pid(), start, call);
        result
    }

    fn link(&mut self, from: File, to: File) -> Linked {
        if from.0 != to.0 {
            return Linked::Failed;
        }
        let start = self.recorder.now();
        let linked = self.disk.link(&from.0.0, (from.1, &from.2), (to.1, &to.2));
        let call = || Call::Link { from: place(from), to: place(to), result: linked_name(linked) };
        self.recorder.record(self.disk.pid(), start, call);
        linked
    }

    fn unlink(&mut self, file: File) {
        let start = self.recorder.now();
        self.disk.unlink(&file.0.0, file.1, &file.2);
        self.recorder.record(self.disk.pid(), start, || Call::Unlink { file: place(file) });
    }

    fn list(&mut self, user: User, dir: Dir) -> Set<String> {
        let start = self.recorder.now();
        let names = self.disk.list(&user.0, dir);
        let call = || Call::List { user: user.0, dir: dir_name(dir), result: names.iter().cloned().collect() };
        self.recorder.record(self.disk.pid(), start, call);
        names
    }

    fn read(&mut self, file: File) -> Option<Message> {
        let start = self.recorder.now();
        let contents = self.disk.read(&file.0.0, file.1, &file.2);
        let call = || Call::Read { file: place(file), result: contents.as_deref().map(digest) };
        self.recorder.record(self.disk.pid(), start, call);
        contents.map(Message)
    }

    fn lock(&mut self, user: User) {
        let start = self.recorder.now();
        self.disk.lock(&user.0);
        self.recorder.record(self.disk.pid(), start, || Call::Lock { user: user.0 });
    }

    fn unlock(&mut self, user: User) {
        let start = self.recorder.now();
        self.disk.unlock(&user.0);
        self.recorder.record(self.disk.pid(), start, || Call::Unlock { user: user.0 });
    }

    fn accept(&mut self) -> Connection {
        Connection(0)
    }

    fn request(&mut self, client: Connection) -> Request {
        let _only_one = client;
        self.client.requests.pop_front().unwrap_or(Request::Quit)
    }

    /// Nothing is acknowledged before it is on disk.
    fn respond(&mut self, client: Connection, response: Response) {
        let _only_one = client;
        self.disk.settle();
        self.client.responses.push(response);
    }
}
