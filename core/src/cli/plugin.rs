//! `dovetail plugin list|inspect`: what plugin files say of themselves, without loading them.

use super::{output, place, Common};
use crate::plugin::{finder::Found, probe, trust};
use clap::Subcommand;
use dovetail_abi::{manifest::Manifest, operations_v1::Table};
use std::{path::PathBuf, process::ExitCode};

/// The commands on plugin files.
#[derive(Debug, Subcommand)]
pub enum Plugin {
    /// List the plugins that a server would find
    List,
    /// Print what plugin files say of themselves; nothing in them is run
    Inspect {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// Runs one of them.
pub fn run(common: &Common, plugin: &Plugin) -> Result<ExitCode, String> {
    match plugin {
        Plugin::List => {
            list(common);
            Ok(ExitCode::SUCCESS)
        }
        Plugin::Inspect { files } => Ok(inspect(common, files)),
    }
}

fn list(common: &Common) {
    let config = common.config.as_ref().and_then(|_| place::find(common).ok()).map(|(config, _)| config);
    let found = place::finder(common, config.as_ref()).all();
    if common.json {
        let list: Vec<_> = found.iter().map(|found| json(found, None)).collect();
        output::json(&serde_json::Value::from(list).to_string());
        return;
    }
    let row = |found: &Found| {
        let m = &found.manifest;
        vec![m.id.clone(), m.version.clone(), m.provides.join(" "), m.summary.clone(), found.path.display().to_string()]
    };
    let table = Table {
        columns: ["plugin", "version", "provides", "summary", "file"].map(str::to_owned).into(),
        rows: found.iter().map(row).collect(),
    };
    output::show_table(&table);
}

fn inspect(common: &Common, files: &[PathBuf]) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    let mut printed = Vec::new();
    for path in files {
        let manifest = match probe::read(path) {
            Ok(manifest) => manifest,
            Err(error) => {
                output::error(&error.to_string());
                code = ExitCode::FAILURE;
                continue;
            }
        };
        // Whether this server would load it is part of the answer.
        let obstacle = probe::probe(path)
            .map_err(|error| error.to_string())
            .and_then(|_| trust::check(path).map_err(|error| error.to_string()))
            .err();
        let found = Found { path: path.clone(), manifest };
        if common.json {
            printed.push(json(&found, obstacle.as_deref()));
        } else {
            show(&found, obstacle.as_deref());
        }
    }
    if common.json {
        output::json(&serde_json::Value::from(printed).to_string());
    }
    code
}

fn show(found: &Found, obstacle: Option<&str>) {
    let Manifest { kernel, id, version, summary, sdk, rustc, target, panic, provides, requires, command, exclusive } =
        &found.manifest;
    let none = |list: &[String]| if list.is_empty() { "nothing".to_owned() } else { list.join(" ") };
    output::line(&format!("{}", found.path.display()));
    output::line(&format!("  id        {id} {version}: {summary}"));
    output::line(&format!("  provides  {}", none(provides)));
    output::line(&format!("  requires  {}", none(requires)));
    if let Some(command) = command {
        output::line(&format!("  command   dovetail {command}"));
    }
    if *exclusive {
        output::line("  exclusive yes: it owns files, so a change of it needs a restart");
    }
    output::line(&format!("  built     kernel {kernel}, SDK {sdk}, {rustc}, {target}, panic {panic}"));
    output::line(&format!("  loadable  {}", obstacle.map_or_else(|| "yes".to_owned(), |why| format!("no: {why}"))));
}

fn json(found: &Found, obstacle: Option<&str>) -> serde_json::Value {
    let m = &found.manifest;
    serde_json::json!({
        "file": found.path.display().to_string(),
        "id": m.id, "version": m.version, "summary": m.summary,
        "provides": m.provides, "requires": m.requires, "command": m.command, "exclusive": m.exclusive,
        "kernel": m.kernel, "sdk": m.sdk, "rustc": m.rustc, "target": m.target, "panic": m.panic,
        "obstacle": obstacle,
    })
}
