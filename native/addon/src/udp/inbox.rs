//! Message headers of one receive, and the way from what the kernel filled in to single arrivals.
//!
//! ```text
//! without GRO:  message → room (2 KiB) → one arrival
//! with GRO:     message → hall (64 KiB) → as many arrivals as datagrams came together
//! ```
//! Halls that hold more than one call asked for are handed out by the next calls; `unread` says so,
//! because the socket itself may have nothing more to tell.

use std::mem::zeroed;
use std::net::SocketAddr;

use ggscale_transport_core::Path;

use super::message::{
    read_control, read_name, Name, Notes, ReceiveControl, NAME_BYTES, RECEIVE_CONTROL_BYTES,
};
use crate::io::{
    canonical, Arrival, Scratch, Tally, BATCH, DATAGRAM_BYTES, ROOM_STRIDE, SCRATCH_BYTES,
};

/// Halls per receive, each as large as the largest UDP payload that there is. Fewer cost small packets
/// 2 to 8 % (more calls) and win trains nothing.
const HALLS: usize = BATCH;
/// The spare cache line keeps the beginnings of the halls, which are all that small packets touch, out
/// of each other's cache sets.
const HALL_STRIDE: usize = 65_536 + 64;
const HALL_BYTES: usize = 65_535;

/// The scratch of a socket with GRO: the rooms (for handshakes), then the halls.
pub(super) const SCRATCH_WITH_HALLS_BYTES: usize = SCRATCH_BYTES + HALLS * HALL_STRIDE;

/// What comes with a datagram by default (timestamp and packet info) fills one cache line.
#[repr(C, align(64))]
struct Parts {
    control: ReceiveControl,
    name: Name,
    vector: libc::iovec,
}

/// Where the buffers of a receive are in the scratch.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Layout {
    first: usize,
    stride: usize,
    bytes: usize,
    count: usize,
}

const ROOMS: Layout = Layout {
    first: 0,
    stride: ROOM_STRIDE,
    bytes: DATAGRAM_BYTES,
    count: BATCH,
};

/// A filled buffer of which some datagrams are not handed out yet. All but the last have `segment`
/// bytes; `length` is that of all together, also where the buffer was too short for them.
#[derive(Clone, Copy)]
struct Train {
    offset: usize,
    at: usize,
    segment: usize,
    length: usize,
    path: Path,
    stamp_ns: Option<u64>,
}

/// Boxed, because the headers point at their neighbours.
pub(super) struct Inbox {
    parts: [Parts; BATCH],
    messages: [libc::mmsghdr; BATCH],
    /// Headers that the kernel may have changed since they were prepared.
    used: usize,
    /// What the vectors lead to.
    aimed: Option<(*mut u8, Layout)>,
    layout: Layout,
    /// Filled buffers, and the next of them to look at.
    filled: usize,
    next: usize,
    train: Option<Train>,
    /// The kernel filled every buffer it was given, so it may have more.
    full: bool,
    overflow_total: u32,
}

// SAFETY: the pointers lead into the same box, or to the scratch of the call that follows `prepare`;
// none is followed between calls, and `aimed` is only compared.
unsafe impl Send for Inbox {}

impl Inbox {
    pub fn new() -> Box<Self> {
        // SAFETY: zero bytes are valid for the C structures; the other fields are set below.
        let (parts, messages) = unsafe { (zeroed(), zeroed()) };
        let mut inbox = Box::new(Self {
            parts,
            messages,
            used: BATCH,
            aimed: None,
            layout: ROOMS,
            filled: 0,
            next: 0,
            train: None,
            full: false,
            overflow_total: 0,
        });
        let Self {
            parts, messages, ..
        } = &mut *inbox;
        for (part, message) in parts.iter_mut().zip(messages) {
            let header = &mut message.msg_hdr;
            header.msg_name = (&raw mut part.name).cast();
            header.msg_iov = &raw mut part.vector;
            header.msg_iovlen = 1;
            header.msg_control = (&raw mut part.control).cast();
        }
        inbox
    }

    /// Datagrams of earlier receives that were not handed out yet, or a kernel that may have more.
    pub fn has_unread(&self) -> bool {
        self.has_filled() || self.full
    }

    /// Buffers that were received and not handed out yet.
    pub fn has_filled(&self) -> bool {
        self.next < self.filled || self.train.is_some()
    }

    /// The headers for a receive of at most `max` buffers into `scratch`.
    pub fn prepare(
        &mut self,
        max: usize,
        scratch: &mut Scratch,
        trains: bool,
    ) -> &mut [libc::mmsghdr] {
        let memory = scratch.memory_mut();
        let has_halls = trains && memory.len() >= SCRATCH_WITH_HALLS_BYTES;
        self.layout = if has_halls {
            Layout {
                first: SCRATCH_BYTES,
                stride: HALL_STRIDE,
                bytes: HALL_BYTES,
                count: HALLS,
            }
        } else {
            ROOMS
        };
        let base = memory.as_mut_ptr();
        if self.aimed != Some((base, self.layout)) {
            self.aim(memory);
            self.aimed = Some((base, self.layout));
        }
        for message in self.messages.iter_mut().take(self.used) {
            let header = &mut message.msg_hdr;
            header.msg_namelen = NAME_BYTES;
            header.msg_controllen = RECEIVE_CONTROL_BYTES as _;
            header.msg_flags = 0;
        }
        self.used = 0;
        let count = max.min(self.layout.count).min(BATCH);
        self.messages.get_mut(..count).unwrap_or(&mut [])
    }

    fn aim(&mut self, memory: &mut [u8]) {
        let Layout {
            first,
            stride,
            bytes,
            count,
        } = self.layout;
        let buffers = memory
            .get_mut(first..)
            .unwrap_or(&mut [])
            .chunks_mut(stride);
        for (part, buffer) in self.parts.iter_mut().zip(buffers).take(count) {
            part.vector = libc::iovec {
                iov_base: buffer.as_mut_ptr().cast(),
                iov_len: bytes.min(buffer.len()),
            };
        }
    }

    /// Takes note that the kernel filled `count` of the `asked` headers; 0 for an error, too.
    pub fn filled(&mut self, count: usize, asked: usize, trains: bool) {
        // The header behind the last is the one that a receive without a datagram looked at.
        self.used = (count + 1).min(BATCH);
        self.filled = count;
        self.next = 0;
        self.full = trains && count > 0 && count == asked;
    }

    /// Hands out what was received without trains: one arrival per header.
    pub fn hand_out_all(&mut self, scratch: &mut Scratch, tally: &mut Tally) -> usize {
        let Layout {
            first,
            stride,
            bytes,
            ..
        } = self.layout;
        let mut overflow = None;
        let headers = self.parts.iter().zip(&self.messages).take(self.filled);
        let slots = headers.zip(scratch.arrivals.iter_mut()).enumerate();
        for (index, ((part, message), arrival)) in slots {
            let length = message.msg_len as usize;
            let notes = read_control(&message.msg_hdr);
            arrival.offset = first + index * stride;
            arrival.length = length.min(bytes);
            arrival.truncated = length > bytes;
            arrival.path = path_of(&part.name, &notes);
            arrival.stamp_ns = notes.stamp_ns;
            overflow = notes.overflow.or(overflow);
        }
        self.count_overflow(overflow, tally);
        self.next = self.filled;
        self.filled
    }

    /// Hands out at most `max` datagrams of what was received, those that came together one by one.
    pub fn hand_out(&mut self, max: usize, scratch: &mut Scratch, tally: &mut Tally) -> usize {
        let room = self.layout.bytes;
        let mut count = 0;
        for arrival in scratch.arrivals.iter_mut().take(max) {
            let Some(train) = self.train.take().or_else(|| self.open_next(tally)) else {
                break;
            };
            let end = train.length.min(train.at + train.segment);
            *arrival = Arrival {
                offset: train.offset + train.at.min(room),
                length: end.min(room).saturating_sub(train.at),
                path: train.path,
                stamp_ns: train.stamp_ns,
                truncated: end > room,
            };
            if end < train.length {
                self.train = Some(Train { at: end, ..train });
            }
            count += 1;
        }
        count
    }

    fn open_next(&mut self, tally: &mut Tally) -> Option<Train> {
        if self.next >= self.filled {
            return None;
        }
        let index = self.next;
        self.next += 1;
        let (part, message) = (self.parts.get(index)?, self.messages.get(index)?);
        let length = message.msg_len as usize;
        let notes = read_control(&message.msg_hdr);
        let train = Train {
            offset: self.layout.first + index * self.layout.stride,
            at: 0,
            segment: notes.segment.unwrap_or(length),
            length,
            path: path_of(&part.name, &notes),
            stamp_ns: notes.stamp_ns,
        };
        if train.segment < length {
            tally.trains_in += 1;
            tally.train_datagrams_in += length.div_ceil(train.segment) as u64;
        }
        self.count_overflow(notes.overflow, tally);
        Some(train)
    }

    fn count_overflow(&mut self, total: Option<u32>, tally: &mut Tally) {
        if let Some(total) = total {
            tally.overflowed += u64::from(total.wrapping_sub(self.overflow_total));
            self.overflow_total = total;
        }
    }
}

fn path_of(name: &Name, notes: &Notes) -> Path {
    let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
    Path {
        remote: canonical(read_name(name).unwrap_or(unknown)),
        local: notes.local.map(|address| address.to_canonical()),
    }
}
