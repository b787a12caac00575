//! What a pair is called: the stem of its three files, `NAME.key`, `NAME.crt`, `NAME.csr`.
//!
//! A name never leaves the folder and never hides: letters, digits, `.`, `_`, `-`, `+`, `@`, not beginning with a
//! dot or a hyphen, at most [`MAX_NAME`] bytes. `further.rs` says how one identity has several pairs.

/// The longest name, so that a staged file's name still fits the file system's 255 bytes.
pub const MAX_NAME: usize = 128;

/// A checked certificate name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertName(String);

impl CertName {
    /// Takes a name that a user or a configuration gave.
    pub fn new(name: &str) -> Result<Self, NameError> {
        let reason = if name.is_empty() {
            "it is empty"
        } else if name.len() > MAX_NAME {
            "it is longer than 128 bytes"
        } else if name.starts_with(['.', '-']) {
            "it begins with a dot or a hyphen"
        } else if !name.chars().all(allowed) {
            "only letters, digits and . _ - + @ may be in it"
        } else {
            return Ok(Self(name.to_owned()));
        };
        Err(NameError::Unusable { name: name.chars().take(MAX_NAME).collect(), reason })
    }

    /// Derives a name from a certificate's file name: its stem, with what a name can't hold replaced.
    pub fn from_file_name(file: &str) -> Result<Self, NameError> {
        let base = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let lower = base.to_ascii_lowercase();
        let stem = EXTENSIONS
            .iter()
            .find(|ext| lower.ends_with(*ext) && lower.len() > ext.len())
            .map_or(base, |ext| &base[..base.len() - ext.len()]);
        Self::from_text(stem).map_err(|_| NameError::Underivable { file: base.chars().take(MAX_NAME).collect() })
    }

    /// Derives a name from a text such as a common name: `*.example.org` becomes `_.example.org`.
    pub fn from_text(text: &str) -> Result<Self, NameError> {
        let name: String = text
            .trim()
            .chars()
            .map(|c| match c {
                '*' => '_',
                c if allowed(c) => c,
                _ => '-',
            })
            .collect();
        Self::new(name.trim_start_matches(['.', '-']))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for CertName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a name can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// Not a name for a pair.
    #[error("\"{name}\" can't name a certificate: {reason}")]
    Unusable {
        /// What was given.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Nothing usable in the file's name.
    #[error("the file name \"{file}\" gives no usable certificate name: give one with --name")]
    Underivable {
        /// The file's name.
        file: String,
    },
}

fn allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '@')
}

/// What ends a certificate's file name, not its pair's name.
const EXTENSIONS: [&str; 9] = [".crt", ".cer", ".pem", ".der", ".cert", ".pfx", ".p12", ".p7b", ".p7c"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_the_folder() {
        for bad in ["", ".", "..", "../x", "a/b", ".hidden", "-x", "a b", "a\0", "ä"] {
            assert!(CertName::new(bad).is_err(), "{bad:?} was accepted");
        }
        assert!(CertName::new(&"x".repeat(MAX_NAME + 1)).is_err());
        for good in ["mail", "mail.example.org", "_.example.org", "a+b@c"] {
            assert_eq!(CertName::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn a_name_comes_from_the_certificates_file() {
        for (file, name) in [
            ("mail.example.org.crt", "mail.example.org"),
            ("/a/b/mail.CER", "mail"),
            ("C:\\certs\\my mail.pem", "my-mail"),
            ("fullchain.pem", "fullchain"),
            ("mail.example.org", "mail.example.org"),
            ("mail.p7b", "mail"),
        ] {
            assert_eq!(CertName::from_file_name(file).unwrap().as_str(), name);
        }
        assert!(CertName::from_file_name("...").is_err());
        assert_eq!(CertName::from_text("*.example.org").unwrap().as_str(), "_.example.org");
    }
}
