//! The command line.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use cmail::bench::{self, Bench, Subject};
use cmail::server::names;
use cmail::server::passwords::{Passwords, can_be_said};
use cmail::server::store::Plan;
use cmail::server::worker::{self, Failure, Serve};
use cmail::{Root, conform};
use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};
use tracing_subscriber::EnvFilter;

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
Exit status: 0 done; 1 it could not be done, and standard error says why; 2 the command line is not understood.
Of `conform`: 0 the layers allow the record; 1 they do not; 2 there is no record to check.";

/// What a directory of mail and its settings are.
const ROOT: &str = "\
The root holds one directory for each mailbox, and `.cmail` with passwords and settings. Settings are read from `.cmail/config.toml` when
the server starts; all are optional, as in

    hostname = \"mx.example.org\"
    domains = [\"example.org\", \"localhost\"]   # what is delivered here; nothing else is taken
    message_size = 10485760                     # octets

SIGTERM and Ctrl-C stop the server: sessions in the middle of a message may finish. Logs go to standard error; RUST_LOG=debug says more,
RUST_LOG=warn less, and --log-json makes them JSON.";

#[derive(Subcommand)]
enum Command {
    /// Makes a directory a mail root, with a mailbox for the postmaster. It need not be there yet, and is best empty.
    Init(RootArgument),
    /// Makes a mailbox. The password is read from standard input, up to the end of the line.
    Adduser(User),
    /// Changes a password, read from standard input, up to the end of the line. It counts from the next login on.
    Passwd(User),
    /// Runs the server until SIGTERM or Ctrl-C. Prints one line of JSON with the addresses when it is ready.
    #[command(after_help = ROOT)]
    Serve(ServeArguments),
    /// Measures: the paper's mix of deliveries and pickups, beside plain store routines or through SMTP and POP3; or durable deliveries.
    Bench(BenchArguments),
    /// One process of a benchmark; `bench` starts it.
    #[command(hide = true)]
    BenchWorker(BenchWorkerArguments),
    /// Says whether the layers allow what a server did: replays the record that `serve --record FILE` has written.
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
    /// The directory of the mail.
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
}

#[derive(Args)]
struct ServeArguments {
    #[command(flatten)]
    store: StoreArguments,
    /// Where to listen for SMTP; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2525", value_parser = address)]
    smtp: SocketAddr,
    /// Where to listen for POP3; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2110", value_parser = address)]
    pop3: SocketAddr,
    /// Processes that serve clients.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: u16,
}

#[derive(Args)]
struct WorkerArguments {
    #[command(flatten)]
    store: StoreArguments,
    /// The main process.
    #[arg(long)]
    parent: u32,
}

#[derive(Args)]
struct BenchArguments {
    /// A directory on the file system to measure. By default memory, or with `--durable` the current directory.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// The mix through SMTP and POP3 on loopback.
    #[arg(long)]
    net: bool,
    /// Durable deliveries by SMTP on loopback, beside the bare calls on files.
    #[arg(long, conflicts_with = "net")]
    durable: bool,
    /// Iterations of one run. 200,000 by default, with `--net` 20,000, with `--durable` 3,000.
    #[arg(long, value_name = "N")]
    iterations: Option<u64>,
    /// How often each run is repeated; the table shows medians.
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,
    /// Numbers of processes.
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
    start_log(cli.log_json);
    match run(cli.command) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Logs go to standard error; `RUST_LOG` says how much.
fn start_log(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match json {
        true => log.json().init(),
        false => log.with_ansi(io::stderr().is_terminal()).init(),
    }
}

fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Init(RootArgument { root }) => init(&root)?,
        Command::Adduser(user) => add_user(&user)?,
        Command::Passwd(user) => change_password(&user)?,
        Command::Serve(ServeArguments { store, smtp, pop3, workers }) => worker::serve(Serve {
            root: store.root.root,
            smtp,
            pop3,
            workers: workers.into(),
            plan: store.plan,
            durable: !store.no_sync,
            record: store.record,
        })?,
        Command::Bench(arguments) => measure(arguments)?,
        Command::Conform { record } => return Ok(replay(&record)),
        Command::BenchWorker(BenchWorkerArguments { root, subject, iterations }) => {
            bench::worker(&root.root, subject, iterations)?;
        }
        Command::Worker(WorkerArguments { store, parent }) => {
            worker::worker(&store.root.root, parent, store.plan, !store.no_sync, store.record.as_deref())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "say an IP address and a port, as in 127.0.0.1:2525, 0.0.0.0:25 or [::1]:2525")
}

fn init(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    // If it cannot be read, `Root::init` says why.
    let has_others = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    if Root::init(path)?.add_user("postmaster")? {
        println!("{shown} is a mail root now, with a mailbox for the postmaster, who has no password yet. Next:");
        println!("  cmail passwd --root {shown} postmaster");
        println!("  cmail adduser --root {shown} NAME");
        println!("  cmail serve --root {shown}");
        if has_others {
            eprintln!("note: {shown} was not empty; what else is in it is left alone, and best kept elsewhere");
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
            eprintln!("error: {} times the layers do not allow what was done", report.refusals.len());
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
    // The password first: whoever cannot say one gets no mailbox.
    set_password(user)?;
    root.add_user(&user.name)?;
    Ok(())
}

fn change_password(user: &User) -> Result<(), Failure> {
    if !Root::open(&user.root.root)?.has_user(&user.name) {
        return Err(format!("there is no mailbox {:?}; `cmail adduser` makes one", user.name).into());
    }
    set_password(user)
}

fn set_password(user: &User) -> Result<(), Failure> {
    let passwords = Passwords::of(&user.root.root);
    if user.no_password {
        return Ok(passwords.set(&user.name, None)?);
    }
    let text = read_password()?;
    match text.lines().next().unwrap_or_default() {
        "" => Err("no password on standard input; `--no-password` lets the user log in with any".into()),
        password if can_be_said(password) => Ok(passwords.set(&user.name, Some(password))?),
        _ => Err("a client cannot say this password: it has up to 248 octets and no control characters".into()),
    }
}

/// A line from standard input. A terminal is asked for it.
fn read_password() -> Result<String, Failure> {
    let stdin = io::stdin();
    if let Ok(shown) = tcgetattr(&stdin) {
        return ask_for_password(&stdin, &shown);
    }
    let mut text = String::new();
    stdin.lock().take(1024).read_line(&mut text)?;
    Ok(text)
}

/// A line that the terminal does not show. Ctrl-C ends it, too, and kills nobody: what the terminal does is to be as it was before.
fn ask_for_password(terminal: &io::Stdin, shown: &Termios) -> Result<String, Failure> {
    const CTRL_C: u8 = 3;
    let mut hidden = shown.clone();
    hidden.local_flags.remove(LocalFlags::ECHO | LocalFlags::ISIG);
    hidden.control_chars[SpecialCharacterIndices::VEOL as usize] = CTRL_C;
    tcsetattr(terminal, SetArg::TCSANOW, &hidden)?;
    eprint!("Password: ");
    // A terminal gives one line at a time.
    let line = terminal.lock().fill_buf().map(<[u8]>::to_vec);
    eprintln!();
    tcsetattr(terminal, SetArg::TCSANOW, shown)?;
    let line = line?;
    match line.ends_with(&[CTRL_C]) {
        true => Err("interrupted: nothing was changed".into()),
        false => Ok(String::from_utf8(line)?),
    }
}
