//! The names of files, as strings. The running server formats and parses them with this code.

use cspec::prelude::*;

use super::mail::*;

/// The name of the file of a message.
pub fn encode(id: &MsgId) -> String {
    format!("{}.{}", id.pid, id.number)
}

/// The name of the temporary file of a process.
pub fn temporary(pid: Pid) -> String {
    encode(&MsgId { pid, number: 0 })
}

/// The message that a file name stands for; `None` for a name that this server would not generate.
pub fn decode(name: &str) -> Option<MsgId> {
    let (pid, number) = name.split_once('.')?;
    let id = MsgId { pid: pid.parse::<Pid>().ok()?, number: number.parse::<u64>().ok()? };
    if encode(&id) == name { Some(id) } else { None }
}
