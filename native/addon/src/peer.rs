//! What speaks netcode behind an endpoint: one server, or any number of clients on one socket.

use ggscale_transport_core::{
    Admission, Clock, Event, FlowId, FlowStats, Path, Received, SealError, Server, Transmit,
    COUNTER_COUNT,
};

use crate::clients::Clients;

pub enum Peer {
    Server {
        core: Box<Server>,
        open: Vec<FlowId>,
    },
    Clients(Box<Clients>),
}

impl Peer {
    pub fn server(core: Server) -> Self {
        Self::Server {
            core: Box::new(core),
            open: Vec::new(),
        }
    }

    pub fn server_core(&mut self) -> Option<&mut Server> {
        match self {
            Self::Server { core, .. } => Some(core),
            Self::Clients(_) => None,
        }
    }

    /// What the servers of one endpoint share.
    pub fn admission(&self) -> Option<&Admission> {
        match self {
            Self::Server { core, .. } => Some(core.admission()),
            Self::Clients(_) => None,
        }
    }

    /// See `Server::touch`.
    #[inline]
    pub fn touch(&self, datagram: &[u8]) -> u64 {
        match self {
            Self::Server { core, .. } => core.touch(datagram),
            Self::Clients(_) => 0,
        }
    }

    pub fn handle_datagram(&mut self, clock: Clock, path: Path, datagram: &mut [u8]) -> Received {
        match self {
            Self::Server { core, .. } => core.handle_datagram(clock, path, datagram),
            Self::Clients(clients) => clients.handle_datagram(clock, path, datagram),
        }
    }

    /// The datagram is in `window` then; see the core for the room that it needs.
    pub fn seal_payload(
        &mut self,
        clock: Clock,
        flow: FlowId,
        window: &mut [u8],
        start: usize,
        length: usize,
    ) -> Result<ggscale_transport_core::Sealed, SealError> {
        match self {
            Self::Server { core, .. } => core.seal_payload(clock, flow, window, start, length),
            Self::Clients(clients) => clients.seal_payload(clock, flow, window, start, length),
        }
    }

    pub fn close_flow(&mut self, clock: Clock, flow: FlowId) {
        match self {
            Self::Server { core, .. } => core.close_flow(clock, flow),
            Self::Clients(clients) => clients.close_flow(clock, flow),
        }
    }

    /// Says goodbye to every flow.
    pub fn close_all(&mut self, clock: Clock) {
        match self {
            Self::Server { core, open } => {
                for flow in open.drain(..).filter(|flow| flow.generation != 0) {
                    core.close_flow(clock, flow);
                }
            }
            Self::Clients(clients) => clients.close_all(clock),
        }
    }

    pub fn handle_timeout(&mut self, clock: Clock) {
        match self {
            Self::Server { core, .. } => core.handle_timeout(clock),
            Self::Clients(clients) => clients.handle_timeout(clock),
        }
    }

    pub fn deadline_us(&self) -> Option<u64> {
        match self {
            Self::Server { core, .. } => core.deadline_us(),
            Self::Clients(clients) => clients.deadline_us(),
        }
    }

    pub fn poll_transmit(&mut self, clock: Clock, out: &mut [u8]) -> Option<Transmit> {
        match self {
            Self::Server { core, .. } => core.poll_transmit(clock, out),
            Self::Clients(clients) => clients.poll_transmit(clock, out),
        }
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        match self {
            Self::Server { core, open } => {
                let event = core.poll_event()?;
                track(open, &event);
                Some(event)
            }
            Self::Clients(clients) => clients.poll_event(),
        }
    }

    /// Adds the core's counters to `out`, in the order of `COUNTER_NAMES`.
    pub fn add_counters(&self, out: &mut [u64; COUNTER_COUNT]) {
        match self {
            Self::Server { core, .. } => {
                for (sum, value) in out.iter_mut().zip(core.counters().values()) {
                    *sum += value;
                }
            }
            Self::Clients(clients) => clients.add_counters(out),
        }
    }

    pub fn flow_stats(&self, flow: FlowId) -> Option<FlowStats> {
        match self {
            Self::Server { core, .. } => core.flow_stats(flow),
            Self::Clients(clients) => clients.flow_stats(flow),
        }
    }
}

/// Keeps the list of open flows, by slot, that `close_all` goes through.
fn track(open: &mut Vec<FlowId>, event: &Event) {
    match event {
        Event::Opened { flow, .. } => {
            let index = flow.slot as usize;
            if open.len() <= index {
                open.resize(
                    index + 1,
                    FlowId {
                        slot: 0,
                        generation: 0,
                    },
                );
            }
            if let Some(entry) = open.get_mut(index) {
                *entry = *flow;
            }
        }
        Event::Closed { flow, .. } => {
            if let Some(entry) = open
                .get_mut(flow.slot as usize)
                .filter(|entry| *entry == flow)
            {
                entry.generation = 0;
            }
        }
        Event::Replaced { .. } | Event::Migrated { .. } => {}
    }
}
