//! On the thread that plays JavaScript: the drivers `immediate`, `auto` and `tick`.

use std::io;

use ggscale_transport_addon::endpoint::Endpoint;
use ggscale_transport_addon::pace::{Driver as PaceDriver, Pace};
use ggscale_transport_addon::schedule::Schedule;
use ggscale_transport_addon::timer::Timer;
use ggscale_transport_addon::udp::UdpIo;
use serde_json::Value;

use super::{report, Driver, Parts, Service, KEY_STDIN};
use crate::control::STDIN;
use crate::epoll::Epoll;
use crate::meter::{cpu_ns, wall_ns};
use crate::script::Script;
use crate::timed::Timed;

const KEY_FLOWS: u64 = 0;
const KEY_HANDSHAKES: u64 = 1;
const KEY_TIMER: u64 = 2;

pub struct Inline {
    endpoint: Endpoint<Timed<UdpIo>>,
    /// After the endpoint, which points into its memory.
    script: Script,
    timer: Timer,
    epoll: Epoll,
    pace: Pace,
    is_watching: bool,
    sockets: [(Option<i32>, u64); 2],
    stopped_ns: u64,
}

impl Inline {
    pub fn start(parts: Parts, driver: Driver, tick_hz: f64) -> io::Result<Self> {
        let Parts {
            endpoint,
            memory,
            script,
            now_ns,
        } = parts;
        let (driver, tick_interval_us) = match driver {
            Driver::Immediate => (PaceDriver::Immediate, 0.0),
            Driver::Tick => (PaceDriver::Tick, 1e6 / tick_hz),
            Driver::Auto | Driver::Threads => (PaceDriver::Auto, 0.0),
        };
        let udp = &endpoint.io.inner;
        let sockets = [
            (Some(udp.flows_fd()), KEY_FLOWS),
            (udp.handshakes_fd(), KEY_HANDSHAKES),
        ];
        let epoll = Epoll::new()?;
        let timer = Timer::new().map_err(io::Error::other)?;
        epoll.add(timer.fd(), KEY_TIMER)?;
        epoll.add(STDIN, KEY_STDIN)?;
        let schedule = Schedule::new(memory, now_ns, tick_interval_us, 0);
        Ok(Self {
            endpoint,
            script,
            timer,
            epoll,
            pace: Pace::new(driver, schedule, now_ns),
            is_watching: false,
            sockets,
            stopped_ns: wall_ns(),
        })
    }

    /// Drain, JavaScript's part, flush. How many payloads came.
    fn turn(&mut self) -> u64 {
        let before = self.script.seen.payloads;
        let drained = self.endpoint.drain();
        self.pace.begin_turn(drained.now_ns, drained.datagrams);
        loop {
            let is_done = self.script.turn();
            self.endpoint.flush();
            self.script.reclaim();
            if is_done || self.endpoint.blocked() {
                break;
            }
        }
        self.script.seen.payloads - before
    }

    fn rearm(&mut self) -> io::Result<()> {
        let paused_ns = self.endpoint.io.paused_ns;
        let now_ns = self.endpoint.mono_ns();
        let wake = self.pace.next_wake(now_ns, &self.endpoint.waiting());
        self.timer.set(wake.map(|wake| wake.at_ns + paused_ns));
        let watches = self.pace.watches();
        if watches == self.is_watching {
            return Ok(());
        }
        self.is_watching = watches;
        for (fd, key) in self.sockets {
            match fd {
                Some(fd) if watches => self.epoll.add(fd, key)?,
                Some(fd) => self.epoll.remove(fd)?,
                None => {}
            }
        }
        Ok(())
    }
}

impl Service for Inline {
    fn epoll(&self) -> &Epoll {
        &self.epoll
    }

    /// What the host does in Node when descriptors are ready.
    fn serve(&mut self, keys: u64) -> io::Result<()> {
        let readable = keys & (1 << KEY_FLOWS | 1 << KEY_HANDSHAKES) != 0;
        let expired = keys & 1 << KEY_TIMER != 0 && self.timer.take_expired();
        if !readable && !expired {
            return Ok(());
        }
        let now_ns = self.endpoint.mono_ns();
        let waiting = self.endpoint.waiting();
        let is_netcode_due = waiting.netcode_ns.is_some_and(|at_ns| at_ns <= now_ns);
        let is_turn = (readable && self.pace.readable(now_ns))
            || self.pace.due(now_ns, &waiting) != 0
            || (is_netcode_due && self.endpoint.service());
        if is_turn {
            self.turn();
        }
        self.rearm()
    }

    fn stop(&mut self) {
        while self.turn() > 0 {}
        self.stopped_ns = wall_ns();
    }

    fn resume(&mut self) -> io::Result<()> {
        self.endpoint.io.paused_ns += wall_ns().saturating_sub(self.stopped_ns);
        self.rearm()
    }

    fn mark(&mut self) -> Value {
        report(cpu_ns(), &mut self.endpoint, self.script.seen)
    }
}
