//! What the load's engine knows of a wire.

use std::io;
use std::os::fd::RawFd;

use ggscale_transport_core::Clock;
use serde_json::{json, Value};

use super::message::{Heard, Message};

/// One reading of the clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub ns: u64,
    /// As protocols see it: it stands still while the load is paused, so that no timer is overdue
    /// afterwards.
    pub clock: Clock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Opened,
    /// By the server, or because it could not be opened.
    Closed,
    Heard(Heard),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub flow: u32,
    pub what: What,
}

impl Event {
    pub fn heard(flow: u32, heard: Heard) -> Self {
        let what = What::Heard(heard);
        Self { flow, what }
    }
}

/// What went over the wire since the start, headers of IP and UDP or TCP included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub packets_out: u64,
    pub bytes_out: u64,
    pub packets_in: u64,
    pub bytes_in: u64,
}

impl Traffic {
    pub fn add(&mut self, other: Self) {
        self.packets_out += other.packets_out;
        self.bytes_out += other.bytes_out;
        self.packets_in += other.packets_in;
        self.bytes_in += other.bytes_in;
    }

    pub fn json(&self) -> Value {
        json!({
            "packetsOut": self.packets_out,
            "bytesOut": self.bytes_out,
            "packetsIn": self.packets_in,
            "bytesIn": self.bytes_in,
        })
    }
}

/// All flows of the load on one wire. Nothing here waits: `turn` does what there is to do.
pub trait Wire {
    /// Whether flows must be opened with `begin` first.
    fn connects(&self) -> bool {
        true
    }

    /// Whether flows go on while nothing is measured: the server's clock does. Else the clock of the flows
    /// stands still, as that of the native servers does.
    fn rests(&self) -> bool {
        true
    }

    /// Whether what is lost stays lost: then a closed loop goes on without it.
    fn loses(&self) -> bool;

    /// Begins to open a flow; `Opened` or `Closed` follows.
    fn begin(&mut self, now: Now, flow: u32) -> io::Result<()>;

    /// Says goodbye; `Closed` follows.
    fn end(&mut self, now: Now, flow: u32);

    /// Takes a message; it leaves with `flush` at the latest. False when the flow cannot take any.
    fn send(&mut self, now: Now, flow: u32, message: Message) -> bool;

    /// Receives what there is (at most a batch of each socket) and does what is due.
    fn turn(&mut self, now: Now, events: &mut Vec<Event>);

    /// Sends what waits.
    fn flush(&mut self, now: Now);

    /// From now on nothing is read for this flow.
    fn stall(&mut self, flow: u32);

    fn traffic(&mut self) -> Traffic;

    /// More figures for a mark.
    fn figures(&mut self) -> Vec<(&'static str, Value)>;

    /// What becomes readable when there is something to do.
    fn fds(&self) -> Vec<RawFd>;
}
