//! `dovetail plugin new`: writes a crate that is a whole plugin, with its tests.
//!
//! What it writes is in `sdk/template`. **How it fails**: in one line, with nothing half written where nothing was before: a
//! folder that is there already is not touched.

mod kind;

use crate::cli::{output, Common};
use clap::Args;
use kind::Kind;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// A name has at most so many letters.
const MAX_NAME: usize = 64;

/// What `plugin new` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
The crate builds by itself, anywhere: `cargo test` in its folder tries it without a server. Its README says how to serve it.\n
Examples:\n  dovetail plugin new hello --sdk ../dovetail/sdk\n  dovetail plugin new greylist --kind policy --sdk ../dovetail/sdk")]
pub struct New {
    /// The plugin's id, and the name of the folder: small letters, digits and `-`, beginning with a letter
    name: String,
    /// What it provides
    #[arg(long, value_enum, default_value_t = Kind::Protocol)]
    kind: Kind,
    /// The `sdk` folder of Dovetail's source, for the crate's dependencies
    #[arg(long, value_name = "DIR")]
    sdk: PathBuf,
    /// Where the folder is made
    #[arg(long, value_name = "DIR", default_value = ".")]
    into: PathBuf,
}

/// Writes the crate.
pub fn run(common: &Common, new: &New) -> Result<ExitCode, String> {
    check_name(&new.name)?;
    let sdk = sdk(&new.sdk)?;
    let folder = new.into.join(&new.name);
    let at = |path: &Path, error: io::Error| format!("cannot write {}: {error}", path.display());
    fs::create_dir(&folder).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{} is there already (choose another name, or --into)", folder.display())
        }
        _ => at(&folder, error),
    })?;
    for (path, text) in new.kind.files() {
        let path = folder.join(path);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            let text = fill_in(text, &new.name, &sdk, new.kind);
            fs::write(&path, text)
        });
        written.map_err(|error| at(&path, error))?;
    }
    if common.json {
        output::json(&serde_json::json!({ "folder": folder.display().to_string() }).to_string());
    } else {
        output::line(&format!("{} is a whole plugin; next:\n", folder.display()));
        output::line(&format!("    cd {}\n    cargo test\n    cargo build", folder.display()));
        output::line(&format!("    dovetail plugin verify target/debug/{}\n", library(&new.name)));
        output::line("README.md there says how to serve it.");
    }
    Ok(ExitCode::SUCCESS)
}

fn check_name(name: &str) -> Result<(), String> {
    let is_good = name.len() <= MAX_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    match is_good {
        true => Ok(()),
        false => Err(format!(
            "`{name}` is no name for a plugin (small letters, digits and `-`, beginning with a letter; at most {MAX_NAME})"
        )),
    }
}

/// The SDK's folder, as it can be written into a manifest that stands somewhere else.
fn sdk(given: &Path) -> Result<String, String> {
    let wrong =
        |why: String| format!("{} is not the SDK: {why} (give the `sdk` folder of Dovetail's source)", given.display());
    let folder = given.canonicalize().map_err(|error| wrong(error.to_string()))?;
    for manifest in ["Cargo.toml", "testkit/Cargo.toml"] {
        if !folder.join(manifest).is_file() {
            return Err(wrong(format!("it has no {manifest}")));
        }
    }
    folder.to_str().map(str::to_owned).ok_or_else(|| wrong("its path is not UTF-8".to_owned()))
}

fn fill_in(text: &str, name: &str, sdk: &str, kind: Kind) -> String {
    // A path in a manifest is a string of TOML.
    let dependency = |path: String, features: &[&str]| {
        let features = match features {
            [] => String::new(),
            some => format!(", features = {}", serde_json::Value::from(some)),
        };
        format!("{{ path = {}{features} }}", serde_json::Value::from(path))
    };
    let more: String = kind.dependencies().iter().map(|line| format!("\n{line}")).collect();
    text.replace("{{name}}", name)
        .replace("{{Name}}", &type_name(name))
        .replace("{{lib}}", &library(name))
        .replace("{{dependencies}}", &more)
        .replace("{{sdk}}", &dependency(sdk.to_owned(), &[]))
        .replace("{{testkit}}", &dependency(format!("{sdk}/testkit"), kind.testkit_features()))
}

fn library(name: &str) -> String {
    format!("lib{}.so", name.replace('-', "_"))
}

/// `two-words` is `TwoWords` as a type.
fn type_name(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn names() {
        for good in ["a", "grey-list", "x2"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "2x", "Grey", "a b", "../x", "-a", "ä", &"a".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert_eq!((type_name("grey-list"), library("grey-list")), ("GreyList".into(), "libgrey_list.so".into()));
    }

    #[test]
    fn nothing_is_left_to_be_filled_in() {
        for kind in Kind::value_variants() {
            for (path, text) in kind.files() {
                let text = fill_in(text, "grey-list", "/src/dovetail/sdk", *kind);
                assert!(!text.contains("{{"), "{kind:?} {path}");
            }
        }
    }
}
