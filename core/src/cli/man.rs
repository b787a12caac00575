//! `dovetail man`: manual pages of all commands, those of plugins included, made from the same words as `--help`.
//!
//! Pages that are there already are replaced.

use super::{output, Common};
use clap::{builder::Resettable, Args, Command};
use clap_mangen::{
    roff::{bold, roman, Roff},
    Man,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// What `man` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
The operations of the plugins that are found now get pages, too.\n\n\
Example:\n  dovetail man --dir /usr/local/share/man/man1")]
pub struct ManCommand {
    /// Where the pages go; made if it is missing
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
}

/// Writes the pages, one a command.
pub fn run(common: &Common, man: &ManCommand) -> Result<ExitCode, String> {
    let whole = super::whole(common).disable_help_subcommand(true);
    // They would stand between the options of each command.
    let mut whole = whole.mut_args(|arg| if arg.is_global_set() { arg.help_heading("Common options") } else { arg });
    whole.build();
    let at = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(&man.dir).map_err(|error| at(&man.dir, error))?;
    let mut written = Vec::new();
    let mut left = vec![whole];
    while let Some(command) = left.pop() {
        left.extend(command.get_subcommands().filter(|command| !command.is_hide_set()).cloned());
        let (name, text) = page(command).map_err(|error| format!("a manual page cannot be made: {error}"))?;
        let path = man.dir.join(&name);
        fs::write(&path, text).map_err(|error| at(&path, error))?;
        written.push(name);
    }
    written.sort();
    if common.json {
        output::json(&serde_json::json!({ "pages": written }).to_string());
    } else {
        output::line(&format!("{} pages in {}", written.len(), man.dir.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// A page with its file's name.
fn page(mut command: Command) -> io::Result<(String, Vec<u8>)> {
    let is_root = command.get_name() == "dovetail";
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    command = command.after_help(Resettable::Reset);
    let man = Man::new(command).source(concat!("dovetail ", env!("CARGO_PKG_VERSION"))).manual("Dovetail");
    let mut page = Vec::new();
    man.render(&mut page)?;
    let mut more = Roff::new();
    if is_root {
        for (heading, rows) in [("FILES", FILES.as_slice()), ("SIGNALS", &SIGNALS), ("EXIT STATUS", &EXIT_STATUS)] {
            more.control("SH", [heading]);
            for (term, what) in rows {
                more.control("TP", []).text([bold(*term)]).text([roman(*what)]);
            }
        }
    } else {
        notes(&mut more, &text);
        more.control("SH", ["SEE ALSO"]).text([bold("dovetail"), roman("(1)")]);
    }
    more.to_writer(&mut page)?;
    Ok((man.get_filename(), page))
}

/// What stands below the options in `--help`: paragraphs, then examples, whose lines stay as they are.
fn notes(page: &mut Roff, text: &str) {
    let is_heading = |line: &&str| ["Example:", "Examples:"].contains(line);
    let words: Vec<&str> = text.lines().take_while(|line| !is_heading(line)).collect();
    let examples: Vec<&str> = text.lines().skip_while(|line| !is_heading(line)).skip(1).map(str::trim_start).collect();
    let words = words.join("\n");
    let paragraphs: Vec<&str> = words.split("\n\n").map(str::trim).filter(|text| !text.is_empty()).collect();
    if !paragraphs.is_empty() {
        page.control("SH", ["NOTES"]);
    }
    for paragraph in paragraphs {
        page.control("PP", []).text([roman(paragraph)]);
    }
    if !examples.is_empty() {
        page.control("SH", ["EXAMPLES"]).control("nf", []);
        for example in examples {
            page.text([roman(example)]);
        }
        page.control("fi", []);
    }
}

const FILES: [(&str, &str); 3] = [
    (
        "/etc/dovetail/dovetail.ron",
        "The config, unless another is named. \"dovetail config reference\" tells its options.",
    ),
    ("/var/lib/dovetail", "Where \"dovetail init\" has the server keep its data, unless told otherwise."),
    ("/usr/lib/dovetail/plugins", "Plugins that are neither beside the program nor in a directory that is named."),
];
const SIGNALS: [(&str, &str); 3] = [
    ("SIGTERM, SIGINT", "Let sessions end, and stop."),
    ("the same again", "Stop at once."),
    ("SIGHUP", "Read the config again."),
];
const EXIT_STATUS: [(&str, &str); 4] = [
    ("0", "Done; or the server was stopped by SIGTERM or SIGINT."),
    ("1", "It failed; standard error says why."),
    ("2", "The command line was not understood."),
    ("130", "The server was stopped at once by a second signal."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_keep_their_lines() {
        let command =
            Command::new("x").about("Does it").after_help("One\nparagraph.\n\nTwo.\n\nExamples:\n  x a\n  x -b");
        let (name, text) = page(command).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(name, "x.1");
        let expected =
            ".SH NOTES\n.PP\nOne\nparagraph.\n.PP\nTwo.\n.SH EXAMPLES\n.nf\nx a\nx \\-b\n.fi\n.SH \"SEE ALSO\"\n";
        assert!(text.contains(expected) && !text.contains("EXTRA"), "{text}");
    }
}
