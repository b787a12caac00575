//! The `certs` operations. One file each; here is what they share.
//!
//! Each works on the folder of the running server, or, with `dir`, on any folder without a server. Work that takes
//! long or touches the disk runs on the host's blocking threads.

mod check;
mod create;
mod csr;
mod follow;
mod form;
mod holder;
mod import;
mod import_folder;
mod list;
mod reload;
mod renew;
mod show;

pub use form::{check as check_answers, suggest};

use std::path::PathBuf;

use dovetail_sdk::operations::{
    Field, FieldKind, FieldValue, Operation, OperationFailure, OperationsProvider, Progress, Report, Values,
};
use dovetail_sdk::{task, Purpose};

use crate::check::Around;
use crate::create::MAX_DAYS;
use crate::live::How;
use crate::name::CertName;
use crate::service::CertStore;

/// What the face shows as help, and what it checks before it calls.
pub fn descriptions() -> Vec<Operation> {
    vec![
        check::describe(),
        create::describe(),
        csr::describe(),
        follow::describe(),
        import::describe(),
        list::describe(),
        reload::describe(),
        renew::describe(),
        show::describe(),
    ]
}

impl OperationsProvider for CertStore {
    async fn run(
        &self,
        operation: String,
        values: Vec<FieldValue>,
        progress: Progress,
    ) -> Result<Report, OperationFailure> {
        if operation == "reload" {
            return reload::run(self).await;
        }
        let folder = self.folder(&values)?;
        let (served, changing) = (folder == self.serving.live.folder(), changes(&operation));
        let hostname = (self.about.purpose != Purpose::Standalone).then(|| self.about.hostname.clone());
        let around = self.around(served);
        let work = move || {
            let values = values.as_slice();
            match operation.as_str() {
                "check" => check::run(&folder, values, &around),
                "create" => create::run(&folder, values, hostname.as_deref(), &progress),
                "csr" => csr::run(&folder, values),
                "follow" => follow::run(&folder, values),
                "import" => import::run(&folder, values),
                "renew" => renew::run(&folder, values),
                "list" => list::run(&folder),
                "show" => show::run(&folder, values),
                other => Err(OperationFailure::new(format!("certs has no operation \"{other}\""))),
            }
        };
        let mut report = task::spawn_blocking(work).await.map_err(OperationFailure::new)??;
        if served && changing {
            // The next handshake sees it; nobody waits for the timer.
            let changes = self.serving.refresh(How::Whole).await.map_err(OperationFailure::new)?;
            report.warnings.extend(changes.failed.iter().map(ToString::to_string));
        }
        Ok(report)
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

    /// What a check may know of the server.
    fn around(&self, served: bool) -> Around {
        if !served || self.about.purpose == Purpose::Standalone {
            return Around::default();
        }
        Around {
            hostname: Some(self.about.hostname.clone()),
            default: self.default.clone(),
            // A host that is about to stop tells nothing; the folder can be judged all the same.
            listeners: self.listeners.get().and_then(|host| host.listeners()).unwrap_or_default(),
        }
    }
}

fn changes(operation: &str) -> bool {
    matches!(operation, "create" | "follow" | "import" | "renew")
}

/// Files that an operation's values name.
pub fn further_files(operation: &str, values: &[FieldValue]) -> Vec<String> {
    match operation {
        "import" => import_folder::further_files(values),
        _ => Vec::new(),
    }
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

/// The `days` field, if it was given.
fn days_of(values: &[FieldValue]) -> Result<Option<u32>, OperationFailure> {
    let bad = |text: &str| OperationFailure::new(format!("days \"{text}\": 1 to {MAX_DAYS} days are possible"));
    given(values, "days").map(|text| text.parse().map_err(|_| bad(&text))).transpose()
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
