//! A bucket per source prefix, in memory of a fixed size.
//!
//! ```text
//!   prefix ── seeded hash ──▶ one of 2,048 sets ──▶ 8 buckets {prefix, bucket}
//! ```
//! A bucket that has filled up again says the same as no bucket, so it is free. A new prefix takes
//! the fullest bucket of its set. With the default rates there is always a free one (`settings.rs`
//! shows the sum). When settings or bad luck fill a set with buckets that are not full, the fullest
//! is given up: its prefix gets back what it had spent, which is the least that anybody in the set
//! had spent, and the global bucket has been charged for every newcomer. So nobody is ever locked
//! out by others, and nobody wins by pushing others out: an empty bucket goes last.

use super::bucket::{Bucket, Rate};
use crate::hash::HashSeed;
use crate::limits::{PREFIX_SETS, PREFIX_WAYS};

/// An IPv4 /24 or an IPv6 /64.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct SourcePrefix(u64);

/// RFC 6052, section 2.1: translators put the IPv4 address behind this prefix.
const NAT64: [u8; 12] = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];
/// RFC 4291, section 2.5.5.2.
const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

impl SourcePrefix {
    /// Of a packed address, IPv4 in its mapped form. Clients behind NAT64 count by their IPv4
    /// address: in IPv6 terms all of them would be one /64.
    pub fn of(ip: &[u8; 16]) -> Self {
        let [head @ .., a, b, c, _] = *ip;
        if head == MAPPED || head == NAT64 {
            // Above all of ::/8, which is reserved, and below all IPv6 that is routed.
            return Self(1 << 32 | u64::from_be_bytes([0, 0, 0, 0, 0, a, b, c]));
        }
        let [h0, h1, h2, h3, h4, h5, h6, h7, ..] = *ip;
        let high = u64::from_be_bytes([h0, h1, h2, h3, h4, h5, h6, h7]);
        // Sources in ::/16 do not exist beyond one's own machine: one bucket for all of them. Not 0,
        // which is what stands in buckets that nobody has used.
        Self(if high >> 48 == 0 { 1 } else { high })
    }
}

#[derive(Clone, Copy, Default)]
struct Entry {
    prefix: SourcePrefix,
    bucket: Bucket,
}

pub(crate) struct PrefixTable {
    sets: Vec<[Entry; PREFIX_WAYS]>,
    seed: HashSeed,
    evicted: u64,
}

impl PrefixTable {
    pub fn new(seed: HashSeed) -> Self {
        Self {
            sets: vec![[Entry::default(); PREFIX_WAYS]; PREFIX_SETS],
            seed,
            evicted: 0,
        }
    }

    pub fn has(&self, prefix: SourcePrefix, rate: Rate, now_us: u64) -> bool {
        let set = self.sets.get(self.set_of(prefix));
        set.into_iter()
            .flatten()
            .find(|entry| entry.prefix == prefix)
            .is_none_or(|entry| entry.bucket.has(rate, now_us))
    }

    pub fn take(&mut self, prefix: SourcePrefix, rate: Rate, now_us: u64) {
        let index = self.set_of(prefix);
        let Some(set) = self.sets.get_mut(index) else {
            return;
        };
        let place = set.iter_mut().min_by_key(|entry| {
            // Its own bucket comes before everything else.
            let owed = entry.bucket.owed(rate, now_us);
            (entry.prefix != prefix, owed)
        });
        let Some(entry) = place else { return };
        if entry.prefix != prefix {
            self.evicted += u64::from(entry.bucket.owed(rate, now_us) > 0);
            *entry = Entry {
                prefix,
                bucket: Bucket::default(),
            };
        }
        entry.bucket.take(rate, now_us);
    }

    /// Buckets that are not full. Linear in the table.
    pub fn in_use(&self, rate: Rate, now_us: u64) -> usize {
        let entries = self.sets.iter().flatten();
        entries
            .filter(|entry| entry.bucket.owed(rate, now_us) > 0)
            .count()
    }

    pub fn capacity(&self) -> usize {
        self.sets.len() * PREFIX_WAYS
    }

    /// Buckets given up before they were full.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    fn set_of(&self, prefix: SourcePrefix) -> usize {
        self.seed.hash(&prefix.0.to_le_bytes()) as usize % PREFIX_SETS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::{canonical_address, PackedAddress};
    use crate::random::Random;

    const RATE: Rate = Rate::new(1, 4);

    fn prefix(ip: &str) -> SourcePrefix {
        let ip = ip.parse().unwrap();
        let address = canonical_address(std::net::SocketAddr::new(ip, 1));
        SourcePrefix::of(&PackedAddress::pack(address).ip)
    }

    fn table() -> PrefixTable {
        PrefixTable::new(HashSeed::new(&mut Random::from_number(1)))
    }

    /// Prefixes of one set, as an attacker with the seed would choose them.
    fn of_one_set(table: &PrefixTable, count: usize) -> Vec<SourcePrefix> {
        let target = table.set_of(SourcePrefix(1 << 60));
        (1u64 << 60..)
            .map(SourcePrefix)
            .filter(|prefix| table.set_of(*prefix) == target)
            .take(count)
            .collect()
    }

    fn empty(table: &mut PrefixTable, prefix: SourcePrefix, now_us: u64) {
        while table.has(prefix, RATE, now_us) {
            table.take(prefix, RATE, now_us);
        }
    }

    #[test]
    fn a_prefix_is_a_24_or_a_64_in_every_spelling() {
        assert_eq!(prefix("192.0.2.1"), prefix("192.0.2.255"));
        assert_ne!(prefix("192.0.2.1"), prefix("192.0.3.1"));
        assert_eq!(prefix("192.0.2.1"), prefix("::ffff:192.0.2.9"));
        assert_eq!(prefix("192.0.2.1"), prefix("64:ff9b::192.0.2.9"));
        assert_eq!(prefix("2001:db8::1"), prefix("2001:db8::ffff:ffff:ffff:1"));
        assert_ne!(prefix("2001:db8::1"), prefix("2001:db8:0:1::1"));
        // No IPv6 source shares a bucket with an IPv4 prefix, whatever it claims to be.
        let low = SourcePrefix::of(&[0, 0, 0, 1, 0, 192, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_ne!(low, prefix("192.0.2.1"));
        assert_eq!(low, prefix("::1"));
    }

    #[test]
    fn each_prefix_has_a_bucket_of_its_own() {
        let mut table = table();
        let (a, b) = (prefix("192.0.2.1"), prefix("198.51.100.1"));
        empty(&mut table, a, 0);
        assert!(!table.has(a, RATE, 0) && table.has(b, RATE, 0));
        assert_eq!(table.in_use(RATE, 0), 1);
        assert!(table.has(a, RATE, 1_000_000));
        assert_eq!(table.in_use(RATE, 4_000_000), 0);
    }

    #[test]
    fn sources_of_ones_own_machine_have_one_bucket_too() {
        let mut table = table();
        let here = prefix("::1");
        for _ in 0..RATE.burst {
            assert!(table.has(here, RATE, 0));
            table.take(here, RATE, 0);
        }
        assert!(!table.has(here, RATE, 0));
        assert_eq!(table.in_use(RATE, 0), 1);
    }

    #[test]
    fn a_full_set_gives_up_its_fullest_bucket_and_refuses_nobody() {
        let mut table = table();
        let prefixes = of_one_set(&table, PREFIX_WAYS + 1);
        let (newcomer, old) = prefixes.split_last().unwrap();
        let (light, heavy) = old.split_first().unwrap();
        table.take(*light, RATE, 0);
        for prefix in heavy {
            empty(&mut table, *prefix, 0);
        }
        assert!(table.has(*newcomer, RATE, 0));
        table.take(*newcomer, RATE, 0);
        assert_eq!(table.evicted(), 1);
        // The one with the least to win was given up; who was at the limit stays there.
        for prefix in heavy {
            assert!(!table.has(*prefix, RATE, 0));
        }
        assert!(table.has(*light, RATE, 0));
    }

    #[test]
    fn an_attacker_with_a_set_of_prefixes_cannot_refill_an_empty_bucket() {
        let mut table = table();
        let prefixes = of_one_set(&table, 200);
        let (mine, others) = prefixes.split_first().unwrap();
        empty(&mut table, *mine, 0);
        for prefix in others {
            table.take(*prefix, RATE, 0);
            assert!(!table.has(*mine, RATE, 0));
        }
    }

    #[test]
    fn it_agrees_with_a_bucket_for_each_prefix_while_there_is_room() {
        let mut random = Random::from_number(3);
        let mut table = table();
        let mut model: std::collections::HashMap<u64, Bucket> = std::collections::HashMap::new();
        let mut now_us = 0;
        for _ in 0..100_000 {
            now_us += random.next_u64() % 2_000;
            let n = (1 << 60) | (random.next_u64() % 2_000);
            let (prefix, bucket) = (SourcePrefix(n), model.entry(n).or_default());
            let has = table.has(prefix, RATE, now_us);
            assert_eq!(has, bucket.has(RATE, now_us));
            if has {
                table.take(prefix, RATE, now_us);
                bucket.take(RATE, now_us);
            }
        }
        assert_eq!(table.evicted(), 0);
        let not_full = model.values().filter(|it| it.owed(RATE, now_us) > 0);
        assert_eq!(table.in_use(RATE, now_us), not_full.count());
    }

    #[test]
    fn the_table_stays_as_large_as_it_was_made() {
        let mut table = table();
        let mut random = Random::from_number(2);
        let capacity = table.capacity();
        for n in 0..200_000 {
            table.take(SourcePrefix(random.next_u64() | 1 << 60), RATE, n);
        }
        assert_eq!(table.capacity(), capacity);
        assert_eq!(table.sets.capacity() * PREFIX_WAYS, capacity);
        assert!(table.in_use(RATE, 200_000) <= capacity);
        assert!(size_of::<Entry>() * capacity <= 400 << 10);
    }
}
