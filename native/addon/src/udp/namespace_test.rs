//! Networks that only a namespace of its own can have: link-local addresses and a small MTU on the
//! loopback. Needs root; without it one line says so.

use std::mem::zeroed;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use ggscale_transport_core::Path;

use super::*;
use crate::clock::clock_ns;
use crate::sockets::{AnyIo, IoKind};

const LOOPBACK: i32 = 1;
const SIOCSIFFLAGS: u64 = 0x8914;
const SIOCSIFADDR: u64 = 0x8916;
const SIOCSIFMTU: u64 = 0x8922;

/// Runs `work` on a thread with a network of its own, whose loopback has `mtu` and is up.
fn in_namespace(mtu: i32, work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(move || {
        // SAFETY: plain system calls; the namespace is this thread's and ends with it.
        unsafe {
            if libc::unshare(libc::CLONE_NEWNET) != 0 {
                eprintln!("skipped: a network namespace needs root");
                return;
            }
            let fd = OwnedFd::from_raw_fd(libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0));
            let mut request: libc::ifreq = zeroed();
            request.ifr_name[0] = b'l' as libc::c_char;
            request.ifr_name[1] = b'o' as libc::c_char;
            request.ifr_ifru.ifru_mtu = mtu;
            assert_eq!(libc::ioctl(fd.as_raw_fd(), SIOCSIFMTU as _, &request), 0);
            request.ifr_ifru.ifru_flags = libc::IFF_UP as i16;
            assert_eq!(libc::ioctl(fd.as_raw_fd(), SIOCSIFFLAGS as _, &request), 0);
        }
        work();
    });
    thread.join().unwrap();
}

/// Gives the loopback a link-local address.
fn add_address(address: Ipv6Addr) {
    // SAFETY: plain system calls.
    unsafe {
        let fd = OwnedFd::from_raw_fd(libc::socket(libc::AF_INET6, libc::SOCK_DGRAM, 0));
        let mut request: libc::in6_ifreq = zeroed();
        request.ifr6_addr.s6_addr = address.octets();
        request.ifr6_prefixlen = 64;
        request.ifr6_ifindex = LOOPBACK;
        let result = libc::ioctl(fd.as_raw_fd(), SIOCSIFADDR as _, &request);
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    }
}

fn open(kind: IoKind, address: SocketAddr) -> AnyIo {
    let options = UdpOptions::new(address);
    // An address is tentative for a moment after it was added.
    let give_up_ns = clock_ns(libc::CLOCK_MONOTONIC) + 10_000_000_000;
    loop {
        match AnyIo::open(kind, &options, 1) {
            Ok(mut opened) => return opened.remove(0),
            Err(error) if clock_ns(libc::CLOCK_MONOTONIC) > give_up_ns => panic!("{error}"),
            Err(_) => std::thread::yield_now(),
        }
    }
}

fn receive_all(io: &mut AnyIo) -> Vec<(Path, Vec<u8>)> {
    let mut scratch = Scratch::with_bytes(io.scratch_bytes());
    let mut all = Vec::new();
    loop {
        let count = io.receive(Queue::Flows, BATCH, &mut scratch).unwrap();
        for arrival in &scratch.arrivals[..count] {
            all.push((arrival.path, scratch.bytes(arrival).to_vec()));
        }
        if count == 0 {
            return all;
        }
    }
}

#[test]
fn a_link_local_peer_is_answered_over_the_interface_it_came_by() {
    in_namespace(65_536, || {
        let link_local: Ipv6Addr = "fe80::7".parse().unwrap();
        add_address(link_local);
        for kind in [IoKind::Batch, IoKind::Portable] {
            for server_host in [link_local, Ipv6Addr::UNSPECIFIED] {
                let at = |host, scope| SocketAddr::V6(SocketAddrV6::new(host, 0, 0, scope));
                let scope = if server_host == link_local {
                    LOOPBACK
                } else {
                    0
                };
                let mut server = open(kind, at(server_host, scope as u32));
                let mut client = open(kind, at(link_local, LOOPBACK as u32));
                let port = server.local_address().port();
                let scope = LOOPBACK as u32;
                let remote = SocketAddr::V6(SocketAddrV6::new(link_local, port, 0, scope));
                let path = Path {
                    remote,
                    local: None,
                };
                assert_eq!(client.send(&[Outgoing { bytes: &[1], path }]), Ok(1));
                let (path, bytes) = receive_all(&mut server).remove(0);
                assert_eq!(bytes, [1]);
                assert_eq!(path.remote, client.local_address(), "scope included");
                assert_eq!(server.send(&[Outgoing { bytes: &[2], path }]), Ok(1));
                let (answer, bytes) = receive_all(&mut client).remove(0);
                assert_eq!((answer.remote, bytes), (remote, vec![2]));
            }
        }
    });
}

#[test]
fn a_path_too_small_for_the_datagrams_of_a_train_gets_them_singly() {
    in_namespace(1280, || {
        let address = "127.0.0.1:0".parse().unwrap();
        let mut server = open(IoKind::Batch, address);
        let mut client = open(IoKind::Batch, address);
        let path = Path {
            remote: server.local_address(),
            local: None,
        };
        for (size, trains, refused) in [(1200, 1, 0), (1400, 0, 1)] {
            let sent: Vec<Vec<u8>> = (0..20).map(|number| vec![0x15 | number; size]).collect();
            let mut rest: Vec<Outgoing> =
                sent.iter().map(|bytes| Outgoing { bytes, path }).collect();
            while !rest.is_empty() {
                let taken = client.send(&rest).unwrap();
                rest.drain(..taken);
            }
            let received = receive_all(&mut server).into_iter().map(|(_, bytes)| bytes);
            assert_eq!(received.collect::<Vec<_>>(), sent, "{size}");
            let tally = client.take_tally();
            assert_eq!((tally.trains_out, tally.trains_refused), (trains, refused));
        }
    });
}
