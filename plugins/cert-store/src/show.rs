//! What an administrator sees: the list of pairs, and everything about one.

use std::path::Path;

use serde::Serialize;
use time::format_description::well_known::Rfc3339;
use time::OffsetDateTime;

use crate::certificate::Certificate;
use crate::folder::{scan, FolderError, PairFiles};
use crate::further::KeyFamily;
use crate::identity::{Identity, PairError};
use crate::name::CertName;

/// One line of the list.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Row {
    /// The pair's name.
    pub name: String,
    /// Host names, addresses and mail addresses.
    pub names: Vec<String>,
    /// The key's kind.
    pub key: String,
    /// Who issued it; "self-signed" if it did itself.
    pub issuer: String,
    /// The last moment of validity.
    pub not_after: Option<String>,
    /// Whole days until then; negative if it has expired.
    pub days_left: Option<i64>,
    /// "valid", "expired", "not yet valid", or what is wrong with the pair.
    pub state: String,
}

/// Everything about one pair.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Details {
    /// The pair's name.
    pub name: String,
    /// Paths of the certificate, the key, and the request if there is one.
    pub files: Vec<String>,
    /// The key's kind.
    pub key: String,
    /// SHA-256 of the public key.
    pub key_sha256: String,
    /// "valid", "expired", "not yet valid".
    pub state: String,
    /// The certificates, leaf first.
    pub chain: Vec<Link>,
    /// The other pairs of the identity, if it is its name that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Further>,
}

/// Another pair of the same identity, with a key of another family.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum Further {
    /// It can be used.
    Good(Box<Details>),
    /// It can't.
    Broken {
        /// The pair's name.
        name: String,
        /// What is wrong with it.
        state: String,
    },
}

/// One certificate of a chain.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Link {
    /// Subject.
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// Serial number in hex.
    pub serial: String,
    /// Alternative names.
    pub names: Vec<String>,
    /// First moment of validity.
    pub not_before: String,
    /// Last moment of validity.
    pub not_after: String,
    /// The key's kind.
    pub key: String,
    /// What it is signed with.
    pub signature: String,
    /// SHA-256 of the certificate.
    pub sha256: String,
}

/// Every pair in the folder, by name; broken ones with what is wrong.
pub fn list(folder: &Path, now: OffsetDateTime) -> Result<Vec<Row>, FolderError> {
    let pairs = scan(folder)?;
    Ok(pairs.into_keys().map(|name| row(folder, &name, now)).collect())
}

/// Everything about the pair `name`, and about the further pairs of an identity of that name. `name` itself may be missing
/// where there are others.
pub fn show(folder: &Path, name: &CertName, now: OffsetDateTime) -> Result<Details, PairError> {
    let mut names = vec![name.clone()];
    if name.family().is_none() {
        names.extend(KeyFamily::ALL.into_iter().filter_map(|family| name.further(family).ok()));
        names.retain(|name| PairFiles::of(folder, name).crt.symlink_metadata().is_ok());
    }
    let (first, further) = names.split_first().map_or((name, [].as_slice()), |(first, further)| (first, further));
    let mut details = one(folder, first, now)?;
    details.further = further
        .iter()
        .map(|name| match one(folder, name, now) {
            Ok(details) => Further::Good(Box::new(details)),
            Err(error) => Further::Broken { name: name.to_string(), state: error.reason.to_string() },
        })
        .collect();
    Ok(details)
}

fn one(folder: &Path, name: &CertName, now: OffsetDateTime) -> Result<Details, PairError> {
    let (identity, _) = Identity::load(folder, name, now)?;
    let files = PairFiles::of(folder, name);
    let csr = files.csr.is_file().then_some(files.csr);
    Ok(Details {
        name: name.to_string(),
        files: [files.crt, files.key].into_iter().chain(csr).map(|path| path.display().to_string()).collect(),
        key: identity.key.kind().to_string(),
        key_sha256: identity.key.fingerprint().to_string(),
        state: state(identity.leaf(), now).to_owned(),
        chain: identity.chain.iter().map(link).collect(),
        further: Vec::new(),
    })
}

fn row(folder: &Path, name: &CertName, now: OffsetDateTime) -> Row {
    match Identity::load(folder, name, now) {
        Ok((identity, _)) => {
            let leaf = identity.leaf();
            Row {
                name: name.to_string(),
                names: leaf.alternative_names(),
                key: identity.key.kind().to_string(),
                issuer: issuer(leaf),
                not_after: Some(moment(leaf.not_after)),
                days_left: Some((leaf.not_after - now).whole_days()),
                state: state(leaf, now).to_owned(),
            }
        }
        Err(error) => Row {
            name: name.to_string(),
            names: Vec::new(),
            key: String::new(),
            issuer: String::new(),
            not_after: None,
            days_left: None,
            state: error.reason.to_string(),
        },
    }
}

/// A certificate as [`Details`] shows it.
pub fn link(certificate: &Certificate) -> Link {
    Link {
        subject: certificate.subject.clone(),
        issuer: certificate.issuer.clone(),
        serial: certificate.serial.clone(),
        names: certificate.alternative_names(),
        not_before: moment(certificate.not_before),
        not_after: moment(certificate.not_after),
        key: certificate.key_name.clone(),
        signature: certificate.signature_name.clone(),
        sha256: certificate.fingerprint.to_string(),
    }
}

/// Who issued a certificate, as a list shows it.
pub fn issuer(leaf: &Certificate) -> String {
    match leaf.self_issued {
        true => "self-signed".to_owned(),
        false => leaf.issuer.clone(),
    }
}

/// "valid", "expired", "not yet valid".
pub fn state(leaf: &Certificate, now: OffsetDateTime) -> &'static str {
    if leaf.not_after < now {
        "expired"
    } else if leaf.not_before > now {
        "not yet valid"
    } else {
        "valid"
    }
}

/// A moment by RFC 3339.
pub fn moment(when: OffsetDateTime) -> String {
    // Only a year beyond 9999 doesn't format, and that is worth showing somehow.
    when.format(&Rfc3339).unwrap_or_else(|_| when.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::{create, CreateRequest};
    use crate::publish::{publish, Existing};
    use crate::testing::openssl;

    #[test]
    fn shows_what_openssl_shows() {
        let dir = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::now_utc();
        let (pair, certificate) = create(&CreateRequest::for_host("mail.example.org"), now).unwrap();
        publish(dir.path(), &pair, Existing::Refuse).unwrap();
        let shown = show(dir.path(), &pair.name, now).unwrap();
        assert_eq!((shown.files.len(), shown.state.as_str()), (3, "valid"));
        let text = openssl(
            &["x509", "-noout", "-fingerprint", "-sha256", "-serial", "-enddate", "-dateopt", "iso_8601"],
            pair.certificate.as_bytes(),
        );
        let text = String::from_utf8(text).unwrap();
        let link = &shown.chain[0];
        assert!(text.contains(&link.sha256));
        assert!(text.contains(&link.serial.replace(':', "").to_uppercase()));
        assert!(text.contains(&link.not_after.replace('T', " ")), "{text} {link:?}");
        assert_eq!(shown.key_sha256, certificate.key_fingerprint.to_string());
        let rows = list(dir.path(), now).unwrap();
        assert_eq!(rows[0].names, ["mail.example.org"]);
        assert_eq!(rows[0].issuer, "self-signed");
        assert_eq!(rows[0].days_left, Some(364));
    }

    #[test]
    fn broken_and_expired_pairs_are_in_the_list() {
        let dir = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::now_utc();
        let long_ago = now - time::Duration::days(400);
        let (pair, _) = create(&CreateRequest::for_host("old.example.org"), long_ago).unwrap();
        publish(dir.path(), &pair, Existing::Refuse).unwrap();
        std::fs::write(dir.path().join("broken.crt"), "nothing").unwrap();
        let rows = list(dir.path(), now).unwrap();
        assert_eq!(rows[0].name, "broken");
        assert!(rows[0].state.contains("broken.key"), "{}", rows[0].state);
        assert_eq!((rows[1].state.as_str(), rows[1].days_left), ("expired", Some(-35)));
        assert!(show(dir.path(), &CertName::new("broken").unwrap(), now).is_err());
    }
}
