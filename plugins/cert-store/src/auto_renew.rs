//! Renewing by itself, with `auto_renew: true`: self-signed certificates that were made here get a new one in time, for the
//! same key.
//!
//! One was made here if it is self-signed and its signing request lies beside it, for the same key: an authority's
//! certificate, one that was imported and one that is kept in step with another program's files are left alone. It is due
//! [`BEFORE_END`] before its end, early enough for no warning; one that is valid for a shorter time, when a third of it is
//! left.
//!
//! The server looks at its start and every hour. What fails is told once, and tried again. The new certificate takes the
//! place of the very one that was looked at: one that was imported meanwhile stays.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use dovetail_sdk::{task, time as timer};
use time::{Duration, OffsetDateTime};

use crate::certificate::Certificate;
use crate::create::{renew, requested_key, CreateError};
use crate::folder::PairFiles;
use crate::follow::record::{Record, RecordError};
use crate::identity::Pair;
use crate::input::Input;
use crate::live::How;
use crate::name::CertName;
use crate::publish::{publish, Existing, OpenKey, PublishError};
use crate::serving::Serving;
use crate::snapshot::Snapshot;

/// What became of a pair that was due.
type Outcome = (CertName, Result<Certificate, RenewalError>);

/// Renews what is due, for as long as the instance lives.
pub async fn attend(serving: Arc<Serving>) {
    let mut told: HashMap<CertName, String> = HashMap::new();
    loop {
        let looking = serving.clone();
        let work = move || {
            let live = &looking.live;
            renew_due(live.folder(), &live.snapshot(), OffsetDateTime::now_utc())
        };
        // A host that has no thread for it now has one in an hour.
        let outcomes = task::spawn_blocking(work).await.unwrap_or_default();
        if outcomes.iter().any(|(_, outcome)| outcome.is_ok()) {
            if let Err(error) = serving.refresh(How::Whole).await {
                tracing::error!("{error}; what was loaded before stays in service");
            }
        }
        for (name, outcome) in outcomes {
            match outcome {
                Ok(certificate) => {
                    let (until, sha256) = (certificate.not_after.date(), certificate.fingerprint);
                    tracing::info!(certificate = %name, %until, %sha256, "certificate renewed, self-signed, with the same key");
                    told.remove(&name);
                }
                Err(error) => {
                    let said = error.to_string();
                    if told.insert(name.clone(), said.clone()).as_ref() != Some(&said) {
                        tracing::error!(certificate = %name, "the certificate can't be renewed by itself: {said}");
                    }
                }
            }
        }
        timer::sleep(EVERY).await;
    }
}

/// Renews every pair of the snapshot that is due and was made here.
fn renew_due(folder: &Path, snapshot: &Snapshot, now: OffsetDateTime) -> Vec<Outcome> {
    let due = snapshot.pairs().filter(|pair| is_due(pair.identity.leaf(), now) && is_made_here(folder, pair));
    due.map(|pair| (pair.name().clone(), renew_pair(folder, pair, now))).collect()
}

fn renew_pair(folder: &Path, pair: &Pair, now: OffsetDateTime) -> Result<Certificate, RenewalError> {
    let renewed = renew(&pair.identity, None, now)?;
    if let Some(what) = renewed.left_out.first() {
        return Err(RenewalError::LeftOut { name: pair.name().to_string(), what: what.clone() });
    }
    let key = OpenKey::of(folder, pair.name());
    publish(folder, &renewed.pair, Existing::Unchanged(pair.stamp))?;
    if let Some(key) = key {
        tracing::warn!(certificate = %pair.name(), "{}", key.warning(folder));
    }
    Ok(renewed.certificate)
}

/// Whether it is time for a new one.
fn is_due(leaf: &Certificate, now: OffsetDateTime) -> bool {
    let (left, whole) = (leaf.not_after - now, leaf.not_after - leaf.not_before);
    left <= BEFORE_END.min(whole / 3)
}

fn is_made_here(folder: &Path, pair: &Pair) -> bool {
    let leaf = pair.identity.leaf();
    let request = Input::read(&PairFiles::of(folder, pair.name()).csr).ok();
    let requested = request.and_then(|request| requested_key(&request.bytes));
    requested == Some(leaf.key_fingerprint) && !leaf.is_ca && leaf.self_signed() && !is_followed(folder, pair.name())
}

/// Whether another program renews it. What can't be read may say so.
fn is_followed(folder: &Path, name: &CertName) -> bool {
    match Record::read(folder, name) {
        Err(RecordError::Io { source, .. }) => source.kind() != std::io::ErrorKind::NotFound,
        _ => true,
    }
}

/// Why a certificate wasn't renewed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
enum RenewalError {
    /// It says more than one of ours.
    #[error("the new one wouldn't say {what}; `dovetail certs renew {name}` makes it all the same")]
    LeftOut {
        /// The pair.
        name: String,
        /// What would be missing.
        what: String,
    },
    /// It can't be made.
    #[error(transparent)]
    Making(#[from] CreateError),
    /// It can't be put into the folder.
    #[error(transparent)]
    Publishing(#[from] PublishError),
}

/// So long before its end a certificate is renewed.
const BEFORE_END: Duration = Duration::days(31);
/// How often it is looked whether one is due.
const EVERY: std::time::Duration = std::time::Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::{create, CreateRequest};
    use crate::identity::Identity;
    use crate::live::Live;
    use crate::testing::openssl;

    fn make(folder: &Path, name: &str, days: u32, when: OffsetDateTime) {
        let name = Some(CertName::new(name).unwrap());
        let request = CreateRequest { name, days, ..CreateRequest::for_host("mail.example.org") };
        publish(folder, &create(&request, when).unwrap().0, Existing::Refuse).unwrap();
    }

    fn look(folder: &Path, now: OffsetDateTime) -> Vec<(String, Result<(), String>)> {
        let live = Live::new(folder.to_owned(), None);
        live.rescan(now).unwrap();
        let outcomes = renew_due(folder, &live.snapshot(), now).into_iter();
        outcomes.map(|(name, outcome)| (name.to_string(), outcome.map(drop).map_err(|e| e.to_string()))).collect()
    }

    fn leaf(folder: &Path, name: &str, now: OffsetDateTime) -> Certificate {
        let (identity, _) = Identity::load(folder, &CertName::new(name).unwrap(), now).unwrap();
        identity.leaf().clone()
    }

    #[test]
    fn one_that_was_made_here_is_renewed_when_it_is_time_and_not_before() {
        let dir = tempfile::tempdir().unwrap();
        let start = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
        make(dir.path(), "year", 365, start);
        make(dir.path(), "month", 30, start);
        let after = |days: i64| start + Duration::days(days);
        assert_eq!(look(dir.path(), after(19)), []);
        let old = leaf(dir.path(), "month", start);
        assert_eq!(look(dir.path(), after(20)), [("month".to_owned(), Ok(()))]);
        let new = leaf(dir.path(), "month", start);
        assert_eq!(new.key_fingerprint, old.key_fingerprint);
        assert_eq!((new.not_after - after(20)).whole_days(), 30);
        assert_eq!(look(dir.path(), after(21)), [], "it was renewed a day ago");
        // One that has expired while nobody looked, too.
        let renewed = look(dir.path(), after(400));
        assert_eq!(renewed, [("month".to_owned(), Ok(())), ("year".to_owned(), Ok(()))]);

        let dir = tempfile::tempdir().unwrap();
        make(dir.path(), "year", 365, start);
        assert_eq!(look(dir.path(), after(333)), []);
        assert_eq!(look(dir.path(), after(334)), [("year".to_owned(), Ok(()))]);
    }

    #[test]
    fn what_others_made_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (now, soon) = (OffsetDateTime::now_utc(), OffsetDateTime::now_utc() + Duration::days(364));
        for name in ["imported", "other-request", "followed", "authority"] {
            make(dir.path(), name, 365, now);
        }
        let at = |file: &str| dir.path().join(file);
        std::fs::remove_file(at("imported.csr")).unwrap();
        std::fs::copy(at("followed.csr"), at("other-request.csr")).unwrap();
        Record { path: "/elsewhere".into(), key: None }.write(dir.path(), &CertName::new("followed").unwrap()).unwrap();
        // An authority signs the request.
        let (ca, ca_key) = (at("ca.pem"), at("ca-key.pem"));
        let shown = |path: &Path| path.to_str().unwrap().to_owned();
        let args =
            ["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=CA"];
        openssl(&[&args[..], &["-keyout", &shown(&ca_key), "-out", &shown(&ca)]].concat(), b"");
        let (csr, crt) = (shown(&at("authority.csr")), shown(&at("authority.crt")));
        let args = ["x509", "-req", "-days", "365", "-copy_extensions", "copy", "-in", &csr, "-out", &crt];
        openssl(&[&args[..], &["-CA", &shown(&ca), "-CAkey", &shown(&ca_key), "-CAcreateserial"]].concat(), b"");
        let live = Live::new(dir.path().to_owned(), None);
        live.rescan(soon).unwrap();
        assert_eq!(live.snapshot().pairs().count(), 4, "{:?}", live.all_broken());
        assert_eq!(look(dir.path(), soon), []);
    }

    #[test]
    fn a_certificate_that_came_meanwhile_stays() {
        let dir = tempfile::tempdir().unwrap();
        let start = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
        make(dir.path(), "mail", 30, start);
        let live = Live::new(dir.path().to_owned(), None);
        live.rescan(start).unwrap();
        let seen = live.snapshot();
        let now = start + Duration::days(25);
        assert_eq!(renew_due(dir.path(), &seen, now).len(), 1);
        let served = leaf(dir.path(), "mail", now);
        let (_, outcome) = renew_due(dir.path(), &seen, now).remove(0);
        assert!(matches!(outcome, Err(RenewalError::Publishing(PublishError::Changed { .. }))));
        assert_eq!(leaf(dir.path(), "mail", now).fingerprint, served.fingerprint);
    }

    #[test]
    fn one_that_says_more_than_ours_is_told_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = |ext: &str| dir.path().join(format!("mail.{ext}")).to_str().unwrap().to_owned();
        let san = "subjectAltName=DNS:mail.example.org,URI:imap://mail.example.org";
        let subject = ["-subj", "/CN=mail.example.org", "-addext", san];
        let made = ["req", "-x509", "-nodes", "-days", "5", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
        let basic = ["-addext", "basicConstraints=critical,CA:FALSE"];
        openssl(&[&made[..], &subject, &basic, &["-keyout", &path("key"), "-out", &path("crt")]].concat(), b"");
        let request = ["req", "-new", "-key", &path("key"), "-out", &path("csr")];
        openssl(&[&request[..], &subject].concat(), b"");
        let before = std::fs::read(path("crt")).unwrap();
        let outcome = look(dir.path(), OffsetDateTime::now_utc() + Duration::days(4));
        let said = outcome[0].1.clone().unwrap_err();
        assert!(said.contains("imap://mail.example.org") && said.contains("certs renew mail"), "{said}");
        assert_eq!(std::fs::read(path("crt")).unwrap(), before);
    }
}
