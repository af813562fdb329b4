//! Listening sockets: bound here, or passed by systemd; and how the main process passes them to its workers.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use listenfd::ListenFd;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};

use super::Failure;

/// The protocol of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// SMTP that starts unencrypted; STARTTLS is offered.
    Smtp,
    /// SMTP through TLS from the first octet.
    Smtps,
    /// POP3 that starts unencrypted; STLS is offered.
    Pop3,
    /// POP3 through TLS from the first octet.
    Pop3s,
    /// HTTP, for the metrics.
    Metrics,
}

impl Service {
    const ALL: [Service; 5] = [Service::Smtp, Service::Smtps, Service::Pop3, Service::Pop3s, Service::Metrics];

    /// Its name on the command line, in the line that says the server is ready, and in systemd units.
    pub fn name(self) -> &'static str {
        match self {
            Service::Smtp => "smtp",
            Service::Smtps => "smtps",
            Service::Pop3 => "pop3",
            Service::Pop3s => "pop3s",
            Service::Metrics => "metrics",
        }
    }

    fn named(name: &str) -> Option<Service> {
        Service::ALL.into_iter().find(|service| service.name() == name)
    }

    /// Whether connections are encrypted from their beginning.
    pub fn is_secured(self) -> bool {
        matches!(self, Service::Smtps | Service::Pop3s)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The addresses to listen on.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// The addresses requested on the command line.
    pub asked: Vec<(Service, SocketAddr)>,
    /// The default addresses, used unless systemd passes sockets or others are requested.
    pub usual: Vec<(Service, SocketAddr)>,
}

/// A listening socket and its protocol.
pub type Listener = (Service, TcpListener);

/// All sockets: those that systemd gives, and those that are bound here.
pub fn open(addresses: &Addresses) -> Result<Vec<Listener>, Failure> {
    let mut listeners = given()?;
    let is_given = !listeners.is_empty();
    let usual = addresses.usual.iter().filter(|_| !is_given);
    for &(service, address) in addresses.asked.iter().chain(usual) {
        if !listeners.iter().any(|(other, _)| *other == service) {
            listeners.push((service, bind(address)?));
        }
    }
    listeners.sort_by_key(|(service, _)| *service);
    for (_, listener) in &listeners {
        listener.set_nonblocking(true)?;
    }
    Ok(listeners)
}

/// The sockets that systemd has opened, by the names in their units.
fn given() -> Result<Vec<Listener>, Failure> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut sockets = ListenFd::from_env();
    let mut names = names.split(':');
    let mut listeners = Vec::new();
    for number in 0..sockets.len() {
        let name = names.next().unwrap_or_default();
        let service = Service::named(name).ok_or_else(|| {
            let known = Service::ALL.map(Service::name).join(", ");
            format!(
                "unknown name {name:?} of a socket from systemd; set FileDescriptorName= in its unit to one of {known}"
            )
        })?;
        let listener = sockets.take_tcp_listener(number).map_err(|error| format!("the socket {name}: {error}"))?;
        listeners.extend(listener.map(|listener| (service, listener)));
    }
    Ok(listeners)
}

fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("cannot listen at {address}: the address is in use; port 0 takes a free one")
        }
        io::ErrorKind::PermissionDenied => {
            format!(
                "cannot listen at {address}: {error}; start as root with --user NAME, or let systemd open the socket"
            )
        }
        _ => format!("cannot listen at {address}: {error}"),
    })?;
    Ok(listener)
}

/// The maximum number of sockets: one for each service.
const MOST: usize = Service::ALL.len();

/// Sends sockets to a worker, in one message that names them.
pub fn send(worker: &UnixDatagram, listeners: &[Listener]) -> io::Result<()> {
    let names: Vec<&str> = listeners.iter().map(|(service, _)| service.name()).collect();
    let names = names.join(" ");
    let handles: Vec<_> = listeners.iter().map(|(_, listener)| listener.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&handles)) {
        return Err(io::Error::other("too many sockets for one message"));
    }
    sendmsg(worker, &[IoSlice::new(names.as_bytes())], &mut ancillary, SendFlags::empty())?;
    Ok(())
}

/// Receives the sockets that [`send`] has sent.
pub fn receive(main: &UnixDatagram) -> io::Result<Vec<Listener>> {
    let mut names = [0; 128];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(main, &mut [IoSliceMut::new(&mut names)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let handles = ancillary.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(handles) => handles.collect::<Vec<OwnedFd>>(),
        _ => Vec::new(),
    });
    let handles: Vec<OwnedFd> = handles.collect();
    let names = str::from_utf8(&names[..received.bytes]).unwrap_or_default();
    let services: Option<Vec<Service>> = names.split_whitespace().map(Service::named).collect();
    match services {
        Some(services) if services.len() == handles.len() => {
            Ok(services.into_iter().zip(handles.into_iter().map(TcpListener::from)).collect())
        }
        _ => Err(io::Error::other("sockets are missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_arrive_under_their_names() {
        let (main, worker) = UnixDatagram::pair().expect("a pair");
        let bind = || TcpListener::bind("127.0.0.1:0").expect("a socket");
        let sent = [(Service::Smtp, bind()), (Service::Pop3s, bind())];
        send(&main, &sent).expect("they fit");
        let received = receive(&worker).expect("they were sent");
        let shown = |listeners: &[Listener]| {
            listeners.iter().map(|(service, it)| (*service, it.local_addr().expect("an address"))).collect::<Vec<_>>()
        };
        assert_eq!(shown(&received), shown(&sent));
        main.send(b"smtp").expect("it fits");
        receive(&worker).expect_err("a name without a socket");
    }
}
