//! HELLO, ACCEPT, CONFIRM at the client.
//!
//! ```text
//!   None ──connected──▶ Offering ──ACCEPT──▶ Accepted ──first packet under new keys──▶ Confirmed
//!                          └──no answer──▶ None: plain netcode for good
//! ```
//! From ACCEPT on the client seals under the new key only, and opens under either; from the first
//! packet under the new key on, the token's opens nothing any more.

use super::Client;
use crate::drop_reason::DropReason;
use crate::event::CloseReason;
use crate::history::TokenTag;
use crate::limits::{
    ACCEPT_WAIT_US, DATAGRAM_BYTES_MAX, HELLOS_MAX, HELLO_INTERVAL_MAX_US, NX_PAYLOAD_BYTES_MAX,
    NX_REQUIRED_WAIT_US, PAYLOAD_BYTES_MAX, TAG_BYTES,
};
use crate::nx::control::{self, Accept, Control, Hello, FLAGS_NEEDED, FLAG_X25519};
use crate::nx::exchange::Exchange;
use crate::nx::keys::{Rekey, NONCE_BYTES};
use crate::nx::ClientNx;
use crate::prefix::Header;
use crate::replay::ReplayWindow;
use crate::seal::PacketKey;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Nx {
    None,
    Offering,
    Accepted,
    Confirmed,
}

pub(super) struct Offer {
    nonce: [u8; NONCE_BYTES],
    token_tag: TokenTag,
    exchange: Option<Exchange>,
    interval_us: u64,
    /// HELLOs while offering, CONFIRMs once accepted.
    sent: u8,
    next_us: u64,
    /// When the last HELLO was sent.
    hello_us: u64,
    /// A HELLO or CONFIRM waits to be polled.
    queued: bool,
    required_by_us: u64,
    /// The server's new key, once it has accepted, and its window.
    receive: Option<PacketKey>,
    /// What `Opened` will say, where it waits for the new keys.
    opened: Option<(u32, u32)>,
}

impl Client {
    /// Connected under the token's keys.
    pub(super) fn begin_offer(&mut self, client_index: u32, max_flows: u32) {
        let dial = self.dial.take();
        let opened = (client_index, max_flows);
        let (true, Some(mut dial)) = (self.nx_mode != ClientNx::Off, dial) else {
            return self.report_opened(client_index, max_flows);
        };
        let required = self.awaits_nx();
        let now_us = self.now_us;
        let token_tag = dial.token.private_data.last_chunk().copied();
        self.nx = Nx::Offering;
        self.offer = Some(Box::new(Offer {
            nonce: dial.random.bytes(),
            token_tag: token_tag.unwrap_or_default(),
            exchange: self.x25519.then(Exchange::new).flatten(),
            interval_us: dial.hello_interval_us(),
            sent: 0,
            next_us: now_us,
            hello_us: now_us,
            queued: true,
            required_by_us: if required {
                now_us + NX_REQUIRED_WAIT_US
            } else {
                u64::MAX
            },
            receive: None,
            opened: required.then_some(opened),
        }));
        if !required {
            self.report_opened(client_index, max_flows);
        }
    }

    pub(super) fn offer_due_us(&self) -> u64 {
        let offer = self.offer.as_ref();
        offer.map_or(u64::MAX, |offer| {
            let next_us = if offer.queued {
                u64::MAX
            } else {
                offer.next_us
            };
            next_us.min(offer.required_by_us)
        })
    }

    pub(super) fn run_offer_timer(&mut self) {
        let now_us = self.now_us;
        let Some(offer) = &mut self.offer else {
            return;
        };
        if offer.required_by_us <= now_us {
            self.counters.nx_required_closed += 1;
            return self.say_goodbye(CloseReason::NxRequired);
        }
        if offer.queued || offer.next_us > now_us {
            return;
        }
        if self.nx == Nx::Offering && offer.sent >= HELLOS_MAX {
            // Nobody there who knows NX. The server forgets an ACCEPT that was lost.
            self.nx = Nx::None;
            self.offer = None;
            return;
        }
        offer.queued = true;
    }

    /// The next HELLO or CONFIRM, if one waits.
    pub(super) fn take_offer(&mut self) -> Option<Control> {
        let now_us = self.now_us;
        let offer = self.offer.as_mut().filter(|offer| offer.queued)?;
        offer.queued = false;
        offer.sent = offer.sent.saturating_add(1);
        if self.nx == Nx::Accepted {
            // Every other packet confirms as well, so there is no hurry after some tries.
            let is_patient = offer.sent > HELLOS_MAX;
            offer.next_us = now_us
                + if is_patient {
                    HELLO_INTERVAL_MAX_US
                } else {
                    offer.interval_us
                };
            return Some(Control::Confirm);
        }
        let is_last = offer.sent >= HELLOS_MAX;
        let wait_us = if is_last {
            ACCEPT_WAIT_US
        } else {
            offer.interval_us
        };
        offer.next_us = now_us + wait_us;
        offer.hello_us = now_us;
        self.counters.hellos_out += 1;
        let x25519 = offer.exchange.as_ref().map(|exchange| *exchange.public());
        Some(Control::Hello(Hello {
            version: control::VERSION,
            flags: FLAGS_NEEDED | x25519.map_or(0, |_| FLAG_X25519),
            max_payload: PAYLOAD_BYTES_MAX as u16,
            nonce: offer.nonce,
            x25519,
        }))
    }

    pub(super) fn handle_accept(&mut self, accept: &Accept) -> Result<(), DropReason> {
        let unexpected = DropReason::ControlUnexpected;
        match self.nx {
            Nx::None => return Err(unexpected),
            // Sent again before the server heard that it had come.
            Nx::Accepted | Nx::Confirmed => return Ok(()),
            Nx::Offering => {}
        }
        let hello = &accept.hello;
        let now_us = self.now_us;
        let offer = self.offer.as_mut().ok_or(unexpected)?;
        // It may have lain in a socket while this host slept and our timers with it.
        if now_us.saturating_sub(offer.hello_us) > ACCEPT_WAIT_US {
            return Err(unexpected);
        }
        let speaks = hello.version == control::VERSION
            && hello.flags & FLAGS_NEEDED == FLAGS_NEEDED
            && usize::from(hello.max_payload) >= NX_PAYLOAD_BYTES_MAX
            && (hello.x25519.is_none() || offer.exchange.is_some());
        if !speaks {
            return Err(unexpected);
        }
        let exchange = offer.exchange.take();
        let shared = match (exchange, &hello.x25519) {
            (Some(ours), Some(theirs)) => Some(ours.agree(theirs).ok_or(unexpected)?),
            _ => None,
        };
        let keys = Rekey {
            client_nonce: &offer.nonce,
            server_nonce: &hello.nonce,
            client_to_server: self.send.key(),
            server_to_client: self.receive.key(),
            shared: shared.as_ref(),
            token_tag: &offer.token_tag,
            cid: &accept.cid,
        }
        .derive()
        .ok_or(unexpected)?;
        self.counters.accepts_in += 1;
        offer.receive = Some(keys.server_to_client);
        offer.sent = 0;
        offer.queued = true;
        self.send = keys.client_to_server;
        self.next_sequence = 0;
        self.cid = Some(accept.cid);
        self.nx = Nx::Accepted;
        Ok(())
    }

    /// Between ACCEPT and the server's first packet under the new key: that key first, then the
    /// token's. `true`: it was the new one.
    pub(super) fn open_during_switch(
        &mut self,
        header: &Header,
        datagram: &mut [u8],
    ) -> Result<(usize, bool), DropReason> {
        let offer = self.offer.as_ref().ok_or(DropReason::OpenFailed)?;
        let key = offer.receive.as_ref().ok_or(DropReason::OpenFailed)?;
        let sealed = datagram
            .get_mut(header.body..)
            .ok_or(DropReason::TooShort)?;
        // A failed open destroys the bytes.
        let mut copy = [0; DATAGRAM_BYTES_MAX + TAG_BYTES];
        let copy = copy.get_mut(..sealed.len()).ok_or(DropReason::TooLong)?;
        copy.copy_from_slice(sealed);
        if let Some(length) = self.cipher.open(key, header, sealed) {
            return Ok((length, true));
        }
        sealed.copy_from_slice(copy);
        if self.replay.is_replayed(header.sequence) {
            return Err(DropReason::Replayed);
        }
        let opened = self.cipher.open(&self.receive, header, sealed);
        opened
            .map(|length| (length, false))
            .ok_or(DropReason::OpenFailed)
    }

    /// The server has used the new keys.
    pub(super) fn confirm_nx(&mut self, first_sequence: u64) {
        let Some(mut offer) = self.offer.take() else {
            return;
        };
        let Some(receive) = offer.receive.take() else {
            return;
        };
        self.counts.began_at(first_sequence);
        self.receive = receive;
        self.replay = ReplayWindow::EMPTY;
        self.nx = Nx::Confirmed;
        self.counters.nx_confirmed += 1;
        if let Some((client_index, max_flows)) = offer.opened {
            self.report_opened(client_index, max_flows);
        }
    }
}
