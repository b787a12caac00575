//! `dovetail completions`: a script that has a shell complete our words, those of plugins included.

use super::{output, Common};
use clap::Args;
use clap_complete::Shell;
use std::process::ExitCode;

/// What `completions` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
The operations of the plugins that are found now are completed, too.\n\n\
Examples:
  dovetail completions bash > /usr/share/bash-completion/completions/dovetail
  dovetail completions zsh > /usr/local/share/zsh/site-functions/_dovetail
  dovetail completions fish > ~/.config/fish/completions/dovetail.fish")]
pub struct Completions {
    /// The shell that the script is for
    shell: Shell,
}

/// Prints the script.
pub fn run(common: &Common, completions: &Completions) -> Result<ExitCode, String> {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut super::whole(common), "dovetail", &mut script);
    output::line(String::from_utf8_lossy(&script).trim_end());
    Ok(ExitCode::SUCCESS)
}
