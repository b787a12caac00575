//! The items of a package that matter here, read by a parser for Rust; nothing is compiled or run.

use crate::error::Error;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use syn::{Attribute, Expr, Fields, ImplItem, Item, ItemEnum, ItemImpl, ItemStruct, Meta, Stmt, Type};

/// What a package's sources define.
#[derive(Default)]
pub struct Source {
    /// Structs; one that is read from the configuration comes before others of its name.
    pub structs: BTreeMap<String, ItemStruct>,
    /// Enums; likewise.
    pub enums: BTreeMap<String, ItemEnum>,
    /// Constants.
    pub constants: BTreeMap<String, Expr>,
    /// What functions without much to them return.
    pub functions: BTreeMap<String, Expr>,
    /// The struct expressions of `Default` implementations, by type.
    pub defaults: BTreeMap<String, syn::ExprStruct>,
    /// The methods of types, as `Type::method`.
    pub methods: BTreeMap<String, syn::ImplItemFn>,
    /// The type that `impl Plugin` calls its `Config`; `()` for none.
    pub section: Option<String>,
    /// The words of `export_plugin!`: `id`, `summary`.
    pub exported: BTreeMap<String, String>,
}

impl Source {
    /// Reads all sources below a folder, or one file.
    pub fn read(path: &Path) -> Result<Source, Error> {
        let mut files = Vec::new();
        collect(path, &mut files)?;
        files.sort();
        let mut source = Source::default();
        for file in files {
            let text = std::fs::read_to_string(&file).map_err(Error::file(&file))?;
            source.add(&text).map_err(|error| Error::Reference(format!("{}: {error}", file.display())))?;
        }
        Ok(source)
    }

    /// Adds the items of a file's text.
    pub fn add(&mut self, text: &str) -> syn::Result<()> {
        syn::parse_file(text)?.items.into_iter().for_each(|item| self.item(item));
        Ok(())
    }

    fn item(&mut self, item: Item) {
        match item {
            Item::Struct(item) => put(&mut self.structs, item.ident.to_string(), item, |item| &item.attrs),
            Item::Enum(item) => put(&mut self.enums, item.ident.to_string(), item, |item| &item.attrs),
            Item::Const(item) => drop(self.constants.insert(item.ident.to_string(), *item.expr)),
            Item::Fn(item) => {
                if let Some(Stmt::Expr(value, None)) = item.block.stmts.last() {
                    self.functions.insert(item.sig.ident.to_string(), value.clone());
                }
            }
            Item::Impl(item) => self.implementation(item),
            Item::Macro(item) if item.mac.path.segments.last().is_some_and(|last| last.ident == "export_plugin") => {
                let words: Vec<String> = item.mac.tokens.into_iter().map(|token| token.to_string()).collect();
                for three in words.windows(3).filter(|three| three[1] == ":") {
                    if let Ok(text) = syn::parse_str::<syn::LitStr>(&three[2]) {
                        self.exported.insert(three[0].clone(), text.value());
                    }
                }
            }
            Item::Mod(item) if !is_test(&item.attrs) => {
                item.content.into_iter().flat_map(|(_, items)| items).for_each(|item| self.item(item));
            }
            _ => {}
        }
    }

    fn implementation(&mut self, item: ItemImpl) {
        let Some(of) = last_word(&item.self_ty) else { return };
        let of_trait =
            item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last()).map(|last| last.ident.to_string());
        for part in item.items {
            match (of_trait.as_deref(), part) {
                (Some("Default"), ImplItem::Fn(function)) => {
                    if let Some(Stmt::Expr(Expr::Struct(value), None)) = function.block.stmts.last() {
                        self.defaults.insert(of.clone(), value.clone());
                    }
                }
                (Some("Plugin"), ImplItem::Type(alias)) if alias.ident == "Config" => self.section = section(&alias.ty),
                (None, ImplItem::Fn(function)) => {
                    self.methods.insert(format!("{of}::{}", function.sig.ident), function);
                }
                _ => {}
            }
        }
    }

    /// The named fields of a struct that is read from the configuration.
    pub fn fields(&self, name: &str) -> Option<&syn::FieldsNamed> {
        match &self.structs.get(name).filter(|item| is_read(&item.attrs))?.fields {
            Fields::Named(fields) => Some(fields),
            _ => None,
        }
    }
}

/// A type that is read from the configuration is the one that is meant, if another module has a namesake.
fn put<T>(into: &mut BTreeMap<String, T>, name: String, item: T, attributes: impl Fn(&T) -> &Vec<Attribute>) {
    let keep = into.get(&name).is_some_and(|there| is_read(attributes(there)));
    if !keep {
        into.insert(name, item);
    }
}

/// Does it derive `Deserialize`?
fn is_read(attributes: &[Attribute]) -> bool {
    derives(attributes, "Deserialize")
}

/// Does it derive this?
pub fn derives(attributes: &[Attribute], name: &str) -> bool {
    let mut found = false;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        // What cannot be read is the compiler's to complain about.
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.segments.last().is_some_and(|last| last.ident == name);
            Ok(())
        });
    }
    found
}

/// What an attribute `#[serde(name = "value")]` or `#[serde(name)]` says; none if it is not there.
pub fn serde(attributes: &[Attribute], name: &str) -> Option<Option<String>> {
    let mut found = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let _ = attribute.parse_nested_meta(|meta| {
            let value = match meta.value() {
                Ok(value) => Some(value.parse::<syn::LitStr>()?.value()),
                Err(_) => None,
            };
            if meta.path.is_ident(name) {
                found = Some(value);
            }
            Ok(())
        });
    }
    found
}

/// The text of doc comments, paragraphs apart, links without their brackets.
pub fn docs(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        let Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(line), .. }) = &pair.value else { continue };
        if pair.path.is_ident("doc") {
            let line = line.value();
            match line.trim() {
                "" => text.push_str("\n\n"),
                line => {
                    if !(text.is_empty() || text.ends_with('\n')) {
                        text.push(' ');
                    }
                    text.push_str(line);
                }
            }
        }
    }
    text.replace("[`", "`").replace("`]", "`").trim().to_owned()
}

/// The last word of a type's path: `PathBuf` of `std::path::PathBuf`.
pub fn last_word(of: &Type) -> Option<String> {
    match of {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    }
}

/// The struct of a section; `()` is one without options.
fn section(of: &Type) -> Option<String> {
    match of {
        Type::Tuple(tuple) if tuple.elems.is_empty() => Some("()".into()),
        of => last_word(of),
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(Error::file(path))? {
        let path = entry.map_err(Error::file(path))?.path();
        if path.is_dir() || path.extension().is_some_and(|ending| ending == "rs") {
            collect(&path, files)?;
        }
    }
    Ok(())
}
