//! `enter`: run a program inside one of the forwarder's namespaces. Open descriptors stay open, so a Node child keeps
//! its IPC channel.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Only returns when it failed, with the reason.
pub fn enter(namespace_path: &str, command: &[OsString]) -> String {
    let Some((program, arguments)) = command.split_first() else {
        return "no command given".to_owned();
    };
    let namespace = match File::open(namespace_path) {
        Ok(file) => file,
        Err(error) => return format!("cannot open {namespace_path}: {error}"),
    };
    // SAFETY: a valid descriptor; this process has one thread.
    if unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) } != 0 {
        return format!(
            "cannot enter {namespace_path}: {}",
            std::io::Error::last_os_error()
        );
    }
    let error = Command::new(program).args(arguments).exec();
    format!("cannot run {}: {error}", program.to_string_lossy())
}
