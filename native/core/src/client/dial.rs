//! What a client needs until it is connected, and no longer.

use zeroize::Zeroize;

use crate::limits::{CHALLENGE_BODY_BYTES, HELLO_INTERVAL_MAX_US, HELLO_INTERVAL_MIN_US};
use crate::random::Random;
use crate::token::PublicToken;

pub(super) struct Dial {
    pub token: PublicToken,
    pub random: Random,
    pub server_index: usize,
    pub challenge: [u8; CHALLENGE_BODY_BYTES],
    pub started_us: u64,
    /// When this stage was first sent; its answer gives an upper bound of the round trip.
    pub stage_sent_us: Option<u64>,
    /// The least of these bounds.
    pub rtt_us: u64,
}

impl Dial {
    pub fn new(token: PublicToken, random: Random, now_us: u64) -> Self {
        Self {
            token,
            random,
            server_index: 0,
            challenge: [0; CHALLENGE_BODY_BYTES],
            started_us: now_us,
            stage_sent_us: None,
            rtt_us: u64::MAX,
        }
    }

    /// The answer to a stage has come: the next one begins.
    pub fn end_stage(&mut self, now_us: u64) {
        if let Some(sent_us) = self.stage_sent_us.take() {
            self.rtt_us = self.rtt_us.min(now_us.saturating_sub(sent_us));
        }
    }

    /// max(100 ms, 2 RTT), and not so far apart that a few losses look like silence.
    pub fn hello_interval_us(&self) -> u64 {
        self.rtt_us
            .saturating_mul(2)
            .clamp(HELLO_INTERVAL_MIN_US, HELLO_INTERVAL_MAX_US)
    }

    /// The attempt as a whole lasts no longer than the token does; measured on our own clock, since
    /// the backend's may be set differently.
    pub fn expires_us(&self) -> u64 {
        let lifetime_s = self
            .token
            .expire_timestamp
            .saturating_sub(self.token.create_timestamp);
        self.started_us
            .saturating_add(lifetime_s.saturating_mul(1_000_000))
    }
}

impl Drop for Dial {
    fn drop(&mut self) {
        self.challenge.zeroize();
    }
}
