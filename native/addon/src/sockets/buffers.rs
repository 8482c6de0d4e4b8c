//! How large socket buffers must be, in what the kernel counts.
//!
//! The kernel charges a socket with `truesize`: the datagram's allocation and its bookkeeping. On Linux
//! 6.18, x86-64, read from SO_MEMINFO after sends over the loopback (IPv4 and IPv6 alike): 832 B for
//! payloads up to 150 B, 1,280 B for 200 to 500 B, 2,304 B for 800 to 1,400 B. A network card that
//! receives into 2 KiB buffers costs the last of these for every datagram, however small.

/// What one datagram costs, the dear case.
const DATAGRAM_TRUESIZE: u64 = 2304;
/// A garbage collection, or a neighbour on the core: this long nobody reads.
const PAUSE_MS: u64 = 50;
/// What one player sends, and what is sent to one.
const DATAGRAMS_PER_S: u64 = 60;
/// One core takes no more than this, so there is no use in buffering it.
const DATAGRAMS_PER_S_MAX: u64 = 1_000_000;
/// For bursts to or from few peers: about 900 datagrams, or 1 MiB of bulk data.
const BYTES_MIN: u64 = 1 << 20;

fn datagrams_per_s(flows: u32) -> u64 {
    (u64::from(flows.max(1)) * DATAGRAMS_PER_S).min(DATAGRAMS_PER_S_MAX)
}

/// The size to ask for (SO_RCVBUF, SO_SNDBUF) so that `flows` peers lose nothing in a pause. The
/// kernel doubles what it is asked for, to have room for bookkeeping; that is in the truesize already.
pub fn bytes_for(flows: u32) -> usize {
    let charged = datagrams_per_s(flows) * PAUSE_MS * DATAGRAM_TRUESIZE / 1000;
    (charged / 2).max(BYTES_MIN) as usize
}

/// How long a pause of the reader a buffer of `bytes`, as asked for, takes: ms.
pub fn pause_ms(bytes: usize, flows: u32) -> u32 {
    let datagrams = bytes as u64 * 2 / DATAGRAM_TRUESIZE;
    (datagrams * 1000 / datagrams_per_s(flows)).min(u64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_grows_with_the_players_and_holds_fifty_milliseconds_of_them() {
        for flows in [0, 1, 16, 300, 1000, 16_666, 100_000, u32::MAX] {
            let bytes = bytes_for(flows);
            assert!((1 << 20..64 << 20).contains(&bytes), "{flows}: {bytes}");
            assert!(pause_ms(bytes, flows) >= 49, "{flows}");
        }
        assert_eq!(bytes_for(1000), 3000 * 2304 / 2);
        assert_eq!(pause_ms(212_992 / 2, 1000), 1);
    }
}
