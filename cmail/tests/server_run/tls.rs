//! Tests of TLS: started by a command or from the first octet on, with clients written by others and with one that violates the protocol.

use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Instant;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::harness::{Line, Scratch, Server, cmail, deliver, fetch, has, is_soon, kill, sent_text};

/// A self-signed certificate for this machine, with its key.
struct Identity {
    certificate: PathBuf,
    key: PathBuf,
}

impl Identity {
    /// Creates a new certificate, replacing an earlier one.
    fn make(scratch: &Scratch) -> Identity {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let own = scratch.0.join(".cmail");
        let identity = Identity { certificate: own.join("server.crt"), key: own.join("server.key") };
        fs::write(&identity.certificate, made.cert.pem()).expect("the scratch directory is writable");
        fs::write(&identity.key, made.signing_key.serialize_pem()).expect("the scratch directory is writable");
        identity
    }

    fn certificate(&self) -> &str {
        self.certificate.to_str().expect("a path in text")
    }
}

/// A server on all four ports, with a certificate in its settings.
fn start(scratch: &Scratch, settings: &str, arguments: &[&str]) -> (Server, Identity) {
    let identity = Identity::make(scratch);
    scratch.settings(&format!("certificate = \"server.crt\"\nkey = \"server.key\"\n{settings}"));
    let all = [&["--no-sync", "--smtps", "127.0.0.1:0", "--pop3s", "127.0.0.1:0"], arguments].concat();
    (Server::start(scratch, &all), identity)
}

type Encrypted = Line<StreamOwned<ClientConnection, TcpStream>>;

/// The client's part of a handshake; the server must have this certificate.
fn encrypt(stream: TcpStream, certificate: &Path) -> Encrypted {
    let mut trusted = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate");
    trusted.add(certificate).expect("it can be trusted");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the versions are known")
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    Line { stream: BufReader::new(StreamOwned::new(connection, stream)) }
}

/// Connects to a port that is encrypted from the first octet.
fn connect(address: &str, certificate: &Path) -> Encrypted {
    let stream = TcpStream::connect(address).expect("a connection");
    let mut line = encrypt(stream, certificate);
    let greeting = line.reply().expect("a greeting");
    assert!(greeting.starts_with("220") || greeting.starts_with("+OK"), "{greeting}");
    line
}

/// Sends the command that begins TLS, and starts TLS.
fn upgrade(mut line: Line, command: &str, certificate: &Path) -> Encrypted {
    let reply = line.ask(command).expect("a reply");
    assert!(reply.starts_with("220") || reply.starts_with("+OK"), "{reply}");
    encrypt(line.into_stream(), certificate)
}

/// All lines of the reply to EHLO.
fn extensions<S: Read + Write>(line: &mut Line<S>) -> Vec<String> {
    line.send("EHLO client.example\r\n").expect("it is sent");
    let mut all = Vec::new();
    loop {
        let text = line.one_line().expect("a reply");
        all.push(text[4..].to_owned());
        if text.as_bytes()[3] == b' ' {
            return all;
        }
    }
}

fn capabilities<S: Read + Write>(line: &mut Line<S>) -> Vec<String> {
    assert!(line.ask("CAPA").expect("a reply").starts_with("+OK"));
    line.lines().expect("a list").lines().map(str::to_owned).collect()
}

fn has_line(lines: &[String], line: &str) -> bool {
    lines.iter().any(|other| other == line)
}

/// Sends a message to `u1` after the greeting.
fn send<S: Read + Write>(line: &mut Line<S>, text: &str) {
    for (command, code) in [
        ("EHLO client.example", "250"),
        ("MAIL FROM:<a@localhost>", "250"),
        ("RCPT TO:<u1@localhost>", "250"),
        ("DATA", "354"),
    ] {
        let reply = line.ask(command).expect("a reply");
        assert!(reply.starts_with(code), "{command}: {reply}");
    }
    assert!(line.ask(&format!("{text}\r\n.")).expect("a reply").starts_with("250"));
}

/// Receives the only message of `u1`, as it was sent.
fn receive<S: Read + Write>(line: &mut Line<S>) -> String {
    for command in ["USER u1", "PASS x", "RETR 1"] {
        let reply = line.ask(command).expect("a reply");
        assert!(reply.starts_with("+OK"), "{command}: {reply}");
    }
    line.lines().expect("a message")
}

#[test]
fn tls_is_begun_by_a_command() {
    let scratch = Scratch::new(&["u1"]);
    let (server, identity) = start(&scratch, "", &[]);
    let mut smtp = Line::connect(&server.smtp).expect("a connection");
    assert!(has_line(&extensions(&mut smtp), "STARTTLS"));
    let mut smtp = upgrade(smtp, "STARTTLS", &identity.certificate);
    // The server forgets everything before TLS, including the client's name.
    assert!(smtp.ask("MAIL FROM:<>").expect("a reply").starts_with("503"));
    assert!(!has_line(&extensions(&mut smtp), "STARTTLS"));
    assert!(smtp.ask("STARTTLS").expect("a reply").starts_with("503"));
    send(&mut smtp, "one");

    let mut pop3 = Line::connect(&server.pop3).expect("a connection");
    assert!(has_line(&capabilities(&mut pop3), "STLS"));
    let mut pop3 = upgrade(pop3, "STLS", &identity.certificate);
    assert!(!has_line(&capabilities(&mut pop3), "STLS"));
    assert!(pop3.ask("STLS").expect("a reply").starts_with("-ERR"));
    let message = receive(&mut pop3);
    assert_eq!(sent_text(&message), "one\r\n");
    assert!(message.contains(" with ESMTPS; "), "{message}");
    assert!(pop3.ask("STLS").expect("a reply").starts_with("-ERR"));
    server.stop();
}

#[test]
fn tls_from_the_first_octet_on() {
    let scratch = Scratch::new(&["u1"]);
    let (server, identity) = start(&scratch, "", &[]);
    let (smtps, pop3s) = (server.address("smtps"), server.address("pop3s"));
    let mut smtp = connect(&smtps, &identity.certificate);
    assert!(!has_line(&extensions(&mut smtp), "STARTTLS"));
    send(&mut smtp, "one");
    let mut pop3 = connect(&pop3s, &identity.certificate);
    assert!(!has_line(&capabilities(&mut pop3), "STLS"));
    assert!(receive(&mut pop3).ends_with("\r\none\r\n"));
    // An unencrypted client is not understood there, and does not affect others.
    let mut plain = TcpStream::connect(&smtps).expect("a connection");
    plain.write_all(b"EHLO client.example\r\nMAIL FROM:<>\r\n").expect("it is sent");
    let mut said = Vec::new();
    // The server sends a TLS alert, and then closes or resets the connection.
    let _ = plain.read_to_end(&mut said);
    assert!(!said.starts_with(b"2") && !said.windows(3).any(|word| word == b"250"));
    send(&mut connect(&smtps, &identity.certificate), "two");
    server.stop();
}

/// A server without a certificate does not offer TLS, and refuses the commands that begin it.
#[test]
fn no_certificate() {
    let scratch = Scratch::new(&["u1"]);
    let server = Server::start(&scratch, &["--no-sync"]);
    let mut smtp = Line::connect(&server.smtp).expect("a connection");
    assert!(!has_line(&extensions(&mut smtp), "STARTTLS"));
    assert!(smtp.ask("STARTTLS").expect("a reply").starts_with("502"));
    let mut pop3 = Line::connect(&server.pop3).expect("a connection");
    assert!(!has_line(&capabilities(&mut pop3), "STLS"));
    assert!(pop3.ask("STLS").expect("a reply").starts_with("-ERR"));
    server.stop();
    for arguments in [&["--smtps", "127.0.0.1:0"][..], &["--require-tls"], &["--key", "x"]] {
        let said = refused(&scratch, arguments);
        assert!(said.contains("certificate"), "{arguments:?}: {said}");
    }
    let said = refused(&scratch, &["--certificate", "/none.crt", "--key", "/none.key"]);
    assert!(said.contains("/none.crt: no certificates in PEM can be read"), "{said}");
}

/// The error of a server that does not start.
fn refused(scratch: &Scratch, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmail"));
    let listen = ["serve", "--smtp", "127.0.0.1:0", "--pop3", "127.0.0.1:0", "--root"];
    let output = command.args(listen).arg(&scratch.0).args(arguments).output().expect("cmail starts");
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A third party appends commands to the one that begins TLS. If they were used, they would be taken for the client's.
#[test]
fn commands_after_the_one_that_begins_tls_are_dropped() {
    let scratch = Scratch::new(&["u1"]);
    let (server, identity) = start(&scratch, "", &[]);
    let mut smtp = Line::connect(&server.smtp).expect("a connection");
    smtp.ask("EHLO client.example").expect("a reply");
    smtp.send("STARTTLS\r\nEHLO evil.example\r\nMAIL FROM:<evil@localhost>\r\nRCPT TO:<u1>\r\n").expect("it is sent");
    assert!(smtp.reply().expect("a reply").starts_with("220"));
    let mut smtp = encrypt(smtp.into_stream(), &identity.certificate);
    assert!(smtp.ask("RCPT TO:<u1>").expect("a reply").starts_with("503"));
    assert!(smtp.ask("MAIL FROM:<>").expect("a reply").starts_with("503"));
    send(&mut smtp, "mine");

    let mut pop3 = Line::connect(&server.pop3).expect("a connection");
    pop3.send("STLS\r\nUSER u1\r\nPASS x\r\nDELE 1\r\nQUIT\r\n").expect("it is sent");
    assert!(pop3.reply().expect("a reply").starts_with("+OK"));
    let mut pop3 = encrypt(pop3.into_stream(), &identity.certificate);
    assert!(pop3.ask("STAT").expect("a reply").starts_with("-ERR Log in first"));
    assert!(receive(&mut pop3).ends_with("\r\nmine\r\n"));
    server.stop();
}

#[test]
fn nothing_is_said_in_the_clear() {
    let scratch = Scratch::new(&["u1"]);
    let (server, identity) = start(&scratch, "", &["--require-tls"]);
    let mut smtp = Line::connect(&server.smtp).expect("a connection");
    assert!(has_line(&extensions(&mut smtp), "STARTTLS"));
    for command in ["MAIL FROM:<>", "RCPT TO:<u1>", "DATA", "VRFY u1"] {
        assert!(smtp.ask(command).expect("a reply").starts_with("530"), "{command}");
    }
    assert!(smtp.ask("NOOP").expect("a reply").starts_with("250"));
    send(&mut upgrade(smtp, "STARTTLS", &identity.certificate), "one");
    let mut pop3 = Line::connect(&server.pop3).expect("a connection");
    assert!(!has_line(&capabilities(&mut pop3), "USER"));
    for command in ["USER u1", "PASS x"] {
        assert!(pop3.ask(command).expect("a reply").starts_with("-ERR Send STLS first"), "{command}");
    }
    let mut pop3 = upgrade(pop3, "STLS", &identity.certificate);
    assert!(has_line(&capabilities(&mut pop3), "USER"));
    receive(&mut pop3);
    server.stop();

    // With this setting, anyone can send mail, but no one can log in unencrypted.
    let (server, _) = start(&scratch, "require_tls = \"pop3\"", &[]);
    assert!(deliver(&server.smtp, &["u1"], "two").expect("a reply").starts_with("250"));
    let refused = fetch(&server.pop3, "u1", false).expect_err("nobody logs in");
    assert!(refused.to_string().contains("STLS"), "{refused}");
    server.stop();
}

/// SIGHUP makes the server use a replaced certificate. If that is invalid, the old one stays in use.
#[test]
fn a_certificate_is_replaced() {
    let scratch = Scratch::new(&["u1"]);
    let (server, identity) = start(&scratch, "", &[]);
    let smtps = server.address("smtps");
    let shown = || {
        let mut line = connect_to_any(&smtps, &identity.certificate)?;
        line.ask("NOOP").ok()
    };
    assert!(shown().is_some());
    let old = fs::read(&identity.certificate).expect("it is there");
    fs::write(&identity.certificate, "no certificate").expect("it is writable");
    kill("HUP", server.pid);
    fs::write(&identity.certificate, &old).expect("it is writable");
    assert!(shown().is_some(), "the old one is not in use any more");
    let workers = server.workers();
    Identity::make(&scratch);
    kill("HUP", server.pid);
    assert!(is_soon(|| (0..8).all(|_| shown().is_some())), "the new one is not shown");
    assert_eq!(server.workers(), workers);
    server.stop();
}

/// Like `connect`, but `None` if the server has another certificate.
fn connect_to_any(address: &str, certificate: &Path) -> Option<Encrypted> {
    let mut line = encrypt(TcpStream::connect(address).ok()?, certificate);
    line.reply().ok()?;
    Some(line)
}

/// Runs a program with this input to its end, for half a minute at most.
fn run(program: &str, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new("timeout")
        .args(["30", program])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    // The program may end before it has read everything.
    let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
    child.wait_with_output().expect("the program ends")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Only secure versions and ciphers of TLS are accepted.
#[test]
fn openssl() {
    if !has("openssl") {
        return;
    }
    let scratch = Scratch::new(&["u1"]);
    let (server, identity) = start(&scratch, "", &[]);
    let (smtps, pop3s) = (server.address("smtps"), server.address("pop3s"));
    let ask = |address: &str, options: &[&str]| {
        let trust =
            ["s_client", "-connect", address, "-CAfile", identity.certificate(), "-verify_return_error", "-quiet"];
        let output = run("openssl", &[&trust, options].concat(), "QUIT\r\n");
        (output.status.success(), said(&output))
    };
    for options in [&["-tls1_2"][..], &["-tls1_3"], &["-tls1_2", "-cipher", "ECDHE"]] {
        for (address, starttls) in
            [(&smtps, None), (&pop3s, None), (&server.smtp, Some("smtp")), (&server.pop3, Some("pop3"))]
        {
            let starttls: Vec<&str> = starttls.map_or(vec![], |protocol| vec!["-starttls", protocol]);
            let (ended, text) = ask(address, &[options, &starttls].concat());
            assert!(ended && (text.contains("221 ") || text.contains("+OK Bye")), "{options:?} {starttls:?}: {text}");
        }
    }
    let refused = [
        &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"][..],
        &["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "aNULL:eNULL:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "kRSA:@SECLEVEL=0"],
    ];
    for options in refused {
        let (_, text) = ask(&smtps, options);
        assert!(!text.contains("220 ") && !text.contains("221 "), "{options:?}: {text}");
    }
    server.stop();
}

#[test]
fn curl_through_tls() {
    if !has("curl") {
        return;
    }
    let scratch = Scratch::new(&["u1"]);
    let (server, identity) = start(&scratch, "", &["--require-tls"]);
    let port = |address: &str| address.rsplit(':').next().expect("a port").to_owned();
    let trust = ["-sS", "--cacert", identity.certificate()];
    let places = [("smtp", server.smtp.clone()), ("smtps", server.address("smtps"))];
    for (number, (scheme, address)) in places.iter().enumerate() {
        let url = format!("{scheme}://localhost:{}", port(address));
        let to = ["--ssl-reqd", &url, "--mail-from", "a@localhost", "--mail-rcpt", "u1@localhost", "-T", "-"];
        let sent = run("curl", &[&trust[..], &to].concat(), &format!("Subject: {number}\r\n\r\n.hello\r\n"));
        assert!(sent.status.success(), "{url}: {}", said(&sent));
    }
    for (scheme, address) in [("pop3", server.pop3.clone()), ("pop3s", server.address("pop3s"))] {
        let url = format!("{scheme}://localhost:{}/1", port(&address));
        let got = run("curl", &[&trust[..], &["--ssl-reqd", "-u", "u1:any", &url]].concat(), "");
        assert!(sent_text(&said(&got)).ends_with("\r\n\r\n.hello\r\n"), "{url}: {}", said(&got));
    }
    server.stop();
}

#[test]
fn swaks() {
    if !has("swaks") {
        return;
    }
    let scratch = Scratch::new(&["u1"]);
    let (server, _) = start(&scratch, "", &["--require-tls"]);
    for (option, address) in [("--tls", server.smtp.clone()), ("--tls-on-connect", server.address("smtps"))] {
        let output = run("swaks", &[option, "--server", &address, "--to", "u1@localhost", "--from", "a@localhost"], "");
        assert!(output.status.success(), "{option}: {}", said(&output));
    }
    assert_eq!(scratch.files("u1", "mail").len(), 2);
    server.stop();
}

/// With its default settings: it requires TLS wherever it is offered, and a certificate that it can verify.
#[test]
fn fetchmail() {
    if !has("fetchmail") {
        return;
    }
    let scratch = Scratch::new(&[]);
    cmail(&["adduser", "u1"], &scratch.0, "a secret\n");
    let (server, identity) = start(&scratch, "", &["--require-tls"]);
    let mut smtp = connect(&server.address("smtps"), &identity.certificate);
    send(&mut smtp, "Subject: one\r\n\r\n.hello");
    let (got, settings) = (scratch.0.join("got"), scratch.0.join("fetchmailrc"));
    let port = server.pop3.rsplit(':').next().expect("a port");
    let text = format!(
        "poll localhost protocol pop3 port {port} user \"u1\" password \"a secret\" sslcertfile \"{}\" mda \"cat >> {}\"\n",
        identity.certificate(),
        got.display()
    );
    fs::write(&settings, text).expect("the scratch directory is writable");
    let mut command = Command::new("sh");
    let script = "chmod 600 \"$1\"; FETCHMAILHOME=\"$2\" timeout 30 fetchmail -v --pidfile \"$2/pid\" -f \"$1\"";
    let output = command.args(["-c", script, "sh"]).arg(&settings).arg(&scratch.0).output().expect("a shell runs");
    let mail = fs::read_to_string(&got).unwrap_or_default();
    assert!(mail.contains("Subject: one"), "{}", said(&output));
    assert!(said(&output).contains("STLS"), "{}", said(&output));
    assert!(scratch.files("u1", "mail").is_empty(), "it deletes what it has fetched");
    server.stop();
}

/// Deliveries on one connection that is kept open, unencrypted and through TLS; prints their rates. `CMAIL_TLS_DELIVERIES` is their number.
#[test]
fn deliveries_through_tls() {
    let number: u32 = std::env::var("CMAIL_TLS_DELIVERIES").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let scratch = Scratch::new(&["u1"]);
    let (server, identity) = start(&scratch, "", &["--workers", "1"]);
    let text = ["x".repeat(62).as_str(); 64].join("\r\n");
    let mut plain = Line::connect(&server.smtp).expect("a connection");
    let mut encrypted = connect(&server.address("smtps"), &identity.certificate);
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..5 {
        rates[0].push(rate(number, || send(&mut plain, &text)));
        rates[1].push(rate(number, || send(&mut encrypted, &text)));
    }
    let median = |rates: &mut Vec<f64>| {
        rates.sort_by(f64::total_cmp);
        rates[2]
    };
    let (plain, encrypted) = (median(&mut rates[0]), median(&mut rates[1]));
    println!("{plain:.0} a second in the clear, {encrypted:.0} through TLS: {:.0} %", encrypted / plain * 100.0);
    assert_eq!(scratch.files("u1", "mail").len(), number as usize * 10);
    server.stop();
}

fn rate(number: u32, mut what: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..number).for_each(|_| what());
    f64::from(number) / start.elapsed().as_secs_f64()
}
