//! Settings that change while there are flows and handshakes, and the limits of flows.

use ggscale_transport_core::token::PublicToken;
use ggscale_transport_core::{
    AdmissionError, AdmissionSettings, Client, CloseReason, DropReason, Event, Rate, Received,
};

use crate::admission::{dropped, request, set};
use crate::forge::{request_of, sealed};
use crate::hostile::victim;
use crate::world::{client_address, World, SEQUENCE};

#[test]
fn blocked_sources_are_not_heard_and_their_flows_end_in_silence() {
    let mut world = World::with_server(50, |_| {});
    let (client, flow) = world.connect(1);
    let (other, other_flow) = world.connect(300);
    let half_open = world.token(2);
    world.inject(client_address(2), &request_of(&half_open));
    world.sent = Some(Vec::new());
    set(&mut world, |s| {
        s.blocked = vec!["::ffff:192.168.0.0/120".parse().unwrap()];
    });
    let node = &world.servers[0];
    assert_eq!(
        node.events.last(),
        Some(&Event::Closed {
            flow,
            reason: CloseReason::Blocked,
            refusal: None
        })
    );
    let counters = node.server.counters();
    assert_eq!((counters.flows_blocked, counters.pending_blocked), (1, 1));
    assert_eq!(
        (node.server.gauges().flows, node.server.gauges().pending),
        (1, 0)
    );
    assert!(world.sent.take().unwrap().is_empty(), "nothing goes there");
    world.client_send(client, b"hello?");
    world.client_send(other, b"hello");
    world.run_for(20_000);
    assert_eq!(world.servers[0].payloads, [(other_flow, b"hello".to_vec())]);
    assert!(
        world.servers[0]
            .server
            .counters()
            .dropped(DropReason::Blocked)
            > 0
    );
    let again = request(&mut world, 3, client_address(3));
    assert_eq!(again, dropped(DropReason::Blocked));
    set(&mut world, |s| s.blocked.clear());
    world.connect(4);
}

#[test]
fn blocking_what_is_already_ending_reports_it_once() {
    let mut world = World::with_server(51, |_| {});
    let (_, replaced) = world.connect(1);
    let token = world.token(1);
    world.connect_with(&token, client_address(9));
    let (_, closing) = world.connect(2);
    let clock = world.clock();
    world.servers[0].server.close_flow(clock, closing);
    // Its disconnects have not been polled yet.
    let everything = vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()];
    set(&mut world, |s| s.blocked = everything);
    world.run_for(2_000_000);
    for flow in [replaced, closing] {
        let closed = world.servers[0].events.iter();
        let count = closed.filter(|e| matches!(e, Event::Closed { flow: of, .. } if *of == flow));
        assert_eq!(count.count(), 1);
    }
    assert_eq!(world.servers[0].server.gauges().flows, 0);
}

#[test]
fn a_busy_server_denies_strangers_and_lets_its_players_come_again() {
    let mut world = World::with_server(52, |_| {});
    let token = world.token(3);
    let challenged = world.add_client(&token, client_address(3));
    world.run_for(15_000); // its challenge is on the way
    assert_eq!(world.servers[0].server.gauges().pending, 1);
    world.connect(1);
    set(&mut world, |s| s.busy = true);
    assert!(world.servers[0].server.gauges().busy);
    let stranger = request(&mut world, 2, client_address(2));
    assert_eq!(stranger, dropped(DropReason::Busy));
    let denials = world.servers[0].server.counters().denials_out;
    assert_eq!(denials, 1);
    let again = world.token(1);
    world.connect_with(&again, client_address(77));
    assert!(world.clients[challenged].connected_us.is_some());
    // A response is answered like a request.
    set(&mut world, |s| s.busy = false);
    let late = world.token(4);
    let late = world.add_client(&late, client_address(4));
    world.run_for(15_000);
    set(&mut world, |s| s.busy = true);
    world.run_for(100_000);
    assert_eq!(world.clients[late].connected_us, None);
    assert!(world.servers[0].server.counters().dropped(DropReason::Busy) >= 2);
}

#[test]
fn half_open_handshakes_may_finish_when_their_cap_is_lowered() {
    let mut world = World::with_server(53, |_| {});
    let clients: Vec<usize> = (0..5)
        .map(|n| {
            let token = world.token(n);
            world.add_client(&token, client_address(n as u16))
        })
        .collect();
    world.run_for(15_000);
    assert_eq!(world.servers[0].server.gauges().pending, 5);
    set(&mut world, |s| s.max_pending = 2);
    let late = world.token(9);
    let refused = world.inject(client_address(9), &request_of(&late));
    assert_eq!(refused, dropped(DropReason::PendingFull));
    world.run_for(100_000);
    assert!(clients
        .iter()
        .all(|n| world.clients[*n].connected_us.is_some()));
    assert_eq!(world.servers[0].server.gauges().pending, 0);
    for n in 0..2 {
        assert_eq!(
            request(&mut world, 20 + n, client_address(20 + n as u16)),
            Received::Consumed
        );
    }
    let refused = world.inject(client_address(9), &request_of(&late));
    assert_eq!(refused, dropped(DropReason::PendingFull));
    set(&mut world, |s| s.max_pending = 3);
    assert_eq!(
        world.inject(client_address(9), &request_of(&late)),
        Received::Consumed
    );
    // What nobody answers still expires, cap or not.
    set(&mut world, |s| s.max_pending = 1);
    world.run_for(6_000_000);
    assert_eq!(world.servers[0].server.gauges().pending, 0);
}

#[test]
fn lowering_max_flows_sends_nobody_away() {
    let mut world = World::with_server(54, |config| config.max_flows = 4);
    world.connect(1);
    world.connect(2);
    set(&mut world, |s| s.max_flows = Some(1));
    world.run_for(100_000);
    let gauges = world.servers[0].server.gauges();
    assert_eq!((gauges.flows, gauges.max_flows), (2, 1));
    assert_eq!(
        request(&mut world, 3, client_address(3)),
        dropped(DropReason::ServerFull)
    );
    let again = world.token(1);
    world.connect_with(&again, client_address(7));
    let clock = world.clock();
    let refused = AdmissionSettings {
        max_flows: Some(5),
        ..AdmissionSettings::default()
    };
    let server = &mut world.servers[0].server;
    let error = server.set_admission(clock, refused).unwrap_err();
    assert_eq!(error, AdmissionError::MaxFlows { capacity: 4 });
    assert_eq!(server.admission().settings().max_flows, Some(1));
    set(&mut world, |s| s.max_flows = None);
    world.connect(3);
}

#[test]
fn forged_and_replayed_packets_do_not_spend_a_flows_budget() {
    let mut victim = victim(55);
    let limits = |s: &mut AdmissionSettings| s.packets_per_flow = Some(Rate::new(1, 2));
    let good = sealed(&victim.keys.0, 5, SEQUENCE, b"good");
    let world = &mut victim.world;
    let accepted = world.inject(client_address(1), &good);
    assert!(matches!(accepted, Received::Payload { .. }));
    set(world, limits);
    // What was spent before the limit is paid back by then.
    world.now_us += 2_000_000;
    for n in 0..1_000u64 {
        let forged = sealed(&[1; 32], 5, SEQUENCE + 10 + n, b"bad");
        let received = world.inject(client_address(1), &forged);
        assert_eq!(received, dropped(DropReason::OpenFailed));
        let received = world.inject(client_address(1), &good);
        assert_eq!(received, dropped(DropReason::Replayed));
    }
    for n in 1..=2 {
        let packet = sealed(&victim.keys.0, 5, SEQUENCE + n, b"mine");
        let received = victim.world.inject(client_address(1), &packet);
        assert!(matches!(received, Received::Payload { .. }), "{n}");
    }
}

#[test]
fn a_flow_beyond_its_rate_stays_alive_and_its_goodbye_is_heard() {
    let mut world = World::with_server(56, |config| {
        config.admission.packets_per_flow = Some(Rate::new(5, 5));
    });
    let (client, flow) = world.connect(1);
    for _ in 0..1_000 {
        world.client_send(client, b"again");
        world.run_for(10_000);
    }
    // 5 a second for 10 s, and the burst.
    let heard = world.servers[0].payloads.len();
    assert!((40..=60).contains(&heard), "{heard}");
    assert!(world.servers[0].server.flow_stats(flow).is_some());
    let clock = world.clock();
    world.clients[client].client.close_flow(clock, Client::FLOW);
    world.drain_client(client);
    world.run_for(20_000);
    assert_eq!(
        world.servers[0].events.last(),
        Some(&Event::Closed {
            flow,
            reason: CloseReason::PeerDisconnect,
            refusal: None
        })
    );
}

#[test]
fn rates_changed_under_load_hold_from_the_next_packet() {
    let mut world = World::with_server(57, |_| {});
    world.has_forger = true;
    let token = world.token(1);
    world.connect_with(&token, client_address(1));
    let key = PublicToken::read(&token).unwrap().client_to_server_key;
    let mut sequence = SEQUENCE;
    // How many of 100 packets within one millisecond are taken.
    let mut burst = |world: &mut World| {
        let taken = (0..100).filter(|_| {
            sequence += 1;
            let packet = sealed(&key, 5, sequence, &[7; 183]);
            matches!(
                world.inject(client_address(1), &packet),
                Received::Payload { .. }
            )
        });
        taken.count()
    };
    assert_eq!(burst(&mut world), 100);
    set(&mut world, |s| {
        s.packets_per_flow = Some(Rate::new(1_000, 10))
    });
    // What was spent before counts, as far as the new burst reaches.
    assert_eq!(burst(&mut world), 0);
    world.now_us += 7_000;
    assert_eq!(burst(&mut world), 7);
    // 206 B each with prefix, sequence and tag.
    set(&mut world, |s| {
        s.packets_per_flow = None;
        s.bytes_per_flow = Some(Rate::new(206_000, 2_060));
    });
    world.now_us += 1_000_000;
    assert_eq!(burst(&mut world), 10);
    set(&mut world, |s| s.bytes_per_flow = None);
    assert_eq!(burst(&mut world), 100);
    let counters = world.servers[0].server.counters();
    assert_eq!(counters.dropped(DropReason::FlowByteRate), 90);
    assert_eq!(counters.dropped(DropReason::FlowPacketRate), 193);
}

#[test]
fn a_clock_that_goes_back_gives_no_credit() {
    let mut world = World::with_server(58, |config| {
        config.admission.handshakes_per_prefix = Some(Rate::new(1, 2));
    });
    for n in 0..2 {
        request(&mut world, n, client_address(n as u16));
    }
    for back_us in [1, 1_000_000, 700_000_000] {
        world.now_us -= back_us.min(world.now_us - crate::world::START_US);
        let refused = request(&mut world, 9, client_address(9));
        assert_eq!(refused, dropped(DropReason::RatePrefix));
    }
}

#[test]
fn threads_that_share_a_budget_overdraw_it_by_one_handshake_each_at_most() {
    const THREADS: u64 = 4;
    const BURST: u32 = 500;
    let mut world = World::with_server(60, |config| {
        let admission = &mut config.admission;
        *admission = AdmissionSettings::unlimited();
        admission.handshakes = Some(Rate::new(1, BURST));
    });
    let clock = world.clock();
    let shared = world.servers[0].server.admission().clone();
    let requests: Vec<Vec<Vec<u8>>> = (0..THREADS)
        .map(|thread| {
            let ids = thread * 1_000..thread * 1_000 + 300;
            ids.map(|id| request_of(&world.token(id))).collect()
        })
        .collect();
    for _ in 1..THREADS {
        let shared = shared.clone();
        world.add_server(|config| {
            config.shared_admission = Some(shared);
            config.server_addresses.clear();
        });
    }
    let workers = world.servers.drain(..).zip(requests).enumerate();
    let workers = workers.map(|(thread, (node, requests))| {
        std::thread::spawn(move || {
            let mut server = node.server;
            for (n, mut request) in requests.into_iter().enumerate() {
                let path = ggscale_transport_core::Path {
                    remote: client_address((thread * 1_000 + n) as u16),
                    local: None,
                };
                server.handle_datagram(clock, path, &mut request);
                if n % 50 == thread {
                    // Settings come and go meanwhile; the budget stays.
                    let mut settings = server.admission().settings();
                    settings.max_pending = 4_096 - n as u32;
                    server.set_admission(clock, settings).unwrap();
                }
            }
            server.check_invariants();
            server.gauges().pending
        })
    });
    let workers: Vec<_> = workers.collect();
    let accepted: usize = workers.into_iter().map(|it| it.join().unwrap()).sum();
    let most = BURST as usize + THREADS as usize - 1;
    assert!((BURST as usize..=most).contains(&accepted), "{accepted}");
}

#[test]
fn servers_that_share_admission_share_budgets_and_settings() {
    let mut world = World::with_server(59, |config| {
        config.admission.handshakes = Some(Rate::new(1, 3));
    });
    let shared = world.servers[0].server.admission().clone();
    world.add_server(|config| config.shared_admission = Some(shared));
    let both = |options: &mut crate::world::TokenSpec| {
        options.server_addresses = vec![
            crate::world::server_address(0),
            crate::world::server_address(1),
        ];
    };
    let mut results = vec![];
    for n in 0..4u64 {
        let token = world.token_with(n, both);
        let clock = world.clock();
        let path = ggscale_transport_core::Path {
            remote: client_address(n as u16),
            local: None,
        };
        let server = &mut world.servers[n as usize % 2].server;
        results.push(server.handle_datagram(clock, path, &mut request_of(&token)));
    }
    assert_eq!(results[..3], [Received::Consumed; 3]);
    assert_eq!(results[3], dropped(DropReason::RateGlobal));
    // Settings given to one hold for the other, from its next call.
    set(&mut world, |s| {
        s.blocked = vec!["192.168.0.0/24".parse().unwrap()]
    });
    assert_eq!(world.servers[0].server.gauges().pending, 0);
    let clock = world.clock();
    let second = &mut world.servers[1].server;
    assert_eq!(second.gauges().pending, 1);
    second.handle_timeout(clock);
    assert_eq!(second.gauges().pending, 0);
    assert_eq!(second.counters().pending_blocked, 1);
}
