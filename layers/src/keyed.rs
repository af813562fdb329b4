//! One of many: operations on the entry of a key, and implementations that serve one key at a time. Knows nothing of choices.

use crate::layer::Operation;
use crate::value::Value;

/// An operation on the entry at `key`: what `inherit(Layer in field[key: K]: op)` makes of `op`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keyed<K, O> {
    /// Which entry.
    pub key: K,
    /// What is done to it.
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

/// What performs the operations of a layer for one key at a time: an implementation by `partition`, or one over it.
pub trait Select {
    /// The key.
    type Key: Value;

    /// From now on, operations are for this key.
    fn select(&mut self, key: Self::Key);

    /// Whether there is anything for this key. Asks what lies below; `false` may be said of any key.
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

/// Arguments, which can be put after a key.
pub trait Arguments: Value {
    /// A key, then these arguments.
    type After<K: Value>: Value;

    /// The key, then the arguments.
    fn after<K: Value>(self, key: K) -> Self::After<K>;

    /// The key and the arguments, apart.
    fn split<K: Value>(all: Self::After<K>) -> (K, Self);
}

/// What an operation above is below, where operations are for one key: the same, or the same without its first argument.
pub trait Route<K, Below> {
    /// The arguments below, and the key if there is one.
    fn route(self) -> (Option<K>, Below);
}

impl<K, Below> Route<K, Below> for Below {
    fn route(self) -> (Option<K>, Below) {
        (None, self)
    }
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

/// The one argument of an operation that asks whether a key is valid.
pub trait One {
    /// The argument.
    type Only;
}

impl<K> One for (K,) {
    type Only = K;
}
