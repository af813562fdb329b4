//! Operations on the entry of a key, and implementations that serve one key at a time. This module knows nothing of choices.

use crate::layer::Operation;
use crate::value::Value;

/// An operation on the entry at `key`: `inherit(Layer in field[key: K]: op)` turns `op` into this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keyed<K, O> {
    /// The key of the entry.
    pub key: K,
    /// The operation on the entry.
    pub op: O,
}

impl<K: Value, O: Operation<Args: Arguments>> Operation for Keyed<K, O> {
    type Args = <O::Args as Arguments>::After<K>;
    type Output = O::Output;
    const NAME: &'static str = O::NAME;

    fn from_args(args: Self::Args) -> Self {
        let (key, args) = O::Args::split(args);
        Keyed { key, op: O::from_args(args) }
    }

    fn into_args(self) -> Self::Args {
        self.op.into_args().after(self.key)
    }
}

/// A type that performs the operations of a layer for one key at a time: an implementation by `partition`, or one over it.
pub trait Select {
    /// The type of keys.
    type Key: Value;

    /// Selects a key: all following operations are for it.
    fn select(&mut self, key: Self::Key);

    /// Whether a key is valid, as the layer below answers; it may return `false` for any key.
    fn is_valid(&mut self, key: Self::Key) -> bool;
}

impl<T: Select + ?Sized> Select for &mut T {
    type Key = T::Key;

    fn select(&mut self, key: T::Key) {
        (**self).select(key);
    }

    fn is_valid(&mut self, key: T::Key) -> bool {
        (**self).is_valid(key)
    }
}

/// The arguments of an operation, to which a key can be prepended.
pub trait Arguments: Value {
    /// The type of the arguments with a key in front.
    type After<K: Value>: Value;

    /// Prepends a key to the arguments.
    fn after<K: Value>(self, key: K) -> Self::After<K>;

    /// Splits off the key.
    fn split<K: Value>(all: Self::After<K>) -> (K, Self);
}

/// Maps an operation above a partition to the operation for one key: the same, or the same without its first argument.
pub trait Route<K, Below> {
    /// The arguments below, and the key if there is one.
    fn route(self) -> (Option<K>, Below);
}

impl<K, Below> Route<K, Below> for Below {
    fn route(self) -> (Option<K>, Below) {
        (None, self)
    }
}

/// The first few arguments of an operation, for a rule that several operations share.
pub trait Leading<All> {
    /// Drops the other arguments.
    fn of(all: All) -> Self;
}

/// `Leading` for the arguments in brackets, and for those with more of the arguments after them.
macro_rules! leading {
    (@more [$($first:ident)*]) => {};
    (@more [$($first:ident)*] $next:ident $($rest:ident)*) => { leading!([$($first)* $next] $($rest)*); };
    ([$($first:ident)*] $($rest:ident)*) => {
        #[allow(non_snake_case, clippy::unused_unit)]
        impl<$($first,)* $($rest),*> Leading<($($first,)* $($rest,)*)> for ($($first,)*) {
            fn of(($($first,)* ..): ($($first,)* $($rest,)*)) -> Self {
                ($($first,)*)
            }
        }
        leading!(@more [$($first)*] $($rest)*);
    };
}

macro_rules! arguments {
    ($($part:ident)*) => {
        #[allow(non_snake_case, clippy::unused_unit)]
        impl<$($part: Value),*> Arguments for ($($part,)*) {
            type After<K: Value> = (K, $($part,)*);

            fn after<K: Value>(self, key: K) -> (K, $($part,)*) {
                let ($($part,)*) = self;
                (key, $($part,)*)
            }

            fn split<K: Value>((key, $($part,)*): (K, $($part,)*)) -> (K, Self) {
                (key, ($($part,)*))
            }
        }

        #[allow(non_snake_case, clippy::unused_unit)]
        impl<K, $($part),*> Route<K, ($($part,)*)> for (K, $($part,)*) {
            fn route(self) -> (Option<K>, ($($part,)*)) {
                let (key, $($part,)*) = self;
                (Some(key), ($($part,)*))
            }
        }

        leading!([] $($part)*);
    };
}

arguments!();
arguments!(A);
arguments!(A B);
arguments!(A B C);
arguments!(A B C D);
arguments!(A B C D E);
arguments!(A B C D E F);
arguments!(A B C D E F G);

/// The single argument of an operation that checks a key.
pub trait One {
    /// The type of the argument.
    type Only;
}

impl<K> One for (K,) {
    type Only = K;
}
