//! Following files from one look to the next, without a server and without a clock.

use std::path::PathBuf;
use std::time::Duration;

use super::watch::{Event, Watch};
use super::*;
use crate::create::{create, CreateRequest};
use crate::folder::PairFiles;
use crate::publish::{publish, Existing, PublishError};

/// A folder that another program renews, and ours.
struct Both {
    _dir: tempfile::TempDir,
    theirs: PathBuf,
    ours: PathBuf,
    name: CertName,
}

impl Both {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (theirs, ours) = (dir.path().join("live/mail"), dir.path().join("certs"));
        std::fs::create_dir_all(&theirs).unwrap();
        std::fs::create_dir_all(&ours).unwrap();
        Self { _dir: dir, theirs, ours, name: CertName::new("mail").unwrap() }
    }

    fn record(&self) -> Record {
        Record { path: self.theirs.clone(), key: None }
    }

    /// A new pair, not written yet.
    fn pair(&self, days_ago: i64) -> (String, String) {
        let made = OffsetDateTime::now_utc() - time::Duration::days(days_ago);
        let request = CreateRequest { days: 30, ..CreateRequest::for_host("mail.test") };
        let (pair, _) = create(&request, made).unwrap();
        (pair.key.to_string(), pair.certificate)
    }

    fn write(&self, file: &str, text: &str) {
        // In the place of the old, as programs do that know what they are doing.
        let staged = self.theirs.join("staged");
        std::fs::write(&staged, text).unwrap();
        std::fs::rename(staged, self.theirs.join(file)).unwrap();
    }

    fn renew(&self, days_ago: i64) -> String {
        let (key, crt) = self.pair(days_ago);
        self.write("privkey.pem", &key);
        self.write("fullchain.pem", &crt);
        crt
    }

    fn served(&self) -> String {
        std::fs::read_to_string(PairFiles::of(&self.ours, &self.name).crt).unwrap()
    }

    fn look(&self, watch: &mut Watch) -> Vec<Event> {
        watch.look(&self.ours, false, OffsetDateTime::now_utc())
    }
}

#[test]
fn changed_files_are_taken_once_they_hold_still() {
    let both = Both::new();
    let first = both.renew(0);
    both.record().write(&both.ours, &both.name).unwrap();
    let mut watch = Watch::new(Duration::from_secs(3600));
    assert!(both.look(&mut watch).is_empty(), "seen for the first time");
    assert!(matches!(both.look(&mut watch)[..], [Event::Taken(_)]));
    assert_eq!(both.served(), first);
    assert!(both.look(&mut watch).is_empty(), "nothing has changed");

    // Half a renewal: another key, and the certificate of the old one.
    let (key, crt) = both.pair(0);
    both.write("privkey.pem", &key);
    for _ in 0..3 {
        assert!(both.look(&mut watch).is_empty(), "half of it was told");
        assert_eq!(both.served(), first);
    }
    both.write("fullchain.pem", &crt);
    assert!(both.look(&mut watch).is_empty(), "it has just changed");
    assert!(matches!(both.look(&mut watch)[..], [Event::Taken(_)]));
    assert_eq!(both.served(), crt);
}

#[test]
fn what_stays_wrong_is_told_once_and_what_was_there_stays() {
    let both = Both::new();
    let first = both.renew(0);
    both.record().write(&both.ours, &both.name).unwrap();
    let mut watch = Watch::new(Duration::ZERO);
    assert!(matches!(watch.look(&both.ours, true, OffsetDateTime::now_utc())[..], [Event::Taken(_)]));
    let (key, _) = both.pair(0);
    both.write("privkey.pem", &key);
    assert!(both.look(&mut watch).is_empty());
    let told = both.look(&mut watch);
    assert!(matches!(&told[..], [Event::Refused(name, _)] if *name == both.name), "{told:?}");
    for _ in 0..3 {
        assert!(both.look(&mut watch).is_empty(), "told again");
    }
    assert_eq!(both.served(), first);
    // An expired one doesn't take the place of one that is valid.
    both.renew(40);
    assert!(both.look(&mut watch).is_empty());
    let told = both.look(&mut watch);
    assert!(matches!(&told[..], [Event::Refused(_, reason)] if reason.contains("has expired")), "{told:?}");
    assert_eq!(both.served(), first);
    let next = both.renew(1);
    assert!(both.look(&mut watch).is_empty());
    assert!(matches!(both.look(&mut watch)[..], [Event::Taken(_)]));
    assert_eq!(both.served(), next);
}

#[test]
fn a_record_that_goes_is_followed_no_more() {
    let both = Both::new();
    both.renew(0);
    both.record().write(&both.ours, &both.name).unwrap();
    let mut watch = Watch::default();
    let now = OffsetDateTime::now_utc();
    assert_eq!(watch.look(&both.ours, true, now).len(), 1);
    assert!(Record::remove(&both.ours, &both.name).unwrap());
    let before = both.served();
    both.renew(0);
    assert!(watch.look(&both.ours, true, now).is_empty());
    assert_eq!(both.served(), before);
}

#[test]
fn one_pair_is_followed_not_several_and_not_none() {
    let both = Both::new();
    let message = |record: &Record| the_pair(record).map(|(name, _)| name).unwrap_err().to_string();
    assert!(message(&both.record()).contains("no complete pair"));
    let missing = Record { path: both.theirs.join("none.pem"), key: None };
    assert!(message(&missing).contains("No such file"), "{}", message(&missing));
    both.renew(0);
    assert_eq!(the_pair(&both.record()).unwrap().0.to_string(), "mail");
    let (key, crt) = both.pair(0);
    both.write("other.key", &key);
    both.write("other.crt", &crt);
    assert!(message(&both.record()).contains("2 pairs"), "{}", message(&both.record()));
    let files = Record { path: both.theirs.join("other.crt"), key: Some(both.theirs.join("other.key")) };
    assert_eq!(the_pair(&files).unwrap().0.to_string(), "other");
    // Somebody's own pair is replaced only if they say so.
    let now = OffsetDateTime::now_utc();
    bring_up(&both.ours, &both.name, &files, InPlaceOf::ItsKey, now).unwrap().unwrap();
    both.write("other.key", "");
    both.write("other.crt", "");
    assert!(bring_up(&both.ours, &both.name, &both.record(), InPlaceOf::ItsKey, now).is_err());
    assert_eq!(both.served(), crt);
    assert!(!in_step(&both.ours, &both.name, &both.record(), now).unwrap());
    bring_up(&both.ours, &both.name, &both.record(), InPlaceOf::Any, now).unwrap().unwrap();
    assert!(in_step(&both.ours, &both.name, &both.record(), now).unwrap());
    assert!(bring_up(&both.ours, &both.name, &both.record(), InPlaceOf::Any, now).unwrap().is_none());
}

#[test]
fn what_somebody_brings_meanwhile_stays() {
    let both = Both::new();
    both.renew(2);
    let now = OffsetDateTime::now_utc();
    bring_up(&both.ours, &both.name, &both.record(), InPlaceOf::Any, now).unwrap().unwrap();
    let seen = InPlaceOf::Seen(PairFiles::of(&both.ours, &both.name).stamp());
    both.renew(1);
    // The following is ended and another pair is brought, after the watch has begun its look.
    let request = CreateRequest { name: Some(both.name.clone()), ..CreateRequest::for_host("mail.test") };
    let (own, _) = create(&request, now).unwrap();
    publish(&both.ours, &own, Existing::Replace).unwrap();
    let refused = bring_up(&both.ours, &both.name, &both.record(), seen, now).unwrap_err().to_string();
    assert!(refused.contains("was replaced meanwhile"), "{refused}");
    assert_eq!(both.served(), own.certificate);
}

#[test]
fn a_folder_that_cant_be_written_for_a_while_is_tried_again_after_a_minute_or_if_asked() {
    let both = Both::new();
    both.renew(2);
    both.record().write(&both.ours, &both.name).unwrap();
    let mut watch = Watch::new(Duration::from_secs(3600));
    let in_the_way = both.ours.join(".lock");
    let block = || {
        std::fs::remove_file(&in_the_way).unwrap();
        std::fs::create_dir(&in_the_way).unwrap();
    };
    let start = OffsetDateTime::now_utc();
    let look = |watch: &mut Watch, seconds| watch.look(&both.ours, false, start + time::Duration::seconds(seconds));
    block();
    assert!(look(&mut watch, 0).is_empty());
    assert!(matches!(look(&mut watch, 2)[..], [Event::Refused(..)]), "it is not the files that are to be waited for");
    assert!(look(&mut watch, 62).is_empty(), "told again");
    std::fs::remove_dir(&in_the_way).unwrap();
    assert!(look(&mut watch, 64).is_empty() && look(&mut watch, 121).is_empty(), "not yet");
    assert!(matches!(look(&mut watch, 122)[..], [Event::Taken(_)]));

    // The files change while it can't be written: they are taken as soon as they hold still.
    both.renew(1);
    block();
    assert!(look(&mut watch, 200).is_empty());
    assert!(matches!(look(&mut watch, 202)[..], [Event::Refused(..)]));
    std::fs::remove_dir(&in_the_way).unwrap();
    let second = both.renew(1);
    assert!(look(&mut watch, 204).is_empty());
    assert!(matches!(look(&mut watch, 206)[..], [Event::Taken(_)]));
    assert_eq!(both.served(), second);

    // Somebody asks.
    let third = both.renew(0);
    block();
    assert!(look(&mut watch, 300).is_empty());
    assert!(matches!(look(&mut watch, 302)[..], [Event::Refused(..)]));
    std::fs::remove_dir(&in_the_way).unwrap();
    let asked = watch.look(&both.ours, true, start + time::Duration::seconds(304));
    assert!(matches!(asked[..], [Event::Taken(_)]));
    assert_eq!(both.served(), third);
}

#[test]
fn a_busy_folder_is_waited_for_once_not_for_each_pair() {
    let both = Both::new();
    for name in ["a", "b", "c"] {
        both.record().write(&both.ours, &CertName::new(name).unwrap()).unwrap();
    }
    let tried = std::cell::Cell::new(0);
    let busy = |_: &Path, _: &CertName, _: &Record, _, _| {
        tried.set(tried.get() + 1);
        Err(ImportError::Publish(PublishError::Busy { path: both.ours.join(".lock") }).into())
    };
    let mut watch = Watch::new(Duration::ZERO);
    let start = OffsetDateTime::now_utc();
    let mut look = |at_once, seconds| {
        let events = watch.look_by(&both.ours, at_once, start + time::Duration::seconds(seconds), &busy);
        (events.len(), tried.get())
    };
    assert_eq!(look(false, 0), (0, 0));
    assert_eq!(look(false, 2), (1, 1));
    assert_eq!(look(false, 4), (0, 1));
    assert_eq!(look(false, 61), (0, 1));
    assert_eq!(look(false, 62).1, 2);
    assert_eq!(look(true, 64).1, 3);
    // All of them are still to be done.
    watch.look_by(
        &both.ours,
        false,
        start + time::Duration::seconds(124),
        &|_: &Path, _: &CertName, _: &Record, _, _| {
            tried.set(tried.get() + 1);
            Ok(None)
        },
    );
    assert_eq!(tried.get(), 6);
}

#[test]
fn a_link_that_leads_nowhere_is_in_nobodys_way() {
    let both = Both::new();
    let crt = both.renew(0);
    std::os::unix::fs::symlink("nowhere", both.theirs.join("stray.pem")).unwrap();
    std::fs::write(both.theirs.join("empty.pem"), "").unwrap();
    let now = OffsetDateTime::now_utc();
    bring_up(&both.ours, &both.name, &both.record(), InPlaceOf::Any, now).unwrap().unwrap();
    assert_eq!(both.served(), crt);
    // What is named must be there.
    let named = Record { path: both.theirs.join("stray.pem"), key: None };
    assert!(bring_up(&both.ours, &both.name, &named, InPlaceOf::Any, now).is_err());
}

#[test]
fn a_record_that_is_no_file_is_refused_and_not_waited_for() {
    let both = Both::new();
    let made = std::process::Command::new("mkfifo").arg(both.ours.join("mail.follow")).status().unwrap();
    assert!(made.success());
    let said = Record::read(&both.ours, &both.name).unwrap_err().to_string();
    assert!(said.contains("FIFO"), "{said}");
}
