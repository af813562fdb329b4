//! The lines that a server puts before a message that it accepts (RFC 5321, 4.4): `Return-Path`, since it delivers the message, and
//! `Received`, since it received it. The client's octets follow unchanged.

use std::net::IpAddr;
use std::time::SystemTime;

use super::smtp::Greeting;

/// How a message was received.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    /// The reverse path, as the client has written it; empty for a message that must not be answered.
    pub sender: &'a str,
    /// The greeting of the client.
    pub greeting: &'a Greeting,
    /// The address of the client.
    pub peer: IpAddr,
    /// The name of this server.
    pub hostname: &'a str,
}

/// The message with the two lines before it.
pub fn with_lines(message: Vec<u8>, way: Way, now: SystemTime) -> Vec<u8> {
    let Way { sender, greeting, peer, hostname } = way;
    let address = literal(peer);
    let name = greeting.name.as_deref().unwrap_or(&address);
    // RFC 3848 has no keyword for HELO through TLS.
    let protocol = match (greeting.extended, greeting.secured) {
        (true, true) => "ESMTPS",
        (true, false) => "ESMTP",
        (false, _) => "SMTP",
    };
    let date = httpdate::fmt_http_date(now).replace("GMT", "+0000");
    let lines = format!(
        "Return-Path: <{sender}>\r\nReceived: from {name} ({address})\r\n\tby {hostname} with {protocol}; {date}\r\n"
    );
    let mut traced = lines.into_bytes();
    traced.extend_from_slice(&message);
    traced
}

/// The sender of a message and its time, if it begins with the lines of this server.
pub fn origin(message: &[u8]) -> Option<(String, SystemTime)> {
    let mut lines =
        message.split(|octet| *octet == b'\n').map(|line| str::from_utf8(line).unwrap_or_default().trim_end());
    let sender = lines.next()?.strip_prefix("Return-Path: <")?.strip_suffix('>')?;
    lines.next()?.strip_prefix("Received: from ")?;
    let (_, date) = lines.next()?.strip_prefix("\tby ")?.rsplit_once("; ")?;
    let time = httpdate::parse_http_date(&date.replace("+0000", "GMT")).ok()?;
    Some((sender.to_owned(), time))
}

/// The address in the form of the RFC (4.1.3). An IPv4 client of a dual-stack socket is an IPv4 client.
fn literal(peer: IpAddr) -> String {
    match peer.to_canonical() {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use expect_test::expect;

    use super::*;

    fn traced(sender: &str, name: Option<&str>, (extended, secured): (bool, bool), peer: &str) -> String {
        let greeting = Greeting { name: name.map(str::to_owned), extended, secured };
        let peer = peer.parse().expect("an address");
        let way = Way { sender, greeting: &greeting, peer, hostname: "mx.example" };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let traced = with_lines(b".text\r\n".to_vec(), way, now);
        String::from_utf8(traced).expect("all of it is text").replace("\r\n", "\n").replace('\t', "\\t")
    }

    #[test]
    fn what_is_put_before_a_message() {
        let all = [
            traced("a@b.example", Some("client.example"), (true, false), "192.0.2.1"),
            traced("", Some("[192.0.2.1]"), (false, true), "::ffff:192.0.2.1"),
            traced("\"a b\"@c", None, (true, true), "2001:db8::1"),
        ];
        expect![[r#"
            Return-Path: <a@b.example>
            Received: from client.example ([192.0.2.1])
            \tby mx.example with ESMTP; Tue, 14 Nov 2023 22:13:20 +0000
            .text

            Return-Path: <>
            Received: from [192.0.2.1] ([192.0.2.1])
            \tby mx.example with SMTP; Tue, 14 Nov 2023 22:13:20 +0000
            .text

            Return-Path: <"a b"@c>
            Received: from [IPv6:2001:db8::1] ([IPv6:2001:db8::1])
            \tby mx.example with ESMTPS; Tue, 14 Nov 2023 22:13:20 +0000
            .text
        "#]]
        .assert_eq(&all.join("\n"));
    }

    #[test]
    fn where_a_message_came_from() {
        let text = traced("a@b.example", None, (true, true), "192.0.2.1").replace('\n', "\r\n").replace("\\t", "\t");
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        assert_eq!(origin(text.as_bytes()), Some(("a@b.example".to_owned(), time)));
        for other in ["", "Subject: x\r\n", "Return-Path: <a>\r\nReceived: from x\r\n\tby y; never\r\n"] {
            assert_eq!(origin(other.as_bytes()), None, "{other}");
        }
    }
}
