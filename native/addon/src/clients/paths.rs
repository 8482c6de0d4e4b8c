//! Whom a datagram is for: slots by server and local address. The keys stay in the slots.

use std::net::{IpAddr, SocketAddr};

use ggscale_transport_core::HashSeed;

use super::Clients;

impl Clients {
    pub(super) fn find(&self, remote: SocketAddr, local: Option<IpAddr>) -> Option<u32> {
        let matches = |slot: &u32| {
            let entry = self.slots.get(*slot as usize);
            entry.is_some_and(|entry| entry.remote == Some(remote) && entry.local == local)
        };
        let hash = hash_of(&self.seed, remote, local);
        self.by_path.find(hash, matches).copied()
    }

    /// A path that leads to another flow already leads here from now on.
    pub(super) fn map(&mut self, slot: u32, remote: SocketAddr) {
        let Some(entry) = self.slots.get_mut(slot as usize) else {
            return;
        };
        let local = entry.local;
        entry.remote = Some(remote);
        let Self {
            by_path,
            slots,
            seed,
            ..
        } = self;
        let hash = hash_of(seed, remote, local);
        let path_of = |slot: &u32| {
            let entry = slots.get(*slot as usize)?;
            entry.remote.map(|remote| (remote, entry.local))
        };
        if let Ok(other) = by_path.find_entry(hash, |it| path_of(it) == Some((remote, local))) {
            other.remove();
        }
        by_path.insert_unique(hash, slot, |slot| {
            path_of(slot).map_or(0, |(remote, local)| hash_of(seed, remote, local))
        });
    }

    pub(super) fn unmap(&mut self, slot: u32) {
        let Some(entry) = self.slots.get_mut(slot as usize) else {
            return;
        };
        let Some(remote) = entry.remote.take() else {
            return;
        };
        let hash = hash_of(&self.seed, remote, entry.local);
        if let Ok(found) = self.by_path.find_entry(hash, |other| *other == slot) {
            found.remove();
        }
    }
}

fn hash_of(seed: &HashSeed, remote: SocketAddr, local: Option<IpAddr>) -> u64 {
    let octets = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    };
    let mut key = [0; 34];
    let (first, rest) = key.split_at_mut(16);
    let (second, port) = rest.split_at_mut(16);
    first.copy_from_slice(&octets(remote.ip()));
    second.copy_from_slice(&local.map_or([0; 16], octets));
    port.copy_from_slice(&remote.port().to_le_bytes());
    seed.hash(&key)
}
