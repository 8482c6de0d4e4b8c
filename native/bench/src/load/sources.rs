//! A source address for every flow: few sockets carry all of them (IP_PKTINFO).

use std::net::Ipv4Addr;

/// ≤ 250 flows of a /24: admission sees as many clients behind one prefix as it lets through.
const FLOWS_PER_PREFIX: u32 = 250;

/// The source address of a flow, below 127.0.0.0/8 and outside 127.0.0.0/24.
pub fn source_of(flow: u32) -> Ipv4Addr {
    let prefix = flow / FLOWS_PER_PREFIX;
    let host = (flow % FLOWS_PER_PREFIX) as u8 + 1;
    let [.., high, low] = prefix.to_be_bytes();
    Ipv4Addr::new(127, high.wrapping_add(1), low, host)
}

/// The flow of a source address.
pub fn flow_of(source: Ipv4Addr) -> Option<u32> {
    let [_, high, low, host] = source.octets();
    let prefix = u32::from(high.checked_sub(1)?) << 8 | u32::from(low);
    Some(prefix * FLOWS_PER_PREFIX + u32::from(host.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    #[test]
    fn a_hundred_thousand_flows_have_an_address_each_and_few_share_a_prefix() {
        let mut seen = HashSet::new();
        let mut prefixes: HashMap<[u8; 3], u32> = HashMap::new();
        for flow in 0..100_000 {
            let address = source_of(flow);
            assert!(address.is_loopback() && seen.insert(address));
            assert_eq!(flow_of(address), Some(flow));
            let [a, b, c, _] = address.octets();
            assert_ne!([a, b, c], [127, 0, 0]);
            *prefixes.entry([a, b, c]).or_default() += 1;
        }
        assert!(prefixes.values().all(|count| *count <= 250));
    }
}
