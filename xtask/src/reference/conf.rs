//! Is the commented configuration, which people write, as true as the page?
//!
//! A line `// name: value,` is an option at its default. Each option of the page must be in the file, and where its default
//! is a number, a text, a character or a word, the line must say the same. (Lists and maps are shown with examples.)

use super::{Default, Entry, Part};
use std::collections::BTreeMap;

/// An option that the file names.
#[derive(Debug, PartialEq)]
struct Named {
    /// The groups and maps around it, and its own name.
    path: Vec<String>,
    /// What a comment says its default is; none if it is set.
    default: Option<String>,
    line: usize,
}

/// What the file leaves out or says otherwise.
pub fn differences(conf: &str, parts: &[Part]) -> Vec<String> {
    let named = named(conf);
    let plugins = plugins(conf, &named);
    let mut differences = Vec::new();
    for part in parts {
        for option in &part.options {
            let own: Vec<String> = option.name.split('.').map(str::to_owned).collect();
            let is_it = |found: &&Named| match (found.path.as_slice(), part.name.as_str()) {
                ([list, name, config, rest @ ..], id) if part.is_plugin => {
                    list == "plugins"
                        && config == "config"
                        && rest == own
                        && plugins.get(name).is_some_and(|of| of == id)
                }
                ([list, _, rest @ ..], "Instances") => list == "plugins" && rest == own,
                ([list, _, rest @ ..], "Listeners") => list == "listeners" && rest == own,
                (path, "General") => path == own,
                _ => false,
            };
            let hits: Vec<&Named> = named.iter().filter(is_it).collect();
            // The options of an instance are a table in a comment, and so are those of what stands in a list.
            let is_row = |line: &str, name: &str| line.trim_start().starts_with(&format!("//     {name} "));
            let name = match option.name.split_once('.') {
                Some((list, name)) if is_list(part, list) => Some(name),
                None if part.name == "Instances" => Some(option.name.as_str()),
                _ => None,
            };
            let in_table = name.is_some_and(|name| conf.lines().any(|line| is_row(line, name)));
            if hits.is_empty() && !in_table {
                differences.push(format!("conf/dovetail.ron says nothing of `{}` ({})", option.name, part.name));
            }
            differences.extend(hits.into_iter().filter_map(|hit| contradiction(hit, option)));
        }
    }
    differences
}

/// Whether an option is a list of groups.
fn is_list(part: &Part, name: &str) -> bool {
    part.options.iter().any(|option| option.name == name && option.kind.starts_with("list of "))
}

fn contradiction(hit: &Named, option: &Entry) -> Option<String> {
    let (Some(told), Default::Value(value)) = (&hit.default, &option.default) else { return None };
    let is_plain = !value.starts_with(['[', '{', '(']);
    (is_plain && told != value)
        .then(|| format!("conf/dovetail.ron:{}: the default of `{}` is {value}, not {told}", hit.line, option.name))
}

/// The plugin of each instance.
fn plugins(conf: &str, named: &[Named]) -> BTreeMap<String, String> {
    let mut plugins = BTreeMap::new();
    for found in named {
        if let [list, name, ..] = found.path.as_slice() {
            if list == "plugins" {
                plugins.entry(name.clone()).or_insert_with(|| name.clone());
            }
        }
    }
    for found in named {
        if let ([list, name, own], None) = (found.path.as_slice(), &found.default) {
            let line = conf.lines().nth(found.line - 1).unwrap_or_default();
            let id = line.split_once("plugin: \"").and_then(|(_, rest)| rest.split('"').next());
            if let (true, Some(id)) = (list == "plugins" && own == "plugin", id) {
                plugins.insert(name.clone(), id.to_owned());
            }
        }
    }
    plugins
}

/// All names in the file, with what is around them.
fn named(conf: &str) -> Vec<Named> {
    let mut found = Vec::new();
    let mut around: Vec<Option<String>> = Vec::new();
    for (index, line) in conf.lines().enumerate() {
        let mut last: Option<String> = None;
        let mut pending: Option<String> = None;
        let mut rest = line;
        let mut add = |name: &str, default: Option<String>, around: &[Option<String>]| {
            let path = around.iter().flatten().cloned().chain([name.to_owned()]).collect();
            found.push(Named { path, default, line: index + 1 });
        };
        while let Some(first) = rest.chars().next() {
            if let Some(comment) = rest.strip_prefix("//") {
                if let Some((name, value)) = comment.trim().strip_suffix(',').and_then(|text| text.split_once(": ")) {
                    if is_name(name) {
                        add(name, Some(value.to_owned()), &around);
                    }
                }
                break;
            }
            let length = match first {
                '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
                c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            let (token, after) = rest.split_at(length);
            match first {
                '"' => last = Some(token.trim_matches('"').to_owned()),
                ':' => {
                    pending = last.take();
                    if let Some(name) = &pending {
                        add(name, None, &around);
                    }
                }
                '(' | '{' | '[' => around.push(pending.take()),
                ')' | '}' | ']' => drop(around.pop()),
                c if is_word(c) => last = Some(token.to_owned()),
                _ => {}
            }
            rest = after;
        }
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONF: &str = "(
    // level: Info,
    hostname: \"a: b\",
    // plugin options:
    //     plugin     The id.
    plugins: {
        \"mx\": (plugin: \"smtp\", config: (role: Mx,
            // max: 3,
            // dir: \"x\",
        )),
        \"other\": (),
    },
)";

    fn option(name: &str, default: &str) -> Entry {
        let default = Default::Value(default.into());
        Entry { name: name.into(), kind: String::new(), default, text: String::new(), choices: Vec::new() }
    }

    fn told(part: &str, is_plugin: bool, options: Vec<Entry>) -> Vec<String> {
        differences(CONF, &[Part { name: part.into(), intro: String::new(), is_plugin, options }])
    }

    #[test]
    fn what_the_file_says_right_is_no_difference() {
        assert_eq!(told("General", false, vec![option("level", "Info"), option("hostname", "\"\"")]), [""; 0]);
        assert_eq!(told("smtp", true, vec![option("max", "3"), option("role", "Mx"), option("dir", "\"x\"")]), [""; 0]);
        assert_eq!(told("Instances", false, vec![option("plugin", "\"\"")]), [""; 0]);
    }

    #[test]
    fn what_stands_in_a_list_is_told_in_a_table() {
        let conf = "(\n    plugins: {\n        \"mx\": (config: (\n            // Each of them:\n            //     name   It.\n            // of: [],\n        )),\n    },\n)";
        let mut list = option("of", "[]");
        list.kind = "list of groups".into();
        let options = vec![list, option("of.name", "1"), option("of.other", "1")];
        let part = Part { name: "mx".into(), intro: String::new(), is_plugin: true, options };
        assert_eq!(differences(conf, &[part]), ["conf/dovetail.ron says nothing of `of.other` (mx)"]);
    }

    #[test]
    fn another_default_and_a_missing_option_are_told() {
        let differences = told("smtp", true, vec![option("max", "4"), option("nope", "1")]);
        assert_eq!(
            differences,
            [
                "conf/dovetail.ron:8: the default of `max` is 4, not 3",
                "conf/dovetail.ron says nothing of `nope` (smtp)"
            ]
        );
        assert_eq!(told("mx", true, vec![option("max", "3")]).len(), 1, "the instance's name is not the plugin's");
    }
}
