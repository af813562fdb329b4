//! Tests of operating a server: another user, sockets from systemd, log rotation, limits, metrics and `check`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};

use crate::harness::{Line, Scratch, Server, cmail, deliver, fetch, has, is_soon, kill, prepare, skipped};

/// The exit code and the output of a command on a root.
fn run(arguments: &[&str], root: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmail"));
    let output = command.args(arguments).arg("--root").arg(root).output().expect("cmail starts");
    (output.status.code(), said(&output))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The value of a metric.
fn metric(server: &Server, name: &str) -> f64 {
    let text = get(&server.address("metrics"), "GET /metrics HTTP/1.1");
    let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
    let value = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in {text}"))
}

fn get(address: &str, request: &str) -> String {
    let mut client = TcpStream::connect(address).expect("a connection");
    client.write_all(format!("{request}\r\nHost: localhost\r\n\r\n").as_bytes()).expect("it is sent");
    let mut text = String::new();
    client.read_to_string(&mut text).expect("a reply");
    text
}

#[test]
fn metrics_count_what_is_done() {
    let scratch = Scratch::new(&["u1"]);
    scratch.settings("login_delay = 0");
    cmail(&["adduser", "u2"], &scratch.0, "secret\n");
    let server = Server::start(&scratch, &["--metrics", "127.0.0.1:0"]);
    let address = server.address("metrics");
    for _ in 0..3 {
        assert!(deliver(&server.smtp, &["u1"], "x").expect("a reply").starts_with("250"));
    }
    assert!(deliver(&server.smtp, &["nobody"], "x").expect("a reply").starts_with("550"));
    assert_eq!(fetch(&server.pop3, "u1", true).expect("a session").len(), 3);
    fetch(&server.pop3, "u2", false).expect_err("it is another password");
    // A session adds its refusals to the metrics when it ends.
    assert!(is_soon(|| metric(&server, "cmail_refused_total{protocol=\"smtp\"}") == 1.0));
    assert!(is_soon(|| metric(&server, "cmail_refused_total{protocol=\"pop3\"}") == 1.0));
    for (name, value) in [
        ("cmail_deliveries_total{result=\"stored\"}", 3.0),
        ("cmail_deliveries_total{result=\"failed\"}", 0.0),
        ("cmail_picked_up_messages_total", 3.0),
        ("cmail_deleted_messages_total", 3.0),
        ("cmail_logins_total{result=\"done\"}", 1.0),
        ("cmail_logins_total{result=\"refused\"}", 1.0),
        ("cmail_sessions_total{protocol=\"smtp\"}", 4.0),
        ("cmail_workers", 2.0),
    ] {
        assert_eq!(metric(&server, name), value, "{name}");
    }
    // A delivery syncs a file and a directory.
    assert!(metric(&server, "cmail_fsync_seconds_count") >= 6.0);
    assert_eq!(
        metric(&server, "cmail_fsync_seconds_count"),
        metric(&server, "cmail_fsync_seconds_bucket{le=\"+Inf\"}")
    );
    // Sums do not decrease when a worker ends.
    let before = server.workers();
    kill("KILL", before[0]);
    kill("KILL", before[1]);
    let are_others = || server.workers().len() == 2 && server.workers().iter().all(|worker| !before.contains(worker));
    assert!(is_soon(are_others), "workers are not replaced");
    assert!(is_soon(|| metric(&server, "cmail_worker_restarts_total") == 2.0));
    assert_eq!(metric(&server, "cmail_deliveries_total{result=\"stored\"}"), 3.0);

    assert!(get(&address, "GET / HTTP/1.1").starts_with("HTTP/1.1 404 "));
    assert!(get(&address, "POST /metrics HTTP/1.1").starts_with("HTTP/1.1 405 "));
    server.stop();
    let (code, text) = run(&["serve", "--metrics", "0.0.0.0:0"], &scratch.0);
    assert_eq!(code, Some(2));
    assert!(text.contains("to this machine only"), "{text}");
}

/// A mailbox with a limit accepts what fits. If the client announces the size, a larger message is refused before it is sent.
#[test]
fn quotas() {
    let scratch = Scratch::new(&["u1", "u2"]);
    scratch.settings("quota = 2000");
    let server = Server::start(&scratch, &["--no-sync"]);
    let text = ["x".repeat(70).as_str(); 10].join("\r\n");
    for _ in 0..2 {
        assert!(deliver(&server.smtp, &["u1"], &text).expect("a reply").starts_with("250"));
    }
    // The message is larger than the free space, which is known at its end; no recipient gets it.
    assert!(deliver(&server.smtp, &["u2", "u1"], &text).expect("a reply").starts_with("452 4.2.2"));
    assert!(scratch.files("u2", "mail").is_empty());
    let mut smtp = Line::connect(&server.smtp).expect("a connection");
    smtp.ask("EHLO test").expect("a reply");
    smtp.ask("MAIL FROM:<> SIZE=900").expect("a reply");
    assert!(smtp.ask("RCPT TO:<u1>").expect("a reply").starts_with("452 4.2.2"));
    assert!(smtp.ask("RCPT TO:<u2>").expect("a reply").starts_with("250"));
    assert!(smtp.ask("QUIT").expect("a reply").starts_with("221"));
    // A limit of this mailbox, which takes effect at once; then no limit.
    cmail(&["quota", "u1", "1M"], &scratch.0, "");
    assert!(deliver(&server.smtp, &["u1"], &text).expect("a reply").starts_with("250"));
    cmail(&["quota", "u1", "default"], &scratch.0, "");
    assert!(prepare(&server.smtp, &["u1"]).expect("a connection").is_err());
    cmail(&["quota", "u1", "none"], &scratch.0, "");
    assert!(deliver(&server.smtp, &["u1"], &text).expect("a reply").starts_with("250"));
    cmail(&["quota", "u1", "default"], &scratch.0, "");
    assert_eq!(run(&["quota", "u1"], &scratch.0), (Some(0), "u1 may hold 2000 octets\n".to_owned()));
    // Deleting messages frees space.
    assert_eq!(fetch(&server.pop3, "u1", true).expect("a session").len(), 4);
    assert!(deliver(&server.smtp, &["u1"], &text).expect("a reply").starts_with("250"));
    server.stop();
    let (code, text) = run(&["quota", "u1", "much"], &scratch.0);
    assert!(code == Some(1) && text.contains("expected a number of octets"), "{text}");
}

/// Root opens the ports; everything else runs as a user without privileges.
#[test]
fn another_user() {
    let scratch = Scratch::new(&["u1"]);
    let start = ["serve", "--user", "nobody", "--smtp", "127.0.0.1:0", "--pop3", "127.0.0.1:0"];
    let is_root = fs::metadata("/proc/self").is_ok_and(|status| std::os::unix::fs::MetadataExt::uid(&status) == 0);
    if !is_root {
        let (code, text) = run(&start, &scratch.0);
        assert!(code == Some(1) && text.contains("only root can become another user"), "{text}");
        return skipped("only root can become another user");
    }
    let (code, text) = run(&start, &scratch.0);
    assert!(code == Some(1) && text.contains("does not belong to nobody"), "{text}");
    let chown = Command::new("chown").args(["-R", "nobody"]).arg(&scratch.0).status();
    assert!(chown.expect("chown runs").success());
    let log = scratch.0.join("log");
    let server = Server::start(&scratch, &["--user", "nobody", "--log", log.to_str().expect("a path in text")]);
    for process in [&[server.pid][..], &server.workers()].concat() {
        let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it lives");
        let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel says");
        let ids: Vec<&str> = line("Uid:").split_whitespace().collect();
        assert!(ids.iter().all(|id| *id == ids[0] && *id != "0"), "{ids:?}");
        assert!(line("Gid:").split_whitespace().all(|id| id != "0"));
        assert!(line("Groups:").split_whitespace().all(|id| id != "0"));
        assert_eq!(line("CapEff:").trim().trim_matches('0'), "", "it may do what others may not");
    }
    assert!(deliver(&server.smtp, &["u1"], "x").expect("a reply").starts_with("250"));
    assert_eq!(fetch(&server.pop3, "u1", true).expect("a session").len(), 1);
    // A worker that is started later runs as the same user.
    let before = server.workers();
    kill("KILL", before[0]);
    server.wait_for_others(&before);
    assert!(deliver(&server.smtp, &["u1"], "x").expect("a reply").starts_with("250"));
    // The log that was opened by root can be reopened.
    fs::rename(&log, log.with_extension("old")).expect("it is there");
    fs::write(&log, "").expect("it is writable");
    assert!(Command::new("chown").arg("nobody").arg(&log).status().expect("chown runs").success());
    kill("HUP", server.pid);
    server.stop();
    let (code, text) = run(&["serve", "--user", "nobody-at-all", "--smtp", "127.0.0.1:0"], &scratch.0);
    assert!(code == Some(1) && text.contains("there is no such user"), "{text}");
}

/// A log that was moved away is started anew, by the main process and by all workers.
#[test]
fn a_log_is_moved_away() {
    let scratch = Scratch::new(&["u1"]);
    let (log, old) = (scratch.0.join("log"), scratch.0.join("log.1"));
    let arguments = ["--no-sync", "--log-json", "--workers", "1", "--log", log.to_str().expect("a path in text")];
    // This level logs deliveries.
    let under = ["sh", "-c", "RUST_LOG=info exec \"$@\"", "sh"];
    let server = Server::start_under(&under, &scratch, &arguments);
    let tells = |path: &Path, word: &str| fs::read_to_string(path).is_ok_and(|text| text.contains(word));
    assert!(deliver(&server.smtp, &["u1"], "x").expect("a reply").starts_with("250"));
    assert!(is_soon(|| tells(&log, "\"delivery\"")));
    fs::rename(&log, &old).expect("it is there");
    kill("HUP", server.pid);
    assert!(is_soon(|| tells(&log, "received SIGHUP: reloading files")), "the main process does not open it");
    let tells_of_delivery = || {
        assert!(deliver(&server.smtp, &["u1"], "x").expect("a reply").starts_with("250"));
        tells(&log, "\"delivery\"")
    };
    assert!(is_soon(tells_of_delivery), "the worker does not open it");
    let lines = fs::read_to_string(&log).expect("it is there");
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{lines}");
    server.stop();
    let (code, text) = run(&["serve", "--log", "/nowhere/log"], &scratch.0);
    assert!(code == Some(1) && text.contains("the log /nowhere/log: No such file"), "{text}");
}

/// Sockets opened by another program, as systemd does. They have names, and the server listens at no others.
#[test]
fn sockets_of_systemd() {
    if !has("python3") {
        return;
    }
    let scratch = Scratch::new(&["u1"]);
    let names = "smtp:pop3:metrics";
    let script = r#"
import os, socket, sys
sockets = [socket.create_server(('127.0.0.1', 0)) for _ in sys.argv[1].split(':')]
# First to where they are in nobody's way.
high = [os.dup2(it.fileno(), 100 + number) for number, it in enumerate(sockets)]
for number, handle in enumerate(high):
    os.dup2(handle, 3 + number, inheritable=True)
    os.close(handle)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(sockets)), LISTEN_FDNAMES=sys.argv[1])
at = sys.argv.index('serve')
os.execv(sys.argv[at - 1], sys.argv[at - 1:at + 1] + sys.argv[at + 5:])
"#;
    // The addresses that the harness passes, the four words after `serve`, are removed.
    let server = Server::start_under(&["python3", "-c", script, names], &scratch, &["--no-sync"]);
    assert!(deliver(&server.smtp, &["u1"], "x").expect("a reply").starts_with("250"));
    assert_eq!(fetch(&server.pop3, "u1", true).expect("a session").len(), 1);
    assert_eq!(metric(&server, "cmail_deliveries_total{result=\"stored\"}"), 1.0);
    server.stop();

    let mut wrong = Command::new("python3");
    let program = env!("CARGO_BIN_EXE_cmail");
    let wrong = wrong.args(["-c", script, "smtp:imap", program, "serve", "1", "2", "3", "4", "--root"]).arg(&scratch.0);
    let output = wrong.output().expect("python runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("unknown name \"imap\" of a socket from systemd"), "{}", said(&output));
}

/// systemd accepts the units that are shipped with the server.
#[test]
fn units_of_systemd() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return skipped("`systemd-analyze` is not installed");
    }
    let scratch = Scratch::new(&[]);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    let mut units = Vec::new();
    for entry in fs::read_dir(source).expect("the units are there") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a unit is text");
        // The units refer to the installed program.
        let text = text.replace("/usr/local/bin/cmail", env!("CARGO_BIN_EXE_cmail"));
        let unit = scratch.0.join(path.file_name().expect("a name"));
        fs::write(&unit, text).expect("the scratch directory is writable");
        units.push(unit);
    }
    assert_eq!(units.len(), 6);
    let output = Command::new("systemd-analyze").arg("verify").args(&units).output().expect("it runs");
    let complaints: Vec<String> =
        said(&output).lines().filter(|line| line.contains("cmail")).map(str::to_owned).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_root_is_checked() {
    let scratch = Scratch::on_disk(&["u1"]);
    let (code, text) = run(&["check"], &scratch.0);
    assert_eq!(code, Some(0), "{text}");
    for line in [
        "ok      settings",
        "warning certificate",
        "ok      permissions",
        "ok      listing",
        "ok      link",
        "ok      lock",
        "ok      sync",
    ] {
        assert!(text.lines().any(|found| found.starts_with(line)), "{line}: {text}");
    }
    assert!(text.contains("MiB are free"), "{text}");
    assert_eq!(
        fs::read_dir(scratch.0.join(".cmail"))
            .expect("it is there")
            .filter(|entry| { entry.as_ref().expect("an entry").file_name().to_string_lossy().starts_with("check") })
            .count(),
        0
    );

    let chmod = Command::new("chmod").arg("o+rx").arg(scratch.0.join("u1")).status();
    assert!(chmod.expect("chmod runs").success());
    scratch.settings("hostname = \"a b\"");
    let (code, text) = run(&["check"], &scratch.0);
    assert_eq!(code, Some(1));
    assert!(text.contains("error   permissions  u1 is accessible to others; fix it with `chmod go= "), "{text}");
    assert!(text.contains("error   settings") && text.contains("is neither a domain nor"), "{text}");
    assert!(text.contains("error: 2 problems found"), "{text}");
}

/// Every command names a root that does not exist.
#[test]
fn a_root_that_is_not_there() {
    let nowhere = Path::new("/nowhere/mail");
    for arguments in [
        &["serve"][..],
        &["adduser", "u1", "--no-password"],
        &["passwd", "u1"],
        &["check"],
        &["quota", "u1"],
        &["import", "u1", "--mbox", "x"],
        &["export", "u1", "--mbox", "x"],
    ] {
        let (code, text) = run(arguments, nowhere);
        assert_eq!(code, Some(1), "{arguments:?}: {text}");
        assert!(text.contains("there is no directory /nowhere/mail; `cmail init --root /nowhere/mail`"), "{text}");
    }
}
