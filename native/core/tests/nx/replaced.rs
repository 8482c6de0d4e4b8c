//! Two connections of one client id that begin within a round trip: the newer one has the place, and
//! the older one's client hears why it lost it, however far it had come.

use ggscale_transport_core::token::TokenNx;
use ggscale_transport_core::{Client, ClientNx, CloseReason, Event, Refusal, ServerNx};

use crate::world::{address, Datagram, World, SERVER};

const PLAYER: u64 = 70;

fn end(reason: CloseReason, code: Option<u16>) -> Event {
    Event::Closed {
        flow: Client::FLOW,
        reason,
        refusal: code.map(|code| Refusal {
            code,
            retry_after_s: 0,
        }),
    }
}

fn opens(world: &World, client: usize) -> usize {
    let events = world.clients[client].events.iter();
    events
        .filter(|event| matches!(event, Event::Opened { .. }))
        .count()
}

/// Two clients of one player whose requests leave at the same moment.
fn dial_twice(world: &mut World, nx: TokenNx, mode: ClientNx) -> (usize, usize) {
    world.traffic = false;
    let tokens = [world.token(PLAYER, nx), world.token(PLAYER, nx)];
    let older = world.dial_with(&tokens[0], PLAYER, |config| config.nx = mode);
    let newer = world.dial_with(&tokens[1], PLAYER, |config| config.nx = mode);
    (older, newer)
}

fn assert_newer_won(world: &World, older: usize, newer: usize, last: &Event) {
    assert_eq!(world.clients[older].events.last(), Some(last));
    assert_eq!(opens(world, newer), 1);
    assert_eq!(world.clients[newer].events.len(), 1, "and is not disturbed");
    assert_eq!(world.workers[0].server.gauges().flows, 1);
    assert_eq!(world.workers[0].flows.len(), 1);
}

#[test]
fn a_flow_replaced_before_its_client_knows_of_it_opens_and_hears_that_it_was_replaced() {
    let mut world = World::new(1);
    let (older, newer) = dial_twice(&mut world, TokenNx::Known, ClientNx::Auto);
    world.run_for(2_000_000);
    assert_eq!(opens(&world, older), 1);
    let last = end(CloseReason::PeerDisconnect, Some(Refusal::REPLACED));
    assert_newer_won(&world, older, newer, &last);
}

#[test]
fn where_nx_is_required_the_keys_are_agreed_on_a_replaced_flow_too() {
    let mut world = World::with_workers(2, 1, |config| config.nx = ServerNx::Require);
    let (older, newer) = dial_twice(&mut world, TokenNx::Required, ClientNx::Require);
    world.run_for(2_000_000);
    assert_eq!(opens(&world, older), 1, "it could be told");
    let last = end(CloseReason::PeerDisconnect, Some(Refusal::REPLACED));
    assert_newer_won(&world, older, newer, &last);
}

#[test]
fn a_replaced_client_that_never_heard_that_it_is_connected_is_denied_with_the_reason() {
    let mut world = World::new(3);
    world.filter = |Datagram { from, to, bytes }| {
        *from == SERVER && *to == address(0) && bytes[0] & 15 == 4 // keep-alives
    };
    let (older, newer) = dial_twice(&mut world, TokenNx::Known, ClientNx::Auto);
    world.run_for(2_000_000);
    assert_eq!(opens(&world, older), 0);
    let last = end(CloseReason::Denied, Some(Refusal::REPLACED));
    assert_newer_won(&world, older, newer, &last);
}

#[test]
fn disconnects_of_which_only_the_last_arrives_say_why_all_the_same() {
    let mut world = World::new(4);
    world.filter = |datagram| datagram.to != SERVER && datagram.kind() == 6;
    let (older, newer) = dial_twice(&mut world, TokenNx::Known, ClientNx::Auto);
    world.run_for(8_000_000);
    let last = end(CloseReason::Timeout, Some(Refusal::REPLACED));
    assert_newer_won(&world, older, newer, &last);
}

#[test]
fn a_client_whose_token_is_silent_is_disconnected_without_a_reason() {
    let mut world = World::new(5);
    let (older, newer) = dial_twice(&mut world, TokenNx::Silent, ClientNx::Off);
    world.run_for(2_000_000);
    let last = end(CloseReason::PeerDisconnect, None);
    assert_newer_won(&world, older, newer, &last);
    assert_eq!(world.workers[0].server.counters().refusals_out, 0);
}

#[test]
fn a_replaced_flow_that_is_not_closed_ends_after_a_second() {
    let mut world = World::new(6);
    let (older, newer) = dial_twice(&mut world, TokenNx::Known, ClientNx::Auto);
    world.run_for(900_000);
    assert_eq!(world.workers[0].flows.len(), 2);
    assert!(world.clients[older].is_open && world.clients[newer].is_open);
    world.run_for(300_000);
    assert_eq!(world.workers[0].flows.len(), 1);
    assert!(!world.clients[older].is_open && world.clients[newer].is_open);
    let gauges = world.workers[0].server.gauges();
    assert_eq!((gauges.flows, gauges.pending), (1, 0));
}
