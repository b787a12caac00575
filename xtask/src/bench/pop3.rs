//! Reading a mailbox by POP3, as works for [`rates`](super::rates).

use super::compare::Aim;
use super::rates::{Row, Section, Unit, Users};
use super::side::Proto;

/// The table.
pub const SECTION: Section = Section { title: "POP3", rows: ROWS };

const ROWS: &[Row] = &[row("RETR, 16 in one write, MB/s", false), row("RETR, 16 in one write, TLS, MB/s", true)];

const fn row(work: &'static str, tls: bool) -> Row {
    Row {
        work,
        command: "pop3",
        proto: Proto::Pop3,
        tls,
        connections: 1,
        users: Users::Large,
        words: &["--pipeline", "16"],
        unit: Unit::Megabytes,
        aim: Aim::Times(1.5),
    }
}
