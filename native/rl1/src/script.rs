//! The line protocol of the `ggscale-rl1` program: a fuzzer's record in, this receiver's opinion out.
//!
//! ```text
//! flow SIDE CHANNELS PARTIALS WINDOW UNRELIABLE RELIABLE BUDGET FIRST   a new flow: client or server
//! time US                                                         µs since the flow began, never back
//! in HEX           a payload that came    ▸ accept | REASON, then ` | EVENT` for each event
//! sent HEX         a payload that left    ▸ ok | wrong ack block: WHY | wrong packet: REASON
//! close            this side closes
//! sync                                    ▸ sync, flushed
//! ```
//!
//! After `undecided` the document leaves the answer to the sender, and so do all that follow in that flow. Events are `ready`, `raw BYTES`,
//! `message CHANNEL MODE ID BYTES`, `closed CODE BYTES`, `violation REASON`; BYTES is the length and
//! the FNV-1a hash (32 bits, hex) of bytes.

use crate::mirror::Mirror;
use crate::params::MAGIC;
use crate::{header, Event, Limits, Receiver, Side};
use std::fmt::Write;

/// How many numbers behind the next every sender knows what it left out.
const SKIPS_KNOWN: u16 = 8;

#[derive(Default)]
pub struct Script {
    flow: Option<Receiver>,
    first_id: u16,
    /// Once the peer's limits are known.
    mirror: Option<Mirror>,
    now_us: u64,
    payload: Vec<u8>,
    events: Vec<Event>,
}

impl Script {
    /// Answers one line, appending to `output`; an error is a mistake of the script.
    pub fn line(&mut self, line: &str, output: &mut String) -> Result<(), String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "flow" => {
                let (flow, first_id) = parse_flow(rest)?;
                self.flow = Some(flow);
                self.first_id = first_id;
                self.mirror = None;
            }
            "close" => self.flow.iter_mut().for_each(Receiver::close),
            "time" => self.now_us = rest.parse().map_err(|_| format!("bad time {rest}"))?,
            "in" => self.handle(rest, output)?,
            "sent" => self.note_sent(rest, output)?,
            "sync" => output.push_str("sync\n"),
            _ => return Err(format!("unknown word {word}")),
        }
        Ok(())
    }

    fn handle(&mut self, hex: &str, output: &mut String) -> Result<(), String> {
        let Some(flow) = self.flow.as_mut() else {
            output.push_str("undecided\n");
            return Ok(());
        };
        decode_hex(hex, &mut self.payload)?;
        self.events.clear();
        if flow.is_doubtful(&self.payload, SKIPS_KNOWN) {
            self.flow = None;
            output.push_str("undecided\n");
            return Ok(());
        }
        let verdict = flow.handle(self.now_us, &self.payload, &mut self.events);
        if self.mirror.is_none() {
            let limits = flow.peer().map(|params| params.limits);
            self.mirror = limits.map(|limits| Mirror::new(limits, self.first_id));
        }
        output.push_str(verdict.err().map_or("accept", |reason| reason.name()));
        for event in &self.events {
            output.push_str(" | ");
            describe(event, output);
        }
        output.push('\n');
        Ok(())
    }

    fn note_sent(&mut self, hex: &str, output: &mut String) -> Result<(), String> {
        let Some(flow) = self.flow.as_mut() else {
            output.push_str("undecided\n");
            return Ok(());
        };
        decode_hex(hex, &mut self.payload)?;
        if self.payload.starts_with(MAGIC) {
            output.push_str("ok\n");
            return Ok(());
        }
        let (header, _) = header::parse(&self.payload).map_err(|reason| reason.name())?;
        match flow.received().judge(header.ack.as_ref()) {
            Err(why) => {
                let _ = writeln!(output, "wrong ack block: {why}");
            }
            Ok(()) => match self
                .mirror
                .as_mut()
                .map(|end| end.take(self.now_us, &self.payload))
            {
                Some(Err(reason)) => {
                    let _ = writeln!(output, "wrong packet: {reason}");
                }
                Some(Ok(_)) | None => output.push_str("ok\n"),
            },
        }
        flow.note_sent(header.sequence, header.ack.map(|ack| ack.largest));
        Ok(())
    }
}

fn parse_flow(rest: &str) -> Result<(Receiver, u16), String> {
    let wrong = || format!("bad flow {rest}");
    let mut words = rest.split(' ');
    let side = match words.next() {
        Some("client") => Side::Client,
        Some("server") => Side::Server,
        _ => return Err(wrong()),
    };
    let mut number = || words.next().and_then(|word| word.parse::<u32>().ok());
    let limits = (|| {
        Some(Limits {
            channels: number()?.try_into().ok()?,
            partials: number()?.try_into().ok()?,
            window: number()?.try_into().ok()?,
            unreliable_bytes: number()?.try_into().ok()?,
            reliable_bytes: number()?,
            budget_bytes: number()?,
        })
    })();
    let limits = limits.ok_or_else(wrong)?;
    let first_id = number().and_then(|first| first.try_into().ok());
    let first_id = first_id.ok_or_else(wrong)?;
    Ok((Receiver::new(side, limits, first_id), first_id))
}

fn describe(event: &Event, output: &mut String) {
    let _ = match event {
        Event::Ready => write!(output, "ready"),
        Event::Raw(bytes) => write!(output, "raw {}", digest(bytes)),
        Event::Message {
            channel,
            mode,
            id,
            data,
        } => write!(
            output,
            "message {channel} {} {id} {}",
            mode.bits(),
            digest(data)
        ),
        Event::Closed { code, reason } => {
            write!(output, "closed {code} {}", digest(reason.as_bytes()))
        }
        Event::Violation(reason) => write!(output, "violation {reason}"),
    };
}

/// Length and FNV-1a hash.
fn digest(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    });
    format!("{}:{hash:08x}", bytes.len())
}

/// Replaces `bytes` by what `hex` says.
pub fn decode_hex(hex: &str, bytes: &mut Vec<u8>) -> Result<(), String> {
    bytes.clear();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    for pair in hex.as_bytes().chunks(2) {
        let [high, low] = pair else {
            return Err("odd number of digits".to_owned());
        };
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else {
            return Err(format!("not hexadecimal: {hex}"));
        };
        bytes.push((high * 16 + low) as u8);
    }
    Ok(())
}
