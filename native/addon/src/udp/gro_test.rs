//! Datagrams that came together: split, cut, counted.

use std::net::UdpSocket;
use std::os::fd::OwnedFd;

use super::script_sys::ScriptSys;
use super::sys::UDP_SEGMENT;
use super::*;
use crate::counters::Counter;
use crate::io::{Arrival, DATAGRAM_BYTES};
use crate::link_world::{numbers, Link};

fn open(sys: &ScriptSys, gro: bool) -> UdpIo<ScriptSys> {
    let options = UdpOptions {
        gro,
        receive_buffer_bytes: 8 << 20,
        ..UdpOptions::new("127.0.0.1:0".parse().unwrap())
    };
    Group::open_with(sys.clone(), &options, 1)
        .unwrap()
        .remove(0)
}

fn receive_all(io: &mut UdpIo<ScriptSys>, scratch: &mut Scratch) -> Vec<(Arrival, Vec<u8>)> {
    let mut all = Vec::new();
    loop {
        let count = io.receive(Queue::Flows, BATCH, scratch).unwrap();
        for arrival in &scratch.arrivals[..count] {
            all.push((*arrival, scratch.bytes(arrival).to_vec()));
        }
        if count == 0 {
            return all;
        }
    }
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

// curl #15267.
#[test]
fn segments_are_split_by_the_reported_size() {
    for (segment, length) in [
        (1200, 1200 * 40 + 7),
        (1200, 1200 * 40),
        (1200, 1201),
        (500, 500),
        (500, 20),
        (1, 3),
    ] {
        let sys = ScriptSys::default();
        let mut server = open(&sys, true);
        let whole = bytes(length);
        let train = (segment as i32, whole.clone());
        sys.0.borrow_mut().arrivals.push_back(train);
        let mut scratch = Scratch::with_bytes(server.scratch_bytes());
        let received = receive_all(&mut server, &mut scratch);
        let expected: Vec<&[u8]> = whole.chunks(segment).collect();
        let got: Vec<&[u8]> = received.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        assert_eq!(got, expected, "{segment}, {length}");
        assert!(received.iter().all(|(arrival, _)| !arrival.truncated));
        let tally = server.take_tally();
        assert_eq!(tally.trains_in, u64::from(length > segment));
    }
}

// msquic #3917: constants that stop at 64 segments made a collapse to a hundredth of the throughput.
#[test]
fn trains_of_more_than_64_segments_are_whole_and_take_one_call() {
    let sys = ScriptSys::default();
    let mut server = open(&sys, true);
    let whole = bytes(65_500);
    for _ in 0..3 {
        sys.0.borrow_mut().arrivals.push_back((60, whole.clone()));
    }
    let mut scratch = Scratch::with_bytes(server.scratch_bytes());
    let received = receive_all(&mut server, &mut scratch);
    assert_eq!(received.len(), 3 * 65_500_usize.div_ceil(60));
    let joined: Vec<u8> = received
        .iter()
        .flat_map(|(_, bytes)| bytes.clone())
        .collect();
    assert_eq!(joined, whole.repeat(3));
    assert_eq!(
        sys.calls().recvmmsg,
        2,
        "one for the trains, one for nothing"
    );
    // And as the kernel joins them, where it makes trains that long.
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let fd = OwnedFd::from(sender.try_clone().unwrap());
    socket::set_option(&mut Kernel, &fd, libc::SOL_UDP, UDP_SEGMENT, 100).unwrap();
    if sender
        .send_to(&bytes(12_800), server.local_address())
        .is_ok()
    {
        let received = receive_all(&mut server, &mut scratch);
        assert_eq!(received.len(), 128);
        let joined: Vec<u8> = received.into_iter().flat_map(|(_, bytes)| bytes).collect();
        assert_eq!(joined, bytes(12_800));
    }
}

// Envoy #33474.
#[test]
fn a_gro_buffer_too_small_cuts_only_what_lies_behind_its_end() {
    for (segment, count, whole) in [(1200, 5, 1), (1024, 4, 2), (100, 30, 20), (3000, 2, 0)] {
        let mut server = open(&ScriptSys::default(), true);
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let fd = OwnedFd::from(sender.try_clone().unwrap());
        let size = segment as i32;
        socket::set_option(&mut Kernel, &fd, libc::SOL_UDP, UDP_SEGMENT, size).unwrap();
        let train = bytes(segment * count);
        sender.send_to(&train, server.local_address()).unwrap();
        sender.send_to(&[7; 20], server.local_address()).unwrap();
        // Rooms for single datagrams only: `DATAGRAM_BYTES` each.
        let mut scratch = Scratch::new();
        let received = receive_all(&mut server, &mut scratch);
        assert_eq!(received.len(), count + 1, "every segment is told of");
        assert_eq!(whole, DATAGRAM_BYTES / segment);
        for (index, (arrival, bytes)) in received.iter().take(count).enumerate() {
            assert_eq!(arrival.truncated, index >= whole, "{segment}: {index}");
            if index < whole {
                assert_eq!(*bytes, train[index * segment..][..segment]);
            }
        }
        assert_eq!(received[count].1, [7; 20], "the next datagram is untouched");
    }
}

fn link(gro: bool, rx_capacity: usize) -> Link<UdpIo<ScriptSys>> {
    let server = open(&ScriptSys::default(), gro);
    let address = server.local_address();
    let client = open(&ScriptSys::default(), true);
    let mut link = Link::new(server, address, client, 1, rx_capacity);
    link.settle();
    link
}

#[test]
fn the_budget_of_a_turn_counts_the_segments_of_trains() {
    let mut link = link(true, 8192);
    for _ in 0..5 {
        link.commit_numbered(500, 20);
        assert_eq!(link.client.endpoint.flush(), 0);
    }
    let trains = link.client_count(Counter::TxTrainDatagrams);
    assert!(trains >= 2400, "{trains}");
    let mut got = Vec::new();
    let mut turns = 0;
    loop {
        let drained = link.server.endpoint.drain();
        assert!(drained.datagrams <= 1024, "{}", drained.datagrams);
        got.extend(numbers(&link.server.take()));
        turns += 1;
        let waiting = link.server.endpoint.waiting();
        assert_eq!(
            waiting.more, waiting.unread,
            "the kernel was emptied at once"
        );
        if !waiting.more {
            break;
        }
    }
    assert!(turns >= 3);
    let expected: Vec<u32> = (0..500).collect();
    assert_eq!(got, expected.repeat(5));
    assert_eq!(link.server_count(Counter::RxTruncated), 0);
}

#[test]
fn a_full_rx_ring_leaves_the_rest_of_a_train_for_the_next_turns() {
    let mut link = link(true, 32);
    let before = link.server_count(Counter::RxTrainDatagrams);
    link.commit_numbered(60, 100);
    assert_eq!(link.client.endpoint.flush(), 0);
    let mut got = Vec::new();
    let mut unread = 0;
    for _ in 0..60 {
        link.server.endpoint.drain();
        link.server.endpoint.check_invariants();
        unread += usize::from(link.server.endpoint.waiting().unread);
        got.extend(numbers(&link.server.take()));
    }
    assert_eq!(got, (0..60).collect::<Vec<u32>>());
    assert_eq!(link.server_count(Counter::RxTrainDatagrams) - before, 60);
    assert!(unread > 0 && link.server_count(Counter::RxRingFull) > 0);
}
