//! Golden vectors of docs/wire/netcode.md.

use serde_json::{json, Value};

use super::{check_in, hex, run, PROTOCOL_ID};
use crate::limits::REQUEST_BYTES;
use crate::prefix::{self, sequence_length};
use crate::replay::ReplayWindow;
use crate::seal::{Envelope, PacketCipher, PacketKey};
use crate::token::{seal_connect_token, ConnectTokenFields, PrivateToken, PublicToken, TokenNx};

fn check(name: &str, made: Value) {
    check_in("netcode", name, made);
}

#[test]
fn connect_tokens_are_byte_identical_to_the_golden_vectors() {
    let cases = [
        ("one-ipv4", vec!["203.0.113.9:40000"], None, 15),
        (
            "ipv4-and-ipv6",
            vec!["203.0.113.9:40000", "[2001:db8::1:2]:40001"],
            None,
            5,
        ),
        (
            "public-differs",
            vec!["10.0.0.2:7777"],
            Some(vec!["198.51.100.4:17777"]),
            60,
        ),
        ("never-times-out", vec!["[::1]:1"], None, -1),
    ];
    let mut vectors = Vec::new();
    for (name, server, public, timeout_s) in cases {
        vectors.push(token_vector(name, &server, public.as_deref(), timeout_s));
    }
    check("connect-token.json", Value::Array(vectors));
}

fn token_vector(name: &str, server: &[&str], public: Option<&[&str]>, timeout_s: i32) -> Value {
    let parse = |list: &[&str]| list.iter().map(|a| a.parse().unwrap()).collect::<Vec<_>>();
    let (private_key, nonce) = (run(0x10), run(0x40));
    let (client_to_server_key, server_to_client_key) = (run(0x60), run(0x90));
    let user_data = run(0);
    let public_addresses = public.map(parse);
    let fields = ConnectTokenFields {
        protocol_id: PROTOCOL_ID,
        private_key: &private_key,
        client_id: 0x0102_0304_0506_0708,
        server_addresses: &parse(server),
        public_addresses: public_addresses.as_deref(),
        create_timestamp: 1_800_000_000,
        expire_timestamp: 1_800_000_030,
        timeout_s,
        user_data: &user_data,
        nx: TokenNx::Silent,
        nonce: &nonce,
        client_to_server_key: &client_to_server_key,
        server_to_client_key: &server_to_client_key,
    };
    let token = seal_connect_token(&fields).unwrap();
    let read = PublicToken::read(&token).unwrap();
    let mut private = read.private_data;
    let expire = fields.expire_timestamp;
    let opened =
        PrivateToken::open(&mut private, PROTOCOL_ID, expire, &nonce, &private_key).unwrap();
    assert_eq!(opened.client_id, fields.client_id);
    assert_eq!(opened.server_addresses.as_slice(), fields.server_addresses);
    assert_eq!(opened.user_data, user_data);
    assert_eq!(
        read.server_addresses.as_slice(),
        fields.public_addresses.unwrap_or(&parse(server))
    );
    json!({
        "name": name,
        "protocolId": PROTOCOL_ID.to_string(),
        "privateKey": hex(&private_key),
        "clientId": fields.client_id.to_string(),
        "serverAddresses": server,
        "publicAddresses": public.unwrap_or(server),
        "createTimestamp": fields.create_timestamp.to_string(),
        "expireTimestamp": expire.to_string(),
        "timeoutSeconds": timeout_s,
        "userData": hex(&user_data),
        "nonce": hex(&nonce),
        "clientToServerKey": hex(&client_to_server_key),
        "serverToClientKey": hex(&server_to_client_key),
        "privateOpened": hex(&private[..1008]),
        "token": hex(&token),
        "request": hex(&request_of(&read)),
    })
}

fn request_of(token: &PublicToken) -> Vec<u8> {
    let mut request = vec![0];
    request.extend_from_slice(b"NETCODE 1.02\0");
    request.extend_from_slice(&token.protocol_id.to_le_bytes());
    request.extend_from_slice(&token.expire_timestamp.to_le_bytes());
    request.extend_from_slice(&token.nonce);
    request.extend_from_slice(&token.private_data);
    assert_eq!(request.len(), REQUEST_BYTES);
    request
}

#[test]
fn sealed_packets_are_byte_identical_to_the_golden_vectors() {
    let cases: [(&str, u8, u64, Vec<u8>); 10] = [
        ("denied", prefix::DENIED, 1 << 63, vec![]),
        (
            "challenge",
            prefix::CHALLENGE,
            (1 << 63) + 1,
            run::<308>(7).to_vec(),
        ),
        (
            "response",
            prefix::RESPONSE,
            0x12_3456_789a,
            run::<308>(9).to_vec(),
        ),
        (
            "keep-alive",
            prefix::KEEP_ALIVE,
            0,
            vec![3, 0, 0, 0, 0, 1, 0, 0],
        ),
        ("payload-1", prefix::PAYLOAD, 255, vec![0xab]),
        (
            "payload-two-sequence-bytes",
            prefix::PAYLOAD,
            1000,
            b"hello netcode".to_vec(),
        ),
        (
            "payload-six-sequence-bytes",
            prefix::PAYLOAD,
            0xffff_ffff_ffff,
            run::<100>(1).to_vec(),
        ),
        (
            "payload-1200",
            prefix::PAYLOAD,
            0x0100_0000,
            run::<1200>(2).to_vec(),
        ),
        (
            "payload-largest-sequence",
            prefix::PAYLOAD,
            u64::MAX,
            b"end".to_vec(),
        ),
        ("disconnect", prefix::DISCONNECT, 0x1_0000, vec![]),
    ];
    let key = PacketKey::of_token(run(0x60));
    let cipher = PacketCipher::new(PROTOCOL_ID);
    let mut vectors = Vec::new();
    for (name, kind, sequence, body) in cases {
        let mut out = [0; 1300];
        let length = cipher
            .seal_packet(&key, Envelope::new(kind, sequence), &body, &mut out)
            .unwrap();
        assert_eq!(length, 1 + sequence_length(sequence) + body.len() + 16);
        vectors.push(json!({
            "name": name,
            "type": kind,
            "protocolId": PROTOCOL_ID.to_string(),
            "key": hex(key.key()),
            "sequence": sequence.to_string(),
            "nonce": hex(&key.nonce(sequence)),
            "body": hex(&body),
            "datagram": hex(&out[..length]),
        }));
    }
    check("packets.json", Value::Array(vectors));
}

#[test]
fn replay_decisions_are_those_of_the_golden_vectors() {
    let high = u64::MAX;
    let cases: [(&str, Vec<u64>); 4] = [
        ("in order, then each again", vec![0, 1, 2, 0, 1, 2, 3]),
        (
            "any start is legal",
            vec![1 << 39, (1 << 39) - 1, (1 << 39) - 255, (1 << 39) - 256],
        ),
        (
            "a jump forgets what it passes",
            vec![10, 600, 345, 344, 11, 10, 599, 599],
        ),
        (
            "the top of the space",
            vec![high - 300, high, high - 1, high - 255, high - 256, high],
        ),
    ];
    let mut vectors = Vec::new();
    for (name, sequences) in cases {
        let mut window = ReplayWindow::EMPTY;
        let mut steps = Vec::new();
        for sequence in sequences {
            let accepted = !window.is_replayed(sequence);
            if accepted {
                window.mark(sequence);
            }
            steps.push(json!({ "sequence": sequence.to_string(), "accepted": accepted }));
        }
        vectors.push(json!({ "name": name, "steps": steps }));
    }
    check("replay.json", Value::Array(vectors));
}
