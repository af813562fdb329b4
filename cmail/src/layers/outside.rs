//! The mail server and the world: the same at every layer.

use cspec::prelude::*;

use super::mail::*;

/// A connection to a client.
#[scalar]
pub struct Connection(pub u64);

/// What a client wants.
#[state]
pub enum Request {
    Deliver(User, Message),
    Pickup(User),
    Delete(User, MsgId),
    Quit,
}

/// What it is told.
#[state]
pub enum Response {
    NoSuchUser,
    Delivered(bool),
    Mail(Map<MsgId, Message>),
    Deleted,
}

#[layer]
impl Outside for () {
    /// Waits for a client.
    #[op(external)]
    fn accept(&mut self, me: Pid) -> Connection {
        external()
    }

    /// Waits for what the client wants next.
    #[op(external)]
    fn request(&mut self, me: Pid, client: Connection) -> Request {
        external()
    }

    #[op(external)]
    fn respond(&mut self, me: Pid, client: Connection, response: Response) {
        external()
    }
}
