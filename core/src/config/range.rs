//! The ranges of options: what is beyond them is a mistake of the operator, and nothing that later sums could overflow on.

use super::{document::Piece, faults::Faults, model::LoginBlocking, report::Problems};
use crate::plugin::account::MAX_FAULTS;

/// No time is longer than a year.
const MAX_SECONDS: u64 = 365 * 24 * 60 * 60;
/// A failed login is answered after at most an hour.
const MAX_DELAY: u64 = 60 * 60 * 1000;
/// So many addresses a listener binds, and so many directories are searched, at most.
const MAX_LIST: usize = 100;

/// Complains about a time that is too long.
pub fn seconds(what: &str, value: u64, piece: &Piece, problems: &mut Problems) {
    if value > MAX_SECONDS {
        let message = format!("{what} is {value}; {MAX_SECONDS} (365 days) is the limit");
        problems.0.push(piece.diagnostic(message, "give a shorter time, in seconds"));
    }
}

/// Complains about a list that is too long.
pub fn count(what: &str, found: usize, piece: &Piece, problems: &mut Problems) {
    if found > MAX_LIST {
        let message = format!("{what} has {found} entries; {MAX_LIST} is the limit");
        problems.0.push(piece.diagnostic(message, "remove some"));
    }
}

/// Checks the times of `login_blocking`.
pub fn login_blocking(blocking: &LoginBlocking, piece: &Piece, problems: &mut Problems) {
    seconds("`login_blocking`: `window_seconds`", blocking.window_seconds, piece, problems);
    seconds("`login_blocking`: `block_seconds`", blocking.block_seconds, piece, problems);
    let delay = blocking.delay_milliseconds;
    if delay > MAX_DELAY {
        let message = format!("`login_blocking`: `delay_milliseconds` is {delay}; {MAX_DELAY} (1 hour) is the limit");
        problems.0.push(piece.diagnostic(message, "give a shorter time, in milliseconds"));
    }
}

/// Checks the numbers of `faults`.
pub fn faults(faults: &Faults, piece: &Piece, problems: &mut Problems) {
    let times = [
        ("window_seconds", faults.window_seconds),
        ("backoff_seconds", faults.backoff_seconds),
        ("max_backoff_seconds", faults.max_backoff_seconds),
    ];
    for (name, value) in times {
        seconds(&format!("`faults`: `{name}`"), value, piece, problems);
        if value == 0 {
            problems.0.push(piece.diagnostic(format!("`faults`: `{name}` is 0"), "leave it out, or give at least 1"));
        }
    }
    let count = faults.count;
    if count as usize > MAX_FAULTS {
        let message = format!("`faults`: `count` is {count}; {MAX_FAULTS} is the limit");
        problems.0.push(piece.diagnostic(message, "give a smaller number; 0 turns quarantine off"));
    }
    if faults.max_backoff_seconds < faults.backoff_seconds {
        problems.0.push(piece.diagnostic(
            "`faults`: `max_backoff_seconds` is less than `backoff_seconds`",
            "give at least as many seconds",
        ));
    }
}

/// Whether this is a domain name (RFC 1035 section 2.3.1, RFC 1123 section 2.1); complains if not.
pub fn hostname(name: &str, piece: &Piece, problems: &mut Problems) -> bool {
    if is_hostname(name) {
        return true;
    }
    let help =
        "use letters, digits, `-` and `.`, at most 253, such as mail.example.org; write other letters as xn--...";
    problems.0.push(piece.diagnostic(format!("`hostname` {name:?} is no domain name"), help));
    false
}

/// Whether this is a domain name.
pub fn is_hostname(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    // An address is no name.
    let last_is_number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    name.len() <= 253 && name.split('.').all(is_label) && !last_is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_domain_names() {
        let longest = [&"a".repeat(63); 4].map(String::as_str).join(".")[..253].to_owned();
        for good in ["localhost", "h", "mail.example.org", "xn--bcher-kva.example", "1.example", &longest] {
            assert!(is_hostname(good), "{good}");
        }
        let long = format!("{longest}a");
        for bad in
            ["", ".", "a..b", "a.", "-a.example", "a-.example", "a b", "a\r\nb", "a_b", "ü.example", "127.0.0.1", &long]
        {
            assert!(!is_hostname(bad), "{bad:?}");
        }
    }
}
