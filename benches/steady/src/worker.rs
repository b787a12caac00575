//! What one connection does.

use crate::{imap::Imap, smtp::Smtp, tally::Kind, Common};
use std::{io, net::SocketAddr, time::Duration};

/// Whether a connection is held to the end.
pub fn is_held(index: usize) -> bool {
    index.is_multiple_of(2)
}

/// What a connection speaks.
pub fn kind(index: usize) -> Kind {
    Kind { imap: (index / 2).is_multiple_of(2), implicit: (index / 4).is_multiple_of(2) }
}

/// The text of a message.
pub fn message(name: &str) -> String {
    let line = format!("{name} {}\r\n", "0123456789".repeat(6));
    format!("Subject: {name}\r\n\r\n{}", line.repeat(40))
}

/// So long a connection waits when something went wrong.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Why a session did not go as it should.
enum Failure {
    /// It was not begun.
    Refused(io::Error),
    /// It was begun.
    Dropped(io::Error),
}

/// Works until the load ends.
pub fn run(common: &Common, index: usize) {
    let (kind, tally) = (kind(index), &common.tally);
    let mut rounds = 0;
    while !tally.is_stopping() {
        let done = match (kind.imap, is_held(index)) {
            (true, held) => imap(common, index, kind, held),
            (false, held) => smtp(common, index, kind, held, &mut rounds),
        };
        let failed = done.is_err();
        let shown = || format!("{} connection {index} ({kind:?})", if is_held(index) { "held" } else { "passing" });
        match done {
            Ok(()) => {}
            Err(Failure::Refused(error)) => tally.refused(format!("{}: {error}", shown())),
            Err(Failure::Dropped(error)) => tally.dropped(format!("{}: {error}", shown())),
        }
        // One that is held is opened once.
        if is_held(index) {
            return;
        }
        if failed && !tally.pause(AFTER_FAILURE) {
            return;
        }
    }
}

/// Takes a session off the list, however it ends.
struct OnList<'a>(&'a Common, Kind, SocketAddr);

impl Drop for OnList<'_> {
    fn drop(&mut self) {
        self.0.tally.closed(self.1, self.2);
    }
}

fn imap(common: &Common, index: usize, kind: Kind, held: bool) -> Result<(), Failure> {
    let tally = &common.tally;
    let begun = tally.era();
    let mut session = Imap::open(common, kind).map_err(Failure::Refused)?;
    let era = tally.opened(kind, session.from(), begun);
    let _listed = OnList(common, kind, session.from());
    let mut work = || -> io::Result<()> {
        session.log_in(account(common, index))?;
        let tell = |session: &mut Imap| -> io::Result<()> {
            let build = session.build()?;
            if let Some(era) = era {
                tally.told(era, build.as_deref());
            }
            Ok(())
        };
        tell(&mut session)?;
        session.command("SELECT INBOX")?;
        if held {
            tally.held();
        }
        loop {
            session.command("UID FETCH * (FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])")?;
            if !tally.pause(common.plan.pause) || !held {
                break;
            }
            session.command("NOOP")?;
        }
        tell(&mut session)?;
        if held {
            session.command("STATUS INBOX (MESSAGES)")?;
            tally.answered();
        }
        session.command("LOGOUT").map(drop)
    };
    work().map_err(Failure::Dropped)
}

fn smtp(common: &Common, index: usize, kind: Kind, held: bool, rounds: &mut u64) -> Result<(), Failure> {
    let tally = &common.tally;
    let begun = tally.era();
    let mut session = Smtp::open(common, kind).map_err(Failure::Refused)?;
    tally.opened(kind, session.0.from, begun);
    let _listed = OnList(common, kind, session.0.from);
    let account = account(common, index);
    let mut work = || -> io::Result<()> {
        session.log_in(account)?;
        if held {
            tally.held();
        }
        loop {
            let name = format!("steady-{index}-{rounds}");
            *rounds += 1;
            session.send(&account.0, &message(&name))?;
            tally.accepted(&account.0, name);
            if !tally.pause(common.plan.pause) || !held {
                break;
            }
        }
        if held {
            session.command("NOOP", 250)?;
            tally.answered();
        }
        session.quit()
    };
    work().map_err(Failure::Dropped)
}

fn account(common: &Common, index: usize) -> &(String, String) {
    let accounts = &common.plan.accounts;
    // A plan without accounts is not begun.
    &accounts[index % accounts.len()]
}
