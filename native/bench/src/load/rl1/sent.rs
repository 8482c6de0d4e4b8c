//! Packets that were sent: acknowledgements, round trips, losses and probes (rl1.md §5, §6). Leaner
//! than the document allows a sender to be: there is no rate control, because the schedule of a run says
//! when something is sent.

use std::collections::VecDeque;

use ggscale_rl1::distance;
use ggscale_rl1::header::Ack;

use super::outbox::Outbox;
use super::received::Received;

/// Numbers behind the largest acknowledged from which on a packet is lost.
const THRESHOLD: i16 = 3;
const GRANULARITY_US: u64 = 1_000;
const PROBE_US_MAX: u64 = 1_000_000;
/// Ack-only packets whose block is remembered.
const REMEMBERED: usize = 128;
/// Packets in flight after a probe that nobody has answered.
const PROBED_IN_FLIGHT: u32 = 10;
const NEVER_US: u64 = u64::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    InFlight,
    /// It did not ask for an acknowledgement.
    AckOnly,
    Lost,
    Done,
    Skipped,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    state: State,
    /// Of its ack block.
    largest: Option<u16>,
    sent_us: u64,
}

#[derive(Debug, Default)]
pub struct Sent {
    /// The number of the next packet; the newest of `packets` is the one before.
    next: u16,
    packets: VecDeque<Packet>,
    in_flight: u32,
    largest_acked: Option<u16>,
    srtt_us: u64,
    rttvar_us: u64,
    probes: u32,
    probed_us: u64,
    /// When a packet counts as lost that was overtaken.
    loss_due_us: Option<u64>,
    pub lost: u32,
}

impl Sent {
    pub fn new(first: u16) -> Self {
        Self {
            next: first,
            srtt_us: 100_000,
            rttvar_us: 50_000,
            ..Self::default()
        }
    }

    /// The next packet leaves; its number.
    pub fn push(&mut self, now_us: u64, asks: bool, largest: Option<u16>) -> u16 {
        let state = if asks {
            State::InFlight
        } else {
            State::AckOnly
        };
        self.in_flight += u32::from(asks);
        self.append(state, largest, now_us)
    }

    /// Leaves a number out.
    pub fn skip(&mut self) {
        self.append(State::Skipped, None, 0);
    }

    pub fn next(&self) -> u16 {
        self.next
    }

    fn append(&mut self, state: State, largest: Option<u16>, sent_us: u64) -> u16 {
        let number = self.next;
        self.packets.push_back(Packet {
            state,
            largest,
            sent_us,
        });
        self.next = number.wrapping_add(1);
        number
    }

    /// False when it names what was never sent.
    pub fn handle_ack(
        &mut self,
        ack: &Ack<'_>,
        now_us: u64,
        outbox: &mut Outbox,
        received: &mut Received,
    ) -> bool {
        let mut progress = false;
        for number in ack.named() {
            let behind = distance(self.next, number);
            if behind <= 0 {
                return false;
            }
            let index = self.packets.len().checked_sub(behind.unsigned_abs().into());
            let Some(packet) = index.and_then(|index| self.packets.get_mut(index)) else {
                continue;
            };
            let was = packet.state;
            match was {
                State::Skipped => return false,
                State::Done => continue,
                State::InFlight | State::AckOnly | State::Lost => packet.state = State::Done,
            }
            if let Some(largest) = packet.largest {
                received.raise_floor(largest);
            }
            if was == State::AckOnly {
                continue;
            }
            outbox.acked(number);
            progress = true;
            if was == State::InFlight {
                self.in_flight -= 1;
                if number == ack.largest && ack.delay != u8::MAX {
                    let sample = now_us.saturating_sub(packet.sent_us);
                    self.sample(sample, u64::from(ack.delay) * 256);
                }
            }
        }
        if progress {
            self.probes = 0;
            if self
                .largest_acked
                .is_none_or(|largest| distance(ack.largest, largest) > 0)
            {
                self.largest_acked = Some(ack.largest);
            }
            self.find_lost(now_us, outbox);
        }
        self.forget();
        true
    }

    fn sample(&mut self, sample_us: u64, delay_us: u64) {
        let adjusted = match sample_us.saturating_sub(delay_us) {
            0 => sample_us,
            adjusted => adjusted,
        };
        if self.srtt_us == 100_000 && self.rttvar_us == 50_000 {
            self.srtt_us = sample_us;
            self.rttvar_us = sample_us / 2;
            return;
        }
        let difference = self.srtt_us.abs_diff(adjusted);
        self.rttvar_us = (3 * self.rttvar_us + difference) / 4;
        self.srtt_us = (7 * self.srtt_us + adjusted) / 8;
    }

    fn find_lost(&mut self, now_us: u64, outbox: &mut Outbox) {
        self.loss_due_us = None;
        let Some(largest) = self.largest_acked else {
            return;
        };
        let wait_us = (self.srtt_us + self.srtt_us / 8).max(GRANULARITY_US);
        let mut number = self.next.wrapping_sub(self.packets.len() as u16);
        for packet in &mut self.packets {
            let behind = distance(largest, number);
            if behind <= 0 {
                return;
            }
            if packet.state == State::InFlight {
                if behind >= THRESHOLD || packet.sent_us + wait_us <= now_us {
                    packet.state = State::Lost;
                    self.in_flight -= 1;
                    self.lost += 1;
                    outbox.lost(number);
                } else {
                    let due_us = packet.sent_us + wait_us;
                    self.loss_due_us = Some(self.loss_due_us.map_or(due_us, |at| at.min(due_us)));
                }
            }
            number = number.wrapping_add(1);
        }
    }

    /// Packets of which nothing is to come. A lost one may still be acknowledged; it is not waited for.
    fn forget(&mut self) {
        while let Some(first) = self.packets.front() {
            let waits = match first.state {
                State::InFlight => true,
                State::AckOnly => self.packets.len() <= REMEMBERED,
                State::Lost | State::Done | State::Skipped => false,
            };
            if waits {
                return;
            }
            self.packets.pop_front();
        }
    }

    /// Whether new data may go: while nothing is acknowledged there are few packets in flight.
    pub fn has_room(&self) -> bool {
        self.probes == 0 || self.in_flight < PROBED_IN_FLIGHT
    }

    /// The loss timer or the probe timer.
    pub fn deadline_us(&self, peer_delay_us: u64) -> u64 {
        if self.in_flight == 0 {
            return NEVER_US;
        }
        if let Some(at_us) = self.loss_due_us {
            return at_us;
        }
        let oldest = self.packets.iter().find(|it| it.state == State::InFlight);
        let timeout_us = self.srtt_us + (4 * self.rttvar_us).max(GRANULARITY_US) + peer_delay_us;
        oldest.map_or(NEVER_US, |oldest| {
            oldest.sent_us.max(self.probed_us)
                + (timeout_us << self.probes.min(10)).min(PROBE_US_MAX)
        })
    }

    /// A timer fired. True when a probe is to be sent: something of the outbox, or PING.
    pub fn handle_timeout(&mut self, now_us: u64, peer_delay_us: u64, outbox: &mut Outbox) -> bool {
        if self.deadline_us(peer_delay_us) > now_us {
            return false;
        }
        if self.loss_due_us.is_some() {
            self.find_lost(now_us, outbox);
            self.forget();
            return false;
        }
        self.probes += 1;
        self.probed_us = now_us;
        outbox.probe();
        true
    }
}
