//! The speaker against the golden vectors and against the receiver of `native/rl1`.

use ggscale_rl1::frame::Mode;
use ggscale_rl1::script::decode_hex;
use ggscale_rl1::{Event, Limits, Receiver, Side};
use serde_json::Value;

use super::received::Received;
use super::speaker::{Settings, Speaker, PACKET_BYTES_MAX};
use crate::load::message::{read, Heard, Message, Shape};

const SHAPE: Shape = Shape {
    values: 16,
    inputs: 3,
};
const SETTINGS: Settings = Settings {
    registry_hash: 0x1234_5678,
    shape: SHAPE,
    channel: 0,
    loose_channel: 1,
    asks_time: true,
};
const LIMITS: Limits = Limits {
    channels: 32,
    partials: 8,
    window: 512,
    unreliable_bytes: 16384,
    reliable_bytes: 262_144,
    budget_bytes: 589_824,
};

fn vectors(path: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test/vectors");
    serde_json::from_str(&std::fs::read_to_string(format!("{folder}/{path}")).unwrap()).unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    decode_hex(hex.as_str().unwrap(), &mut bytes).unwrap();
    bytes
}

fn number(value: &Value) -> u16 {
    value.as_u64().unwrap().try_into().unwrap()
}

#[test]
fn ack_blocks_are_written_as_the_vectors_say() {
    for vector in vectors("rl1/ack-blocks.json").as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let mut received = Received::default();
        for value in vector["received"].as_array().unwrap() {
            assert!(received.is_new(number(value)), "{name}");
            received.insert(number(value));
            assert!(!received.is_new(number(value)), "{name}");
        }
        received.raise_floor(number(&vector["floor"]));
        let block = received.block().unwrap();
        let mut written = block.largest.to_le_bytes().to_vec();
        written.extend([number(&vector["ackDelay"]) as u8, block.run]);
        written.extend(&block.bitmap[..block.bitmap_bytes]);
        assert_eq!(written, bytes(&vector["block"]), "{name}");
    }
}

#[test]
fn messages_are_read_and_written_as_the_vectors_say() {
    for vector in vectors("messages/snapshot.json")["vectors"]
        .as_array()
        .unwrap()
    {
        let value = &vector["value"];
        let field = |name: &str| value[name].as_u64().unwrap() as u32;
        let expected = Heard::Snapshot {
            tick: field("tick"),
            ack_seq: field("ackSeq"),
            stamp_us: field("timeRemainingMs"),
        };
        assert_eq!(read(&bytes(&vector["message"])), expected);
    }
    for vector in vectors("messages/game-event.json")["vectors"]
        .as_array()
        .unwrap()
    {
        let tick = vector["value"]["tick"].as_u64().unwrap() as u32;
        assert_eq!(read(&bytes(&vector["message"])), Heard::GameEvent { tick });
    }
    let vectors = vectors("messages/input.json");
    let vectors = vectors["vectors"].as_array().unwrap();
    let three = vectors.iter().find(|it| it["title"] == "three redundant");
    let three = bytes(&three.unwrap()["message"]);
    let mut written = [0; 100];
    let input = Message::Input {
        seq: 9,
        sent_us: 69_742_000,
    };
    assert_eq!(SHAPE.write(input, &mut written), three.len());
    // Head, first sequence and time; actions and direction are others.
    assert_eq!(written[..33], three[..33]);
}

#[test]
fn an_echo_is_read_as_written() {
    let (seq, sent_us) = (70_000, u32::MAX);
    let mut written = [0; 200];
    let length = SHAPE.write(Message::Echo { seq, sent_us }, &mut written);
    assert_eq!(length, 101);
    let heard = Heard::Echo {
        seq,
        sent_us,
        size: SHAPE.values,
    };
    assert_eq!(read(&written[..length]), heard);
    written[90] ^= 1;
    assert_eq!(read(&written[..length]), Heard::Strange);
    for cut in 0..length {
        assert_eq!(read(&written[..cut]), Heard::Strange, "{cut}");
    }
}

/// A server that acknowledges what it gets, and how far it got.
struct Far {
    receiver: Receiver,
    next: u16,
    seqs: Vec<u32>,
}

impl Far {
    /// Its answer: an ack block.
    fn take(&mut self, now_us: u64, payload: &[u8]) -> Vec<u8> {
        let mut events = Vec::new();
        let taken = self.receiver.handle(now_us, payload, &mut events);
        assert_eq!(taken, Ok(()), "{payload:02x?}");
        for event in events {
            let Event::Message {
                channel: 0,
                mode: Mode::Ordered,
                data,
                ..
            } = event
            else {
                continue;
            };
            match read(&data) {
                Heard::Echo { seq, .. } => self.seqs.push(seq),
                other => panic!("{other:?}"),
            }
        }
        let Some((largest, run, bitmap)) = self.receiver.received().block() else {
            let mut params = vec![0; 28];
            params[..8].copy_from_slice(b"GGRL1\x01\x01\x20");
            params[8..].copy_from_slice(&payload[8..28]);
            return params;
        };
        let mut answer = vec![0x50 | bitmap.len() as u8];
        answer.extend(self.next.to_le_bytes());
        answer.extend(largest.to_le_bytes());
        answer.extend([0, run]);
        answer.extend(bitmap);
        self.receiver.note_sent(self.next, Some(largest));
        self.next = self.next.wrapping_add(1);
        answer
    }
}

/// Every fifth packet of the speaker and every seventh answer is lost.
#[test]
fn a_lossy_path_loses_no_message_and_every_packet_is_well_formed() {
    let mut speaker = Speaker::new(&SETTINGS, 0, 99);
    let mut far = Far {
        receiver: Receiver::new(Side::Server, LIMITS, 0),
        next: 7,
        seqs: Vec::new(),
    };
    let (mut out, mut heard) = ([0; 1400], Vec::new());
    let (mut said, mut packets) = (0u32, 0u32);
    for step in 0..40_000u64 {
        let now_us = step * 1_000;
        if step % 3 == 0 && said < 5_000 {
            let (seq, sent_us) = (said, now_us as u32);
            speaker.outbox.push(Message::Echo { seq, sent_us });
            said += 1;
        }
        if speaker.deadline_us() <= now_us {
            speaker.handle_timeout(now_us);
        }
        while let Some(length) = speaker.write(now_us, &mut out, &SETTINGS) {
            assert!(length <= PACKET_BYTES_MAX);
            packets += 1;
            if packets % 5 == 0 {
                continue;
            }
            let answer = far.take(now_us, &out[..length]);
            if packets % 7 != 0 {
                assert!(!speaker.receive(&answer, now_us + 200, &mut heard));
            }
        }
        if far.seqs.len() == 5_000 {
            break;
        }
    }
    assert!(far.seqs.iter().copied().eq(0..5_000), "{}", far.seqs.len());
    assert!(speaker.lost() > 500);
    assert_eq!(far.receiver.peer().unwrap().registry_hash, 0x1234_5678);
    assert!(heard.is_empty(), "{:?}", heard.first());
}
