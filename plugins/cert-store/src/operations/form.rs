//! What is suggested and said while somebody fills in the form of `certs create`: the very rules that `create` goes by.

use std::path::Path;

use dovetail_sdk::operations::{FieldValue, Form, Remark, Values};

use super::create;
use crate::create::{possible, CreateError, San, Subject, MAX_DAYS};
use crate::folder::PairFiles;
use crate::key::KeyType;
use crate::name::CertName;

/// What an empty answer means.
pub fn suggest(form: &Form) -> Option<String> {
    match (form.operation.as_str(), form.field.as_str()) {
        ("create", "common-name") => San::parse(&form.hostname).ok().map(|_| form.hostname.clone()),
        ("create", "name") => {
            let request = create::request(&form.values, None).ok()?;
            Some(request.pair_name().ok()?.to_string())
        }
        _ => None,
    }
}

/// What is to be said about an answer, or about all of them.
pub fn check(form: &Form) -> Vec<Remark> {
    if form.operation != "create" {
        return Vec::new();
    }
    let (field, values) = (form.field.as_str(), form.values.as_slice());
    // Of a field with several answers the last is the new one.
    let text = values.texts(field).last().copied().unwrap_or_default();
    let said = Some(text.to_owned());
    let subject = match field {
        "" => return whole(values),
        "type" => {
            let is_ed25519 = text.parse::<KeyType>().is_ok_and(|kind| kind == KeyType::Ed25519);
            return if is_ed25519 { vec![Remark::note(field, create::ED25519_WARNING)] } else { Vec::new() };
        }
        "san" => return refusal(field, San::parse(text).map(drop)),
        "days" if text.parse().is_ok_and(|days| possible(days).is_ok()) => return Vec::new(),
        "days" => return vec![Remark::refuse(field, format!("1 to {MAX_DAYS} days are possible"))],
        "name" => return name(values, text),
        "common-name" => {
            // A host name may have any length: see `Holder::complete`.
            if San::parse(text).is_ok_and(|san| san.host().is_some()) {
                return Vec::new();
            }
            let remarks = refusal(field, Subject { common_name: said, ..Subject::default() }.check());
            if remarks.is_empty() {
                return vec![Remark::note(field, "that isn't a host name: give the server's as a further name")];
            }
            return remarks;
        }
        "organization" => Subject { organization: said, ..Subject::default() },
        "unit" => Subject { units: values.texts(field).into_iter().map(str::to_owned).collect(), ..Subject::default() },
        "locality" => Subject { locality: said, ..Subject::default() },
        "state" => Subject { state: said, ..Subject::default() },
        "country" => Subject { country: said, ..Subject::default() },
        "email" => Subject { email: said, ..Subject::default() },
        _ => return Vec::new(),
    };
    refusal(field, subject.check())
}

fn refusal(field: &str, outcome: Result<(), CreateError>) -> Vec<Remark> {
    outcome.err().map(|error| Remark::refuse(field, error)).into_iter().collect()
}

/// A name must be usable, and free where somebody can look: the server's own folder is looked at when it is called.
fn name(values: &[FieldValue], text: &str) -> Vec<Remark> {
    let name = match CertName::new(text) {
        Ok(name) => name,
        Err(error) => return vec![Remark::refuse("name", error)],
    };
    let dir = values.text("dir").filter(|_| !values.flag("replace") && !values.flag("add"));
    let is_taken = dir.is_some_and(|dir| {
        let files = PairFiles::of(Path::new(dir), &name);
        [files.key, files.crt, files.csr].iter().any(|path| path.exists())
    });
    match is_taken {
        true => {
            vec![Remark::refuse("name", format!("There is a certificate \"{name}\" already: choose another name."))]
        }
        false => Vec::new(),
    }
}

/// All answers together.
fn whole(values: &[FieldValue]) -> Vec<Remark> {
    let outcome = create::request(values, None).map_err(|failure| ("", failure.message)).and_then(|request| {
        request.check().map_err(|error| {
            let field = match error {
                CreateError::NoName | CreateError::NoHostName => "common-name",
                CreateError::TooManyNames => "san",
                CreateError::TooManyUnits => "unit",
                CreateError::Days { .. } => "days",
                CreateError::Name(_) => "name",
                _ => "",
            };
            (field, error.to_string())
        })
    });
    outcome.err().map(|(field, text)| Remark::refuse(field, text)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, text: &str) -> FieldValue {
        FieldValue { name: name.to_owned(), text: text.to_owned(), bytes: None }
    }

    fn form(field: &str, values: &[(&str, &str)]) -> Form {
        Form {
            operation: "create".to_owned(),
            field: field.to_owned(),
            values: values.iter().map(|(name, text)| value(name, text)).collect(),
            hostname: "mail.example.org".to_owned(),
        }
    }

    #[test]
    fn names_are_suggested() {
        assert_eq!(suggest(&form("common-name", &[])).as_deref(), Some("mail.example.org"));
        assert_eq!(suggest(&form("name", &[("common-name", "*.x.example")])).as_deref(), Some("_.x.example"));
        assert_eq!(suggest(&form("name", &[("san", "y.example")])).as_deref(), Some("y.example"));
        assert_eq!(suggest(&form("name", &[])), None);
        assert_eq!(suggest(&form("organization", &[])), None);
        assert_eq!(suggest(&Form { hostname: String::new(), ..form("common-name", &[]) }), None);
    }

    #[test]
    fn each_answer_is_judged_by_the_rules_of_create() {
        let long = "x".repeat(65);
        for (field, text, part) in [
            ("san", "a b", "a b"),
            ("organization", long.as_str(), "64"),
            ("unit", long.as_str(), "64"),
            ("locality", &"x".repeat(129), "128"),
            ("state", &"x".repeat(129), "128"),
            ("country", "Germany", "two letters"),
            ("email", "nobody", "mail address"),
            ("days", "0", "7300"),
            ("days", "-5", "7300"),
            ("days", "99999999999", "7300"),
            ("name", "../x", "can't name"),
            ("common-name", long.as_str(), "64"),
        ] {
            let remarks = check(&form(field, &[(field, text)]));
            assert!(remarks.len() == 1 && remarks[0].refused, "{field} {text}: {remarks:?}");
            assert!(remarks[0].field == field && remarks[0].text.contains(part), "{remarks:?}");
        }
        for (field, text) in [
            ("type", "rsa-4096"),
            ("common-name", "mail.example.org"),
            ("common-name", &format!("{}.example.org", "x".repeat(60))),
            ("san", "192.0.2.1"),
            ("organization", "Example"),
            ("unit", "Mail"),
            ("locality", "Köln"),
            ("state", "NRW"),
            ("country", "de"),
            ("email", "a@example.org"),
            ("days", "30"),
            ("name", "mail"),
        ] {
            assert_eq!(check(&form(field, &[(field, text)])), [], "{field} {text}");
        }
        let units = [("unit", "a"), ("unit", "b"), ("unit", "c")];
        assert!(check(&form("unit", &units))[0].text.contains("two"));
    }

    #[test]
    fn what_is_possible_and_still_worth_knowing_is_noted() {
        let note = |field, text| check(&form(field, &[(field, text)])).remove(0);
        let ed25519 = note("type", "ed25519");
        assert!(!ed25519.refused && ed25519.text.contains("NSS"));
        let person = note("common-name", "Jane Doe");
        assert!(!person.refused && person.text.contains("further name"));
    }

    #[test]
    fn a_name_in_use_and_a_certificate_without_names_are_found_before_the_end() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("mail.crt"), "x").unwrap();
        let dir = dir.path().to_str().unwrap();
        let taken = check(&form("name", &[("dir", dir), ("name", "mail")]));
        assert!(taken[0].refused && taken[0].text.contains("already"));
        assert_eq!(check(&form("name", &[("dir", dir), ("replace", "true"), ("name", "mail")])), []);
        assert_eq!(check(&form("name", &[("dir", dir), ("name", "other")])), []);

        for values in [vec![], vec![("common-name", "Jane Doe")]] {
            assert_eq!(check(&form("", &values))[0].field, "common-name", "{values:?}");
        }
        assert_eq!(check(&form("", &[("common-name", "Jane Doe"), ("san", "x.example")])), []);
    }
}
