//! Connecting every flow, at a rate and with few handshakes half open at a time: the handshake
//! socket of a server is small on purpose.

use std::io;

use ggscale_transport_addon::udp::clock_ns;
use ggscale_transport_core::token::{create_connect_token, ConnectTokenOptions};
use ggscale_transport_core::{Event, Random};
use serde_json::json;

use super::{source_of, Load, Protocol};
use crate::control::tell;
use crate::meter::{heap_bytes, resident_bytes, wall_ns};
use crate::server::{PRIVATE_KEY, PROTOCOL_ID};

/// Half-open handshakes at a time.
const PENDING_MAX: u32 = 64;
/// Without progress for this long the run is over.
const STUCK_NS: u64 = 30_000_000_000;
const TOKEN_LIFETIME_S: u64 = 600;
/// Never: a server with I/O threads sees the time that passes while others are measured.
const TIMEOUT_S: i32 = -1;

pub fn unix_s() -> u64 {
    clock_ns(libc::CLOCK_REALTIME) / 1_000_000_000
}

impl Load {
    pub(super) fn connect(&mut self) -> io::Result<()> {
        let started_ns = wall_ns();
        self.paused_ns += started_ns.saturating_sub(self.stopped_ns);
        let mut random = Random::from_os().map_err(io::Error::other)?;
        let (mut begun, mut opened, mut closed) = (0u32, 0u32, 0u32);
        let mut progress_ns = started_ns;
        let wanted = match self.arguments.protocol {
            Protocol::Plain => 0,
            Protocol::Netcode => self.arguments.flows,
        };
        while opened + closed < wanted {
            let now_ns = wall_ns();
            let clock = self.clock(now_ns);
            let elapsed_s = (now_ns - started_ns) as f64 / 1e9;
            let allowed = (elapsed_s * self.arguments.connect_rate) as u64 + 1;
            if begun < wanted && u64::from(begun) < allowed && begun - opened - closed < PENDING_MAX
            {
                self.begin(begun, clock, &mut random)?;
                begun += 1;
            }
            self.receive(clock, false);
            let sockets = self.links.len() as u32;
            for (index, link) in self.links.iter_mut().enumerate() {
                link.service(clock);
                link.flush();
                while let Some(event) = link.poll_event() {
                    progress_ns = now_ns;
                    let (flow, is_open) = match event {
                        Event::Opened { flow, .. } => (flow, true),
                        Event::Closed { flow, .. } => (flow, false),
                        _ => continue,
                    };
                    let at = flow.slot * sockets + index as u32;
                    if let Some(state) = self.flows.get_mut(at as usize) {
                        state.is_open = is_open;
                    }
                    if is_open {
                        opened += 1;
                    } else {
                        closed += 1;
                    }
                }
            }
            if now_ns.saturating_sub(progress_ns) > STUCK_NS {
                break;
            }
        }
        self.stopped_ns = wall_ns();
        let flows = u64::from(self.arguments.flows.max(1));
        let resident = resident_bytes().saturating_sub(self.resident_before);
        let heap = heap_bytes().saturating_sub(self.heap_before);
        tell(&json!({
            "connected": opened,
            "closed": closed,
            "seconds": (wall_ns() - started_ns) as f64 / 1e9,
            "residentBytesPerFlow": resident / flows,
            "heapBytesPerFlow": heap / flows,
        }))
    }

    fn begin(
        &mut self,
        flow: u32,
        clock: ggscale_transport_core::Clock,
        random: &mut Random,
    ) -> io::Result<()> {
        let server = self.arguments.server;
        let number = self.arguments.first_flow + flow;
        let token = create_connect_token(
            &ConnectTokenOptions {
                protocol_id: PROTOCOL_ID,
                private_key: &PRIVATE_KEY,
                client_id: u64::from(number) + 1,
                server_addresses: &[server],
                public_addresses: None,
                create_timestamp: clock.unix_s,
                expire_seconds: TOKEN_LIFETIME_S,
                timeout_s: TIMEOUT_S,
                user_data: &[0; 256],
                nx: Default::default(),
            },
            random,
        )
        .map_err(io::Error::other)?;
        let index = flow as usize % self.links.len();
        let link = self.links.get_mut(index);
        let made = link.and_then(|link| link.connect(clock, &token, source_of(number)));
        match made {
            Some(Ok(id)) => {
                if let Some(state) = self.flows.get_mut(flow as usize) {
                    state.id = id;
                }
                Ok(())
            }
            other => Err(io::Error::other(format!("flow {flow}: {other:?}"))),
        }
    }
}
