//! Carrying out an operation: in the running server, or in this process with just the plugins that it needs.

use super::owner::become_owner;
use crate::{
    cli::{output, place, Common},
    config::{document::Piece, model::LogConfig, Config, LogFormat, PluginConfig, Problems},
    control::{
        client::Client,
        message::{Answer, Call, Refusal},
        server::run_operation,
    },
    datadir::DataDir,
    plugin::{
        closure,
        finder::{Finder, Found},
        instance::{Assembly, Loading},
        listeners,
    },
    server::keep_files_private,
    telemetry::log::Log,
};
use dovetail_abi::{
    kernel_v1::Purpose,
    operations_v1::{FieldValue, Operation, Report},
};
use std::{
    cell::OnceCell,
    collections::BTreeMap,
    io::IsTerminal,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::runtime::Runtime;

/// A command's operation, and what carries it out.
pub struct Target<'a> {
    /// The common options.
    pub common: &'a Common,
    /// The command's word.
    pub word: &'a str,
    /// The plugin's file.
    pub found: &'a Found,
    /// Its hash, if the config pins one.
    pub pin: Option<String>,
    /// The instance that was named.
    pub instance: Option<String>,
    /// The operation.
    pub operation: &'a Operation,
    /// One for all calls: what plugins start from threads of their own keeps to the first.
    pub runtime: OnceCell<Runtime>,
}

impl Target<'_> {
    /// Whether these values name a folder with which the operation needs neither server nor config.
    pub fn is_standalone(&self, values: &[FieldValue]) -> bool {
        values.iter().any(|value| !value.name.is_empty() && value.name == self.operation.standalone_field)
    }

    /// Runs the operation; progress is shown on a terminal.
    ///
    /// # Errors
    /// What the operation says, or why it can't be reached.
    pub fn call(&self, values: Vec<FieldValue>) -> Result<Report, Refusal> {
        match self.is_standalone(&values) {
            true => self.standalone(values),
            false => self.on_server(values),
        }
    }

    /// Runs an operation in the running server; without one, with the data directory locked, in this process.
    fn on_server(&self, values: Vec<FieldValue>) -> Result<Report, Refusal> {
        let (config, _) = place::find_data(self.common)?;
        let reached = Client::connect(&config.data_dir);
        let shown = config.data_dir.display();
        if let Some(client) = reached.map_err(|error| format!("cannot reach the server of {shown}: {error}"))? {
            let call = Call::Operation {
                command: self.word.to_owned(),
                instance: self.instance.clone(),
                operation: self.operation.name.clone(),
                values: values.into_iter().map(Into::into).collect(),
            };
            let steps = Steps::new();
            return match client.call(call, |step| steps.show(step))? {
                Answer::Report(report) => Ok((*report).into()),
                Answer::Wanting(refusal) => Err(refusal),
                _ => Err("the server answered something else than a report".to_owned().into()),
            };
        }
        become_owner(&config.data_dir)?;
        keep_files_private();
        let _lock = DataDir::lock(&config.data_dir).map_err(|error| error.to_string())?;
        let loading = Loading { finder: place::finder(self.common, Some(&config)), ..Loading::default() };
        let instance = instance_for(&config, &loading.finder, self.word, self.instance.as_deref())?;
        self.offline(&config, &loading, &instance, values, Purpose::Operate)
    }

    /// Runs an operation that names its own folder: with one instance, which touches nothing else.
    fn standalone(&self, values: Vec<FieldValue>) -> Result<Report, Refusal> {
        let mut folders = values.iter().filter(|value| value.name == self.operation.standalone_field);
        folders.try_for_each(|folder| become_owner(Path::new(&folder.text)))?;
        let nowhere = Piece::empty();
        let path = &self.found.path;
        let path = std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let plugin = self.found.manifest.id.clone();
        let config = Config {
            hostname: "localhost".into(),
            data_dir: PathBuf::new(),
            config_dir: PathBuf::new(),
            problems: Problems::default(),
            broken: false,
            plugin_dirs: Vec::new(),
            log: LogConfig::default(),
            metrics: Default::default(),
            login_blocking: Default::default(),
            faults: Default::default(),
            drain: Duration::ZERO,
            retire: Duration::ZERO,
            services: BTreeMap::new(),
            plugins: vec![PluginConfig {
                instance: plugin.clone(),
                plugin: plugin.clone(),
                path: Some(path),
                sha256: self.pin.clone(),
                services: BTreeMap::new(),
                section: nowhere.clone(),
                place: nowhere,
            }],
            listeners: Vec::new(),
        };
        let loading = Loading { finder: place::finder(self.common, None), ..Loading::default() };
        self.offline(&config, &loading, &plugin, values, Purpose::Standalone)
    }

    fn offline(
        &self,
        config: &Config,
        loading: &Loading,
        instance: &str,
        values: Vec<FieldValue>,
        purpose: Purpose,
    ) -> Result<Report, Refusal> {
        let steps = Steps::new();
        let runtime = match self.runtime.get() {
            Some(runtime) => runtime,
            None => {
                let mut builder = tokio::runtime::Builder::new_multi_thread();
                let built = builder.worker_threads(1).enable_all().build();
                let built = built.map_err(|error| format!("cannot start the runtime: {error}"))?;
                crate::runtime::remember(built.handle().clone());
                self.runtime.get_or_init(|| built)
            }
        };
        // What goes wrong is said by the command; what goes well is its report.
        let quiet =
            LogConfig { format: LogFormat::Text, level: crate::config::model::LogLevel::Warn, levels: BTreeMap::new() };
        let log = Log::new(quiet);
        listeners::announce(config);
        runtime.block_on(async {
            let assembly = Assembly::prepare(config, loading, &log, Some(instance), purpose)
                .map_err(|problems| problems.to_string())?;
            assembly.start().await.map_err(|problems| problems.to_string())?;
            let (sender, mut received) = tokio::sync::mpsc::unbounded_channel();
            let operation = self.operation.name.clone();
            let mut work = Box::pin(run_operation(&assembly, self.word, Some(instance), operation, values, sender));
            let outcome = loop {
                tokio::select! {
                    Some(step) = received.recv() => steps.show(&step),
                    outcome = &mut work => break outcome,
                }
            };
            drop(work);
            assembly.stop().await;
            outcome
        })
    }
}

/// The instance that offers a command, by what the plugins' files say: nothing is loaded for it.
fn instance_for(config: &Config, finder: &Finder, word: &str, wanted: Option<&str>) -> Result<String, String> {
    let offering = closure::offering(config, finder, word);
    let mut names = offering
        .iter()
        .map(|(plugin, _)| plugin.instance.as_str())
        .filter(|name| wanted.is_none_or(|wanted| wanted == *name));
    match (names.next(), names.next()) {
        (Some(only), None) => Ok(only.to_owned()),
        (Some(first), Some(second)) => {
            Err(format!("`{first}` and `{second}` both offer `{word}` (choose with --instance)"))
        }
        // It may be among what is wrong.
        (None, _) if config.problems.has_errors() => Err(config.problems.to_string()),
        (None, _) => {
            let unread = config.plugins.iter().find_map(|plugin| {
                let error = closure::locate(config, finder, plugin).err()?;
                Some(plugin.place.diagnostic(error, "").to_string())
            });
            Err(unread.unwrap_or_else(|| match wanted {
                Some(wanted) => format!("`{wanted}` is no plugin instance of this server that offers `{word}`"),
                None => format!("no plugin instance of this server offers `{word}` (add it to `plugins`)"),
            }))
        }
    }
}

/// Shows progress on a terminal.
struct Steps(Option<indicatif::ProgressBar>);

impl Steps {
    /// A spinner, if somebody is there to see it.
    fn new() -> Self {
        Steps(std::io::stderr().is_terminal().then(|| {
            let bar = indicatif::ProgressBar::new_spinner();
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        }))
    }
    fn show(&self, text: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(output::shown(text));
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
