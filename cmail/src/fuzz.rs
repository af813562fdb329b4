//! Common code of the fuzz targets. A target is a test called `fuzz_of_…` in the module of its parser: it defines the form of inputs, and
//! checks the properties of every one. An input is generated from seeds and words by its number alone, so the number reproduces it.
//!
//! `cargo test` takes the first inputs of each target. `CMAIL_FUZZ=600` runs each for that many seconds; `CMAIL_FUZZ_INPUT=4711` runs one
//! input.

use std::ops::Range;
use std::time::{Duration, Instant};

use fastrand::Rng;

/// The material of inputs.
pub struct Target {
    /// Inputs that are valid, or nearly so.
    pub seeds: &'static [&'static str],
    /// Words that may occur anywhere.
    pub words: &'static [&'static str],
}

/// The number of inputs of each target in a bounded run.
const INPUTS: u64 = 10_000;

/// Checks one input after the other. Prints its number if the check panics.
pub fn run(target: &Target, check: impl Fn(&[u8])) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let end = number("CMAIL_FUZZ").map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let inputs: Range<u64> = match (number("CMAIL_FUZZ_INPUT"), end) {
        (Some(input), _) => input..input + 1,
        (None, Some(_)) => 0..u64::MAX,
        (None, None) => 0..INPUTS,
    };
    let mut checked = 0;
    for number in inputs {
        if end.is_some_and(|end| Instant::now() > end) {
            break;
        }
        let current = Current { number, input: target.input(number) };
        check(&current.input);
        checked += 1;
    }
    println!("{checked} inputs");
}

/// The input that is being checked.
struct Current {
    number: u64,
    input: Vec<u8>,
}

impl Drop for Current {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("input {}: \"{}\"", self.number, self.input.escape_ascii());
            eprintln!("again: CMAIL_FUZZ_INPUT={} cargo test -p cmail fuzz_of", self.number);
        }
    }
}

impl Target {
    fn input(&self, number: u64) -> Vec<u8> {
        let mut random = Rng::with_seed(number);
        let mut input = match random.u8(..8) {
            0 => Vec::new(),
            _ => pick(self.seeds, &mut random).to_vec(),
        };
        for _ in 0..random.usize(..12) {
            let place = piece(&input, &mut random);
            let before = place.start..place.start;
            let (place, new) = match random.u8(..6) {
                0 | 1 => (before, pick(self.words, &mut random).to_vec()),
                2 => (before, vec![random.u8(..)]),
                3 => (place, Vec::new()),
                4 => (place, vec![random.u8(..)]),
                _ => {
                    let other = pick(self.seeds, &mut random);
                    (place, other[piece(other, &mut random)].to_vec())
                }
            };
            input.splice(place, new);
        }
        input
    }
}

fn pick(texts: &[&'static str], random: &mut Rng) -> &'static [u8] {
    texts[random.usize(..texts.len())].as_bytes()
}

/// Up to thirty octets somewhere.
fn piece(text: &[u8], random: &mut Rng) -> Range<usize> {
    let start = random.usize(..=text.len());
    start..(start + random.usize(..30)).min(text.len())
}
