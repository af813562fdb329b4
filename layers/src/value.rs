//! `Value`: types whose values a model can enumerate. A value is built by making choices on the tape, one part after the
//! other, within the [`Domain`](crate::model::Domain) of the run. Knows nothing of layers.

use std::fmt::Debug;
use std::hash::Hash;

use crate::choice::any;
use crate::tape;
use crate::{Map, Seq, Set, Total};

/// A type that states, arguments and results are made of. `#[state]` and `#[scalar]` implement it.
pub trait Value: Clone + Ord + Hash + Debug + 'static {
    /// Any value of the type within the domain of the run: one run for each when outcomes are enumerated.
    ///
    /// # Panics
    ///
    /// Outside a model run.
    fn arbitrary() -> Self;
}

impl Value for bool {
    fn arbitrary() -> Self {
        tape::pick(2) == 1
    }
}

impl Value for String {
    fn arbitrary() -> Self {
        let domain = tape::domain();
        tape::pick_listed(&domain.strings)
    }
}

/// Bytes, as opposed to text: those of the strings of the domain.
impl Value for Vec<u8> {
    fn arbitrary() -> Self {
        String::arbitrary().into_bytes()
    }
}

/// The integers of the domain that fit the type.
macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl Value for $integer {
            fn arbitrary() -> Self {
                let domain = tape::domain();
                let fitting: Vec<$integer> = domain.integers.iter().filter_map(|n| (*n).try_into().ok()).collect();
                tape::pick_listed(&fitting)
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

impl Value for () {
    fn arbitrary() -> Self {}
}

macro_rules! tuples {
    ($($part:ident)*) => {
        impl<$($part: Value),*> Value for ($($part,)*) {
            fn arbitrary() -> Self {
                ($(any::<$part>(),)*)
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);

impl<T: Value> Value for Option<T> {
    fn arbitrary() -> Self {
        bool::arbitrary().then(any)
    }
}

impl<T: Value, E: Value> Value for Result<T, E> {
    fn arbitrary() -> Self {
        if bool::arbitrary() { Ok(any()) } else { Err(any()) }
    }
}

/// Maps with at most `entries` entries.
impl<K: Value, V: Value> Value for Map<K, V> {
    fn arbitrary() -> Self {
        some_of::<K>().into_iter().map(|key| (key, any())).collect()
    }
}

/// Functions with at most `entries` values that may differ from the default.
impl<K: Value, V: Value + Default> Value for Total<K, V> {
    fn arbitrary() -> Self {
        some_of::<K>().into_iter().map(|key| (key, any())).collect()
    }
}

/// Sets with at most `entries` elements.
impl<T: Value> Value for Set<T> {
    fn arbitrary() -> Self {
        some_of::<T>().into_iter().collect()
    }
}

/// Sequences with at most `length` elements.
impl<T: Value> Value for Seq<T> {
    fn arbitrary() -> Self {
        let length = tape::pick(tape::domain().length + 1);
        (0..length).map(|_| any()).collect()
    }
}

/// At most `entries` of the values of a type.
fn some_of<T: Value>() -> Vec<T> {
    let mut room = tape::domain().entries;
    let mut taken = Vec::new();
    for value in tape::values::<T>() {
        if room > 0 && bool::arbitrary() {
            room -= 1;
            taken.push(value);
        }
    }
    taken
}
