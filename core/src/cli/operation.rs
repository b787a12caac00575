//! Operations of plugins as commands: `dovetail certs create ...`, made from their descriptions.
//!
//! Files and secrets are read here, as the caller, and sent as bytes: a server without privileges can't read the caller's
//! home. With a server running the call goes over its control socket; without, the data directory is locked and just the
//! plugins that are needed are started. Operations that name a folder of their own need neither.

pub mod offered;

use super::{output, place, Common};
use crate::{
    config::{document::Piece, model::LogConfig, Config, LogFormat, PluginConfig, Problems},
    control::{
        client::Client,
        message::{Answer, Call},
        server::run_operation,
    },
    datadir::DataDir,
    plugin::{
        closure,
        finder::{FindError, Finder, Found},
        instance::{Assembly, Loading},
        load,
    },
    server::keep_files_private,
    telemetry::log::Log,
};
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _};
use dovetail_abi::{
    kernel_v1::Purpose,
    operations_v1::{Field, FieldKind, FieldValue, Operation, OperationList, Report},
    Secret,
};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// A file that is given to an operation is at most this long.
const MAX_FILE: u64 = 8 << 20;
/// A secret read from a file is at most this long.
const MAX_SECRET: u64 = 4096;

/// The commands that plugins offer, for `dovetail --help`.
pub fn overview(arguments: &[OsString]) -> String {
    let directories = arguments.windows(2).filter(|pair| pair[0] == "--plugin-dir").map(|pair| PathBuf::from(&pair[1]));
    let mut lines: Vec<String> = Finder::new(directories)
        .all()
        .iter()
        .filter_map(|found| {
            let command = found.manifest.command.as_ref()?;
            Some(format!("  {command:<9} {} (plugin {})", found.manifest.summary, found.manifest.id))
        })
        .collect();
    lines.sort();
    lines.dedup();
    if lines.is_empty() {
        return String::new();
    }
    format!("Commands of plugins (`dovetail COMMAND --help`):\n{}", lines.join("\n"))
}

/// Runs an operation.
pub fn run(common: &Common, words: &[OsString]) -> Result<ExitCode, String> {
    let word = words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    let (early, wanted) = ahead(common, words);
    let (found, pin) = library(&early, &word, wanted.as_deref())?;
    let library = load::load(&found.path, pin.as_deref(), None).map_err(|error| error.to_string())?;
    let operations = library.query::<OperationList>()?.operations().map_err(|failure| failure.to_string())?;

    let command = command(&word, &found.manifest.summary, &operations);
    let matches = command.get_matches_from(words);
    let inner = Common::from_arg_matches(&matches).map_err(|error| error.to_string())?;
    let common = merge(common, inner);
    let (name, matches) = matches.subcommand().ok_or("name an operation")?;
    let operation = operations.iter().find(|operation| operation.name == name).ok_or("no such operation")?;
    let values = values(operation, matches)?;
    let instance = matches.get_one::<String>("instance").cloned();

    let standalone = values.iter().any(|value| !value.name.is_empty() && value.name == operation.standalone_field);
    let bar = Steps::new();
    let report = if standalone {
        run_standalone(&common, &found, pin, &word, operation, values, &bar)
    } else {
        run_on_server(&common, &word, instance, operation, values, &bar)
    };
    bar.end();
    output::report(&report?, common.json);
    Ok(ExitCode::SUCCESS)
}

/// What decides about the plugin and can stand behind the word: the plugin's own description of its operations, which tells
/// how to read the words, is not known before. Bad words are complained about when they are read with it.
fn ahead(common: &Common, words: &[OsString]) -> (Common, Option<String>) {
    let mut early = common.clone();
    let mut instance = None;
    let mut words = words.iter().skip(1).take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        let Some(text) = word.to_str() else { continue };
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(OsString::from(value))),
            None => (text, None),
        };
        if !matches!(name, "--config" | "--data-dir" | "--plugin-dir" | "--instance") {
            continue;
        }
        let Some(value) = value.or_else(|| words.next().cloned()) else { break };
        match name {
            "--config" => early.config = Some(value.into()),
            "--data-dir" => early.data_dir = Some(value.into()),
            "--plugin-dir" => early.plugin_dir.push(value.into()),
            _ => instance = value.into_string().ok(),
        }
    }
    (early, instance)
}

/// The plugin of a command, with its pin: the one of the server that is meant, if its config has an instance that offers the
/// command; else the first that is found.
fn library(common: &Common, word: &str, wanted: Option<&str>) -> Result<(Found, Option<String>), String> {
    // A bad config is complained about where it is needed; operations on a folder of their own don't.
    let config = place::find(common).ok().map(|(config, _)| config);
    let finder = place::finder(common, config.as_ref());
    if let Some(config) = &config {
        let offering = closure::offering(config, &finder, word);
        let chosen = offering.iter().find(|(plugin, _)| wanted.is_some_and(|wanted| wanted == plugin.instance));
        if let Some((plugin, found)) = chosen.or(offering.first()) {
            return Ok((found.clone(), plugin.sha256.clone()));
        }
    }
    finder.find_command(word).map(|found| (found, None)).map_err(|error| match error {
        FindError::None(_) => {
            format!("there is no command `{word}`, neither here nor in a plugin (see `dovetail --help`)")
        }
        error => error.to_string(),
    })
}

fn merge(outer: &Common, inner: Common) -> Common {
    Common {
        config: inner.config.or_else(|| outer.config.clone()),
        data_dir: inner.data_dir.or_else(|| outer.data_dir.clone()),
        plugin_dir: outer.plugin_dir.iter().cloned().chain(inner.plugin_dir).collect(),
        json: inner.json || outer.json,
    }
}

/// The clap command of a plugin's operations, to be read without ours around it.
fn command(word: &str, summary: &str, operations: &[Operation]) -> Command {
    // The common options bring their own words along, and would stand between those of the operation.
    Common::augment_args(bare(word, summary, operations))
        .about(summary.to_owned())
        .mut_args(|arg| arg.help_heading("Common options"))
}

/// The same without the common options.
fn bare(word: &str, summary: &str, operations: &[Operation]) -> Command {
    let root = Command::new(word.to_owned())
        .bin_name(format!("dovetail {word}"))
        .about(summary.to_owned())
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(100);
    operations.iter().fold(root, |root, operation| {
        let mut sub = Command::new(operation.name.clone()).about(operation.summary.clone());
        if !operation.help.is_empty() {
            sub = sub.after_help(operation.help.clone());
        }
        sub = operation.fields.iter().fold(sub, |sub, field| sub.arg(argument(field)));
        let instance = Arg::new("instance")
            .long("instance")
            .value_name("NAME")
            .help("The plugin instance, where several offer this");
        root.subcommand(sub.arg(instance))
    })
}

fn argument(field: &Field) -> Arg {
    let long = if field.kind == FieldKind::Secret { format!("{}-file", field.name) } else { field.name.clone() };
    let help = match (field.kind, field.prompt) {
        (FieldKind::Secret, true) => {
            format!("{}; read from FILE (- is standard input), else asked for on a terminal", field.help)
        }
        (FieldKind::Secret, false) => format!("{}; read from FILE (- is standard input)", field.help),
        _ => field.help.clone(),
    };
    let mut arg = Arg::new(field.name.clone()).help(help);
    if !field.positional {
        arg = arg.long(long);
    }
    // A secret that is not given as a file is asked for, so it is never required here.
    arg = arg.required(field.required && field.kind != FieldKind::Secret);
    arg = match field.kind {
        FieldKind::Flag => return arg.action(ArgAction::SetTrue),
        FieldKind::Number => arg.value_name("NUMBER").value_parser(clap::value_parser!(i64)),
        FieldKind::Choice => arg
            .value_name(field.name.to_uppercase())
            .value_parser(clap::builder::PossibleValuesParser::new(field.choices.clone())),
        FieldKind::File | FieldKind::Secret => arg.value_name("FILE").value_parser(clap::value_parser!(PathBuf)),
        FieldKind::Directory => arg.value_name("DIR").value_parser(clap::value_parser!(PathBuf)),
        _ => arg.value_name(field.name.to_uppercase()),
    };
    if field.many {
        arg = arg.action(ArgAction::Append);
    }
    if !field.default.is_empty() {
        arg = arg.default_value(field.default.clone());
    }
    arg
}

/// Reads the fields' values; files and secrets are read here.
fn values(operation: &Operation, matches: &ArgMatches) -> Result<Vec<FieldValue>, String> {
    let mut values = Vec::new();
    for field in &operation.fields {
        let text = |text: String| FieldValue { name: field.name.clone(), text, bytes: None };
        match field.kind {
            FieldKind::Flag => {
                if matches.get_flag(&field.name) {
                    values.push(text("true".into()));
                }
            }
            FieldKind::Number => {
                let given = matches.get_many::<i64>(&field.name).into_iter().flatten();
                values.extend(given.map(|number| text(number.to_string())));
            }
            FieldKind::Directory => {
                for path in matches.get_many::<PathBuf>(&field.name).into_iter().flatten() {
                    let path = std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
                    values.push(text(path.to_string_lossy().into_owned()));
                }
            }
            FieldKind::File => {
                for path in matches.get_many::<PathBuf>(&field.name).into_iter().flatten() {
                    let bytes = read_file(path, MAX_FILE)?;
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    values.push(FieldValue { bytes: Some(Secret::new(bytes)), ..text(name) });
                }
            }
            FieldKind::Secret => {
                if let Some(secret) = secret(field, matches.get_one::<PathBuf>(&field.name).map(PathBuf::as_path))? {
                    values.push(FieldValue { bytes: Some(secret), ..text(String::new()) });
                }
            }
            _ => {
                let given = matches.get_many::<String>(&field.name).into_iter().flatten();
                values.extend(given.map(|given| text(given.clone())));
            }
        }
    }
    Ok(values)
}

fn read_file(path: &Path, max: u64) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| format!("{shown}: {error}"))?;
    if !metadata.is_file() {
        return Err(format!("{shown} is not a regular file"));
    }
    if metadata.len() > max {
        return Err(format!("{shown} is {} bytes long; {max} is the limit", metadata.len()));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| format!("{shown}: {error}"))?;
    file.take(max + 1).read_to_end(&mut bytes).map_err(|error| format!("{shown}: {error}"))?;
    Ok(bytes)
}

fn read_stdin(max: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(max + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("standard input: {error}"))?;
    if bytes.len() as u64 > max {
        return Err(format!("standard input has more than {max} bytes, which is the limit"));
    }
    Ok(bytes)
}

/// A secret: from the file, else from a prompt, where the field wants one and somebody is there.
fn secret(field: &Field, file: Option<&Path>) -> Result<Option<Secret>, String> {
    if let Some(path) = file {
        let mut bytes = if path == Path::new("-") { read_stdin(MAX_SECRET)? } else { read_file(path, MAX_SECRET)? };
        // Editors end files with a newline; passwords don't.
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        return Ok(Some(Secret::new(bytes)));
    }
    if !field.prompt {
        return Ok(None);
    }
    if !std::io::stdin().is_terminal() {
        return Err(format!(
            "give the {} with --{}-file FILE (it is asked for on a terminal only)",
            field.name, field.name
        ));
    }
    let ask = |prompt: String| {
        rpassword::prompt_password(prompt).map_err(|error| format!("cannot read the {}: {error}", field.name))
    };
    let first = ask(format!("{}: ", field.name))?;
    if ask(format!("{} again: ", field.name))? != first {
        return Err(format!("the two {}s differ; nothing was changed", field.name));
    }
    Ok(Some(first.into()))
}

/// Shows progress on a terminal.
struct Steps(Option<indicatif::ProgressBar>);

impl Steps {
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
    fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

fn run_on_server(
    common: &Common,
    word: &str,
    instance: Option<String>,
    operation: &Operation,
    values: Vec<FieldValue>,
    steps: &Steps,
) -> Result<Report, String> {
    let (config, _) = place::find_data(common)?;
    let reached = Client::connect(&config.data_dir);
    let shown = config.data_dir.display();
    if let Some(client) = reached.map_err(|error| format!("cannot reach the server of {shown}: {error}"))? {
        let call = Call::Operation {
            command: word.to_owned(),
            instance,
            operation: operation.name.clone(),
            values: values.into_iter().map(Into::into).collect(),
        };
        return match client.call(call, |step| steps.show(step))? {
            Answer::Report(report) => Ok((*report).into()),
            _ => Err("the server answered something else than a report".into()),
        };
    }
    keep_files_private();
    let _lock = DataDir::lock(&config.data_dir).map_err(|error| error.to_string())?;
    let loading = Loading { finder: place::finder(common, Some(&config)), ..Loading::default() };
    let instance = instance_for(&config, &loading.finder, word, instance.as_deref())?;
    offline(&config, &loading, word, &instance, operation, values, steps, Purpose::Operate)
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

/// Runs an operation that names its own folder: with one instance, which touches nothing else.
fn run_standalone(
    common: &Common,
    found: &Found,
    pin: Option<String>,
    word: &str,
    operation: &Operation,
    values: Vec<FieldValue>,
    steps: &Steps,
) -> Result<Report, String> {
    let nowhere = Piece::empty();
    let path = std::path::absolute(&found.path).map_err(|error| format!("{}: {error}", found.path.display()))?;
    let plugin = found.manifest.id.clone();
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
            sha256: pin,
            services: BTreeMap::new(),
            section: nowhere.clone(),
            place: nowhere,
        }],
        listeners: Vec::new(),
    };
    let loading = Loading { finder: place::finder(common, None), ..Loading::default() };
    offline(&config, &loading, word, &plugin, operation, values, steps, Purpose::Standalone)
}

#[allow(clippy::too_many_arguments)] // private, called twice
fn offline(
    config: &Config,
    loading: &Loading,
    word: &str,
    instance: &str,
    operation: &Operation,
    values: Vec<FieldValue>,
    steps: &Steps,
    purpose: Purpose,
) -> Result<Report, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))?;
    crate::runtime::remember(runtime.handle().clone());
    // What goes wrong is said by the command; what goes well is its report.
    let quiet =
        LogConfig { format: LogFormat::Text, level: crate::config::model::LogLevel::Warn, levels: BTreeMap::new() };
    let log = Log::new(quiet);
    runtime.block_on(async {
        let assembly = Assembly::prepare(config, loading, &log, Some(instance), purpose)
            .map_err(|problems| problems.to_string())?;
        assembly.start().await.map_err(|problems| problems.to_string())?;
        let (sender, mut received) = tokio::sync::mpsc::unbounded_channel();
        let mut work = Box::pin(run_operation(&assembly, word, Some(instance), operation.name.clone(), values, sender));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_about_the_plugin_is_seen_behind_the_word() {
        let outer = Common { config: None, data_dir: None, plugin_dir: vec!["/outer".into()], json: false };
        let words: Vec<OsString> =
            ["certs", "list", "--config=/c", "--plugin-dir", "/inner", "--instance", "x", "--", "--data-dir", "/d"]
                .map(OsString::from)
                .into();
        let (early, instance) = ahead(&outer, &words);
        assert_eq!(early.config.as_deref(), Some(Path::new("/c")));
        assert_eq!(early.plugin_dir, [Path::new("/outer"), Path::new("/inner")]);
        assert_eq!((early.data_dir, instance.as_deref()), (None, Some("x")));
        assert!(ahead(&outer, &["certs", "--config"].map(OsString::from)).0.config.is_none());
    }
}
