//! Panics of a plugin: told to the host with text and place.
//!
//! Each library has its own std, hence its own panic hook. A panic outside of any instance (in `prepare`, say) is kept for
//! the caller, who makes a diagnostic of it.

use crate::host;
use dovetail_abi::fault_v1::PanicReport;
use std::{cell::RefCell, panic::PanicHookInfo, sync::Once};

static INSTALL: Once = Once::new();

thread_local! {
    static LAST: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// Installs the hook in this library, once. In tests the default hook stays, so that failures are seen.
pub(crate) fn install() {
    INSTALL.call_once(|| {
        std::panic::set_hook(Box::new(report));
    });
}

fn report(info: &PanicHookInfo<'_>) {
    let message = info
        .payload()
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| info.payload().downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without text".to_owned());
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let told = host::with_place(|at| {
        let session = at.session.as_deref().map(str::to_owned);
        at.host.fault.panicked(PanicReport { message: message.clone(), place: place.clone(), session }).is_ok()
    });
    if told != Some(true) {
        LAST.with_borrow_mut(|last| *last = Some((message, place)));
    }
}

/// Text and place of the last panic on this thread that no instance could be charged with.
pub(crate) fn take_last() -> Option<(String, String)> {
    LAST.with_borrow_mut(Option::take)
}
