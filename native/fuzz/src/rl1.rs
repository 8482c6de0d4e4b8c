//! RL1, as native/rl1 receives it. Its corpus is also played to src/protocol, beside this receiver
//! (`test/fuzz/corpus.ts`, which reads the same format).
//!
//! Input: `u8 flags` (bit 0: client; bit 1: small limits; bit 2: the peer's PARAMS have come already;
//! bit 3: ids begin shortly before they wrap), then steps, each `u8 kind`:
//!
//! ```text
//!   0  u8 length, bytes                 a payload comes
//!   1  u8 length, bytes, u16 zeros      … and goes on with zeros: fragments are 1,024 B
//!   2  u16                              so many times 1,024 µs pass
//!   3                                   this side sends a packet
//! ```

use std::collections::{HashMap, HashSet};

use ggscale_rl1::frame::{self, Frame, Mode};
use ggscale_rl1::header::{self, Header};
use ggscale_rl1::reader::Reader;
use ggscale_rl1::{Event, Limits, Reason, Receiver, Side};

use crate::input::Input;
use crate::plant;

const PAYLOAD_BYTES_MAX: usize = 1192;

const LIMITS: Limits = Limits {
    channels: 32,
    partials: 8,
    window: 512,
    unreliable_bytes: 16_384,
    reliable_bytes: 262_144,
    budget_bytes: 524_288,
};

const SMALL_LIMITS: Limits = Limits {
    channels: 3,
    partials: 2,
    window: 4,
    unreliable_bytes: 1024,
    reliable_bytes: 2048,
    budget_bytes: 3072,
};

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let flags = input.u8();
    let side = if flags & 1 == 0 {
        Side::Server
    } else {
        Side::Client
    };
    let limits = if flags & 2 == 0 { LIMITS } else { SMALL_LIMITS };
    let first_id = if flags & 8 == 0 { 0 } else { 65_534 };
    let mut flow = Flow::new(side, limits, first_id);
    if flags & 4 != 0 {
        flow.take(&params_to(side));
    }
    while !input.is_empty() {
        match input.u8() & 3 {
            kind @ 0..=1 => {
                let length = usize::from(input.u8());
                let mut payload = input.take(length).to_vec();
                let zeros = if kind == 1 {
                    usize::from(input.u16())
                } else {
                    0
                };
                payload.resize((payload.len() + zeros).min(PAYLOAD_BYTES_MAX), 0);
                // Netcode knows no empty payload.
                if !payload.is_empty() {
                    flow.take(&payload);
                }
            }
            2 => flow.now_us += u64::from(input.u16()) * 1024,
            _ => flow.send(),
        }
    }
}

struct Flow {
    receiver: Receiver,
    limits: Limits,
    now_us: u64,
    next_packet: u16,
    first_id: u16,
    /// Of each channel, the id of the ordered message that comes next.
    ordered: HashMap<u8, u16>,
    unordered: HashSet<(u8, u16)>,
    has_ended: bool,
}

impl Flow {
    fn new(side: Side, limits: Limits, first_id: u16) -> Self {
        Self {
            receiver: Receiver::new(side, limits, first_id),
            limits,
            now_us: 0,
            next_packet: 0,
            first_id,
            ordered: HashMap::new(),
            unordered: HashSet::new(),
            has_ended: false,
        }
    }

    fn send(&mut self) {
        self.receiver.note_sent(self.next_packet, None);
        self.next_packet = self.next_packet.wrapping_add(1);
    }

    fn take(&mut self, payload: &[u8]) {
        let before = self.state();
        let mut events = Vec::new();
        let verdict = self.receiver.handle(self.now_us, payload, &mut events);
        assert!(!self.has_ended || verdict == Err(Reason::FlowClosed));
        if plant::is_on() {
            repeat_the_second(&mut events, self.first_id.wrapping_add(1));
        }
        match verdict {
            Ok(()) if self.receiver.peer().is_some() && !payload.starts_with(b"GGRL1") => {
                self.check_canonical(payload);
            }
            Ok(()) => {}
            Err(_) => {
                assert_eq!(self.state(), before, "what is refused changes nothing");
                let ends = |event: &Event| matches!(event, Event::Violation(_));
                assert!(events.iter().all(ends));
            }
        }
        for event in &events {
            self.check_event(event);
        }
        let held = self.receiver.delivery().held();
        assert!(held.bytes <= self.limits.budget_bytes as usize);
        assert!(held.partials <= usize::from(self.limits.partials));
    }

    fn state(&self) -> String {
        format!(
            "{:?} {:?} {:?}",
            self.receiver.peer(),
            self.receiver.received(),
            self.receiver.delivery()
        )
    }

    fn check_event(&mut self, event: &Event) {
        assert!(!self.has_ended, "nothing comes behind the end");
        match event {
            Event::Message {
                channel,
                mode: Mode::Ordered,
                id,
                ..
            } => {
                let next = self.ordered.entry(*channel).or_insert(self.first_id);
                assert_eq!(*id, *next, "ordered messages come in order, each once");
                *next = next.wrapping_add(1);
            }
            Event::Message {
                channel,
                mode: Mode::Unordered,
                id,
                ..
            } => {
                let is_new = self.unordered.insert((*channel, *id));
                assert!(is_new, "unordered messages come once");
            }
            Event::Closed { .. } | Event::Violation(_) => self.has_ended = true,
            Event::Message { .. } | Event::Ready | Event::Raw(_) => {}
        }
    }

    /// There is one encoding of everything: what was taken, written again, is what came.
    fn check_canonical(&self, payload: &[u8]) {
        let (header, body) = header::parse(payload).expect("it was taken");
        let mut reader = Reader::new(body);
        let mut written = write_header(&header);
        while !reader.rest().is_empty() {
            let left = reader.rest();
            let frame = frame::parse(&mut reader, &self.limits).expect("it was taken");
            let bytes = &left[..left.len() - reader.rest().len()];
            let is_last = reader.rest().is_empty() && left[0] & 0x20 != 0;
            match frame {
                Frame::Ignorable => written.extend_from_slice(bytes),
                _ => write_frame(&frame, is_last, &mut written),
            }
        }
        assert_eq!(written, payload);
    }
}

/// The plant: the second ordered message of a channel comes twice.
fn repeat_the_second(events: &mut Vec<Event>, second: u16) {
    let is_second = |event: &Event| matches!(event, Event::Message { mode: Mode::Ordered, id, .. } if *id == second);
    if let Some(found) = events.iter().find(|event| is_second(event)).cloned() {
        events.push(found);
    }
}

fn write_header(header: &Header<'_>) -> Vec<u8> {
    let bitmap = header.ack.map_or(&[][..], |ack| ack.bitmap);
    let timestamp = u8::from(header.timestamp.is_some()) << 5;
    let ack = u8::from(header.ack.is_some()) << 4;
    let mut bytes = vec![0x40 | timestamp | ack | bitmap.len() as u8];
    bytes.extend(header.sequence.to_le_bytes());
    bytes.extend(
        header
            .timestamp
            .iter()
            .flat_map(|stamp| stamp.to_le_bytes()),
    );
    if let Some(ack) = header.ack {
        bytes.extend(ack.largest.to_le_bytes());
        bytes.extend([ack.delay, ack.run]);
    }
    bytes.extend(bitmap);
    bytes
}

fn write_frame(frame: &Frame<'_>, is_last: bool, bytes: &mut Vec<u8>) {
    match frame {
        Frame::Padding => bytes.push(0),
        Frame::Ping => bytes.push(1),
        Frame::TimeRequest { t0 } => write_words(2, &[*t0], bytes),
        Frame::TimeResponse { t0, t1, t2 } => write_words(3, &[*t0, *t1, *t2], bytes),
        Frame::RxReport { received, missing } => write_words(8, &[*received, *missing], bytes),
        Frame::Close { code, reason } => {
            bytes.push(4);
            bytes.extend(code.to_le_bytes());
            bytes.push(reason.len() as u8);
            bytes.extend(reason.as_bytes());
        }
        Frame::Ignorable => {}
        Frame::Message(message) => {
            let fragmented = u8::from(message.fragment.is_some()) << 6;
            let last = u8::from(is_last) << 5;
            let first = 0x80 | fragmented | last | message.mode.bits() << 3;
            bytes.push(first | message.channel.min(7));
            if message.channel >= 7 {
                bytes.push(message.channel);
            }
            if message.mode != Mode::Unreliable || message.fragment.is_some() {
                bytes.extend(message.id.to_le_bytes());
            }
            if let Some(fragment) = message.fragment {
                bytes.extend([fragment.index, (fragment.count - 1) as u8]);
            }
            let length = message.data.len();
            match (is_last, length) {
                (true, _) => {}
                (false, 0..=127) => bytes.push(length as u8),
                (false, _) => bytes.extend([length as u8 | 0x80, (length >> 7) as u8]),
            }
            bytes.extend(message.data);
        }
    }
}

fn write_words(kind: u8, words: &[u32], bytes: &mut Vec<u8>) {
    bytes.push(kind);
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}

/// Good PARAMS of the other side.
fn params_to(side: Side) -> Vec<u8> {
    let from_server = u8::from(side == Side::Client);
    let mut bytes = b"GGRL1".to_vec();
    bytes.extend([1, from_server, LIMITS.channels, LIMITS.partials, 0]);
    bytes.extend(LIMITS.window.to_le_bytes());
    bytes.extend(25u16.to_le_bytes());
    bytes.extend(LIMITS.unreliable_bytes.to_le_bytes());
    bytes.extend(LIMITS.reliable_bytes.to_le_bytes());
    bytes.extend(LIMITS.budget_bytes.to_le_bytes());
    bytes.extend(0u32.to_le_bytes());
    bytes
}
