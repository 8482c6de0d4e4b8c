//! One flow: payloads in, events out (rl1.md §1 to §9).

use crate::delivery::Delivery;
use crate::event::Event;
use crate::frame::{self, Frame};
use crate::header::{self, Ack, Header};
use crate::params::{self, Limits, Params, Side};
use crate::reason::Reason;
use crate::received::Received;
use crate::rule;
use crate::sent::{Claim, Sent};

const VIOLATIONS_MAX: u8 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A server that has taken nothing.
    Undecided,
    Raw,
    Rl1,
    Ended,
}

/// Invariant: a payload that is refused changes nothing but `violations`, and `kind` if it ends the flow.
#[derive(Clone, Debug)]
pub struct Receiver {
    side: Side,
    limits: Limits,
    kind: Kind,
    peer: Option<Params>,
    received: Received,
    sent: Sent,
    delivery: Delivery,
    violations: u8,
}

impl Receiver {
    /// `limits` are those of this side's own PARAMS; `first_id` is 0, but in tests of the wrap.
    #[must_use]
    pub fn new(side: Side, limits: Limits, first_id: u16) -> Self {
        Self {
            side,
            limits,
            kind: match side {
                Side::Client => Kind::Rl1,
                Side::Server => Kind::Undecided,
            },
            peer: None,
            received: Received::default(),
            sent: Sent::default(),
            delivery: Delivery::new(limits.window, first_id),
            violations: 0,
        }
    }

    #[must_use]
    pub fn peer(&self) -> Option<&Params> {
        self.peer.as_ref()
    }

    #[must_use]
    pub fn received(&self) -> &Received {
        &self.received
    }

    #[must_use]
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// A packet of this side left. Its number and its ack block matter for later acknowledgements.
    pub fn note_sent(&mut self, number: u16, largest: Option<u16>) {
        self.sent.push(number, largest);
    }

    /// This side closes.
    pub fn close(&mut self) {
        self.kind = Kind::Ended;
    }

    /// Takes one payload, at a time in µs that never goes back. What it caused is appended to `events`.
    pub fn handle(
        &mut self,
        now_us: u64,
        payload: &[u8],
        events: &mut Vec<Event>,
    ) -> Result<(), Reason> {
        let is_params = payload.starts_with(params::MAGIC);
        match self.kind {
            Kind::Ended => Err(Reason::FlowClosed),
            Kind::Undecided | Kind::Rl1 if is_params => self.handle_params(payload, events),
            Kind::Raw | Kind::Undecided => {
                self.kind = Kind::Raw;
                events.push(Event::Raw(payload.to_vec()));
                Ok(())
            }
            Kind::Rl1 if self.peer.is_none() => Err(Reason::BeforeParams),
            Kind::Rl1 => self.handle_packet(now_us, payload, events),
        }
    }

    fn handle_params(&mut self, payload: &[u8], events: &mut Vec<Event>) -> Result<(), Reason> {
        let other = match self.side {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        };
        let params = params::parse(payload, other)?;
        self.kind = Kind::Rl1;
        if self.peer.is_none() {
            self.peer = Some(params);
            events.push(Event::Ready);
        }
        Ok(())
    }

    fn handle_packet(
        &mut self,
        now_us: u64,
        payload: &[u8],
        events: &mut Vec<Event>,
    ) -> Result<(), Reason> {
        let (header, body) = header::parse(payload)?;
        self.received.check(header.sequence)?;
        let frames = frame::parse_all(body, &self.limits)?;
        let claims = |this: &Self, wrong: fn(Claim) -> bool| {
            let ack = header.ack.as_ref();
            ack.is_some_and(|ack| ack.named().any(|number| wrong(this.sent.claim(number))))
        };
        if claims(self, |claim| claim == Claim::NeverSent) {
            return Err(self.end(Reason::AckNeverSent, events));
        }
        rule::check(&frames, &self.delivery, &self.limits, now_us)
            .inspect_err(|reason| self.count_violation(*reason, events))?;
        if claims(self, |claim| matches!(claim, Claim::Skipped(_))) {
            return Err(self.end(Reason::AckNeverSent, events));
        }
        if let Some(ack) = &header.ack {
            self.apply_ack(ack);
        }
        self.received.insert(header.sequence);
        for frame in &frames {
            match frame {
                Frame::Message(message) => self.delivery.apply(message, now_us, events),
                Frame::Close { code, reason } => {
                    events.push(Event::Closed {
                        code: *code,
                        reason: (*reason).to_owned(),
                    });
                    self.kind = Kind::Ended;
                    break;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether the only numbers this payload cannot name were skipped more than `behind` ago. A sender
    /// without packets in flight need not know of them any more (rl1.md §5).
    #[must_use]
    pub fn is_doubtful(&self, payload: &[u8], behind: u16) -> bool {
        let Ok((Header { ack: Some(ack), .. }, _)) = header::parse(payload) else {
            return false;
        };
        let claims = || ack.named().map(|number| self.sent.claim(number));
        let long_ago = |claim| matches!(claim, Claim::Skipped(ago) if ago > behind);
        let for_certain = |claim| match claim {
            Claim::NeverSent => true,
            Claim::Skipped(ago) => ago <= behind,
            Claim::Sent(_) | Claim::TooOld => false,
        };
        claims().any(long_ago) && !claims().any(for_certain)
    }

    /// The peer has what the packets it names told it.
    fn apply_ack(&mut self, ack: &Ack<'_>) {
        for number in ack.named() {
            if let Claim::Sent(Some(largest)) = self.sent.claim(number) {
                self.received.raise_floor(largest);
            }
        }
    }

    fn count_violation(&mut self, reason: Reason, events: &mut Vec<Event>) {
        if reason != Reason::SenderRule {
            return;
        }
        self.violations += 1;
        if self.violations == VIOLATIONS_MAX {
            self.end(reason, events);
        }
    }

    fn end(&mut self, reason: Reason, events: &mut Vec<Event>) -> Reason {
        self.kind = Kind::Ended;
        events.push(Event::Violation(reason.name()));
        reason
    }
}
