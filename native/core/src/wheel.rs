//! Timers in buckets: arm, cancel and fire cost O(1) whatever their number.
//!
//! ```text
//!   level 0   64 buckets of 1 tick        (1 tick = 1024 µs)
//!   level 1   64 buckets of 64 ticks      (65 ms)
//!   level 2   64 buckets of 4096 ticks    (4.2 s)      reach: 264 s
//! ```
//! A timer lies at the level of the highest 6-bit digit in which its tick differs from `current`;
//! when time reaches a bucket of a higher level, its timers move down. So the lowest occupied level
//! always holds the earliest timer. Timers never fire early; they fire at most one tick late.
//!
//! Nodes are named by small numbers (slots of a table), one timer per number, linked by index.
//! Invariant: `current` never passes the start of an occupied bucket.

const TICK_SHIFT: u32 = 10;
const LEVELS: usize = 3;
const DIGIT_BITS: usize = 6;
const BUCKETS: usize = 64;
/// One top bucket less than a full round: a timer never shares a top bucket with `current`.
const REACH_TICKS: u64 = (1 << (DIGIT_BITS * LEVELS)) - (1 << (DIGIT_BITS * (LEVELS - 1)));
const NONE: u32 = u32::MAX;
/// The list of timers that have fired but have not been polled.
const DUE: u16 = (LEVELS * BUCKETS) as u16;
const IDLE: u16 = u16::MAX;

#[derive(Clone, Copy)]
struct Node {
    tick: u64,
    next: u32,
    previous: u32,
    bucket: u16,
}

pub struct Wheel {
    current: u64,
    occupied: [u64; LEVELS],
    heads: [u32; LEVELS * BUCKETS + 1],
    nodes: Vec<Node>,
}

impl Wheel {
    pub fn new(now_us: u64) -> Self {
        Self {
            current: now_us >> TICK_SHIFT,
            occupied: [0; LEVELS],
            heads: [NONE; LEVELS * BUCKETS + 1],
            nodes: Vec::new(),
        }
    }

    /// Sets the timer of `id`, replacing an earlier setting.
    pub fn arm(&mut self, id: u32, due_us: u64) {
        let idle = Node {
            tick: 0,
            next: NONE,
            previous: NONE,
            bucket: IDLE,
        };
        while self.nodes.len() <= id as usize {
            self.nodes.push(idle);
        }
        self.cancel(id);
        let tick = due_us.saturating_add((1 << TICK_SHIFT) - 1) >> TICK_SHIFT;
        // A timer beyond the reach fires early once; its owner sees that it is not due and re-arms.
        let tick = tick.clamp(self.current, self.current + REACH_TICKS - 1);
        self.place(id, tick);
    }

    pub fn cancel(&mut self, id: u32) {
        let Some(node) = self.nodes.get_mut(id as usize) else {
            return;
        };
        if node.bucket == IDLE {
            return;
        }
        let Node {
            next,
            previous,
            bucket,
            ..
        } = *node;
        node.bucket = IDLE;
        match self.nodes.get_mut(previous as usize) {
            Some(before) => before.next = next,
            None => self.set_head(bucket, next),
        }
        if let Some(after) = self.nodes.get_mut(next as usize) {
            after.previous = previous;
        }
    }

    /// The next timer that is due; its owner re-arms it or not. Call until `None`.
    pub fn poll(&mut self, now_us: u64) -> Option<u32> {
        let now = now_us >> TICK_SHIFT;
        loop {
            let id = self.head(DUE);
            if id != NONE {
                self.cancel(id);
                return Some(id);
            }
            match self.next_bucket() {
                Some((start, bucket)) if start <= now => {
                    self.current = start;
                    self.move_down(bucket);
                }
                _ => {
                    self.current = self.current.max(now);
                    return None;
                }
            }
        }
    }

    /// When to call `poll` next; not before anything is due, sometimes only to move timers down.
    pub fn deadline_us(&self) -> Option<u64> {
        if self.head(DUE) != NONE {
            return Some(self.current << TICK_SHIFT);
        }
        self.next_bucket().map(|(start, _)| start << TICK_SHIFT)
    }

    fn place(&mut self, id: u32, tick: u64) {
        let differing = (tick ^ self.current) | (BUCKETS as u64 - 1);
        let digit = (63 - differing.leading_zeros() as usize) / DIGIT_BITS;
        let level = digit.min(LEVELS - 1);
        let bucket = (level * BUCKETS) as u16 + (tick >> (DIGIT_BITS * level) & 63) as u16;
        self.link(id, tick, bucket);
    }

    fn link(&mut self, id: u32, tick: u64, bucket: u16) {
        let next = self.head(bucket);
        if let Some(after) = self.nodes.get_mut(next as usize) {
            after.previous = id;
        }
        if let Some(node) = self.nodes.get_mut(id as usize) {
            *node = Node {
                tick,
                next,
                previous: NONE,
                bucket,
            };
        }
        self.set_head(bucket, id);
    }

    /// Timers of a level-0 bucket fire; those of a higher one are placed again from `current`.
    fn move_down(&mut self, bucket: u16) {
        loop {
            let id = self.head(bucket);
            let Some(node) = self.nodes.get(id as usize).copied() else {
                return;
            };
            self.cancel(id);
            if node.tick <= self.current {
                self.link(id, node.tick, DUE);
            } else {
                self.place(id, node.tick);
            }
        }
    }

    /// Start tick and number of the earliest occupied bucket.
    fn next_bucket(&self) -> Option<(u64, u16)> {
        for (level, occupied) in self.occupied.iter().enumerate() {
            if *occupied == 0 {
                continue;
            }
            let shift = DIGIT_BITS * level;
            let here = self.current >> shift;
            let from = (here & 63) as u32;
            let ahead = u64::from(occupied.rotate_right(from).trailing_zeros());
            // At the top level a bucket behind `current` belongs to the next round.
            let start = ((here + ahead) << shift).max(self.current);
            let bucket = (level * BUCKETS) as u16 + ((u64::from(from) + ahead) & 63) as u16;
            return Some((start, bucket));
        }
        None
    }

    fn head(&self, bucket: u16) -> u32 {
        self.heads.get(usize::from(bucket)).copied().unwrap_or(NONE)
    }

    fn set_head(&mut self, bucket: u16, id: u32) {
        if let Some(head) = self.heads.get_mut(usize::from(bucket)) {
            *head = id;
        }
        if let Some(occupied) = self.occupied.get_mut(usize::from(bucket) / BUCKETS) {
            let mask = 1 << (bucket as usize % BUCKETS);
            *occupied = if id == NONE {
                *occupied & !mask
            } else {
                *occupied | mask
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use std::collections::BTreeMap;

    #[test]
    fn a_timer_fires_within_a_tick_and_never_early() {
        for due in [
            1u64, 1023, 1024, 1025, 65_536, 70_000, 4_194_304, 5_000_000, 60_000_000,
        ] {
            let mut wheel = Wheel::new(0);
            wheel.arm(0, due);
            let mut wakes = 0;
            let fired_at = loop {
                let now = wheel.deadline_us().unwrap();
                wakes += 1;
                if wheel.poll(now).is_some() {
                    break now;
                }
            };
            assert!(fired_at >= due && fired_at < due + 1024, "{due} {fired_at}");
            assert!(wakes <= LEVELS, "{due} {wakes}");
            assert_eq!(wheel.deadline_us(), None);
        }
    }

    /// Random arming, cancelling and jumps against a sorted map.
    #[test]
    fn it_agrees_with_a_sorted_map() {
        let mut random = Random::from_number(5);
        let mut now = 123_456_789u64;
        let mut wheel = Wheel::new(now);
        let mut model: BTreeMap<u32, u64> = BTreeMap::new();
        for _ in 0..50_000 {
            let step = random.next_u64();
            let id = (step >> 8) as u32 % 200;
            match step % 8 {
                0..=3 => {
                    let far = [2_000, 100_000, 5_000_000, 200_000_000][(step >> 16) as usize % 4];
                    let due = now + 1 + (step >> 32) % far;
                    wheel.arm(id, due);
                    model.insert(id, due);
                }
                4 => {
                    wheel.cancel(id);
                    model.remove(&id);
                }
                _ => {
                    let far = [500, 3_000, 1_000_000, 90_000_000][(step >> 16) as usize % 4];
                    now += (step >> 32) % far;
                    while let Some(fired) = wheel.poll(now) {
                        let due = model.remove(&fired).expect("armed");
                        assert!(due <= now);
                    }
                    // what is overdue by a tick has fired
                    assert!(model.values().all(|due| due + 1024 > now));
                    let earliest = model.values().min().copied();
                    assert_eq!(wheel.deadline_us().is_some(), earliest.is_some());
                    if let (Some(deadline), Some(earliest)) = (wheel.deadline_us(), earliest) {
                        assert!(deadline < earliest + 1024, "{deadline} {earliest}");
                        assert!(deadline > now - 1024);
                    }
                }
            }
        }
    }

    #[test]
    fn a_timer_beyond_the_reach_comes_back_to_its_owner_in_time() {
        let mut wheel = Wheel::new(0);
        wheel.arm(3, u64::MAX);
        let mut now = 0;
        while wheel.poll(now).is_none() {
            now = wheel.deadline_us().unwrap();
        }
        assert!(now >= 260_000_000);
    }
}
