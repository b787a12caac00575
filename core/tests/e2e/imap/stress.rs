//! Twenty sessions in one mailbox, each doing this and that at random. Each checks all it is told against the rules (see
//! [`view`]); what all of them were acknowledged is kept in a [`model`] beside, and the mailbox must be like it at the end.
//!
//! `DOVETAIL_STRESS_SECONDS` makes it longer.

mod actor;
mod model;
mod view;

use super::{client::Imap, server};
use crate::durable::number;
use crate::durable::random::Random;
use crate::harness::{PASSWORD, USER};
use actor::Actor;
use model::Model;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use view::View;

const SESSIONS: usize = 20;

#[test]
fn twenty_sessions_in_one_mailbox_keep_to_the_rules() {
    let server = server::start();
    let address = server.address("imap");
    let mut random = Random::of_test("imap stress");
    let model = Model::default();
    Imap::login(address, USER, PASSWORD).command("CREATE other").ok();
    let end = Instant::now() + Duration::from_secs(number("DOVETAIL_STRESS_SECONDS", 5));
    let failed = AtomicBool::new(false);
    let mut actors: Vec<Actor> = (0..SESSIONS)
        .map(|session| Actor::new(session, Imap::login(address, USER, PASSWORD), Random::new(random.next())))
        .collect();
    std::thread::scope(|scope| {
        for actor in &mut actors {
            let (model, failed) = (&model, &failed);
            scope.spawn(move || {
                let _flag = Flag(failed);
                actor.select();
                while Instant::now() < end && !failed.load(Ordering::Relaxed) {
                    actor.step(model);
                }
            });
        }
    });
    assert!(!failed.load(Ordering::Relaxed), "{}", server.log());
    // All is quiet: every session hears what it has not heard yet, and then all know the same.
    actors[0].expunge(&model);
    actors.iter_mut().for_each(Actor::settle);
    // One that was there from the beginning would have been silent for too long.
    let mut last = Imap::login(address, USER, PASSWORD);
    let truth = View::fresh(&mut last, "INBOX");
    for actor in &actors {
        actor.compare(&truth);
    }
    let counts = model.check(&truth, &View::fresh(&mut last, "other"));
    eprintln!("imap stress: {counts}, {} commands", actors.iter().map(|actor| actor.steps).sum::<u64>());
    // And so it is on disk.
    drop((actors, last));
    let server = server.stop().start();
    let mut after = Imap::login(server.address("imap"), USER, PASSWORD);
    assert_eq!(View::fresh(&mut after, "INBOX").messages(), truth.messages(), "after a restart");
}

/// Tells the others when one has failed.
struct Flag<'a>(&'a AtomicBool);

impl Drop for Flag<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}
