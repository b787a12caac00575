//! Comparing the layouts of two sides.

use abi_stable::{
    abi_stability::abi_checking::{check_layout_compatibility_with_globals, CheckingGlobals},
    type_layout::TypeLayout,
};
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
/// One line that names the first type that differs. The checker's own report is 17 to 220 kB long; it goes to the log at
/// debug level.
pub fn compatible(consumer: &'static TypeLayout, provider: &'static TypeLayout) -> Result<(), String> {
    let pair = (std::ptr::from_ref(consumer) as usize, std::ptr::from_ref(provider) as usize);
    let known = || COMPATIBLE.lock().unwrap_or_else(PoisonError::into_inner);
    if pair.0 == pair.1 || known().contains(&pair) {
        return Ok(());
    }
    for (expected, found) in [(consumer, provider), (provider, consumer)] {
        if let Err(report) = check_layout_compatibility_with_globals(expected, found, &CheckingGlobals::new()) {
            let report = report.to_string();
            tracing::debug!(%report, "layouts differ");
            return Err(first_difference(&report, consumer, provider));
        }
    }
    known().insert(pair);
    Ok(())
}

/// Boils the report down to what an operator can use.
fn first_difference(report: &str, consumer: &TypeLayout, provider: &TypeLayout) -> String {
    let reason = report
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("Error:") || line.starts_with("Expected"))
        .map(|line| line.trim_start_matches("Error:").trim())
        .filter(|line| !line.is_empty())
        .unwrap_or("its types are laid out differently");
    format!("{} differs from {}: {reason}", consumer.name(), provider.name())
}
