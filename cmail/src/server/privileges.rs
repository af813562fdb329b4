//! Becoming another user. Root opens ports below 1024; everything else runs as a user who owns the mail and nothing more.

use std::ffi::CString;
use std::path::Path;

use nix::sys::stat::stat;
use nix::unistd::{Uid, User, fchown, geteuid, initgroups, setresgid, setresuid, setuid};

use super::{Failure, log};

/// Becomes this user, for good. Does nothing if the process is run by that user already.
pub fn become_user(name: &str, root: &Path) -> Result<(), Failure> {
    let user = User::from_name(name)?.ok_or_else(|| format!("--user {name}: there is no such user"))?;
    if user.uid == geteuid() {
        return Ok(());
    }
    if !geteuid().is_root() {
        return Err(format!("--user {name}: only root can become another user").into());
    }
    if user.uid.is_root() {
        return Err("--user root: choose another user, who owns the mail and nothing else".into());
    }
    let owner = stat(&root.join(".cmail")).map(|status| Uid::from_raw(status.st_uid));
    if owner.is_ok_and(|owner| owner != user.uid) {
        let root = root.display();
        return Err(format!("{root} does not belong to {name}; `chown -R {name} {root}` gives it to them").into());
    }
    // The file of the log was made by root, and is opened again later.
    if let Some(file) = log::file() {
        fchown(&*file, Some(user.uid), Some(user.gid))?;
    }
    initgroups(&CString::new(name)?, user.gid)?;
    setresgid(user.gid, user.gid, user.gid)?;
    setresuid(user.uid, user.uid, user.uid)?;
    match setuid(Uid::from_raw(0)) {
        Ok(()) => Err(format!("--user {name}: the process could become root again").into()),
        Err(_) => Ok(()),
    }
}
