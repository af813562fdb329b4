//! The interface between the mail server and its clients; it is the same in every layer.

use cspec::prelude::*;

use super::mail::*;

/// A connection to a client.
#[scalar]
pub struct Connection(pub u64);

/// The requests of clients.
#[state]
pub enum Request {
    Deliver(User, Message),
    Pickup(User),
    Delete(User, MsgId),
    Quit,
}

/// The responses to clients.
#[state]
pub enum Response {
    NoSuchUser,
    Delivered(bool),
    Mail(Map<MsgId, Message>),
    Deleted,
}

#[layer]
impl Outside for () {
    /// Waits until a client connects.
    #[op(external)]
    fn accept(&mut self, me: Pid) -> Connection {
        external()
    }

    /// Waits for the next request of the client.
    #[op(external)]
    fn request(&mut self, me: Pid, client: Connection) -> Request {
        external()
    }

    #[op(external)]
    fn respond(&mut self, me: Pid, client: Connection, response: Response) {
        external()
    }
}
