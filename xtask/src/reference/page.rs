//! The page: Markdown that reads well in a terminal, too.

use super::{Default, Entry, Part};

/// The whole page.
pub fn render(parts: &[Part]) -> String {
    let mut page = format!("{HEAD}\n");
    for part in parts {
        page.push_str(&format!("\n## {}\n\n{}\n", part.name, wrap(&part.intro, "")));
        if part.options.is_empty() {
            page.push_str("\nIt has no options.\n");
        }
        for option in &part.options {
            page.push_str(&format!("\n{}", entry(option)));
        }
    }
    page
}

fn entry(option: &Entry) -> String {
    let default = match &option.default {
        Default::Required => "; required".into(),
        Default::Value(value) => format!("; default `{value}`{}", size(value, &option.text)),
        Default::Said(said) => format!("; default: {said}"),
        Default::None => "; default: none".into(),
        Default::Group => String::new(),
    };
    let mut text = format!("{}\n", wrap(&format!("- **`{}`** ({}{default})", option.name, option.kind), "  "));
    for paragraph in option.text.split("\n\n") {
        text.push_str(&format!("  {}\n", wrap(paragraph, "  ")));
    }
    for (name, what) in &option.choices {
        text.push_str(&format!("  - {}\n", wrap(&format!("`{name}`: {what}"), "    ")));
    }
    text
}

/// A large number of octets as people say it.
fn size(value: &str, text: &str) -> String {
    const KIB: u64 = 1024;
    match value.parse::<u64>() {
        Ok(octets) if octets > 0 && text.to_lowercase().contains("octets") => match octets {
            n if n % (KIB * KIB) == 0 => format!(", {} MiB", n / KIB / KIB),
            n if n >= 8 * KIB && n % KIB == 0 => format!(", {} KiB", n / KIB),
            _ => String::new(),
        },
        _ => String::new(),
    }
}

/// Breaks lines; all but the first begin with `indent`.
fn wrap(text: &str, indent: &str) -> String {
    let mut wrapped = String::new();
    let mut width = indent.len();
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width > indent.len() && width + 1 + length > WIDTH {
            wrapped.push('\n');
            wrapped.push_str(indent);
            width = indent.len();
        } else if !wrapped.is_empty() {
            wrapped.push(' ');
            width += 1;
        }
        wrapped.push_str(word);
        width += length;
    }
    wrapped
}

const WIDTH: usize = 100;
const HEAD: &str = "\
# All options

<!-- Made by `cargo xtask reference` from the sources; change the doc comments there. -->

Every option with its type and its default. `dovetail config reference [PART]` prints this page; how the pieces fit
together is told in [Configuration](configuration.md), and [conf/dovetail.ron](../../conf/dovetail.ron)
(`dovetail config example`) is a whole commented file.

A dot stands for a group: `log.format` is written `log: (format: ...)`, and `policies.instance` is in each group of a list:
`policies: [(instance: ...), ...]`. An option that is left out is at its default.
What is written is RON: texts, paths and addresses stand in quotes, lists in `[...]`, maps in `{...}`. Relative paths
start at the file's own directory, unless something else is said.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_a_few_short_lines() {
        let option = Entry {
            name: "max".into(),
            kind: "number".into(),
            default: Default::Value("52428800".into()),
            text: format!("Octets{}.", " and more".repeat(12)),
            choices: vec![("A".into(), "One.".into())],
        };
        let text = entry(&option);
        assert!(text.starts_with("- **`max`** (number; default `52428800`, 50 MiB)\n  Octets and"), "{text}");
        assert!(text.ends_with("\n  - `A`: One.\n"), "{text}");
        assert!(text.lines().count() == 4 && text.lines().all(|line| line.len() <= WIDTH), "{text}");
    }
}
