//! Sessions on sockets: moves bytes between a client and its protocol session, answers the requests of that session, and enforces time
//! limits. A session that waits for its client uses only memory. It can reach mail through the store only.
//!
//! No client can keep a session open for ever: each command, each piece of a reply, and the whole session have a time limit.

use std::future::{Future, poll_fn};
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::{Duration, SystemTime};

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tracing::{debug, error, info, warn};

use super::config::Config;
use super::connection::Connection;
use super::metrics::{Counter, Metrics};
use super::names;
use super::passwords::Passwords;
use super::pop3::{self, Entry, Maildrop, Pop3, Refused};
use super::quotas::Quotas;
use super::smtp::{self, End, Mailbox, Smtp, Stored};
use super::sockets::Service;
use super::store::Store;
use super::tls::Tls;
use super::trace::{self, Way};
use crate::bottom::SessionLock;
use crate::layers::{MsgId, encode};

/// The data that all sessions of a worker share.
#[derive(Debug)]
pub struct Shared {
    /// The settings of the server.
    pub config: Config,
    /// The settings of SMTP sessions.
    pub smtp: Arc<smtp::Config>,
    /// The settings of POP3 sessions.
    pub pop3: Arc<pop3::Config>,
    /// The mail store, through which all mail is read and written.
    pub store: Store,
    /// The certificate, if there is one.
    pub tls: Option<Tls>,
    pub passwords: Passwords,
    /// The size limits of mailboxes.
    pub quotas: Quotas,
    /// The counters of this worker.
    pub metrics: Metrics,
    /// True when the worker is stopping.
    pub leaving: watch::Receiver<bool>,
}

/// An event while a session waits for its client.
enum Heard {
    Said(usize),
    Left,
    Nothing,
    /// The worker is stopping.
    Leaving,
}

/// The size of one read, in octets.
const PIECE: usize = 16 << 10;
/// The size of one piece of output, in octets. A client must take each piece within its time limit.
const PIECE_OUT: usize = 64 << 10;

/// The time by which a client must have sent its next command.
struct Deadline {
    idle: Duration,
    /// The minimum rate in octets per second; slower input does not extend the deadline.
    least_rate: u32,
    at: Instant,
    /// The end of the whole session.
    end: Instant,
    /// The timer, which may fire before the deadline. Deadlines move often, and setting a timer can be the only system call of a command;
    /// so it is set again only after it has fired.
    alarm: Pin<Box<Sleep>>,
}

impl Deadline {
    fn new(idle: u64, session: u64, least_rate: u32) -> Deadline {
        let (idle, now) = (Duration::from_secs(idle), Instant::now());
        let (at, end) = (now + idle, now + Duration::from_secs(session));
        Deadline { idle, least_rate, at, end, alarm: Box::pin(sleep_until(at.min(end))) }
    }

    /// Waits for `what` until a point in time; `None` if it is not done by then.
    async fn wait<T>(&mut self, until: Instant, what: impl Future<Output = T>) -> Option<T> {
        let mut what = pin!(what);
        poll_fn(|context| {
            if let Poll::Ready(done) = what.as_mut().poll(context) {
                return Poll::Ready(Some(done));
            }
            if self.alarm.deadline() > until {
                self.alarm.as_mut().reset(until);
            }
            loop {
                ready!(self.alarm.as_mut().poll(context));
                if self.alarm.deadline() >= until {
                    return Poll::Ready(None);
                }
                self.alarm.as_mut().reset(until);
            }
        })
        .await
    }

    /// Restarts the time limit, after a reply has been sent.
    fn answered(&mut self) {
        self.at = Instant::now() + self.idle;
    }

    /// Extends the deadline after input that is not yet a whole command or message: by the time that these octets take at the minimum rate.
    fn heard(&mut self, octets: usize) {
        let whole = Instant::now() + self.idle;
        let earned = u32::try_from(octets).ok().and_then(|octets| Duration::from_secs(1).checked_mul(octets));
        self.at = match earned.and_then(|seconds| seconds.checked_div(self.least_rate)) {
            Some(earned) => whole.min(self.at + earned),
            None => whole,
        };
    }

    fn of_command(&self) -> Instant {
        self.at.min(self.end)
    }

    fn of_piece(&self) -> Instant {
        (Instant::now() + self.idle).min(self.end)
    }
}

/// Runs one session, from the greeting to the end of the connection.
pub async fn run(client: TcpStream, service: Service, peer: IpAddr, shared: Arc<Shared>) -> io::Result<()> {
    let Config { smtp_idle, smtp_session, pop3_idle, pop3_session, least_rate, .. } = shared.config;
    let is_smtp = matches!(service, Service::Smtp | Service::Smtps);
    let (counter, mut deadline) = match is_smtp {
        true => (Counter::SmtpSessions, Deadline::new(smtp_idle, smtp_session, least_rate)),
        false => (Counter::Pop3Sessions, Deadline::new(pop3_idle, pop3_session, least_rate)),
    };
    shared.metrics.count(counter);
    let mut client = Connection::Plain(client);
    if service.is_secured() {
        client = secure(client, &shared, &mut deadline).await?;
    }
    match is_smtp {
        true => {
            let mut session = Smtp::new(shared.smtp.clone(), service.is_secured());
            let ended = smtp(&mut session, client, deadline, peer, &shared).await;
            shared.metrics.add(Counter::SmtpRefused, session.refused());
            ended
        }
        false => {
            let mut session = Pop3::new(shared.pop3.clone(), service.is_secured());
            let ended = pop3(&mut session, client, deadline, peer, &shared).await;
            shared.metrics.add(Counter::Pop3Refused, session.refused());
            ended
        }
    }
}

/// Encrypts a connection, with the current certificate.
async fn secure(client: Connection, shared: &Shared, deadline: &mut Deadline) -> io::Result<Connection> {
    let tls = shared.tls.as_ref().ok_or_else(|| io::Error::other("there is no certificate"))?;
    let until = deadline.of_command();
    let secured = deadline.wait(until, client.secure(tls.acceptor())).await;
    let secured = secured.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()));
    shared.metrics.count(if secured.is_ok() { Counter::Handshakes } else { Counter::HandshakesFailed });
    deadline.answered();
    secured
}

/// Logs that unencrypted input followed the command that begins TLS. The client or a third party may have sent it.
fn warn_of_dropped(peer: IpAddr, dropped: usize) {
    if dropped > 0 {
        warn!(%peer, dropped, "unencrypted octets after the command that begins TLS were dropped");
    }
}

/// Runs an SMTP session until the client disconnects or the session ends.
async fn smtp(
    session: &mut Smtp,
    mut client: Connection,
    mut deadline: Deadline,
    peer: IpAddr,
    shared: &Arc<Shared>,
) -> io::Result<()> {
    let mut leaving = shared.leaving.clone();
    let mut piece = vec![0; PIECE];
    loop {
        match session.step() {
            smtp::Step::CheckUser { user, size } => session.user_is(look_up(shared, user, size).await),
            smtp::Step::StartTls => {
                send(&mut client, session.take_output(), &mut deadline).await?;
                warn_of_dropped(peer, session.secured());
                client = secure(client, shared, &mut deadline).await?;
            }
            smtp::Step::Deliver { sender, greeting, recipients, message } => {
                let octets = message.len();
                let message = match shared.config.trace {
                    true => {
                        let (sender, hostname) = (sender.as_deref().unwrap_or_default(), &shared.config.hostname);
                        let way = Way { sender, greeting: &greeting, peer, hostname };
                        trace::with_lines(message, way, SystemTime::now())
                    }
                    false => message,
                };
                let stored = deliver(shared, &recipients, message).await;
                info!(%peer, ?sender, ?recipients, octets, ?stored, "delivery");
                session.delivered(stored);
            }
            smtp::Step::Close => return close(&mut client, session.take_output(), &mut deadline).await,
            smtp::Step::Read => {
                send(&mut client, session.take_output(), &mut deadline).await?;
                let may_leave = session.is_between_messages();
                match hear(&mut client, &mut piece, &mut deadline, may_leave, &mut leaving).await? {
                    Heard::Said(octets) => {
                        deadline.heard(octets);
                        session.receive(&piece[..octets]);
                    }
                    Heard::Left => return Ok(()),
                    Heard::Nothing => session.end(End::Idle),
                    Heard::Leaving => session.end(End::Leaving),
                }
            }
        }
    }
}

/// The state of a mailbox, for a message of this size.
async fn look_up(shared: &Arc<Shared>, user: String, size: u64) -> Mailbox {
    match shared.store.has_user(&user) {
        Ok(true) if has_room(shared, user, size).await => Mailbox::Open,
        Ok(true) => {
            shared.metrics.count(Counter::Full);
            Mailbox::Full
        }
        Ok(false) => Mailbox::Missing,
        Err(_) => Mailbox::Unclear,
    }
}

/// Delivers the message to all of these mailboxes, if every one has room for it.
async fn deliver(shared: &Arc<Shared>, recipients: &[String], message: Vec<u8>) -> Stored {
    for user in recipients {
        if !has_room(shared, user.clone(), message.len() as u64).await {
            shared.metrics.count(Counter::Full);
            return Stored::Full;
        }
    }
    match shared.store.deliver(recipients, message).await {
        true => {
            shared.metrics.count(Counter::Deliveries);
            Stored::Everywhere
        }
        false => {
            shared.metrics.count(Counter::DeliveriesFailed);
            Stored::Nowhere
        }
    }
}

/// Whether the mailbox has room for this many more octets. If its size cannot be determined, it has: a limit must not lose mail.
async fn has_room(shared: &Arc<Shared>, user: String, more: u64) -> bool {
    let limit = match shared.quotas.limit(&user) {
        Ok(Some(limit)) => limit,
        Ok(None) => return true,
        Err(error) => {
            error!(%error, "quotas");
            return true;
        }
    };
    // The first measurement of a large mailbox takes long, so it must not block other sessions.
    let shared = shared.clone();
    let held = tokio::task::spawn_blocking(move || shared.store.usage(&user)).await;
    match held {
        Ok(Ok(held)) => held.saturating_add(more) <= limit,
        Ok(Err(_)) | Err(_) => true,
    }
}

/// An open mailbox: its lock, and the names of its messages.
struct Open {
    user: String,
    ids: Vec<MsgId>,
    _lock: SessionLock,
}

/// Runs a POP3 session until the client disconnects or the session ends.
async fn pop3(
    session: &mut Pop3,
    mut client: Connection,
    mut deadline: Deadline,
    peer: IpAddr,
    shared: &Arc<Shared>,
) -> io::Result<()> {
    let mut leaving = shared.leaving.clone();
    let mut open = None;
    let mut piece = vec![0; PIECE];
    loop {
        match session.step() {
            pop3::Step::Open { user, password } => match log_in(shared, user, password, peer).await {
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
                        shared.metrics.add(Counter::Deleted, marked.len());
                        shared.store.delete(user, &marked).await.is_ok()
                    }
                    None => false,
                };
                // Unlock the mailbox before the client gets the reply.
                open = None;
                session.removed(removed);
            }
            pop3::Step::Close => {
                drop(open.take());
                return close(&mut client, session.take_output(), &mut deadline).await;
            }
            pop3::Step::StartTls => {
                send(&mut client, session.take_output(), &mut deadline).await?;
                warn_of_dropped(peer, session.secured());
                client = secure(client, shared, &mut deadline).await?;
            }
            pop3::Step::Write => send(&mut client, session.take_output(), &mut deadline).await?,
            pop3::Step::Read => {
                send(&mut client, session.take_output(), &mut deadline).await?;
                match hear(&mut client, &mut piece, &mut deadline, session.is_idle(), &mut leaving).await? {
                    Heard::Said(octets) => {
                        deadline.heard(octets);
                        session.receive(&piece[..octets]);
                    }
                    Heard::Left => return Ok(()),
                    Heard::Nothing | Heard::Leaving => session.end(),
                }
            }
        }
    }
}

/// Opens a mailbox. An unknown user or a wrong password is refused after a delay.
async fn log_in(shared: &Shared, user: String, password: String, peer: IpAddr) -> Result<(Maildrop, Open), Refused> {
    let passwords = shared.passwords.clone();
    let name = user.clone();
    // Hashing takes long, so it must not block other sessions.
    let verified = tokio::task::spawn_blocking(move || passwords.verify(&name, &password)).await;
    let verified = match verified {
        Ok(Ok(verified)) => verified,
        Ok(Err(error)) => {
            error!(%error, "passwords");
            return Err(Refused::Trouble);
        }
        Err(_) => return Err(Refused::Trouble),
    };
    if !verified || !names::is_user(&user) || !shared.store.has_user(&user).map_err(|_| Refused::Trouble)? {
        info!(%peer, user, "login refused");
        shared.metrics.count(Counter::LoginsRefused);
        sleep(Duration::from_millis(shared.config.login_delay)).await;
        return Err(Refused::Login);
    }
    let lock = shared.store.session(&user).map_err(|_| Refused::Trouble)?.ok_or(Refused::InUse)?;
    let mail = shared.store.pickup(&user).await.map_err(|_| Refused::Trouble)?;
    shared.metrics.count(Counter::Logins);
    shared.metrics.add(Counter::PickedUp, mail.len());
    let (ids, entries) = mail.into_iter().map(|(id, message)| (id, Entry::new(encode(&id), message.0))).unzip();
    info!(%peer, user, "login");
    Ok((Maildrop::new(entries), Open { user, ids, _lock: lock }))
}

/// Waits for input until the deadline. With `may_leave`, the wait also ends when the worker stops.
async fn hear(
    client: &mut Connection,
    piece: &mut [u8],
    deadline: &mut Deadline,
    may_leave: bool,
    leaving: &mut watch::Receiver<bool>,
) -> io::Result<Heard> {
    if may_leave && *leaving.borrow() {
        return Ok(Heard::Leaving);
    }
    let until = deadline.of_command();
    tokio::select! {
        read = deadline.wait(until, client.read(piece)) => match read {
            Some(octets) => Ok(octets.map(|octets| if octets == 0 { Heard::Left } else { Heard::Said(octets) })?),
            None => Ok(Heard::Nothing),
        },
        _ = leaving.changed(), if may_leave => Ok(Heard::Leaving),
    }
}

/// Sends all of the output in pieces. Each piece has the time limit of a command.
async fn send(client: &mut Connection, output: Vec<u8>, deadline: &mut Deadline) -> io::Result<()> {
    for piece in output.chunks(PIECE_OUT) {
        let until = deadline.of_piece();
        match deadline.wait(until, client.write_all(piece)).await {
            Some(sent) => sent?,
            None => {
                debug!("a client does not read");
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        deadline.answered();
    }
    Ok(())
}

async fn close(client: &mut Connection, output: Vec<u8>, deadline: &mut Deadline) -> io::Result<()> {
    send(client, output, deadline).await?;
    client.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(test: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(test)
    }

    /// The time limit ends exactly at the deadline, however often the deadline was moved.
    #[test]
    fn the_alarm_rings_at_the_deadline() {
        run(async {
            let start = Instant::now();
            let mut deadline = Deadline::new(10, 35, 0);
            let second = Duration::from_secs(1);
            for said in [9, 18, 27] {
                let until = deadline.of_command();
                assert_eq!(deadline.wait(until, sleep_until(start + said * second)).await, Some(()), "{said}");
                deadline.answered();
            }
            let until = deadline.of_command();
            assert_eq!(deadline.wait(until, std::future::pending::<()>()).await, None);
            // Without the end of the session, the deadline would be at 37 seconds.
            assert_eq!(start.elapsed().as_secs(), 35);
        });
    }

    /// A deadline may be earlier than the previous one.
    #[test]
    fn the_alarm_is_not_late() {
        run(async {
            let start = Instant::now();
            let mut deadline = Deadline::new(10, 100, 0);
            let second = Duration::from_secs(1);
            let ready = deadline.wait(start + 50 * second, sleep_until(start + second)).await;
            assert_eq!(ready, Some(()));
            assert_eq!(deadline.wait(start + 3 * second, std::future::pending::<()>()).await, None);
            assert_eq!(start.elapsed().as_secs(), 3);
        });
    }
}
