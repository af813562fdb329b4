//! The mixed workload: each iteration delivers a message of twelve octets to one user, and picks up and deletes the messages of
//! another. There is no network and no protocol, and nothing is synced.

use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;

use super::plain::Plain;
use super::{Bench, Crew, Scratch, Subject, USERS, user_name};
use crate::bottom::{Bottom, Client, Disk, Durability, Incarnations, Root};
use crate::conform::record::Recorder;
use crate::layers::*;
use crate::server::store::{list_pid, try_numbers};
use crate::server::worker::Failure;

const MESSAGE: &[u8] = b"Hello world.";

/// One run; returns requests per second.
pub fn run(bench: &Bench, subject: Subject, workers: usize) -> Result<f64, Failure> {
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
    let seconds = crew.work()?;
    Ok((each * workers as u64 * 2) as f64 / seconds)
}

/// The part of one process. Says when it is ready, and waits for a line.
pub fn work(root: &Path, subject: Subject, iterations: u64) -> Result<(), Failure> {
    let mut random = fastrand::Rng::with_seed(u64::from(std::process::id()));
    if subject == Subject::Plain {
        let mut store = Plain::new(root);
        wait()?;
        for _ in 0..iterations {
            store.deliver(&user_name(random.u32(..USERS)), MESSAGE)?;
            let user = user_name(random.u32(..USERS));
            for (name, message) in store.pickup(&user)? {
                assert_eq!(message, MESSAGE);
                store.delete(&user, &name)?;
            }
        }
        return Ok(());
    }
    let root = Arc::new(Root::open(root)?);
    let incarnations = Arc::new(Incarnations::new(&root)?);
    let mut bottom = Bottom::new(Disk::new(root, incarnations, Durability::Unsynced), Recorder::default());
    wait()?;
    for _ in 0..iterations {
        let (to, of) = (random.u32(..USERS), random.u32(..USERS));
        bottom.admit(Client::default());
        match subject {
            Subject::List => iterate(&mut list_pid(&mut bottom), to, of),
            _ => iterate(&mut try_numbers(&mut bottom), to, of),
        }
    }
    Ok(())
}

/// One iteration, by the operations of the top layer.
fn iterate(mail: &mut impl MailServerComposed, to: u32, of: u32) {
    let to = User(user_name(to));
    assert!(mail.check_user(to.clone()) && mail.deliver(to, Message(MESSAGE.to_vec())));
    let of = User(user_name(of));
    assert!(mail.check_user(of.clone()));
    for (id, message) in mail.pickup(of.clone()) {
        assert_eq!(message.0, MESSAGE);
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
