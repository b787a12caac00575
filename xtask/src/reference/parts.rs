//! The parts of the page: core's own options, those of instances and listeners, and the section of each plugin.
//!
//! Core reads the top of the file by hand, so that one mistake does not hide others: there the options are the names that
//! `Config::take` matches, with the field of the same name (a `Duration` in `x` is read from `x_seconds`) and the value that
//! `Config::parse` begins with. Everything else is what serde reads.

use super::{
    default::{evaluate, of_type, Value},
    source::{docs, last_word, serde, Source},
    words, Default, Entry, Part,
};
use crate::{
    deps::Room,
    error::Error,
    workspace::{Package, Workspace},
};
use std::collections::BTreeMap;
use syn::{Expr, Field, FieldsNamed, Lit, Member, Pat, Stmt};

/// All parts, in the order of the page.
pub fn all(workspace: &Workspace) -> Result<Vec<Part>, Error> {
    let core = Source::read(&workspace.workspace_root.join("core/src/config"))?;
    let mut parts = vec![
        Part { name: "General".into(), intro: GENERAL.into(), is_plugin: false, options: top(&core)? },
        Part {
            name: "Instances".into(),
            intro: INSTANCES.into(),
            is_plugin: false,
            options: group(&core, "PluginOptions", "")?,
        },
        Part {
            name: "Listeners".into(),
            intro: LISTENERS.into(),
            is_plugin: false,
            options: group(&core, "ListenerOptions", "")?,
        },
    ];
    let mut plugins = Vec::new();
    for package in workspace.packages.iter().filter(|package| is_plugin(workspace, package)) {
        let folder = workspace.workspace_root.join(workspace.folder(package)).join("src");
        let source = Source::read(&folder)?;
        let at = |error: Error| Error::Reference(format!("{}: {error}", workspace.folder(package).display()));
        plugins.push(plugin(&source).map_err(at)?);
    }
    plugins.sort_by(|a, b| a.name.cmp(&b.name));
    parts.extend(plugins);
    Ok(parts)
}

fn is_plugin(workspace: &Workspace, package: &Package) -> bool {
    let folder = workspace.folder(package);
    folder.starts_with("plugins") && matches!(Room::of(folder), Some(Room::Plugin(_))) && package.library().is_some()
}

/// The section of a plugin.
fn plugin(source: &Source) -> Result<Part, Error> {
    let word = |name: &str| source.exported.get(name).cloned();
    let name = word("id").ok_or_else(|| unclear("there is no `export_plugin!` with an `id`"))?;
    let section = source.section.clone().ok_or_else(|| unclear("there is no `type Config` in an `impl Plugin`"))?;
    let intro = word("summary").map(|summary| format!("{summary}.")).unwrap_or_default();
    let options = match section.as_str() {
        "()" => Vec::new(),
        section => group(source, section, "")?,
    };
    Ok(Part { name, intro, is_plugin: true, options })
}

/// The options at the top of the file.
fn top(core: &Source) -> Result<Vec<Entry>, Error> {
    let fields = core.structs.get("Config").map(|item| &item.fields);
    let fields: BTreeMap<String, &Field> =
        fields.into_iter().flatten().filter_map(|field| Some((field.ident.as_ref()?.to_string(), field))).collect();
    let begins = begins(core).ok_or_else(|| unclear("`Config::parse` begins with no `Config { ... }`"))?;
    let mut options = Vec::new();
    for name in taken(core).ok_or_else(|| unclear("`Config::take` has no `match name`"))? {
        let field = fields.get(&name).map(|field| (&name[..], *field)).or_else(|| {
            let bare = name.strip_suffix("_seconds")?;
            fields.get(bare).map(|field| (bare, *field))
        });
        let (field_name, field) = field.ok_or_else(|| unclear(format!("`{name}` has no field in `Config`")))?;
        let text = docs(&field.attrs);
        if ["plugins", "listeners"].contains(&name.as_str()) {
            let kind = "map from names to groups".to_owned();
            options.push(Entry { name, kind, default: Default::Value("{}".into()), text, choices: Vec::new() });
            continue;
        }
        let value = begins.get(field_name).and_then(|value| evaluate(core, value, &field.ty));
        // Nobody has an empty name, or keeps mail nowhere.
        let value = match value {
            Some(Value::Text(text)) if text.is_empty() => None,
            value => Some(value),
        };
        options.extend(entries(core, field, &name, value)?);
    }
    Ok(options)
}

/// The names that `Config::take` knows.
fn taken(core: &Source) -> Option<Vec<String>> {
    let body = &core.methods.get("Config::take")?.block.stmts;
    let is_name = |value: &Expr| matches!(value, Expr::Path(path) if path.path.is_ident("name"));
    let arms = body.iter().find_map(|statement| match statement {
        Stmt::Expr(Expr::Match(found), _) if is_name(&found.expr) => Some(&found.arms),
        _ => None,
    })?;
    let names = arms.iter().filter_map(|arm| match &arm.pat {
        Pat::Lit(syn::ExprLit { lit: Lit::Str(name), .. }) => Some(name.value()),
        _ => None,
    });
    Some(names.collect())
}

/// The values that `Config::parse` begins with.
fn begins(core: &Source) -> Option<BTreeMap<String, Expr>> {
    let body = &core.methods.get("Config::parse")?.block.stmts;
    let value = body.iter().find_map(|statement| match statement {
        Stmt::Local(local) => match local.init.as_ref().map(|init| &*init.expr) {
            Some(Expr::Struct(value)) if value.path.is_ident("Config") => Some(value),
            _ => None,
        },
        _ => None,
    })?;
    Some(values(value))
}

fn values(of: &syn::ExprStruct) -> BTreeMap<String, Expr> {
    let named = of.fields.iter().filter_map(|field| match &field.member {
        Member::Named(name) => Some((name.to_string(), field.expr.clone())),
        Member::Unnamed(_) => None,
    });
    named.collect()
}

/// The options of a struct that serde reads; their names begin with `prefix`.
fn group(source: &Source, name: &str, prefix: &str) -> Result<Vec<Entry>, Error> {
    let (Some(item), Some(fields)) = (source.structs.get(name), source.fields(name)) else {
        return Err(unclear(format!("`{name}` is no struct that derives `Deserialize`")));
    };
    let whole = serde(&item.attrs, "default").is_some();
    let defaults = source.defaults.get(name).map(values).unwrap_or_default();
    let FieldsNamed { named, .. } = fields;
    let mut options = Vec::new();
    for field in named {
        let Some(ident) = field.ident.as_ref().map(ToString::to_string) else { continue };
        if serde(&field.attrs, "flatten").is_some() || serde(&field.attrs, "skip").is_some() {
            return Err(unclear(format!("`{name}`: `{ident}` is flattened or skipped, which this does not know")));
        }
        let option = serde(&field.attrs, "rename").flatten().unwrap_or_else(|| ident.clone());
        let value = match serde(&field.attrs, "default") {
            Some(Some(function)) => {
                let function = function.rsplit("::").next().unwrap_or_default().to_owned();
                Some(source.functions.get(&function).and_then(|value| evaluate(source, value, &field.ty)))
            }
            Some(None) => Some(of_type(source, &field.ty)),
            None if whole => Some(match defaults.get(&ident) {
                Some(value) => evaluate(source, value, &field.ty),
                // A derived `Default` is that of each type; one that is written out and not understood is not guessed.
                None if source.defaults.contains_key(name) => None,
                None => of_type(source, &field.ty),
            }),
            None if last_word(&field.ty).is_some_and(|word| word == "Option") => Some(Some(Value::Nothing)),
            None => None,
        };
        options.extend(entries(source, field, &format!("{prefix}{option}"), value)?);
    }
    Ok(options)
}

/// The entry of one option, and of those in it if it is a group. `value` is none for a required option, and `Some(None)` for
/// one whose default cannot be read from the source.
fn entries(source: &Source, field: &Field, name: &str, value: Option<Option<Value>>) -> Result<Vec<Entry>, Error> {
    let (text, said) = take_default(&docs(&field.attrs));
    if text.is_empty() {
        return Err(unclear(format!("`{name}` has no doc comment")));
    }
    let default = match (value, said) {
        (None, None) => Default::Required,
        (Some(Some(Value::Group)), None) => Default::Group,
        (Some(Some(Value::Nothing)), None) => Default::None,
        (Some(Some(Value::Nothing)), Some(said)) => Default::Said(said),
        (Some(Some(value)), None) => Default::Value(value.ron()),
        // Not a value that can be told in RON, or one that only the program can compute.
        (Some(None), Some(said)) => Default::Said(said),
        (Some(None), None) => {
            let cure = "make it of literals and constants, or end its doc comment with `Default: ...`";
            return Err(unclear(format!("the default of `{name}` cannot be read from the source ({cure})")));
        }
        (_, Some(said)) => {
            let cure = "take that out of the doc comment";
            return Err(unclear(format!("`{name}` says `Default: {said}`, but the source tells its default ({cure})")));
        }
    };
    let inner = words::group(source, &field.ty);
    let kind = words::of(source, &field.ty);
    let choices = words::choices(source, &field.ty);
    let mut all = vec![Entry { name: name.to_owned(), kind, default, text, choices }];
    if let Some(inner) = inner {
        all.extend(group(source, &inner, &format!("{name}."))?);
    }
    Ok(all)
}

/// Takes the sentence `Default: ...` off the end of a text.
fn take_default(text: &str) -> (String, Option<String>) {
    match text.rsplit_once("Default: ") {
        Some((text, said)) => (text.trim_end().to_owned(), Some(said.trim_end_matches('.').to_owned())),
        None => (text.to_owned(), None),
    }
}

fn unclear(what: impl Into<String>) -> Error {
    Error::Reference(what.into())
}

const GENERAL: &str = "What stands at the top of the file.";
const INSTANCES: &str = "The entries of `plugins`: `\"name\": (option: value, ...)`. A name is 1 to 64 letters, digits, `-`, `_` or `.`, and not `core`.";
const LISTENERS: &str =
    "The entries of `listeners`: `\"name\": (option: value, ...)`. The options are the same whatever the protocol is, and names follow the rule of instances.";

#[cfg(test)]
mod tests {
    use super::*;

    fn entries_of(items: &str) -> Result<Vec<Entry>, String> {
        let mut source = Source::default();
        source.add(items).unwrap();
        group(&source, "Config", "").map_err(|error| error.to_string())
    }

    #[test]
    fn options_have_their_types_defaults_and_docs() {
        let options = entries_of(
            "#[derive(Deserialize)] #[serde(default)] struct Config {
                /// How many. See [`Config`].
                ///
                /// More.
                pub count: usize,
                /// Where. Default: `x` in the data directory.
                pub dir: Option<PathBuf>,
                /// A group.
                pub group: Group,
            }
            impl Default for Config { fn default() -> Self { Self { count: 2 * N, dir: None, group: Group::default() } } }
            const N: usize = 4;
            #[derive(serde::Deserialize)] struct Group {
                /// Needed.
                #[serde(rename = \"in\")] r#in: Mode,
                /// Its own.
                #[serde(default = \"yes\")] own: bool,
            }
            fn yes() -> bool { true }
            #[derive(Deserialize)] enum Mode { /// This.
                A, B }",
        );
        let options = options.unwrap();
        let told: Vec<String> = options
            .iter()
            .map(|o| format!("{} {} {:?} {} {}", o.name, o.kind, o.default, o.text, o.choices.len()))
            .collect();
        assert_eq!(
            told,
            [
                "count number Value(\"8\") How many. See `Config`.\n\nMore. 0",
                "dir path Said(\"`x` in the data directory\") Where. 0",
                "group group Group A group. 0",
                "group.in `A` or `B` Required Needed. 1",
                "group.own true or false Value(\"true\") Its own. 0",
            ]
        );
    }

    #[test]
    fn a_plugin_is_its_manifest_and_its_section() {
        let mut source = Source::default();
        source
            .add(
                "impl Plugin for Echo { type Config = config::Section; }
                 export_plugin! { plugin: Echo, id: \"echo\", summary: \"Says it again\", provides: [Protocol] }
                 mod config { #[derive(Deserialize)] struct Section { /// Times.
                    times: u32 } }
                 #[cfg(test)] mod tests { #[derive(Deserialize)] struct Section { other: u32 } }",
            )
            .unwrap();
        let part = plugin(&source).unwrap();
        assert_eq!((part.name.as_str(), part.intro.as_str(), part.is_plugin), ("echo", "Says it again.", true));
        assert_eq!(part.options.iter().map(|option| option.name.as_str()).collect::<Vec<_>>(), ["times"]);
        source.add("impl Plugin for Echo { type Config = (); }").unwrap();
        assert!(plugin(&source).unwrap().options.is_empty());
    }

    #[test]
    fn what_would_be_a_guess_is_refused() {
        for (field, default, expected) in [
            ("/// A.\n a: Vec<u8>", "a: vec()", "the default of `a` cannot be read"),
            ("/// A. Default: 3.\n a: u8", "a: 4", "says `Default: 3`, but"),
            ("a: u8", "a: 4", "`a` has no doc comment"),
            ("/// A.\n #[serde(flatten)] a: u8", "a: 4", "flattened"),
        ] {
            let items = format!(
                "#[derive(Deserialize)] #[serde(default)] struct Config {{ {field} }}
                 impl Default for Config {{ fn default() -> Self {{ Config {{ {default} }} }} }}"
            );
            let error = entries_of(&items).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
