//! A server process: it sleeps until something comes or a timer of the peer is due, answers words, and
//! tells what it used.

use std::io;
use std::net::SocketAddr;
use std::os::fd::RawFd;

use ggscale_bench::control::{tell, Command, Control, STDIN};
use ggscale_bench::meter::{cpu_ns, resident_bytes, wall_ns};
use serde_json::json;

/// Turns before the words are looked at, when there is always something to do.
const TURNS_PER_LOOK: u32 = 64;

pub trait EchoServer {
    fn address(&self) -> SocketAddr;

    /// Readable when something has come.
    fn fd(&self) -> RawFd;

    /// Receives, sends back and does what is due.
    fn turn(&mut self) -> io::Result<()>;

    /// Since the start.
    fn echoed(&self) -> u64;

    /// Until something is due at the latest.
    fn wait_ms(&self) -> i32;
}

pub fn run(mut server: Box<dyn EchoServer>) -> io::Result<()> {
    tell(&json!({ "ready": server.address().to_string() }))?;
    let mut control = Control::default();
    let mut turns = 0u32;
    loop {
        let has_come = wait(server.fd(), server.wait_ms(), &control);
        turns = turns.wrapping_add(1);
        if !has_come || turns.is_multiple_of(TURNS_PER_LOOK) || control.has_word() {
            match control.read(false)? {
                Some(Command::Mark | Command::Pause) => tell_mark(server.as_ref())?,
                Some(Command::Stop) => return Ok(()),
                Some(Command::Run | Command::Connect) | None => {}
            }
        }
        server.turn()?;
    }
}

/// Whether the server's socket is readable; words wake too.
fn wait(fd: RawFd, wait_ms: i32, control: &Control) -> bool {
    let mut polls = [fd, STDIN].map(|fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    });
    let wait_ms = if control.has_word() { 0 } else { wait_ms };
    // SAFETY: two pollfds, as said.
    unsafe { libc::poll(polls.as_mut_ptr(), 2, wait_ms) };
    let [socket, words] = polls;
    socket.revents != 0 && words.revents == 0
}

fn tell_mark(server: &dyn EchoServer) -> io::Result<()> {
    tell(&json!({
        "cpuNs": cpu_ns(),
        "wallNs": wall_ns(),
        "echoed": server.echoed(),
        "residentBytes": resident_bytes(),
    }))
}
