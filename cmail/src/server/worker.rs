//! Processes. The main process opens the listening sockets, starts the workers and starts one anew that dies; a worker accepts clients
//! from the shared sockets and serves them. A worker gets the sockets as its standard input and output, so that starting one
//! needs nothing but what the standard library offers. It leaves when the main process does.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::prctl::{set_name, set_pdeathsig};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getppid};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

use super::config::Config;
use super::passwords::Passwords;
use super::session::{self, Shared};
use super::store::{Options, Plan, Store};
use crate::bottom::{Root, recover};
use crate::conform::record::Recorder;

/// What the server is told.
#[derive(Clone, Debug)]
pub struct Serve {
    /// The mail root.
    pub root: PathBuf,
    /// Where to listen for SMTP.
    pub smtp: SocketAddr,
    /// Where to listen for POP3.
    pub pop3: SocketAddr,
    /// How many workers.
    pub workers: usize,
    /// How deliveries find a free name.
    pub plan: Plan,
    /// Whether what is acknowledged survives a power failure.
    pub durable: bool,
    /// The file that records what is done.
    pub record: Option<PathBuf>,
}

/// An error in words.
pub type Failure = Box<dyn std::error::Error>;

/// The main process and what its workers are made of.
struct Main {
    serve: Serve,
    root: Root,
    config: Config,
    smtp: TcpListener,
    pop3: TcpListener,
}

/// Runs the server until it is told to stop. Prints one line when it is ready.
pub fn serve(serve: Serve) -> Result<(), Failure> {
    let root = Root::open(&serve.root)?;
    let config = Config::load(&serve.root)?;
    let removed = recover(&root)?;
    if removed > 0 {
        info!(removed, "temporary files of processes that are gone");
    }
    let (smtp, pop3) = (listen(serve.smtp)?, listen(serve.pop3)?);
    let main = Arc::new(Main { serve, root, config, smtp, pop3 });
    runtime()?.block_on(async {
        let mut stop = Stop::new()?;
        let (leave, leaving) = watch::channel(false);
        let mut workers = JoinSet::new();
        for _ in 0..main.serve.workers.max(1) {
            let child = start(&main)?;
            workers.spawn(supervise(main.clone(), child, leaving.clone()));
        }
        print_ready(&main)?;
        stop.asked().await;
        info!("stopping; sessions may finish for {} seconds, a second signal cuts them", main.config.grace().as_secs());
        // There are receivers as long as there are workers.
        let _ = leave.send(true);
        let all_gone = async { while workers.join_next().await.is_some() {} };
        tokio::select! {
            () = all_gone => info!("stopped"),
            // Workers end when this process does.
            () = stop.asked() => warn!("stopped at once"),
        }
        Ok(())
    })
}

fn print_ready(main: &Main) -> io::Result<()> {
    let ready = serde_json::json!({
        "ready": true,
        "smtp": main.smtp.local_addr()?,
        "pop3": main.pop3.local_addr()?,
        "workers": main.serve.workers.max(1),
        "pid": std::process::id(),
    });
    writeln!(io::stdout(), "{ready}")
}

/// Keeps one worker running, and has it end in good order.
async fn supervise(main: Arc<Main>, mut child: Child, mut leaving: watch::Receiver<bool>) {
    loop {
        let exit = tokio::select! {
            exit = child.wait() => exit,
            _ = leaving.changed() => return end(&main, child).await,
        };
        match &exit {
            Ok(status) if status.success() => warn!("a worker has left, as somebody else told it; it is started anew"),
            Ok(status) => warn!(%status, "a worker is gone; it is started anew"),
            Err(error) => warn!(%error, "what became of a worker is not known; it is started anew"),
        }
        // One that was killed is missed. One that has given up, as its settings do not let it start, gives up again.
        let gave_up = exit.is_ok_and(|status| status.code().is_some());
        let mut pause = Duration::from_millis(if gave_up { 1000 } else { 100 });
        if let Err(error) = recover(&main.root) {
            error!(%error, "recovery");
        }
        child = loop {
            sleep(pause).await;
            if *leaving.borrow() {
                return;
            }
            match start(&main) {
                Ok(child) => break child,
                Err(error) => error!(%error, "a worker cannot be started; once more in a moment"),
            }
            pause = Duration::from_secs(1);
        };
    }
}

async fn end(main: &Main, mut child: Child) {
    if let Some(pid) = child.id().map(|id| Pid::from_raw(id.cast_signed()))
        && let Err(errno) = kill(pid, Signal::SIGTERM)
    {
        error!(%errno, "a worker cannot be told to stop");
    }
    if timeout(main.config.grace() + Duration::from_secs(5), child.wait()).await.is_err() {
        error!("a worker did not stop, and is killed");
        if let Err(error) = child.kill().await {
            error!(%error, "it cannot be killed");
        }
    }
}

fn start(main: &Main) -> io::Result<Child> {
    let Serve { root, plan, durable, record, .. } = &main.serve;
    let socket = |listener: &TcpListener| listener.as_fd().try_clone_to_owned().map(Stdio::from);
    // This program, also after its file was replaced by another version.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("cmail");
    // The C library learns from each large block to keep the next one: a few logins, of 19 MiB each, and a worker has hundreds. So told,
    // it gives large blocks back.
    command.env("MALLOC_MMAP_THRESHOLD_", "1048576");
    command.arg("worker").arg("--root").arg(root).arg("--parent").arg(std::process::id().to_string());
    command.arg("--plan").arg(match plan {
        Plan::List => "list",
        Plan::Retry => "retry",
    });
    if !durable {
        command.arg("--no-sync");
    }
    if let Some(record) = record {
        command.arg("--record").arg(record);
    }
    command.stdin(socket(&main.smtp)?).stdout(socket(&main.pop3)?).spawn()
}

fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => format!("cannot listen at {address}: somebody else does; port 0 takes a free one"),
        _ => format!("cannot listen at {address}: {error}"),
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Runs one worker. The sockets are its standard input and output.
pub fn worker(root: &Path, parent: u32, plan: Plan, durable: bool, record: Option<&Path>) -> Result<(), Failure> {
    // It would be called `exe`, as the path that it was started by.
    set_name(c"cmail")?;
    set_pdeathsig(Signal::SIGTERM)?;
    if is_gone(parent) {
        return Err("the main process is gone".into());
    }
    raise_descriptor_limit();
    let smtp = TcpListener::from(inherited(io::stdin().as_fd().try_clone_to_owned())?);
    let pop3 = TcpListener::from(inherited(io::stdout().as_fd().try_clone_to_owned())?);
    let config = Config::load(root)?;
    let recorder = record.map(Recorder::append_to).transpose()?.unwrap_or_default();
    let store = Store::start(root, Options { threads: config.store_threads, plan, durable, recorder })?;
    runtime()?.block_on(run(root, parent, config, store, smtp, pop3))
}

/// Whether somebody else is the parent of this process now.
fn is_gone(parent: u32) -> bool {
    getppid().as_raw().cast_unsigned() != parent
}

fn inherited(socket: io::Result<OwnedFd>) -> Result<OwnedFd, Failure> {
    socket.map_err(|error| format!("a worker is started by `cmail serve`, which gives it its sockets: {error}").into())
}

async fn run(
    root: &Path,
    parent: u32,
    config: Config,
    store: Store,
    smtp: TcpListener,
    pop3: TcpListener,
) -> Result<(), Failure> {
    let mut stop = Stop::new()?;
    let (leave, leaving) = watch::channel(false);
    let grace = config.grace();
    let limit = Arc::new(Semaphore::new(config.sessions));
    let shared = Arc::new(Shared {
        smtp: Arc::new(config.smtp()),
        pop3: Arc::new(config.pop3()),
        config,
        store,
        passwords: Passwords::of(root),
        leaving,
    });
    let (smtp, pop3) = (tokio::net::TcpListener::from_std(smtp)?, tokio::net::TcpListener::from_std(pop3)?);
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.asked() => break,
            accepted = smtp.accept() => admit(&mut sessions, &limit, accepted, &shared, Protocol::Smtp).await,
            accepted = pop3.accept() => admit(&mut sessions, &limit, accepted, &shared, Protocol::Pop3).await,
            Some(_) = sessions.join_next() => {}
        }
    }
    drop((smtp, pop3));
    // There is a receiver: `shared`.
    let _ = leave.send(true);
    let all = async { while sessions.join_next().await.is_some() {} };
    tokio::select! {
        done = timeout(grace, all) => if done.is_err() {
            warn!("sessions that did not end in time are cut");
        },
        () = stop.orphaned(parent) => warn!("the main process is gone; sessions are cut"),
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Protocol {
    Smtp,
    Pop3,
}

/// Starts a session, or says that there are too many.
async fn admit(
    sessions: &mut JoinSet<()>,
    limit: &Arc<Semaphore>,
    accepted: io::Result<(TcpStream, SocketAddr)>,
    shared: &Arc<Shared>,
    protocol: Protocol,
) {
    let (client, peer) = match accepted {
        Ok((client, address)) => (client, address.ip()),
        Err(error) => {
            // Out of descriptors, for instance: it gets better when sessions end, and not by trying at once.
            warn!(%error, "a client cannot be accepted");
            return sleep(Duration::from_millis(50)).await;
        }
    };
    // Replies are small and awaited: they are sent at once.
    if let Err(error) = client.set_nodelay(true) {
        info!(%error, "no delay");
    }
    let shared = shared.clone();
    let Ok(permit) = limit.clone().try_acquire_owned() else {
        let busy = match protocol {
            Protocol::Smtp => "421 4.3.2 Too many connections\r\n",
            Protocol::Pop3 => "-ERR [SYS/TEMP] Too many connections\r\n",
        };
        // A fresh socket has room for a line; if not, it is closed all the same.
        if let Err(error) = client.try_write(busy.as_bytes()) {
            info!(%error, "too many connections");
        }
        return;
    };
    sessions.spawn(async move {
        let _permit = permit;
        if let Err(error) = run_session(client, peer, shared, protocol).await {
            info!(%peer, %error, "a session broke off");
        }
    });
}

async fn run_session(client: TcpStream, peer: IpAddr, shared: Arc<Shared>, protocol: Protocol) -> io::Result<()> {
    match protocol {
        Protocol::Smtp => session::smtp(client, peer, shared).await,
        Protocol::Pop3 => session::pop3(client, peer, shared).await,
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    // What blocks is the hashing of passwords, and takes much memory.
    tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).build()
}

/// The signals that ask a process to stop.
struct Stop {
    terminate: Signals,
    interrupt: Signals,
}

impl Stop {
    fn new() -> io::Result<Stop> {
        Ok(Stop { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Completes at the next SIGTERM or SIGINT.
    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Completes at a signal of a main process that is gone. Others may come first: a terminal signals all processes.
    async fn orphaned(&mut self, parent: u32) {
        loop {
            self.asked().await;
            if is_gone(parent) {
                return;
            }
        }
    }
}

/// Sessions and kept directories need many descriptors.
fn raise_descriptor_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(error) = raised {
        warn!(%error, "the limit of descriptors stays as it is");
    }
}
