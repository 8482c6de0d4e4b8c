//! Strangers: bad requests of several kinds at a steady rate, from many forged addresses. What they do
//! to the flows that are established is measured on those.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::{Args, ValueEnum};
use ggscale_transport_addon::io::{Io, Outgoing, BATCH};
use ggscale_transport_addon::udp::{UdpIo, UdpOptions};
use ggscale_transport_core::token::{create_connect_token, ConnectTokenOptions};
use ggscale_transport_core::{Path, Random, REQUEST_BYTES, TOKEN_BYTES};
use serde_json::{json, Map, Value};

use crate::control::{tell, Command, Control};
use crate::load::unix_s;
use crate::meter::{pin, wall_ns};
use crate::server::{PRIVATE_KEY, PROTOCOL_ID};

/// Forged sources: 127.128.0.0 to 127.255.255.255, away from the load's.
const SOURCES: u64 = 1 << 23;
/// Sends are made up for at most this long after a late wake.
const CATCH_UP_NS: u64 = 20_000_000;
/// Tokens that are good, and sent again and again from other addresses.
const STOLEN_TOKENS: usize = 64;
const VERSION_AT: usize = 1;
const EXPIRY_AT: usize = 1 + 13 + 8;
const PRIVATE_AT: usize = EXPIRY_AT + 8 + 24;

#[derive(Args, Debug)]
pub struct FloodArguments {
    /// Address of the server
    #[arg(long)]
    server: SocketAddr,
    /// Bad datagrams per second
    #[arg(long, default_value_t = 100_000)]
    rate: u64,
    /// Only this kind
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Processor to stay on
    #[arg(long)]
    cpu: Option<usize>,
}

/// What a bad datagram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A request whose private part does not open: the dearest to refuse.
    Forged,
    /// A good token, seen before, from another address.
    Stolen,
    Expired,
    Version,
    /// A request with a byte too few.
    Short,
    /// Looks like a payload, comes from nobody: the only kind that meets the flows' own socket.
    Stray,
}

const KINDS: [Kind; 6] = [
    Kind::Forged,
    Kind::Stolen,
    Kind::Expired,
    Kind::Version,
    Kind::Short,
    Kind::Stray,
];

struct Flood {
    io: UdpIo,
    server: SocketAddr,
    random: Random,
    requests: Vec<[u8; REQUEST_BYTES]>,
    buffers: Vec<[u8; REQUEST_BYTES]>,
    kinds: Vec<Kind>,
    sent: [u64; KINDS.len()],
    refused: u64,
    next: usize,
}

pub fn run(arguments: &FloodArguments) -> io::Result<()> {
    let pinned = arguments.cpu.is_some_and(pin);
    // Sleeps end when they should, not 50 µs later.
    // SAFETY: a plain system call.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) };
    let mut flood = Flood::open(arguments).map_err(io::Error::other)?;
    tell(&json!({ "ready": true, "pinned": pinned }))?;
    let mut control = Control::default();
    loop {
        match control.read(true)? {
            Some(Command::Run) => {
                let last = flood.serve(arguments.rate, &mut control)?;
                if last == Command::Stop {
                    return Ok(());
                }
            }
            Some(Command::Stop) => return Ok(()),
            _ => tell(&json!({ "paused": true }))?,
        }
    }
}

impl Flood {
    fn open(arguments: &FloodArguments) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let server = arguments.server;
        let mut options = UdpOptions::new(SocketAddr::from(([0, 0, 0, 0], 0)));
        options.send_buffer_bytes = 4 << 20;
        let mut random = Random::from_os()?;
        let mut requests = Vec::new();
        for client in 0..STOLEN_TOKENS {
            let token = create_connect_token(
                &ConnectTokenOptions {
                    protocol_id: PROTOCOL_ID,
                    private_key: &PRIVATE_KEY,
                    client_id: u64::MAX - client as u64,
                    server_addresses: &[server],
                    public_addresses: None,
                    create_timestamp: unix_s(),
                    expire_seconds: 600,
                    timeout_s: 10,
                    user_data: &[0; 256],
                    nx: Default::default(),
                },
                &mut random,
            )?;
            requests.push(request_of(&token));
        }
        Ok(Self {
            io: UdpIo::open(&options)?,
            server,
            random,
            requests,
            kinds: arguments.kind.map_or(KINDS.to_vec(), |kind| vec![kind]),
            buffers: vec![[0; REQUEST_BYTES]; BATCH],
            sent: [0; KINDS.len()],
            refused: 0,
            next: 0,
        })
    }

    fn serve(&mut self, rate: u64, control: &mut Control) -> io::Result<Command> {
        let start_ns = wall_ns();
        let batch_ns = BATCH as u64 * 1_000_000_000 / rate.max(1);
        let mut due_ns = start_ns;
        loop {
            let now_ns = wall_ns();
            due_ns = due_ns.max(now_ns.saturating_sub(CATCH_UP_NS));
            while due_ns <= now_ns {
                self.send_batch();
                due_ns += batch_ns;
            }
            match control.read(false)? {
                Some(Command::Pause) => {
                    let elapsed_ns = wall_ns().saturating_sub(start_ns);
                    tell(&self.report(elapsed_ns))?;
                    return Ok(Command::Pause);
                }
                Some(Command::Stop) => return Ok(Command::Stop),
                _ => {}
            }
            let wait_ns = due_ns.saturating_sub(wall_ns());
            std::thread::sleep(std::time::Duration::from_nanos(wait_ns));
        }
    }

    fn send_batch(&mut self) {
        let mut lengths = [0; BATCH];
        let mut kinds = [0; BATCH];
        for index in 0..BATCH {
            let kind = self.kinds.get(self.next % self.kinds.len()).copied();
            self.next += 1;
            let room = (lengths.get_mut(index), kinds.get_mut(index));
            if let (Some(kind), (Some(length), Some(slot))) = (kind, room) {
                *length = self.write(index, kind);
                *slot = kind as usize;
            }
        }
        let nowhere = Path {
            remote: self.server,
            local: None,
        };
        let mut batch = [Outgoing {
            bytes: &[],
            path: nowhere,
        }; BATCH];
        for ((out, buffer), length) in batch.iter_mut().zip(&self.buffers).zip(lengths) {
            let source = (self.random.next_u64() % SOURCES) as u32;
            let ip = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 128, 0, 0)) + source);
            out.bytes = buffer.get(..length).unwrap_or(&[]);
            out.path.local = Some(IpAddr::V4(ip));
        }
        let mut done = 0;
        while done < BATCH {
            match self.io.send(batch.get(done..).unwrap_or(&[])) {
                Ok(taken) => {
                    for kind in kinds.iter().skip(done).take(taken) {
                        if let Some(sent) = self.sent.get_mut(*kind) {
                            *sent += 1;
                        }
                    }
                    done += taken.max(1);
                }
                // An address that may not send (a broadcast of its net), or no room: the next.
                Err(_) => {
                    self.refused += 1;
                    done += 1;
                }
            }
        }
    }

    /// Makes one bad datagram; its length.
    fn write(&mut self, index: usize, kind: Kind) -> usize {
        let stolen = (self.random.next_u64() % STOLEN_TOKENS as u64) as usize;
        let (Some(buffer), Some(request)) =
            (self.buffers.get_mut(index), self.requests.get(stolen))
        else {
            return 0;
        };
        *buffer = *request;
        let noise = self.random.next_u64().to_le_bytes();
        let mut put = |at: usize, bytes: &[u8]| {
            if let Some(room) = buffer.get_mut(at..at + bytes.len()) {
                room.copy_from_slice(bytes);
            }
        };
        match kind {
            Kind::Forged => put(PRIVATE_AT, &noise),
            Kind::Stolen => {}
            Kind::Expired => put(EXPIRY_AT, &1u64.to_le_bytes()),
            Kind::Version => put(VERSION_AT, b"NETCODE 0.99\0"),
            Kind::Short => return REQUEST_BYTES - 1,
            Kind::Stray => {
                put(0, &[0x15]);
                put(1, &noise);
                return 64;
            }
        }
        REQUEST_BYTES
    }

    fn report(&mut self, elapsed_ns: u64) -> Value {
        let named = KINDS.iter().zip(std::mem::take(&mut self.sent));
        let by_kind: Map<String, Value> = named
            .map(|(kind, sent)| (format!("{kind:?}").to_lowercase(), json!(sent)))
            .collect();
        let sent: u64 = by_kind.values().filter_map(Value::as_u64).sum();
        json!({
            "paused": true,
            "sent": sent,
            "perSecond": sent as f64 * 1e9 / elapsed_ns.max(1) as f64,
            "refused": std::mem::take(&mut self.refused),
            "byKind": by_kind,
        })
    }
}

/// The request that a client would send with this token: its public fields moved together.
fn request_of(token: &[u8; TOKEN_BYTES]) -> [u8; REQUEST_BYTES] {
    // Token: 13 version, 8 protocol id, 8 created, 8 expiry, 24 nonce, 1024 private part.
    let parts = [token.get(..21), token.get(29..61), token.get(61..1085)];
    let mut request = [0; REQUEST_BYTES];
    let bytes = parts.into_iter().flatten().flatten();
    for (slot, byte) in request.iter_mut().skip(1).zip(bytes) {
        *slot = *byte;
    }
    request
}
