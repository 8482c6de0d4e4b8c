use super::*;

const SEED: u64 = 0x5eed;

fn drain(emulator: &mut Emulator, now_us: u64) -> Vec<u8> {
    let mut tags = Vec::new();
    while let Some(packet) = emulator.poll(now_us) {
        tags.push(packet.first().copied().unwrap_or_default());
        emulator.recycle(packet);
    }
    tags
}

fn verdicts(profile: Profile, seed: u64, count: u64) -> Vec<Verdict> {
    let mut emulator = Emulator::new(profile, seed);
    (0..count)
        .map(|index| emulator.offer(index * 1_000, &[0; 100]))
        .collect()
}

#[test]
fn a_clean_link_forwards_everything_at_once_and_in_order() {
    let mut emulator = Emulator::new(Profile::default(), SEED);
    for tag in 0..5 {
        assert_eq!(emulator.offer(7, &[tag]), Verdict::Queued { due_us: 7 });
    }
    assert_eq!(drain(&mut emulator, 7), [0, 1, 2, 3, 4]);
    assert_eq!(emulator.next_due_us(), None);
}

#[test]
fn a_packet_leaves_exactly_after_the_delay() {
    let mut emulator = Emulator::new(
        Profile {
            delay_us: 25_000,
            ..Profile::default()
        },
        SEED,
    );
    emulator.offer(1_000, &[9]);
    assert_eq!(emulator.next_due_us(), Some(26_000));
    assert_eq!(emulator.poll(25_999), None);
    assert_eq!(emulator.poll(26_000), Some(vec![9]));
}

#[test]
fn the_same_seed_replays_the_same_fates_and_another_seed_does_not() {
    let profile = Profile {
        loss: 0.1,
        delay_us: 10_000,
        jitter_us: 5_000,
        reorder: 0.05,
        reorder_us: 8_000,
    };
    assert_eq!(
        verdicts(profile, SEED, 2_000),
        verdicts(profile, SEED, 2_000)
    );
    assert_ne!(
        verdicts(profile, SEED, 2_000),
        verdicts(profile, SEED + 1, 2_000)
    );
}

#[test]
fn which_packets_are_lost_does_not_depend_on_the_other_impairments() {
    let lost = |profile: Profile| -> Vec<bool> {
        verdicts(profile, SEED, 2_000)
            .iter()
            .map(|v| *v == Verdict::Dropped)
            .collect()
    };
    let plain = Profile {
        loss: 0.1,
        ..Profile::default()
    };
    let busy = Profile {
        delay_us: 9,
        jitter_us: 400,
        reorder: 0.3,
        reorder_us: 3,
        ..plain
    };
    assert_eq!(lost(plain), lost(busy));
}

#[test]
fn the_loss_ratio_is_met_within_four_standard_deviations() {
    for loss in [0.02, 0.1, 0.5] {
        let count = 50_000;
        let mut emulator = Emulator::new(
            Profile {
                loss,
                ..Profile::default()
            },
            SEED,
        );
        for _ in 0..count {
            emulator.offer(0, &[1]);
        }
        let expected = loss * count as f64;
        let tolerance = 4.0 * (expected * (1.0 - loss)).sqrt();
        let dropped = emulator.counters().dropped as f64;
        assert!((dropped - expected).abs() < tolerance, "{loss}: {dropped}");
    }
}

#[test]
fn loss_of_zero_drops_nothing_and_loss_of_one_drops_all() {
    let none = verdicts(Profile::default(), SEED, 5_000);
    assert!(none.iter().all(|verdict| *verdict != Verdict::Dropped));
    let all = verdicts(
        Profile {
            loss: 1.0,
            ..Profile::default()
        },
        SEED,
        5_000,
    );
    assert!(all.iter().all(|verdict| *verdict == Verdict::Dropped));
}

#[test]
fn jitter_stays_within_its_bound_and_never_reorders() {
    let (delay_us, jitter_us) = (10_000, 4_000);
    let mut emulator = Emulator::new(
        Profile {
            delay_us,
            jitter_us,
            ..Profile::default()
        },
        SEED,
    );
    let mut newest_us = 0;
    let mut seen = std::collections::BTreeSet::new();
    for index in 0..5_000 {
        let now_us = index * 500;
        let Verdict::Queued { due_us } = emulator.offer(now_us, &[0]) else {
            unreachable!("nothing is lost here");
        };
        assert!(due_us >= newest_us);
        assert!(due_us >= now_us + delay_us && due_us <= now_us + delay_us + jitter_us);
        newest_us = due_us;
        seen.insert(due_us - now_us);
    }
    assert!(
        seen.len() > 100,
        "the delay must vary, saw {} values",
        seen.len()
    );
}

#[test]
fn a_held_back_packet_is_overtaken_by_later_ones_only() {
    let profile = Profile {
        reorder: 0.2,
        reorder_us: 2_500,
        delay_us: 1_000,
        ..Profile::default()
    };
    let mut emulator = Emulator::new(profile, SEED);
    let mut held = Vec::new();
    for tag in 0..100u8 {
        let now_us = u64::from(tag) * 1_000;
        let Verdict::Queued { due_us } = emulator.offer(now_us, &[tag]) else {
            unreachable!("nothing is lost here");
        };
        if due_us > now_us + 1_000 {
            assert_eq!(due_us, now_us + 3_500);
            held.push(tag);
        }
    }
    let order = drain(&mut emulator, u64::MAX);
    assert_eq!(order.len(), 100);
    assert_eq!(emulator.counters().reordered, held.len() as u64);
    assert!(held.len() > 8 && held.len() < 40, "{}", held.len());
    let in_order: Vec<u8> = order
        .iter()
        .copied()
        .filter(|tag| !held.contains(tag))
        .collect();
    assert!(in_order.windows(2).all(|pair| pair.first() < pair.last()));
    assert!(order.windows(2).any(|pair| pair.first() > pair.last()));
}

#[test]
fn a_full_queue_drops_and_counts_and_the_counters_add_up() {
    let mut emulator = Emulator::new(
        Profile {
            loss: 0.1,
            delay_us: 1,
            ..Profile::default()
        },
        SEED,
    );
    for _ in 0..QUEUED_PACKETS_MAX * 2 {
        emulator.offer(0, &[1, 2]);
    }
    assert_eq!(emulator.queued(), QUEUED_PACKETS_MAX);
    drain(&mut emulator, 1);
    let counters = emulator.counters();
    assert!(counters.overflowed > 0);
    assert_eq!(
        counters.packets,
        counters.forwarded + counters.dropped + counters.overflowed + emulator.queued() as u64
    );
    assert_eq!(counters.bytes, counters.packets * 2);
}
