//! Panics in tests go both ways: to the host, as in a loaded library, and to the terminal, so that a failed test says why.

use dovetail_sdk::glue;
use std::{
    panic::{set_hook, take_hook},
    sync::Once,
};

static INSTALL: Once = Once::new();

/// Lets the SDK install its hook, and puts one in front that keeps the earlier one going.
pub(super) fn install() {
    INSTALL.call_once(|| {
        let terminal = take_hook();
        // The SDK's glue installs its hook at the first contact, once.
        glue::describe("testkit", Vec::new(), Vec::new(), Vec::new());
        let host = take_hook();
        set_hook(Box::new(move |info| {
            terminal(info);
            host(info);
        }));
    });
}
