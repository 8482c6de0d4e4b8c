//! The way out: entries of the tx ring and netcode's own datagrams become batches.

use ggscale_transport_core::{Clock, Path, SealError};

use super::Endpoint;
use crate::counters::Counter;
use crate::io::{Io, Outgoing, Tally, DATAGRAM_BYTES, SEND_BATCH};
use crate::layout as l;
use crate::ring::TxEntry;

/// A short list of datagrams.
const FEW: usize = 4;

/// Where the bytes of a sealed datagram are: an offset of the ring memory, or a scratch buffer.
#[derive(Clone, Copy)]
enum Source {
    Ring(usize),
    Scratch(usize),
}

pub(super) struct Sealed {
    source: Source,
    length: usize,
    path: Path,
    /// The tx descriptors before this position are done once this datagram is.
    release: u32,
}

impl<I: Io> Endpoint<I> {
    /// Fills batches of sealed datagrams and hands them over until everything is out or the kernel
    /// says no. `ring` false leaves the tx ring alone.
    pub(super) fn send_all(&mut self, clock: Clock, ring: bool) {
        self.blocked = false;
        loop {
            self.fill(clock, ring);
            if self.sent == self.queue.len() {
                self.queue.clear();
                self.sent = 0;
                if ring {
                    self.tx.release_to(self.tx.taken());
                }
                return;
            }
            if !self.send_queue() {
                self.blocked = true;
                self.counters.add(Counter::TxBlocked, 1);
                return;
            }
        }
    }

    /// Tops the batch up: the tx ring first, so that a goodbye stays behind the payloads before it.
    fn fill(&mut self, clock: Clock, ring: bool) {
        if self.sent == self.queue.len() {
            self.queue.clear();
            self.sent = 0;
        }
        while ring && self.queue.len() < SEND_BATCH {
            let Some((mut entry, release)) = self.tx.take() else {
                break;
            };
            entry.flow = self.options.slots.inner(entry.flow);
            self.seal(clock, &entry, release);
        }
        self.fill_from_core(clock, SEND_BATCH);
    }

    /// Netcode's own datagrams, while the batch holds fewer than `limit`.
    fn fill_from_core(&mut self, clock: Clock, limit: usize) {
        while self.queue.len() < limit {
            let index = self.queue.len();
            let Some(buffer) = self.out.get_mut(index) else {
                break;
            };
            let Some(transmit) = self.peer.poll_transmit(clock, buffer) else {
                break;
            };
            let length = transmit.length.min(DATAGRAM_BYTES);
            // Nothing of the tx ring depends on it; the position before stays the one to release.
            let release = self
                .queue
                .last()
                .map_or(self.tx.released(), |last| last.release);
            let source = Source::Scratch(index);
            self.queue.push(Sealed {
                source,
                length,
                path: transmit.path,
                release,
            });
        }
    }

    fn seal(&mut self, clock: Clock, entry: &TxEntry, release: u32) {
        if entry.kind == l::TX_DISCONNECT {
            self.peer.close_flow(clock, entry.flow);
            return;
        }
        let length = usize::try_from(entry.length).unwrap_or(0);
        let fits = length > 0 && length <= self.options.max_payload_bytes;
        let window = if fits && entry.kind == l::TX_PAYLOAD {
            self.tx.window(entry)
        } else {
            None
        };
        let Some((window, offset)) = window else {
            self.counters.add(Counter::TxBadDescriptor, 1);
            return;
        };
        match self
            .peer
            .seal_payload(clock, entry.flow, window, l::HEADROOM_BYTES, length)
        {
            Ok(sealed) => {
                // A keep-alive goes ahead of the payloads of a client that is not confirmed yet.
                self.fill_from_core(clock, SEND_BATCH - 1);
                self.queue.push(Sealed {
                    source: Source::Ring(offset + sealed.start),
                    length: sealed.length,
                    path: sealed.path,
                    release,
                });
            }
            Err(SealError::Stale) => self.counters.add(Counter::TxStale, 1),
            Err(_) => self.counters.add(Counter::TxSealRefused, 1),
        }
    }

    /// Sends the queue; false when the kernel wants to be asked again later.
    fn send_queue(&mut self) -> bool {
        let mut retried = false;
        while self.sent < self.queue.len() {
            self.counters.add(Counter::SendCalls, 1);
            match self.send_batch() {
                Ok((datagrams, bytes)) => {
                    self.counters.add(Counter::DatagramsOut, datagrams as u64);
                    self.counters.add(Counter::BytesOut, bytes as u64);
                    self.advance(datagrams);
                    retried = false;
                }
                Err(libc::EAGAIN) => return false,
                Err(libc::EINTR) => {}
                // The error of an earlier datagram (ICMP), told now: this one was not tried yet.
                Err(libc::ECONNREFUSED) if !retried => retried = true,
                Err(errno) => {
                    self.counters.add(drop_counter(errno), 1);
                    self.advance(1);
                    retried = false;
                }
            }
        }
        true
    }

    /// One system call for what is left of the queue: datagrams and bytes taken.
    fn send_batch(&mut self) -> Result<(usize, usize), i32> {
        // Most flushes of a quiet server are short, and a long list costs its length to make.
        if self.queue.len() - self.sent <= FEW {
            self.send_up_to::<FEW>()
        } else {
            self.send_up_to::<SEND_BATCH>()
        }
    }

    fn send_up_to<const N: usize>(&mut self) -> Result<(usize, usize), i32> {
        let left = self.queue.get(self.sent..).unwrap_or(&[]);
        let Some(first) = left.first() else {
            return Ok((0, 0));
        };
        let mut batch = [Outgoing {
            bytes: &[],
            path: first.path,
        }; N];
        for (slot, sealed) in batch.iter_mut().zip(left) {
            slot.bytes = match sealed.source {
                Source::Ring(offset) => self.tx.bytes(offset, sealed.length),
                Source::Scratch(index) => {
                    let buffer: &[u8] = self.out.get(index).map_or(&[], |buffer| buffer);
                    buffer.get(..sealed.length).unwrap_or(&[])
                }
            };
            slot.path = sealed.path;
        }
        let batch = batch.get(..left.len()).unwrap_or(&batch);
        // A kernel that says it took none would hold the loop for ever.
        let taken = self.io.send(batch)?.clamp(1, batch.len());
        let bytes = batch.iter().take(taken).map(|out| out.bytes.len()).sum();
        Ok((taken, bytes))
    }

    fn advance(&mut self, count: usize) {
        self.sent = (self.sent + count).min(self.queue.len());
        let done = self.queue.get(..self.sent).and_then(|done| done.last());
        if let Some(last) = done {
            self.tx.release_to(last.release);
        }
    }
}

impl<I: Io> Endpoint<I> {
    /// What only the sockets know becomes counters.
    pub(super) fn count_tally(&mut self) {
        let tally = self.io.take_tally();
        if tally == Tally::default() {
            return;
        }
        for (counter, count) in [
            (Counter::RxOverflow, tally.overflowed),
            (Counter::RxTrains, tally.trains_in),
            (Counter::RxTrainDatagrams, tally.train_datagrams_in),
            (Counter::TxTrains, tally.trains_out),
            (Counter::TxTrainDatagrams, tally.train_datagrams_out),
            (Counter::TxTrainRefused, tally.trains_refused),
        ] {
            self.counters.add(counter, count);
        }
    }
}

/// Which counter tells of a datagram that the kernel would not take.
fn drop_counter(errno: i32) -> Counter {
    match errno {
        libc::EMSGSIZE => Counter::TxTooLarge,
        libc::ENOBUFS | libc::ENOMEM => Counter::TxNoBuffers,
        libc::ECONNREFUSED
        | libc::EHOSTUNREACH
        | libc::ENETUNREACH
        | libc::ENETDOWN
        | libc::EPERM
        | libc::EACCES
        | libc::EADDRNOTAVAIL
        | libc::EAFNOSUPPORT
        | libc::EINVAL => Counter::TxUnreachable,
        #[cfg(unix)] // Windows has no such number
        libc::EHOSTDOWN => Counter::TxUnreachable,
        _ => Counter::TxError,
    }
}
