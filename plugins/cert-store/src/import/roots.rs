//! The roots that this machine trusts, to tell a missing intermediate from a root that nobody sends.
//!
//! Only their subjects are compared: what is asked is whether a chain ends where it should, not whether it is right. A
//! machine without a list of roots trusts none. The list is that of the distribution, or another one that `SSL_CERT_FILE`
//! names in the environment, as for OpenSSL. Bound: what one input may have.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::certificate::Certificate;
use crate::import::pem;
use crate::input::Input;

/// Subjects of roots, read when somebody asks.
#[derive(Debug, Default)]
pub struct Roots(OnceLock<HashSet<Vec<u8>>>);

impl Roots {
    /// The roots of this machine: of the first list that there is.
    pub fn of_this_machine() -> Self {
        Self::default()
    }

    /// Those whose subjects these are.
    #[cfg(test)]
    pub fn of(subjects: &[&[u8]]) -> Self {
        Self(OnceLock::from(subjects.iter().map(|subject| subject.to_vec()).collect::<HashSet<_>>()))
    }

    /// Whether a root has this subject.
    pub fn have(&self, subject: &[u8]) -> bool {
        self.0.get_or_init(|| list().as_deref().map(subjects_in).unwrap_or_default()).contains(subject)
    }
}

fn list() -> Option<PathBuf> {
    let named = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()).map(PathBuf::from);
    named.or_else(|| LISTS.iter().map(PathBuf::from).find(|path| path.is_file()))
}

fn subjects_in(path: &Path) -> HashSet<Vec<u8>> {
    let blocks = Input::read(path).ok().and_then(|input| pem::scan(&input.bytes).ok()).unwrap_or_default();
    let roots = blocks.iter().filter_map(|block| Certificate::from_der(&block.der).ok());
    roots.map(|root| root.raw_subject).collect()
}

/// Where Linux distributions keep them in one file.
const LISTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::openssl;

    #[test]
    fn a_list_has_the_subjects_of_its_roots() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("key");
        let make = |subject: &str| {
            let args =
                ["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", subject];
            openssl(&[&args[..], &["-keyout", key.to_str().unwrap()]].concat(), b"")
        };
        let (one, two) = (make("/CN=One"), make("/CN=Two"));
        let list = dir.path().join("list");
        std::fs::write(&list, [b"# One\n".as_slice(), &one].concat()).unwrap();
        let roots = subjects_in(&list);
        let subject = |pem: &[u8]| Certificate::from_der(&pem::scan(pem).unwrap()[0].der).unwrap().raw_subject;
        assert!(roots.contains(&subject(&one)) && !roots.contains(&subject(&two)));
        assert!(subjects_in(&dir.path().join("none")).is_empty());
    }
}
