//! `dovetail plugin inspect`: what plugin files say of themselves, without loading them.

use super::super::{output, Common};
use crate::plugin::{build, finder::Found, probe, trust};
use clap::Args;
use dovetail_abi::manifest::Manifest;
use std::{path::PathBuf, process::ExitCode};

/// What `plugin inspect` takes.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Prints what they say, and whether this server would load them.
pub fn run(common: &Common, inspect: &Inspect) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    let mut printed = Vec::new();
    for path in &inspect.files {
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
    let Manifest {
        kernel,
        id,
        version,
        summary,
        sdk,
        rustc,
        target,
        panic,
        provides,
        requires,
        uses,
        command,
        exclusive,
    } = &found.manifest;
    let none = |list: &[String]| if list.is_empty() { "nothing".to_owned() } else { list.join(" ") };
    output::line(&format!("{}", found.path.display()));
    output::line(&format!("  id        {id} {version}: {summary}"));
    if let Ok(build) = build::of(&found.path) {
        output::line(&format!("  build     {build}"));
    }
    output::line(&format!("  provides  {}", none(provides)));
    output::line(&format!("  requires  {}", none(requires)));
    if !uses.is_empty() {
        output::line(&format!("  may use   {}", uses.join(" ")));
    }
    if let Some(command) = command {
        output::line(&format!("  command   dovetail {command}"));
    }
    if *exclusive {
        output::line("  exclusive yes: it owns files, so a reload restarts it in its place, and another file of it needs a restart of the server");
    }
    output::line(&format!("  built     kernel {kernel}, SDK {sdk}, {rustc}, {target}, panic {panic}"));
    output::line(&format!("  loadable  {}", obstacle.map_or_else(|| "yes".to_owned(), |why| format!("no: {why}"))));
}

/// What a file says of itself, for programs. `obstacle` is why it cannot be loaded here.
pub(super) fn json(found: &Found, obstacle: Option<&str>) -> serde_json::Value {
    let m = &found.manifest;
    serde_json::json!({
        "file": found.path.display().to_string(),
        "build": build::of(&found.path).ok(),
        "id": m.id, "version": m.version, "summary": m.summary,
        "provides": m.provides, "requires": m.requires, "uses": m.uses, "command": m.command, "exclusive": m.exclusive,
        "kernel": m.kernel, "sdk": m.sdk, "rustc": m.rustc, "target": m.target, "panic": m.panic,
        "obstacle": obstacle,
    })
}
