//! A protocol plugin for tests that needs `example.counter/2`.

use dovetail_sdk::{
    export_plugin,
    protocol::{Protocol, ProtocolProvider, ProtocolTraits, Session, SessionFailure},
    Context, Plugin, Service, StartFailure,
};
use dovetail_test_counter::{
    talk,
    v2::{Counter, Step},
};

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {}

struct AsksTwo {
    counter: Service<Counter>,
}

impl Plugin for AsksTwo {
    type Config = Config;
    async fn start(_: Config, context: Context) -> Result<Self, StartFailure> {
        Ok(AsksTwo { counter: context.service()? })
    }
}

impl ProtocolProvider for AsksTwo {
    fn traits(&self) -> ProtocolTraits {
        talk::traits()
    }
    async fn serve(&self, session: Session) -> Result<(), SessionFailure> {
        talk::serve(session, |by| self.counter.get()?.take(Step { name: "mine".into(), by })).await
    }
}

export_plugin! {
    plugin: AsksTwo,
    id: "asks-two",
    summary: "Asks for a counter, revision 2 (for tests)",
    provides: [Protocol],
    requires: [Counter],
}
