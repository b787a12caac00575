//! `dovetail accounts`: add, list, remove, password, the aliases of addresses and domains, and certificates.

mod certificates;

use crate::{
    content::Content,
    edit::{self, Removed},
    name::{DomainName, Name},
    password, scram,
    stored::Stored,
    Accounts,
};
use dovetail_sdk::{
    operations::{
        Field, FieldKind, FieldValue, Operation, OperationFailure, OperationsProvider, Progress, Report, Table, Values,
    },
    task, Secret,
};

/// The operations, for help and faces.
pub fn describe() -> Vec<Operation> {
    let mut all = vec![
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
            .help(
                "The old password ends at once, for each new login. Sessions that are logged in go on until they end.\n\n\
                 Example: dovetail accounts password you@example.org",
            )
            .field(address())
            .field(secret()),
        Operation::new("alias", "Make an address stand for accounts or other aliases")
            .help(
                "An alias that exists leads to the new targets only. *@DOMAIN is the catch-all: every address of the \
                 domain that is not known otherwise.\n\n\
                 Example: dovetail accounts alias sales@example.org --to you@example.org --to ann@example.org",
            )
            .field(alias())
            .field(
                Field::new("to", FieldKind::Text, "An account or alias that it leads to; may be given several times")
                    .required()
                    .many(),
            ),
        Operation::new("unalias", "Remove an alias")
            .help("Example: dovetail accounts unalias sales@example.org")
            .field(alias()),
        Operation::new("alias-domain", "Make all addresses of a domain stand for those of another")
            .help(
                "Mail to any address of the domain goes where mail to the same address of the other domain goes.\n\n\
                 Example: dovetail accounts alias-domain example.net --to example.org",
            )
            .field(domain())
            .field(Field::new("to", FieldKind::Text, "The domain whose addresses they stand for").required()),
        Operation::new("unalias-domain", "Remove an alias domain")
            .help("Example: dovetail accounts unalias-domain example.net")
            .field(domain()),
    ];
    all.extend(certificates::describe());
    all
}

fn alias() -> Field {
    Field::new("address", FieldKind::Text, "The alias, such as sales@example.org").required().positional()
}

fn domain() -> Field {
    Field::new("domain", FieldKind::Text, "The alias domain, such as example.net").required().positional()
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
                let (name, stored) = (name(&values)?, self.store_password(&values).await?);
                let domain = name.domain_name();
                let is_new = !self.live.book().is_ours(&domain);
                let mut report = Report::line(format!("{name} added"));
                self.change(move |content| edit::add(content, name, stored)).await?;
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
                let (name, stored) = (name(&values)?, self.store_password(&values).await?);
                let report = Report::line(format!("{name} has a new password"));
                self.change(move |content| edit::set_password(content, &name, stored)).await?;
                Ok(report)
            }
            "alias" => {
                let (name, targets) = (name(&values)?, targets(&values)?);
                let line = format!("{name} leads to {}", join(&targets));
                let edit = move |content: &mut Content| {
                    edit::set_alias(content, name, targets);
                    Ok(())
                };
                self.change(edit).await?;
                Ok(Report::line(line))
            }
            "unalias" => {
                let name = name(&values)?;
                let line = format!("the alias {name} is removed");
                self.change(move |content| edit::remove_alias(content, &name)).await?;
                Ok(Report::line(line))
            }
            "alias-domain" => {
                let (domain, target) = (domain_of(&values, "domain")?, domain_of(&values, "to")?);
                let line = format!("every address of {domain} stands for that of {target}");
                let edit = move |content: &mut Content| {
                    edit::set_alias_domain(content, domain, target);
                    Ok(())
                };
                self.change(edit).await?;
                Ok(Report::line(line))
            }
            "unalias-domain" => {
                let domain = domain_of(&values, "domain")?;
                let line = format!("{domain} is no alias domain any more");
                self.change(move |content| edit::remove_alias_domain(content, &domain)).await?;
                Ok(Report::line(line))
            }
            "add-certificate" => certificates::add(self, &values).await,
            "remove-certificate" => certificates::remove(self, &values).await,
            "certificates" => {
                let live = self.live.clone();
                let content = blocking(move || live.content()).await?.map_err(OperationFailure::new)?;
                certificates::list(&content, &values)
            }
            other => Err(OperationFailure::new(format!(
                "there is no operation {other:?}; there are add, list, remove, password, alias, unalias, alias-domain, \
                 unalias-domain, add-certificate, remove-certificate, certificates"
            ))),
        }
    }
}

impl Accounts {
    async fn store_password(&self, values: &[FieldValue]) -> Result<Stored, OperationFailure> {
        let (_, bytes) = values.bytes("password").ok_or_else(|| {
            OperationFailure::new("no password is given; name a file that holds it with --password-file FILE")
        })?;
        let password = Secret::new(password::accept_new(bytes).map_err(OperationFailure::new)?.to_vec());
        let costs = self.costs;
        blocking(move || costs.store(password.expose())).await?.map_err(OperationFailure::new)
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

fn targets(values: &[FieldValue]) -> Result<Vec<Name>, OperationFailure> {
    let targets = values.texts("to").into_iter().map(str::parse).collect::<Result<Vec<Name>, _>>();
    let targets = targets.map_err(OperationFailure::new)?;
    match targets.is_empty() {
        false => Ok(targets),
        true => Err(OperationFailure::new("say where the alias leads, with --to ADDRESS")),
    }
}

fn domain_of(values: &[FieldValue], field: &str) -> Result<DomainName, OperationFailure> {
    values.text(field).unwrap_or_default().parse().map_err(OperationFailure::new)
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
        let login = match (account.enabled, account.has_password(), scram::usable(account)) {
            (false, _, _) => "disabled",
            (true, false, _) if !account.certificates.is_empty() => "by certificate",
            (true, false, _) => "no password",
            (true, true, None) => "yes, no SCRAM keys",
            (true, true, Some(_)) => "yes",
        };
        rows.push(vec![name.to_string(), "account".into(), login.into(), join(&account.aliases)]);
        accounts.push(serde_json::json!({
            "address": name,
            "enabled": account.enabled,
            "has_password": account.has_password(),
            "has_scram_keys": scram::usable(account).is_some(),
            "certificates": account.certificates.len(),
            "aliases": account.aliases,
        }));
    }
    for (name, targets) in content.aliases.iter() {
        rows.push(vec![name.to_string(), "alias".into(), String::new(), join(targets)]);
    }
    for (domain, target) in content.alias_domains.iter() {
        rows.push(vec![domain.to_string(), "alias domain".into(), String::new(), target.to_string()]);
    }
    let accounts_are_none = accounts.is_empty();
    let json = serde_json::json!({
        "accounts": accounts,
        "aliases": content.aliases,
        "alias_domains": content.alias_domains,
        "postmaster": content.postmaster,
        "domains": domains,
    });
    let lines = match accounts_are_none {
        true => vec!["There are no accounts yet; add one with `dovetail accounts add ADDRESS`.".to_owned()],
        false => Vec::new(),
    };
    let columns = ["address", "kind", "login", "aliases or targets"].map(str::to_owned).to_vec();
    let table = (!rows.is_empty()).then_some(Table { columns, rows });
    Report { lines, table, json: json.to_string(), ..Report::default() }
}

fn join(names: &[Name]) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "operations_tests.rs"]
mod tests;
