//! `cargo xtask reference`: the page `docs/src/reference.md`, from the types that the configuration is read into.
//!
//! What an option is called, what type it has and what it does is read from the sources: field names, types, serde's
//! attributes, doc comments. Defaults are worked out from the same expressions that the program runs. Nothing is run, so a
//! new plugin is on the page as soon as it is a member of the workspace.
//!
//! `--check` fails if the page that is checked in is another, or if `conf/dovetail.ron`, which people write, leaves an
//! option out or tells another default.

mod conf;
mod default;
mod page;
mod parts;
mod source;
mod words;

use crate::{error::Error, workspace::Workspace};

/// Where the page is.
const PAGE: &str = "docs/src/reference.md";
/// The commented configuration.
const CONF: &str = "conf/dovetail.ron";

/// What the chore takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Write nothing; fail if the page or conf/dovetail.ron says something else than the sources
    #[arg(long)]
    check: bool,
}

/// Writes the page, or checks it.
pub fn run(options: &Options) -> Result<(), Error> {
    let workspace = Workspace::load()?;
    let parts = parts::all(&workspace)?;
    let page = page::render(&parts);
    let path = workspace.workspace_root.join(PAGE);
    if options.check {
        let there = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
        let mut differences = Vec::new();
        if there != page {
            differences.push(format!("{PAGE} is out of date; run `cargo xtask reference`"));
        }
        let path = workspace.workspace_root.join(CONF);
        let conf = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
        differences.extend(conf::differences(&conf, &parts));
        return if differences.is_empty() { Ok(()) } else { Err(Error::Reference(differences.join("\n"))) };
    }
    std::fs::write(&path, page).map_err(Error::file(&path))?;
    println!("{}", path.display());
    Ok(())
}

/// A part of the page: the options of one place.
#[derive(Debug)]
pub struct Part {
    /// Its heading, and its name on the command line.
    pub name: String,
    /// What stands above the options.
    pub intro: String,
    /// Whether the options are those of this plugin's section.
    pub is_plugin: bool,
    /// The options.
    pub options: Vec<Entry>,
}

/// One option.
#[derive(Debug)]
pub struct Entry {
    /// Its name, with the groups around it: `password_hash.memory_kib`.
    pub name: String,
    /// Its type, in words.
    pub kind: String,
    /// Its default.
    pub default: Default,
    /// What it does.
    pub text: String,
    /// The values that there are, with what each means.
    pub choices: Vec<(String, String)>,
}

/// What an option is if it is left out.
#[derive(Debug, PartialEq)]
pub enum Default {
    /// It may not be.
    Required,
    /// This value, as it is written in RON.
    Value(String),
    /// What the doc comment says.
    Said(String),
    /// Nothing.
    None,
    /// The defaults of its own options.
    Group,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As CI has it; here too, so that it is seen before.
    #[test]
    fn the_page_and_the_commented_configuration_say_what_the_sources_say() {
        run(&Options { check: true }).unwrap_or_else(|error| panic!("{error}"));
    }
}
