//! The lines that a server puts before a message that it has accepted (RFC 5321, 4.4).

use std::net::IpAddr;
use std::time::SystemTime;

/// The message with `Return-Path` and `Received` before it.
pub fn with_header(message: Vec<u8>, sender: Option<&str>, peer: IpAddr, hostname: &str) -> Vec<u8> {
    let date = httpdate::fmt_http_date(SystemTime::now());
    let date = date.trim_end_matches("GMT");
    let sender = sender.unwrap_or_default();
    let mut traced =
        format!("Return-Path: <{sender}>\r\nReceived: from [{peer}] by {hostname} with ESMTP; {date}+0000\r\n")
            .into_bytes();
    traced.extend_from_slice(&message);
    traced
}
