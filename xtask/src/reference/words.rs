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
        ("Vec", [inner]) => format!("list of {}", of(source, inner)),
        ("BTreeMap" | "HashMap", [key, value]) => format!("map from {} to {}", of(source, key), of(source, value)),
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
                names.join(" or ")
            }
            // A text with rules of its own: its type says what it is.
            None => {
                let text = source.structs.get(&name).map(|item| docs(&item.attrs)).unwrap_or_default();
                let sentence = text.split(['.', ';']).next().unwrap_or_default().to_owned();
                lower_first(if sentence.is_empty() { &name } else { &sentence })
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

/// The struct of the options in a group, if the type is one.
pub fn group(source: &Source, wanted: &Type) -> Option<String> {
    last_word(wanted).filter(|name| source.fields(name).is_some())
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

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}
