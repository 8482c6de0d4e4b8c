//! How the program that runs the bench talks to a process of it: a word per line on standard input,
//! a JSON object per line on standard output.

use std::io::{self, Write};
use std::os::fd::RawFd;

use serde_json::Value;

pub const STDIN: RawFd = 0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Load: connect every flow.
    Connect,
    /// Serve, or send.
    Run,
    /// Do nothing at all until the next `Run`.
    Pause,
    /// Tell what was used and counted so far.
    Mark,
    Stop,
}

/// Splits standard input into commands; its end is `Stop`.
#[derive(Default)]
pub struct Control {
    rest: Vec<u8>,
    ended: bool,
}

impl Control {
    /// A word is here already: several may come at once, and standard input says so only once.
    pub fn has_word(&self) -> bool {
        self.rest.contains(&b'\n')
    }

    /// What came since; waits for something when `wait`. Unknown words are errors.
    pub fn read(&mut self, wait: bool) -> io::Result<Option<Command>> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return parse(&line).map(Some);
            }
            if self.ended {
                return Ok(Some(Command::Stop));
            }
            if !wait && !is_readable(STDIN) {
                return Ok(None);
            }
            let mut buffer = [0u8; 256];
            // SAFETY: `buffer` has the length that is given.
            let count = unsafe { libc::read(STDIN, buffer.as_mut_ptr().cast(), buffer.len()) };
            match usize::try_from(count) {
                Ok(0) => self.ended = true,
                Ok(count) => self.rest.extend(buffer.iter().take(count)),
                Err(_) => match io::Error::last_os_error() {
                    error if error.kind() == io::ErrorKind::Interrupted => {}
                    error => return Err(error),
                },
            }
        }
    }
}

fn parse(line: &[u8]) -> io::Result<Command> {
    match line.trim_ascii() {
        b"connect" => Ok(Command::Connect),
        b"run" => Ok(Command::Run),
        b"pause" => Ok(Command::Pause),
        b"mark" => Ok(Command::Mark),
        b"stop" => Ok(Command::Stop),
        other => Err(io::Error::other(format!(
            "unknown command {:?}",
            String::from_utf8_lossy(other)
        ))),
    }
}

fn is_readable(fd: RawFd) -> bool {
    let mut poll = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one pollfd, as said.
    unsafe { libc::poll(&mut poll, 1, 0) > 0 }
}

/// Prints one object on a line of its own.
pub fn tell(object: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{object}")?;
    out.flush()
}
