//! The names of files, as texts. The running server builds and reads them by this code.

use cspec::prelude::*;

use super::mail::*;

/// The name of a message's file.
pub fn encode(id: &MsgId) -> String {
    format!("{}.{}", id.pid, id.number)
}

/// The name of a process's temporary file.
pub fn temporary(pid: Pid) -> String {
    encode(&MsgId { pid, number: 0 })
}

/// The message that a file is, if its name is the name of one. Others may have put anything there.
pub fn decode(name: &str) -> Option<MsgId> {
    let (pid, number) = name.split_once('.')?;
    let id = MsgId { pid: pid.parse::<Pid>().ok()?, number: number.parse::<u64>().ok()? };
    if encode(&id) == name { Some(id) } else { None }
}
