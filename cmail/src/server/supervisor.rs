//! The main process. It opens the listening sockets, becomes the user who owns the mail, starts the workers, and restarts those that die.
//! It forwards the signals to stop or to read files again.

use std::io::{self, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

use super::config::{Config, Overrides};
use super::metrics::{self, Sums};
use super::privileges::become_user;
use super::signals::Signals;
use super::sockets::{self, Addresses, Listener, Service};
use super::store::Plan;
use super::{Failure, log, runtime};
use crate::bottom::{Root, recover};

/// The arguments of the server.
#[derive(Clone, Debug)]
pub struct Serve {
    /// The directory of the mail root.
    pub root: PathBuf,
    /// The addresses to listen on.
    pub addresses: Addresses,
    /// The number of workers.
    pub workers: usize,
    /// How deliveries find a free name.
    pub plan: Plan,
    /// Whether what is acknowledged survives a power failure.
    pub durable: bool,
    /// The file that records what is done.
    pub record: Option<PathBuf>,
    /// Settings of the command line.
    pub overrides: Overrides,
    /// The user to become when the sockets are open.
    pub user: Option<String>,
    /// The file of the log, and whether it is JSON.
    pub log: (Option<PathBuf>, bool),
}

/// The main process, with the data for its workers.
struct Main {
    serve: Serve,
    root: Root,
    config: Config,
    /// The listening sockets of the workers.
    listeners: Vec<Listener>,
    sums: Arc<Sums>,
}

/// Runs the server until it is told to stop. Prints one line when it is ready.
pub fn serve(serve: Serve) -> Result<(), Failure> {
    // A mistyped root is reported first.
    Root::open(&serve.root)?;
    let (scraped, listeners): (Vec<Listener>, Vec<Listener>) =
        sockets::open(&serve.addresses)?.into_iter().partition(|(service, _)| *service == Service::Metrics);
    if let Some(user) = &serve.user {
        become_user(user, &serve.root)?;
    }
    let root = Root::open(&serve.root)?;
    let config = serve.overrides.apply(Config::load(&serve.root)?)?;
    let tls = config.tls()?;
    if let Some((service, _)) = listeners.iter().find(|(service, _)| service.is_secured() && tls.is_none()) {
        return Err(format!("{service} needs a certificate: --certificate FILE and --key FILE").into());
    }
    if listeners.is_empty() {
        return Err("nothing to listen on: systemd has passed no socket for mail".into());
    }
    let removed = recover(&root)?;
    if removed > 0 {
        info!(removed, "removed temporary files of dead processes");
    }
    let main = Arc::new(Main { serve, root, config, listeners, sums: Arc::default() });
    runtime()?.block_on(run(main, scraped.into_iter().next().map(|(_, listener)| listener)))
}

async fn run(main: Arc<Main>, scraped: Option<TcpListener>) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    let (leave, leaving) = watch::channel(false);
    let mut workers = JoinSet::new();
    for number in 0..main.serve.workers.max(1) {
        let child = start(&main, number).await?;
        workers.spawn(supervise(main.clone(), number, child, leaving.clone()));
    }
    print_ready(&main, scraped.as_ref())?;
    if let Some(listener) = scraped {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::spawn(metrics::serve(listener, main.sums.clone()));
    }
    while !signals.asked_to_stop().await {
        main.reload().await;
    }
    info!("stopping; sessions may finish for {} seconds, a second signal ends them", main.config.grace().as_secs());
    // There are receivers as long as there are workers.
    let _ = leave.send(true);
    let all_gone = async { while workers.join_next().await.is_some() {} };
    tokio::select! {
        () = all_gone => info!("stopped"),
        // Workers end when this process does.
        () = signals.stop() => warn!("stopped at once"),
    }
    Ok(())
}

fn print_ready(main: &Main, scraped: Option<&TcpListener>) -> io::Result<()> {
    let mut ready = serde_json::json!({
        "ready": true,
        "workers": main.serve.workers.max(1),
        "pid": std::process::id(),
    });
    for (service, listener) in &main.listeners {
        ready[service.name()] = serde_json::json!(listener.local_addr()?);
    }
    if let Some(listener) = scraped {
        ready[Service::Metrics.name()] = serde_json::json!(listener.local_addr()?);
    }
    writeln!(io::stdout(), "{ready}")
}

impl Main {
    /// Reloads files: reopens the log, and tells the workers, which do the same and read the certificate.
    async fn reload(&self) {
        match log::reopen() {
            Ok(()) => info!("received SIGHUP: reloading files"),
            Err(error) => error!(%error, "the log file could not be reopened and stays in use"),
        }
        self.sums.reload().await;
    }
}

/// Keeps one worker running, and ends it in an orderly way.
async fn supervise(main: Arc<Main>, number: usize, mut child: Child, mut leaving: watch::Receiver<bool>) {
    loop {
        let exit = tokio::select! {
            exit = child.wait() => exit,
            _ = leaving.changed() => return end(&main, child).await,
        };
        match &exit {
            Ok(status) if status.success() => warn!("worker terminated externally; restarting"),
            Ok(status) => warn!(%status, "worker ended unexpectedly; restarting"),
            Err(error) => warn!(%error, "the status of a worker cannot be read; restarting"),
        }
        // A killed worker is restarted. One that failed because of its settings would fail again.
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
            match start(&main, number).await {
                Ok(child) => break child,
                Err(error) => error!(%error, "a worker cannot be started; retrying shortly"),
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
        error!("a worker did not stop in time; killing it");
        if let Err(error) = child.kill().await {
            error!(%error, "it cannot be killed");
        }
    }
}

/// Starts a worker. Its standard input is a socket, from which it receives the listening sockets and, later, requests.
async fn start(main: &Main, number: usize) -> io::Result<Child> {
    let Serve { root, plan, durable, record, overrides, log, .. } = &main.serve;
    let (ours, theirs) = UnixDatagram::pair()?;
    sockets::send(&ours, &main.listeners)?;
    // This program, even if its file was replaced by another version.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("cmail");
    // The C library keeps large blocks after use: after a few logins of 19 MiB each, a worker would hold hundreds. With this setting it
    // returns them.
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
    command.args(overrides.arguments());
    if let (Some(path), _) = log {
        command.arg("--log").arg(path);
    }
    if log.1 {
        command.arg("--log-json");
    }
    let child = command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).spawn()?;
    ours.set_nonblocking(true)?;
    main.sums.started(number, tokio::net::UnixDatagram::from_std(ours)?).await;
    Ok(child)
}
