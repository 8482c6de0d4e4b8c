//! Every golden vector under test/vectors/rl1.

use ggscale_rl1::frame::{self, Frame};
use ggscale_rl1::header;
use ggscale_rl1::received::Received;
use ggscale_rl1::script::{decode_hex, Script};
use ggscale_rl1::{params, Limits, Receiver, Side};
use serde_json::{json, Value};

fn vectors(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test/vectors/rl1");
    let text = std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    decode_hex(hex.as_str().unwrap(), &mut bytes).unwrap();
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn number(value: &Value) -> u16 {
    value.as_u64().unwrap().try_into().unwrap()
}

const DEFAULTS: Limits = Limits {
    channels: 32,
    partials: 8,
    window: 512,
    unreliable_bytes: 16384,
    reliable_bytes: 262_144,
    budget_bytes: 524_288,
};

#[test]
fn ack_blocks_name_what_the_vectors_say() {
    for vector in vectors("ack-blocks.json").as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let mut payload = vec![0x50 | vector["bitmapBytes"].as_u64().unwrap() as u8, 0, 0];
        payload.extend(bytes(&vector["block"]));
        let (header, rest) = header::parse(&payload).unwrap();
        let ack = header.ack.unwrap();
        assert!(rest.is_empty(), "{name}");
        assert_eq!(json!(ack.delay), vector["ackDelay"], "{name}");
        let named: Vec<u16> = ack.named().collect();
        assert_eq!(json!(named), vector["named"], "{name}");
    }
}

#[test]
fn ack_blocks_are_written_as_the_vectors_say() {
    for vector in vectors("ack-blocks.json").as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let mut received = Received::default();
        for value in vector["received"].as_array().unwrap() {
            received.check(number(value)).unwrap();
            received.insert(number(value));
        }
        received.raise_floor(number(&vector["floor"]));
        let (largest, run, bitmap) = received.block().unwrap();
        let mut block = largest.to_le_bytes().to_vec();
        block.extend([number(&vector["ackDelay"]) as u8, run]);
        block.extend(bitmap);
        assert_eq!(json!(hex(&block)), vector["block"], "{name}");
    }
}

fn describe(frame: &Frame<'_>) -> Value {
    match frame {
        Frame::Padding => json!({"type": "padding"}),
        Frame::Ping => json!({"type": "ping"}),
        Frame::TimeRequest { t0 } => json!({"type": "time-request", "t0": t0}),
        Frame::TimeResponse { t0, t1, t2 } => {
            json!({"type": "time-response", "t0": t0, "t1": t1, "t2": t2})
        }
        Frame::Close { code, reason } => {
            json!({"type": "close", "code": code, "reason": hex(reason.as_bytes())})
        }
        Frame::RxReport { received, missing } => {
            json!({"type": "rx-report", "received": received, "missing": missing})
        }
        Frame::Ignorable => json!({"type": "ignorable"}),
        Frame::Message(message) => json!({
            "type": "message",
            "mode": message.mode.bits(),
            "channel": message.channel,
            "id": message.id,
            "index": message.fragment.map_or(0, |fragment| fragment.index),
            "count": message.fragment.map_or(0, |fragment| fragment.count),
            "data": hex(message.data),
        }),
    }
}

#[test]
fn packets_have_the_header_and_the_frames_of_the_vectors() {
    for vector in vectors("packets.json").as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let payload = bytes(&vector["hex"]);
        let (header, body) = header::parse(&payload).unwrap();
        assert_eq!(json!(header.sequence), vector["sequence"], "{name}");
        assert_eq!(json!(header.timestamp), vector["timestamp"], "{name}");
        let ack = header.ack.map(|ack| {
            json!({
                "delay": ack.delay,
                "run": ack.run,
                "bitmapBytes": ack.bitmap.len(),
                "named": ack.named().collect::<Vec<u16>>(),
            })
        });
        assert_eq!(json!(ack), vector["ack"], "{name}");
        let frames = frame::parse_all(body, &DEFAULTS).unwrap();
        let described: Vec<Value> = frames.iter().map(describe).collect();
        assert_eq!(json!(described), vector["frames"], "{name}");
    }
}

#[test]
fn refused_packets_are_refused_for_the_reason_of_the_vectors() {
    for vector in vectors("refused.json").as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let mut flow = Receiver::new(Side::Server, DEFAULTS, 0);
        let mut events = Vec::new();
        flow.handle(
            0,
            &bytes(&vectors("params.json")["taken"][0]["hex"]),
            &mut events,
        )
        .unwrap();
        let refused = flow.handle(0, &bytes(&vector["hex"]), &mut events);
        let reason = refused.expect_err(name).name();
        assert_eq!(json!(reason), vector["reason"], "{name}");
    }
}

fn sender(vector: &Value) -> Side {
    match vector["fromServer"].as_bool().unwrap() {
        true => Side::Server,
        false => Side::Client,
    }
}

#[test]
fn params_are_taken_and_refused_as_the_vectors_say() {
    let all = vectors("params.json");
    for vector in all["taken"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let params = params::parse(&bytes(&vector["hex"]), sender(vector)).unwrap();
        assert_eq!(
            json!(params.coarse_ack_delay),
            vector["coarseAckDelay"],
            "{name}"
        );
        let fields = json!({
            "version": params.version,
            "channels": params.limits.channels,
            "partials": params.limits.partials,
            "windowIds": params.limits.window,
            "maxAckDelayMs": params.max_ack_delay_ms,
            "unreliableMessageBytes": params.limits.unreliable_bytes,
            "messageBytes": params.limits.reliable_bytes,
            "receiveBudgetBytes": params.limits.budget_bytes,
            "registryHash": params.registry_hash,
        });
        assert_eq!(fields, vector["fields"], "{name}");
    }
    for vector in all["refused"].as_array().unwrap() {
        let refused = params::parse(&bytes(&vector["hex"]), sender(vector));
        let name = vector["name"].as_str().unwrap();
        assert_eq!(
            json!(refused.expect_err(name).name()),
            vector["reason"],
            "{name}"
        );
    }
}

#[test]
fn sequences_of_packets_have_the_answers_of_the_vectors() {
    let mut differences = Vec::new();
    for vector in vectors("sequences.json").as_array().unwrap() {
        let limit = |name: &str| vector["limits"][name].as_u64().unwrap();
        let mut script = Script::default();
        let mut answer = String::new();
        let flow = format!(
            "flow {} {} {} {} {} {} {} 0",
            vector["side"].as_str().unwrap(),
            limit("channels"),
            limit("partials"),
            limit("windowIds"),
            limit("unreliableMessageBytes"),
            limit("messageBytes"),
            limit("receiveBudgetBytes"),
        );
        script.line(&flow, &mut answer).unwrap();
        for (index, step) in vector["steps"].as_array().unwrap().iter().enumerate() {
            let mut line = |text: String| script.line(&text, &mut answer).unwrap();
            line(format!("time {}", step["atUs"]));
            line(format!("in {}", step["hex"].as_str().unwrap()));
            let said = std::mem::take(&mut answer);
            let (said, want) = (said.trim_end(), step["answer"].as_str().unwrap());
            if said != want {
                let name = &vector["name"];
                differences.push(format!("{name}, step {index}: {said}, not {want}"));
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn the_floor_moves_as_the_vectors_say() {
    for vector in vectors("floors.json").as_array().unwrap() {
        let name = &vector["name"];
        let mut received = Received::default();
        let mut sent: Vec<u16> = Vec::new();
        for step in vector["steps"].as_array().unwrap() {
            if step["send"].is_null() {
                if let Some(index) = step["acks"].as_u64() {
                    received.raise_floor(sent[index as usize]);
                }
                received.insert(number(&step["receive"]));
                continue;
            }
            let (largest, run, bitmap) = received.block().unwrap();
            let bitmap = &bitmap;
            let delay = 0;
            let block = header::Ack {
                largest,
                delay,
                run,
                bitmap,
            };
            let named: Vec<u16> = block.named().collect();
            assert_eq!(json!(named), step["named"], "{name}");
            sent.push(largest);
        }
    }
}
