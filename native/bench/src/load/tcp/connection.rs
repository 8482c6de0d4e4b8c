//! One connection: what it takes from its stream.

use std::io;

use super::stream::Stream;
use super::{http, websocket};
use crate::load::message::Heard;
use crate::load::text;
use crate::load::wire::{Event, What};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The upgrade is on its way.
    Upgrades,
    /// A GameServer says `$hello` first.
    AwaitsHello,
    Open,
}

pub struct Connection {
    pub stream: Stream,
    pub stage: Stage,
    pub is_dirty: bool,
    /// Game frames that came, and how many of them were acknowledged.
    pub frames: u32,
    pub acked: u32,
    pub owes_ack: bool,
    /// A goodbye was said.
    pub ends: bool,
}

impl Connection {
    /// True when there may be more.
    pub fn take_frame(
        &mut self,
        flow: u32,
        has_session: bool,
        events: &mut Vec<Event>,
    ) -> io::Result<bool> {
        if self.stage == Stage::Upgrades {
            let Some(used) = websocket::take_upgrade(self.stream.input())? else {
                return Ok(false);
            };
            self.stream.consume(used);
            self.stage = Stage::AwaitsHello;
            if !has_session {
                self.stage = Stage::Open;
                let what = What::Opened;
                events.push(Event { flow, what });
            }
            return Ok(true);
        }
        let Some(frame) = websocket::take_frame(self.stream.input())? else {
            return Ok(false);
        };
        let used = frame.used;
        match frame.opcode {
            websocket::TEXT => {
                let heard = text::read(frame.payload);
                let is_own = frame.payload.starts_with(br#"{"type":"$"#);
                self.frames += u32::from(!is_own);
                match heard {
                    Heard::Hello if self.stage == Stage::AwaitsHello => {
                        self.stage = Stage::Open;
                        let what = What::Opened;
                        events.push(Event { flow, what });
                    }
                    Heard::Quiet | Heard::Hello => {}
                    other => events.push(Event::heard(flow, other)),
                }
            }
            websocket::PING => {
                let payload = frame.payload.to_vec();
                websocket::write_frame(
                    self.stream.output(),
                    websocket::PONG,
                    0x5a5a_5a5a,
                    &payload,
                );
            }
            websocket::PONG => {}
            websocket::CLOSE => self.stream.is_ended = true,
            _ => events.push(Event::heard(flow, Heard::Strange)),
        }
        self.stream.consume(used);
        Ok(true)
    }

    pub fn take_response(&mut self, flow: u32, events: &mut Vec<Event>) -> io::Result<bool> {
        let Some(response) = http::take_response(self.stream.input())? else {
            return Ok(false);
        };
        let heard = match response.status {
            200 => text::read(response.body),
            _ => Heard::Strange,
        };
        let used = response.used;
        events.push(Event::heard(flow, heard));
        self.stream.consume(used);
        Ok(true)
    }
}
