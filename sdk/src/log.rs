//! `tracing` events of a plugin, on their way to the host's log.
//!
//! Each library has its own copy of tracing's globals, so this subscriber sees this library's events only. Spans are
//! accepted and carry nothing: the host knows the session already.

use crate::host;
use dovetail_abi::log_v1::{Level, LogRecord};
use std::sync::Once;
use tracing::{span, Event, Metadata, Subscriber};

static INSTALL: Once = Once::new();

/// Installs the subscriber in this library, once.
pub(crate) fn install() {
    INSTALL.call_once(|| {
        // Only a plugin that installs a subscriber of its own can be before us; then its choice stands.
        let _ = tracing::subscriber::set_global_default(ToHost);
    });
}

struct ToHost;

impl Subscriber for ToHost {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        host::with_place(|place| Level::from(metadata.level()) <= place.host.level()).unwrap_or(false)
    }

    fn register_callsite(&self, _: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        // Instances of one library may have different levels: ask each time.
        tracing::subscriber::Interest::sometimes()
    }

    fn event(&self, event: &Event<'_>) {
        host::with_place(|place| {
            // A host that cannot take a record has lost its log; there is nowhere to say so.
            let _ = place.host.log.record(LogRecord::from_event(event, place.session.as_deref()));
        });
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}
