//! What a library takes from the heap: an allocator that counts, for the library that it is linked into.
//!
//! Each plugin library has its own copy of this crate's statics and its own global allocator, so what is counted here is the
//! library's alone: memory that its Rust code asked for, whichever of its instances that was for. What C code inside of it
//! takes by `malloc` is not seen. Memory itself comes from the system's allocator, as without counting.
//!
//! **What it costs.** Some ten instructions, none of them locked, for memory taken and for memory given back: a thread finds its
//! counter by its thread pointer, and the first thread that comes to a counter owns it for good. (A thread whose pointer is that of
//! one that has ended goes on with its counter.) Where another thread owns it, one of [`SHARED`] counters is used, by locked
//! additions. A counter takes one cache line.
//!
//! **How it fails.** It does not: where the system gives no memory, nothing is counted. Figures are read while threads go on, so
//! a sum may miss what happens at that moment.

use crate::kernel_v1::HeapUse;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

/// So many counters have an owner, or may get one.
const OWNED: usize = 64;
/// So many are for threads that got none.
const SHARED: usize = 8;
/// The stacks of threads, and with them their pointers, are this power of two apart or more, mostly.
const APART: usize = 21;

/// The system's allocator, counted. The SDK's `export_plugin!` makes it the library's global one.
pub struct Counting;

#[repr(align(64))]
struct Counter {
    /// The thread that alone writes here, by its pointer; 0 before there is one.
    owner: AtomicUsize,
    /// What was taken less what was given back here; memory may be given back by another thread, so only the sum of all
    /// counters is a number of octets.
    octets: AtomicU64,
    allocations: AtomicU64,
}

impl Counter {
    const fn new() -> Counter {
        Counter { owner: AtomicUsize::new(0), octets: AtomicU64::new(0), allocations: AtomicU64::new(0) }
    }

    /// Adds for the owner.
    #[inline(always)]
    fn add_owned(&self, octets: u64, allocations: u64) {
        self.octets.store(self.octets.load(Relaxed).wrapping_add(octets), Relaxed);
        if allocations > 0 {
            self.allocations.store(self.allocations.load(Relaxed).wrapping_add(allocations), Relaxed);
        }
    }
}

static COUNTERS: [Counter; OWNED] = [const { Counter::new() }; OWNED];
static OTHERS: [Counter; SHARED] = [const { Counter::new() }; SHARED];

/// What no other thread that lives has: the thread pointer.
#[inline(always)]
fn me() -> usize {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    {
        let me: usize;
        // SAFETY: reads the thread pointer, which the ABI keeps in memory at fs:0 for each thread, and nothing else.
        unsafe { std::arch::asm!("mov {}, fs:0", out(reg) me, options(nostack, preserves_flags, readonly, pure)) };
        me
    }
    #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
    {
        let me: usize;
        // SAFETY: reads the thread pointer's register, and nothing else.
        unsafe { std::arch::asm!("mrs {}, tpidr_el0", out(reg) me, options(nostack, preserves_flags, nomem, pure)) };
        me
    }
    #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    {
        // Neither made nor dropped by code, so that it can be used in an allocator.
        thread_local!(static HERE: u8 = const { 0 });
        HERE.with(|here| std::ptr::from_ref(here) as usize)
    }
}

/// Counts for the calling thread.
#[inline(always)]
fn add(octets: u64, allocations: u64) {
    let me = me();
    let at = (me >> APART) % OWNED;
    let counter = &COUNTERS[at];
    if counter.owner.load(Relaxed) == me {
        counter.add_owned(octets, allocations);
    } else {
        add_first(me, at, octets, allocations);
    }
}

/// The same where the thread does not own the counter, yet or at all.
#[cold]
fn add_first(me: usize, at: usize, octets: u64, allocations: u64) {
    let counter = &COUNTERS[at];
    if counter.owner.compare_exchange(0, me, Relaxed, Relaxed).is_ok() {
        return counter.add_owned(octets, allocations);
    }
    let counter = &OTHERS[at % SHARED];
    counter.octets.fetch_add(octets, Relaxed);
    counter.allocations.fetch_add(allocations, Relaxed);
}

// SAFETY: memory comes from `System` under the caller's contract, unchanged; counting neither allocates nor panics.
unsafe impl GlobalAlloc for Counting {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller's contract.
        let memory = unsafe { System.alloc(layout) };
        if !memory.is_null() {
            add(layout.size() as u64, 1);
        }
        memory
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller's contract.
        let memory = unsafe { System.alloc_zeroed(layout) };
        if !memory.is_null() {
            add(layout.size() as u64, 1);
        }
        memory
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: by the caller's contract.
        let moved = unsafe { System.realloc(memory, layout, size) };
        if !moved.is_null() {
            add((size as u64).wrapping_sub(layout.size() as u64), 1);
        }
        moved
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        add((layout.size() as u64).wrapping_neg(), 0);
        // SAFETY: by the caller's contract.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// What this library has now and took so far; `None` if [`Counting`] is not its allocator.
pub fn so_far() -> Option<HeapUse> {
    let sum = |part: fn(&Counter) -> &AtomicU64| {
        COUNTERS.iter().chain(&OTHERS).fold(0_u64, |sum, counter| sum.wrapping_add(part(counter).load(Relaxed)))
    };
    let allocations = sum(|counter| &counter.allocations);
    // A moment's disorder between threads may leave it below zero.
    let octets = u64::try_from(sum(|counter| &counter.octets) as i64).unwrap_or(0);
    (allocations > 0).then_some(HeapUse { octets, allocations })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counters are those of the process; tests that look at them take turns.
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

    fn turn() -> std::sync::MutexGuard<'static, ()> {
        TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn figures() -> (u64, u64) {
        so_far().map_or((0, 0), |figures| (figures.octets, figures.allocations))
    }

    #[test]
    fn what_is_taken_grown_and_given_back_is_counted() {
        let _turn = turn();
        let (octets, allocations) = figures();
        let layout = Layout::from_size_align(100, 8).unwrap();
        let grown = Layout::from_size_align(300, 8).unwrap();
        // SAFETY: each block is given back with the layout that it has by then.
        unsafe {
            let (plain, zeroed) = (Counting.alloc(layout), Counting.alloc_zeroed(layout));
            assert!(!plain.is_null() && (0..100).all(|at| *zeroed.add(at) == 0));
            assert_eq!(figures(), (octets + 200, allocations + 2));
            let plain = Counting.realloc(plain, layout, 300);
            assert_eq!(figures(), (octets + 400, allocations + 3));
            // Given back by another thread.
            let (plain, zeroed) = (plain as usize, zeroed as usize);
            std::thread::spawn(move || {
                Counting.dealloc(plain as *mut u8, grown);
                Counting.dealloc(zeroed as *mut u8, layout);
            })
            .join()
            .unwrap();
        }
        assert_eq!(figures(), (octets, allocations + 3));
    }

    #[test]
    fn more_threads_than_counters_lose_nothing() {
        let _turn = turn();
        let (octets, allocations) = figures();
        // All at a time, so that some find no counter of their own.
        let count = OWNED + 3 * SHARED;
        let together = std::sync::Arc::new(std::sync::Barrier::new(count));
        let threads: Vec<_> = (0..count)
            .map(|_| {
                let together = together.clone();
                std::thread::spawn(move || {
                    let who = me();
                    for _ in 0..200 {
                        together.wait();
                        add(3, 1);
                        assert_eq!(me(), who);
                    }
                    who
                })
            })
            .collect();
        let all: std::collections::BTreeSet<usize> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(all.len(), count, "no two threads that live are taken for one");
        let count = count as u64;
        assert_eq!(figures(), (octets + count * 600, allocations + count * 200));
    }
}
