//! Scalars: values that are only compared for equality, and the built-in scalar, the process.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use crate::tape;
use crate::value::Value;

/// A type marked `#[scalar]`: a name for values of another type.
pub trait Scalar: Value + From<Self::Inner> + Into<Self::Inner> {
    /// The type that the scalar wraps.
    type Inner: Value;
}

/// A process: one incarnation. An operating-system pid is not enough, since pids are reused; 128 bits have room for the pid together with
/// the start time of the process, or for a random number.
///
/// It is printed as decimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pid(pub u128);

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Pid {
    type Err = ParseIntError;

    fn from_str(digits: &str) -> Result<Self, ParseIntError> {
        digits.parse().map(Pid)
    }
}

impl From<u128> for Pid {
    fn from(number: u128) -> Self {
        Pid(number)
    }
}

impl From<Pid> for u128 {
    fn from(process: Pid) -> Self {
        process.0
    }
}

impl Scalar for Pid {
    type Inner = u128;
}

impl Value for Pid {
    fn arbitrary() -> Self {
        let processes: Vec<Pid> = (0..tape::domain().pids).map(|number| Pid(number.into())).collect();
        tape::pick_listed(&processes)
    }
}
