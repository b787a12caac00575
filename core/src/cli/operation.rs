//! Operations of plugins as commands: `dovetail certs create ...`, made from their descriptions.
//!
//! Files and secrets are read here, as the caller, and sent as bytes: a server without privileges can't read the caller's
//! home. With a server running the call goes over its control socket; without, the data directory is locked and just the
//! plugins that are needed are started, as the directory's owner if that is another than us and we are root. Operations that
//! name a folder of their own need neither.

mod arguments;
mod call;
mod folder;
mod form;
mod hidden;
pub mod offered;
mod owner;
mod values;

use super::{output, place, Common};
use crate::{
    plugin::{
        closure,
        finder::{FindError, Finder, Found},
        load,
    },
    server::origin::Source,
};
use arguments::command;
use call::Target;
use clap::FromArgMatches as _;
use dovetail_abi::{
    files_v1::OperationFiles,
    forms_v1::OperationForm,
    operations_v1::{FieldValue, Operation, OperationList, Report},
};
use form::{Form, Terminal};
use std::{cell::OnceCell, ffi::OsString, path::PathBuf, process::ExitCode};
use values::{add_from_environment, ask_for, values};

/// The highest code that an operation may end its command with; those above are the shell's and the system's.
const MAX_EXIT: u8 = 99;

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
    let target = Target {
        common: &common,
        word: &word,
        found: &found,
        pin,
        instance: matches.get_one::<String>("instance").cloned(),
        operation,
        runtime: OnceCell::new(),
    };
    // A library that knows of no further files has no such interface.
    let files = library.query::<OperationFiles>().ok();
    let environment = |variable: &str| std::env::var_os(variable);
    // A program reads no questions.
    let terminal = Terminal::here().filter(|_| !common.json && form::is_wanted(operation, matches));
    let report = if let Some(terminal) = terminal {
        let beside = form::beside(operation);
        let mut given = values(&beside, matches)?;
        add_from_environment(&word, &beside, &mut given, environment)?;
        let hostname = hostname(&common, target.is_standalone(&given));
        let counsel = library.query::<OperationForm>()?;
        let mut form = Form::new(operation, &counsel, &hostname, given, terminal);
        form.carry_out(files.as_ref(), |values| carried_out(&target, &beside, values))?
    } else {
        let mut values = values(operation, matches)?;
        add_from_environment(&word, operation, &mut values, environment)?;
        if let Some(missing) = form::missing(operation, &values) {
            return Err(missing);
        }
        folder::add_further(operation, files.as_ref(), &mut values)?;
        carried_out(&target, operation, values)?
    };
    output::report(&report, common.json);
    Ok(ExitCode::from(u8::try_from(report.exit).map_or(MAX_EXIT, |code| code.min(MAX_EXIT))))
}

/// Runs the operation; once more, if it wants a secret of `askable` that has not been given and somebody can be asked for.
fn carried_out(target: &Target<'_>, askable: &Operation, mut values: Vec<FieldValue>) -> Result<Report, String> {
    let refusal = match target.call(values.clone()) {
        Ok(report) => return Ok(report),
        Err(refusal) => refusal,
    };
    // A program reads no questions.
    let wanted = values::wanted(askable, &refusal.ask, &values).filter(|_| !target.common.json);
    let Some(field) = wanted else { return Err(refusal.message) };
    values.push(ask_for(field)?);
    target.call(values).map_err(|refusal| refusal.message)
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

/// The host name that a form can suggest: the server's; beside any server, that of this machine, if it has a whole one.
fn hostname(common: &Common, standalone: bool) -> String {
    let config = place::find(common).ok().filter(|(_, source)| !standalone || matches!(source, Source::File(_)));
    if let Some((config, _)) = config {
        return config.hostname;
    }
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Some(own.trim()).filter(|name| name.contains('.')).map(str::to_owned).unwrap_or_default()
}

fn merge(outer: &Common, inner: Common) -> Common {
    Common {
        config: inner.config.or_else(|| outer.config.clone()),
        data_dir: inner.data_dir.or_else(|| outer.data_dir.clone()),
        plugin_dir: outer.plugin_dir.iter().cloned().chain(inner.plugin_dir).collect(),
        json: inner.json || outer.json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

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
