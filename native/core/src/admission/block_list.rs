//! Source prefixes from which nothing is taken.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use super::filter::Filter;
use crate::path::canonical_ip;

/// An address prefix, as in `192.0.2.0/24` or `2001:db8::/32`. An IPv4-mapped IPv6 prefix of at
/// least 96 bits is the IPv4 prefix it maps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cidr {
    ip: IpAddr,
    bits: u8,
}

/// Why a text is no prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CidrError {
    /// Not `address` or `address/bits`.
    Address,
    /// Not a whole number, or over 32 (IPv4) or 128 (IPv6).
    Bits,
    /// The address has bits behind the prefix: probably not what was meant. This was.
    HostBits(Cidr),
}

impl Cidr {
    pub fn new(ip: IpAddr, bits: u8) -> Result<Self, CidrError> {
        if bits > width(ip) {
            return Err(CidrError::Bits);
        }
        let (ip, bits) = match (canonical_ip(ip), ip) {
            (IpAddr::V4(v4), IpAddr::V6(_)) if bits >= 96 => (IpAddr::V4(v4), bits - 96),
            _ => (ip, bits),
        };
        let masked = Self {
            ip: masked(ip, bits),
            bits,
        };
        if masked.ip == ip {
            Ok(masked)
        } else {
            Err(CidrError::HostBits(masked))
        }
    }

    /// First and last address.
    fn range(self) -> (u128, u128) {
        let host = u32::from(width(self.ip) - self.bits);
        let first = number(self.ip);
        // A shift by the whole width would overflow: all of IPv6.
        let size = 1u128.checked_shl(host).unwrap_or(0);
        (first, first.wrapping_add(size).wrapping_sub(1))
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let ip: IpAddr = address.parse().map_err(|_| CidrError::Address)?;
        let Some(bits) = bits else {
            return Self::new(ip, width(ip));
        };
        // `parse` would take a plus sign and leading zeros.
        let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let is_padded = bits.len() > 1 && bits.starts_with('0');
        if !is_number || is_padded {
            return Err(CidrError::Bits);
        }
        Self::new(ip, bits.parse().map_err(|_| CidrError::Bits)?)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.bits)
    }
}

impl fmt::Display for CidrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str("not an address prefix like 192.0.2.0/24"),
            Self::Bits => f.write_str("its prefix length is not 0…32 (IPv4) or 0…128 (IPv6)"),
            Self::HostBits(meant) => write!(f, "it has bits behind its prefix: {meant}?"),
        }
    }
}

impl std::error::Error for CidrError {}

/// Prefixes as disjoint ranges in order, searched by halves; behind a filter, because most
/// addresses are far from every prefix and an honest packet should not pay for the list.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct BlockList {
    v4: Vec<(u32, u32)>,
    v4_near: Filter,
    v6: Vec<(u128, u128)>,
    v6_near: Filter,
}

#[inline]
fn v4_head(value: u32) -> u32 {
    value >> 16
}

#[inline]
fn v6_head(value: u128) -> u32 {
    (value >> 96) as u32
}

impl BlockList {
    pub fn new(prefixes: &[Cidr]) -> Self {
        let ranges = |is_v4: bool| {
            let own = prefixes.iter().filter(move |it| it.ip.is_ipv4() == is_v4);
            merged(own.map(|prefix| prefix.range()).collect())
        };
        let v4: Vec<(u32, u32)> = ranges(true)
            .into_iter()
            .map(|(first, last)| (first as u32, last as u32))
            .collect();
        let v6 = ranges(false);
        Self {
            v4_near: Filter::new(v4.iter().map(|it| (v4_head(it.0), v4_head(it.1)))),
            v4,
            v6_near: Filter::new(v6.iter().map(|it| (v6_head(it.0), v6_head(it.1)))),
            v6,
        }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// `ip` is canonical.
    #[inline]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(v4) => {
                let value = u32::from(v4);
                self.v4_near.may_hold(v4_head(value)) && is_within(&self.v4, value)
            }
            IpAddr::V6(v6) => {
                let value = u128::from(v6);
                self.v6_near.may_hold(v6_head(value)) && is_within(&self.v6, value)
            }
        }
    }
}

fn is_within<T: Ord + Copy>(ranges: &[(T, T)], value: T) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= value);
    let candidate = after.checked_sub(1).and_then(|index| ranges.get(index));
    candidate.is_some_and(|(_, last)| value <= *last)
}

fn merged(mut ranges: Vec<(u128, u128)>) -> Vec<(u128, u128)> {
    ranges.sort_unstable();
    let mut out: Vec<(u128, u128)> = Vec::new();
    for (first, last) in ranges {
        match out.last_mut() {
            Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
            _ => out.push((first, last)),
        }
    }
    out
}

fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() {
        32
    } else {
        128
    }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn masked(ip: IpAddr, bits: u8) -> IpAddr {
    let host = u32::from(width(ip) - bits);
    match ip {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(host).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(v4) & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(host).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn list(prefixes: &[&str]) -> BlockList {
        let prefixes: Vec<Cidr> = prefixes.iter().map(|it| it.parse().unwrap()).collect();
        BlockList::new(&prefixes)
    }

    fn ip(text: &str) -> IpAddr {
        canonical_ip(text.parse().unwrap())
    }

    #[test]
    fn prefixes_are_read_and_written() {
        for (text, written) in [
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("::/0", "::/0"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ] {
            assert_eq!(text.parse::<Cidr>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn malformed_prefixes_are_refused_and_say_why() {
        use CidrError as E;
        for (text, error) in [
            ("", E::Address),
            ("/8", E::Address),
            ("10.0.0/8", E::Address),
            ("10.0.0.256/8", E::Address),
            ("010.0.0.0/8", E::Address),
            ("fe80::1%eth0", E::Address),
            ("example.org/8", E::Address),
            (" 10.0.0.0/8", E::Address),
            ("10.0.0.0/33", E::Bits),
            ("10.0.0.0/", E::Bits),
            ("10.0.0.0/-1", E::Bits),
            ("10.0.0.0/+8", E::Bits),
            ("10.0.0.0/08", E::Bits),
            ("10.0.0.0/8/8", E::Bits),
            ("10.0.0.0/1e1", E::Bits),
            ("10.0.0.0/300", E::Bits),
            ("::/129", E::Bits),
        ] {
            assert_eq!(text.parse::<Cidr>(), Err(error), "{text}");
        }
        let error = "10.1.2.3/8".parse::<Cidr>().unwrap_err();
        assert!(error.to_string().contains("10.0.0.0/8?"), "{error}");
        assert!("2001:db8::1/64".parse::<Cidr>().is_err());
    }

    #[test]
    fn the_edges_of_a_prefix_are_in_it_and_their_neighbours_are_not() {
        let list = list(&["192.0.2.64/26", "2001:db8:5::/48"]);
        for inside in [
            "192.0.2.64",
            "192.0.2.127",
            "::ffff:192.0.2.100",
            "2001:db8:5::",
            "2001:db8:5:ffff:ffff:ffff:ffff:ffff",
        ] {
            assert!(list.contains(ip(inside)), "{inside}");
        }
        for outside in [
            "192.0.2.63",
            "192.0.2.128",
            "2001:db8:4:ffff::",
            "2001:db8:6::",
            "::192.0.2.100",
        ] {
            assert!(!list.contains(ip(outside)), "{outside}");
        }
    }

    #[test]
    fn whole_families_and_the_last_address_fit() {
        let all = list(&["0.0.0.0/0", "255.255.255.255", "::/0", "ffff::/16"]);
        for inside in ["0.0.0.0", "255.255.255.255", "::", "ffff::ffff"] {
            assert!(all.contains(ip(inside)), "{inside}");
        }
        assert_eq!((all.v4.len(), all.v6.len()), (1, 1));
        assert!((0..=u32::from(u16::MAX)).all(|head| all.v4_near.may_hold(head)));
        let v4_only = list(&["0.0.0.0/0"]);
        assert!(!v4_only.contains(ip("::1")) && !list(&[]).contains(ip("::1")));
        assert!(list(&[]).is_empty() && !v4_only.is_empty());
    }

    #[test]
    fn the_filter_of_ipv6_agrees_with_a_linear_search() {
        let mut random = Random::from_number(7);
        let prefixes: Vec<Cidr> = (0..200)
            .map(|_| {
                // From /12, which has more heads than the filter bits, to single addresses.
                let bits = 12 + (random.next_u64() % 117) as u8;
                let any = 0x20 << 120 | u128::from_le_bytes(random.bytes()) >> 8;
                Cidr::new(masked(IpAddr::V6(Ipv6Addr::from(any)), bits), bits).unwrap()
            })
            .filter(|prefix| prefix.bits > 20 || prefix.bits == 12)
            .collect();
        for subset in [&prefixes[..3], &prefixes[3..20], &prefixes] {
            let list = BlockList::new(subset);
            let near = subset.iter().map(|prefix| prefix.range());
            let edges = near.flat_map(|(first, last)| {
                [first.wrapping_sub(1), first, last, last.wrapping_add(1)]
            });
            for value in edges.chain((0..500).map(|n| 0x20 << 120 | n << 97)) {
                let linear = subset.iter().any(|prefix| {
                    let (first, last) = prefix.range();
                    (first..=last).contains(&value)
                });
                let ip = IpAddr::V6(Ipv6Addr::from(value));
                assert_eq!(list.contains(ip), linear, "{ip}");
            }
        }
    }

    /// Neighbours merge to one range, which then begins anywhere and has more heads than the filter.
    #[test]
    fn a_wide_range_that_begins_anywhere_is_blocked_to_its_end() {
        let mut prefixes: Vec<String> = (0..16 - 2)
            .map(|bit| format!("2003:{:x}::/{}", 4u32 << bit, 30 - bit))
            .collect();
        prefixes.extend(["2003:3::/32".to_owned(), "2004::/16".to_owned()]);
        let list = list(&prefixes.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(list.v6.len(), 1);
        for head in 0x2003_0003..=0x2004_ffffu32 {
            let ip = IpAddr::V6(Ipv6Addr::from(u128::from(head) << 96 | 1));
            assert!(list.contains(ip), "{ip}");
        }
    }

    #[test]
    fn nested_and_adjacent_prefixes_agree_with_a_linear_search() {
        let mut random = Random::from_number(6);
        let prefixes: Vec<Cidr> = (0..300)
            .map(|_| {
                let bits = 8 + (random.next_u64() % 25) as u8;
                // A small world, so that prefixes meet.
                let any = Ipv4Addr::from(0x0a00_0000 | random.next_u64() as u32 & 0x3_ffff);
                let ip = masked(IpAddr::V4(any), bits.max(16));
                Cidr::new(ip, bits.max(16)).unwrap()
            })
            .filter(|prefix| prefix.bits > 22)
            .collect();
        let list = BlockList::new(&prefixes);
        for low in 0..=0x4_0000u32 {
            let ip = IpAddr::V4(Ipv4Addr::from(0x0a00_0000 | low));
            let value = number(ip);
            let linear = prefixes.iter().any(|prefix| {
                let (first, last) = prefix.range();
                (first..=last).contains(&value)
            });
            assert_eq!(list.contains(ip), linear, "{ip}");
        }
    }
}
