//! Scalars: values of which only equality matters, and the one scalar that is built in, the process.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use crate::tape;
use crate::value::Value;

/// A type marked `#[scalar]`: a name for values of another type.
pub trait Scalar: Value + From<Self::Inner> + Into<Self::Inner> {
    /// What the scalar is made of.
    type Inner: Value;
}

/// A process: one life of one process. A number that an operating system gives to a process, and later to another one, is not
/// enough; 128 bits have room for that number together with the time when the process started, or for random ones.
///
/// Its text is decimal digits.
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
