//! Golden vectors of docs/wire/nx.md.

use serde_json::{json, Value};

use super::{check_in, hex, run, PROTOCOL_ID};
use crate::bytes::Writer;
use crate::drop_reason::DropReason;
use crate::nx::control::{Accept, Control, Controls, Hello};
use crate::nx::keys::Rekey;
use crate::nx::{steer, ConnectionId, Refusal};
use crate::seal::{Envelope, PacketCipher, PacketKey};
use crate::token::{seal_connect_token, ConnectTokenFields, PrivateToken, PublicToken, TokenNx};

const CID: ConnectionId = ConnectionId {
    worker: 3,
    slot: 0x01_0203,
    random: 0xa0b0_c0d0,
};
/// X25519: private and public key of either end, and what they make (worked out by Node; the checker
/// does it again).
const CLIENT_PAIR: [&str; 2] = [
    "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
    "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254",
];
const SERVER_PAIR: [&str; 2] = [
    "909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
    "9fd7ad6dcff4298dd3f96d5b1b2af910a0535b1488d7f8fabb349a982880b615",
];
const SHARED: &str = "df4a291baa1eb7cfa6934b29b474baad2697e29f1f920dcc77c8a0a088447624";

/// Name, key, type, connection id, sequence, body.
type Case<'a> = (&'a str, &'a PacketKey, u8, Option<[u8; 8]>, u64, Vec<u8>);

fn check(name: &str, made: Value) {
    check_in("nx", name, made);
}

fn bytes_of<const N: usize>(hex: &str) -> [u8; N] {
    core::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
}

fn hello(x25519: Option<[u8; 32]>) -> Hello {
    Hello {
        version: 1,
        flags: if x25519.is_some() { 11 } else { 3 },
        max_payload: 1200,
        nonce: run(0x20),
        x25519,
    }
}

fn accept(x25519: Option<[u8; 32]>) -> Accept {
    Accept {
        hello: Hello {
            max_payload: 1192,
            nonce: run(0x50),
            ..hello(x25519)
        },
        cid: CID.to_bytes(),
    }
}

#[test]
fn capabilities_in_tokens_are_those_of_the_golden_vectors() {
    let kinds = [
        ("silent", TokenNx::Silent),
        ("known", TokenNx::Known),
        ("required", TokenNx::Required),
        ("required-newer", TokenNx::RequiredNewer),
    ];
    let vectors = kinds.map(|(name, nx)| {
        let (private_key, nonce) = (run(0x10), run(0x40));
        let (client_to_server_key, server_to_client_key) = (run(0x60), run(0x90));
        let token = seal_connect_token(&ConnectTokenFields {
            protocol_id: PROTOCOL_ID,
            private_key: &private_key,
            client_id: 7,
            server_addresses: &["203.0.113.9:40000".parse().unwrap()],
            public_addresses: None,
            create_timestamp: 1_800_000_000,
            expire_timestamp: 1_800_000_030,
            timeout_s: 15,
            user_data: &run(0),
            nx,
            nonce: &nonce,
            client_to_server_key: &client_to_server_key,
            server_to_client_key: &server_to_client_key,
        })
        .unwrap();
        let read = PublicToken::read(&token).unwrap();
        let mut private = read.private_data;
        let expire = read.expire_timestamp;
        let opened = PrivateToken::open(&mut private, PROTOCOL_ID, expire, &nonce, &private_key);
        assert_eq!((read.nx, opened.unwrap().nx), (nx, nx));
        json!({ "name": name, "token": hex(&token), "privateOpened": hex(&private[..1008]) })
    });
    check("tokens.json", Value::Array(vectors.to_vec()));
}

#[test]
fn new_keys_are_those_of_the_golden_vectors() {
    let cases = [("nonces alone", false), ("with X25519", true)];
    let vectors = cases.map(|(name, with_exchange)| {
        let shared = with_exchange.then(|| bytes_of::<32>(SHARED));
        let (client_nonce, server_nonce) = (run(0x20), run(0x50));
        let (client_to_server, server_to_client) = (run(0x60), run(0x90));
        let (token_tag, cid) = (run(0xc0), CID.to_bytes());
        let keys = Rekey {
            client_nonce: &client_nonce,
            server_nonce: &server_nonce,
            client_to_server: &client_to_server,
            server_to_client: &server_to_client,
            shared: shared.as_ref(),
            token_tag: &token_tag,
            cid: &cid,
        }
        .derive()
        .unwrap();
        let exchange = with_exchange.then(|| {
            json!({
                "clientPrivate": CLIENT_PAIR[0], "clientPublic": CLIENT_PAIR[1],
                "serverPrivate": SERVER_PAIR[0], "serverPublic": SERVER_PAIR[1], "shared": SHARED,
            })
        });
        // Sequence 0 gives the IV itself.
        let (up, down) = (&keys.client_to_server, &keys.server_to_client);
        json!({
            "name": name,
            "clientNonce": hex(&client_nonce),
            "serverNonce": hex(&server_nonce),
            "clientToServerTokenKey": hex(&client_to_server),
            "serverToClientTokenKey": hex(&server_to_client),
            "x25519": exchange,
            "tokenTag": hex(&token_tag),
            "connectionId": hex(&cid),
            "clientToServerKey": hex(up.key()),
            "clientToServerIv": hex(&up.nonce(0)),
            "serverToClientKey": hex(down.key()),
            "serverToClientIv": hex(&down.nonce(0)),
        })
    });
    check("keys.json", Value::Array(vectors.to_vec()));
}

#[test]
fn nx_packets_are_byte_identical_to_the_golden_vectors() {
    let token = PacketKey::of_token(run(0x60));
    let nx = PacketKey::new(run(0x31), run(0x81));
    let cid = Some(CID.to_bytes());
    let controls = |list: &[Control]| written(list);
    let cases: [Case; 11] = [
        (
            "hello",
            &token,
            7,
            None,
            0x12_3456_789a,
            controls(&[Control::Hello(hello(None))]),
        ),
        (
            "accept",
            &token,
            7,
            None,
            0x9a_0000_0001,
            controls(&[Control::Accept(accept(None))]),
        ),
        ("confirm", &nx, 9, cid, 0, controls(&[Control::Confirm])),
        ("client keep-alive", &nx, 9, cid, 255, vec![]),
        ("payload", &nx, 8, cid, 256, b"hello nx".to_vec()),
        (
            "largest payload",
            &nx,
            8,
            cid,
            0x0100_0000,
            run::<1192>(2).to_vec(),
        ),
        (
            "largest sequence",
            &nx,
            8,
            cid,
            (1 << 62) - 1,
            b"end".to_vec(),
        ),
        (
            "server keep-alive",
            &nx,
            4,
            None,
            0,
            vec![3, 0, 0, 0, 0, 1, 0, 0],
        ),
        ("server payload", &nx, 5, None, 1000, b"snapshot".to_vec()),
        (
            "path challenge",
            &nx,
            7,
            None,
            1001,
            controls(&[Control::PathChallenge(run(1))]),
        ),
        (
            "client goodbye",
            &nx,
            9,
            cid,
            300,
            controls(&[Control::Disconnect]),
        ),
    ];
    let cipher = PacketCipher::new(PROTOCOL_ID);
    let vectors = cases.map(|(name, key, kind, cid, sequence, body)| {
        let envelope = Envelope {
            kind,
            cid,
            sequence,
        };
        let mut out = [0; 1300];
        let length = cipher.seal_packet(key, envelope, &body, &mut out).unwrap();
        json!({
            "name": name,
            "type": kind,
            "protocolId": PROTOCOL_ID.to_string(),
            "key": hex(key.key()),
            "iv": hex(&key.nonce(0)),
            "connectionId": cid.map(|cid| hex(&cid)),
            "sequence": sequence.to_string(),
            "nonce": hex(&key.nonce(sequence)),
            "body": hex(&body),
            "datagram": hex(&out[..length]),
        })
    });
    check("packets.json", Value::Array(vectors.to_vec()));
}

fn written(controls: &[Control]) -> Vec<u8> {
    let mut room = [0; 1200];
    let mut writer = Writer::new(&mut room);
    for control in controls {
        control.write(&mut writer).unwrap();
    }
    let length = writer.written();
    room[..length].to_vec()
}

#[test]
fn control_packets_are_read_as_the_golden_vectors_say() {
    let refusal = Refusal {
        code: Refusal::FULL,
        retry_after_s: 5,
    };
    let point = Some(bytes_of(CLIENT_PAIR[1]));
    let answers = [
        Control::PathResponse(run(1)),
        Control::PathResponse(run(9)),
        Control::RetireCid { number: 2 },
    ];
    let new_cid = Control::NewCid {
        number: 2,
        cid: CID.to_bytes(),
    };
    let mut longer_hello = written(&[Control::Hello(hello(None))]);
    longer_hello[1] += 2;
    longer_hello.extend_from_slice(&[9, 9]);
    let cut = |control: Control| {
        let bytes = written(&[control]);
        bytes[..bytes.len() - 1].to_vec()
    };
    let mut too_long = written(&[Control::RetireCid { number: 1 }]);
    too_long[1] += 1;
    too_long.push(0);
    let mut late = written(&[Control::Confirm]);
    late.extend_from_slice(&[0x0b, 0]);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("hello", written(&[Control::Hello(hello(None))])),
        (
            "hello with X25519",
            written(&[Control::Hello(hello(point))]),
        ),
        ("hello of a later version", longer_hello),
        ("accept", written(&[Control::Accept(accept(None))])),
        (
            "accept with X25519",
            written(&[Control::Accept(accept(point))]),
        ),
        ("answers", written(&answers)),
        ("new connection id", written(&[new_cid])),
        ("path challenge", written(&[Control::PathChallenge(run(1))])),
        ("goodbye", written(&[Control::Disconnect])),
        ("refused", written(&[Control::Refused(refusal)])),
        (
            "an unknown one that is skipped",
            vec![0x80, 3, 1, 2, 3, 3, 0],
        ),
        ("sixteen", [0xff, 0].repeat(16)),
        ("seventeen", [0xff, 0].repeat(17)),
        ("an unknown one behind a known one", late),
        ("type 0", vec![0, 0]),
        ("a type alone", vec![3]),
        ("a length past the end", vec![0x80, 2, 1]),
        ("a hello cut short", cut(Control::Hello(hello(None)))),
        ("flag X25519 without the key", {
            let mut bytes = written(&[Control::Hello(hello(None))]);
            bytes[3] |= 8;
            bytes
        }),
        ("a challenge cut short", vec![6, 7, 1, 2, 3, 4, 5, 6, 7]),
        ("a body too long", too_long),
        ("a confirm with a body", vec![3, 1, 0]),
    ];
    let vectors = cases.into_iter().map(|(name, body)| {
        let (outcome, list) = match Controls::read(&body) {
            Ok(controls) => ("read", controls.map(describe).collect()),
            Err(DropReason::ControlMalformed) => ("malformed", vec![]),
            Err(DropReason::ControlUnknown) => ("ends the flow", vec![]),
            Err(other) => panic!("{other:?}"),
        };
        json!({ "name": name, "body": hex(&body), "outcome": outcome, "controls": list })
    });
    check("controls.json", Value::Array(vectors.collect()));
}

fn describe(control: Control) -> Value {
    let greeting = |name: &str, hello: &Hello, cid: Option<[u8; 8]>| {
        json!({
            "control": name,
            "version": hello.version,
            "flags": hello.flags,
            "maxPayload": hello.max_payload,
            "nonce": hex(&hello.nonce),
            "connectionId": cid.map(|cid| hex(&cid)),
            "x25519": hello.x25519.map(|key| hex(&key)),
        })
    };
    match control {
        Control::Hello(hello) => greeting("HELLO", &hello, None),
        Control::Accept(accept) => greeting("ACCEPT", &accept.hello, Some(accept.cid)),
        Control::Confirm => json!({ "control": "CONFIRM" }),
        Control::NewCid { number, cid } => {
            json!({ "control": "NEW_CID", "number": number, "connectionId": hex(&cid) })
        }
        Control::RetireCid { number } => json!({ "control": "RETIRE_CID", "number": number }),
        Control::PathChallenge(data) => json!({ "control": "PATH_CHALLENGE", "data": hex(&data) }),
        Control::PathResponse(data) => json!({ "control": "PATH_RESPONSE", "data": hex(&data) }),
        Control::Disconnect => json!({ "control": "DISCONNECT" }),
        Control::Refused(refusal) => json!({
            "control": "REFUSED",
            "code": refusal.code,
            "retryAfterSeconds": refusal.retry_after_s,
        }),
    }
}

#[test]
fn steering_is_that_of_the_golden_vectors() {
    let mut vectors = Vec::new();
    for workers in [1u8, 2, 4, 16] {
        for (first, second) in [
            (0x00, 0x4e),
            (0x15, 0x07),
            (0x54, 0xff),
            (0x17, 0x02),
            (0x18, 0x02),
            (0x28, 0x13),
            (0x19, 0x05),
            (0x1a, 0x05),
            (0x1f, 0x01),
        ] {
            for source_hash in [0u32, 5, 0xffff_ffff] {
                let socket = steer(&[first, second, 0], source_hash, workers);
                vectors.push(json!({
                    "workers": workers,
                    "first": first,
                    "second": second,
                    "sourceHash": source_hash,
                    "socket": socket,
                }));
            }
        }
    }
    check("steering.json", Value::Array(vectors));
}
