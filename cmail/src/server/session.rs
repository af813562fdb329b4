//! Sessions on sockets. Moves bytes between a client and its protocol session, has the questions of that session answered, and keeps
//! time. A session that waits for its client costs memory and nothing else. It can reach mail through the store only.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{debug, error, info};

use super::config::Config;
use super::passwords::Passwords;
use super::pop3::{self, Entry, Maildrop, Pop3, Refused};
use super::smtp::{self, End, Smtp};
use super::store::Store;
use super::{names, trace};
use crate::bottom::SessionLock;
use crate::layers::{MsgId, encode};

/// What all sessions of a worker share.
#[derive(Debug)]
pub struct Shared {
    /// The settings.
    pub config: Config,
    /// What concerns SMTP.
    pub smtp: Arc<smtp::Config>,
    /// What concerns POP3.
    pub pop3: Arc<pop3::Config>,
    /// The mail.
    pub store: Store,
    /// The passwords.
    pub passwords: Passwords,
    /// True when the worker is leaving.
    pub leaving: watch::Receiver<bool>,
}

/// What a client did.
enum Heard {
    Said(usize),
    Left,
    Nothing,
    /// The worker is leaving.
    Leaving,
}

/// The size of one read.
const PIECE: usize = 16 << 10;

/// One SMTP session.
pub async fn smtp(mut client: TcpStream, peer: IpAddr, shared: Arc<Shared>) -> io::Result<()> {
    let mut session = Smtp::new(shared.smtp.clone());
    let mut leaving = shared.leaving.clone();
    let idle = Duration::from_secs(shared.config.smtp_idle);
    let end = Instant::now() + Duration::from_secs(shared.config.smtp_session);
    let mut piece = vec![0; PIECE];
    loop {
        match session.step() {
            smtp::Step::CheckUser(user) => session.user_is(shared.store.has_user(&user).await.ok()),
            smtp::Step::Deliver { sender, recipients, message } => {
                let octets = message.len();
                let message = match shared.config.trace {
                    true => trace::with_header(message, sender.as_deref(), peer, &shared.config.hostname),
                    false => message,
                };
                let stored = shared.store.deliver(&recipients, message).await;
                info!(%peer, ?sender, ?recipients, octets, stored, "delivery");
                session.delivered(stored);
            }
            smtp::Step::Close => return close(&mut client, session.take_output(), idle).await,
            smtp::Step::Read => {
                send(&mut client, session.take_output(), idle).await?;
                let may_leave = session.is_between_messages();
                match hear(&mut client, &mut piece, (Instant::now() + idle).min(end), may_leave, &mut leaving).await? {
                    Heard::Said(octets) => session.receive(&piece[..octets]),
                    Heard::Left => return Ok(()),
                    Heard::Nothing => session.end(End::Idle),
                    Heard::Leaving => session.end(End::Leaving),
                }
            }
        }
    }
}

/// An open mailbox: what is locked, and the names of its messages.
struct Open {
    user: String,
    ids: Vec<MsgId>,
    _lock: SessionLock,
}

/// One POP3 session.
pub async fn pop3(mut client: TcpStream, peer: IpAddr, shared: Arc<Shared>) -> io::Result<()> {
    let mut session = Pop3::new(shared.pop3.clone());
    let mut leaving = shared.leaving.clone();
    let idle = Duration::from_secs(shared.config.pop3_idle);
    let mut open = None;
    let mut piece = vec![0; PIECE];
    loop {
        match session.step() {
            pop3::Step::Open { user, password } => match log_in(&shared, user, password, peer).await {
                Ok((maildrop, opened)) => {
                    open = Some(opened);
                    session.opened(Ok(maildrop));
                }
                Err(refused) => session.opened(Err(refused)),
            },
            pop3::Step::Remove(places) => {
                let removed = match &open {
                    Some(Open { user, ids, .. }) => {
                        let marked: Vec<MsgId> = places.into_iter().map(|place| ids[place]).collect();
                        info!(%peer, user, removed = marked.len(), "quit");
                        shared.store.delete(user, &marked).await.is_ok()
                    }
                    None => false,
                };
                // The mailbox is free before the client is told.
                open = None;
                session.removed(removed);
            }
            pop3::Step::Close => {
                drop(open.take());
                return close(&mut client, session.take_output(), idle).await;
            }
            pop3::Step::Write => send(&mut client, session.take_output(), idle).await?,
            pop3::Step::Read => {
                send(&mut client, session.take_output(), idle).await?;
                match hear(&mut client, &mut piece, Instant::now() + idle, session.is_idle(), &mut leaving).await? {
                    Heard::Said(octets) => session.receive(&piece[..octets]),
                    Heard::Left => return Ok(()),
                    Heard::Nothing | Heard::Leaving => session.end(),
                }
            }
        }
    }
}

/// Opens a mailbox. Who does not exist, or says a wrong password, waits.
async fn log_in(shared: &Shared, user: String, password: String, peer: IpAddr) -> Result<(Maildrop, Open), Refused> {
    let passwords = shared.passwords.clone();
    let name = user.clone();
    // Hashing takes its time, and must not take that of the other sessions.
    let verified = tokio::task::spawn_blocking(move || passwords.verify(&name, &password)).await;
    let verified = match verified {
        Ok(Ok(verified)) => verified,
        Ok(Err(error)) => {
            error!(%error, "passwords");
            return Err(Refused::Trouble);
        }
        Err(_) => return Err(Refused::Trouble),
    };
    if !verified || !names::is_user(&user) || !shared.store.has_user(&user).await.map_err(|_| Refused::Trouble)? {
        info!(%peer, user, "login refused");
        sleep(Duration::from_millis(shared.config.login_delay)).await;
        return Err(Refused::Login);
    }
    let lock = shared.store.session(&user).map_err(|_| Refused::Trouble)?.ok_or(Refused::InUse)?;
    let mail = shared.store.pickup(&user).await.map_err(|_| Refused::Trouble)?;
    let (ids, entries) = mail.into_iter().map(|(id, message)| (id, Entry::new(encode(&id), message.0))).unzip();
    info!(%peer, user, "login");
    Ok((Maildrop::new(entries), Open { user, ids, _lock: lock }))
}

/// Waits for the client to say something, until the deadline. A session at a good moment to end does not outlive its worker.
async fn hear(
    client: &mut TcpStream,
    piece: &mut [u8],
    deadline: Instant,
    may_leave: bool,
    leaving: &mut watch::Receiver<bool>,
) -> io::Result<Heard> {
    if may_leave && *leaving.borrow() {
        return Ok(Heard::Leaving);
    }
    tokio::select! {
        read = timeout_at(deadline, client.read(piece)) => match read {
            Ok(octets) => Ok(octets.map(|octets| if octets == 0 { Heard::Left } else { Heard::Said(octets) })?),
            Err(_) => Ok(Heard::Nothing),
        },
        _ = leaving.changed(), if may_leave => Ok(Heard::Leaving),
    }
}

/// Sends all of it. A client that does not read is given as long as one that does not write.
async fn send(client: &mut TcpStream, output: Vec<u8>, patience: Duration) -> io::Result<()> {
    if output.is_empty() {
        return Ok(());
    }
    match timeout(patience, client.write_all(&output)).await {
        Ok(sent) => sent,
        Err(_) => {
            debug!("a client does not read");
            Err(io::ErrorKind::TimedOut.into())
        }
    }
}

async fn close(client: &mut TcpStream, output: Vec<u8>, patience: Duration) -> io::Result<()> {
    send(client, output, patience).await?;
    client.shutdown().await
}
