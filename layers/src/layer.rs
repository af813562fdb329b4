//! The traits that the macros implement: operations, types that perform them, and their meaning in a layer. This module does not know
//! how choices are made; a [`Model`] chooses by the functions of the language, like any operation.

use std::fmt;

use crate::Pid;
use crate::choice::when;
use crate::value::Value;

/// An operation: its name, and the types of its arguments and its result. A value of the type is one call.
///
/// `#[layer]` generates one type for each `#[op]`; a layer that inherits an operation shares its type.
pub trait Operation: Clone + Ord + fmt::Debug + 'static {
    /// The type of the arguments, as a tuple; without `me`.
    type Args: Value;
    /// The type of the result.
    type Output: Value;
    /// The name of the operation in the source.
    const NAME: &'static str;

    /// The call with the given arguments.
    fn from_args(args: Self::Args) -> Self;

    /// The arguments of this call.
    fn into_args(self) -> Self::Args;
}

/// A type that performs an operation for one process: a bottom layer, an implementation over one, a [`Model`].
pub trait Perform<O: Operation> {
    /// Performs one call and returns its result.
    fn perform(&mut self, op: O) -> O::Output;
}

impl<T: Perform<O> + ?Sized, O: Operation> Perform<O> for &mut T {
    #[inline]
    fn perform(&mut self, op: O) -> O::Output {
        (**self).perform(op)
    }
}

/// The properties of a layer besides its operations. Implemented by `dyn Name` for `#[layer] impl Name for State`.
pub trait Layer {
    /// The state of the layer.
    type State: Value;

    /// The `#[init]` function: whether the system may start in this state.
    fn is_initial(state: &Self::State) -> bool;

    /// The `#[background]` step; it does nothing if there is none.
    fn background(state: &mut Self::State);

    /// Whether all `#[invariant]` functions hold.
    fn holds(state: &Self::State) -> bool;
}

/// The meaning of an operation in a layer, over a state. It excludes the layer's background and invariants, which are not inherited with an
/// operation. External operations, and those that do not read the state, mean the same over every state.
pub trait Spec<O: Operation, S> {
    /// One step: a choice of one transition.
    fn step(state: &mut S, me: Pid, op: O) -> O::Output;
}

/// The executable model of a layer, as one process sees it: `Model::<dyn Deliver>::new(state, me)`.
///
/// It performs the layer's operations, so procedures and whole stacks run over it. Its choices need a run of
/// [`model`](crate::model) around them.
pub struct Model<L: Layer + ?Sized> {
    /// The current state of the layer; each operation changes it.
    pub state: L::State,
    /// The process that every operation is performed by.
    pub me: Pid,
}

impl<L: Layer + ?Sized> Model<L> {
    /// A model in this state, used by process `me`.
    pub fn new(state: L::State, me: Pid) -> Self {
        Model { state, me }
    }

    /// What may happen between two operations: the background, in states that satisfy the invariants only.
    fn settle(&mut self) {
        when(L::holds(&self.state));
        L::background(&mut self.state);
        when(L::holds(&self.state));
    }
}

impl<L: Layer + Spec<O, L::State> + ?Sized, O: Operation> Perform<O> for Model<L> {
    fn perform(&mut self, op: O) -> O::Output {
        self.settle();
        let result = L::step(&mut self.state, self.me, op);
        self.settle();
        result
    }
}

impl<L: Layer + ?Sized> Clone for Model<L> {
    fn clone(&self) -> Self {
        Model { state: self.state.clone(), me: self.me }
    }
}

impl<L: Layer + ?Sized> fmt::Debug for Model<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("state", &self.state).field("me", &self.me).finish()
    }
}

/// What generated code calls. Not for users.
#[doc(hidden)]
pub mod generated {
    use std::any::Any;

    use super::{Operation, Spec};
    use crate::keyed::Select;
    pub use crate::keyed::{Arguments, Leading, One, Route};
    use crate::model::Event;
    use crate::{Map, Pid, tape, when};

    /// The operation of another layer that has the same arguments.
    #[inline]
    pub fn recast<From: Operation, To: Operation<Args = From::Args>>(op: From) -> To {
        To::from_args(op.into_args())
    }

    /// The entry at `key`. The transition does not exist if there is none.
    pub fn entry<'a, K: Ord, V>(map: &'a mut Map<K, V>, key: &K) -> &'a mut V {
        when(map.contains(key));
        &mut map[key]
    }

    /// The operation below of one above, for the key that the one above names, if it names one.
    #[inline]
    pub fn route<From: Operation, To: Operation, L: Select>(below: &mut L, op: From) -> To
    where
        From::Args: Route<L::Key, To::Args>,
    {
        let (key, args) = op.into_args().route();
        if let Some(key) = key {
            below.select(key);
        }
        To::from_args(args)
    }

    /// The selected key.
    ///
    /// # Panics
    ///
    /// If no key is selected: a procedure for one key was called before `select`.
    #[inline]
    pub fn selected<K: Clone>(key: &Option<K>) -> K {
        key.clone().expect("an operation for one key, before a key was selected")
    }

    /// A step of an operation inherited from a layer over a component of the state.
    pub fn step_in<L: Spec<O, S> + ?Sized, O: Operation, S>(component: &mut S, me: Pid, op: O) -> O::Output {
        L::step(component, me, op)
    }

    /// An external operation: the result that its body chooses, and the event.
    pub fn external_step<O: Operation>(me: Pid, op: &O, result: O::Output) -> O::Output {
        tape::record(Event::Call {
            process: me,
            operation: O::NAME,
            call: format!("{op:?}"),
            result: format!("{result:?}"),
        });
        result
    }

    /// One of `of` alternatives.
    pub fn pick(of: usize) -> usize {
        tape::pick(of)
    }

    /// The call as a particular operation, if it is one.
    pub fn call_of<P: Operation>(op: &dyn Any) -> Option<P> {
        op.downcast_ref::<P>().cloned()
    }
}
