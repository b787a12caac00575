//! What a table of instructions does not say: what the work is, and how often a pending read allocates.
//!
//! Allocations are counted by valgrind's memcheck, which sees every call of malloc in the process, on both sides of the
//! boundary: each library has its own copy of Rust's allocator, and all of them end there. As with instructions, a short
//! and a long run are compared, so that loading and starting don't count.

use crate::{error::Error, work::READS};
use std::{fmt::Write as _, process::Command};

/// The facts as Markdown.
///
/// # Errors
/// If valgrind is not there, or a run fails.
pub fn markdown() -> Result<String, Error> {
    let mut text = String::from(ABOUT);
    text.push_str("\n## Allocations of a pending read\n\n| session | way | allocations a poll |\n|---|---|---|\n");
    for (session, way, name) in COUNTED {
        let (few, many) = (allocations(name, FEW)?, allocations(name, MANY)?);
        let each = (many as f64 - few as f64) / f64::from((MANY - FEW) * READS);
        // A few allocations of starting TLS depend on chance; a third digit shows neither them nor a minus before zero.
        let each = (each * 1000.0).round() / 1000.0 + 0.0;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {session} | {way} | {each:.3} |");
    }
    text.push_str(CONTROL);
    Ok(text)
}

fn allocations(name: &str, count: u32) -> Result<u64, Error> {
    let failed = |detail: String| Error::Program { program: "valgrind", detail };
    let program = std::env::current_exe()?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=memcheck", "--leak-check=no", "--undef-value-errors=no"]);
    command.arg(program).args(["run", name, &count.to_string()]);
    let ran = command.output().map_err(|error| failed(error.to_string()))?;
    let said = String::from_utf8_lossy(&ran.stderr);
    if !ran.status.success() {
        return Err(failed(format!("{name} failed: {}", said.lines().last().unwrap_or_default())));
    }
    total(&said).ok_or_else(|| failed(format!("it counted no allocations for {name}")))
}

/// The number in `total heap usage: 1,234 allocs`.
fn total(said: &str) -> Option<u64> {
    let (_, rest) = said.split_once("total heap usage: ")?;
    let (number, _) = rest.split_once(" allocs")?;
    number.replace(',', "").parse().ok()
}

const FEW: u32 = 1;
const MANY: u32 = 11;

/// Session, way, and the name of the work.
const COUNTED: &[(&str, &str, &str)] = &[
    ("plain", "direct", "pending-reads/direct"),
    ("plain", "through", "pending-reads/through"),
    ("in TLS", "direct", "pending-reads-in-tls/direct"),
    ("in TLS", "through", "pending-reads-in-tls/through"),
    ("plain, two tasks by turns", "through", "pending-reads-by-turns/through"),
];

const ABOUT: &str = "\
`through` is what a server does: plugins loaded by core's loader, every service, stream, future and waker across the \
boundary. `direct` is the same source compiled in and called; it is written for the SDK, so streams and services are \
still tables of functions there, but of the same library. Client and server run in one thread over an in-memory pipe; \
the figures hold both, and the client is the same code in both ways.

| work | what it is |
|---|---|
| handshake | a full TLS 1.3 handshake, P-256 certificate, ticket and first bytes from the server included |
| handshake-resumed | the same with a ticket of the connection before, and another one given |
| tls-64k | 64 KiB each way over an established TLS connection |
| message | an SMTP session with one message of 8 KiB, directory and delivery answering at once |
| message-in-tls | the same on an implicit TLS port: the handshake, then SMTP's plugin over TLS's plugin |
| pending-reads | 1000 polls of an SMTP session that waits for a silent client |
| pending-reads-in-tls | the same over TLS's plugin |
";

const CONTROL: &str = "
The last row is the proof that the count sees the other side: a plugin keeps the waker of the last poll, so two tasks \
that poll by turns make it wrap a waker each time. A session has one task.
";

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn the_count_of_allocations() {
        assert_eq!(total("==1==   total heap usage: 1,234 allocs, 1,200 frees, 5 bytes"), Some(1234));
        assert_eq!(total("==1== nothing"), None);
    }
}
