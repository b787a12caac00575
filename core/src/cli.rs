//! The command line: one file a command; operations of plugins appear by their description.

mod check;
mod operation;
mod output;
mod place;
mod plugin;
mod serve;
mod status;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::{ffi::OsString, path::PathBuf, process::ExitCode};

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The config file of the server that is meant
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data directory of the server that is meant
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// A directory to find plugins in, before all others; may be given several times
    #[arg(long, global = true, value_name = "DIR")]
    pub plugin_dir: Vec<PathBuf>,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub json: bool,
}

/// A mail server put together like its joint: a small core, and everything else a plugin.
#[derive(Debug, Parser)]
#[command(name = "dovetail", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Check the config, the plugins and the wiring; start nothing
    Check,
    /// Show how the running server is
    Status,
    /// Look at plugin files, without loading them
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    #[command(external_subcommand)]
    Operation(Vec<OsString>),
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let command = Cli::command().after_help(operation::overview(&arguments));
    let cli = match command.try_get_matches_from(&arguments).and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let common = cli.common;
    let outcome = match cli.command {
        Command::Serve(serve) => serve::run(&common, &serve),
        Command::Check => check::run(&common),
        Command::Status => status::run(&common),
        Command::Plugin(plugin) => plugin::run(&common, &plugin),
        Command::Operation(words) => operation::run(&common, &words),
    };
    match outcome {
        Ok(code) => code,
        Err(message) => {
            output::error(&message);
            ExitCode::FAILURE
        }
    }
}
