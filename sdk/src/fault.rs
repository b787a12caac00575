//! Panics of a plugin: told to the host with text and place.
//!
//! Each library has its own std, hence its own panic hook. A panic in `prepare` belongs to no instance: its text is kept for
//! the diagnostic that is made of it. A panic that is nobody's (a failed assertion in a plugin's own test) goes to the hook
//! that was there before.

use crate::host;
use dovetail_abi::{contained::guard, fault_v1::PanicReport};
use std::{
    cell::{Cell, RefCell},
    panic::PanicHookInfo,
    sync::Once,
};

static INSTALL: Once = Once::new();

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// Installs the hook in this library, once.
pub(crate) fn install() {
    INSTALL.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !report(info) {
                before(info);
            }
        }));
    });
}

/// Hands the panic to whom it concerns; gives `false` if that is nobody.
fn report(info: &PanicHookInfo<'_>) -> bool {
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
    if told == Some(true) {
        return true;
    }
    let catching = CATCHING.get();
    if catching {
        LAST.with_borrow_mut(|last| *last = Some((message, place)));
    }
    catching
}

/// Runs `work`; of a panic, gives text and place.
pub(crate) fn catch<R>(work: impl FnOnce() -> R) -> Result<R, (String, String)> {
    let before = CATCHING.replace(true);
    let outcome = guard(work);
    CATCHING.set(before);
    outcome.ok_or_else(|| LAST.with_borrow_mut(Option::take).unwrap_or_default())
}
