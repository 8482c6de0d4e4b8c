//! Sealed packets: header, AEAD, replay window.
//!
//! Input: `u8 mode`. Bit 0 clear: the rest is a datagram that nobody sealed. Set: a list of packets on
//! one key, each `u8 type and flags, u8 step, u8 length`, sealed, read, opened and put to the replay
//! window. Flag 0x20: one byte is altered first, at `u16` by `u8`; bits 6–7: how the sequence moves.

use std::collections::BTreeSet;

use ggscale_transport_core::fuzzing::{read_header, write_header, Packet, Sealer, Window};

use crate::input::Input;
use crate::plant;

const PROTOCOL_ID: u64 = 7;
const PACKETS: usize = 64;
const WINDOW: u64 = 256;
const TAG_BYTES: usize = 16;

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    if input.u8() & 1 == 0 {
        raw(input.rest());
    } else {
        flow(&mut input);
    }
}

/// What is read of any bytes, written again, is the same packet, in the same bytes unless the sequence
/// took more of them than it needs.
fn raw(bytes: &[u8]) {
    let Ok(packet) = read_header(bytes) else {
        return;
    };
    assert!(packet.header + TAG_BYTES <= bytes.len());
    assert_eq!(packet.cid.is_some(), matches!(packet.kind, 8 | 9));
    let mut room = [0; 17];
    let length = write_header(&packet, &mut room).expect("there is room");
    let written = &room[17 - length..];
    assert!(length <= packet.header);
    if length == packet.header {
        assert_eq!(written, &bytes[..length]);
    }
    let mut datagram = written.to_vec();
    datagram.extend_from_slice(&bytes[packet.header..]);
    let again = read_header(&datagram).expect("what is written can be read");
    let header = length;
    assert_eq!(again, Packet { header, ..packet });
    let mut copy = bytes.to_vec();
    assert_eq!(sealer().open(&mut copy), None, "nobody sealed this");
}

fn flow(input: &mut Input) {
    let sealer = sealer();
    let mut window = Window::default();
    let mut seen = BTreeSet::new();
    let mut sequence = input.u64();
    for _ in 0..PACKETS {
        if input.is_empty() {
            return;
        }
        let flags = input.u8();
        sequence = step(sequence, flags >> 6, u64::from(input.u8()));
        let kind = (flags & 15).max(1);
        let packet = Packet {
            kind,
            cid: matches!(kind, 8 | 9).then_some([0xc1; 8]),
            sequence,
            header: 0,
        };
        let body = vec![flags; usize::from(input.u8()) % 64];
        let alteration = (flags & 0x20 != 0).then(|| (input.u16(), input.u8().max(1)));
        if there_and_back(&sealer, &packet, &body, alteration) {
            enter(&mut window, &mut seen, sequence);
        }
    }
}

fn step(sequence: u64, how: u8, by: u64) -> u64 {
    match how {
        0 => sequence.wrapping_add(1),
        1 => sequence.wrapping_sub(by),
        2 => sequence.wrapping_add(by),
        _ => sequence.wrapping_add(by << 5),
    }
}

/// Seals, alters and opens; whether it opened, which it does unless it was altered.
fn there_and_back(
    sealer: &Sealer,
    packet: &Packet,
    body: &[u8],
    alteration: Option<(u16, u8)>,
) -> bool {
    let mut room = [0; 128];
    let length = sealer.seal(packet, body, &mut room).expect("there is room");
    let datagram = &mut room[..length];
    if let Some((at, change)) = alteration {
        let at = usize::from(at) % length;
        datagram[at] ^= change;
        assert_eq!(sealer.open(datagram), None, "altered byte {at} passed");
        return false;
    }
    let read = read_header(datagram).expect("it was sealed");
    let header = length - body.len() - TAG_BYTES;
    assert_eq!(read, Packet { header, ..*packet });
    assert_eq!(sealer.open(datagram), Some((header, body.len())));
    assert_eq!(&datagram[header..header + body.len()], body);
    true
}

/// The window against a set of all that ever came.
fn enter(window: &mut Window, seen: &mut BTreeSet<u64>, sequence: u64) {
    let newest = seen.last().copied();
    assert_eq!(window.latest(), newest);
    let behind = newest.map_or(0, |newest| newest.saturating_sub(sequence));
    let is_known = behind >= WINDOW || seen.contains(&sequence);
    let mut is_replayed = window.is_replayed(sequence);
    if plant::is_on() && behind == WINDOW - 1 {
        is_replayed = false;
    }
    assert_eq!(is_replayed, is_known, "{behind} behind the newest");
    if !is_replayed {
        window.mark(sequence);
        seen.insert(sequence);
        assert!(window.is_replayed(sequence));
    }
}

fn sealer() -> Sealer {
    Sealer::new(PROTOCOL_ID, [0x77; 32], [0; 12])
}
