//! How datagrams get from one end to the other, and what must hold whatever is said on the way:
//!
//! - the server's invariants, and counters that count each datagram once;
//! - a payload comes out at most once, as it was sealed, from a flow that is open;
//! - an address that has not proved itself gets no more bytes than came from it, thrice as many where
//!   an NX client may be on its way to it;
//! - each flow opens once and closes at most once, and nothing is heard of it before or after.

use std::net::SocketAddr;

use ggscale_transport_core::{Event, Path, Received, DATAGRAM_BYTES_MAX};

use super::tokens::{server_address, COUNT};
use super::world::{from_server, Datagram, World};

/// Datagrams that can be replayed: the newest.
const CAPTURED_MAX: usize = 16;
/// Round trips until everything is said.
const ROUNDS: usize = 16;

impl World {
    pub(super) fn captured(&self, which: usize) -> Option<Datagram> {
        let count = self.captured.len();
        // The newest first: these are what an input can know of.
        let index = count.checked_sub(1 + which % count.max(1))?;
        self.captured.get(index).cloned()
    }

    pub(super) fn capture(&mut self, client: SocketAddr, to_server: bool, bytes: &[u8]) {
        if self.captured.len() == CAPTURED_MAX {
            self.captured.remove(0);
        }
        self.captured.push(Datagram {
            client,
            to_server,
            bytes: bytes.to_vec(),
        });
    }

    /// Carries what waits, until nothing does.
    pub(super) fn pump(&mut self) {
        let mut out = [0; DATAGRAM_BYTES_MAX];
        for _ in 0..ROUNDS {
            let mut was_quiet = true;
            let clock = self.clock();
            self.hear_server();
            while let Some(transmit) = self.server.poll_transmit(clock, &mut out) {
                was_quiet = false;
                self.carry_down(transmit.path.remote, out[..transmit.length].to_vec());
            }
            for who in 0..COUNT {
                while let Some(node) = self.clients[who].as_mut() {
                    while node.client.poll_event().is_some() {}
                    let answers = node.client.counters().path_responses_out;
                    let Some(transmit) = node.client.poll_transmit(clock, &mut out) else {
                        break;
                    };
                    was_quiet = false;
                    let from = node.address;
                    let is_answer = node.client.counters().path_responses_out > answers;
                    self.carry_up(who, from, out[..transmit.length].to_vec());
                    // Who answers a challenge has proved its address, before the flow may move there.
                    if is_answer && !self.lost[who] {
                        self.accounts.entry(from).or_default().is_proven = true;
                    }
                }
            }
            if was_quiet {
                return;
            }
        }
    }

    pub(super) fn carry_up(&mut self, who: usize, from: SocketAddr, bytes: Vec<u8>) {
        self.capture(from, true, &bytes);
        if !self.lost[who] {
            self.give_server(from, bytes);
        }
    }

    pub(super) fn carry_down(&mut self, to: SocketAddr, bytes: Vec<u8>) {
        self.datagrams_out += 1;
        self.bytes_out += bytes.len() as u64;
        let account = self.accounts.entry(to).or_default();
        account.bytes_out += bytes.len() as u64;
        let times = if account.may_be_path { 3 } else { 1 };
        assert!(
            account.is_proven || account.bytes_out <= times * account.bytes_in,
            "{to} has proved nothing, sent {} B and got {} B",
            account.bytes_in,
            account.bytes_out,
        );
        self.capture(to, false, &bytes);
        self.give_clients(to, &bytes);
    }

    pub(super) fn give_server(&mut self, from: SocketAddr, mut bytes: Vec<u8>) -> Received {
        let clock = self.clock();
        let account = self.accounts.entry(from).or_default();
        account.bytes_in += bytes.len() as u64;
        account.may_be_path |= bytes.first().is_some_and(|it| matches!(it & 15, 8 | 9));
        self.datagrams_in += 1;
        self.bytes_in += bytes.len() as u64;
        let path = Path {
            remote: from,
            local: Some(server_address().ip()),
        };
        let received = self.server.handle_datagram(clock, path, &mut bytes);
        self.hear_server();
        if let Received::Payload {
            flow,
            start,
            length,
            ..
        } = received
        {
            assert_eq!(self.flows.get(&flow), Some(&true), "a payload of no flow");
            let is_new = self.payloads.remove(&bytes[start..start + length]);
            assert!(is_new, "a payload that was not sealed, or came before");
        }
        received
    }

    pub(super) fn give_clients(&mut self, to: SocketAddr, bytes: &[u8]) {
        let clock = self.clock();
        for node in self.clients.iter_mut().flatten() {
            if node.address != to {
                continue;
            }
            let mut copy = bytes.to_vec();
            let received = node.client.handle_datagram(clock, from_server(), &mut copy);
            if let Received::Payload { start, length, .. } = received {
                let is_new = self.payloads.remove(&copy[start..start + length]);
                assert!(is_new, "a payload that was not sealed, or came before");
            }
        }
    }

    pub(super) fn hear_server(&mut self) {
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::Opened { flow, path, .. } => {
                    assert!(self.flows.insert(flow, true).is_none(), "it opened before");
                    self.newest.insert(0, flow);
                    self.accounts.entry(path.remote).or_default().is_proven = true;
                }
                Event::Migrated { flow, path, .. } => {
                    assert_eq!(self.flows.get(&flow), Some(&true));
                    self.accounts.entry(path.remote).or_default().is_proven = true;
                }
                Event::Replaced { flow, .. } => assert_eq!(self.flows.get(&flow), Some(&true)),
                Event::Closed { flow, .. } => {
                    assert_eq!(self.flows.insert(flow, false), Some(true));
                }
            }
        }
    }

    pub fn check(&self) {
        self.server.check_invariants();
        let counters = self.server.counters();
        assert_eq!(counters.datagrams_in, self.datagrams_in);
        assert_eq!(counters.bytes_in, self.bytes_in);
        assert_eq!(counters.datagrams_out, self.datagrams_out);
        assert_eq!(counters.bytes_out, self.bytes_out);
        let open = self.flows.values().filter(|is_open| **is_open).count() as u64;
        assert_eq!(counters.opened - counters.closed, open);
        let gauges = self.server.gauges();
        assert!(gauges.flows <= gauges.max_flows && gauges.pending <= gauges.max_pending);
        for node in self.clients.iter().flatten() {
            let counters = node.client.counters();
            let seen = counters.payloads_in + counters.consumed + counters.dropped_total();
            assert_eq!(counters.datagrams_in, seen);
        }
    }
}
