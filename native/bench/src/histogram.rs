//! Counts of durations in buckets of at most 1/64 of their value. Fixed memory, nothing is allocated
//! by a sample.

use serde_json::{json, Value};

const SUB_BITS: u32 = 6;
const SUB: usize = 1 << SUB_BITS;
/// Values from 2^40 ns (18 minutes) on share the last bucket.
const BUCKETS: usize = (40 - SUB_BITS as usize + 1) * SUB;

pub struct Histogram {
    counts: Box<[u64; BUCKETS]>,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: Box::new([0; BUCKETS]),
            max: 0,
        }
    }
}

impl Histogram {
    pub fn record(&mut self, value: u64) {
        if let Some(count) = self.counts.get_mut(bucket(value)) {
            *count += 1;
        }
        self.max = self.max.max(value);
    }

    /// `{max, buckets: [[lowest value, count], …]}` of what was recorded since the last call.
    pub fn take(&mut self) -> Value {
        let buckets: Vec<Value> = self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(index, count)| json!([lowest(index), count]))
            .collect();
        let taken = json!({ "max": self.max, "buckets": buckets });
        self.counts.fill(0);
        self.max = 0;
        taken
    }
}

fn bucket(value: u64) -> usize {
    if value < SUB as u64 {
        return value as usize;
    }
    let shift = 63 - value.leading_zeros() - SUB_BITS;
    let index = (shift as usize + 1) * SUB + ((value >> shift) as usize & (SUB - 1));
    index.min(BUCKETS - 1)
}

fn lowest(index: usize) -> u64 {
    if index < SUB {
        return index as u64;
    }
    let shift = index / SUB - 1;
    ((SUB + index % SUB) as u64) << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket() {
        for value in (0..100_000u64).chain((17..40).flat_map(|bit| [(1 << bit) - 1, 1 << bit])) {
            let index = bucket(value);
            assert!(lowest(index) <= value, "{value}");
            assert!(index + 1 == BUCKETS || value < lowest(index + 1), "{value}");
            assert!(value - lowest(index) <= value / 64);
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn taking_empties() {
        let mut histogram = Histogram::default();
        histogram.record(3);
        histogram.record(3);
        histogram.record(1000);
        let taken = histogram.take();
        assert_eq!(taken["max"], 1000);
        assert_eq!(taken["buckets"], json!([[3, 2], [1000, 1]]));
        assert_eq!(histogram.take()["buckets"], json!([]));
    }
}
