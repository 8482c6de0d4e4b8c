//! What the kernel says beside a datagram: names, control messages, trains (UDP_GRO).
//!
//! Input: `u8 flags` (bit 0: trains), then up to eight messages, each `u8 family, u16 length, u8 count`
//! and as many control messages, `u8 kind, u64 value`. They are laid down as Linux' put_cmsg does, cut at
//! the end of the buffer. A second reader here says what must come of them.

use std::cell::RefCell;
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::inbox::{Inbox, SCRATCH_WITH_HALLS_BYTES};
use super::message::{read_control, Name, RECEIVE_CONTROL_BYTES};
use super::sys::UDP_GRO;
use crate::input::Input;
use crate::io::{Arrival, Scratch, Tally, BATCH};
use crate::plant;

const MESSAGES: usize = 8;
const CONTROLS: usize = 6;
/// Arrivals looked at: trains of single bytes would only be slow.
const ARRIVALS: usize = 2_000;

/// What one message must come to.
#[derive(Default, Debug)]
struct Expected {
    remote_port: u16,
    length: usize,
    stamp_ns: Option<u64>,
    overflow: Option<u32>,
    local: Option<IpAddr>,
    segment: Option<usize>,
}

thread_local! {
    /// Two megabytes: too much to be zeroed for each input.
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::with_bytes(SCRATCH_WITH_HALLS_BYTES));
}

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let trains = input.u8() & 1 != 0;
    SCRATCH.with_borrow_mut(|scratch| receive(trains, &mut input, scratch));
}

fn receive(trains: bool, input: &mut Input, scratch: &mut Scratch) {
    let mut inbox = Inbox::new();
    let headers = inbox.prepare(BATCH, scratch, trains);
    let asked = headers.len();
    let mut expected = Vec::new();
    for message in headers.iter_mut().take(MESSAGES) {
        if input.is_empty() {
            break;
        }
        expected.push(play_kernel(message, input));
    }
    let room = if trains { 65_535 } else { 2048 };
    inbox.filled(expected.len(), asked, trains);
    let mut tally = Tally::default();
    let mut arrivals = Vec::new();
    if trains {
        while inbox.has_filled() && arrivals.len() < ARRIVALS {
            let count = inbox.hand_out(BATCH, scratch, &mut tally);
            assert!(count > 0, "what is there is handed out");
            keep(&scratch.arrivals[..count], &mut arrivals);
        }
    } else {
        let count = inbox.hand_out_all(scratch, &mut tally);
        keep(&scratch.arrivals[..count], &mut arrivals);
    }
    let is_whole = arrivals.len() < ARRIVALS;
    compare(&expected, &arrivals, trains, room);
    if is_whole {
        assert_eq!(tally.overflowed, overflow_of(&expected, trains));
    }
}

/// The plant: a train's last datagram is lost when it is one byte.
fn keep(handed: &[Arrival], arrivals: &mut Vec<Arrival>) {
    let is_lost = |arrival: &&Arrival| plant::is_on() && arrival.length == 1;
    arrivals.extend(handed.iter().filter(|arrival| !is_lost(arrival)));
}

fn compare(expected: &[Expected], arrivals: &[Arrival], trains: bool, room: usize) {
    let mut arrivals = arrivals.iter();
    for message in expected {
        let segment = message.segment.filter(|_| trains).unwrap_or(message.length);
        let mut at = 0;
        loop {
            let Some(arrival) = arrivals.next() else {
                assert!(arrivals.len() == 0);
                return;
            };
            let end = message.length.min(at + segment);
            assert_eq!(arrival.truncated, end > room);
            assert_eq!(arrival.length, end.min(room).saturating_sub(at));
            assert!(arrival.offset + arrival.length <= SCRATCH_WITH_HALLS_BYTES);
            assert_eq!(arrival.stamp_ns, message.stamp_ns);
            assert_eq!(arrival.path.remote.port(), message.remote_port);
            let local = message.local.map(|local| local.to_canonical());
            assert_eq!(arrival.path.local, local);
            at = end;
            if at >= message.length {
                break;
            }
        }
    }
    assert_eq!(arrivals.len(), 0, "no datagram that did not come");
}

/// The counter of the socket only grows, and wraps.
fn overflow_of(expected: &[Expected], trains: bool) -> u64 {
    let mut total = 0u32;
    let mut counts = expected.iter().filter_map(|message| message.overflow);
    if !trains {
        // Only the last one counts.
        return u64::from(counts.next_back().unwrap_or(0));
    }
    counts
        .map(|count| u64::from(count.wrapping_sub(std::mem::replace(&mut total, count))))
        .sum()
}

fn play_kernel(message: &mut libc::mmsghdr, input: &mut Input) -> Expected {
    let mut expected = Expected::default();
    let header = &mut message.msg_hdr;
    // SAFETY: `prepare` let the header's name and control lead to live memory of these sizes.
    let (name, control) = unsafe {
        let control = header.msg_control.cast::<u8>();
        (
            &mut *header.msg_name.cast::<Name>(),
            std::slice::from_raw_parts_mut(control, RECEIVE_CONTROL_BYTES),
        )
    };
    expected.remote_port = write_name(name, input.u8());
    expected.length = usize::from(input.u16()).min(65_535);
    message.msg_len = expected.length as u32;
    let mut used = 0;
    for _ in 0..usize::from(input.u8()) % (CONTROLS + 1) {
        let (kind, value) = (input.u8() % 8, input.u64());
        put(control, &mut used, kind, value, &mut expected);
    }
    header.msg_controllen = used as _;
    let notes = read_control(header);
    assert_eq!(notes.stamp_ns, expected.stamp_ns);
    assert_eq!(notes.overflow, expected.overflow);
    assert_eq!(notes.local, expected.local);
    assert_eq!(notes.segment, expected.segment);
    expected
}

/// The port that is read back: 0 for a family that nobody knows.
fn write_name(name: &mut Name, kind: u8) -> u16 {
    let family = match kind & 3 {
        0 => libc::AF_INET,
        3 => libc::AF_UNIX,
        _ => libc::AF_INET6,
    };
    name.sin6_family = family as libc::sa_family_t;
    let port = 40_000 + u16::from(kind);
    name.sin6_port = port.to_be();
    name.sin6_flowinfo = u32::from_ne_bytes([10, 0, 0, kind]);
    name.sin6_addr.s6_addr = match kind & 3 {
        1 => Ipv4Addr::new(10, 0, 0, kind).to_ipv6_mapped().octets(),
        _ => Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, u16::from(kind)).octets(),
    };
    name.sin6_scope_id = u32::from(kind >> 4);
    if kind & 3 == 3 {
        0
    } else {
        port
    }
}

/// One control message behind `used`, and what it says if it is whole.
fn put(control: &mut [u8], used: &mut usize, kind: u8, value: u64, expected: &mut Expected) {
    let low = value as u32;
    let seconds = value & 0xffff_ffff;
    let nanoseconds = value >> 32 & 0x1fff_ffff;
    let v6 = Ipv6Addr::from(u128::from(value) | 0xfe80 << 112);
    let (level, name, bytes): (i32, i32, Vec<u8>) = match kind {
        0 => {
            let bytes = [seconds.to_ne_bytes(), nanoseconds.to_ne_bytes()].concat();
            (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, bytes)
        }
        1 => (
            libc::SOL_SOCKET,
            libc::SO_RXQ_OVFL,
            low.to_ne_bytes().into(),
        ),
        2 => {
            // Interface, address to answer from, address that was called.
            let info = [9, low.to_be(), low.to_be().rotate_left(8)];
            let bytes = info.iter().flat_map(|word| word.to_ne_bytes()).collect();
            (libc::IPPROTO_IP, libc::IP_PKTINFO, bytes)
        }
        3 => {
            let bytes = [&v6.octets()[..], &9u32.to_ne_bytes()].concat();
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, bytes)
        }
        4 => (libc::SOL_UDP, UDP_GRO, low.to_ne_bytes().into()),
        // Of a kind that is read, but too short; of kinds that nobody asked for.
        5 => (libc::SOL_UDP, UDP_GRO, value.to_ne_bytes()[..2].into()),
        6 => (
            libc::SOL_SOCKET,
            libc::SCM_RIGHTS,
            value.to_ne_bytes().into(),
        ),
        _ => (low as i32, kind.into(), Vec::new()),
    };
    let is_whole = lay_down(control, used, level, name, &bytes);
    if !is_whole {
        return;
    }
    match kind {
        0 => expected.stamp_ns = Some(seconds * 1_000_000_000 + nanoseconds),
        1 => expected.overflow = Some(low),
        2 => expected.local = Some(IpAddr::V4(Ipv4Addr::from(low))),
        3 => expected.local = Some(IpAddr::V6(v6)),
        4 => expected.segment = usize::try_from(low as i32).ok().filter(|size| *size > 0),
        _ => {}
    }
}

/// As Linux does (net/core/scm.c, put_cmsg): what does not fit is cut, and says so in its length.
fn lay_down(control: &mut [u8], used: &mut usize, level: i32, name: i32, bytes: &[u8]) -> bool {
    const HEADER: usize = size_of::<libc::cmsghdr>();
    let left = control.len() - *used;
    if left < HEADER {
        return false;
    }
    let length = left.min(HEADER + bytes.len());
    let message = &mut control[*used..];
    message[..8].copy_from_slice(&length.to_ne_bytes());
    message[8..12].copy_from_slice(&level.to_ne_bytes());
    message[12..16].copy_from_slice(&name.to_ne_bytes());
    message[HEADER..length].copy_from_slice(&bytes[..length - HEADER]);
    *used += left.min(HEADER + bytes.len().next_multiple_of(8));
    length == HEADER + bytes.len()
}
