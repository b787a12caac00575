//! What a reload changes: the running server's [`Shape`] against the one that a config would make.

use super::shape::{InstanceShape, ListenerShape, Shape};
use dovetail_abi::operations_v1::{Report, Table};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A plugin instance.
    Instance,
    /// A listener.
    Listener,
    /// Another option.
    Setting,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Nothing: it stays as it is, with its connections and its state.
    Kept,
    /// It is replaced; sessions that run go on with the old.
    Changed,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It owns files: it is stopped and started anew in its place, and who uses it waits meanwhile.
    Restarted,
    /// It cannot be changed while the server runs.
    NeedsRestart,
}

/// One part and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub change: Change,
    /// What about it is another.
    pub why: String,
}

/// All parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The parts, instances first.
    pub steps: Vec<Step>,
}

impl Plan {
    /// Compares the running server with what a config would make. `leaving` are plugins of which a replaced or removed
    /// instance has not stopped yet.
    pub fn between(running: &Shape, next: &Shape, leaving: &BTreeSet<String>) -> Plan {
        let mut plan = Plan::default();
        plan.instances(running, next, leaving);
        plan.listeners(running, next);
        plan.settings(Change::NeedsRestart, &running.fixed, &next.fixed);
        plan.settings(Change::Changed, &running.settings, &next.settings);
        plan
    }

    fn add(&mut self, kind: Kind, name: &str, change: Change, why: impl Into<String>) {
        self.steps.push(Step { kind, name: name.to_owned(), change, why: why.into() });
    }

    fn instances(&mut self, running: &Shape, next: &Shape, leaving: &BTreeSet<String>) {
        let removed = |other: &&InstanceShape| !next.instances.iter().any(|new| new.name == other.name);
        for new in &next.instances {
            let Some(old) = running.instances.iter().find(|old| old.name == new.name) else {
                let owned = leaving.contains(&new.plugin)
                    || running.instances.iter().filter(removed).any(|old| old.plugin == new.plugin);
                if new.exclusive && owned {
                    let why = format!("`{}` owns files that an earlier instance of it may still use", new.plugin);
                    self.add(Kind::Instance, &new.name, Change::NeedsRestart, why);
                } else {
                    self.add(Kind::Instance, &new.name, Change::Added, "");
                }
                continue;
            };
            let differs = differences(old, new);
            let change = match (differs.is_empty(), old.exclusive || new.exclusive) {
                (true, _) => Change::Kept,
                (false, true) if can_restart(old, new, running, next) => Change::Restarted,
                (false, true) => Change::NeedsRestart,
                (false, false) => Change::Changed,
            };
            self.add(Kind::Instance, &new.name, change, differs.join(", "));
        }
        for old in running.instances.iter().filter(removed) {
            self.add(Kind::Instance, &old.name, Change::Removed, "");
        }
    }

    fn listeners(&mut self, running: &Shape, next: &Shape) {
        for new in &next.listeners {
            let Some(old) = running.listeners.iter().find(|old| old.name == new.name) else {
                self.add(Kind::Listener, &new.name, Change::Added, "");
                continue;
            };
            let mut differs = options(&old.options, &new.options);
            if self.is_another(&new.protocol) {
                differs.push(format!("instance `{}`", new.protocol));
            }
            let provider = next.tls.as_deref().filter(|tls| new.tls && self.is_another(tls));
            if new.tls && old.tls && running.tls != next.tls {
                differs.push("TLS provider".to_owned());
            } else if let Some(provider) = provider {
                differs.push(format!("instance `{provider}`"));
            }
            let change = if differs.is_empty() { Change::Kept } else { Change::Changed };
            self.add(Kind::Listener, &new.name, change, differs.join(", "));
        }
        let gone = |old: &&ListenerShape| !next.listeners.iter().any(|new| new.name == old.name);
        for old in running.listeners.iter().filter(gone) {
            self.add(Kind::Listener, &old.name, Change::Removed, "");
        }
    }

    fn settings(&mut self, change: Change, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) {
        for name in options(old, new) {
            self.add(Kind::Setting, &name, change, "");
        }
    }

    /// What becomes of a part.
    pub fn of(&self, kind: Kind, name: &str) -> Option<Change> {
        self.steps.iter().find(|step| step.kind == kind && step.name == name).map(|step| step.change)
    }

    /// Whether an instance of this name is a new one, or newly there.
    fn is_another(&self, instance: &str) -> bool {
        self.of(Kind::Instance, instance) != Some(Change::Kept)
    }

    /// What needs a restart.
    pub fn restarts(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.change == Change::NeedsRestart)
    }

    /// In numbers, for one line.
    pub fn summary(&self) -> String {
        let count = |kind: Kind, change: Change| {
            self.steps.iter().filter(|step| step.kind == kind && step.change == change).count()
        };
        let of = |kind: Kind| {
            let [kept, changed, added, removed] =
                [Change::Kept, Change::Changed, Change::Added, Change::Removed].map(|change| count(kind, change));
            format!("{kept} kept, {changed} changed, {added} added, {removed} removed")
        };
        let settings = count(Kind::Setting, Change::Changed);
        let restarted = match count(Kind::Instance, Change::Restarted) {
            0 => String::new(),
            restarted => format!(", {restarted} restarted in place"),
        };
        format!(
            "instances: {}{restarted}; listeners: {}; other options changed: {settings}",
            of(Kind::Instance),
            of(Kind::Listener)
        )
    }

    /// For people and programs, under a first line.
    pub fn report(&self, first: String) -> Report {
        let rows = self.steps.iter().map(|step| {
            let kind = match step.kind {
                Kind::Instance => "instance",
                Kind::Listener => "listener",
                Kind::Setting => "option",
            };
            let change = match step.change {
                Change::Kept => "kept",
                Change::Changed => "changed",
                Change::Added => "added",
                Change::Removed => "removed",
                Change::Restarted => "restarts in place",
                Change::NeedsRestart => "needs a restart",
            };
            vec![kind.to_owned(), step.name.clone(), change.to_owned(), step.why.clone()]
        });
        Report {
            lines: vec![first],
            table: Some(Table {
                columns: ["part", "name", "change", "what differs"].map(str::to_owned).into(),
                rows: rows.collect(),
            }),
            json: serde_json::to_string(&self.steps).unwrap_or_default(),
            ..Report::default()
        }
    }
}

/// Whether an instance that owns files can be stopped and started anew in its place. With another library it cannot: two
/// copies of a library in one process know nothing of each other, so that both could have the files open. Nor if sessions hold
/// it for as long as they live.
fn can_restart(old: &InstanceShape, new: &InstanceShape, running: &Shape, next: &Shape) -> bool {
    let same_code = old.plugin == new.plugin && old.library.is(&new.library);
    let is_pinned = |shape: &Shape| {
        let tls = shape.tls.as_ref() == Some(&new.name);
        tls || shape.listeners.iter().any(|listener| listener.protocol == new.name)
    };
    same_code && !is_pinned(running) && !is_pinned(next)
}

fn differences(old: &InstanceShape, new: &InstanceShape) -> Vec<String> {
    let mut differs = Vec::new();
    if old.plugin != new.plugin {
        differs.push("plugin".to_owned());
    }
    if !old.library.is(&new.library) {
        differs.push("library".to_owned());
    }
    if old.section != new.section {
        differs.push("section".to_owned());
    }
    if old.needs != new.needs {
        differs.push("services".to_owned());
    }
    differs
}

/// The names under which there is something else.
fn options(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names.into_iter().filter(|name| old.get(*name) != new.get(*name)).cloned().collect()
}

#[cfg(test)]
mod tests;
