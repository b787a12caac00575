//! All commands of plugins at once, for completions and man pages.
//!
//! Their operations are known to the plugins alone, so each plugin that offers some is loaded, as its own command would load
//! it. One that cannot be loaded is warned of on standard error, and left out.

use super::{arguments::bare, library, OperationList};
use crate::{
    cli::{output, place, Common},
    plugin::load,
};
use clap::Command;
use std::collections::BTreeSet;

/// The commands, by name.
pub fn commands(common: &Common) -> Vec<Command> {
    // Where plugins are does not depend on what else may be wrong with the config.
    let config = place::find(common).ok().map(|(config, _)| config);
    let words: BTreeSet<String> =
        place::finder(common, config.as_ref()).all().into_iter().filter_map(|found| found.manifest.command).collect();
    let mut commands = Vec::new();
    for word in words {
        match described(common, &word) {
            Ok(command) => commands.push(command),
            Err(error) => output::error(&format!("warning: `{word}` is left out: {error}")),
        }
    }
    commands
}

fn described(common: &Common, word: &str) -> Result<Command, String> {
    let (found, pin) = library(common, word, None)?;
    let library = load::load(&found.path, pin.as_deref(), None).map_err(|error| error.to_string())?;
    let operations = library.query::<OperationList>()?.operations().map_err(|failure| failure.to_string())?;
    Ok(bare(word, &found.manifest.summary, &operations))
}
