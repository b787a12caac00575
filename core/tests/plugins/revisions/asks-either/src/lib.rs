//! A protocol plugin for tests that can do with either revision of a counter; its section says which.

use dovetail_sdk::{
    export_plugin,
    protocol::{Protocol, ProtocolProvider, ProtocolTraits, Session, SessionFailure},
    Context, Need, Plugin, Service, StartFailure,
};
use dovetail_test_counter::{
    talk, v1,
    v2::{self, Step},
};

#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    revision: Revision,
}

#[derive(Debug, Clone, Copy, serde::Deserialize)]
enum Revision {
    One,
    Two,
}

enum AsksEither {
    One(Service<v1::Counter>),
    Two(Service<v2::Counter>),
}

impl Plugin for AsksEither {
    type Config = Config;

    fn needs(config: &Config) -> Vec<Need> {
        vec![match config.revision {
            Revision::One => Need::of::<v1::Counter>(),
            Revision::Two => Need::of::<v2::Counter>(),
        }]
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        Ok(match config.revision {
            Revision::One => AsksEither::One(context.service()?),
            Revision::Two => AsksEither::Two(context.service()?),
        })
    }
}

impl ProtocolProvider for AsksEither {
    fn traits(&self) -> ProtocolTraits {
        talk::traits()
    }
    async fn serve(&self, session: Session) -> Result<(), SessionFailure> {
        let add = |by| match self {
            AsksEither::One(counter) => counter.get()?.add(by),
            AsksEither::Two(counter) => counter.get()?.take(Step { name: "mine".into(), by }),
        };
        talk::serve(session, add).await
    }
}

export_plugin! {
    plugin: AsksEither,
    id: "asks-either",
    summary: "Asks for a counter of either revision (for tests)",
    provides: [Protocol],
    requires: [],
    uses: [v1::Counter, v2::Counter],
}
