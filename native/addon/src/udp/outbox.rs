//! Message headers of one send: single datagrams, and trains of them that the kernel cuts apart.
//!
//! ```text
//! datagrams:  a a a b c c        (same letter: same path and size; the last of a run may be shorter)
//! messages:   [a a a] [b] [c c]  each with its vectors, one per datagram: nothing is copied
//! ```
//! Invariant: the vectors of the messages follow each other in the order of the datagrams, and
//! `runs[m]` is how many of them message m has.

use std::mem::zeroed;
use std::net::IpAddr;

use super::message::{write_control, write_name, Name, SendControl};
use crate::io::{Outgoing, SEND_BATCH};

/// Shorter runs are sent one by one. Two together cost 0.8 of two apart, four 0.6, sixteen 0.4 (flushes
/// of 1,200 B over the loopback, sealing included; `loop_bench`).
const TRAIN_MIN: usize = 2;
/// UDP_MAX_SEGMENTS of older kernels; newer ones take 128.
const TRAIN_MAX: usize = 64;
/// One datagram for the kernel until it is cut: 65,535 B with an IPv6, a UDP and a tagged Ethernet
/// header, so that a device's 64 KiB limit (gso_max_size) does not send it down the slow way.
const TRAIN_BYTES_MAX: usize = 65_535 - 40 - 8 - 18;

struct Parts {
    name: Name,
    control: SendControl,
}

/// Boxed, because the headers point at their neighbours.
pub(super) struct Outbox {
    vectors: [libc::iovec; SEND_BATCH],
    parts: [Parts; SEND_BATCH],
    messages: [libc::mmsghdr; SEND_BATCH],
    runs: [u8; SEND_BATCH],
}

// SAFETY: the pointers lead into the same box, or to datagrams that only `stage` and the system call
// right behind it use; none is followed between calls.
unsafe impl Send for Outbox {}

impl Outbox {
    pub fn new() -> Box<Self> {
        // SAFETY: all fields are plain C structures and numbers, for which zero bytes are valid.
        let mut outbox: Box<Self> = Box::new(unsafe { zeroed() });
        let Self {
            parts, messages, ..
        } = &mut *outbox;
        for (part, message) in parts.iter_mut().zip(messages) {
            message.msg_hdr.msg_name = (&raw mut part.name).cast();
        }
        outbox
    }

    /// Prepares the headers for `datagrams` (at most `SEND_BATCH` of them count); returns how many.
    /// `home` is the address that the kernel takes by itself.
    pub fn stage(
        &mut self,
        datagrams: &[Outgoing<'_>],
        v6: bool,
        home: Option<IpAddr>,
        trains: bool,
    ) -> usize {
        let mut rest = datagrams.get(..SEND_BATCH).unwrap_or(datagrams);
        let vectors = self.vectors.as_mut_ptr();
        let mut used = 0;
        let slots = self.parts.iter_mut().zip(&mut self.messages);
        let mut count = 0;
        for ((part, message), run) in slots.zip(&mut self.runs) {
            let Some(first) = rest.first() else { break };
            let length = if trains { train_length(rest) } else { 1 };
            let (train, behind) = rest.split_at(length);
            rest = behind;
            // SAFETY: one vector per datagram, and there are at most SEND_BATCH datagrams.
            let start = unsafe { vectors.add(used) };
            for (index, datagram) in train.iter().enumerate() {
                let vector = libc::iovec {
                    iov_base: datagram.bytes.as_ptr().cast_mut().cast(),
                    iov_len: datagram.bytes.len(),
                };
                // SAFETY: as above.
                unsafe { start.add(index).write(vector) };
            }
            used += length;
            let segment = (length > 1).then_some(first.bytes.len() as u16);
            let header = &mut message.msg_hdr;
            header.msg_namelen = write_name(&mut part.name, first.path.remote, v6);
            header.msg_iov = start;
            header.msg_iovlen = length as _;
            let local = first.path.local.filter(|local| Some(*local) != home);
            let control_bytes = write_control(&mut part.control, local, segment, v6);
            let control: *mut SendControl = &mut part.control;
            header.msg_control = if control_bytes > 0 {
                control.cast()
            } else {
                std::ptr::null_mut()
            };
            header.msg_controllen = control_bytes as _;
            *run = length as u8;
            count += 1;
        }
        count
    }

    pub fn messages(&mut self, count: usize) -> &mut [libc::mmsghdr] {
        let count = count.min(SEND_BATCH);
        self.messages.get_mut(..count).unwrap_or(&mut [])
    }

    /// Datagrams of each of the first `count` messages.
    pub fn runs(&self, count: usize) -> impl Iterator<Item = usize> + '_ {
        self.runs.iter().take(count).map(|run| usize::from(*run))
    }
}

/// How many datagrams from the front may travel as one: same path, same size (the last may be
/// shorter), and steered to the same socket at the other end, because a receiver on this machine, or
/// one whose network card joins them again, chooses the socket by the first alone.
fn train_length(datagrams: &[Outgoing<'_>]) -> usize {
    let Some(first) = datagrams.first() else {
        return 1;
    };
    let size = first.bytes.len();
    let most = TRAIN_MAX.min(TRAIN_BYTES_MAX.checked_div(size).unwrap_or(1));
    let mut length = 1;
    for next in datagrams.iter().take(most).skip(1) {
        let next_size = next.bytes.len();
        let fits = next_size <= size && next_size > 0;
        if !fits || next.path != first.path || steering(next.bytes) != steering(first.bytes) {
            break;
        }
        length += 1;
        if next_size < size {
            break;
        }
    }
    if length < TRAIN_MIN {
        1
    } else {
        length
    }
}

/// What the steering program looks at beside the source.
fn steering(datagram: &[u8]) -> (bool, Option<u8>) {
    match datagram {
        [0, ..] => (true, None),
        [first, second, ..] if matches!(first & 15, 8 | 9) => (false, Some(*second)),
        _ => (false, None),
    }
}
