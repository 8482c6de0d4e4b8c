//! What became of the messages of a measured stretch.

use serde_json::{json, Map, Value};

use super::message::Heard;
use crate::histogram::Histogram;

/// How many of the newest numbers of a flow are told apart one by one.
const WINDOW: u32 = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    First,
    Again,
    NeverSent,
}

/// The numbers of one flow's messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Track {
    next: u32,
    /// One behind the newest that came.
    behind: u32,
    /// Bit i: `behind − 1 − i` came.
    came: u64,
}

impl Track {
    /// The number of the next message.
    pub fn take(&mut self) -> u32 {
        let seq = self.next;
        self.next = seq.wrapping_add(1);
        seq
    }

    pub fn arrived(&mut self, seq: u32) -> Arrival {
        if seq >= self.next {
            return Arrival::NeverSent;
        }
        if seq >= self.behind {
            let ahead = seq - self.behind + 1;
            self.came = if ahead < WINDOW {
                self.came << ahead
            } else {
                0
            } | 1;
            self.behind = seq + 1;
            return Arrival::First;
        }
        let back = self.behind - 1 - seq;
        if back >= WINDOW {
            return Arrival::First; // too old to tell
        }
        let bit = 1 << back;
        if self.came & bit != 0 {
            return Arrival::Again;
        }
        self.came |= bit;
        Arrival::First
    }
}

/// Of one measured stretch, and since the start where that is said.
#[derive(Default)]
pub struct Counts {
    pub offered: u64,
    pub delivered: u64,
    pub snapshots: u64,
    pub snapshots_missed: u64,
    pub snapshots_late: u64,
    pub game_events: u64,
    /// Since the start, whether measured or not.
    pub game_events_ever: u64,
    pub bulk_messages: u64,
    pub bulk_bytes: u64,
    pub rtt: Histogram,
    /// How much later than meant something was done.
    pub lag: Histogram,
    pub connect: Histogram,
    pub one_way: Histogram,
    pub event_one_way: Histogram,
    pub bulk_one_way: Histogram,
    /// Since the start: answers that came twice; that nobody waits for, or that say something else.
    pub duplicated: u64,
    pub strange: u64,
    pub lost_in_closed_loop: u64,
    /// Since the start: connections of a storm.
    pub visits: u64,
    pub visits_completed: u64,
    pub visits_failed: u64,
    /// Since the start: flows that the server, or a failure, ended.
    pub closed: u64,
}

impl Counts {
    /// Of whatever comes, also while nothing is measured.
    pub fn note(&mut self, heard: &Heard) {
        self.game_events_ever += u64::from(matches!(heard, Heard::GameEvent { .. }));
    }

    /// The figures since the last call; those of a stretch begin anew.
    pub fn take(&mut self) -> Map<String, Value> {
        let taken = json!({
            "offered": self.offered,
            "delivered": self.delivered,
            "lost": self.offered.saturating_sub(self.delivered),
            "duplicated": self.duplicated,
            "strange": self.strange,
            "lostInClosedLoop": self.lost_in_closed_loop,
            "closed": self.closed,
            "snapshots": {
                "received": self.snapshots,
                "missed": self.snapshots_missed,
                "late": self.snapshots_late,
            },
            "gameEvents": self.game_events,
            "gameEventsEver": self.game_events_ever,
            "bulk": { "messages": self.bulk_messages, "bytes": self.bulk_bytes },
            "storm": {
                "begun": self.visits,
                "completed": self.visits_completed,
                "failed": self.visits_failed,
            },
            "rttNs": self.rtt.take(),
            "lagNs": self.lag.take(),
            "connectNs": self.connect.take(),
            "oneWayNs": self.one_way.take(),
            "eventOneWayNs": self.event_one_way.take(),
            "bulkOneWayNs": self.bulk_one_way.take(),
        });
        self.offered = 0;
        self.delivered = 0;
        self.snapshots = 0;
        self.snapshots_missed = 0;
        self.snapshots_late = 0;
        self.game_events = 0;
        self.bulk_messages = 0;
        self.bulk_bytes = 0;
        match taken {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_arrives_first_once() {
        let mut track = Track::default();
        for _ in 0..200 {
            track.take();
        }
        for seq in [0, 2, 1, 70, 69, 199] {
            assert_eq!(track.arrived(seq), Arrival::First, "{seq}");
        }
        assert_eq!(track.arrived(199), Arrival::Again);
        track.take();
        assert_eq!(track.arrived(200), Arrival::First);
        assert_eq!(track.arrived(198), Arrival::First);
        assert_eq!(track.arrived(198), Arrival::Again);
        assert_eq!(track.arrived(201), Arrival::NeverSent);
    }
}
