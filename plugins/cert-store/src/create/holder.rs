//! Who a certificate is for: its subject and its alternative names, as somebody said them, or as an older certificate does.

use x509_parser::der_parser::asn1_rs::FromDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::X509Certificate;

use super::san::{self, San, MAX_SANS};
use super::subject::MAX_COMMON_NAME;
use super::{CreateError, Subject};
use crate::certificate::Certificate;

/// Subject and alternative names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// The subject.
    pub subject: Subject,
    /// Further names. A common name that is a host name is added by itself.
    pub sans: Vec<San>,
}

impl Holder {
    /// The holder of a certificate, and what of it has no place here and is left out.
    pub fn of(certificate: &Certificate) -> (Self, Vec<String>) {
        let (mut holder, mut left_out) = (Self::default(), Vec::new());
        // It has been parsed before.
        if let Ok((_, parsed)) = X509Certificate::from_der(&certificate.der) {
            holder.take_subject(&parsed, &mut left_out);
            holder.take_names(&parsed, &mut left_out);
        }
        (holder, left_out)
    }

    fn take_subject(&mut self, parsed: &X509Certificate<'_>, left_out: &mut Vec<String>) {
        let subject = &mut self.subject;
        for attribute in parsed.subject().iter_attributes() {
            let oid = attribute.attr_type().to_id_string();
            let Ok(text) = attribute.as_str().map(str::to_owned) else {
                left_out.push(format!("the subject's field {oid}, in an encoding that isn't in use any more"));
                continue;
            };
            let field = match oid.as_str() {
                "2.5.4.3" => &mut subject.common_name,
                "2.5.4.6" => &mut subject.country,
                "2.5.4.7" => &mut subject.locality,
                "2.5.4.8" => &mut subject.state,
                "2.5.4.10" => &mut subject.organization,
                "1.2.840.113549.1.9.1" => &mut subject.email,
                "2.5.4.11" if subject.units.len() < 2 => {
                    subject.units.push(text);
                    continue;
                }
                _ => {
                    left_out.push(format!("the subject's field {oid}, \"{text}\""));
                    continue;
                }
            };
            match field {
                Some(_) => left_out.push(format!("the subject's second field {oid}, \"{text}\"")),
                None => *field = Some(text),
            }
        }
    }

    fn take_names(&mut self, parsed: &X509Certificate<'_>, left_out: &mut Vec<String>) {
        let Ok(Some(extension)) = parsed.subject_alternative_name() else {
            return;
        };
        for name in &extension.value.general_names {
            let taken = match name {
                GeneralName::DNSName(name) => san::dns(&name.to_ascii_lowercase()).ok().map(San::Dns),
                GeneralName::RFC822Name(address) => san::email(address).ok().map(San::Email),
                GeneralName::IPAddress(bytes) => match (<[u8; 4]>::try_from(*bytes), <[u8; 16]>::try_from(*bytes)) {
                    (Ok(four), _) => Some(San::Ip(four.into())),
                    (_, Ok(sixteen)) => Some(San::Ip(sixteen.into())),
                    _ => None,
                },
                _ => None,
            };
            match taken {
                Some(name) if self.sans.len() < MAX_SANS => self.sans.push(name),
                _ => left_out.push(format!("the alternative name {name}")),
            }
        }
    }

    /// The first of the alternative names that is a host's.
    pub fn host(&self) -> Option<String> {
        self.sans.iter().find_map(San::host)
    }

    /// The holder with its common name and its alternative names filled in from each other, and everything checked. There
    /// is no common name if no name is short enough for one: the subject may be empty then, and what counts are the
    /// alternative names (RFC 5280 section 4.2.1.6).
    pub fn complete(&self) -> Result<Self, CreateError> {
        let mut this = self.clone();
        let given = this.subject.common_name.as_deref().map(str::trim).unwrap_or_default();
        let host = San::parse(given).ok().filter(|san| !matches!(san, San::Email(_)));
        this.subject.common_name = match (given, &host) {
            // An international host name goes into the common name as punycode, too.
            (_, Some(San::Dns(name))) if fits(name) => Some(name.clone()),
            // A host name may be longer than what a subject has room for: then another one stands there, or none.
            ("", _) | (_, Some(San::Dns(_))) => this.sans.iter().filter_map(San::host).find(|name| fits(name)),
            (text, _) => Some(text.to_owned()),
        };
        // Clients have ignored the common name for years: without an alternative name nobody accepts the certificate.
        if let Some(host) = host {
            this.sans.insert(0, host);
        }
        let mut seen: Vec<San> = Vec::new();
        for san in this.sans {
            if !seen.contains(&san) {
                seen.push(san);
            }
        }
        this.sans = seen;
        if this.subject.common_name.is_none() && this.host().is_none() {
            return Err(CreateError::NoName);
        }
        if this.sans.is_empty() {
            return Err(CreateError::NoHostName);
        }
        if this.sans.len() > MAX_SANS {
            return Err(CreateError::TooManyNames);
        }
        // Fields that can't be written are found before a key has taken its time.
        this.subject.check()?;
        Ok(this)
    }
}

/// Whether a common name has room for it.
fn fits(name: &str) -> bool {
    name.chars().count() <= MAX_COMMON_NAME
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::openssl;

    fn read(der: &[u8]) -> (Holder, Vec<String>) {
        Holder::of(&Certificate::from_der(der).unwrap())
    }

    fn made(subject: &str, names: &str) -> Vec<u8> {
        let names = format!("subjectAltName={names}");
        let key = openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout"], b"");
        let args = ["req", "-x509", "-new", "-utf8", "-key", "/dev/stdin", "-outform", "DER", "-subj", subject];
        openssl(&[args.as_slice(), &["-addext", &names]].concat(), &key)
    }

    #[test]
    fn a_certificate_of_openssl_says_who_it_is_for() {
        let der = made(
            "/C=DE/ST=NRW/L=Köln/O=Müller/OU=Mail/OU=Second/CN=mail.example.org/emailAddress=a@example.org",
            "DNS:smtp.example.org,IP:192.0.2.1,IP:2001:db8::1,email:a@example.org",
        );
        let (holder, left_out) = read(&der);
        assert!(left_out.is_empty(), "{left_out:?}");
        let some = |text: &str| Some(text.to_owned());
        let subject = Subject {
            common_name: some("mail.example.org"),
            organization: some("Müller"),
            units: vec!["Mail".into(), "Second".into()],
            locality: some("Köln"),
            state: some("NRW"),
            country: some("DE"),
            email: some("a@example.org"),
        };
        assert_eq!(holder.subject, subject);
        let sans = ["smtp.example.org", "192.0.2.1", "2001:db8::1", "a@example.org"];
        assert_eq!(holder.sans, sans.map(|san| San::parse(san).unwrap()));
        assert_eq!(holder.complete().unwrap().sans.len(), 5);
    }

    #[test]
    fn what_has_no_place_is_told() {
        let der =
            made("/CN=a.example/CN=b.example/OU=1/OU=2/OU=3/serialNumber=7", "DNS:a.example,URI:imap://a.example");
        let (holder, left_out) = read(&der);
        assert_eq!(holder.subject.common_name.as_deref(), Some("a.example"));
        assert_eq!(holder.sans, [San::Dns("a.example".into())]);
        let said = left_out.join("; ");
        for part in ["b.example", "\"3\"", "2.5.4.5", "imap://a.example"] {
            assert!(said.contains(part), "{part} missing in {said}");
        }
    }
}
