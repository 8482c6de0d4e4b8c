//! The engine between the stretches: connecting, resting, and telling how it went.

use std::io;

use serde_json::{json, Value};

use super::engine::Engine;
use super::wire::What;
use crate::control::{tell, Command, Control, STDIN};
use crate::meter::{cpu_ns, heap_bytes, resident_bytes, wall_ns};

/// Without progress for this long connecting is over.
const STUCK_NS: u64 = 30_000_000_000;
const SLEEP_NS: u64 = 1_000_000;

impl Engine {
    /// Opens every flow, at a rate and with few half open at a time: the handshake socket of a server is
    /// small on purpose.
    pub fn connect(&mut self) -> io::Result<()> {
        let started_ns = wall_ns();
        self.wake();
        let (mut begun, mut opened, mut closed) = (0u32, 0u32, 0u32);
        let mut progress_ns = started_ns;
        // A storm connects when it runs.
        let wanted = if self.wire.connects() && self.arguments.storm == 0.0 {
            self.arguments.flows
        } else {
            0
        };
        let mut events = Vec::new();
        while opened + closed < wanted {
            let now = self.now();
            let elapsed_s = (now.ns - started_ns) as f64 / 1e9;
            let allowed = (elapsed_s * self.arguments.connect_rate) as u64 + 1;
            let pending = begun - opened - closed;
            if begun < wanted && u64::from(begun) < allowed && pending < self.arguments.pending {
                if let Some(state) = self.flows.get_mut(begun as usize) {
                    state.begun_ns = now.ns;
                }
                self.wire.begin(now, begun)?;
                begun += 1;
            }
            self.wire.turn(now, &mut events);
            for event in events.drain(..) {
                let Some(state) = self.flows.get_mut(event.flow as usize) else {
                    continue;
                };
                match event.what {
                    What::Opened => {
                        opened += 1;
                        state.is_open = true;
                        let took_ns = now.ns.saturating_sub(state.begun_ns);
                        self.counts.connect.record(took_ns);
                    }
                    What::Closed if state.is_open => {
                        opened -= 1;
                        closed += 1;
                        state.is_open = false;
                    }
                    What::Closed => closed += 1,
                    What::Heard(heard) => {
                        self.counts.note(&heard);
                        continue;
                    }
                }
                progress_ns = now.ns;
            }
            self.wire.flush(now);
            if now.ns.saturating_sub(progress_ns) > STUCK_NS {
                break;
            }
        }
        self.stopped_ns = wall_ns();
        let flows = u64::from(self.arguments.flows.max(1));
        let resident = resident_bytes().saturating_sub(self.resident_before);
        let heap = heap_bytes().saturating_sub(self.heap_before);
        let mut told = json!({
            "connected": opened,
            "closed": closed,
            "seconds": (wall_ns() - started_ns) as f64 / 1e9,
            "connectNs": self.counts.connect.take(),
            "residentBytesPerFlow": resident / flows,
            "heapBytesPerFlow": heap / flows,
        });
        if let Some(object) = told.as_object_mut() {
            let figures = self.wire.figures().into_iter();
            object.extend(figures.map(|(name, value)| (name.to_owned(), value)));
        }
        tell(&told)
    }

    /// Waits for the next word. Meanwhile flows that live are kept alive; nothing is sent for them.
    pub fn rest(&mut self, control: &mut Control) -> io::Result<Command> {
        loop {
            let rests = self.wire.rests();
            if let Some(command) = control.read(!rests)? {
                return Ok(command);
            }
            if rests {
                let now = self.now();
                self.turn(now);
                self.wire.flush(now);
                self.sleep(u64::MAX);
            }
        }
    }

    /// Tells the stretch since the last mark. The next begins when that is done: what it costs belongs
    /// to neither.
    pub fn tell_mark(&mut self) -> io::Result<()> {
        let told = self.mark(wall_ns());
        tell(&told)?;
        self.start_stretch();
        Ok(())
    }

    pub(super) fn start_stretch(&mut self) {
        self.stretch_ns = wall_ns();
        self.stretch_us = (self.stretch_ns / 1000) as u32;
        self.busy_ns = 0;
    }

    /// What the stretch was in which was sent until `end_ns`.
    pub(super) fn mark(&mut self, end_ns: u64) -> Value {
        let (cpu_ns, wall_ns) = (cpu_ns(), wall_ns());
        let mut told = self.counts.take();
        let stretch_ns = end_ns.saturating_sub(self.stretch_ns).max(1);
        let open = self.flows.iter().filter(|flow| flow.is_open).count();
        let own = [
            ("seconds", json!(stretch_ns as f64 / 1e9)),
            ("busyRatio", json!(self.busy_ns as f64 / stretch_ns as f64)),
            ("open", json!(open)),
            ("cpuNs", json!(cpu_ns)),
            ("wallNs", json!(wall_ns)),
            ("wire", self.wire.traffic().json()),
            ("residentBytes", json!(resident_bytes())),
            ("heapBytes", json!(heap_bytes())),
        ];
        let all = own.into_iter().chain(self.wire.figures());
        told.extend(all.map(|(name, value)| (name.to_owned(), value)));
        Value::Object(told)
    }

    /// Until something comes, or this time has; at most a millisecond.
    pub(super) fn sleep(&self, due_ns: u64) {
        let wait_ns = due_ns.saturating_sub(wall_ns()).min(SLEEP_NS);
        let mut fds: Vec<libc::pollfd> = Vec::new();
        let watched = self.wire.fds().into_iter().chain([STDIN]);
        fds.extend(watched.map(|fd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        }));
        let wait = libc::timespec {
            tv_sec: 0,
            tv_nsec: wait_ns as _,
        };
        // SAFETY: as many pollfds as said, a valid timespec, no signal mask.
        unsafe {
            libc::ppoll(
                fds.as_mut_ptr(),
                fds.len() as libc::nfds_t,
                &wait,
                std::ptr::null(),
            );
        }
    }

    /// Says nothing to the server: it is stopped as well.
    pub fn close(&mut self) -> io::Result<()> {
        tell(&json!({ "stopped": true }))
    }
}
