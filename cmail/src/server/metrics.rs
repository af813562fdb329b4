//! Metrics, and the sockets between the main process and its workers. Each worker counts for itself; the main process asks all of them,
//! adds up, and serves the sums over HTTP in the text format of Prometheus. The last known counters of a worker that has ended stay in the
//! sums.

use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixDatagram};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::bottom::histogram::ENDS;

/// Counters, which only increase. The order is that of `COUNTERS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    SmtpSessions,
    Pop3Sessions,
    /// Clients that were turned away, because there were too many.
    SessionsRefused,
    /// TLS handshakes that succeeded.
    Handshakes,
    /// TLS handshakes that failed.
    HandshakesFailed,
    /// Messages that were accepted.
    Deliveries,
    /// Messages that could not be stored.
    DeliveriesFailed,
    /// Messages and recipients that were refused as a mailbox is full.
    Full,
    /// Refused commands and messages of SMTP.
    SmtpRefused,
    /// Refused commands of POP3.
    Pop3Refused,
    Logins,
    /// Wrong names and passwords.
    LoginsRefused,
    /// Messages that were picked up at a login.
    PickedUp,
    /// Messages that were deleted.
    Deleted,
}

/// The name, the labels and the meaning of each counter.
const COUNTERS: [(&str, &str, &str); 14] = [
    ("cmail_sessions_total", "protocol=\"smtp\"", "Sessions that were started."),
    ("cmail_sessions_total", "protocol=\"pop3\"", ""),
    ("cmail_sessions_refused_total", "", "Clients that were turned away because there were too many."),
    ("cmail_tls_handshakes_total", "result=\"done\"", "TLS handshakes."),
    ("cmail_tls_handshakes_total", "result=\"failed\"", ""),
    ("cmail_deliveries_total", "result=\"stored\"", "Messages, by result."),
    ("cmail_deliveries_total", "result=\"failed\"", ""),
    ("cmail_full_total", "", "Messages and recipients that were refused because a mailbox is full."),
    ("cmail_refused_total", "protocol=\"smtp\"", "Commands and messages that were refused."),
    ("cmail_refused_total", "protocol=\"pop3\"", ""),
    ("cmail_logins_total", "result=\"done\"", "Logins."),
    ("cmail_logins_total", "result=\"refused\"", ""),
    ("cmail_picked_up_messages_total", "", "Messages that were picked up at a login."),
    ("cmail_deleted_messages_total", "", "Messages that were deleted."),
];

/// The counters of a worker.
#[derive(Debug, Default)]
pub struct Metrics([AtomicU64; COUNTERS.len()]);

impl Metrics {
    /// Adds one to a counter.
    pub fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Adds a number to a counter.
    pub fn add(&self, counter: Counter, number: usize) {
        self.0[counter as usize].fetch_add(number as u64, Ordering::Relaxed);
    }

    /// All counters in their order.
    pub fn read(&self) -> Vec<u64> {
        self.0.iter().map(|counter| counter.load(Ordering::Relaxed)).collect()
    }
}

/// The state of one worker, or the sum of several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The counters, in the order of [`Counter`].
    pub counters: Vec<u64>,
    /// The number of `fsync` calls for each range of the histogram.
    pub fsyncs: Vec<u64>,
    /// The total duration of `fsync` calls, in microseconds.
    pub fsync_microseconds: u64,
    /// Sessions that are open.
    pub sessions: u64,
    /// Requests that wait for a thread of the store.
    pub queue: u64,
}

impl Snapshot {
    fn add(&mut self, other: &Snapshot) {
        add_all(&mut self.counters, &other.counters);
        add_all(&mut self.fsyncs, &other.fsyncs);
        self.fsync_microseconds += other.fsync_microseconds;
        self.sessions += other.sessions;
        self.queue += other.queue;
    }

    /// The part that stays true after the worker has ended.
    fn without_present(self) -> Snapshot {
        Snapshot { sessions: 0, queue: 0, ..self }
    }
}

fn add_all(sums: &mut Vec<u64>, numbers: &[u64]) {
    sums.resize(sums.len().max(numbers.len()), 0);
    for (sum, number) in sums.iter_mut().zip(numbers) {
        *sum += number;
    }
}

/// What the main process knows about its workers.
#[derive(Debug, Default)]
pub struct Sums(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The sums of workers that have ended.
    past: Snapshot,
    restarts: u64,
    workers: Vec<Worker>,
}

#[derive(Debug)]
struct Worker {
    number: usize,
    socket: UnixDatagram,
    last: Snapshot,
}

/// The message that asks a worker for its counters.
const QUESTION: &[u8] = b"?";
const RELOAD: &[u8] = b"!";

/// How long a worker may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

impl Sums {
    /// Registers a new worker, replacing the one with the same number.
    pub async fn started(&self, number: usize, socket: UnixDatagram) {
        let mut state = self.0.lock().await;
        if let Some(place) = state.workers.iter().position(|worker| worker.number == number) {
            let gone = state.workers.swap_remove(place);
            state.past.add(&gone.last.without_present());
            state.restarts += 1;
        }
        state.workers.push(Worker { number, socket, last: Snapshot::default() });
    }

    /// Tells all workers to reload their files. A worker that is just starting finds the message when it listens; a signal would kill it.
    pub async fn reload(&self) {
        for worker in &self.0.lock().await.workers {
            if let Err(error) = worker.socket.try_send(RELOAD) {
                // It has ended, and the next one reads the files anyway.
                info!(%error, "a worker cannot be told to reload its files");
            }
        }
    }

    /// The current sums, in the format of Prometheus.
    async fn render(&self) -> String {
        let mut state = self.0.lock().await;
        let mut sum = state.past.clone();
        for worker in &mut state.workers {
            // A worker that does not answer keeps its last counters: it is busy, or is just being replaced.
            if let Ok(Ok(snapshot)) = timeout(PATIENCE, ask(&worker.socket)).await {
                worker.last = snapshot;
            }
            sum.add(&worker.last);
        }
        render(&sum, state.workers.len(), state.restarts)
    }
}

/// Asks a worker for its counters.
async fn ask(worker: &UnixDatagram) -> io::Result<Snapshot> {
    let mut answer = [0; 4096];
    // A late answer to an earlier request.
    while worker.try_recv(&mut answer).is_ok() {}
    worker.send(QUESTION).await?;
    let octets = worker.recv(&mut answer).await?;
    Ok(serde_json::from_slice(&answer[..octets])?)
}

/// In a worker: answers the main process, and reloads files when told to.
pub async fn answer(main: &UnixDatagram, snapshot: impl Fn() -> Snapshot, reload: impl Fn()) -> io::Result<()> {
    let mut message = [0; 8];
    loop {
        let octets = main.recv(&mut message).await?;
        match &message[..octets] {
            RELOAD => reload(),
            _ => {
                main.send(serde_json::to_string(&snapshot())?.as_bytes()).await?;
            }
        }
    }
}

/// The text format of Prometheus, version 0.0.4.
fn render(sum: &Snapshot, workers: usize, restarts: u64) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        text += &line;
        text.push('\n');
    };
    for (number, (name, labels, help)) in COUNTERS.iter().enumerate() {
        if !help.is_empty() {
            line(format!("# HELP {name} {help}\n# TYPE {name} counter"));
        }
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        line(format!("{name}{labels} {}", sum.counters.get(number).unwrap_or(&0)));
    }
    line(format!(
        "# HELP cmail_worker_restarts_total Workers that were restarted.\n# TYPE cmail_worker_restarts_total counter\ncmail_worker_restarts_total {restarts}"
    ));
    for (name, help, value) in [
        ("cmail_workers", "Worker processes.", workers as u64),
        ("cmail_sessions_open", "Sessions that are open.", sum.sessions),
        ("cmail_store_queue", "Requests that wait for a thread of the store.", sum.queue),
    ] {
        line(format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}"));
    }
    text + &histogram(sum)
}

fn histogram(sum: &Snapshot) -> String {
    let name = "cmail_fsync_seconds";
    let mut text = format!("# HELP {name} Duration of fsync, for files and directories.\n# TYPE {name} histogram\n");
    let mut count = 0;
    let ends = ENDS.iter().map(|end| seconds(*end)).chain(["+Inf".to_owned()]);
    for (number, end) in ends.enumerate() {
        count += sum.fsyncs.get(number).unwrap_or(&0);
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name}_bucket{{le=\"{end}\"}} {count}");
    }
    let _ = writeln!(text, "{name}_sum {}\n{name}_count {count}", seconds(sum.fsync_microseconds));
    text
}

fn seconds(microseconds: u64) -> String {
    format!("{}", microseconds as f64 / 1e6)
}

/// The largest request that is read.
const REQUEST: usize = 8 << 10;

/// Answers HTTP requests for `/metrics`, for ever. Few at a time, and one for each connection.
pub async fn serve(listener: TcpListener, sums: Arc<Sums>) {
    let limit = Arc::new(Semaphore::new(8));
    loop {
        match listener.accept().await {
            Ok((client, peer)) => {
                let (sums, Ok(permit)) = (sums.clone(), limit.clone().try_acquire_owned()) else { continue };
                tokio::spawn(async move {
                    let _permit = permit;
                    if let Ok(Err(error)) = timeout(PATIENCE * 3, reply(client, &sums)).await {
                        warn!(%peer, %error, "a request for metrics");
                    }
                });
            }
            Err(error) => {
                warn!(%error, "a request for metrics cannot be accepted");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn reply(mut client: TcpStream, sums: &Sums) -> io::Result<()> {
    let mut request = Vec::new();
    let mut piece = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < REQUEST {
        match client.read(&mut piece).await? {
            0 => return Ok(()),
            octets => request.extend_from_slice(&piece[..octets]),
        }
    }
    let first = request.split(|octet| *octet == b'\r').next().unwrap_or_default();
    let words: Vec<&[u8]> = first.split(|octet| *octet == b' ').collect();
    let (status, body) = match words[..] {
        [b"GET" | b"HEAD", b"/metrics", _] => ("200 OK", sums.render().await),
        [b"GET" | b"HEAD", ..] => ("404 Not Found", "The metrics are at /metrics.\n".to_owned()),
        _ => ("405 Method Not Allowed", "Say: GET /metrics\n".to_owned()),
    };
    let length = body.len();
    let body = if words.first() == Some(&&b"HEAD"[..]) { "" } else { &body };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    client.write_all((head + body).as_bytes()).await?;
    client.shutdown().await
}

/// Metrics reveal who uses the server and how much, so they are served to this machine only.
pub fn is_local(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn what_prometheus_reads() {
        let metrics = Metrics::default();
        metrics.count(Counter::Deliveries);
        metrics.add(Counter::Deleted, 3);
        let mut sum = Snapshot {
            counters: metrics.read(),
            fsyncs: vec![1; 13],
            fsync_microseconds: 1_500_000,
            sessions: 2,
            queue: 0,
        };
        sum.add(&Snapshot { counters: vec![5], ..Snapshot::default() });
        let text = render(&sum, 2, 1);
        let values: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        expect![[r#"
            cmail_sessions_total{protocol="smtp"} 5
            cmail_sessions_total{protocol="pop3"} 0
            cmail_sessions_refused_total 0
            cmail_tls_handshakes_total{result="done"} 0
            cmail_tls_handshakes_total{result="failed"} 0
            cmail_deliveries_total{result="stored"} 1
            cmail_deliveries_total{result="failed"} 0
            cmail_full_total 0
            cmail_refused_total{protocol="smtp"} 0
            cmail_refused_total{protocol="pop3"} 0
            cmail_logins_total{result="done"} 0
            cmail_logins_total{result="refused"} 0
            cmail_picked_up_messages_total 0
            cmail_deleted_messages_total 3
            cmail_worker_restarts_total 1
            cmail_workers 2
            cmail_sessions_open 2
            cmail_store_queue 0
            cmail_fsync_seconds_bucket{le="0.0001"} 1
            cmail_fsync_seconds_bucket{le="0.00025"} 2
            cmail_fsync_seconds_bucket{le="0.0005"} 3
            cmail_fsync_seconds_bucket{le="0.001"} 4
            cmail_fsync_seconds_bucket{le="0.0025"} 5
            cmail_fsync_seconds_bucket{le="0.005"} 6
            cmail_fsync_seconds_bucket{le="0.01"} 7
            cmail_fsync_seconds_bucket{le="0.025"} 8
            cmail_fsync_seconds_bucket{le="0.05"} 9
            cmail_fsync_seconds_bucket{le="0.1"} 10
            cmail_fsync_seconds_bucket{le="0.25"} 11
            cmail_fsync_seconds_bucket{le="1"} 12
            cmail_fsync_seconds_bucket{le="+Inf"} 13
            cmail_fsync_seconds_sum 1.5
            cmail_fsync_seconds_count 13"#]]
        .assert_eq(&values.join("\n"));
        // Each name is explained once, before its first value.
        let helps = text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next());
        let helps: Vec<&str> = helps.collect();
        let mut once = helps.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(helps.len(), once.len());
        assert!(values.iter().all(|value| helps.iter().any(|help| value.starts_with(help))));
    }
}
