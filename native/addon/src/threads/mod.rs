//! I/O threads: each with an endpoint, sockets and rings of its own, one JavaScript.
//!
//! ```text
//!  thread 0  sockets ▸ Endpoint ▸ rings 0 ─┐
//!  thread 1  sockets ▸ Endpoint ▸ rings 1 ─┼─ JavaScript: one endpoint, slots interleaved
//!  thread n  …                             ┘
//! ```
//! The kernel steers a source, or the connection id of an NX flow, to the same thread always.

mod eventfd;
mod far_side;
#[cfg(test)]
mod far_side_test;
mod io_thread;

use std::sync::mpsc::sync_channel;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use crate::doorbell::Doorbell;
use crate::endpoint::Endpoint;
use crate::error::{Code, Failure, Result};
use crate::layout as l;
use crate::ring::Memory;
use crate::slots::Slots;
use eventfd::EventFd;
use far_side::FarSide;
use io_thread::Shared;
pub use io_thread::Sockets;

struct IoThread<I: Sockets> {
    shared: Arc<Shared<I>>,
    far: FarSide,
    join: Option<JoinHandle<()>>,
}

/// All threads of one endpoint, as its host on the JavaScript thread holds them.
pub struct Threads<I: Sockets> {
    threads: Vec<IoThread<I>>,
    /// Rung when JavaScript sleeps and there is something for it.
    bell: Arc<EventFd>,
}

impl<I: Sockets + Send + 'static> Threads<I> {
    /// Starts a thread for each endpoint. `affinity` names the CPU of each; empty: wherever the
    /// system likes. Moderated ones drain at intervals under load.
    pub fn start(
        endpoints: Vec<(Endpoint<I>, Memory)>,
        affinity: &[u32],
        is_moderated: bool,
    ) -> Result<Self> {
        let mut group = Self {
            threads: Vec::with_capacity(endpoints.len()),
            bell: Arc::new(EventFd::new()?),
        };
        for (index, (endpoint, memory)) in endpoints.into_iter().enumerate() {
            let bell = Arc::clone(&group.bell);
            let own = EventFd::new()?;
            let shared = Arc::new(Shared::new(endpoint, own, bell, is_moderated));
            let join = start(index, &shared, memory, affinity.get(index).copied())?;
            group.threads.push(IoThread {
                shared,
                far: FarSide::new(memory),
                join: Some(join),
            });
        }
        Ok(group)
    }
}

impl<I: Sockets> Threads<I> {
    pub fn bell_fd(&self) -> std::os::fd::RawFd {
        self.bell.fd()
    }

    pub fn silence(&self) {
        self.bell.silence();
    }

    pub fn has_failed(&self) -> bool {
        self.threads.iter().any(|thread| thread.shared.has_failed())
    }

    /// Wakes every thread: a cold call may have left something to do.
    pub fn ring_all(&self) {
        for thread in &self.threads {
            thread.shared.bell.ring();
        }
    }

    pub fn each(&self, mut work: impl FnMut(&mut Endpoint<I>)) {
        for thread in &self.threads {
            work(&mut thread.shared.lock());
        }
    }

    /// Runs `work` on the endpoint that has this slot.
    pub fn at<R>(&self, slot: u32, work: impl FnOnce(&mut Endpoint<I>) -> R) -> Option<R> {
        let index = Slots::thread_of(slot, self.threads.len() as u32);
        let thread = self.threads.get(index)?;
        Some(work(&mut thread.shared.lock()))
    }

    /// The beginning of a turn of JavaScript. Returns the entries that came since the last, and all
    /// that wait.
    pub fn begin_turn(&mut self) -> (u32, u32) {
        let (mut came, mut waiting) = (0u32, 0u32);
        for thread in &mut self.threads {
            came = came.saturating_add(thread.far.wake_up());
            waiting = waiting.saturating_add(thread.far.waiting());
        }
        (came, waiting)
    }

    /// The end of a turn: rings the threads that sleep. Returns what they have not sent yet.
    pub fn end_turn(&mut self) -> u32 {
        let mut unsent = 0u32;
        for thread in &mut self.threads {
            if thread.far.must_ring() {
                thread.shared.bell.ring();
            }
            unsent = unsent.saturating_add(thread.far.unsent());
        }
        unsent
    }

    /// JavaScript sleeps until a thread has entries, or room if it wants that. False when there is
    /// something already.
    pub fn try_sleep(&self, entries: bool, room: bool) -> bool {
        let wants = if entries { l::NEWS_ENTRIES } else { 0 } | if room { l::NEWS_ROOM } else { 0 };
        // Each is asked: what one has does not keep the others from ringing later.
        let asleep = self.threads.iter().filter(|it| it.far.try_sleep(wants));
        asleep.count() == self.threads.len()
    }

    /// Ends every thread and waits for it: at most one turn each.
    pub fn stop(&mut self, polite: bool) {
        for thread in &self.threads {
            thread.shared.stop(polite && !thread.shared.has_failed());
        }
        for thread in &mut self.threads {
            if let Some(join) = thread.join.take() {
                let _ = join.join();
            }
        }
    }
}

impl<I: Sockets> Drop for Threads<I> {
    fn drop(&mut self) {
        self.stop(false);
    }
}

fn start<I: Sockets + Send + 'static>(
    index: usize,
    shared: &Arc<Shared<I>>,
    memory: Memory,
    cpu: Option<u32>,
) -> Result<JoinHandle<()>> {
    let (tell, told) = sync_channel(1);
    let shared = Arc::clone(shared);
    let join = Builder::new()
        .name(format!("ggscale-io-{index}"))
        .spawn(move || {
            let settled = settle(cpu);
            let is_settled = settled.is_ok();
            let _ = tell.send(settled);
            if is_settled {
                io_thread::run(&shared, Doorbell::new(memory));
            }
        })
        .map_err(|error| Failure::from_io("starting an I/O thread", &error))?;
    let settled = told.recv().unwrap_or_else(|_| {
        let message = "an I/O thread ended at its start";
        Err(Failure::new(Code::Internal, message))
    });
    match settled {
        Ok(()) => Ok(join),
        Err(error) => {
            let _ = join.join();
            Err(error)
        }
    }
}

/// The properties of the calling thread: exact timeouts, and its CPU.
fn settle(cpu: Option<u32>) -> Result<()> {
    // The default lets a timeout be 50 µs late, which is a fifth of the shortest interval.
    // SAFETY: concerns the calling thread only.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1u64) };
    let Some(cpu) = cpu else { return Ok(()) };
    // SAFETY: zero bytes are an empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let refused = || {
        let message = format!("affinity: CPU {cpu} is not there, or not for this process");
        Failure::new(Code::BadOption, message)
    };
    if cpu >= libc::CPU_SETSIZE as u32 {
        return Err(refused());
    }
    // SAFETY: inside the set by the comparison above.
    unsafe { libc::CPU_SET(cpu as usize, &mut set) };
    let size = std::mem::size_of::<libc::cpu_set_t>();
    // SAFETY: a set of its size; 0 is the calling thread.
    if unsafe { libc::sched_setaffinity(0, size, &set) } != 0 {
        return Err(refused());
    }
    Ok(())
}
