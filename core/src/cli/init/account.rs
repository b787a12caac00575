//! The first account and its password.

use crate::cli::child::Child;
use std::io::Read;

/// A password is at most this long.
const MAX_PASSWORD: u64 = 1024;
/// Letters and digits that nobody takes for one another: 32 of them, so that a byte gives each with the same chance.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Groups of five: 100 bits.
const GROUPS: usize = 4;

/// The first account.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its address.
    pub address: String,
    /// Whether it was made now.
    pub made: bool,
    /// The password that was made up for it.
    pub password: Option<String>,
    /// Whether a password was given, and not set since the account was there.
    pub unused_password: bool,
}

/// Reads a password from standard input; a final line end is not part of it.
///
/// # Errors
/// If there is none, or no end.
pub fn read_password() -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MAX_PASSWORD + 3).read_to_end(&mut bytes);
    read.map_err(|error| format!("the password cannot be read from standard input: {error}"))?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    match bytes.len() as u64 {
        0 => Err("there is no password on standard input".into()),
        1..=MAX_PASSWORD => Ok(bytes),
        _ => Err(format!("the password on standard input is longer than {MAX_PASSWORD} bytes")),
    }
}

/// Makes the account, with the given password or a random one, unless it is there. Then a given password is not set: whether it
/// is the account's nobody can tell here, and with the same words a second time nothing shall change.
///
/// # Errors
/// What `dovetail accounts` says.
pub fn make(child: &Child, address: &str, given: Option<Vec<u8>>) -> Result<Account, String> {
    let list = child.json(&["accounts", "list"], None)?;
    let there = list["accounts"].as_array().is_some_and(|all| all.iter().any(|one| one["address"] == address));
    if there {
        return Ok(Account { address: address.to_owned(), unused_password: given.is_some(), ..Account::default() });
    }
    let password = if given.is_none() { Some(random_password()?) } else { None };
    let bytes = given.as_deref().or(password.as_deref().map(str::as_bytes)).unwrap_or_default();
    child.run(&["accounts", "add", "--password-file", "-", "--", address], Some(bytes))?;
    Ok(Account { address: address.to_owned(), made: true, password, unused_password: false })
}

fn random_password() -> Result<String, String> {
    let mut random = [0; 5 * GROUPS];
    getrandom::fill(&mut random).map_err(|error| format!("no random numbers can be had: {error}"))?;
    let letters: Vec<char> = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    Ok(letters.chunks(5).map(String::from_iter).collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_passwords_differ_and_can_be_typed() {
        let (one, two) = (random_password().unwrap(), random_password().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), 23);
        assert!(one.bytes().all(|b| b == b'-' || ALPHABET.contains(&b)), "{one}");
    }
}
