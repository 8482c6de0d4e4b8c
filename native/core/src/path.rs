//! Addresses in one canonical form, so that one peer has one key everywhere.

use core::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// Where a datagram came from, and the local address that it arrived at (used to answer).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Path {
    pub remote: SocketAddr,
    pub local: Option<IpAddr>,
}

impl Path {
    /// Both addresses canonical.
    #[inline]
    pub fn canonical(self) -> Self {
        if self.remote.is_ipv4() && !self.local.is_some_and(|local| local.is_ipv6()) {
            return self; // as nearly all are
        }
        Self {
            remote: canonical_address(self.remote),
            local: self.local.map(canonical_ip),
        }
    }
}

/// IPv4-mapped IPv6 becomes IPv4; flow labels go; a scope stays only where it is needed to answer.
pub fn canonical_address(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => address,
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(v4) => SocketAddr::new(IpAddr::V4(v4), v6.port()),
            None => {
                let link_local = v6.ip().segments()[0] & 0xffc0 == 0xfe80;
                let scope = if link_local { v6.scope_id() } else { 0 };
                SocketAddr::V6(SocketAddrV6::new(*v6.ip(), v6.port(), 0, scope))
            }
        },
    }
}

pub fn canonical_ip(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
    }
}

/// A remote address in 24 bytes: the hash key of flows, pending handshakes and token history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PackedAddress {
    /// IPv4 in its mapped form, so one length holds both families.
    pub ip: [u8; 16],
    pub scope: u32,
    pub port: u16,
}

impl PackedAddress {
    pub fn pack(address: SocketAddr) -> Self {
        let scope = match address {
            SocketAddr::V4(_) => 0,
            SocketAddr::V6(v6) => v6.scope_id(),
        };
        Self {
            ip: pack_ip(address.ip()),
            scope,
            port: address.port(),
        }
    }

    pub fn unpack(self) -> SocketAddr {
        match unpack_ip(self.ip) {
            IpAddr::V4(v4) => SocketAddr::new(IpAddr::V4(v4), self.port),
            IpAddr::V6(v6) => SocketAddr::V6(SocketAddrV6::new(v6, self.port, 0, self.scope)),
        }
    }

    /// The bytes that are hashed and bound into challenge tokens.
    pub fn key(&self) -> [u8; 22] {
        let mut key = [0; 22];
        let (ip, rest) = key.split_at_mut(16);
        ip.copy_from_slice(&self.ip);
        let (scope, port) = rest.split_at_mut(4);
        scope.copy_from_slice(&self.scope.to_le_bytes());
        port.copy_from_slice(&self.port.to_le_bytes());
        key
    }
}

/// All zeros (`::`) never is a local address of a datagram, so it stands for "unknown".
pub(crate) fn pack_local(local: Option<IpAddr>) -> [u8; 16] {
    local.map_or([0; 16], pack_ip)
}

pub(crate) fn unpack_local(packed: [u8; 16]) -> Option<IpAddr> {
    if packed == [0; 16] {
        None
    } else {
        Some(unpack_ip(packed))
    }
}

fn pack_ip(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

fn unpack_ip(packed: [u8; 16]) -> IpAddr {
    canonical_ip(IpAddr::V6(Ipv6Addr::from(packed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_address_and_its_ipv4_form_are_the_same_key() {
        let mapped: SocketAddr = "[::ffff:192.0.2.7]:4000".parse().unwrap();
        let plain: SocketAddr = "192.0.2.7:4000".parse().unwrap();
        assert_eq!(canonical_address(mapped), plain);
        assert_eq!(
            PackedAddress::pack(canonical_address(mapped)),
            PackedAddress::pack(canonical_address(plain))
        );
    }

    #[test]
    fn packing_keeps_every_canonical_address() {
        for text in [
            "192.0.2.7:4000",
            "[2001:db8::1]:1",
            "[::1]:65535",
            "0.0.0.0:9",
        ] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(PackedAddress::pack(address).unpack(), address);
            assert_eq!(
                unpack_local(pack_local(Some(address.ip()))),
                Some(address.ip())
            );
        }
        assert_eq!(unpack_local(pack_local(None)), None);
        let scoped = SocketAddr::V6(SocketAddrV6::new("fe80::1".parse().unwrap(), 5, 9, 3));
        let canonical = canonical_address(scoped);
        assert_eq!(PackedAddress::pack(canonical).unpack(), canonical);
    }
}
