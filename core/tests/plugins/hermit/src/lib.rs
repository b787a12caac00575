//! A plugin for tests that owns a file, `hermit` in the data directory: it does not start while another instance of it runs.
//! It says which listeners it sees at its start. The operation `boom` panics, `fine` answers.

use dovetail_sdk::{
    export_plugin,
    listeners::HostListeners,
    operations::{FieldValue, Operation, OperationFailure, Operations, OperationsProvider, Progress, Report},
    Context, Plugin, StartFailure,
};
use std::path::PathBuf;

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {}

struct Hermit {
    file: PathBuf,
}

impl Plugin for Hermit {
    type Config = Config;

    async fn start(_: Config, context: Context) -> Result<Self, StartFailure> {
        let listeners = context.service::<HostListeners>()?;
        let listeners = listeners.get().and_then(|host| host.listeners()).unwrap_or_default();
        let names: Vec<&str> = listeners.iter().map(|listener| listener.name.as_str()).collect();
        tracing::info!(listeners = %names.join(","), "hermit moves in");
        let file = context.about.in_data_dir("hermit");
        match std::fs::File::create_new(&file) {
            Ok(_) => Ok(Hermit { file }),
            Err(error) => Err(StartFailure::new(format!("{}: {error} (somebody lives there)", file.display()))),
        }
    }

    async fn stop(&self) {
        // A file that is gone is as good.
        let _ = std::fs::remove_file(&self.file);
    }

    fn operations() -> Vec<Operation> {
        vec![Operation::new("boom", "Panics"), Operation::new("fine", "Answers, to show that the instance lives")]
    }
}

impl OperationsProvider for Hermit {
    async fn run(&self, name: String, _: Vec<FieldValue>, _: Progress) -> Result<Report, OperationFailure> {
        match name.as_str() {
            "boom" => panic!("panic in operation (on purpose)"),
            "fine" => Ok(Report::line("fine")),
            _ => Err(OperationFailure::new(format!("there is no operation {name}; there are boom and fine"))),
        }
    }
}

export_plugin! {
    plugin: Hermit,
    id: "hermit",
    summary: "Owns a file, and panics on demand (for tests)",
    command: "hermit",
    exclusive: true,
    provides: [Operations],
    requires: [HostListeners],
}
