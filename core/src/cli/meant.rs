//! What a word that is no command was meant to be.
//!
//! A word that core doesn't know may be a plugin's, so the command line's parser lets all pass. Those that turn out to be
//! nobody's are given to a parser that knows the words of core and of the plugins that are found, and no others.

use super::{place, Cli, Common};
use clap::{
    error::{ContextKind, ContextValue},
    Command, CommandFactory as _,
};
use std::ffi::OsString;

/// The error of a command, with the command that its word may have been meant for if there is none of that word.
pub fn add(error: String, common: &Common, words: &[OsString]) -> String {
    let Some(word) = words.first().and_then(|word| word.to_str()) else { return error };
    let config = place::find(common).ok().map(|(config, _)| config);
    let found = place::finder(common, config.as_ref()).all();
    let offered: Vec<String> = found.into_iter().filter_map(|found| found.manifest.command).collect();
    match suggestion(word, &offered) {
        None => error,
        Some(near) => format!("{error}; did you mean `{near}`?"),
    }
}

/// The command that is written most like this word; none if it is one.
fn suggestion(word: &str, offered: &[String]) -> Option<String> {
    let ours = Cli::command();
    let ours = ours.get_subcommands().map(|command| command.get_name().to_owned());
    let words = ours.chain(offered.iter().cloned());
    let all = Command::new("dovetail").subcommand_required(true).subcommands(words.map(Command::new));
    let error = match all.try_get_matches_from(["dovetail", word]) {
        Err(error) if error.kind() == clap::error::ErrorKind::InvalidSubcommand => error,
        _ => return None,
    };
    match error.get(ContextKind::SuggestedSubcommand)? {
        // The best is the last.
        ContextValue::Strings(all) => all.last().cloned(),
        ContextValue::String(one) => Some(one.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_offered_and_others_are_not() {
        let offered = ["certs", "accounts", "hermit"].map(str::to_owned);
        for (word, meant) in [("cert", "certs"), ("account", "accounts"), ("statsu", "status")] {
            assert_eq!(suggestion(word, &offered).as_deref(), Some(meant));
        }
        for none in ["certs", "status", "xyzzy"] {
            assert_eq!(suggestion(none, &offered), None);
        }
    }
}
