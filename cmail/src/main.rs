//! The command line of `cmail`: its options, and the commands that need only a few lines.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use cmail::bench::{self, Bench, Subject};
use cmail::check::{self, Verdict};
use cmail::server::config::Overrides;
use cmail::server::passwords::{Passwords, can_be_said};
use cmail::server::quotas::{self, Quotas};
use cmail::server::sockets::{Addresses, Service};
use cmail::server::store::Plan;
use cmail::server::supervisor::{self, Serve};
use cmail::server::worker::{self, Work};
use cmail::server::{Failure, log, metrics, names};
use cmail::transfer::{self, Place};
use cmail::{Root, conform};

mod prompt;

/// A mail server: SMTP in, POP3 out, over a mail store whose layers are checked.
///
/// First steps:
///   cmail init --root mail
///   echo secret | cmail adduser --root mail alice
///   cmail serve --root mail
///
/// Then, in another terminal:
///   printf 'Subject: hello\r\n\r\nworld\r\n' |
///     curl smtp://127.0.0.1:2525 --mail-from me@localhost --mail-rcpt alice@localhost -T -
///   curl pop3://alice:secret@127.0.0.1:2110/1
#[derive(Parser)]
#[command(version, verbatim_doc_comment, after_help = EXIT_STATUSES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Logs as JSON, one object a line.
    #[arg(long, global = true)]
    log_json: bool,
}

const EXIT_STATUSES: &str = "\
Exit status: 0 success; 1 failure, with the reason on standard error; 2 wrong command line.
Of `conform`: 0 the layers allow the record; 1 they do not; 2 there is no record to check.
Of `check`: 0 a server can run; 1 there is a problem, or the root cannot be read.";

/// The help on mail roots and their settings.
const ROOT: &str = "\
The root holds one directory for each mailbox, and `.cmail` with passwords and settings. Settings are read from `.cmail/config.toml` when
the server starts; all are optional, as in

    hostname = \"mx.example.org\"
    domains = [\"example.org\", \"localhost\"]   # domains of local mailboxes; mail for others is refused
    message_size = 10485760                     # octets

SIGTERM and Ctrl-C stop the server: sessions in the middle of a message may finish. SIGHUP makes it reopen the log and read the
certificate again. Logs go to standard error, or to the file of --log; RUST_LOG=debug logs more, RUST_LOG=warn less, and --log-json makes
them JSON.

Sockets that systemd opens (LISTEN_FDS) are used if they are called smtp, smtps, pop3, pop3s or metrics; then the server listens only on
these and on addresses given by options.";

#[derive(Subcommand)]
enum Command {
    /// Creates a mail root, with a mailbox for the postmaster. The directory need not exist, and is best empty.
    Init(RootArgument),
    /// Creates a mailbox. The password is read from standard input, up to the end of the line.
    Adduser(User),
    /// Changes a password, read from standard input, up to the end of the line. It takes effect at the next login.
    Passwd(User),
    /// Limits the size of a mailbox. It takes effect with the next message.
    Quota(QuotaArguments),
    /// Imports messages into a mailbox, from a Maildir or an mbox file, which are left unchanged.
    Import(TransferArguments),
    /// Copies the messages of a mailbox to a Maildir or a new mbox file. They stay in the mailbox.
    Export(TransferArguments),
    /// Looks for problems that would keep a server from running or from keeping its promises: settings, the certificate, permissions,
    /// space, and the file system. Changes nothing.
    Check(CheckArguments),
    /// Runs the server until SIGTERM or Ctrl-C. Prints one line of JSON with the addresses when it is ready.
    #[command(after_help = ROOT)]
    Serve(ServeArguments),
    /// Measures the paper's mix of deliveries and pickups, compared with plain store routines or through SMTP and POP3; or durable
    /// deliveries.
    Bench(BenchArguments),
    /// One process of a benchmark; `bench` starts it.
    #[command(hide = true)]
    BenchWorker(BenchWorkerArguments),
    /// Checks whether the layers allow what a server did: replays the record that `serve --record FILE` has written.
    Conform {
        /// The record, of a run that began with empty mailboxes and in which nothing was killed.
        record: PathBuf,
    },
    /// One process of a server; `serve` starts it.
    #[command(hide = true)]
    Worker(WorkerArguments),
}

#[derive(Args)]
struct RootArgument {
    /// The directory of the mail root.
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
}

#[derive(Args)]
struct User {
    #[command(flatten)]
    root: RootArgument,
    /// The name: lower-case letters, digits, dots, hyphens and underscores.
    name: String,
    /// Lets the user log in with any password.
    #[arg(long)]
    no_password: bool,
}

#[derive(Args)]
struct QuotaArguments {
    #[command(flatten)]
    root: RootArgument,
    /// The name of the mailbox, as in `adduser`.
    name: String,
    /// The maximum size in octets, such as 500000, 20K, 100M or 2G; `none` for no limit, `default` for the one of the settings. Shown if
    /// not given.
    limit: Option<String>,
}

#[derive(Args)]
struct TransferArguments {
    #[command(flatten)]
    root: RootArgument,
    /// The name of the mailbox, as in `adduser`.
    name: String,
    #[command(flatten)]
    place: PlaceArguments,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct PlaceArguments {
    /// A Maildir directory, with `tmp`, `new` and `cur` in it.
    #[arg(long, value_name = "DIR")]
    maildir: Option<PathBuf>,
    /// An mbox file (mboxrd).
    #[arg(long, value_name = "FILE")]
    mbox: Option<PathBuf>,
}

#[derive(Args)]
struct CheckArguments {
    #[command(flatten)]
    root: RootArgument,
    #[command(flatten)]
    overrides: Overrides,
    /// The user who will run the server, if it is another one.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

#[derive(Args)]
struct StoreArguments {
    #[command(flatten)]
    root: RootArgument,
    /// How a delivery finds a free name: `list` those of its process and take the next, or `retry` numbers until one is free.
    #[arg(long, value_enum, default_value_t)]
    plan: Plan,
    /// Syncs file and directory before a message is acknowledged. This is the default.
    #[arg(long, conflicts_with = "no_sync")]
    durable: bool,
    /// Syncs nothing: acknowledged mail may be lost when the power fails. For file systems in memory, and for tests.
    #[arg(long)]
    no_sync: bool,
    /// Appends every operation of the lowest and of the top layer to a file.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    /// Appends the log to a file, which SIGHUP reopens. By default it goes to standard error.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

#[derive(Args)]
struct ServeArguments {
    #[command(flatten)]
    store: StoreArguments,
    /// Address for SMTP; port 0 takes a free one. By default 127.0.0.1:2525, if systemd passes no sockets.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    smtp: Option<SocketAddr>,
    /// Address for POP3; port 0 takes a free one. By default 127.0.0.1:2110, if systemd passes no sockets.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pop3: Option<SocketAddr>,
    /// Address for SMTP that is encrypted from the first octet, such as 0.0.0.0:465. Needs a certificate.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    smtps: Option<SocketAddr>,
    /// Address for POP3 that is encrypted from the first octet, such as 0.0.0.0:995. Needs a certificate.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pop3s: Option<SocketAddr>,
    /// Address for metrics, at http://ADDRESS/metrics, in the format of Prometheus. On this machine only, such as 127.0.0.1:9125.
    #[arg(long, value_name = "ADDRESS", value_parser = local_address)]
    metrics: Option<SocketAddr>,
    /// Becomes this user once the sockets are open. For root, so that ports below 1024 can be used.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Number of processes that serve clients.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: u16,
}

#[derive(Args)]
struct WorkerArguments {
    #[command(flatten)]
    store: StoreArguments,
    /// The process id of the main process.
    #[arg(long)]
    parent: u32,
}

#[derive(Args)]
struct BenchArguments {
    /// A directory on the file system to measure. By default memory, or with `--durable` the current directory.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Measures the mix through SMTP and POP3 on loopback.
    #[arg(long)]
    net: bool,
    /// Measures durable deliveries by SMTP on loopback, compared with direct calls on files.
    #[arg(long, conflicts_with = "net")]
    durable: bool,
    /// Iterations of one run. 200,000 by default, with `--net` 20,000, with `--durable` 3,000.
    #[arg(long, value_name = "N")]
    iterations: Option<u64>,
    /// How often each run is repeated; the table shows medians.
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,
    /// Numbers of processes to measure, separated by commas.
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "1,2")]
    workers: Vec<usize>,
    /// Draws the result as SVG.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

#[derive(Args)]
struct BenchWorkerArguments {
    #[command(flatten)]
    root: RootArgument,
    #[arg(long, value_enum)]
    subject: Subject,
    #[arg(long)]
    iterations: u64,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match start_log(&cli).and_then(|()| run(cli.command, cli.log_json)) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Starts the log: for a server in the given file, otherwise on standard error.
fn start_log(cli: &Cli) -> Result<(), Failure> {
    let file = match &cli.command {
        Command::Serve(ServeArguments { store, .. }) | Command::Worker(WorkerArguments { store, .. }) => {
            store.log.as_deref()
        }
        _ => None,
    };
    Ok(log::start(cli.log_json, file)?)
}

fn run(command: Command, log_json: bool) -> Result<ExitCode, Failure> {
    match command {
        Command::Init(RootArgument { root }) => init(&root)?,
        Command::Adduser(user) => add_user(&user)?,
        Command::Passwd(user) => change_password(&user)?,
        Command::Quota(arguments) => quota(&arguments)?,
        Command::Import(arguments) => import(arguments)?,
        Command::Export(arguments) => export(arguments)?,
        Command::Check(arguments) => return check_root(&arguments),
        Command::Serve(arguments) => supervisor::serve(serve_arguments(arguments, log_json))?,
        Command::Bench(arguments) => measure(arguments)?,
        Command::Conform { record } => return Ok(replay(&record)),
        Command::BenchWorker(BenchWorkerArguments { root, subject, iterations }) => {
            bench::worker(&root.root, subject, iterations)?;
        }
        Command::Worker(WorkerArguments { store, parent }) => {
            let StoreArguments { root, plan, no_sync, record, overrides, .. } = store;
            worker::worker(&Work { root: root.root, parent, plan, durable: !no_sync, record, overrides })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:2525, 0.0.0.0:25 or [::1]:2525")
}

fn local_address(text: &str) -> Result<SocketAddr, &'static str> {
    let address = address(text)?;
    match metrics::is_local(&address) {
        true => Ok(address),
        false => Err("metrics are served to this machine only: expected 127.0.0.1 or [::1] and a port"),
    }
}

fn serve_arguments(arguments: ServeArguments, log_json: bool) -> Serve {
    let ServeArguments { store, smtp, pop3, smtps, pop3s, metrics, user, workers } = arguments;
    let asked = [
        (Service::Smtp, smtp),
        (Service::Smtps, smtps),
        (Service::Pop3, pop3),
        (Service::Pop3s, pop3s),
        (Service::Metrics, metrics),
    ];
    let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let addresses = Addresses {
        asked: asked.into_iter().filter_map(|(service, address)| Some((service, address?))).collect(),
        usual: vec![(Service::Smtp, local(2525)), (Service::Pop3, local(2110))],
    };
    Serve {
        root: store.root.root,
        addresses,
        workers: workers.into(),
        plan: store.plan,
        durable: !store.no_sync,
        record: store.record,
        overrides: store.overrides,
        user,
        log: (store.log, log_json),
    }
}

fn quota(QuotaArguments { root: RootArgument { root }, name, limit }: &QuotaArguments) -> Result<(), Failure> {
    if !Root::open(root)?.has_user(name) {
        return Err(format!("there is no mailbox {name:?}; `cmail adduser` creates one").into());
    }
    let usual = cmail::server::config::Config::load(root)?.quota;
    let quotas = Quotas::of(root, usual);
    match limit.as_deref() {
        Some("default") => quotas.set(name, None)?,
        Some(limit) => quotas.set(name, Some(quotas::octets(limit)?))?,
        None => match quotas.limit(name)? {
            Some(limit) => println!("{name} may hold {limit} octets"),
            None => println!("{name} has no limit"),
        },
    }
    Ok(())
}

impl PlaceArguments {
    fn place(self) -> Result<Place, Failure> {
        match (self.maildir, self.mbox) {
            (Some(path), _) => Ok(Place::Maildir(path)),
            (None, Some(path)) => Ok(Place::Mbox(path)),
            (None, None) => Err("pass --maildir DIR or --mbox FILE".into()),
        }
    }
}

fn import(TransferArguments { root, name, place }: TransferArguments) -> Result<(), Failure> {
    let taken = transfer::import(&root.root, &name, &place.place()?)?;
    println!("{taken} messages were imported into {name}");
    Ok(())
}

fn export(TransferArguments { root, name, place }: TransferArguments) -> Result<(), Failure> {
    let (all, there_already) = transfer::export(&root.root, &name, &place.place()?)?;
    match there_already {
        0 => println!("{all} messages of {name} were copied"),
        old => println!("{} messages of {name} were copied; {old} existed already", all - old),
    }
    Ok(())
}

fn check_root(CheckArguments { root, overrides, user }: &CheckArguments) -> Result<ExitCode, Failure> {
    let findings = check::check(&root.root, overrides, user.as_deref())?;
    for finding in &findings {
        println!("{finding}");
    }
    match findings.iter().filter(|finding| finding.verdict == Verdict::Bad).count() {
        0 => Ok(ExitCode::SUCCESS),
        1 => Err("one problem found".into()),
        wrong => Err(format!("{wrong} problems found").into()),
    }
}

fn init(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    // If it cannot be read, `Root::init` reports why.
    let has_others = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    if Root::init(path)?.add_user("postmaster")? {
        println!("{shown} is now a mail root, with a mailbox for the postmaster, who has no password yet. Next:");
        println!("  cmail passwd --root {shown} postmaster");
        println!("  cmail adduser --root {shown} NAME");
        println!("  cmail serve --root {shown}");
        if has_others {
            eprintln!("note: {shown} was not empty; its other contents are left alone, and are best moved elsewhere");
        }
    } else {
        println!("{shown} is a mail root already; nothing was changed");
    }
    Ok(())
}

fn measure(arguments: BenchArguments) -> Result<(), Failure> {
    let (directory, iterations) = match arguments {
        BenchArguments { durable: true, .. } => (".", 3_000),
        BenchArguments { net: true, .. } => ("/dev/shm", 20_000),
        _ => ("/dev/shm", 200_000),
    };
    let bench = Bench {
        directory: arguments.directory.unwrap_or_else(|| directory.into()),
        iterations: arguments.iterations.unwrap_or(iterations),
        rounds: arguments.rounds,
        workers: arguments.workers,
        plot: arguments.plot,
    };
    match (arguments.durable, arguments.net) {
        (true, _) => bench::durable(&bench),
        (_, true) => bench::network(&bench),
        _ => bench::mixed(&bench),
    }
}

fn replay(record: &Path) -> ExitCode {
    let report = match conform::read(record) {
        Ok(entries) if entries.is_empty() => Err("it is empty: nothing was checked".to_owned()),
        Ok(entries) => Ok(conform::check(&entries)),
        Err(error) => Err(error.to_string()),
    };
    match report {
        Err(why) => {
            eprintln!("error: {}: {why}", record.display());
            ExitCode::from(2)
        }
        Ok(report) if report.refusals.is_empty() => {
            println!("{} calls, all as the layers allow", report.calls);
            ExitCode::SUCCESS
        }
        Ok(report) => {
            for refusal in &report.refusals {
                println!("{refusal}");
            }
            eprintln!("error: the layers do not allow the record (refusals: {})", report.refusals.len());
            ExitCode::FAILURE
        }
    }
}

fn add_user(user: &User) -> Result<(), Failure> {
    let root = Root::open(&user.root.root)?;
    if root.has_user(&user.name) {
        return Err(format!("there is a mailbox {:?} already; `cmail passwd` changes its password", user.name).into());
    }
    if !names::is_user(&user.name) {
        return Err(cmail::Error::Name(user.name.clone()).into());
    }
    // The password first: without one there is no mailbox.
    set_password(user)?;
    root.add_user(&user.name)?;
    Ok(())
}

fn change_password(user: &User) -> Result<(), Failure> {
    if !Root::open(&user.root.root)?.has_user(&user.name) {
        return Err(format!("there is no mailbox {:?}; `cmail adduser` creates one", user.name).into());
    }
    set_password(user)
}

fn set_password(user: &User) -> Result<(), Failure> {
    let passwords = Passwords::of(&user.root.root);
    if user.no_password {
        return Ok(passwords.set(&user.name, None)?);
    }
    let text = prompt::read_password()?;
    match text.lines().next().unwrap_or_default() {
        "" => Err("no password on standard input; with `--no-password`, the user can log in with any".into()),
        password if can_be_said(password) => Ok(passwords.set(&user.name, Some(password))?),
        _ => Err("no client can send this password: a password has up to 248 octets and no control characters".into()),
    }
}
