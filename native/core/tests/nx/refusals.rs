//! Why a server sends a client away, told ahead of the denial.

use ggscale_transport_core::token::{PublicToken, TokenNx};
use ggscale_transport_core::{Client, CloseReason, DropReason, Event, Received, Refusal};

use crate::forge::sealed;
use crate::world::{address, World, SERVER};

#[test]
fn a_full_server_says_so_and_when_to_come_back() {
    let mut world = World::with_workers(1, 1, |config| config.max_flows = 1);
    world.connect();
    world.sent = Some(Vec::new());
    let second = world.dial(|_| {});
    world.run_for(300_000);
    let closed = Event::Closed {
        flow: Client::FLOW,
        reason: CloseReason::Denied,
        refusal: Some(Refusal {
            code: Refusal::FULL,
            retry_after_s: 5,
        }),
    };
    assert_eq!(world.clients[second].events, [closed]);
    let there = world.clients[second].address;
    let sent = world.sent.take().unwrap();
    let answers: Vec<_> = sent.iter().filter(|d| d.to == there).collect();
    assert_eq!(answers.iter().map(|d| d.kind()).collect::<Vec<_>>(), [7, 1]);
    let bytes: usize = answers.iter().map(|d| d.bytes.len()).sum();
    assert!(bytes < 100, "smaller than a request or response: {bytes}");
}

#[test]
fn a_client_whose_token_is_silent_gets_the_denial_alone() {
    let mut world = World::with_workers(2, 1, |config| config.max_flows = 1);
    world.connect();
    let token = world.token(9, TokenNx::Silent);
    let second = world.dial_with(&token, 9, |_| {});
    world.run_for(300_000);
    let closed = Event::Closed {
        flow: Client::FLOW,
        reason: CloseReason::Denied,
        refusal: None,
    };
    assert_eq!(world.clients[second].events, [closed]);
    assert_eq!(world.workers[0].server.counters().refusals_out, 0);
}

#[test]
fn a_refusal_alone_ends_nothing_and_does_not_move_the_window() {
    let mut world = World::new(3);
    let token = world.token(0, TokenNx::Known);
    let client = world.dial_with(&token, 0, |_| {});
    let key = PublicToken::read(&token).unwrap().server_to_client_key;
    let refusal = sealed(&key, 7, (1 << 63) + 5, &[10, 4, 1, 0, 9, 0]);
    assert_eq!(
        world.inject_client(client, SERVER, &refusal),
        Received::Consumed
    );
    let accept = sealed(&key, 7, (1 << 63) + 6, &[3, 0]);
    let received = world.inject_client(client, SERVER, &accept);
    assert_eq!(received, Received::Dropped(DropReason::ControlUnexpected));
    world.run_for(500_000);
    assert!(world.is_nx(client), "connects all the same");
    assert_eq!(world.clients[client].client.counters().refusals_in, 1);
    assert_ne!(world.clients[client].address, address(1));
}

#[test]
fn a_refusal_that_was_overtaken_by_an_open_flow_is_not_why_that_flow_ends() {
    let mut world = World::new(4);
    let token = world.token(0, TokenNx::Known);
    let client = world.dial_with(&token, 0, |_| {});
    let key = PublicToken::read(&token).unwrap().server_to_client_key;
    let refusal = sealed(&key, 7, (1 << 63) + 5, &[10, 4, 1, 0, 9, 0]);
    world.inject_client(client, SERVER, &refusal);
    world.run_for(500_000);
    assert!(world.is_nx(client));
    let clock = world.clock();
    world.clients[client].client.close_flow(clock, Client::FLOW);
    world.drain_client(client);
    let closed = Event::Closed {
        flow: Client::FLOW,
        reason: CloseReason::Local,
        refusal: None,
    };
    assert_eq!(world.clients[client].events.last(), Some(&closed));
}
