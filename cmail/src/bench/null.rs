//! A minimal SMTP server: a thread for each client, the replies of a delivery, and nothing else. With a store it makes the direct calls on
//! files before it acknowledges. It measures the cost of the protocol and the limits of the kernel.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use super::net;

/// Serves until the program ends; returns the address.
pub fn start(store: Option<&Path>) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let store = store.map(Path::to_owned);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let store = store.clone();
            // A client that disconnects ends its session.
            thread::spawn(move || serve(client, store.as_deref()));
        }
    });
    Ok(address)
}

fn serve(client: TcpStream, store: Option<&Path>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = BufReader::with_capacity(16 << 10, client);
    client.get_mut().write_all(b"220 null\r\n")?;
    let (mut line, mut replies, mut user) = (String::new(), Vec::new(), String::new());
    loop {
        line.clear();
        if client.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match line.as_bytes() {
            [b'D', ..] => {
                replies.extend_from_slice(b"354 go\r\n");
                client.get_mut().write_all(&replies)?;
                replies.clear();
                let message = text(&mut client)?;
                if let Some(root) = store {
                    net::deliver_by_calls(root, &user, &message)?;
                }
                client.get_mut().write_all(b"250 OK\r\n")?;
            }
            [b'E', ..] => client.get_mut().write_all(b"250 null\r\n")?,
            _ => {
                if let Some((name, _)) = line.strip_prefix("RCPT TO:<").and_then(|rest| rest.split_once('@')) {
                    user = name.to_owned();
                }
                replies.extend_from_slice(b"250 OK\r\n");
            }
        }
    }
}

/// The text up to the dot.
fn text(client: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n.\r\n") {
        if client.read_until(b'\n', &mut text)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    text.truncate(text.len() - b".\r\n".len());
    Ok(text)
}
