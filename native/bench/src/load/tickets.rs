//! How a flow gets in: a ticket asked over HTTP with kept-alive connections, as players ask (WIRE.md §1),
//! or a connect token made here under the server's key, where tickets are not what is measured.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;

use ggscale_transport_core::token::{create_connect_token, ConnectTokenOptions};
use ggscale_transport_core::Random;
use serde_json::{json, Value};

use super::sources::source_of;
use super::tcp::http;
use super::tcp::stream::{Stream, READ_BYTES};

/// Connections that tickets are asked on at a time.
const CONNECTIONS: usize = 16;
/// Their source addresses lie beyond those of all flows, one each: a server counts by address.
const FIRST_SOURCE: u32 = 200_000;
const TOKEN_LIFETIME_S: u64 = 600;

pub struct Ticket {
    pub ticket: String,
    /// None when the server has no UDP listener.
    pub connect_token: Option<Vec<u8>>,
}

pub struct Answer {
    pub flow: u32,
    /// None: refused.
    pub ticket: Option<Ticket>,
}

struct Connection {
    stream: Stream,
    /// The flow whose answer is awaited.
    flow: Option<u32>,
}

pub struct Tickets {
    server: SocketAddr,
    connections: Vec<Connection>,
    scratch: Vec<u8>,
    waiting: VecDeque<(u32, u32)>,
    answers: VecDeque<Answer>,
    /// By status and code.
    refused: BTreeMap<String, u64>,
}

impl Tickets {
    pub fn new(server: SocketAddr) -> Self {
        Self {
            server,
            connections: Vec::new(),
            scratch: vec![0; READ_BYTES],
            waiting: VecDeque::new(),
            answers: VecDeque::new(),
            refused: BTreeMap::new(),
        }
    }

    /// `number` names the player.
    pub fn ask(&mut self, flow: u32, number: u32) {
        self.waiting.push_back((flow, number));
    }

    pub fn take(&mut self) -> Option<Answer> {
        self.answers.pop_front()
    }

    pub fn refusals(&self) -> Value {
        json!(self.refused)
    }

    pub fn turn(&mut self) -> io::Result<()> {
        for connection in &mut self.connections {
            let Some(flow) = connection.flow else {
                continue;
            };
            connection.stream.read(&mut self.scratch)?;
            let Some(response) = http::take_response(connection.stream.input())? else {
                continue;
            };
            let (status, body) = (response.status, response.body.to_vec());
            let used = response.used;
            connection.stream.consume(used);
            connection.flow = None;
            let ticket = if status == 200 { parse(&body) } else { None };
            if ticket.is_none() {
                let code = serde_json::from_slice::<Value>(&body).unwrap_or_default();
                let code = code.get("code").and_then(Value::as_str).unwrap_or("?");
                *self.refused.entry(format!("{status} {code}")).or_default() += 1;
            }
            self.answers.push_back(Answer { flow, ticket });
        }
        while !self.waiting.is_empty() {
            let Some(idle) = self.idle()? else {
                break;
            };
            let (Some((flow, number)), Some(connection)) =
                (self.waiting.pop_front(), self.connections.get_mut(idle))
            else {
                break;
            };
            let head = format!("X-Session-Token: load-{number}\r\n");
            http::write_post(connection.stream.output(), "/v1/game/ticket", &head, b"{}");
            connection.stream.write()?;
            connection.flow = Some(flow);
        }
        Ok(())
    }

    fn idle(&mut self) -> io::Result<Option<usize>> {
        let idle = self.connections.iter().position(|it| it.flow.is_none());
        if idle.is_some() || self.connections.len() == CONNECTIONS {
            return Ok(idle);
        }
        let source = source_of(FIRST_SOURCE + 250 * self.connections.len() as u32);
        let stream = Stream::connect(self.server, source)?;
        self.connections.push(Connection { stream, flow: None });
        Ok(Some(self.connections.len() - 1))
    }
}

fn parse(body: &[u8]) -> Option<Ticket> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let connect_token = value.get("connectToken")?.as_str().map(base64);
    Some(Ticket {
        ticket: value.get("ticket")?.as_str()?.to_owned(),
        connect_token,
    })
}

/// RFC 4648 §4; what is no digit of it is passed over.
fn base64(text: &str) -> Vec<u8> {
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::with_capacity(text.len() * 3 / 4));
    for digit in text.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

/// A backend of its own: connect tokens under the server's key.
pub struct Mint {
    pub protocol_id: u64,
    pub private_key: [u8; 32],
    pub server: SocketAddr,
    /// Of its flows; negative: never.
    pub timeout_s: i32,
    random: Random,
}

impl Mint {
    pub fn new(protocol_id: u64, private_key: [u8; 32], server: SocketAddr) -> io::Result<Self> {
        let random = Random::from_os().map_err(io::Error::other)?;
        Ok(Self {
            protocol_id,
            private_key,
            server,
            // A run may rest while others are measured, and its server's clock with it.
            timeout_s: -1,
            random,
        })
    }

    /// For the player of this number.
    pub fn token(&mut self, unix_s: u64, number: u32) -> io::Result<Vec<u8>> {
        let options = ConnectTokenOptions {
            protocol_id: self.protocol_id,
            private_key: &self.private_key,
            client_id: u64::from(number) + 1,
            server_addresses: &[self.server],
            public_addresses: None,
            create_timestamp: unix_s,
            expire_seconds: TOKEN_LIFETIME_S,
            timeout_s: self.timeout_s,
            user_data: &[0; 256],
            nx: Default::default(),
        };
        let token = create_connect_token(&options, &mut self.random);
        Ok(token.map_err(io::Error::other)?.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(base64(text), bytes.as_bytes());
        }
        assert_eq!(base64("+/+/"), [0xfb, 0xff, 0xbf]);
    }
}
