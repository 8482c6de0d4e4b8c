//! What a flow has to say: reliable messages of one channel until they are acknowledged, and sequenced
//! ones, which are said once.

use std::collections::VecDeque;

use crate::load::message::{Message, Shape};

/// The session's channel (docs/WIRE.md §2).
pub const CONTROL_CHANNEL: u8 = 31;
/// Modes of message frames: reliable ordered, unreliable sequenced.
const ORDERED: u8 = 3;
const SEQUENCED: u8 = 1;
/// Message frames of one packet; with control frames they stay below the 64 that a packet may have.
const FRAMES_MAX: usize = 56;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waits,
    /// In the packet of this number.
    Flies(u16),
    Acked,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    state: State,
    message: Message,
}

/// Reliable ordered messages of one channel.
#[derive(Debug, Default)]
struct Lane {
    channel: u8,
    /// Id of the first of `items`.
    first: u16,
    items: VecDeque<Item>,
    /// How many of the first were sent at least once.
    sent: usize,
    /// How many of those wait to be sent again.
    again: usize,
}

impl Lane {
    fn waits(&self, window: usize) -> bool {
        self.again > 0 || self.sent < self.items.len().min(window)
    }

    fn acked(&mut self, packet: u16) {
        for item in self.items.iter_mut().take(self.sent) {
            if item.state == State::Flies(packet) {
                item.state = State::Acked;
            }
        }
        while let Some(Item {
            state: State::Acked,
            ..
        }) = self.items.front()
        {
            self.items.pop_front();
            self.first = self.first.wrapping_add(1);
            self.sent -= 1;
        }
    }

    fn lost(&mut self, packet: u16) {
        for item in self.items.iter_mut().take(self.sent) {
            if item.state == State::Flies(packet) {
                item.state = State::Waits;
                self.again += 1;
            }
        }
    }
}

/// The frames of one packet as they are written.
pub struct Frames<'a> {
    pub out: &'a mut [u8],
    pub at: usize,
    /// First byte, and where the length stands, of the last message frame.
    last: Option<(usize, usize)>,
    count: usize,
}

impl<'a> Frames<'a> {
    pub fn new(out: &'a mut [u8], at: usize) -> Self {
        Self {
            out,
            at,
            last: None,
            count: 0,
        }
    }

    pub fn put(&mut self, bytes: &[u8]) {
        if let Some(room) = self.out.get_mut(self.at..self.at + bytes.len()) {
            room.copy_from_slice(bytes);
            self.at += bytes.len();
        }
    }

    /// A whole message; false when it does not fit.
    fn message(&mut self, mode: u8, channel: u8, id: u16, message: Message, shape: Shape) -> bool {
        let length = 1 + shape.body_bytes(message);
        if self.count == FRAMES_MAX || self.at + 6 + length > self.out.len() {
            return false;
        }
        let first = self.at;
        self.put(&[0x80 | mode << 3 | channel.min(7)]);
        if channel >= 7 {
            self.put(&[channel]);
        }
        self.put(&id.to_le_bytes());
        let length_at = self.at;
        if length < 0x80 {
            self.put(&[length as u8]);
        } else {
            self.put(&[length as u8 | 0x80, (length >> 7) as u8]);
        }
        let room = self.out.get_mut(self.at..).unwrap_or(&mut []);
        self.at += shape.write(message, room);
        self.last = Some((first, length_at));
        self.count += 1;
        true
    }

    /// The packet's length. The last message frame has no length: it ends with the packet.
    pub fn finish(self) -> usize {
        let Some((first, length_at)) = self.last else {
            return self.at;
        };
        let two = self.out.get(length_at).is_some_and(|byte| byte & 0x80 != 0);
        let data = length_at + if two { 2 } else { 1 };
        if let Some(byte) = self.out.get_mut(first) {
            *byte |= 0x20;
        }
        self.out.copy_within(data..self.at, length_at);
        self.at - (data - length_at)
    }
}

#[derive(Debug)]
pub struct Outbox {
    shape: Shape,
    reliable: Lane,
    /// Sequenced messages, and the id of the next.
    loose: VecDeque<Message>,
    loose_channel: u8,
    loose_id: u16,
    /// Reliable ids that the peer takes ahead of the oldest that it has not acknowledged.
    pub window: usize,
}

impl Outbox {
    pub fn new(shape: Shape, channel: u8, loose_channel: u8) -> Self {
        Self {
            shape,
            reliable: Lane {
                channel,
                ..Lane::default()
            },
            loose: VecDeque::new(),
            loose_channel,
            loose_id: 0,
            window: 512,
        }
    }

    pub fn push(&mut self, message: Message) {
        match message {
            Message::Echo { .. } => self.reliable.items.push_back(Item {
                state: State::Waits,
                message,
            }),
            Message::Input { .. } => self.loose.push_back(message),
        }
    }

    pub fn waits(&self) -> bool {
        !self.loose.is_empty() || self.reliable.waits(self.window)
    }

    pub fn acked(&mut self, packet: u16) {
        self.reliable.acked(packet);
    }

    pub fn lost(&mut self, packet: u16) {
        self.reliable.lost(packet);
    }

    /// The oldest reliable message that waits for its acknowledgement goes once more.
    pub fn probe(&mut self) {
        let lane = &mut self.reliable;
        let oldest = lane.items.iter_mut().take(lane.sent);
        if let Some(item) = oldest.into_iter().find(|it| it.state != State::Acked) {
            lane.again += usize::from(item.state != State::Waits);
            item.state = State::Waits;
        }
    }

    /// Writes what fits into the packet of this number.
    pub fn write(&mut self, packet: u16, frames: &mut Frames<'_>) {
        let shape = self.shape;
        if !self.write_reliable(packet, frames) {
            return;
        }
        while let Some(message) = self.loose.front() {
            let (channel, id) = (self.loose_channel, self.loose_id);
            if !frames.message(SEQUENCED, channel, id, *message, shape) {
                return;
            }
            self.loose_id = id.wrapping_add(1);
            self.loose.pop_front();
        }
    }

    /// False when the packet is full.
    fn write_reliable(&mut self, packet: u16, frames: &mut Frames<'_>) -> bool {
        let lane = &mut self.reliable;
        let from = if lane.again > 0 { 0 } else { lane.sent };
        let within = lane.items.iter_mut().take(self.window).enumerate();
        for (index, item) in within.skip(from) {
            if item.state != State::Waits {
                continue;
            }
            let id = lane.first.wrapping_add(index as u16);
            if !frames.message(ORDERED, lane.channel, id, item.message, self.shape) {
                return false;
            }
            item.state = State::Flies(packet);
            if index < lane.sent {
                lane.again -= 1;
            } else {
                lane.sent = index + 1;
            }
        }
        true
    }
}
