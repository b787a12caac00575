//! Whole logins, from connecting to LOGOUT, as works for [`rates`](super::rates).

use super::compare::Aim;
use super::rates::{Row, Section, Unit, Users};
use super::side::Proto;

/// The table.
pub const SECTION: Section = Section { title: "Whole IMAP logins", rows: ROWS };

/// What is to be reached is 1.3 times the logins of Stalwart, which isn't run here: beside it, in one run, Dovecot did
/// 747 plain ones a second to 9,672, and 474 with TLS to 3,651.
const ROWS: &[Row] = &[
    row("connect, log in, log out, /s", false, Aim::Times(16.8)),
    row("the same inside TLS, full handshakes, /s", true, Aim::Times(10.0)),
];

const fn row(work: &'static str, tls: bool, aim: Aim) -> Row {
    Row {
        work,
        command: "login",
        proto: Proto::Imap,
        tls,
        connections: 32,
        users: Users::All,
        words: &["--proto", "imap"],
        unit: Unit::PerSecond,
        aim,
    }
}
