//! Handshakes under attack: who is charged, who is not.

use std::net::SocketAddr;

use ggscale_transport_core::{AdmissionSettings, DropReason, Rate, Received};

use crate::forge::request_of;
use crate::world::{client_address, World};

pub fn dropped(reason: DropReason) -> Received {
    Received::Dropped(reason)
}

/// Changes settings of server 0 live.
pub fn set(world: &mut World, change: impl FnOnce(&mut AdmissionSettings)) {
    let clock = world.clock();
    let server = &mut world.servers[0].server;
    let mut settings = server.admission().settings();
    change(&mut settings);
    server.set_admission(clock, settings).expect("settings");
    world.drain_server(0);
    world.servers[0].server.check_invariants();
}

pub fn request(world: &mut World, client_id: u64, from: SocketAddr) -> Received {
    let token = world.token(client_id);
    world.inject(from, &request_of(&token))
}

fn ipv6(prefix: u64, host: u16) -> SocketAddr {
    let ip = u128::from(prefix) << 64 | u128::from(host);
    SocketAddr::from((std::net::Ipv6Addr::from(ip), 5_000))
}

#[test]
fn at_the_defaults_250_of_one_prefix_connect_at_once_and_1000_a_second_from_everywhere() {
    let mut world = World::with_server(40, |config| {
        // Nobody answers a challenge here.
        config.admission.max_pending = 5_000;
    });
    for n in 0..250 {
        let received = request(&mut world, n, client_address(n as u16 % 250));
        assert_eq!(received, Received::Consumed);
    }
    // Four seconds, each client of another prefix in turn.
    for n in 250..4_250u64 {
        world.now_us += 1_000;
        let from = client_address((1 + n % 255) as u16 * 256 + (n / 255) as u16);
        assert_eq!(request(&mut world, n, from), Received::Consumed, "{n}");
    }
    world.servers[0].server.check_invariants();
}

#[test]
fn a_prefix_that_has_spent_its_budget_waits_and_others_do_not() {
    let mut world = World::with_server(41, |config| {
        config.admission.handshakes_per_prefix = Some(Rate::new(10, 3));
    });
    for n in 0..3 {
        assert_eq!(
            request(&mut world, n, client_address(n as u16)),
            Received::Consumed
        );
    }
    let late = world.token(3);
    let late_from = client_address(3);
    let refused = world.inject(late_from, &request_of(&late));
    assert_eq!(refused, dropped(DropReason::RatePrefix));
    assert_eq!(
        request(&mut world, 4, client_address(256)),
        Received::Consumed
    );
    // Its mapped spelling is the same prefix.
    let mapped: SocketAddr = "[::ffff:192.168.0.77]:4000".parse().unwrap();
    assert_eq!(
        request(&mut world, 5, mapped),
        dropped(DropReason::RatePrefix)
    );
    // The refused token was not bound: it connects a tenth of a second later.
    world.run_for(100_000);
    world.connect_with(&late, late_from);
}

#[test]
fn asking_again_costs_nothing() {
    let mut world = World::with_server(42, |config| {
        config.admission.handshakes_per_prefix = Some(Rate::new(1, 1));
        config.admission.handshakes = Some(Rate::new(1, 1));
    });
    let token = world.token(1);
    let from = client_address(1);
    for _ in 0..50 {
        assert_eq!(world.inject(from, &request_of(&token)), Received::Consumed);
    }
    // The half-open handshake expires; the token is known, so the second try is free too.
    world.run_for(6_000_000);
    assert_eq!(world.servers[0].server.gauges().pending, 0);
    request(&mut world, 2, client_address(2));
    assert_eq!(world.inject(from, &request_of(&token)), Received::Consumed);
}

#[test]
fn garbage_with_a_victims_address_charges_nobody() {
    let mut world = World::with_server(43, |config| config.admission.token_opens = None);
    let before = world.servers[0].server.admission_gauges();
    let token = world.token(1);
    let mut bad = request_of(&token);
    bad[700] ^= 1;
    for n in 0..2_000u16 {
        let received = world.inject(client_address(n % 256), &bad);
        assert_eq!(received, dropped(DropReason::TokenOpenFailed));
    }
    assert_eq!(world.servers[0].server.admission_gauges(), before);
}

#[test]
fn one_good_token_shown_from_a_victims_prefix_does_not_spend_its_budget() {
    let mut world = World::with_server(44, |config| config.admission.token_opens = None);
    let token = world.token(1);
    world.connect_with(&token, client_address(60_000));
    for n in 0..1_000u16 {
        let received = world.inject(client_address(n % 256), &request_of(&token));
        assert_eq!(received, dropped(DropReason::TokenOtherAddress));
    }
    // A second one, not used before, is bound to the first forged address and to no other.
    let fresh = world.token(2);
    for n in 0..1_000u16 {
        world.inject(client_address(n % 256), &request_of(&fresh));
    }
    set(&mut world, |settings| {
        settings.handshakes_per_prefix = Some(Rate::new(1, 2));
    });
    assert_eq!(
        request(&mut world, 3, client_address(7)),
        Received::Consumed
    );
}

#[test]
fn two_tokens_in_turn_at_a_forged_address_are_charged_once_each() {
    let mut world = World::with_server(45, |config| {
        config.admission.token_opens = None;
        config.admission.handshakes_per_prefix = Some(Rate::new(1, 3));
    });
    let tokens = [world.token(1), world.token(1)];
    for n in 0..1_000 {
        let received = world.inject(client_address(1), &request_of(&tokens[n % 2]));
        assert_eq!(received, Received::Consumed);
    }
    assert_eq!(
        request(&mut world, 2, client_address(2)),
        Received::Consumed
    );
    assert_eq!(
        request(&mut world, 3, client_address(3)),
        dropped(DropReason::RatePrefix)
    );
}

#[test]
fn what_is_refused_later_is_not_charged() {
    let mut world = World::with_server(46, |config| config.token_history = 1);
    request(&mut world, 1, client_address(60_000));
    let before = world.servers[0].server.admission_gauges().handshakes_left;
    let token = world.token(2);
    for n in 0..500 {
        let received = world.inject(client_address(n % 256), &request_of(&token));
        assert_eq!(received, dropped(DropReason::HistoryFull));
    }
    let after = world.servers[0].server.admission_gauges().handshakes_left;
    assert_eq!(before, after);
    for (reason, change) in [
        (
            DropReason::Busy,
            (|s| s.busy = true) as fn(&mut AdmissionSettings),
        ),
        (DropReason::PendingFull, |s| s.max_pending = 1),
        (DropReason::ServerFull, |s| s.max_flows = Some(0)),
    ] {
        set(&mut world, change);
        assert_eq!(
            world.inject(client_address(2), &request_of(&token)),
            dropped(reason)
        );
        set(&mut world, |s| *s = AdmissionSettings::default());
    }
    let after = world.servers[0].server.admission_gauges().handshakes_left;
    assert_eq!(before, after);
}

#[test]
fn requests_that_cannot_be_meant_for_us_do_not_use_up_token_opens() {
    let mut world = World::with_server(47, |config| {
        config.admission.token_opens = Some(Rate::new(1, 1));
    });
    let token = world.token(1);
    let good = request_of(&token);
    let changed = |at: usize| {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        bad
    };
    // version, protocol id, expiry far in the past
    let mut expired = good.clone();
    expired[22..30].fill(0);
    for bad in [&good[..500], &changed(3), &changed(15), &expired] {
        for _ in 0..100 {
            assert!(matches!(
                world.inject(client_address(9), bad),
                Received::Dropped(reason) if reason != DropReason::RateOpens
            ));
        }
    }
    world.connect_with(&token, client_address(1));
}

#[test]
fn under_100_000_bad_requests_a_second_crypto_is_bounded_and_a_player_still_gets_in() {
    let mut world = World::with_server(48, |_| {});
    let (settled, flow) = world.connect(60_000);
    let token = world.token(1);
    let mut bad = request_of(&token);
    bad[700] ^= 1;
    let start_us = world.now_us;
    let player = world.add_client(&token, client_address(1));
    let mut sent = 0;
    // Everything from the player's own prefix, as if it were behind the flood.
    for n in 0..100_000u64 {
        if n % 100 == 0 {
            world.run_until(start_us + n * 10, |_| false);
        }
        if n % 1_000 == 0 {
            world.client_send(settled, b"alive");
            sent += 1;
        }
        world.inject(client_address(n as u16 % 256), &bad);
    }
    world.run_for(20_000);
    let counters = world.servers[0].server.counters();
    let tried = counters.dropped(DropReason::TokenOpenFailed);
    assert!((20_000..=22_000).contains(&tried), "{tried}");
    let unheard = counters.dropped(DropReason::RateOpens);
    assert!(unheard >= 100_000 - tried, "{unheard}");
    assert!(world.clients[player].connected_us.is_some());
    let payloads = &world.servers[0].payloads;
    assert_eq!(payloads.iter().filter(|(of, _)| *of == flow).count(), sent);
    assert_eq!(world.servers[0].server.gauges().pending, 0);
}

#[test]
fn rotating_through_the_64s_of_a_48_meets_the_global_budget() {
    let mut world = World::with_server(49, |config| {
        config.max_flows = 10_000;
        config.admission.handshakes = Some(Rate::new(100, 400));
    });
    let mut accepted = 0;
    // Two seconds at 1,000 tokens a second, each from a /64 of its own.
    for n in 0..2_000u64 {
        world.now_us += 1_000;
        let from = ipv6(0x2001_0db8_0001_0000 | n, 1);
        match request(&mut world, n, from) {
            Received::Consumed => accepted += 1,
            received => assert_eq!(received, dropped(DropReason::RateGlobal)),
        }
    }
    // The budget grows between the first charge and the last: 1,999 ms.
    assert_eq!(accepted, 400 + 199);
    let gauges = world.servers[0].server.admission_gauges();
    assert_eq!(
        (gauges.handshakes_left, gauges.prefixes_evicted),
        (Some(0), 0)
    );
    // Full buckets are forgotten: the table holds the last few only.
    assert!(gauges.prefixes < 30, "{}", gauges.prefixes);
}
