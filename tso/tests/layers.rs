//! The layers as executable models, and how short they are.

use std::fs;

use cspec::model::{Domain, Explorer, Outcome, outcomes};
use cspec::prelude::*;
use cspec::{Layer, Model, Operation, Spec};
use tso::counting::stack;
use tso::layers::*;

/// The outcomes of a few calls of the whole stack by one process over the model of the lowest layer.
fn counting(calls: impl Fn(&mut CounterOnTso<Model<dyn Tso>>) -> Vec<u64>) -> Vec<Outcome<Vec<u64>>> {
    let domain = Domain { pids: 1, ..Domain::default() };
    outcomes(&domain, || {
        let mut top = stack(Model::<dyn Tso>::new(Memory::default(), Pid(0)));
        calls(&mut top)
    })
}

#[test]
fn one_process_over_the_model_counts() {
    let up_and_down = counting(|top| vec![top.inc(), top.dec(), top.dec(), top.inc()]);
    assert_eq!(up_and_down, [Outcome::done(vec![0, 1, 0, 0])]);
}

#[test]
fn printing_leaves_an_event() {
    let printed = counting(|top| {
        let seen = top.inc();
        top.print(seen + 7);
        vec![seen]
    });
    let [outcome] = printed.as_slice() else {
        panic!("one outcome, not {printed:?}");
    };
    assert_eq!(outcome.events().len(), 1);
    assert!(format!("{:?}", outcome.events()).contains("print((7,))"));
}

fn steps<L, O>(state: &L::State, op: O) -> Vec<Outcome<(O::Output, L::State)>>
where
    L: Layer + Spec<O, L::State> + ?Sized,
    O: Operation,
{
    Explorer::<L>::new(Domain::default()).steps(state, Pid(0), &op)
}

#[test]
fn a_store_may_be_seen_by_others_at_once_or_later() {
    let all = steps::<dyn Tso, _>(&Memory::default(), __Tso::write((VAL, 5)));
    let shared: Vec<u64> = all.iter().filter_map(Outcome::value).map(|(_, memory)| memory.shared[VAL]).collect();
    assert_eq!(shared.len(), 2);
    assert!(shared.contains(&0) && shared.contains(&5));
    let delayed = steps::<dyn TsoDelayNondet, _>(&Memory::default(), __TsoDelayNondet::write((VAL, 5)));
    assert_eq!(delayed.len(), 1);
}

#[test]
fn breaking_the_rules_fails_below_and_does_nothing_above() {
    let fresh = Locked::default();
    let failed = |outcomes: &[Outcome<_>]| outcomes.iter().filter(|outcome| outcome.is_failure()).count();
    assert_eq!(failed(&steps::<dyn SeqMem, _>(&fresh, __SeqMem::clear(()))), 1);
    let raw = steps::<dyn RawLock, _>(&fresh, __RawLock::release(()));
    assert_eq!((raw.len(), failed(&raw)), (2, 1));
    assert_eq!(steps::<dyn Lock, _>(&fresh, __Lock::release(())), [Outcome::done(((), fresh.clone()))]);
    let read = steps::<dyn Lock, _>(&fresh, __Lock::read(()));
    assert_eq!(read, [Outcome::done((0, fresh.clone())), Outcome::done((1, fresh))]);
}

#[test]
fn the_invariant_rules_out_what_the_lock_prevents() {
    let free = Tracked::default();
    let taken = steps::<dyn LockInvariant, _>(&free, __LockInvariant::try_acquire(()));
    assert!(taken.iter().any(|outcome| outcome.value().is_some_and(|(taken, _)| *taken)));
    let impossible = Tracked { owned: Owned { owner: Some(Pid(1)), ..Owned::default() }, ..Tracked::default() };
    assert!(steps::<dyn LockInvariant, _>(&impossible, __LockInvariant::try_acquire(())).is_empty());
}

#[test]
fn every_layer_starts_somewhere() {
    let domain = || Domain { entries: 1, length: 1, ..Domain::default() };
    assert_eq!(Explorer::<dyn Tso>::new(domain()).initial(), [Memory::default()]);
    assert_eq!(Explorer::<dyn TasTso>::new(domain()).initial(), [Memory::default()]);
    assert_eq!(Explorer::<dyn LockOwner>::new(domain()).initial(), [Owned::default()]);
    assert_eq!(Explorer::<dyn LockInvariant>::new(domain()).initial().len(), 2);
    assert_eq!(Explorer::<dyn LockedCounter>::new(domain()).initial(), [Locked::default()]);
    assert_eq!(Explorer::<dyn Counter>::new(domain()).initial(), [Count::default()]);
}

#[test]
fn relations_run() {
    let lo = Locked::default();
    assert!(HideLock::count(&lo, &Count { value: 0 }));
    assert!(!HideLock::count(&lo, &Count { value: 1 }));
}

/// A reader has to read ten layers, their implementations and the stack: this is how long they are together.
#[test]
fn the_layers_stay_short() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/layers");
    let mut lines = 0;
    for entry in fs::read_dir(folder).expect("the layers are there") {
        let path = entry.expect("a readable folder").path();
        let text = fs::read_to_string(&path).expect("a readable file");
        let code = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
        lines += code.count();
    }
    assert!((100..450).contains(&lines), "{lines} lines of code");
}
