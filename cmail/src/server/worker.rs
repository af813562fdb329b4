//! A worker: accepts clients from the sockets that all workers share, and serves them. Its standard input is a socket of the main process,
//! which sends the listening sockets, so starting a worker needs only the standard library. A worker ends when the
//! main process does.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use nix::sys::prctl::{set_name, set_pdeathsig};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::getppid;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

use super::config::{Config, Overrides};
use super::metrics::{self, Counter, Metrics, Snapshot};
use super::passwords::Passwords;
use super::quotas::Quotas;
use super::session::{self, Shared};
use super::signals::Signals;
use super::sockets::{self, Listener, Service};
use super::store::{Options, Plan, Store};
use super::{Failure, log, runtime};
use crate::conform::record::Recorder;

/// The arguments of a worker.
#[derive(Clone, Debug)]
pub struct Work {
    /// The directory of the mail root.
    pub root: PathBuf,
    /// The process id of the main process.
    pub parent: u32,
    /// How deliveries find a free name.
    pub plan: Plan,
    /// Whether what is acknowledged survives a power failure.
    pub durable: bool,
    /// The file that records what is done.
    pub record: Option<PathBuf>,
    /// Settings of the command line.
    pub overrides: Overrides,
}

/// Runs one worker until it is told to stop.
pub fn worker(work: &Work) -> Result<(), Failure> {
    // Otherwise it would be called `exe`, after the path that it was started by.
    set_name(c"cmail")?;
    set_pdeathsig(Signal::SIGTERM)?;
    if is_gone(work.parent) {
        return Err("the main process is gone".into());
    }
    raise_descriptor_limit();
    let main = io::stdin().as_fd().try_clone_to_owned().map(UnixDatagram::from);
    let given = main.and_then(|main| sockets::receive(&main).map(|listeners| (main, listeners)));
    let (main, listeners) =
        given.map_err(|error| format!("a worker is started by `cmail serve`, which gives it its sockets: {error}"))?;
    let config = work.overrides.apply(Config::load(&work.root)?)?;
    let recorder = work.record.as_deref().map(Recorder::append_to).transpose()?.unwrap_or_default();
    let options = Options { threads: config.store_threads, plan: work.plan, durable: work.durable, recorder };
    let store = Store::start(&work.root, options)?;
    runtime()?.block_on(run(work, config, store, main, listeners))
}

/// Whether this process now has another parent.
fn is_gone(parent: u32) -> bool {
    getppid().as_raw().cast_unsigned() != parent
}

async fn run(
    work: &Work,
    config: Config,
    store: Store,
    main: UnixDatagram,
    listeners: Vec<Listener>,
) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    let (leave, leaving) = watch::channel(false);
    let grace = config.grace();
    let limit = Arc::new(Semaphore::new(config.sessions));
    let shared = Arc::new(Shared {
        smtp: Arc::new(config.smtp()),
        pop3: Arc::new(config.pop3()),
        tls: config.tls()?,
        passwords: Passwords::of(&work.root),
        quotas: Quotas::of(&work.root, config.quota),
        metrics: Metrics::default(),
        config,
        store,
        leaving,
    });
    tokio::spawn(report(main, shared.clone(), limit.clone()));
    let mut doors = Doors::open(listeners)?;
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            stop = signals.asked_to_stop() => match stop {
                true => break,
                false => reload(&shared),
            },
            accepted = doors.accept() => admit(&mut sessions, &limit, accepted, &shared).await,
            Some(_) = sessions.join_next() => {}
        }
    }
    drop(doors);
    // There is a receiver: `shared`.
    let _ = leave.send(true);
    let all = async { while sessions.join_next().await.is_some() {} };
    tokio::select! {
        done = timeout(grace, all) => if done.is_err() {
            warn!("sessions that did not end in time are ended");
        },
        () = orphaned(&mut signals, work.parent) => warn!("the main process is gone; sessions are ended"),
    }
    Ok(())
}

/// Reloads files that may have changed.
fn reload(shared: &Shared) {
    if let Err(error) = log::reopen() {
        error!(%error, "the log file could not be reopened and stays in use");
    }
    match shared.tls.as_ref().map(|tls| tls.reload()) {
        Some(Ok(())) => info!("the certificate was read again"),
        Some(Err(error)) => error!(%error, "the old certificate stays in use"),
        None => {}
    }
}

/// Sends the counters to the main process on request, and reloads files when told to.
async fn report(main: UnixDatagram, shared: Arc<Shared>, limit: Arc<Semaphore>) {
    let answer = async {
        main.set_nonblocking(true)?;
        let main = tokio::net::UnixDatagram::from_std(main)?;
        let counted = || {
            let (fsyncs, fsync_microseconds) = shared.store.fsyncs();
            Snapshot {
                counters: shared.metrics.read(),
                fsyncs,
                fsync_microseconds,
                sessions: (shared.config.sessions - limit.available_permits()) as u64,
                queue: shared.store.queue() as u64,
            }
        };
        metrics::answer(&main, counted, || reload(&shared)).await
    };
    if let Err(error) = answer.await {
        info!(%error, "messages from the main process are no longer received");
    }
}

/// The sockets that accept clients, in turn.
struct Doors {
    listeners: Vec<(Service, TcpListener)>,
    next: usize,
}

impl Doors {
    fn open(listeners: Vec<Listener>) -> io::Result<Doors> {
        let listen = |(service, listener)| Ok((service, TcpListener::from_std(listener)?));
        Ok(Doors { listeners: listeners.into_iter().map(listen).collect::<io::Result<_>>()?, next: 0 })
    }

    /// Accepts the next client. Cancelling loses nothing.
    async fn accept(&mut self) -> (Service, io::Result<(TcpStream, SocketAddr)>) {
        poll_fn(|context| {
            for turn in 0..self.listeners.len() {
                let place = (self.next + turn) % self.listeners.len();
                let (service, listener) = &self.listeners[place];
                if let Poll::Ready(accepted) = listener.poll_accept(context) {
                    self.next = place + 1;
                    return Poll::Ready((*service, accepted));
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// Starts a session, or reports that there are too many.
async fn admit(
    sessions: &mut JoinSet<()>,
    limit: &Arc<Semaphore>,
    (service, accepted): (Service, io::Result<(TcpStream, SocketAddr)>),
    shared: &Arc<Shared>,
) {
    let (client, peer) = match accepted {
        Ok((client, address)) => (client, address.ip()),
        Err(error) => {
            // Out of descriptors, for instance: retrying at once does not help; ended sessions do.
            warn!(%error, "a client cannot be accepted");
            return sleep(Duration::from_millis(50)).await;
        }
    };
    // Replies are small and awaited, so they are sent at once.
    if let Err(error) = client.set_nodelay(true) {
        info!(%error, "no delay");
    }
    let shared = shared.clone();
    let Ok(permit) = limit.clone().try_acquire_owned() else {
        shared.metrics.count(Counter::SessionsRefused);
        let busy = match service {
            Service::Smtp => "421 4.3.2 Too many connections\r\n",
            Service::Pop3 => "-ERR [SYS/TEMP] Too many connections\r\n",
            // An unencrypted reply would not be understood there.
            _ => "",
        };
        // A new socket has room for a line; if not, it is closed anyway.
        if let Err(error) = client.try_write(busy.as_bytes()) {
            info!(%error, "too many connections");
        }
        return;
    };
    sessions.spawn(async move {
        let _permit = permit;
        if let Err(error) = session::run(client, service, peer, shared).await {
            info!(%peer, %error, "a session broke off");
        }
    });
}

/// Completes at a signal after the main process has ended. Other signals may come first: a terminal signals all processes.
async fn orphaned(signals: &mut Signals, parent: u32) {
    loop {
        signals.stop().await;
        if is_gone(parent) {
            return;
        }
    }
}

/// Sessions and kept directories need many descriptors.
fn raise_descriptor_limit() {
    let raised =
        getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(error) = raised {
        warn!(%error, "the limit of descriptors could not be raised");
    }
}
