//! Numbered payloads, both ways, and who received which.

use ggscale_transport_core::{Client, FlowId, HEADROOM};

use crate::node::{payload, PAYLOAD_BYTES, SERVER};
use crate::world::World;

impl World {
    /// Everybody who is open sends one payload.
    pub fn tick(&mut self) {
        for index in 0..self.clients.len() {
            if self.clients[index].is_open {
                self.client_send(index);
            }
        }
        for worker in 0..self.workers.len() {
            for (flow, id) in self.workers[worker].flows.clone() {
                self.server_send(worker, flow, id);
            }
        }
    }

    pub fn client_send(&mut self, index: usize) {
        let clock = self.clock();
        let node = &mut self.clients[index];
        let number = node.next_number;
        node.next_number += 1;
        let mut buffer = payload(number);
        let sealed =
            node.client
                .seal_payload(clock, Client::FLOW, &mut buffer, HEADROOM, PAYLOAD_BYTES);
        self.drain_client(index);
        if let Ok(sealed) = sealed {
            let bytes = buffer[sealed.start..sealed.start + sealed.length].to_vec();
            let from = self.clients[index].address;
            self.send(from, sealed.path.remote, bytes);
        }
    }

    fn server_send(&mut self, worker: usize, flow: FlowId, client_id: u64) {
        let clock = self.clock();
        let owner = self.clients.iter().rposition(|node| node.id == client_id);
        let Some(owner) = owner else {
            return;
        };
        let number = self.clients[owner].next_number_down;
        self.clients[owner].next_number_down += 1;
        let mut buffer = payload(number);
        let server = &mut self.workers[worker].server;
        let sealed = server.seal_payload(clock, flow, &mut buffer, HEADROOM, PAYLOAD_BYTES);
        self.drain_worker(worker);
        if let Ok(sealed) = sealed {
            let bytes = buffer[sealed.start..sealed.start + sealed.length].to_vec();
            self.send(SERVER, sealed.path.remote, bytes);
        }
    }

    pub fn note_arrival(&mut self, worker: usize, flow: FlowId, number: u32) {
        let flows = &self.workers[worker].flows;
        let owner = flows.iter().find(|(known, _)| *known == flow);
        let id = owner.expect("payloads come from open flows").1;
        let now_us = self.now_us;
        let node = self.clients.iter_mut().rfind(|node| node.id == id);
        let arrived = &mut node.expect("a client of ours").arrived;
        assert!(!arrived.iter().any(|(_, n)| *n == number), "delivered once");
        arrived.push((now_us, number));
    }
}
