//! The connection to a client: plain, or through TLS.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A connection to a client.
#[derive(Debug)]
pub enum Connection {
    /// As it was accepted.
    Plain(TcpStream),
    /// Encrypted by TLS, from the start or after an upgrade.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// Encrypts a plain connection. Unread input that has arrived is the client's part of the handshake, or the handshake fails.
    pub async fn secure(self, acceptor: TlsAcceptor) -> io::Result<Connection> {
        match self {
            Connection::Plain(stream) => Ok(Connection::Tls(Box::new(acceptor.accept(stream).await?))),
            Connection::Tls(_) => Err(io::Error::other("the connection is encrypted already")),
        }
    }

    /// Reads some octets, at least one unless the client has disconnected. Cancelling loses nothing.
    pub async fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        match self {
            Connection::Plain(stream) => stream.read(piece).await,
            Connection::Tls(stream) => stream.read(piece).await,
        }
    }

    /// Sends all of it.
    pub async fn write_all(&mut self, piece: &[u8]) -> io::Result<()> {
        match self {
            Connection::Plain(stream) => stream.write_all(piece).await,
            Connection::Tls(stream) => {
                stream.write_all(piece).await?;
                // Otherwise octets would wait in the encrypting layer.
                stream.flush().await
            }
        }
    }

    /// Signals that nothing more is sent.
    pub async fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Connection::Plain(stream) => stream.shutdown().await,
            Connection::Tls(stream) => stream.shutdown().await,
        }
    }
}
