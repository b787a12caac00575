//! Warning of certificates that expire: at 30, 14, 7 and 1 days, and when it has happened; once each for one certificate.
//!
//! A certificate that never was valid for so long isn't warned of at that mark: one of six days would be, all its life.

use std::collections::HashMap;
use std::fmt;

use time::{Duration, OffsetDateTime};

use crate::certificate::Certificate;
use crate::fingerprint::Fingerprint;
use crate::identity::Pair;
use crate::name::CertName;
use crate::snapshot::Snapshot;

/// So many days before the end somebody should act.
pub const MARKS: [i64; 4] = [30, 14, 7, 1];

/// Which warnings have been given.
#[derive(Default)]
pub struct Expiry {
    told: HashMap<CertName, (Fingerprint, usize)>,
}

/// A certificate that expires or has expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The pair.
    pub name: CertName,
    /// Whether it is over.
    pub expired: bool,
    days: i64,
    end: OffsetDateTime,
    self_signed: bool,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, end) = (&self.name, self.end.date());
        match (self.expired, self.days) {
            (true, _) => write!(f, "the certificate \"{name}\" has expired on {end}")?,
            (false, 0) => write!(f, "the certificate \"{name}\" expires in less than a day, on {end}")?,
            (false, 1) => write!(f, "the certificate \"{name}\" expires in 1 day, on {end}")?,
            (false, days) => write!(f, "the certificate \"{name}\" expires in {days} days, on {end}")?,
        }
        match self.self_signed {
            true => write!(f, ": `dovetail certs renew {name}` makes a new one for the same key"),
            false => write!(
                f,
                ": get a new one from its authority (`dovetail certs csr {name}` makes the request) and bring it with \
                 `dovetail certs import`"
            ),
        }
    }
}

impl Expiry {
    /// What is to be said of what is served now, and hasn't been said.
    pub fn look(&mut self, snapshot: &Snapshot, now: OffsetDateTime) -> Vec<Warning> {
        self.told.retain(|name, (told, _)| {
            snapshot.pair(name).is_some_and(|pair| pair.identity.leaf().fingerprint == *told)
        });
        let mut warnings = Vec::new();
        for pair in snapshot.pairs() {
            let leaf = pair.identity.leaf();
            let passed = marks_passed(leaf, now);
            let before = self.told.get(pair.name()).map_or(0, |(_, passed)| *passed);
            if passed > before {
                self.told.insert(pair.name().clone(), (leaf.fingerprint, passed));
                warnings.push(warning(pair, now));
            }
        }
        warnings
    }
}

/// How many marks are behind a certificate, its end being the last.
fn marks_passed(leaf: &Certificate, now: OffsetDateTime) -> usize {
    passed(leaf, now).count() + usize::from(leaf.not_after < now)
}

/// The marks that are behind a certificate; one that it never was away from doesn't count.
pub fn passed(certificate: &Certificate, now: OffsetDateTime) -> impl Iterator<Item = i64> {
    let (left, whole) = (certificate.not_after - now, certificate.not_after - certificate.not_before);
    MARKS.into_iter().filter(move |days| left <= Duration::days(*days) && whole > Duration::days(*days))
}

fn warning(pair: &Pair, now: OffsetDateTime) -> Warning {
    let leaf = pair.identity.leaf();
    Warning {
        name: pair.name().clone(),
        expired: leaf.not_after < now,
        days: (leaf.not_after - now).whole_days(),
        end: leaf.not_after,
        self_signed: leaf.self_issued,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::{create, CreateRequest};
    use crate::live::Live;
    use crate::publish::{publish, Existing};

    /// What is said at these hours after a certificate of so many days was made.
    fn said(days: u32, hours: &[i64]) -> Vec<(i64, bool)> {
        let dir = tempfile::tempdir().unwrap();
        // Certificates count in whole seconds.
        let made = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
        let request = CreateRequest { days, ..CreateRequest::for_host("mail.example.org") };
        publish(dir.path(), &create(&request, made).unwrap().0, Existing::Refuse).unwrap();
        let live = Live::new(dir.path().to_owned(), None);
        live.rescan(made).unwrap();
        let mut expiry = Expiry::default();
        hours
            .iter()
            .flat_map(|hour| expiry.look(&live.snapshot(), made + Duration::hours(*hour)))
            .map(|warning| (warning.days, warning.expired))
            .collect()
    }

    #[test]
    fn each_mark_is_told_once_and_the_end() {
        let hours: Vec<i64> = (0..42 * 24).collect();
        let told = said(40, &hours);
        assert_eq!(told, [(30, false), (14, false), (7, false), (1, false), (0, true)]);
        // A server that starts late says it once.
        assert_eq!(said(40, &[38 * 24, 38 * 24 + 1]), [(2, false)]);
    }

    #[test]
    fn a_short_life_has_fewer_marks() {
        assert_eq!(said(6, &[0, 100]), []);
        assert_eq!(said(6, &[0, 5 * 24]), [(1, false)]);
        assert_eq!(said(14, &[0]), [(14, false)]);
    }

    #[test]
    fn a_new_certificate_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let made = OffsetDateTime::now_utc();
        let live = Live::new(dir.path().to_owned(), None);
        let mut expiry = Expiry::default();
        let mut put = |existing| {
            let request = CreateRequest { days: 20, ..CreateRequest::for_host("mail.example.org") };
            publish(dir.path(), &create(&request, made).unwrap().0, existing).unwrap();
            live.rescan(made).unwrap();
            expiry.look(&live.snapshot(), made + Duration::days(10)).len()
        };
        assert_eq!((put(Existing::Refuse), put(Existing::Replace)), (1, 1));
    }

    #[test]
    fn a_warning_says_what_to_do() {
        let warning = |self_signed, days, expired| Warning {
            name: CertName::new("mail").unwrap(),
            expired,
            days,
            end: OffsetDateTime::UNIX_EPOCH,
            self_signed,
        };
        let text = warning(true, 7, false).to_string();
        assert!(
            text.contains("\"mail\" expires in 7 days, on 1970-01-01") && text.contains("certs renew mail"),
            "{text}"
        );
        let text = warning(false, -1, true).to_string();
        assert!(text.contains("has expired") && text.contains("certs import"), "{text}");
    }
}
