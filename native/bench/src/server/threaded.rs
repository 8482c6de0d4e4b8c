//! One I/O thread that puts wakes together as under `auto`, and a thread that plays JavaScript: asleep
//! while there is nothing for it, woken by the thread's bell.

use std::io;

use ggscale_transport_addon::pace::{Driver as PaceDriver, Pace, Waiting};
use ggscale_transport_addon::schedule::Schedule;
use ggscale_transport_addon::threads::Threads;
use ggscale_transport_addon::timer::Timer;
use ggscale_transport_addon::udp::UdpIo;
use serde_json::Value;

use super::{report, Parts, Service, KEY_STDIN};
use crate::control::{Command, Control, STDIN};
use crate::epoll::Epoll;
use crate::meter::{cpu_ns, wall_ns};
use crate::script::Script;
use crate::timed::Timed;

const KEY_BELL: u64 = 0;
const KEY_TIMER: u64 = 2;

pub struct Threaded {
    threads: Threads<Timed<UdpIo>>,
    /// After the threads, which end before it does.
    script: Script,
    timer: Timer,
    epoll: Epoll,
    pace: Pace,
    /// The tx ring was full.
    wants_room: bool,
}

impl Threaded {
    pub fn start(parts: Parts, cpu: Option<usize>) -> io::Result<Self> {
        let Parts {
            endpoint,
            memory,
            script,
            now_ns,
        } = parts;
        let affinity: Vec<u32> = cpu.map(|cpu| cpu as u32).into_iter().collect();
        let threads = Threads::start(vec![(endpoint, memory)], &affinity, true);
        let threads = threads.map_err(io::Error::other)?;
        let epoll = Epoll::new()?;
        let timer = Timer::new().map_err(io::Error::other)?;
        epoll.add(threads.bell_fd(), KEY_BELL)?;
        epoll.add(timer.fd(), KEY_TIMER)?;
        epoll.add(STDIN, KEY_STDIN)?;
        let schedule = Schedule::new(memory, now_ns, 0.0, 0);
        Ok(Self {
            threads,
            script,
            timer,
            epoll,
            pace: Pace::new(PaceDriver::Immediate, schedule, now_ns),
            wants_room: false,
        })
    }

    /// How many payloads came.
    fn turn(&mut self) -> u64 {
        let before = self.script.seen.payloads;
        let (came, _) = self.threads.begin_turn();
        self.pace.begin_turn(wall_ns(), came);
        self.script.reclaim();
        self.wants_room = !self.script.turn();
        self.threads.end_turn();
        self.script.seen.payloads - before
    }

    /// Falls asleep, or has a timer that fires at once.
    fn rearm(&mut self) {
        let watches = self.pace.watches();
        let waiting = Waiting {
            entries: !self.threads.try_sleep(watches, self.wants_room),
            ..Waiting::default()
        };
        let wake = self.pace.next_wake(wall_ns(), &waiting);
        self.timer.set(wake.map(|wake| wake.at_ns));
    }
}

impl Service for Threaded {
    fn epoll(&self) -> &Epoll {
        &self.epoll
    }

    fn serve(&mut self, keys: u64) -> io::Result<()> {
        let rung = keys & 1 << KEY_BELL != 0;
        if rung {
            self.threads.silence();
            if self.threads.has_failed() {
                return Err(io::Error::other("an I/O thread failed"));
            }
        }
        let expired = keys & 1 << KEY_TIMER != 0 && self.timer.take_expired();
        if rung || expired {
            let is_readable = rung && self.pace.readable(wall_ns());
            if is_readable || self.wants_room || expired {
                self.turn();
            }
            self.rearm();
        }
        Ok(())
    }

    fn stop(&mut self) {
        while self.turn() > 0 {}
    }

    fn resume(&mut self) -> io::Result<()> {
        self.turn();
        self.rearm();
        Ok(())
    }

    /// The thread waits too: for its endpoint.
    fn pause(&mut self, control: &mut Control) -> io::Result<Option<Command>> {
        let mut word = Ok(None);
        self.threads.each(|_| word = control.read(true));
        word
    }

    fn mark(&mut self) -> Value {
        let (cpu_ns, seen) = (cpu_ns(), self.script.seen);
        let mut told = Value::Null;
        self.threads
            .each(|endpoint| told = report(cpu_ns, endpoint, seen));
        told
    }
}
