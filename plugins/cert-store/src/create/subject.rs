//! Who a certificate is for: the fields of the form, checked, and as the distinguished name that goes into the file.
//!
//! Bounds are X.520's: 64 characters for most fields, 128 for places, 2 letters for the country.

use rcgen::string::{Ia5String, PrintableString};
use rcgen::{DistinguishedName, DnType, DnValue};

use super::CreateError;

/// The most characters of a common name.
pub(super) const MAX_COMMON_NAME: usize = 64;

/// The subject's fields. All may be empty; for the common name [`super::Holder::complete`] finds a value if there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// CN: the server's host name, usually.
    pub common_name: Option<String>,
    /// O: the organization.
    pub organization: Option<String>,
    /// OU: its units, two at most.
    pub units: Vec<String>,
    /// L: the town.
    pub locality: Option<String>,
    /// ST: the state or province.
    pub state: Option<String>,
    /// C: the country, two letters.
    pub country: Option<String>,
    /// A mail address, as the `emailAddress` attribute.
    pub email: Option<String>,
}

impl Subject {
    /// Checks every field.
    pub fn check(&self) -> Result<(), CreateError> {
        self.to_name().map(drop)
    }

    /// The distinguished name, in the usual order.
    pub(super) fn to_name(&self) -> Result<DistinguishedName, CreateError> {
        let mut name = DistinguishedName::new();
        if let Some(country) = text("country (C)", &self.country, 2)? {
            name.push(DnType::CountryName, country_value(country)?);
        }
        for (field, value, limit, kind) in [
            ("state (ST)", &self.state, 128, DnType::StateOrProvinceName),
            ("town (L)", &self.locality, 128, DnType::LocalityName),
            ("organization (O)", &self.organization, 64, DnType::OrganizationName),
        ] {
            if let Some(value) = text(field, value, limit)? {
                name.push(kind, value);
            }
        }
        // A distinguished name of rcgen is a map: a second unit under the same key would replace the first, so it
        // goes in under the attribute's number.
        let kinds = [DnType::OrganizationalUnitName, DnType::CustomDnType(vec![2, 5, 4, 11])];
        if self.units.len() > kinds.len() {
            return Err(CreateError::TooManyUnits);
        }
        for (kind, unit) in kinds.into_iter().zip(&self.units) {
            if let Some(unit) = text("unit (OU)", &Some(unit.clone()), 64)? {
                name.push(kind, unit);
            }
        }
        if let Some(common_name) = text("common name (CN)", &self.common_name, MAX_COMMON_NAME)? {
            name.push(DnType::CommonName, common_name);
        }
        if let Some(email) = text("email", &self.email, 255)? {
            let address = super::san::email(&email).map_err(|_| bad("email", &email, "it isn't a mail address"))?;
            let value = Ia5String::try_from(address)
                .map_err(|_| bad("email", &email, "only ASCII characters can stand in it"))?;
            name.push(DnType::CustomDnType(EMAIL_ADDRESS.to_vec()), DnValue::Ia5String(value));
        }
        Ok(name)
    }
}

fn country_value(country: String) -> Result<DnValue, CreateError> {
    let letters = country.len() == 2 && country.bytes().all(|b| b.is_ascii_alphabetic());
    // RFC 5280 appendix A.1: the country is a PrintableString, and OpenSSL's CA refuses anything else.
    PrintableString::try_from(country.to_ascii_uppercase())
        .ok()
        .filter(|_| letters)
        .map(DnValue::PrintableString)
        .ok_or_else(|| bad("country (C)", &country, "it is two letters, as in DE or US"))
}

/// A field's text, trimmed; `None` if nothing is left.
fn text(field: &'static str, value: &Option<String>, limit: usize) -> Result<Option<String>, CreateError> {
    let Some(value) = value.as_deref().map(str::trim).filter(|v| !v.is_empty()) else {
        return Ok(None);
    };
    if value.chars().count() > limit {
        return Err(bad(
            field,
            value,
            match limit {
                2 => "it is two letters, as in DE or US",
                64 => "it is longer than 64 characters",
                128 => "it is longer than 128 characters",
                _ => "it is too long",
            },
        ));
    }
    if value.chars().any(char::is_control) {
        return Err(bad(field, value, "it has control characters in it"));
    }
    Ok(Some(value.to_owned()))
}

fn bad(field: &'static str, value: &str, reason: &'static str) -> CreateError {
    CreateError::Field { field, value: value.chars().take(80).collect(), reason }
}

const EMAIL_ADDRESS: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 1];

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(subject: Subject) -> String {
        subject.to_name().unwrap_err().to_string()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn says_which_field_is_wrong_and_why() {
        for (subject, part) in [
            (Subject { country: some("DEU"), ..Subject::default() }, "two letters"),
            (Subject { country: some("D1"), ..Subject::default() }, "two letters"),
            (Subject { organization: some(&"x".repeat(65)), ..Subject::default() }, "64"),
            (Subject { locality: some("a\nb"), ..Subject::default() }, "control"),
            (Subject { email: some("nobody"), ..Subject::default() }, "email \"nobody\": it isn't a mail address"),
            (Subject { units: vec!["a".into(); 3], ..Subject::default() }, "two"),
        ] {
            let said = refused(subject);
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn blank_fields_are_left_out() {
        let subject = Subject { organization: some("  "), common_name: some(" x "), ..Subject::default() };
        let name = subject.to_name().unwrap();
        assert_eq!(name.iter().count(), 1);
        assert_eq!(name.get(&DnType::CommonName), Some(&DnValue::Utf8String("x".into())));
    }
}
