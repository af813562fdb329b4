//! A queue for a fixed number of threads. A new item wakes the thread that has slept for the shortest time, since its handles and caches
//! are the freshest. One idle thread at a time spins for a moment before it sleeps, so that an item that arrives meanwhile needs no waking;
//! more spinning threads would take the cores from the clients.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// How many times a spinning thread yields before it sleeps.
const TURNS: usize = 8;

/// The queue: items that wait for one of the threads.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    /// The number of waiting items; readable without the lock.
    length: AtomicUsize,
    /// The condition variable of each thread.
    bells: Vec<Condvar>,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    /// The sleeping threads; the one that fell asleep last is at the end.
    idle: Vec<usize>,
    /// The spinning thread; cleared when an item is added, which that thread takes.
    lingering: Option<usize>,
    closed: bool,
}

impl<T> Queue<T> {
    /// Creates an empty queue for threads with the numbers below `threads`.
    pub fn new(threads: usize) -> Queue<T> {
        let state = State { waiting: VecDeque::new(), idle: Vec::new(), lingering: None, closed: false };
        Queue {
            state: Mutex::new(state),
            length: AtomicUsize::new(0),
            bells: (0..threads).map(|_| Condvar::new()).collect(),
        }
    }

    /// Adds an item. Wakes a sleeping thread unless one is spinning.
    pub fn push(&self, work: T) {
        let mut state = self.state();
        state.waiting.push_back(work);
        self.length.store(state.waiting.len(), Ordering::Relaxed);
        let woken = if state.lingering.take().is_some() { None } else { state.idle.pop() };
        drop(state);
        if let Some(thread) = woken {
            self.bells[thread].notify_one();
        }
    }

    /// Waits for the next item, on behalf of this thread; `None` when the queue is closed and empty.
    pub fn take(&self, thread: usize) -> Option<T> {
        let mut state = self.state();
        let mut has_lingered = false;
        loop {
            // After a spurious wake-up this thread is still in the list.
            state.idle.retain(|idle| *idle != thread);
            if let Some(work) = state.waiting.pop_front() {
                self.length.store(state.waiting.len(), Ordering::Relaxed);
                return Some(work);
            }
            if state.closed {
                return None;
            }
            if !has_lingered && state.lingering.is_none() {
                has_lingered = true;
                state.lingering = Some(thread);
                drop(state);
                self.linger();
                state = self.state();
                state.lingering.take_if(|lingering| *lingering == thread);
                continue;
            }
            state.idle.push(thread);
            state = self.bells[thread].wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The number of waiting items.
    pub fn len(&self) -> usize {
        self.length.load(Ordering::Relaxed)
    }

    /// Yields the processor a few times, until an item arrives.
    fn linger(&self) {
        for _ in 0..TURNS {
            if self.length.load(Ordering::Relaxed) > 0 {
                return;
            }
            thread::yield_now();
        }
    }

    /// Closes the queue: no more items are added, and the threads end when it is empty.
    pub fn close(&self) {
        self.state().closed = true;
        self.bells.iter().for_each(Condvar::notify_one);
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// Waits until this many threads are idle.
    fn wait_for_idle<T>(queue: &Queue<T>, threads: usize) {
        while queue.state().idle.len() < threads {
            thread::yield_now();
        }
    }

    #[test]
    fn everything_is_taken_once() {
        let queue = Queue::new(4);
        let taken = thread::scope(|scope| {
            let take_all = |thread| {
                let queue = &queue;
                scope.spawn(move || std::iter::from_fn(|| queue.take(thread)).collect::<Vec<_>>())
            };
            let threads: Vec<_> = (0..4).map(take_all).collect();
            (0..10_000).for_each(|number| queue.push(number));
            queue.close();
            let mut taken: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().expect("it ends")).collect();
            taken.sort_unstable();
            taken
        });
        assert_eq!(taken, (0..10_000).collect::<Vec<_>>());
    }

    #[test]
    fn the_thread_that_waited_last_is_woken_first() {
        let (queue, (send, took)) = (Queue::new(3), channel());
        thread::scope(|scope| {
            for thread in 0..3 {
                let (queue, send) = (&queue, send.clone());
                scope.spawn(move || {
                    while queue.take(thread).is_some() {
                        send.send(thread).expect("the test listens");
                    }
                });
                wait_for_idle(queue, thread + 1);
            }
            for _ in 0..10 {
                queue.push(());
                assert_eq!(took.recv(), Ok(2));
                wait_for_idle(&queue, 3);
            }
            queue.close();
        });
    }
}
