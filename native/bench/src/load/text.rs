//! The messages as JSON: `{"type","payload"}` as a WebSocket of a GameServer has it (WIRE.md, messages.md),
//! the same text on every JSON wire. Read by looking for the fields; a text that is not what
//! `JSON.stringify` makes of the message is read by a JSON parser instead.

use std::io::Write;

use serde_json::Value;

use super::message::{is_text, pressed, value, Heard, Message, Shape};

pub fn write(shape: Shape, message: Message, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = match message {
        Message::Echo { seq, sent_us } => write_echo(shape.values, seq, sent_us, out),
        Message::Input { seq, sent_us } => write_input(shape.inputs, seq, sent_us, out),
    };
}

fn write_echo(values: u32, seq: u32, sent_us: u32, out: &mut Vec<u8>) -> std::io::Result<()> {
    out.extend_from_slice(br#"{"type":"Echo","payload":{"seq":"#);
    write!(out, r#"{seq},"sentUs":{sent_us},"values":["#)?;
    for index in 0..values {
        let comma = if index > 0 { "," } else { "" };
        write!(out, "{comma}{}", value(index))?;
    }
    out.extend_from_slice(b"]}}");
    Ok(())
}

fn write_input(inputs: u32, seq: u32, sent_us: u32, out: &mut Vec<u8>) -> std::io::Result<()> {
    out.extend_from_slice(br#"{"type":"Input","payload":{"inputs":["#);
    for back in 0..inputs {
        let seq = seq.saturating_sub(back);
        let (actions, direction) = pressed(seq);
        if back > 0 {
            out.push(b',');
        }
        let client_ms = sent_us / 1000;
        write!(
            out,
            r#"{{"seq":{seq},"clientMs":{client_ms},"actions":{actions},"direction":{direction}}}"#
        )?;
    }
    out.extend_from_slice(b"]}}");
    Ok(())
}

/// What a frame says.
pub fn read(text: &[u8]) -> Heard {
    let Some(rest) = text.strip_prefix(br#"{"type":""#) else {
        return read_any(text);
    };
    let name = rest.split(|byte| *byte == b'"').next().unwrap_or(&[]);
    let payload = rest
        .get(name.len()..)
        .and_then(|rest| rest.strip_prefix(br#"","payload":{"#));
    let heard = match (name, payload) {
        (b"Echo", Some(payload)) => read_echo(payload),
        (b"Bulk", Some(payload)) => read_bulk(payload, text.len()),
        (b"Snapshot", Some(payload)) => read_snapshot(payload),
        (b"GameEvent", Some(payload)) => {
            field(payload, br#""tick":"#).map(|(tick, _)| Heard::GameEvent { tick })
        }
        (b"$hello", _) => Some(Heard::Hello),
        ([b'$', ..], _) => Some(Heard::Quiet),
        _ => None,
    };
    heard.unwrap_or_else(|| read_any(text))
}

/// `"seq":n,"sentUs":n,"values":[…]}}`
fn read_echo(payload: &[u8]) -> Option<Heard> {
    let (seq, sent_us, rest) = read_numbers(payload)?;
    let values = rest.strip_prefix(br#","values":["#)?.strip_suffix(b"]}}")?;
    let size = count_values(values)?;
    Some(Heard::Echo { seq, sent_us, size })
}

/// `"seq":n,"sentUs":n,"text":"…"}}`
fn read_bulk(payload: &[u8], bytes: usize) -> Option<Heard> {
    let (seq, sent_us, rest) = read_numbers(payload)?;
    let text = rest
        .strip_prefix(br#","text":""#)?
        .strip_suffix(br#""}}"#)?;
    is_text(text, 0).then_some(Heard::Bulk {
        seq,
        sent_us,
        bytes: bytes as u32,
    })
}

fn read_numbers(payload: &[u8]) -> Option<(u32, u32, &[u8])> {
    let (seq, rest) = field(payload, br#""seq":"#)?;
    let (sent_us, rest) = field(rest, br#","sentUs":"#)?;
    Some((seq, sent_us, rest))
}

/// Three digits each, a comma between them; None when one of them is another number.
fn count_values(list: &[u8]) -> Option<u32> {
    let mut count = 0;
    for digits in list.split(|byte| *byte == b',') {
        let number: u32 = std::str::from_utf8(digits).ok()?.parse().ok()?;
        if number != value(count) {
            return None;
        }
        count += 1;
    }
    Some(count)
}

fn read_snapshot(payload: &[u8]) -> Option<Heard> {
    let (tick, rest) = field(payload, br#""tick":"#)?;
    let (ack_seq, rest) = field(rest, br#","ackSeq":"#)?;
    let (_, rest) = field(rest, br#","matchState":"#)?;
    let (stamp_us, _) = field(rest, br#","timeRemainingMs":"#)?;
    Some(Heard::Snapshot {
        tick,
        ack_seq,
        stamp_us,
    })
}

/// The whole number behind a name, and what follows it.
fn field<'a>(text: &'a [u8], name: &[u8]) -> Option<(u32, &'a [u8])> {
    let rest = text.strip_prefix(name)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at_checked(digits)?;
    let value = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((value, rest))
}

/// Any order of fields, any spaces.
fn read_any(text: &[u8]) -> Heard {
    let Ok(told) = serde_json::from_slice::<Value>(text) else {
        return Heard::Strange;
    };
    let field = |name: &str| told.get("payload").and_then(|it| it.get(name));
    let number = |name: &str| field(name).and_then(Value::as_u64).unwrap_or(0) as u32;
    let count_values = || {
        let values = field("values").and_then(Value::as_array)?;
        let mut numbers = values.iter().map(Value::as_u64).zip(0..);
        let are_same = numbers.all(|(number, index)| number == Some(u64::from(value(index))));
        are_same.then_some(values.len() as u32)
    };
    let is_text = || {
        let text = field("text").and_then(Value::as_str);
        text.is_some_and(|text| is_text(text.as_bytes(), 0))
    };
    let (seq, sent_us) = (number("seq"), number("sentUs"));
    match told.get("type").and_then(Value::as_str) {
        Some("Echo") => match count_values() {
            Some(size) => Heard::Echo { seq, sent_us, size },
            None => Heard::Strange,
        },
        Some("Bulk") if is_text() => Heard::Bulk {
            seq,
            sent_us,
            bytes: text.len() as u32,
        },
        Some("Snapshot") => Heard::Snapshot {
            tick: number("tick"),
            ack_seq: number("ackSeq"),
            stamp_us: number("timeRemainingMs"),
        },
        Some("GameEvent") => Heard::GameEvent {
            tick: number("tick"),
        },
        Some("Bulk") | None => Heard::Strange,
        // The other messages of the game.
        Some(_) => Heard::Quiet,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape {
        values: 16,
        inputs: 2,
    };

    #[test]
    fn an_echo_is_read_in_any_order_and_refused_with_other_values() {
        let echo = Message::Echo {
            seq: 7,
            sent_us: u32::MAX,
        };
        let mut frame = Vec::new();
        write(SHAPE, echo, &mut frame);
        let heard = Heard::Echo {
            seq: 7,
            sent_us: u32::MAX,
            size: SHAPE.values,
        };
        assert_eq!(read(&frame), heard);
        let value: Value = serde_json::from_slice(&frame).unwrap();
        let spaced = serde_json::to_vec_pretty(&value).unwrap();
        assert_eq!(read(&spaced), heard);
        let other = String::from_utf8(frame).unwrap().replace("[100,", "[101,");
        assert_eq!(read(other.as_bytes()), Heard::Strange);
        let none = br#"{"payload":{"values":[],"seq":7,"sentUs":1},"type":"Echo"}"#;
        let short = Heard::Echo {
            seq: 7,
            sent_us: 1,
            size: 0,
        };
        assert_eq!(read(none), short, "told apart by its count");
        assert_eq!(read(b"{"), Heard::Strange);
    }

    #[test]
    fn an_input_is_json() {
        let mut frame = Vec::new();
        let input = Message::Input {
            seq: 30,
            sent_us: 5_000,
        };
        write(SHAPE, input, &mut frame);
        let value: Value = serde_json::from_slice(&frame).unwrap();
        let inputs = value["payload"]["inputs"].as_array().unwrap();
        assert_eq!(inputs.len(), 2);
        assert_eq!(inputs[1]["seq"], 29);
        assert_eq!(inputs[0]["clientMs"], 5);
        assert_eq!(inputs[0]["direction"], 0);
        assert_eq!(inputs[1]["direction"], -1);
    }
}
