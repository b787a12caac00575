//! A plugin for tests that needs what it provides: two instances of it need each other in a circle.

use dovetail_sdk::{
    certs::{Certs, CertsFailure, CertsProvider, Identity},
    export_plugin, Context, Plugin, Service, StartFailure,
};

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {}

struct Ring {
    next: Service<Certs>,
}

impl Plugin for Ring {
    type Config = Config;

    async fn start(_: Config, context: Context) -> Result<Self, StartFailure> {
        Ok(Ring { next: context.service()? })
    }
}

impl CertsProvider for Ring {
    fn resolve(&self, certificate: Option<String>, server_name: Option<String>) -> Result<Option<u64>, CertsFailure> {
        self.next.get()?.resolve(certificate, server_name)
    }

    fn load(&self, set: u64) -> Result<Vec<Identity>, CertsFailure> {
        self.next.get()?.load(set)
    }

    async fn changed(&self, seen: u64) -> Result<u64, CertsFailure> {
        self.next.get()?.changed(seen).await
    }
}

export_plugin! {
    plugin: Ring,
    id: "ring",
    summary: "Needs what it provides (for tests)",
    provides: [Certs],
    requires: [Certs],
}
