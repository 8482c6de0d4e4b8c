//! Every reason to drop a datagram can be reached, and reaching it counts once and changes nothing
//! else.

use ggscale_transport_core::token::PublicToken;
use ggscale_transport_core::{
    AdmissionSettings, Client, ClientNx, Counters, DropReason, Rate, Received, ServerNx,
};

use crate::forge::{opened, request, request_of, request_with_addresses, sealed};
use crate::world::{
    client_address, server_address, World, PRIVATE_KEY, PROTOCOL_ID, SEQUENCE, UNIX_S,
};

#[test]
fn every_drop_reason_is_reached_and_counted() {
    for reason in DropReason::ALL {
        let (received, before, after) = reach(*reason);
        assert_eq!(received, Received::Dropped(*reason));
        assert_eq!(
            after.dropped(*reason),
            before.dropped(*reason) + 1,
            "{}",
            reason.name()
        );
        assert_eq!(after.datagrams_in, before.datagrams_in + 1);
        let sums = after.payloads_in + after.consumed + after.dropped_total();
        assert_eq!(after.datagrams_in, sums);
    }
}

/// The last datagram's fate, with the counters before and after it.
type Reached = (Received, Counters, Counters);

/// A match without a wildcard: a new reason does not compile before it has a case here.
fn reach(reason: DropReason) -> Reached {
    use DropReason as R;
    match reason {
        R::TooShort => on_flow(|_| vec![0x15; 17]),
        R::TooLong => on_flow(|_| vec![0x15; 1226]),
        R::BadPrefix => on_flow(|_| vec![0x95; 40]),
        R::UnexpectedType => on_flow(|key| sealed(key, 2, SEQUENCE, &[0; 308])),
        R::UnknownAddress => {
            let mut world = World::with_server(1, |_| {});
            server(&mut world, 9, &[0x15; 40])
        }
        R::Replayed => on_flow_twice(|key| sealed(key, 5, SEQUENCE, b"again")),
        R::OpenFailed => on_flow(|_| sealed(&[1; 32], 5, SEQUENCE, b"x")),
        R::UnknownType => on_flow(|key| sealed(key, 7, SEQUENCE, b"later")),
        R::BodyLength => on_flow(|key| sealed(key, 4, SEQUENCE, &[0; 7])),
        R::PayloadEmpty => on_flow(|key| sealed(key, 5, SEQUENCE, &[])),
        R::PayloadTooLarge => on_flow(|key| sealed(key, 5, SEQUENCE, &[0; 1201])),
        R::Grease => on_flow(|_| vec![0x1a; 40]),
        R::CidUnknown => on_flow(|_| vec![0x18; 40]),
        R::NxRequired
        | R::TokenKeyLate
        | R::ControlMalformed
        | R::ControlUnknown
        | R::ControlUnexpected => reach_nx(reason),
        R::WrongSource | R::WrongState | R::FlowClosed => reach_client(reason),
        R::Blocked | R::FlowPacketRate | R::FlowByteRate => reach_flow_limit(reason),
        R::NotConnected
        | R::ChallengeOpenFailed
        | R::ChallengeExpired
        | R::ChallengeMismatch
        | R::ResponseRepeated => reach_handshake(reason),
        _ => reach_request(reason),
    }
}

fn server(world: &mut World, client: u16, bytes: &[u8]) -> Reached {
    let before = world.servers[0].server.counters().clone();
    let received = world.inject(client_address(client), bytes);
    world.servers[0].server.check_invariants();
    (received, before, world.servers[0].server.counters().clone())
}

/// A world with client 1 connected, and the key it sends with.
fn connected() -> (World, [u8; 32]) {
    let mut world = World::with_server(1, |_| {});
    world.has_forger = true;
    let token = world.token(1);
    world.connect_with(&token, client_address(1));
    let key = PublicToken::read(&token).unwrap().client_to_server_key;
    (world, key)
}

fn on_flow(make: impl Fn(&[u8; 32]) -> Vec<u8>) -> Reached {
    let (mut world, key) = connected();
    server(&mut world, 1, &make(&key))
}

fn on_flow_twice(make: impl Fn(&[u8; 32]) -> Vec<u8>) -> Reached {
    let (mut world, key) = connected();
    let datagram = make(&key);
    assert!(matches!(
        world.inject(client_address(1), &datagram),
        Received::Payload { .. }
    ));
    server(&mut world, 1, &datagram)
}

fn reach_nx(reason: DropReason) -> Reached {
    use DropReason as R;
    let mut world = World::with_server(1, |config| {
        config.nx = match reason {
            R::NxRequired => ServerNx::Require,
            _ => ServerNx::Allow,
        };
    });
    world.has_forger = true;
    if reason == R::TokenKeyLate {
        world.client_nx = ClientNx::Auto;
    }
    let token = world.token(1);
    world.connect_with(&token, client_address(1));
    let key = PublicToken::read(&token).unwrap().client_to_server_key;
    world.run_for(2_000_000);
    let (kind, body) = match reason {
        R::ControlMalformed => (7, &[1, 9][..]),
        R::ControlUnknown => (7, &[0x40, 0][..]),
        R::ControlUnexpected => (7, &[3, 0][..]),
        _ => (5, &b"x"[..]),
    };
    server(&mut world, 1, &sealed(&key, kind, SEQUENCE, body))
}

fn reach_request(reason: DropReason) -> Reached {
    use DropReason as R;
    let mut world = World::with_server(1, |config| match reason {
        R::TokenBeforeStart | R::TokenLifetime => config.max_token_lifetime_s = Some(30),
        R::HistoryFull => config.token_history = 1,
        R::PendingFull => config.admission.max_pending = 1,
        R::ServerFull | R::DenialsFull => config.max_flows = 1,
        R::Busy => config.admission.busy = true,
        R::RateOpens => config.admission.token_opens = Some(Rate::new(1, 1)),
        R::RatePrefix => config.admission.handshakes_per_prefix = Some(Rate::new(1, 1)),
        R::RateGlobal => config.admission.handshakes = Some(Rate::new(1, 1)),
        _ => {}
    });
    let token = world.token(2);
    let datagram = request_of(&token);
    let with_byte = |at: usize, value: u8| {
        let mut changed = datagram.clone();
        changed[at] = value;
        changed
    };
    let expire = UNIX_S + 30;
    match reason {
        R::RequestLength => server(&mut world, 2, &datagram[..1077]),
        R::RequestVersion => server(&mut world, 2, &with_byte(12, b'3')),
        R::RequestProtocolId => server(&mut world, 2, &with_byte(14, 0)),
        R::TokenExpired => server(
            &mut world,
            2,
            &request(&[], UNIX_S, PROTOCOL_ID, &PRIVATE_KEY),
        ),
        R::TokenBeforeStart => server(&mut world, 2, &datagram),
        R::TokenLifetime => server(
            &mut world,
            2,
            &request(&[], expire + 1, PROTOCOL_ID, &PRIVATE_KEY),
        ),
        R::TokenOpenFailed => server(&mut world, 2, &with_byte(700, datagram[700] ^ 1)),
        R::TokenMalformed => server(&mut world, 2, &request_with_addresses(33, 1, expire)),
        R::TokenTimeout => {
            let token = world.token_with(2, |options| options.timeout_s = -1);
            server(&mut world, 2, &request_of(&token))
        }
        R::TokenWrongServer => {
            let other = [server_address(5)];
            let token = world.token_with(2, |options| options.server_addresses = other.to_vec());
            server(&mut world, 2, &request_of(&token))
        }
        R::AddressConnected => {
            world.connect(1);
            server(&mut world, 1, &datagram)
        }
        R::AddressPending => {
            let first = world.token(1);
            world.inject(client_address(1), &request_of(&first));
            server(&mut world, 1, &datagram)
        }
        R::TokenOtherAddress => {
            world.inject(client_address(1), &datagram);
            server(&mut world, 2, &datagram)
        }
        R::TokenConsumed => {
            world.connect_with(&token, client_address(2));
            server(&mut world, 2, &datagram)
        }
        R::Busy => server(&mut world, 2, &datagram),
        R::HistoryFull | R::PendingFull | R::RateOpens | R::RatePrefix | R::RateGlobal => {
            let first = world.token(1);
            world.inject(client_address(1), &request_of(&first));
            server(&mut world, 2, &datagram)
        }
        R::ServerFull => {
            world.connect(1);
            server(&mut world, 2, &datagram)
        }
        R::DenialsFull => flood_of_denials(&mut world, &datagram),
        _ => unreachable!("{reason:?} belongs elsewhere"),
    }
}

/// On a flow whose first packet after the change took all it may.
fn reach_flow_limit(reason: DropReason) -> Reached {
    let (mut world, key) = connected();
    let clock = world.clock();
    let mut settings = AdmissionSettings::default();
    match reason {
        DropReason::Blocked => settings.blocked = vec!["192.168.0.1".parse().unwrap()],
        DropReason::FlowPacketRate => settings.packets_per_flow = Some(Rate::new(1, 1)),
        _ => settings.bytes_per_flow = Some(Rate::new(1, 1400)),
    }
    let node = &mut world.servers[0].server;
    node.set_admission(clock, settings).unwrap();
    if reason != DropReason::Blocked {
        let large = sealed(&key, 5, SEQUENCE, &[0; 1200]);
        world.inject(client_address(1), &large);
    }
    server(&mut world, 1, &sealed(&key, 5, SEQUENCE + 1, &[0; 1000]))
}

/// Without draining the outbox in between.
fn flood_of_denials(world: &mut World, datagram: &[u8]) -> Reached {
    world.connect(1);
    let clock = world.clock();
    let path = ggscale_transport_core::Path {
        remote: client_address(2),
        local: None,
    };
    let server = &mut world.servers[0].server;
    let mut last = (Received::Consumed, Counters::default(), Counters::default());
    for _ in 0..257 {
        let before = server.counters().clone();
        let received = server.handle_datagram(clock, path, &mut datagram.to_vec());
        last = (received, before, server.counters().clone());
    }
    server.check_invariants();
    last
}

fn reach_handshake(reason: DropReason) -> Reached {
    let mut world = World::with_server(1, |_| {});
    let token = world.token(1);
    let keys = PublicToken::read(&token).unwrap();
    let key = keys.client_to_server_key;
    if reason == DropReason::ResponseRepeated {
        world.connect_with(&token, client_address(1));
        return server(&mut world, 1, &sealed(&key, 3, SEQUENCE, &[0; 308]));
    }
    let challenge = challenge_for(&mut world, 1, &token);
    match reason {
        DropReason::NotConnected => server(&mut world, 1, &sealed(&key, 5, SEQUENCE, b"early")),
        DropReason::ChallengeOpenFailed => {
            server(&mut world, 1, &sealed(&key, 3, SEQUENCE, &[0; 308]))
        }
        DropReason::ChallengeExpired => {
            world.run_for(5_100_000);
            challenge_for(&mut world, 1, &token);
            world.run_for(4_950_000);
            server(&mut world, 1, &sealed(&key, 3, SEQUENCE, &challenge))
        }
        DropReason::ChallengeMismatch => {
            let other = world.token(2);
            let stolen = challenge_for(&mut world, 2, &other);
            server(&mut world, 1, &sealed(&key, 3, SEQUENCE, &stolen))
        }
        _ => unreachable!("{reason:?} belongs elsewhere"),
    }
}

/// Requests with this token and returns the body of the challenge.
fn challenge_for(world: &mut World, client: u16, token: &[u8]) -> Vec<u8> {
    world.sent = Some(Vec::new());
    assert_eq!(
        world.inject(client_address(client), &request_of(token)),
        Received::Consumed
    );
    let sent = world.sent.take().unwrap();
    let key = PublicToken::read(token).unwrap().server_to_client_key;
    opened(&key, &sent[0].bytes).expect("a challenge")
}

fn reach_client(reason: DropReason) -> Reached {
    let mut world = World::with_server(1, |_| {});
    let token = world.token(1);
    let key = PublicToken::read(&token).unwrap().server_to_client_key;
    let (client, _) = world.connect_with(&token, client_address(1));
    let clock = world.clock();
    let payload = sealed(&key, 5, SEQUENCE, b"x");
    let challenge = sealed(&key, 2, SEQUENCE, &[0; 308]);
    let before = world.clients[client].client.counters().clone();
    let received = match reason {
        DropReason::WrongSource => world.inject_client(client, client_address(9), &payload),
        DropReason::WrongState => world.inject_client(client, server_address(0), &challenge),
        _ => {
            world.clients[client].client.close_flow(clock, Client::FLOW);
            world.inject_client(client, server_address(0), &payload)
        }
    };
    (
        received,
        before,
        world.clients[client].client.counters().clone(),
    )
}
