//! The files that a configuration of Dovecot or Postfix names as certificates and keys.
//!
//! Dovecot's `ssl_cert = </path` (2.3), `ssl_server_cert_file = /path` (2.4) and their like, in any block; Postfix's
//! `smtpd_tls_cert_file`, `smtpd_tls_chain_files` and their like in `main.cf`, with `$name` of the same file. Whatever isn't
//! understood is passed over: a folder that is named is looked through in any case. Bound: [`MAX_NAMED`] files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Source;

/// The most files that one configuration names.
const MAX_NAMED: usize = 64;
/// So often one variable may lead to the next.
const MAX_DEPTH: usize = 8;

const DOVECOT: [&str; 8] = [
    "ssl_cert",
    "ssl_key",
    "ssl_alt_cert",
    "ssl_alt_key",
    "ssl_server_cert_file",
    "ssl_server_key_file",
    "ssl_server_alt_cert_file",
    "ssl_server_alt_key_file",
];
const POSTFIX: [&str; 5] = [
    "smtpd_tls_cert_file",
    "smtpd_tls_key_file",
    "smtpd_tls_eccert_file",
    "smtpd_tls_eckey_file",
    "smtpd_tls_chain_files",
];

/// The files that all configurations among `sources` name, absolute.
pub fn named_files(sources: &[Source]) -> Vec<PathBuf> {
    let mut named: Vec<PathBuf> = sources.iter().flat_map(named_by).collect();
    named.sort();
    named.dedup();
    named.truncate(MAX_NAMED);
    named
}

/// Whether a file is a configuration by its name: it holds neither certificate nor key.
pub fn is_config(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    [".conf", ".cf", ".ext"].iter().any(|ending| name.ends_with(ending))
}

/// The files that one configuration names.
pub(super) fn named_by(source: &Source) -> Vec<PathBuf> {
    if !is_config(&source.path) {
        return Vec::new();
    }
    let Ok(text) = std::str::from_utf8(&source.bytes) else {
        return Vec::new();
    };
    let folder = source.path.parent().unwrap_or(Path::new("/"));
    let postfix = source.path.extension().is_some_and(|ending| ending == "cf");
    let named = match postfix {
        true => of_postfix(text, folder),
        false => of_dovecot(text),
    };
    // Of a path in a configuration nobody can say where it starts, but that it isn't where we run.
    named.into_iter().map(|path| folder.join(path)).collect()
}

fn of_dovecot(text: &str) -> Vec<String> {
    let settings = text.lines().filter_map(|line| {
        // A setting may stand behind the opening brace of its block.
        let line = line.rsplit_once('{').map_or(line, |(_, inner)| inner);
        let (key, value) = line.split('#').next()?.split_once('=')?;
        let value = value.trim().trim_end_matches('}').trim_start_matches('<').trim().trim_matches('"');
        (DOVECOT.contains(&key.trim()) && !value.is_empty()).then(|| value.to_owned())
    });
    settings.take(MAX_NAMED).collect()
}

fn of_postfix(text: &str, folder: &Path) -> Vec<String> {
    let mut settings: BTreeMap<String, String> = BTreeMap::new();
    settings.insert("config_directory".to_owned(), folder.display().to_string());
    let mut last: Option<String> = None;
    for line in text.lines() {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        // A line that begins with white space goes on with the one before (postconf(5)).
        if line.starts_with([' ', '\t']) {
            if let Some(value) = last.as_ref().and_then(|key| settings.get_mut(key)) {
                value.push(' ');
                value.push_str(line.trim());
            }
            continue;
        }
        last = line.split_once('=').map(|(key, value)| {
            settings.insert(key.trim().to_owned(), value.trim().to_owned());
            key.trim().to_owned()
        });
    }
    let values = POSTFIX.iter().filter_map(|key| settings.get(*key));
    let mut named = Vec::new();
    for value in values {
        let words = value.split([',', ' ', '\t']).filter(|word| !word.is_empty() && *word != "none");
        named.extend(words.filter_map(|word| expand(word, &settings, 0)));
    }
    named
}

/// Replaces `$name`, `${name}` and `$(name)`; `None` for what isn't set in this file.
fn expand(word: &str, settings: &BTreeMap<String, String>, depth: usize) -> Option<String> {
    let Some((before, after)) = word.split_once('$') else {
        return Some(word.to_owned());
    };
    if depth == MAX_DEPTH {
        return None;
    }
    let (name, rest) = match after.chars().next()? {
        '{' => after.get(1..)?.split_once('}')?,
        '(' => after.get(1..)?.split_once(')')?,
        _ => {
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
            after.split_at(end)
        }
    };
    let value = expand(settings.get(name)?, settings, depth + 1)?;
    Some(format!("{before}{value}{}", expand(rest, settings, depth + 1)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(path: &str, text: &str) -> Vec<String> {
        let source = Source { path: path.into(), bytes: text.as_bytes().to_vec().into() };
        named_files(&[source]).iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn dovecots_settings_of_every_age_and_block() {
        let text = "ssl = required\n# ssl_cert = </no\nssl_cert = </etc/ssl/a.pem # ours\nssl_key=<private/a.key\n\
                    ssl_server_cert_file = \"/etc/ssl/b.pem\"\nlocal_name x { ssl_cert = </etc/ssl/c.pem }\n\
                    ssl_ca = </etc/ssl/ca.pem\n";
        let expected = ["/etc/dovecot/private/a.key", "/etc/ssl/a.pem", "/etc/ssl/b.pem", "/etc/ssl/c.pem"];
        assert_eq!(named("/etc/dovecot/dovecot.conf", text), expected);
    }

    #[test]
    fn postfixs_settings_with_variables_and_continued_lines() {
        let text = "base = /etc/ssl\nsmtpd_tls_cert_file = ${base}/a.crt\nsmtpd_tls_key_file=$config_directory/a.key\n\
                    smtpd_tls_eccert_file = none\nsmtpd_tls_chain_files =\n    $(base)/rsa.pem,\n  # between\n\t/etc/ec.pem\n\
                    smtpd_tls_eckey_file = $unknown/x\nsmtp_tls_cert_file = /not/ours\nloop = $loop\n";
        let expected = ["/etc/ec.pem", "/etc/postfix/a.key", "/etc/ssl/a.crt", "/etc/ssl/rsa.pem"];
        assert_eq!(named("/etc/postfix/main.cf", text), expected);
        assert_eq!(named("/etc/postfix/main.cf", "a = $b\nb = $a\nsmtpd_tls_cert_file = $a"), [""; 0]);
    }

    #[test]
    fn other_files_name_nothing() {
        assert_eq!(named("/etc/ssl/a.pem", "ssl_cert = </x"), [""; 0]);
    }

    proptest! {
        #[test]
        fn no_configuration_can_break_it(text in "[a-z_$={}()<#, \n\t/]{0,200}", postfix: bool) {
            let head = "smtpd_tls_cert_file = ";
            let path = if postfix { "/e/main.cf" } else { "/e/dovecot.conf" };
            let text = format!("{head}{text}");
            prop_assert!(named(path, &text).len() <= MAX_NAMED);
        }
    }
}
