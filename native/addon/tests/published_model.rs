//! `published.rs`, as it ships, under loom: every interleaving of a publisher and a reader, and every
//! value that the memory model lets a load return. One test plants a fault: the model would notice.

#[path = "../src/published.rs"]
mod published;

mod atomics {
    use std::cell::Cell;
    use std::sync::atomic::Ordering;

    pub use loom::sync::atomic::AtomicU64;

    thread_local! {
        // Loom runs all threads of a model on one thread of the system.
        pub static HAS_FENCES: Cell<bool> = const { Cell::new(true) };
    }

    pub fn fence(order: Ordering) {
        if HAS_FENCES.get() {
            loom::sync::atomic::fence(order);
        }
    }
}

use std::sync::Arc;

use published::Publisher;

/// The third is the first that is written over something.
const SNAPSHOTS: u64 = 3;

/// More preemptions than bugs of two threads need (see `ring_model`).
const PREEMPTIONS: usize = 3;

fn a_publisher_and_a_reader() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(PREEMPTIONS);
    model.check(|| {
        let mut publisher = Publisher::<2>::default();
        let published = Arc::clone(publisher.published());
        let writing = loom::thread::spawn(move || {
            for snapshot in 1..=SNAPSHOTS {
                publisher.publish(&[snapshot, 100 + snapshot]);
            }
        });
        let [first, second] = published.read();
        assert!(first <= SNAPSHOTS);
        let whole = if first == 0 { 0 } else { 100 + first };
        assert_eq!(second, whole, "of two snapshots");
        writing.join().unwrap();
        assert_eq!(published.read(), [SNAPSHOTS, 100 + SNAPSHOTS], "the newest");
    });
}

#[test]
fn what_is_read_is_one_whole_snapshot_and_at_last_the_newest() {
    a_publisher_and_a_reader();
}

#[test]
#[should_panic(expected = "of two snapshots")]
fn the_model_notices_missing_fences() {
    atomics::HAS_FENCES.set(false);
    a_publisher_and_a_reader();
}
