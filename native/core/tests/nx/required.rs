//! Where NX is required: nothing passes without it, and nobody waits for ever.

use ggscale_transport_core::token::TokenNx;
use ggscale_transport_core::{
    Client, ClientConfig, ClientNx, CloseReason, DropReason, Event, Random, Refusal, ServerNx,
    TokenError, HEADROOM,
};

use crate::world::{World, SERVER};

fn reason_at_client(world: &World, client: usize) -> Option<CloseReason> {
    let events = &world.clients[client].events;
    events.iter().find_map(|event| match event {
        Event::Closed { reason, .. } => Some(*reason),
        _ => None,
    })
}

fn reason_at_server(world: &World) -> Option<CloseReason> {
    let events = &world.workers[0].events;
    events.iter().find_map(|event| match event {
        Event::Closed { reason, .. } => Some(*reason),
        _ => None,
    })
}

#[test]
fn a_server_that_requires_nx_takes_no_payload_without_it_and_ends_the_flow_in_three_seconds() {
    let mut world = World::with_workers(1, 1, |config| config.nx = ServerNx::Require);
    let client = world.dial(|config| config.nx = ClientNx::Off);
    world.run_for(2_500_000);
    assert!(world.clients[client].is_open);
    world.run_for(1_000_000);
    assert_eq!(reason_at_server(&world), Some(CloseReason::NxRequired));
    assert_eq!(
        reason_at_client(&world, client),
        Some(CloseReason::PeerDisconnect)
    );
    let node = &world.clients[client];
    assert!(node.arrived.is_empty() && node.received.is_empty());
    let counters = world.workers[0].server.counters();
    assert!(counters.dropped(DropReason::NxRequired) > 100);
    assert_eq!(counters.nx_required_closed, 1);
    assert!(counters.seal_refused > 100);
}

#[test]
fn a_client_that_requires_nx_opens_nothing_without_it_and_gives_up_in_three_seconds() {
    let mut world = World::with_workers(2, 1, |config| config.nx = ServerNx::Off);
    let client = world.dial(|config| config.nx = ClientNx::Require);
    world.run_for(2_900_000);
    assert!(!world.clients[client].is_open);
    assert_eq!(reason_at_client(&world, client), None);
    let clock = world.clock();
    let mut buffer = [0; HEADROOM + 10 + 16];
    let node = &mut world.clients[client];
    assert!(node
        .client
        .seal_payload(clock, Client::FLOW, &mut buffer, HEADROOM, 10)
        .is_err());
    world.run_for(500_000);
    assert_eq!(
        reason_at_client(&world, client),
        Some(CloseReason::NxRequired)
    );
    assert_eq!(reason_at_server(&world), Some(CloseReason::PeerDisconnect));
    let counters = world.clients[client].client.counters();
    assert!(counters.dropped(DropReason::NxRequired) > 50);
    assert!(world.clients[client].received.is_empty());
}

#[test]
fn a_token_that_requires_nx_makes_both_ends_require_it() {
    let mut world = World::new(3);
    world.sent = Some(Vec::new());
    let token = world.token(7, TokenNx::Required);
    let client = world.dial_with(&token, 7, |_| {});
    world.run_for(1_000_000);
    assert!(world.is_nx(client) && world.clients[client].is_open);
    // No payload ever went under the token's keys.
    let sent = world.sent.take().unwrap();
    assert!(!sent.iter().any(|d| d.kind() == 5 && d.to == SERVER));
    assert!(world.clients[client].received.len() > 30);
    let config = |nx| {
        let mut config = ClientConfig::new(Random::from_number(1));
        config.nx = nx;
        config
    };
    let refused = Client::new(config(ClientNx::Off), &token, world.clock());
    assert_eq!(refused.err(), Some(TokenError::NxRequired));
}

/// The public part as an old backend would write it.
fn without_capability(token: &[u8]) -> Vec<u8> {
    let mut token = token.to_vec();
    let at = token
        .windows(4)
        .rposition(|bytes| bytes == b"GGNX")
        .unwrap();
    token[at..at + 8].fill(0);
    token
}

#[test]
fn a_client_without_nx_and_a_token_that_requires_it_end_at_the_server() {
    let mut world = World::new(4);
    // A client of another kind, which does not look at the padding.
    let required = world.token(7, TokenNx::Required);
    let token = without_capability(&required);
    let client = world.dial_with(&token, 7, |config| config.nx = ClientNx::Off);
    world.run_for(4_000_000);
    assert_eq!(reason_at_server(&world), Some(CloseReason::NxRequired));
    assert!(world.clients[client].arrived.is_empty());
}

#[test]
fn a_token_that_requires_a_newer_version_gets_in_nowhere() {
    let mut world = World::new(6);
    let token = world.token(7, TokenNx::RequiredNewer);
    let config = ClientConfig::new(Random::from_number(1));
    let refused = Client::new(config, &token, world.clock());
    assert_eq!(refused.err(), Some(TokenError::NxRequired));
    // A client that does not look at the padding is sent away by the server.
    let silent = without_capability(&token);
    let client = world.dial_with(&silent, 7, |config| config.nx = ClientNx::Off);
    world.run_for(500_000);
    let reason = reason_at_client(&world, client);
    assert_eq!(reason, Some(CloseReason::Denied));
    assert_eq!(world.workers[0].server.counters().opened, 0);
}

#[test]
fn a_server_without_nx_sends_away_who_must_have_it() {
    let mut world = World::with_workers(5, 1, |config| config.nx = ServerNx::Off);
    let token = world.token(7, TokenNx::Required);
    let client = world.dial_with(&token, 7, |_| {});
    world.run_for(1_000_000);
    let closed = Event::Closed {
        flow: Client::FLOW,
        reason: CloseReason::Denied,
        refusal: Some(Refusal {
            code: Refusal::NX_REQUIRED,
            retry_after_s: 0,
        }),
    };
    assert_eq!(world.clients[client].events, [closed]);
    let counters = world.workers[0].server.counters();
    assert_eq!(counters.dropped(DropReason::NxRequired), 1);
    assert_eq!(counters.opened, 0);
}
