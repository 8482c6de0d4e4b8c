//! The loop around one foreign endpoint.

use std::io::BufRead;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::{Drive, Line, Stream};

/// What a foreign endpoint reported in one step. `flow` is the client id on a server and 0 on a client.
pub enum Event {
    Connected {
        flow: u64,
        user_data: Option<Vec<u8>>,
    },
    Payload {
        flow: u64,
        bytes: Vec<u8>,
    },
    Disconnected {
        flow: u64,
        reason: String,
    },
}

/// A foreign netcode endpoint, stepped once per frame.
pub trait Peer {
    /// Receives, processes, applies timeouts and sends; `elapsed` is the time since the start.
    fn step(&mut self, elapsed: Duration, events: &mut Vec<Event>);
    fn send(&mut self, flow: u64, payload: &[u8]) -> Result<(), String>;
    /// Ends every flow cleanly.
    fn disconnect(&mut self, events: &mut Vec<Event>);
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Ends with its flow.
    Client,
    /// Ends with its standard input.
    Server,
}

/// Both foreign implementations are polled by a game loop and hide their sockets or need regular
/// updates: the wait for the next command is the pace of that loop.
const FRAME: Duration = Duration::from_millis(1);

/// Ends the program: with its exit code, or with what it could not do.
pub fn end(result: Result<i32, String>) -> ! {
    let code = result.unwrap_or_else(|message| {
        Line::event("error").text("message", message).print();
        2
    });
    std::process::exit(code)
}

/// Steps `peer` until its role is done, the input ends or `deadline` has passed. Returns the exit code.
pub fn run(peer: &mut dyn Peer, role: Role, deadline: Duration) -> i32 {
    let commands = read_commands();
    let start = Instant::now();
    let mut state = State {
        role,
        flow: None,
        drive: None,
        stream: None,
        is_stream_told: false,
        echoed: 0,
        exit: None,
    };
    let mut events = Vec::new();
    while state.exit.is_none() {
        if start.elapsed() > deadline {
            Line::event("error")
                .text("message", "the peer's deadline has passed")
                .print();
            return 3;
        }
        match commands.recv_timeout(FRAME) {
            Ok(command) => state.handle_command(&command, peer, &mut events),
            Err(RecvTimeoutError::Timeout) => {}
            // The test is gone: leave without a word, as a crashed process would.
            Err(RecvTimeoutError::Disconnected) => std::process::exit(0),
        }
        peer.step(start.elapsed(), &mut events);
        for event in events.drain(..) {
            state.handle_event(event, peer);
        }
        state.send_driven(peer);
        state.send_streamed(peer);
    }
    state.exit.unwrap_or(0)
}

struct State {
    role: Role,
    /// The flow connected last: `drive` uses it.
    flow: Option<u64>,
    drive: Option<Drive>,
    stream: Option<Stream>,
    /// `stream-sent` has been said.
    is_stream_told: bool,
    echoed: usize,
    exit: Option<i32>,
}

impl State {
    fn handle_command(&mut self, command: &str, peer: &mut dyn Peer, events: &mut Vec<Event>) {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["drive", count, seed, max_bytes] => {
                let numbers = (count.parse(), seed.parse(), max_bytes.parse());
                match (self.flow, numbers) {
                    (Some(flow), (Ok(count), Ok(seed), Ok(max_bytes))) => {
                        self.drive = Some(Drive::new(flow, count, seed, max_bytes));
                    }
                    _ => self.fail("drive needs a connected flow and three numbers"),
                }
            }
            ["stream", count, seed, max_bytes] => {
                let numbers = (count.parse(), seed.parse(), max_bytes.parse());
                match (self.flow, numbers) {
                    (Some(flow), (Ok(count), Ok(seed), Ok(max_bytes))) => {
                        self.stream = Some(Stream::new(flow, count, seed, max_bytes));
                        self.is_stream_told = false;
                    }
                    _ => self.fail("stream needs a connected flow and three numbers"),
                }
            }
            ["send", count, seed, max_bytes] => {
                let numbers = (count.parse(), seed.parse(), max_bytes.parse());
                match (self.flow, numbers) {
                    (Some(flow), (Ok(count), Ok(seed), Ok(max_bytes))) => {
                        self.send_unechoed(Drive::new(flow, count, seed, max_bytes), peer);
                    }
                    _ => self.fail("send needs a connected flow and three numbers"),
                }
            }
            ["disconnect"] => peer.disconnect(events),
            _ => self.fail("unknown command"),
        }
    }

    fn handle_event(&mut self, event: Event, peer: &mut dyn Peer) {
        match event {
            Event::Connected { flow, user_data } => {
                self.flow = Some(flow);
                let line = Line::event("connected").text("flow", flow);
                match user_data {
                    Some(bytes) => line.text("userData", crate::to_hex(&bytes)).print(),
                    None => line.print(),
                }
            }
            Event::Payload { flow, bytes } => self.handle_payload(flow, &bytes, peer),
            Event::Disconnected { flow, reason } => {
                Line::event("disconnected")
                    .text("flow", flow)
                    .text("reason", reason)
                    .number("echoed", self.echoed)
                    .print();
                if self.role == Role::Client {
                    self.exit = Some(0);
                }
            }
        }
    }

    fn handle_payload(&mut self, flow: u64, bytes: &[u8], peer: &mut dyn Peer) {
        if self.is_stream_echo(flow, bytes) {
            return;
        }
        match &mut self.drive {
            Some(drive) if drive.flow == flow => {
                if !drive.check_echo(bytes) {
                    let at = drive.matched;
                    Line::event("mismatch")
                        .number("index", at)
                        .number("length", bytes.len())
                        .print();
                    self.exit = Some(4);
                } else if drive.is_complete() {
                    Line::event("driven")
                        .number("sent", drive.sent)
                        .number("matched", drive.matched)
                        .number("bytes", drive.bytes)
                        .print();
                    self.drive = None;
                }
            }
            _ => match peer.send(flow, bytes) {
                Ok(()) => self.echoed += 1,
                Err(message) => self.fail(&message),
            },
        }
    }

    /// Checks the echoes of a stream. The first one of a drive ends it.
    fn is_stream_echo(&mut self, flow: u64, bytes: &[u8]) -> bool {
        let Some(stream) = self.stream.as_mut().filter(|it| it.flow == flow) else {
            return false;
        };
        if self.drive.as_mut().is_some_and(|drive| drive.is_due(bytes)) {
            Line::event("streamed")
                .number("sent", stream.sent)
                .number("arrived", stream.arrived)
                .print();
            self.stream = None;
            return false;
        }
        if let Err(message) = stream.check_echo(bytes) {
            self.fail(message);
        }
        true
    }

    /// At most one window of payloads that nobody echoes.
    fn send_unechoed(&mut self, mut payloads: Drive, peer: &mut dyn Peer) {
        let flow = payloads.flow;
        while let Some(payload) = payloads.next_payload() {
            if let Err(message) = peer.send(flow, payload) {
                return self.fail(&message);
            }
        }
        Line::event("sent").number("sent", payloads.sent).print();
    }

    fn send_streamed(&mut self, peer: &mut dyn Peer) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        let flow = stream.flow;
        let mut failure = None;
        while let Some(payload) = stream.next_payload() {
            if let Err(message) = peer.send(flow, payload) {
                failure = Some(message);
                break;
            }
        }
        let is_sent = stream.is_sent() && !self.is_stream_told;
        if let Some(message) = failure {
            self.fail(&message);
        } else if is_sent {
            self.is_stream_told = true;
            Line::event("stream-sent").print();
        }
    }

    fn send_driven(&mut self, peer: &mut dyn Peer) {
        let Some(drive) = &mut self.drive else { return };
        let flow = drive.flow;
        let mut failure = None;
        while let Some(payload) = drive.next_payload() {
            if let Err(message) = peer.send(flow, payload) {
                failure = Some(message);
                break;
            }
        }
        if let Some(message) = failure {
            self.fail(&message);
        }
    }

    fn fail(&mut self, message: &str) {
        Line::event("error").text("message", message).print();
        self.exit = Some(2);
    }
}

fn read_commands() -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
