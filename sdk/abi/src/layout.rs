//! Comparing the layouts of two sides.

mod difference;

use abi_stable::{
    abi_stability::abi_checking::{check_layout_compatibility_with_globals, CheckingGlobals},
    type_layout::TypeLayout,
};
pub use difference::Difference;
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// Pairs that were found compatible, by address: libraries are never unloaded, so an address stays what it is.
static COMPATIBLE: Mutex<BTreeSet<(usize, usize)>> = Mutex::new(BTreeSet::new());

/// Checks that two sides mean the same by an interface, in both directions. The host does this when it wires services, and a
/// [`TypedSlot`](crate::handle::TypedSlot) when it first sees a provider; a pair that was found good is remembered.
///
/// Fresh globals each time: the checker's process-wide ones make its answer depend on load order.
///
/// # Errors
/// The first thing that differs. The checker's own report goes to the log at debug level.
pub fn compatible(consumer: &'static TypeLayout, provider: &'static TypeLayout) -> Result<(), Difference> {
    let pair = (std::ptr::from_ref(consumer) as usize, std::ptr::from_ref(provider) as usize);
    let known = || COMPATIBLE.lock().unwrap_or_else(PoisonError::into_inner);
    if pair.0 == pair.1 || known().contains(&pair) {
        return Ok(());
    }
    for (expected, found, swapped) in [(consumer, provider, false), (provider, consumer, true)] {
        if let Err(report) = check_layout_compatibility_with_globals(expected, found, &CheckingGlobals::new()) {
            tracing::debug!(%report, "layouts differ");
            return Err(Difference::of(&report, swapped));
        }
    }
    known().insert(pair);
    Ok(())
}
