//! The trait that every plugin implements.

use crate::{config::Diagnostic, service::Service, Severity};
pub use dovetail_abi::kernel_v1::{Purpose, ReloadFailure, StartFailure};
use dovetail_abi::{
    forms_v1::{Form, Remark},
    handle::Interface,
    kernel_v1::{Bound, PrepareInput, Section},
    operations_v1::{FieldValue, Operation},
};
use serde::de::DeserializeOwned;
use std::{
    future::Future,
    path::{Path, PathBuf},
};

/// A plugin: one value of this type is one instance.
pub trait Plugin: Sized + Send + Sync + 'static {
    /// The instance's config section. Use `#[serde(deny_unknown_fields)]`, so that a typing error is found.
    type Config: DeserializeOwned + Send + 'static;

    /// Checks what the types cannot. Pure: touches no file, no socket, no thread; may run any number of times.
    fn validate(config: &Self::Config, about: &About, problems: &mut Problems) {
        let _ = (config, about, problems);
    }

    /// What this section asks for beside what [`export_plugin!`](crate::export_plugin) lists under `requires`: interfaces
    /// listed under `uses`, by a certain instance or by whoever provides them. Pure, like [`Plugin::validate`].
    fn needs(config: &Self::Config) -> Vec<Need> {
        let _ = config;
        Vec::new()
    }

    /// Starts an instance. Runs within the host's runtime: block only in [`crate::task::spawn_blocking`].
    fn start(config: Self::Config, context: Context) -> impl Future<Output = Result<Self, StartFailure>> + Send;

    /// Reads anew what the instance keeps outside of its section, such as a file of accounts. Called at a reload of the
    /// server that leaves the instance as it is. What cannot be read leaves the old in force.
    fn reload(&self) -> impl Future<Output = Result<(), ReloadFailure>> + Send {
        async { Ok(()) }
    }

    /// How much is under way in objects that the instance gave out, such as bodies that are being written: work that should end
    /// before the instance is stopped, and does so by itself. It counts like handles to the services, whose calls need not be
    /// counted here.
    fn under_way(&self) -> u64 {
        0
    }

    /// Finishes what must be finished, after the last session has ended and the last handle to the instance's services is
    /// gone. Objects that it gave out and that live on keep what they need by themselves.
    ///
    /// Of an `exclusive` plugin the next instance starts as soon as this returns, so all files must be closed then, even if
    /// sessions still have objects of this one, or handles to it (they had some seconds to finish): those refuse from now on.
    fn stop(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// The operations offered under the plugin's `command`. Needs no instance: it is what `--help` shows.
    fn operations() -> Vec<Operation> {
        Vec::new()
    }

    /// What an empty answer to a field of an operation's form means, by the answers before it: the server's host name, or
    /// something that follows from what was said. Without any it is the field's default. Pure, and quick.
    fn suggest(form: &Form) -> Option<String> {
        let _ = form;
        None
    }

    /// What is to be said about the answers to the form's field, by the same rules that the operation goes by, so that
    /// nobody fills in a form in vain. Kinds, choices and required fields have been checked. Pure, and quick.
    fn check_answers(form: &Form) -> Vec<Remark> {
        let _ = form;
        Vec::new()
    }

    /// The files that an operation's values of the kind [`FieldKind::Path`](crate::operations::FieldKind) name and that
    /// it needs too, such as those in another program's config: absolute paths, which the command line reads as its
    /// caller. Pure, and quick.
    fn further_files(operation: &str, values: &[FieldValue]) -> Vec<String> {
        let _ = (operation, values);
        Vec::new()
    }
}

/// A service that only some sections ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    id: &'static str,
    provider: Option<String>,
}

impl Need {
    /// By whoever provides it, as for what is listed under `requires`.
    pub fn of<I: Interface>() -> Self {
        Need { id: I::ID, provider: None }
    }

    /// By the instance of this name.
    pub fn from_instance<I: Interface>(name: impl Into<String>) -> Self {
        Need { id: I::ID, provider: Some(name.into()) }
    }
}

impl From<Need> for dovetail_abi::kernel_v1::Need {
    fn from(need: Need) -> Self {
        dovetail_abi::kernel_v1::Need { id: need.id.to_owned(), provider: need.provider }
    }
}

/// Where an instance stands.
#[derive(Debug, Clone)]
pub struct About {
    /// The instance's name in the config.
    pub instance: String,
    /// The server's host name.
    pub hostname: String,
    /// The directory that holds the server's data.
    pub data_dir: PathBuf,
    /// The directory that relative paths in the config start from.
    pub config_dir: PathBuf,
    /// What the instance is started for; see [`Operation::standalone_with`] for the last of them.
    pub purpose: Purpose,
    /// Which build of the plugin's library this is: 16 hexadecimal digits, another whenever the file is another.
    pub build: String,
}

impl About {
    pub(crate) fn new(input: &PrepareInput) -> Self {
        About {
            instance: input.instance.clone(),
            hostname: input.hostname.clone(),
            data_dir: input.data_dir.clone().into(),
            config_dir: input.config_dir.clone().into(),
            purpose: input.purpose,
            build: input.build.clone(),
        }
    }

    /// A path of the config, relative to the data directory.
    pub fn in_data_dir(&self, path: impl AsRef<Path>) -> PathBuf {
        self.data_dir.join(path)
    }
}

/// Collects what [`Plugin::validate`] finds.
#[derive(Debug)]
pub struct Problems {
    section: Section,
    pub(crate) found: Vec<Diagnostic>,
}

impl Problems {
    pub(crate) fn new(section: Section) -> Self {
        Problems { section, found: Vec::new() }
    }

    /// The config cannot be used: what is wrong, and what to do.
    pub fn error(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Error, message.into(), help.into());
    }

    /// The config can be used, and the operator should know.
    pub fn warning(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Warning, message.into(), help.into());
    }

    fn add(&mut self, severity: Severity, message: String, help: String) {
        self.found.push(Diagnostic {
            severity,
            file: self.section.file.clone(),
            line: self.section.line,
            column: self.section.column,
            message,
            help,
        });
    }
}

/// What an instance starts with.
#[derive(Debug)]
pub struct Context {
    /// Where the instance stands.
    pub about: About,
    pub(crate) services: Vec<Bound>,
}

impl Context {
    /// A service that [`export_plugin!`](crate::export_plugin) lists under `requires`.
    ///
    /// # Errors
    /// If it is not listed there.
    pub fn service<I: Interface>(&self) -> Result<Service<I>, StartFailure> {
        self.find(|bound| bound.id == I::ID).ok_or_else(|| {
            StartFailure::new(format!(
                "{} asks for {} without listing it under `requires` in export_plugin!, or in Plugin::needs",
                self.about.instance,
                I::ID
            ))
        })
    }

    /// A service by the instance that provides it, as asked for by [`Need::from_instance`].
    ///
    /// # Errors
    /// If it was not asked for.
    pub fn service_from<I: Interface>(&self, instance: &str) -> Result<Service<I>, StartFailure> {
        self.find(|bound| bound.id == I::ID && bound.provider == instance).ok_or_else(|| {
            StartFailure::new(format!(
                "{} asks for {} of {instance} without saying so in Plugin::needs",
                self.about.instance,
                I::ID
            ))
        })
    }

    fn find<I: Interface>(&self, is_it: impl Fn(&Bound) -> bool) -> Option<Service<I>> {
        self.services.iter().find(|bound| is_it(bound)).map(|bound| Service::new(bound.slot.clone()))
    }
}
