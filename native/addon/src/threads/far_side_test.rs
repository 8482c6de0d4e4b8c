//! JavaScript's ends of the bells, one word after the other.

use super::far_side::FarSide;
use crate::doorbell::Doorbell;
use crate::layout as l;
use crate::ring_test::TestMemory;

#[test]
fn a_sleeping_thread_is_rung_once_for_what_it_waits_for() {
    let memory = TestMemory::new(8, 8, 16 * 1024);
    let mut far = FarSide::new(memory.memory);
    let bell = Doorbell::new(memory.memory);
    assert!(!far.must_ring(), "nothing was published");
    memory.memory.store(l::I_TX_TAIL, 3);
    assert!(!far.must_ring(), "the thread is awake");
    assert!(bell.try_sleep(l::NEWS_ENTRIES, || false));
    assert!(!far.must_ring(), "it saw that before it slept");
    memory.memory.store(l::I_TX_TAIL, 4);
    assert!(far.must_ring());
    memory.memory.store(l::I_TX_TAIL, 5);
    assert!(!far.must_ring(), "rung already");
    assert!(bell.try_sleep(l::NEWS_ROOM, || false));
    memory.memory.store(l::I_TX_TAIL, 6);
    assert!(!far.must_ring(), "it waits for room only");
    memory.memory.store(l::I_RX_HEAD, 1);
    assert!(far.must_ring());
}

#[test]
fn javascript_sleeps_only_while_there_is_nothing_for_it() {
    let memory = TestMemory::new(8, 8, 16 * 1024);
    let mut far = FarSide::new(memory.memory);
    let bell = Doorbell::new(memory.memory);
    assert!(far.try_sleep(l::NEWS_ENTRIES));
    memory.memory.store(l::I_RX_TAIL, 2);
    assert!(bell.must_ring(l::NEWS_ENTRIES));
    assert_eq!(far.wake_up(), 2);
    assert_eq!(far.wake_up(), 0);
    assert!(!far.try_sleep(l::NEWS_ENTRIES), "not released yet");
    memory.memory.store(l::I_RX_HEAD, 2);
    assert!(far.try_sleep(l::NEWS_ENTRIES));
    assert!(
        !bell.must_ring(l::NEWS_ROOM),
        "room is not what it waits for"
    );

    memory.memory.store(l::I_TX_TAIL, 8);
    assert_eq!(far.unsent(), 8);
    assert!(far.try_sleep(l::NEWS_ENTRIES | l::NEWS_ROOM));
    memory.memory.store(l::I_TX_HEAD, 1);
    assert!(bell.must_ring(l::NEWS_ROOM));
    assert!(!far.try_sleep(l::NEWS_ROOM), "room came");
    assert_eq!(far.unsent(), 7);
    assert!(
        !far.try_sleep(l::NEWS_ROOM),
        "JavaScript did not know of it yet"
    );
    assert_eq!(far.unsent(), 7);
    assert!(far.try_sleep(l::NEWS_ROOM), "it used that up");
}
