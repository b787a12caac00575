//! A protocol plugin for tests that needs `example.counter/1`.

use dovetail_sdk::{
    export_plugin,
    protocol::{Protocol, ProtocolProvider, ProtocolTraits, Session, SessionFailure},
    Context, Plugin, Service, StartFailure,
};
use dovetail_test_counter::{talk, v1::Counter};

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {}

struct AsksOne {
    counter: Service<Counter>,
}

impl Plugin for AsksOne {
    type Config = Config;
    async fn start(_: Config, context: Context) -> Result<Self, StartFailure> {
        Ok(AsksOne { counter: context.service()? })
    }
}

impl ProtocolProvider for AsksOne {
    fn traits(&self) -> ProtocolTraits {
        talk::traits()
    }
    async fn serve(&self, session: Session) -> Result<(), SessionFailure> {
        talk::serve(session, |by| self.counter.get()?.add(by)).await
    }
}

export_plugin! {
    plugin: AsksOne,
    id: "asks-one",
    summary: "Asks for a counter, revision 1 (for tests)",
    provides: [Protocol],
    requires: [Counter],
}
