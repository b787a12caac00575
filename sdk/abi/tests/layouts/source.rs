//! What the sources of this crate declare: the interfaces, and the numbers that an enum crosses as. A layout has only `u32`
//! for such an enum, so its numbers are read where they are written.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// A source file, without comments and tests.
pub struct Source {
    /// `tls_v1`, or the module's path.
    pub module: String,
    text: String,
}

/// All sources of this crate, by path.
pub fn all() -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    files.sort();
    files
        .iter()
        .map(|path| {
            let module = path.strip_prefix(&src).unwrap().with_extension("").display().to_string();
            let whole = std::fs::read_to_string(path).unwrap();
            let code = whole.split("#[cfg(test)]").next().unwrap_or_default();
            let text = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            Source { module, text }
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

impl Source {
    /// The ids of the interfaces that this file declares.
    pub fn interfaces(&self) -> Vec<String> {
        // The macro's own definition has no literal there.
        let heads = self.text.match_indices("pub interface ").filter_map(|(at, _)| self.text[at..].split('{').next());
        heads.filter_map(|head| Some(head.split_once("= \"")?.1.split_once('"')?.0.to_owned())).collect()
    }

    /// The enums that this file declares, each with its numbers, and its public constants: what a layout does not tell.
    pub fn numbers(&self) -> String {
        let mut text = String::new();
        for (at, _) in self.text.match_indices("pub enum ") {
            let Some((head, rest)) = self.text[at + "pub enum ".len()..].split_once('{') else { continue };
            let (Some((name, unknown)), Some((body, _))) = (head.split_once(": unknown "), rest.split_once('}')) else {
                continue;
            };
            if name.starts_with('$') {
                continue;
            }
            let _ = writeln!(text, "    enum {}, unknown numbers are {}", name.trim(), unknown.trim());
            for variant in body.split(',').map(words).filter(|variant| !variant.is_empty()) {
                let _ = writeln!(text, "        {variant}");
            }
        }
        // Those that are written out by hand.
        for (at, _) in self.text.match_indices("impl Wire for ") {
            let rest = &self.text[at + "impl Wire for ".len()..];
            let Some((name, body)) = rest.split_once(" {\n    type Abi = u32;") else { continue };
            let body = body.split_once("match self {").and_then(|(_, arms)| arms.split_once('}')).unwrap_or_default().0;
            if name.contains(['\n', '$']) {
                continue;
            }
            let _ = writeln!(text, "    enum {name}");
            for arm in body.split(',').map(words).filter(|arm| !arm.is_empty()) {
                let _ = writeln!(text, "        {}", arm.replace("=>", "="));
            }
        }
        for constant in self.constants() {
            let _ = writeln!(text, "    {constant}");
        }
        text
    }

    /// Public constants, and the file's own that say what a number means; lengths of its own are no part of the contract.
    fn constants(&self) -> Vec<String> {
        let mut constants = Vec::new();
        for (at, _) in self.text.match_indices("const ") {
            let line = self.text[..at].rsplit('\n').next().unwrap_or_default();
            let constant = self.text[at..].split(";\n").next().unwrap_or_default();
            let Some((head, _)) = constant.split_once(" = ") else { continue };
            let own = line.is_empty() && !head.ends_with(": usize");
            if (own || line.trim_start() == "pub ") && !head.contains(['{', '*']) {
                constants.push(words(constant));
            }
        }
        constants
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
