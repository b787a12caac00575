//! Types in words that an operator knows.

use super::source::{docs, last_word, Source};
use syn::{GenericArgument, PathArguments, Type};

/// A type in words.
pub fn of(source: &Source, wanted: &Type) -> String {
    if let Type::Tuple(tuple) = wanted {
        let words: Vec<String> = tuple.elems.iter().map(|element| of(source, element)).collect();
        return format!("({})", words.join(", "));
    }
    let name = last_word(wanted).unwrap_or_default();
    let inner = arguments(wanted);
    match (name.as_str(), inner.as_slice()) {
        ("Option" | "Box", [inner]) => of(source, inner),
        ("Vec", [inner]) => format!("list of {}", plural(&of(source, inner))),
        ("BTreeMap" | "HashMap", [key, value]) => {
            format!("map from {} to {}", plural(&of(source, key)), plural(&of(source, value)))
        }
        ("String", _) => "text".into(),
        ("PathBuf", _) => "path".into(),
        ("char", _) => "character".into(),
        ("bool", _) => "true or false".into(),
        ("u8" | "u16" | "u32" | "u64" | "usize" | "Duration", _) => "number".into(),
        ("SocketAddr", _) => "address with port".into(),
        ("RawValue", _) => "group".into(),
        _ if source.fields(&name).is_some() => "group".into(),
        _ => match source.enums.get(&name) {
            Some(item) => {
                let names: Vec<String> = item.variants.iter().map(|variant| format!("`{}`", variant.ident)).collect();
                match names.split_last() {
                    Some((last, [])) => last.clone(),
                    Some((last, others)) => format!("{} or {last}", others.join(", ")),
                    None => "nothing".into(),
                }
            }
            // A text with rules of its own: its type says in the first words what it is.
            None => {
                let text = source.structs.get(&name).map(|item| docs(&item.attrs)).unwrap_or_default();
                let words = text.split([',', '.', ';']).next().unwrap_or_default();
                let words =
                    ["A ", "An ", "The "].iter().find_map(|article| words.strip_prefix(article)).unwrap_or(words);
                if words.is_empty() {
                    name
                } else {
                    words.to_owned()
                }
            }
        },
    }
}

/// The variants of an enum with what they mean, if it is one and says so.
pub fn choices(source: &Source, wanted: &Type) -> Vec<(String, String)> {
    let name = last_word(wanted).unwrap_or_default();
    let variants = source.enums.get(&name).into_iter().flat_map(|item| &item.variants);
    let choices = variants.map(|variant| (variant.ident.to_string(), docs(&variant.attrs)));
    choices.filter(|(_, text)| !text.is_empty()).collect()
}

/// The struct of the options in a group, if the type is one, or a list of such.
pub fn group(source: &Source, wanted: &Type) -> Option<String> {
    let name = last_word(wanted)?;
    match (name.as_str(), arguments(wanted).as_slice()) {
        ("Vec", [inner]) => group(source, inner),
        _ => Some(name).filter(|name| source.fields(name).is_some()),
    }
}

/// The arguments of a generic type.
fn arguments(of: &Type) -> Vec<&Type> {
    let Type::Path(path) = of else { return Vec::new() };
    let Some(PathArguments::AngleBracketed(list)) = path.path.segments.last().map(|last| &last.arguments) else {
        return Vec::new();
    };
    let types = list.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    });
    types.collect()
}

/// Several of what is in words.
fn plural(words: &str) -> String {
    if words.starts_with(['`', '(']) {
        return words.to_owned();
    }
    let (first, rest) =
        words.split_once(' ').map_or((words, String::new()), |(first, rest)| (first, format!(" {rest}")));
    format!("{first}{}{rest}", if first.ends_with('s') { "es" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_in_words() {
        let mut source = Source::default();
        let items = "/// A network, such as `10.0.0.0/8`.\n struct Network(IpNet);
            enum Mode { A, B, C }
            struct Bare(u8);
            #[derive(Deserialize)] struct Group { a: u8 }";
        source.add(items).unwrap();
        for (wanted, expected) in [
            ("Option<std::path::PathBuf>", "path"),
            ("Vec<Network>", "list of networks"),
            ("Vec<SocketAddr>", "list of addresses with port"),
            ("BTreeMap<String, Mode>", "map from texts to `A`, `B` or `C`"),
            ("Vec<(String, Option<Mode>)>", "list of (text, `A`, `B` or `C`)"),
            ("Group", "group"),
            ("Bare", "Bare"),
        ] {
            assert_eq!(of(&source, &syn::parse_str(wanted).unwrap()), expected);
        }
    }
}
