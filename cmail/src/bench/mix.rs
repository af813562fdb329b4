//! The mixed workload: each iteration delivers a message of twelve octets to one user, and picks up and deletes the messages of
//! another. There is no network and no protocol, and nothing is synced.

use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use super::plain::Plain;
use super::{Bench, Crew, MESSAGE, Scratch, Speed, Subject, USERS, user_name};
use crate::bottom::{Bottom, Client, Disk, Durability, Incarnations, Root};
use crate::conform::record::Recorder;
use crate::layers::*;
use crate::server::Failure;
use crate::server::store::{list_pid, try_numbers};

/// Runs the workload once.
pub fn run(bench: &Bench, subject: Subject, workers: usize) -> Result<Speed, Failure> {
    let scratch = Scratch::new(&bench.directory)?;
    let each = bench.iterations / workers as u64;
    let crew = Crew::start(workers, |command| {
        let subject = match subject {
            Subject::List => "list",
            Subject::Retry => "retry",
            Subject::Plain => "plain",
        };
        command
            .args(["bench-worker", "--subject", subject, "--iterations", &each.to_string(), "--root"])
            .arg(&scratch.0);
    })?;
    let effort = crew.work()?;
    let requests = (each * workers as u64 * 2) as f64;
    Ok(Speed { rate: requests / effort.seconds, cpu: Some(effort.cpu_seconds * 1e6 / requests) })
}

/// The part of one process. Reports when it is ready, waits for a line, works, and reports the CPU time in seconds.
pub fn work(root: &Path, subject: Subject, iterations: u64) -> Result<(), Failure> {
    let used = match subject {
        Subject::Plain => plain(root, iterations)?,
        Subject::List | Subject::Retry => checked(root, subject, iterations)?,
    };
    println!("{used}");
    Ok(())
}

/// The plain routines; returns the seconds of CPU time.
fn plain(root: &Path, iterations: u64) -> Result<f64, Failure> {
    let mut random = random();
    let mut store = Plain::new(root);
    wait()?;
    let before = cpu_seconds();
    for _ in 0..iterations {
        store.deliver(&user_name(random.u32(..USERS)), MESSAGE.as_bytes())?;
        let user = user_name(random.u32(..USERS));
        for (name, message) in store.pickup(&user)? {
            assert_eq!(message, MESSAGE.as_bytes());
            store.delete(&user, &name)?;
        }
    }
    Ok(cpu_seconds() - before)
}

/// The checked stack; returns the seconds of CPU time.
fn checked(root: &Path, subject: Subject, iterations: u64) -> Result<f64, Failure> {
    let mut random = random();
    let root = Arc::new(Root::open(root)?);
    let incarnations = Arc::new(Incarnations::new(&root)?);
    let durability = Durability::unsynced(&root);
    let mut bottom = Bottom::new(Disk::new(root, incarnations, durability), Recorder::default());
    wait()?;
    let before = cpu_seconds();
    for _ in 0..iterations {
        let (to, of) = (random.u32(..USERS), random.u32(..USERS));
        bottom.admit(Client::default());
        match subject {
            Subject::List => iterate(&mut list_pid(&mut bottom), to, of),
            _ => iterate(&mut try_numbers(&mut bottom), to, of),
        }
    }
    Ok(cpu_seconds() - before)
}

fn random() -> fastrand::Rng {
    fastrand::Rng::with_seed(u64::from(std::process::id()))
}

/// The CPU time of this process so far, user plus system.
fn cpu_seconds() -> f64 {
    // Linux has this clock.
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from).unwrap_or_default().as_secs_f64()
}

/// One iteration, by the operations of the top layer.
fn iterate(mail: &mut impl MailServerComposed, to: u32, of: u32) {
    let to = User(user_name(to));
    assert!(mail.check_user(to.clone()) && mail.deliver(to, Message(MESSAGE.into())));
    let of = User(user_name(of));
    assert!(mail.check_user(of.clone()));
    for (id, message) in mail.pickup(of.clone()) {
        assert_eq!(message.0, MESSAGE.as_bytes());
        mail.delete(of.clone(), id);
    }
}

fn wait() -> Result<(), Failure> {
    let mut output = std::io::stdout();
    output.write_all(b"ready\n")?;
    output.flush()?;
    std::io::stdin().lock().read_line(&mut String::new())?;
    Ok(())
}
