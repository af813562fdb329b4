//! The mail store as the sessions see it: they send requests, and get the answer when the request is done and on disk. Behind it are
//! threads, each of them one process of the layers: it takes a client, and serves it by the operations of the top layer, which run through
//! the whole checked stack. A thread that cannot continue stops as a process would, and the next one takes its place. One more process
//! answers at once whether a mailbox exists: it opens at most a few directories, which takes less time than waking a thread and being woken
//! by it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use cspec::{Map, Pid};
use tokio::sync::oneshot;
use tracing::error;

use super::queue::Queue;
use crate::bottom::{Bottom, Client, Disk, Durability, Error, Incarnations, Root, SessionLock, Stopped, Syncs, Usage};
use crate::conform::record::{Call, Recorder, digest};
use crate::layers::*;

/// How a delivery finds a free name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Plan {
    /// Plan 1: list the names of this process, take the next number.
    List,
    /// Plan 2: try numbers until one is free.
    #[default]
    Retry,
}

/// The options of the store.
#[derive(Clone, Debug)]
pub struct Options {
    /// Processes in the sense of the layers: the number of requests served at the same time.
    pub threads: usize,
    /// How deliveries find a free name.
    pub plan: Plan,
    /// Whether what is acknowledged survives a power failure.
    pub durable: bool,
    /// Where to record what is done.
    pub recorder: Recorder,
}

/// The operations on mail that a session has.
#[derive(Debug)]
pub struct Store {
    tasks: Arc<Queue<Task>>,
    /// The process that checks whether a mailbox exists.
    doorkeeper: Mutex<Bottom>,
    plan: Plan,
    root: Arc<Root>,
    syncs: Arc<Syncs>,
    usage: Usage,
}

impl Drop for Store {
    fn drop(&mut self) {
        self.tasks.close();
    }
}

/// A client, and the channel for its responses. If the process stops, there are none.
#[derive(Debug)]
struct Task {
    client: Client,
    reply: oneshot::Sender<Vec<Response>>,
}

/// The store failed; the log has the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble;

impl Store {
    /// Starts the threads. They end when the store is gone.
    pub fn start(root: &Path, options: Options) -> Result<Store, Error> {
        let root = Arc::new(Root::open(root)?);
        let incarnations = Arc::new(Incarnations::new(&root)?);
        let syncs = Arc::new(Syncs::default());
        let durability = match options.durable {
            true => Durability::Synced(syncs.clone()),
            false => Durability::unsynced(&root),
        };
        let process = || {
            let disk = Disk::new(root.clone(), incarnations.clone(), durability.clone());
            Bottom::new(disk, options.recorder.clone())
        };
        let threads = options.threads.max(1);
        let doorkeeper = Mutex::new(process());
        let (tasks, plan) = (Arc::new(Queue::new(threads)), options.plan);
        let store = Store { tasks, doorkeeper, plan, root: root.clone(), syncs, usage: Usage::default() };
        for number in 0..threads {
            let (bottom, tasks) = (process(), store.tasks.clone());
            let (plan, recorder) = (options.plan, options.recorder.clone());
            let run = move || {
                let next = std::iter::from_fn(|| tasks.take(number));
                work(next, bottom, plan, &recorder);
            };
            thread::Builder::new().name("store".to_owned()).spawn(run).map_err(Error::Thread)?;
        }
        Ok(store)
    }

    /// Whether there is a mailbox of this name.
    pub fn has_user(&self, user: &str) -> Result<bool, Trouble> {
        let user = User(user.to_owned());
        let mut bottom = self.doorkeeper.lock().unwrap_or_else(PoisonError::into_inner);
        bottom.admit(Client::default());
        let known = attempt(|| match self.plan {
            Plan::List => list_pid(&mut *bottom).check_user(user),
            Plan::Retry => try_numbers(&mut *bottom).check_user(user),
        });
        known.ok_or(Trouble)
    }

    /// Delivers the message to all of them, or to none.
    pub async fn deliver(&self, users: &[String], message: Vec<u8>) -> bool {
        let message = Message(message);
        let mut delivered = Vec::new();
        for user in users {
            let user = User(user.clone());
            let told = self.serve([Request::Deliver(user.clone(), message.clone())]).await;
            match told.as_deref() {
                Ok([Response::Delivered(true)]) => delivered.push(user),
                _ => {
                    self.take_back(delivered, &message).await;
                    return false;
                }
            }
        }
        true
    }

    /// Deletes a message that was not delivered to all: its youngest copy, which is ours or an identical one.
    async fn take_back(&self, users: Vec<User>, message: &Message) {
        for user in users {
            if let Ok(mail) = self.pickup(&user.0).await
                && let Some((id, _)) = mail.into_iter().filter(|(_, other)| other == message).max_by_key(|(id, _)| *id)
                && self.delete(&user.0, &[id]).await.is_err()
            {
                error!(user = user.0, "a message that was not accepted for all stays in this mailbox");
            }
        }
    }

    /// The messages of a mailbox.
    pub async fn pickup(&self, user: &str) -> Result<Map<MsgId, Message>, Trouble> {
        match self.serve([Request::Pickup(User(user.to_owned()))]).await?.pop() {
            Some(Response::Mail(mail)) => Ok(mail),
            _ => Err(Trouble),
        }
    }

    /// Deletes those of the messages that exist.
    pub async fn delete(&self, user: &str, ids: &[MsgId]) -> Result<(), Trouble> {
        let user = User(user.to_owned());
        let told = self.serve(ids.iter().map(|id| Request::Delete(user.clone(), *id))).await?;
        match told.len() == ids.len() && told.iter().all(|response| *response == Response::Deleted) {
            true => Ok(()),
            false => Err(Trouble),
        }
    }

    /// The one session that a mailbox may have open, if no other has.
    pub fn session(&self, user: &str) -> Result<Option<SessionLock>, Trouble> {
        self.root.session(user).map_err(|error| {
            error!(%error, "session");
            Trouble
        })
    }

    /// The approximate number of octets in a mailbox.
    pub fn usage(&self, user: &str) -> Result<u64, Trouble> {
        self.usage.measure(&self.root, user).map_err(|error| {
            error!(%error, "usage");
            Trouble
        })
    }

    /// The numbers of `fsync` calls by duration, and their total duration in microseconds.
    pub fn fsyncs(&self) -> (Vec<u64>, u64) {
        self.syncs.latency().read()
    }

    /// The number of requests that wait for a thread.
    pub fn queue(&self) -> usize {
        self.tasks.len()
    }

    async fn serve(&self, requests: impl IntoIterator<Item = Request>) -> Result<Vec<Response>, Trouble> {
        let (reply, answer) = oneshot::channel();
        self.tasks.push(Task { client: Client::new(requests), reply });
        answer.await.map_err(|_| Trouble)
    }
}

/// One thread: tasks until there are no more.
fn work(tasks: impl Iterator<Item = Task>, mut bottom: Bottom, plan: Plan, recorder: &Recorder) {
    for Task { client, reply } in tasks {
        bottom.admit(client);
        let process = bottom.process();
        let served = attempt(|| match plan {
            Plan::List => serve(&mut list_pid(&mut bottom), process, recorder),
            Plan::Retry => serve(&mut try_numbers(&mut bottom), process, recorder),
        });
        let told = bottom.dismiss();
        if served.is_some() {
            // The session that asked may have ended.
            let _ = reply.send(told);
        }
    }
}

/// Runs a process until it is done, or stops.
fn attempt<T>(process: impl FnOnce() -> T) -> Option<T> {
    // The data of a stopped process is not used again: the next client starts a new incarnation.
    match catch_unwind(AssertUnwindSafe(process)) {
        Ok(value) => Some(value),
        Err(payload) => {
            match payload.downcast_ref::<Stopped>() {
                Some(stopped) => error!(%stopped, "a process of the store stopped"),
                None => error!("a process of the store failed"),
            }
            None
        }
    }
}

/// Serves one client by the operations of the top layer.
fn serve(mail: &mut impl MailServerComposed, process: Pid, recorder: &Recorder) {
    let client = mail.accept();
    loop {
        let request = mail.request(client);
        let start = recorder.now();
        let response = match request {
            Request::Quit => return,
            Request::Deliver(user, _) | Request::Pickup(user) | Request::Delete(user, _)
                if !mail.check_user(user.clone()) =>
            {
                recorder.record(process, start, || Call::CheckUser { user: user.0, result: false });
                Response::NoSuchUser
            }
            Request::Deliver(user, message) => {
                let contents = if recorder.is_on() { digest(&message.0) } else { String::new() };
                let result = mail.deliver(user.clone(), message);
                recorder.record(process, start, || Call::Deliver { user: user.0, message: contents, result });
                Response::Delivered(result)
            }
            Request::Pickup(user) => {
                let found = mail.pickup(user.clone());
                let result = || found.iter().map(|(id, message)| (encode(id), digest(&message.0))).collect();
                recorder.record(process, start, || Call::Pickup { user: user.0, result: result() });
                Response::Mail(found)
            }
            Request::Delete(user, id) => {
                mail.delete(user.clone(), id);
                recorder.record(process, start, || Call::Delete { user: user.0, id: encode(&id) });
                Response::Deleted
            }
        };
        mail.respond(client, response);
    }
}

/// The stack by plan 1.
pub(crate) fn list_pid<Files>(files: Files) -> ListPid<Files> {
    PerUser(HideLock(AtomicReader(GhostOwner(AtomicDeliver(LinkNext(FilterList(Encoded(OwnNames(Directories(
        Paths(MergedByUser::new(FollowNames(files))),
    ))))))))))
}

/// The stack by plan 2.
pub(crate) fn try_numbers<Files>(files: Files) -> TryNumbers<Files> {
    PerUser(HideLock(AtomicReader(GhostOwner(AtomicDeliver(LinkRetry(LinkRandom(Encoded(OwnNames(Directories(
        Paths(MergedByUser::new(FollowNames(files))),
    ))))))))))
}
