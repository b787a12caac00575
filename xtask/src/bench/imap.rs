//! What IMAP clients do all day, as works for [`rates`](super::rates).

use super::compare::Aim;
use super::rates::{Row, Section, Unit, Users};
use super::side::Proto;

/// The table.
pub const SECTION: Section = Section { title: "IMAP", rows: ROWS };

const ROWS: &[Row] = &[
    row("FLAGS of the large mailbox, /s", 1, Users::Large, &["--mix", "flags=1"], Aim::Times(4.0)),
    row("bodies one by one, /s", 1, Users::Large, &["--mix", "body=1"], Aim::Times(1.3)),
    Row { unit: Unit::Megabytes, ..row("bodies, 100 a FETCH, MB/s", 1, Users::Large, HUNDRED, Aim::Times(1.3)) },
    Row {
        unit: Unit::Megabytes,
        tls: true,
        ..row("bodies, 100 a FETCH, TLS, MB/s", 1, Users::Large, HUNDRED, Aim::Times(1.6))
    },
    row("STORE, 1 connection, /s", 1, Users::Large, STORE, Aim::Times(0.8)),
    row("STORE, 16 connections, a mailbox each, /s", 16, Users::Sixteen, STORE, Aim::Times(3.0)),
    // Here each change is told to fifteen others.
    row("STORE, 16 connections, one mailbox, /s", 16, Users::Large, STORE, Aim::Times(3.0)),
    row("APPEND, 1 connection, /s", 1, Users::Empty, APPEND, Aim::Times(2.0)),
    row("APPEND, 16 connections, /s", 16, Users::Empty, APPEND, Aim::Times(4.0)),
    row("SEARCH SUBJECT in the large mailbox, /s", 1, Users::Large, SEARCH, Aim::AtLeast(1000.0)),
];

const HUNDRED: &[&str] = &["--mix", "body=1", "--batch", "100"];
const STORE: &[&str] = &["--mix", "store=1"];
const APPEND: &[&str] = &["--mix", "append=1"];
/// Subjects are numbered: 111 of the first 10,000 have it.
const SEARCH: &[&str] = &["--mix", "search=1", "--search", "SUBJECT \"bench 77\""];

const fn row(work: &'static str, connections: u32, users: Users, words: &'static [&'static str], aim: Aim) -> Row {
    Row { work, command: "imap", proto: Proto::Imap, tls: false, connections, users, words, unit: Unit::PerSecond, aim }
}
