//! Attending to the folder while the server runs: what changes there is in service soon after it rests.
//!
//! The kernel tells of changes; further ones are waited for until there were none for [`REST`], and for [`LONGEST`] at most, for
//! a folder may never rest. All the same it is looked at every [`LOOK_EVERY_HEARING`], and at the moment when a certificate
//! that is served begins or ends. Where nothing tells, it is looked at every [`LOOK_EVERY`], mostly at the cost of a system
//! call, and the log says so.
//!
//! A folder that can't be read is told once, until it can.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dovetail_sdk::time as timer;

use crate::clock;
use crate::live::How;
use crate::serving::Serving;
use crate::watch::Watch;

/// Attends to the folder for as long as the instance lives.
pub async fn attend(serving: Arc<Serving>) {
    serving.prove_rest().await;
    let watch = Watch::new(serving.live.folder());
    attend_with(serving, watch).await;
}

async fn attend_with(serving: Arc<Serving>, watch: io::Result<Watch>) {
    if let Err(error) = &watch {
        tracing::warn!(%error, "the certificate folder can't be watched; it is looked at every second");
    }
    // What changed before it was watched is looked for at once; a folder that isn't there yet, from time to time.
    let renew = || watch.as_ref().is_ok_and(|watch| watch.renew().is_ok());
    let (mut hearing, mut complained, mut warned) = (renew(), false, Instant::now());
    let mut how = How::Whole;
    loop {
        match serving.refresh(how).await {
            Err(error) if !complained => {
                tracing::error!("{error}");
                complained = true;
            }
            Ok(_) => complained = false,
            Err(_) => {}
        }
        if warned.elapsed() >= WARN_EVERY {
            warned = Instant::now();
            serving.warn_of_ends(clock::now());
        }
        how = How::Whole;
        match watch.as_ref().ok().filter(|_| hearing) {
            Some(watch) => {
                if timer::timeout(until_turn(&serving, LOOK_EVERY_HEARING), watch.news()).await.is_ok() {
                    // Whoever changes one file mostly changes another one next.
                    rest(|| watch.news()).await;
                }
            }
            None => {
                timer::sleep(until_turn(&serving, LOOK_EVERY)).await;
                how = How::Quick;
            }
        }
        // Before the look, so that nothing happens in between; another folder may have taken its place.
        let before = std::mem::replace(&mut hearing, renew());
        if hearing && !before {
            how = How::Whole;
        }
    }
}

/// Until nothing was heard for a while.
async fn rest<F: Future<Output = ()>>(news: impl Fn() -> F) {
    let quiet = async { while timer::timeout(REST, news()).await.is_ok() {} };
    // A folder that never rests is looked at in between.
    let _ = timer::timeout(LONGEST, quiet).await;
}

/// How long to wait for the next certificate that begins or ends, if that comes before the next look.
fn until_turn(serving: &Serving, look_every: Duration) -> Duration {
    let Some(turn) = serving.live.snapshot().turn() else { return look_every };
    // One that is behind wasn't taken, because the folder couldn't be read.
    let left = Duration::try_from(turn - clock::now()).unwrap_or(LOOK_EVERY);
    left.clamp(SOON, look_every)
}

/// How often the folder is looked at where nothing tells of changes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked at all the same where something does.
const LOOK_EVERY_HEARING: Duration = Duration::from_secs(10);
/// So long nothing must happen after a change.
const REST: Duration = Duration::from_millis(250);
/// So long a folder that doesn't rest is waited for.
const LONGEST: Duration = Duration::from_secs(2);
/// A timer needn't be finer.
const SOON: Duration = Duration::from_millis(1);
/// How often the ends of certificates are looked at.
const WARN_EVERY: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::{create, CreateRequest};
    use crate::live::Live;
    use crate::name::CertName;
    use crate::publish::{publish, Existing};
    use dovetail_testkit::TestHost;
    use std::path::Path;
    use time::OffsetDateTime;
    use tokio::sync::Notify;
    use tokio::time::Instant;

    /// Of the test's own clock.
    const A_MINUTE: Duration = Duration::from_secs(60);

    /// A certificate for mail.test, and when it is over.
    fn add(folder: &Path, name: &str, made: OffsetDateTime, days: u32) -> OffsetDateTime {
        let name = Some(CertName::new(name).unwrap());
        let request = CreateRequest { name, days, ..CreateRequest::for_host("mail.test") };
        let (pair, certificate) = create(&request, made).unwrap();
        publish(folder, &pair, Existing::Refuse).unwrap();
        certificate.not_after
    }

    fn set_clock(host: &TestHost, now: OffsetDateTime) {
        host.set_unix_milliseconds(u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap());
    }

    /// The server over the folder, and the number of what it serves at first.
    async fn serve(host: &TestHost, folder: &Path) -> (Arc<Serving>, u64) {
        let serving = host.enter(|| Arc::new(Serving::new(Live::new(folder.to_owned(), None))));
        host.enter(|| serving.live.open(clock::now())).unwrap();
        let generation = serving.live.generation();
        (serving, generation)
    }

    fn gets(serving: &Serving) -> String {
        let set = serving.resolve(None, Some("mail.test")).unwrap().unwrap();
        serving.load(set).unwrap().remove(0).name
    }

    /// Attends until something else is served, and tells when that was.
    async fn until_changed(host: &TestHost, serving: &Arc<Serving>, seen: u64) -> OffsetDateTime {
        let watch = host.enter(|| Watch::new(serving.live.folder()));
        tokio::select! {
            () = host.run(attend_with(serving.clone(), watch)) => unreachable!("it never ends"),
            changed = tokio::time::timeout(A_MINUTE, serving.changed(seen)) => {
                assert_eq!(changed.expect("nothing has changed"), Ok(seen + 1));
            }
        }
        host.enter(clock::now)
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_and_a_beginning_change_what_is_served_at_that_moment() {
        let (host, dir) = (TestHost::new(), tempfile::tempdir().unwrap());
        let made = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        add(dir.path(), "long", made, 300);
        let end = add(dir.path(), "short", made + time::Duration::days(1), 10);
        set_clock(&host, end - time::Duration::seconds(3));
        let (serving, seen) = serve(&host, dir.path()).await;
        assert_eq!(gets(&serving), "short", "it is the newest");
        let when = until_changed(&host, &serving, seen).await;
        assert_eq!(gets(&serving), "long");
        assert!(end < when && when <= end + time::Duration::seconds(1), "{end} {when}");
        assert!(host.logged("begun or ended"));

        // One ahead of its date, weeks before it and at it.
        let begins = made + time::Duration::days(40);
        add(dir.path(), "ahead", begins + time::Duration::hours(1), 20);
        set_clock(&host, begins - time::Duration::days(20));
        let when = until_changed(&host, &serving, seen + 1).await;
        assert!(when < begins && gets(&serving) == "long");
        set_clock(&host, begins - time::Duration::seconds(3));
        let when = until_changed(&host, &serving, serving.live.generation()).await;
        assert_eq!(gets(&serving), "ahead");
        assert!(begins <= when && when <= begins + time::Duration::seconds(1), "{begins} {when}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_folder_that_cant_be_watched_is_looked_at_and_the_log_says_so() {
        let (host, dir) = (TestHost::new(), tempfile::tempdir().unwrap());
        let (serving, seen) = serve(&host, dir.path()).await;
        let unwatched = || Err(io::Error::other("no inotify to be had"));
        let publishing = async {
            tokio::time::sleep(LOOK_EVERY * 5).await;
            add(dir.path(), "mail", OffsetDateTime::now_utc(), 10);
            let published = Instant::now();
            tokio::time::timeout(A_MINUTE, serving.changed(seen)).await.unwrap().unwrap();
            published.elapsed()
        };
        let took = tokio::select! {
            () = host.run(attend_with(serving.clone(), unwatched())) => unreachable!("it never ends"),
            took = publishing => took,
        };
        assert!(took <= LOOK_EVERY * 2, "{took:?} of the test's own clock");
        assert!(host.logged("no inotify to be had") && host.logged("it is looked at every second"));
        assert_eq!(gets(&serving), "mail");
    }

    #[tokio::test(start_paused = true)]
    async fn changes_are_waited_for_until_there_are_no_more_or_it_is_too_long() {
        let host = TestHost::new();
        for (changes, expected) in [(0, REST), (5, REST + 5 * REST / 2), (1000, LONGEST)] {
            let news = Notify::new();
            let changing = async {
                for _ in 0..changes {
                    tokio::time::sleep(REST / 2).await;
                    news.notify_one();
                }
                std::future::pending::<()>().await;
            };
            let began = Instant::now();
            tokio::select! {
                () = changing => unreachable!("it waits for ever"),
                () = host.run(rest(|| news.notified())) => {}
            }
            assert_eq!(began.elapsed().as_millis(), expected.as_millis(), "{changes} changes");
        }
    }
}
