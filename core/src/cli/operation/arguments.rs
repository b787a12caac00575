//! What an operation takes as words of a command line: its description as a clap command.

use super::values::variable;
use crate::cli::Common;
use clap::{Arg, ArgAction, Args as _, Command};
use dovetail_abi::operations_v1::{Field, FieldKind, Operation};
use std::path::PathBuf;

/// The clap command of a plugin's operations, to be read without ours around it.
pub fn command(word: &str, summary: &str, operations: &[Operation]) -> Command {
    // The common options bring their own words along, and would stand between those of the operation.
    Common::augment_args(bare(word, summary, operations))
        .about(summary.to_owned())
        .mut_args(|arg| arg.help_heading("Common options"))
}

/// The same without the common options.
pub fn bare(word: &str, summary: &str, operations: &[Operation]) -> Command {
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
        sub = operation.fields.iter().fold(sub, |sub, field| sub.arg(argument(word, field)));
        let instance = Arg::new("instance")
            .long("instance")
            .value_name("NAME")
            .help("The plugin instance, where several offer this");
        root.subcommand(sub.arg(instance))
    })
}

fn argument(word: &str, field: &Field) -> Arg {
    let long = if field.kind == FieldKind::Secret { format!("{}-file", field.name) } else { field.name.clone() };
    let help = match (field.kind, field.prompt) {
        (FieldKind::Secret, true) => {
            format!("{}; read from FILE (- is standard input), else asked for on a terminal", field.help)
        }
        (FieldKind::Secret, false) => {
            let variable = variable(word, field);
            format!("{}; read from FILE (- is standard input), else from the environment's {variable}", field.help)
        }
        _ => field.help.clone(),
    };
    let mut arg = Arg::new(field.name.clone()).help(help);
    if !field.positional {
        arg = arg.long(long);
    }
    // A secret that is not given as a file is asked for, and so are the fields of a form: they are never required here.
    arg = arg.required(field.required && !field.ask && field.kind != FieldKind::Secret);
    arg = match field.kind {
        FieldKind::Flag => return arg.action(ArgAction::SetTrue),
        FieldKind::Number => arg.value_name("NUMBER").value_parser(clap::value_parser!(i64)),
        FieldKind::Choice => arg
            .value_name(field.name.to_uppercase())
            .value_parser(clap::builder::PossibleValuesParser::new(field.choices.clone())),
        FieldKind::File | FieldKind::Secret => arg.value_name("FILE").value_parser(clap::value_parser!(PathBuf)),
        FieldKind::Path | FieldKind::Place => arg.value_name("PATH").value_parser(clap::value_parser!(PathBuf)),
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
