//! The command line: one file a command; operations of plugins appear by their description.

mod blocked;
mod check;
mod child;
mod completions;
mod config;
mod dns;
mod init;
mod man;
mod meant;
mod operation;
mod output;
mod place;
mod plugin;
mod reload;
mod serve;
mod status;
mod tls;
mod trace;

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
    /// Set a server up: config, certificate, first account, systemd unit
    Init(Box<init::Init>),
    /// Check the config, the plugins and the wiring; start nothing
    Check(check::Check),
    /// Have the running server read its config again: new connections get what is new, running sessions go on
    Reload,
    /// Print the DNS records to publish for a domain
    Dns(dns::Dns),
    /// Show how the running server is
    Status(status::StatusCommand),
    /// Show what a client gets that speaks TLS with the running server
    #[command(subcommand)]
    Tls(tls::TlsCommand),
    /// Show what the log says about one session or one message
    Trace(trace::Trace),
    /// List the addresses that are shut out for failed logins
    Blocked,
    /// Let an address in again that is shut out for failed logins
    Unblock(blocked::Unblock),
    /// Look at plugin files; swap or restart plugins of the running server; start an instance anew
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// Tell what can be configured
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print a script with which a shell completes these commands
    Completions(completions::Completions),
    /// Write manual pages of all commands
    Man(man::ManCommand),
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
        Command::Init(init) => init::run(&common, &init),
        Command::Dns(dns) => dns::run(&common, &dns),
        Command::Check(check) => check::run(&common, &check),
        Command::Reload => reload::run(&common),
        Command::Status(status) => status::run(&common, &status),
        Command::Tls(tls) => tls::run(&common, &tls),
        Command::Trace(trace) => trace::run(&common, &trace),
        Command::Blocked => blocked::list(&common),
        Command::Unblock(unblock) => blocked::unblock(&common, &unblock),
        Command::Plugin(plugin) => plugin::run(&common, &plugin),
        Command::Config(config) => config::run(&common, &config),
        Command::Completions(completions) => completions::run(&common, &completions),
        Command::Man(man) => man::run(&common, &man),
        Command::Operation(words) => {
            operation::run(&common, &words).map_err(|error| meant::add(error, &common, &words))
        }
    };
    match outcome {
        Ok(code) => code,
        Err(message) => {
            output::error(&message);
            ExitCode::FAILURE
        }
    }
}

/// The description of all commands, those of the plugins that are found included.
fn whole(common: &Common) -> clap::Command {
    let ours = Cli::command();
    // A plugin's command of a name that is taken is not reached.
    let offered = operation::offered::commands(common).into_iter();
    let theirs: Vec<clap::Command> =
        offered.filter(|command| ours.find_subcommand(command.get_name()).is_none()).collect();
    ours.subcommands(theirs)
}
