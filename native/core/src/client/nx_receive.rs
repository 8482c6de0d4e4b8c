//! Control packets from the server.

use super::negotiate::Nx;
use super::{Client, State};
use crate::bytes::Writer;
use crate::drop_reason::DropReason;
use crate::event::{CloseReason, Received};
use crate::nx::control::{Control, Controls};
use crate::nx::{ClientNx, CID_BYTES};

/// Challenges that may wait for their answer: those of the old and of the new path.
const CHALLENGES_MAX: usize = 2;
/// Two PATH_RESPONSE and a RETIRE_CID.
const ANSWER_BYTES_MAX: usize = CHALLENGES_MAX * (2 + 8) + 2 + 4;

/// What the server is waiting to hear.
#[derive(Default)]
pub(super) struct Answers {
    challenges: [Option<[u8; 8]>; CHALLENGES_MAX],
    retire: bool,
}

impl Answers {
    pub fn are_waiting(&self) -> bool {
        self.retire || self.challenges.iter().any(Option::is_some)
    }

    /// The latest ones; more than these nobody waits for any longer.
    fn push(&mut self, challenge: [u8; 8]) {
        self.challenges.rotate_right(1);
        if let Some(first) = self.challenges.first_mut() {
            *first = Some(challenge);
        }
    }
}

impl Client {
    pub(super) fn handle_control(&mut self, body: &[u8]) -> Result<Received, DropReason> {
        let is_dialling = self.state != State::Connected;
        if self.nx_mode == ClientNx::Off || (!is_dialling && self.nx == Nx::None) {
            return Err(DropReason::UnknownType);
        }
        let controls = match Controls::read(body) {
            Err(DropReason::ControlUnknown) if !is_dialling => {
                self.say_goodbye(CloseReason::NxViolation);
                return Err(DropReason::ControlUnknown);
            }
            controls => controls?,
        };
        for control in controls {
            match control {
                // While connected: why the disconnect that follows.
                Control::Refused(refusal) => {
                    self.counters.refusals_in += 1;
                    self.refusal = Some(refusal);
                }
                _ if is_dialling => return Err(DropReason::ControlUnexpected),
                Control::Accept(accept) => self.handle_accept(&accept)?,
                Control::NewCid { number, cid } if self.nx == Nx::Confirmed => {
                    self.handle_new_cid(number, cid);
                }
                Control::PathChallenge(data) if self.nx == Nx::Confirmed => {
                    self.counters.path_challenges_in += 1;
                    self.answers.push(data);
                }
                _ => return Err(DropReason::ControlUnexpected),
            }
        }
        Ok(Received::Consumed)
    }

    /// The server gives a new one only after the last has been used, so numbers only grow; one that
    /// comes late must not bring an old id back.
    fn handle_new_cid(&mut self, number: u32, cid: [u8; CID_BYTES]) {
        if number < self.cid_number {
            return;
        }
        if number > self.cid_number {
            self.cid_number = number;
            self.cid = Some(cid);
            self.counters.new_cids_in += 1;
        }
        self.answers.retire = true;
    }

    pub(super) fn write_answers(&mut self, out: &mut [u8]) -> Option<usize> {
        let answers = core::mem::take(&mut self.answers);
        let mut room = [0; ANSWER_BYTES_MAX];
        let mut writer = Writer::new(&mut room);
        for data in answers.challenges.into_iter().flatten() {
            Control::PathResponse(data).write(&mut writer)?;
            self.counters.path_responses_out += 1;
        }
        if answers.retire {
            let number = self.cid_number;
            Control::RetireCid { number }.write(&mut writer)?;
        }
        let length = writer.written();
        self.write_control_packet(room.get(..length)?, out)
    }
}
