//! Scalars: values of which only equality matters, and the one scalar that is built in, the process.

use std::fmt;

use crate::tape;
use crate::value::Value;

/// A type marked `#[scalar]`: a name for values of another type.
pub trait Scalar: Value + From<Self::Inner> + Into<Self::Inner> {
    /// What the scalar is made of.
    type Inner: Value;
}

/// A process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pid(pub u64);

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

impl From<u64> for Pid {
    fn from(number: u64) -> Self {
        Pid(number)
    }
}

impl From<Pid> for u64 {
    fn from(process: Pid) -> Self {
        process.0
    }
}

impl Scalar for Pid {
    type Inner = u64;
}

impl Value for Pid {
    fn arbitrary() -> Self {
        let processes: Vec<Pid> = (0..tape::domain().pids).map(Pid).collect();
        tape::pick_listed(&processes)
    }
}
