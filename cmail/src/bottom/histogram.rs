//! Durations of calls, as a histogram.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The upper ends of the ranges, in microseconds. The last range is open.
pub const ENDS: [u64; 12] = [100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];

/// Counts for each range, and the sum of all times.
#[derive(Debug, Default)]
pub struct Histogram {
    counts: [AtomicU64; ENDS.len() + 1],
    microseconds: AtomicU64,
}

impl Histogram {
    /// Makes a call, and counts the time that it took.
    pub fn time<T>(&self, call: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = call();
        self.count(start.elapsed());
        result
    }

    fn count(&self, took: Duration) {
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let range = ENDS.iter().position(|end| microseconds <= *end).unwrap_or(ENDS.len());
        self.counts[range].fetch_add(1, Ordering::Relaxed);
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    /// The counts of the ranges in their order, and the sum of all times in microseconds.
    pub fn read(&self) -> (Vec<u64>, u64) {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        (counts, self.microseconds.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_one_range() {
        let histogram = Histogram::default();
        for microseconds in [0, 100, 101, 1_000_000, 1_000_001] {
            histogram.count(Duration::from_micros(microseconds));
        }
        let (counts, sum) = histogram.read();
        assert_eq!(counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(sum, 2_000_202);
    }
}
