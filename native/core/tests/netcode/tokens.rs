//! What a connect token is good for: one client, one address, one flow, until it expires.

use ggscale_transport_core::token::{
    create_connect_token, ConnectTokenOptions, PrivateToken, PublicToken, TokenNx,
};
use ggscale_transport_core::{
    Client, ClientConfig, DropReason, Random, Received, Registry, TokenError,
};

use crate::forge::request_of;
use crate::world::{client_address, server_address, World, PRIVATE_KEY, PROTOCOL_ID};

fn dropped(reason: DropReason) -> Received {
    Received::Dropped(reason)
}

#[test]
fn a_token_belongs_to_the_first_address_while_pending_connected_and_after() {
    let mut world = World::with_server(1, |_| {});
    let token = world.token(1);
    let request = request_of(&token);
    let (own, other) = (client_address(1), client_address(2));
    let refused = dropped(DropReason::TokenOtherAddress);
    // pending
    assert_eq!(world.inject(own, &request), Received::Consumed);
    assert_eq!(world.inject(other, &request), refused);
    // connected
    let (client, _) = world.connect_with(&token, own);
    assert_eq!(world.inject(other, &request), refused);
    assert_eq!(
        world.inject(own, &request),
        dropped(DropReason::TokenConsumed)
    );
    // after
    let clock = world.clock();
    world.clients[client].client.close_flow(clock, Client::FLOW);
    world.drain_client(client);
    world.run_for(50_000);
    assert_eq!(world.servers[0].server.gauges().flows, 0);
    assert_eq!(world.inject(other, &request), refused);
    assert_eq!(
        world.inject(own, &request),
        dropped(DropReason::TokenConsumed)
    );
    world.run_for(31_000_000);
    assert_eq!(
        world.inject(own, &request),
        dropped(DropReason::TokenExpired)
    );
}

#[test]
fn a_repeated_request_is_answered_with_another_challenge_and_holds_no_more_memory() {
    let mut world = World::with_server(2, |_| {});
    let token = world.token(1);
    let request = request_of(&token);
    for _ in 0..10 {
        assert_eq!(
            world.inject(client_address(1), &request),
            Received::Consumed
        );
    }
    let gauges = world.servers[0].server.gauges();
    assert_eq!((gauges.pending, gauges.token_history), (1, 1));
    assert_eq!(world.servers[0].server.counters().challenges_out, 10);
    assert_eq!(world.servers[0].server.counters().requests_accepted, 1);
}

#[test]
fn a_half_open_handshake_ends_after_the_timeout_and_may_begin_again() {
    let mut world = World::with_server(3, |_| {});
    let token = world.token(1);
    let request = request_of(&token);
    world.inject(client_address(1), &request);
    world.run_for(4_900_000);
    assert_eq!(world.servers[0].server.gauges().pending, 1);
    world.run_for(200_000);
    assert_eq!(world.servers[0].server.gauges().pending, 0);
    assert_eq!(world.servers[0].server.counters().pending_expired, 1);
    assert_eq!(
        world.inject(client_address(1), &request),
        Received::Consumed
    );
    // a long timeout does not keep it for longer than ten seconds
    let token = world.token_with(2, |options| options.timeout_s = 60);
    world.inject(client_address(2), &request_of(&token));
    world.run_for(10_100_000);
    assert_eq!(world.servers[0].server.gauges().pending, 0);
}

#[test]
fn two_servers_of_one_process_share_the_history() {
    let mut world = World::new(4);
    world.add_server(|_| {});
    world.add_server(|_| {});
    let both = [server_address(0), server_address(1)];
    let token = world.token_with(1, |options| options.server_addresses = both.to_vec());
    world.connect_with(&token, client_address(1));
    world.servers.swap(0, 1);
    let request = request_of(&token);
    assert_eq!(
        world.inject(client_address(1), &request),
        dropped(DropReason::TokenConsumed)
    );
    assert_eq!(
        world.inject(client_address(2), &request),
        dropped(DropReason::TokenOtherAddress)
    );
}

#[test]
fn after_a_restart_old_tokens_are_refused_and_new_ones_are_fine() {
    let lifetime_s = 30;
    let mut world = World::with_server(5, |config| config.max_token_lifetime_s = Some(lifetime_s));
    world.run_for(1_000_000);
    let used = world.token(1);
    world.connect_with(&used, client_address(1));
    let unused = world.token(2);
    // the process dies and starts anew: nothing is remembered
    world.run_for(1_000_000);
    world.servers.clear();
    world.registry = Registry::isolated();
    world.add_server(|config| config.max_token_lifetime_s = Some(lifetime_s));
    let old = dropped(DropReason::TokenBeforeStart);
    assert_eq!(world.inject(client_address(1), &request_of(&used)), old);
    assert_eq!(world.inject(client_address(2), &request_of(&unused)), old);
    world.run_for(1_000_000);
    let fresh = world.token(3);
    world.connect_with(&fresh, client_address(3));
}

/// Both ends forget everything and meet again with the same token, so with the same keys; the world
/// fails when a sequence comes twice between two addresses.
#[test]
fn restarted_endpoints_with_the_same_token_repeat_no_nonce() {
    let mut world = World::with_server(14, |_| {});
    let token = world.token(1);
    for _ in 0..5 {
        let (client, flow) = world.connect_with(&token, client_address(1));
        for _ in 0..100 {
            world.client_send(client, b"in");
            world.server_send(0, flow, b"out");
        }
        world.run_for(1_000_000);
        world.servers.clear();
        world.clients.clear();
        world.registry = Registry::isolated();
        world.add_server(|_| {});
    }
}

#[test]
fn a_restart_within_the_process_remembers_every_token() {
    let mut world = World::with_server(6, |_| {});
    let token = world.token(1);
    world.connect_with(&token, client_address(1));
    world.servers.clear();
    world.add_server(|_| {});
    let refused = world.inject(client_address(1), &request_of(&token));
    assert_eq!(refused, dropped(DropReason::TokenConsumed));
}

#[test]
fn a_full_history_refuses_new_tokens_until_old_ones_expire() {
    let mut world = World::with_server(7, |config| config.token_history = 2);
    world.connect(1);
    world.connect(2);
    let token = world.token_with(3, |options| options.expire_seconds = 60);
    let full = dropped(DropReason::HistoryFull);
    assert_eq!(world.inject(client_address(3), &request_of(&token)), full);
    assert_eq!(world.servers[0].server.gauges().pending, 0);
    world.run_for(31_000_000);
    world.connect_with(&token, client_address(3));
}

#[test]
fn a_server_accepts_only_tokens_that_name_it_and_one_without_addresses_accepts_any() {
    let elsewhere = ["203.0.113.1:9".parse().unwrap()];
    let mut world = World::with_server(8, |_| {});
    let token = world.token_with(1, |options| options.server_addresses = elsewhere.to_vec());
    let request = request_of(&token);
    let refused = dropped(DropReason::TokenWrongServer);
    assert_eq!(world.inject(client_address(1), &request), refused);
    let mut world = World::with_server(9, |config| config.server_addresses.clear());
    assert_eq!(
        world.inject(client_address(1), &request),
        Received::Consumed
    );
}

#[test]
fn a_client_dials_the_public_addresses_and_the_server_checks_the_private_ones() {
    let mut world = World::with_server(10, |config| {
        config.server_addresses = vec!["172.16.0.9:1".parse().unwrap()];
    });
    let (inside, outside) = (["172.16.0.9:1".parse().unwrap()], [server_address(0)]);
    let token = world.token_with(1, |options| {
        options.server_addresses = inside.to_vec();
        options.public_addresses = Some(outside.to_vec());
    });
    world.connect_with(&token, client_address(1));
}

#[test]
fn timeouts_in_tokens_are_clamped_and_negative_ones_refused() {
    for (asked, applied) in [(0, 1), (1, 1), (60, 60), (61, 60), (i32::MAX, 60)] {
        let mut world = World::with_server(11, |_| {});
        let token = world.token_with(1, |options| options.timeout_s = asked);
        world.connect_with(&token, client_address(1));
        let event = &world.servers[0].events[0];
        let ggscale_transport_core::Event::Opened { timeout_s, .. } = event else {
            panic!()
        };
        assert_eq!(*timeout_s, applied);
    }
    let mut world = World::with_server(12, |_| {});
    let token = world.token_with(1, |options| options.timeout_s = -1);
    let refused = dropped(DropReason::TokenTimeout);
    assert_eq!(
        world.inject(client_address(1), &request_of(&token)),
        refused
    );
}

#[test]
fn a_token_of_32_addresses_is_written_and_read_back() {
    let addresses: Vec<_> = (0..32u16)
        .map(|n| match n % 2 {
            0 => format!("192.0.2.{n}:{n}").parse().unwrap(),
            _ => format!("[2001:db8:{n:x}::ffff]:{n}").parse().unwrap(),
        })
        .collect();
    let options = ConnectTokenOptions {
        protocol_id: PROTOCOL_ID,
        private_key: &PRIVATE_KEY,
        client_id: u64::MAX,
        server_addresses: &addresses,
        public_addresses: None,
        create_timestamp: 5,
        expire_seconds: 10,
        timeout_s: -1,
        user_data: &[7; 256],
        nx: TokenNx::Known,
    };
    let random = &mut Random::from_number(1);
    let token = create_connect_token(&options, random).unwrap();
    let public = PublicToken::read(&token).unwrap();
    assert_eq!(public.server_addresses.as_slice(), addresses);
    assert_eq!((public.create_timestamp, public.expire_timestamp), (5, 15));
    let mut private = public.private_data;
    let open = |private: &mut [u8; 1024], id, expire| {
        PrivateToken::open(private, id, expire, &public.nonce, &PRIVATE_KEY)
    };
    let opened = open(&mut private, PROTOCOL_ID, 15).unwrap();
    assert_eq!(opened.server_addresses.as_slice(), addresses);
    assert_eq!(
        (opened.client_id, opened.timeout_s, opened.user_data),
        (u64::MAX, -1, [7; 256])
    );
    assert_eq!(opened.client_to_server_key, public.client_to_server_key);
    // the private part is bound to protocol id and expiry
    let mut copy = public.private_data;
    assert!(matches!(
        open(&mut copy, PROTOCOL_ID + 1, 15),
        Err(TokenError::Open)
    ));
    let mut copy = public.private_data;
    assert!(matches!(
        open(&mut copy, PROTOCOL_ID, 16),
        Err(TokenError::Open)
    ));

    let make = |change: fn(&mut ConnectTokenOptions)| {
        let mut options = options.clone();
        change(&mut options);
        create_connect_token(&options, &mut Random::from_number(1)).map(|_| ())
    };
    assert_eq!(
        make(|o| o.server_addresses = &[]),
        Err(TokenError::AddressCount)
    );
    assert_eq!(
        make(|o| o.expire_seconds = u64::MAX),
        Err(TokenError::Times)
    );
    let one_more = [addresses.clone(), addresses[..1].to_vec()].concat();
    let many = ConnectTokenOptions {
        server_addresses: &one_more,
        ..options.clone()
    };
    assert_eq!(
        create_connect_token(&many, random).map(|_| ()),
        Err(TokenError::AddressCount)
    );
}

#[test]
fn a_malformed_token_never_makes_a_client() {
    let mut world = World::new(13);
    let token = world.token(1);
    let clock = world.clock();
    let make = |token: &[u8]| {
        let config = ClientConfig::new(Random::from_number(1));
        Client::new(config, token, clock).err()
    };
    assert_eq!(make(&token), None);
    for length in [0, 1, 13, 1078, 2047, 2049] {
        let mut copy = token.clone();
        copy.resize(length, 0);
        assert_eq!(make(&copy), Some(TokenError::Length), "{length}");
    }
    let changed = |at: usize, value: u8| {
        let mut copy = token.clone();
        copy[at] = value;
        make(&copy)
    };
    assert_eq!(changed(12, 1), Some(TokenError::Version));
    assert_eq!(changed(36, 0xff), None);
    assert_eq!(changed(28, 0xff), Some(TokenError::Times));
    // 61 + 1024 private, then timeout, count, first address type
    assert_eq!(changed(1089, 0), Some(TokenError::AddressCount));
    assert_eq!(changed(1089, 33), Some(TokenError::AddressCount));
    assert_eq!(changed(1092, 0xff), Some(TokenError::AddressCount));
    assert_eq!(changed(1093, 0), Some(TokenError::AddressType));
    assert_eq!(changed(1093, 3), Some(TokenError::AddressType));
    // no byte of garbage panics
    let mut random = Random::from_number(2);
    for _ in 0..20_000 {
        let mut copy = token.clone();
        let at = (random.next_u64() % 1400) as usize;
        copy[at] = random.next_u64() as u8;
        make(&copy);
    }
}
