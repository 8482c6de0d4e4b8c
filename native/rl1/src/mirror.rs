//! The far end of what this side sends: whether the packets that leave are such as the document allows.

use crate::delivery::Delivery;
use crate::frame::{self, Frame};
use crate::params::Limits;
use crate::reason::Reason;
use crate::received::Received;
use crate::{header, rule, Event};

/// The longest packet (rl1.md §3).
const PACKET_BYTES_MAX: usize = 1192;

/// Receives every packet that was sent, with the limits that the peer announced.
#[derive(Clone, Debug)]
pub struct Mirror {
    limits: Limits,
    received: Received,
    delivery: Delivery,
}

impl Mirror {
    #[must_use]
    pub fn new(limits: Limits, first_id: u16) -> Self {
        Self {
            limits,
            received: Received::default(),
            delivery: Delivery::new(limits.window, first_id),
        }
    }

    /// Why the peer would refuse the packet.
    pub fn take(&mut self, now_us: u64, payload: &[u8]) -> Result<Vec<Event>, &'static str> {
        if payload.len() > PACKET_BYTES_MAX {
            return Err("too long");
        }
        self.receive(now_us, payload).map_err(Reason::name)
    }

    fn receive(&mut self, now_us: u64, payload: &[u8]) -> Result<Vec<Event>, Reason> {
        let (header, body) = header::parse(payload)?;
        self.received.check(header.sequence)?;
        let frames = frame::parse_all(body, &self.limits)?;
        rule::check(&frames, &self.delivery, &self.limits, now_us)?;
        self.received.insert(header.sequence);
        let mut events = Vec::new();
        for frame in &frames {
            if let Frame::Message(message) = frame {
                self.delivery.apply(message, now_us, &mut events);
            }
        }
        Ok(events)
    }
}
