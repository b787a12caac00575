//! `dovetail plugin swap`: an instance of the running server gets another library.

use super::{
    super::{place, Common},
    report,
};
use crate::control::message::Call;
use clap::Args;
use std::{
    path::{self, PathBuf},
    process::ExitCode,
};

/// What `plugin swap` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
New sessions meet the new library; those that run go on with the one that they began with. If anything is wrong with the file,
nothing changes. A restart of the server forgets the swap; the command says how to keep it.

Examples:
  dovetail plugin swap imap /usr/local/lib/dovetail/libdovetail_imap.so
  cargo build && dovetail plugin swap hello target/debug/libhello.so
  dovetail plugin swap imap --back")]
pub struct Swap {
    /// The instance, or the plugin's id if there is only one instance of it
    id: String,
    /// The plugin's file; the server must be able to read it
    #[arg(required_unless_present = "back")]
    file: Option<PathBuf>,
    /// Take the library of the config again
    #[arg(long, conflicts_with = "file")]
    back: bool,
}

/// Asks the running server, and prints what runs now.
pub fn run(common: &Common, swap: &Swap) -> Result<ExitCode, String> {
    // The server has a working directory of its own.
    let absolute = |file: &PathBuf| path::absolute(file).map_err(|error| format!("{}: {error}", file.display()));
    let file = swap.file.as_ref().map(absolute).transpose()?;
    if let Some(file) = file.as_ref().filter(|file| file.to_str().is_none()) {
        return Err(format!("{} is not UTF-8 (give the file another name)", file.display()));
    }
    let call = Call::Swap { id: swap.id.clone(), file };
    report(common, place::running(common)?.call(call, |_| {})?)
}
