//! `dovetail config`: what can be configured, from the binary itself.

use super::{output, Common};
use crate::config::dev;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Made from the options' types by `cargo xtask reference`.
const REFERENCE: &str = include_str!("../../../docs/src/reference.md");
/// A working server that names every option.
const EXAMPLE: &str = include_str!("../../../conf/dovetail.ron");

/// The commands.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print what every option is: its type, its default, what it does
    Reference(Reference),
    /// Print a config that names every option in comments: a working server to start from
    Example(Example),
}

/// What `config example` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dovetail config example\n  dovetail config example --dev > dev.ron")]
pub struct Example {
    /// The config of `serve --dev` instead, which is built in
    #[arg(long)]
    dev: bool,
}

/// What `config reference` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dovetail config reference\n  dovetail config reference listeners smtp")]
pub struct Reference {
    /// Only these parts: general, instances, listeners, or the id of a plugin
    #[arg(value_name = "PART")]
    parts: Vec<String>,
}

/// Prints it.
pub fn run(common: &Common, command: &ConfigCommand) -> Result<ExitCode, String> {
    match command {
        ConfigCommand::Reference(reference) => {
            let parts = chosen(&reference.parts)?;
            if common.json {
                let list: Vec<_> =
                    parts.iter().map(|part| serde_json::json!({ "part": part.name, "text": part.text })).collect();
                output::json(&serde_json::Value::from(list).to_string());
            } else if reference.parts.is_empty() {
                output::line(REFERENCE.trim_end());
            } else {
                let texts: Vec<String> = parts.iter().map(|part| format!("## {}", part.text)).collect();
                output::line(&texts.join("\n\n"));
            }
        }
        ConfigCommand::Example(example) => {
            let text = if example.dev { dev::TEXT } else { EXAMPLE };
            match common.json {
                true => output::json(&serde_json::json!({ "text": text }).to_string()),
                false => output::line(text.trim_end()),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A part of the reference: a heading with all below it.
struct Part {
    name: String,
    text: &'static str,
}

fn parts() -> Vec<Part> {
    let texts = REFERENCE.split("\n## ").skip(1).map(str::trim_end);
    texts.map(|text| Part { name: text.lines().next().unwrap_or_default().to_lowercase(), text }).collect()
}

/// The parts of these names, in their order in the reference; all without names.
fn chosen(names: &[String]) -> Result<Vec<Part>, String> {
    let mut parts = parts();
    for name in names {
        if !parts.iter().any(|part| part.name == *name) {
            let known: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
            return Err(format!("the reference has no part `{name}` (its parts are: {})", known.join(", ")));
        }
    }
    parts.retain(|part| names.is_empty() || names.contains(&part.name));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_by_name_and_others_are_refused_with_the_names_there_are() {
        let names = ["smtp", "general"].map(str::to_owned);
        let found = chosen(&names).unwrap();
        assert_eq!(found.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["general", "smtp"]);
        assert!(found[0].text.contains("`hostname`") && !found[0].text.contains("## "), "{}", found[0].text);
        let error = chosen(&["nope".to_owned()]).err().unwrap();
        assert!(error.contains("no part `nope`") && error.contains("general, instances, listeners, "), "{error}");
        assert!(chosen(&[]).unwrap().len() > 8);
    }
}
