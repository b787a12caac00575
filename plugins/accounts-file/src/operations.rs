//! `dovetail accounts`: add, list, remove, password.

use crate::{
    content::Content,
    edit::{self, Removed},
    name::Name,
    password, Accounts,
};
use dovetail_sdk::{
    operations::{
        Field, FieldKind, FieldValue, Operation, OperationFailure, OperationsProvider, Progress, Report, Table, Values,
    },
    task, Secret,
};

/// The operations, for help and faces.
pub fn describe() -> Vec<Operation> {
    vec![
        Operation::new("add", "Add an account")
            .help(
                "The account can log in and receive mail at once. Its domain becomes one of this server's.\n\n\
                 Example: dovetail accounts add you@example.org",
            )
            .field(address())
            .field(secret()),
        Operation::new("list", "List accounts and aliases"),
        Operation::new("remove", "Remove an account")
            .help(
                "The account can no longer log in or receive mail, and aliases no longer lead to it. Its mailboxes stay in \
                 the store.\n\nExample: dovetail accounts remove you@example.org",
            )
            .field(address()),
        Operation::new("password", "Give an account another password")
            .help("The old password ends at once.\n\nExample: dovetail accounts password you@example.org")
            .field(address())
            .field(secret()),
    ]
}

fn address() -> Field {
    Field::new("address", FieldKind::Text, "The account's address, such as you@example.org").required().positional()
}

fn secret() -> Field {
    Field::new("password", FieldKind::Secret, "The password, at least 8 characters").required().prompted()
}

impl OperationsProvider for Accounts {
    async fn run(
        &self,
        operation: String,
        values: Vec<FieldValue>,
        _progress: Progress,
    ) -> Result<Report, OperationFailure> {
        match operation.as_str() {
            "add" => {
                let (name, hash) = (name(&values)?, self.new_hash(&values).await?);
                let domain = name.domain_name();
                let is_new = !self.live.book().is_ours(&domain);
                let mut report = Report::line(format!("{name} added"));
                self.change(move |content| edit::add(content, name, hash)).await?;
                if is_new {
                    report.lines.push(format!("{domain} is now a domain of this server"));
                }
                Ok(report)
            }
            "list" => {
                let live = self.live.clone();
                let content = blocking(move || live.content()).await?.map_err(OperationFailure::new)?;
                Ok(list(&content, &self.live.book().domains()))
            }
            "remove" => {
                let name = name(&values)?;
                let line = format!("{name} removed; its mailboxes stay in the store");
                let removed = self.change(move |content| edit::remove(content, &name)).await?;
                Ok(remove_report(line, &removed))
            }
            "password" => {
                let (name, hash) = (name(&values)?, self.new_hash(&values).await?);
                let report = Report::line(format!("{name} has a new password"));
                self.change(move |content| edit::set_password(content, &name, hash)).await?;
                Ok(report)
            }
            other => Err(OperationFailure::new(format!(
                "there is no operation {other:?}; there are add, list, remove, password"
            ))),
        }
    }
}

impl Accounts {
    async fn new_hash(&self, values: &[FieldValue]) -> Result<String, OperationFailure> {
        let (_, bytes) = values.bytes("password").ok_or_else(|| {
            OperationFailure::new("no password is given; name a file that holds it with --password-file FILE")
        })?;
        let password = Secret::new(password::accept_new(bytes).map_err(OperationFailure::new)?.to_vec());
        let cost = self.cost;
        blocking(move || password::hash(password.expose(), cost)).await?.map_err(OperationFailure::new)
    }

    async fn change<R: Send + 'static>(
        &self,
        edit: impl FnOnce(&mut Content) -> Result<R, edit::EditError> + Send + 'static,
    ) -> Result<R, OperationFailure> {
        let live = self.live.clone();
        blocking(move || live.change(edit)).await?.map_err(OperationFailure::new)
    }
}

async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, OperationFailure> {
    task::spawn_blocking(work).await.map_err(OperationFailure::new)
}

fn name(values: &[FieldValue]) -> Result<Name, OperationFailure> {
    values.text("address").unwrap_or_default().parse().map_err(OperationFailure::new)
}

fn remove_report(line: String, removed: &Removed) -> Report {
    let mut report = Report::line(line);
    let warnings =
        removed.removed.iter().map(|alias| format!("the alias {alias} led to nobody else and is removed too"));
    report.warnings.extend(warnings);
    let lines = removed.shortened.iter().map(|alias| format!("the alias {alias} no longer leads to it"));
    report.lines.extend(lines);
    if removed.postmaster {
        report.warnings.push("it was named as postmaster; the first account gets that mail now".to_owned());
    }
    report
}

fn list(content: &Content, domains: &[&str]) -> Report {
    let mut rows = Vec::new();
    let mut accounts = Vec::new();
    for (name, account) in content.accounts.iter() {
        let login = match (account.enabled, account.password.is_empty()) {
            (false, _) => "disabled",
            (true, true) => "no password",
            (true, false) => "yes",
        };
        rows.push(vec![name.to_string(), "account".into(), login.into(), join(&account.aliases)]);
        accounts.push(serde_json::json!({
            "address": name,
            "enabled": account.enabled,
            "has_password": !account.password.is_empty(),
            "aliases": account.aliases,
        }));
    }
    for (name, targets) in content.aliases.iter() {
        rows.push(vec![name.to_string(), "alias".into(), String::new(), join(targets)]);
    }
    let json = serde_json::json!({
        "accounts": accounts,
        "aliases": content.aliases,
        "alias_domains": content.alias_domains,
        "postmaster": content.postmaster,
        "domains": domains,
    });
    let lines = match rows.is_empty() {
        true => vec!["There are no accounts yet; add one with `dovetail accounts add ADDRESS`.".to_owned()],
        false => Vec::new(),
    };
    let columns = ["address", "kind", "login", "aliases or targets"].map(str::to_owned).to_vec();
    let table = (!rows.is_empty()).then_some(Table { columns, rows });
    Report { lines, table, warnings: Vec::new(), json: json.to_string() }
}

fn join(names: &[Name]) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "operations_tests.rs"]
mod tests;
