//! The `certs` operations: create, import, list, show. One file each; here is what they share.
//!
//! Each works on the folder of the running server, or, with `dir`, on any folder without a server. Work that takes
//! long or touches the disk runs on the host's blocking threads.

mod create;
mod import;
mod list;
mod show;

use std::path::PathBuf;

use dovetail_sdk::operations::{
    Field, FieldKind, FieldValue, Operation, OperationFailure, OperationsProvider, Progress, Report, Values,
};
use dovetail_sdk::{task, Purpose};

use crate::live::Live;
use crate::name::CertName;
use crate::service::CertStore;

/// What the face shows as help, and what it checks before it calls.
pub fn descriptions() -> Vec<Operation> {
    vec![create::describe(), import::describe(), list::describe(), show::describe()]
}

impl OperationsProvider for CertStore {
    async fn run(
        &self,
        operation: String,
        values: Vec<FieldValue>,
        progress: Progress,
    ) -> Result<Report, OperationFailure> {
        let folder = self.folder(&values)?;
        let hostname = (self.about.purpose != Purpose::Standalone).then(|| self.about.hostname.clone());
        let serving = self.serving.clone();
        let work = move || {
            let values = values.as_slice();
            let report = match operation.as_str() {
                "create" => create::run(&folder, values, hostname.as_deref(), &progress),
                "import" => import::run(&folder, values),
                "list" => list::run(&folder),
                "show" => show::run(&folder, values),
                other => Err(OperationFailure::new(format!("certs has no operation \"{other}\""))),
            }?;
            if changes(&operation) && folder == serving.live.folder() {
                // The next handshake sees it; nobody waits for the timer.
                serving.refresh(Live::rescan).map_err(OperationFailure::new)?;
            }
            Ok(report)
        };
        task::spawn_blocking(work).await.map_err(OperationFailure::new)?
    }
}

impl CertStore {
    /// The folder that an operation is about.
    fn folder(&self, values: &[FieldValue]) -> Result<PathBuf, OperationFailure> {
        match values.text("dir").filter(|dir| !dir.is_empty()) {
            Some(dir) => Ok(PathBuf::from(dir)),
            None if self.about.purpose == Purpose::Standalone => {
                Err(OperationFailure::new("name the folder with --dir"))
            }
            None => Ok(self.serving.live.folder().to_owned()),
        }
    }
}

fn changes(operation: &str) -> bool {
    matches!(operation, "create" | "import")
}

/// The field that every operation has.
fn dir_field() -> Field {
    Field::new(
        "dir",
        FieldKind::Directory,
        "Work on this folder, without a server; default: the server's certificate folder",
    )
}

fn replace_field() -> Field {
    Field::new("replace", FieldKind::Flag, "Replace the pair of this name, whatever its key is")
}

/// The `name` field, if it was given.
fn name_of(values: &[FieldValue]) -> Result<Option<CertName>, OperationFailure> {
    values.text("name").filter(|name| !name.is_empty()).map(CertName::new).transpose().map_err(OperationFailure::new)
}

/// A text field that says something.
fn given(values: &[FieldValue], field: &str) -> Option<String> {
    let text = values.text(field)?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A report's form for programs.
fn json<T: serde::Serialize>(value: &T) -> Result<String, OperationFailure> {
    serde_json::to_string(value).map_err(OperationFailure::new)
}

#[cfg(test)]
mod tests;
