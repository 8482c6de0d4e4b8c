//! The loop: both devices, the two queues, standard input and signals in one poll.

use crate::emulator::{Counters, Emulator, Profile};
use crate::link::{Link, LinkError, MTU_BYTES};
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Instant;

/// Packets read from one device before the other gets its turn.
const READ_BATCH: usize = 64;

/// How often the parent is looked for; its end normally shows at once as the end of standard input.
const PARENT_CHECK_US: u64 = 500_000;

const ADDRESS_A: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const ADDRESS_B: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);

struct Direction {
    emulator: Emulator,
    /// Packets the kernel refused to take.
    undeliverable: u64,
}

/// Runs until standard input ends, a signal comes or the parent is gone; then prints the counters.
pub fn run(profile: Profile, seed: u64) -> Result<(), LinkError> {
    let signals = block_signals().map_err(|error| LinkError::System(error.to_string()))?;
    sharpen_timers();
    let a = Link::open("a", ADDRESS_A)?;
    let b = Link::open("b", ADDRESS_B)?;
    print_line(&format!(
        r#"{{"ready":true,"a":{{"netns":"{}","address":"{}"}},"b":{{"netns":"{}","address":"{}"}}}}"#,
        a.namespace_path, a.address, b.namespace_path, b.address
    ));
    // Independent fates: each direction has a stream of its own.
    let mut a_to_b = Direction::new(profile, seed);
    let mut b_to_a = Direction::new(profile, seed ^ 0xb70a_b70a_b70a_b70a);
    forward(&a, &b, &mut a_to_b, &mut b_to_a, &signals)
        .map_err(|error| LinkError::System(error.to_string()))?;
    print_line(&format!(
        r#"{{"a_to_b":{},"b_to_a":{}}}"#,
        a_to_b.json(),
        b_to_a.json()
    ));
    Ok(())
}

fn forward(
    a: &Link,
    b: &Link,
    a_to_b: &mut Direction,
    b_to_a: &mut Direction,
    signals: &OwnedFd,
) -> io::Result<()> {
    let start = Instant::now();
    let now_us = || u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    // SAFETY: takes nothing, cannot fail.
    let parent = unsafe { libc::getppid() };
    let mut parent_check_us = PARENT_CHECK_US;
    loop {
        let due_us = [a_to_b.emulator.next_due_us(), b_to_a.emulator.next_due_us()]
            .into_iter()
            .flatten()
            .fold(parent_check_us, u64::min);
        let ready = wait(
            [a.fd(), b.fd(), 0, signals.as_raw_fd()],
            due_us.saturating_sub(now_us()),
        )?;
        let [a_ready, b_ready, input_ready, signalled] = ready;
        if a_ready {
            a_to_b.take(a, &now_us)?;
        }
        if b_ready {
            b_to_a.take(b, &now_us)?;
        }
        a_to_b.give(b, now_us());
        b_to_a.give(a, now_us());
        if signalled || (input_ready && input_ended()) {
            return Ok(());
        }
        if now_us() >= parent_check_us {
            parent_check_us = now_us() + PARENT_CHECK_US;
            // SAFETY: as above.
            if unsafe { libc::getppid() } != parent {
                return Ok(());
            }
        }
    }
}

impl Direction {
    fn new(profile: Profile, seed: u64) -> Self {
        Self {
            emulator: Emulator::new(profile, seed),
            undeliverable: 0,
        }
    }

    fn take(&mut self, from: &Link, now_us: &dyn Fn() -> u64) -> io::Result<()> {
        let mut buffer = [0u8; MTU_BYTES + 64];
        for _ in 0..READ_BATCH {
            let Some(length) = from.read_packet(&mut buffer)? else {
                return Ok(());
            };
            let packet = buffer.get(..length).unwrap_or_default();
            // The kernel's IPv6 neighbour chatter is not part of any experiment.
            if packet.first().map(|byte| byte >> 4) == Some(4) {
                self.emulator.offer(now_us(), packet);
            }
        }
        Ok(())
    }

    fn give(&mut self, to: &Link, now_us: u64) {
        while let Some(packet) = self.emulator.poll(now_us) {
            if to.write_packet(&packet).is_err() {
                self.undeliverable += 1;
            }
            self.emulator.recycle(packet);
        }
    }

    fn json(&self) -> String {
        let Counters {
            packets,
            bytes,
            dropped,
            reordered,
            overflowed,
            forwarded,
        } = self.emulator.counters();
        format!(
            r#"{{"packets":{packets},"bytes":{bytes},"dropped":{dropped},"reordered":{reordered},"overflowed":{overflowed},"forwarded":{forwarded},"undeliverable":{}}}"#,
            self.undeliverable
        )
    }
}

/// Which of the descriptors are readable (or ended) within `timeout_us`.
fn wait(fds: [libc::c_int; 4], timeout_us: u64) -> io::Result<[bool; 4]> {
    let mut polled = fds.map(|fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    });
    let timeout = libc::timespec {
        tv_sec: (timeout_us / 1_000_000) as libc::time_t,
        tv_nsec: (timeout_us % 1_000_000 * 1_000) as libc::c_long,
    };
    // SAFETY: four valid pollfd entries and a timespec that outlive the call.
    let count = unsafe { libc::ppoll(polled.as_mut_ptr(), 4, &timeout, std::ptr::null()) };
    if count < 0 {
        let error = io::Error::last_os_error();
        if error.kind() == io::ErrorKind::Interrupted {
            return Ok([false; 4]);
        }
        return Err(error);
    }
    Ok(polled.map(|entry| entry.revents != 0))
}

/// Anything written to standard input is ignored; its end, or an error, ends the run.
fn input_ended() -> bool {
    let mut ignored = [0u8; 256];
    // SAFETY: the buffer is ours and its length is given.
    unsafe { libc::read(0, ignored.as_mut_ptr().cast(), ignored.len()) <= 0 }
}

/// Must run before any thread starts, so that all inherit the mask.
fn block_signals() -> io::Result<OwnedFd> {
    // SAFETY: a signal set on the stack, initialised by sigemptyset; the new descriptor is checked and owned.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            libc::sigaddset(&mut set, signal);
        }
        if libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
        let fd = libc::signalfd(-1, &set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// The default slack of 50 µs is added to every wait; a delay should be what was asked for.
fn sharpen_timers() {
    // SAFETY: integers only; a refusal costs precision, nothing else.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1_000 as libc::c_ulong) };
}

/// A reader that is gone is noticed as the end of standard input, not here.
fn print_line(line: &str) {
    let mut output = io::stdout().lock();
    let _ = writeln!(output, "{line}");
    let _ = output.flush();
}
