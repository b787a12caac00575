//! FETCH of what is in the view's columns alone: flags, UIDs, sizes, dates. A client does this for whole mailboxes, so it
//! is one pass over the columns into the output, without anything in between.

use std::io;
use std::ops::Range;

use dovetail_imap_grammar::command::FetchItem;
use dovetail_imap_grammar::encode;
use dovetail_sdk::line::LineStream;
use dovetail_sdk::store::MessageColumns;
use time::{OffsetDateTime, UtcOffset};

use super::plan::Plan;
use crate::selected::Selected;

/// Writes a response for each row that the client knows of. Gives how many.
pub async fn send(
    stream: &mut LineStream,
    selected: &Selected,
    plan: &Plan,
    rows: &MessageColumns,
    rev2: bool,
) -> io::Result<usize> {
    let mut writer = RowWriter::new(selected, rev2);
    let mut out = Vec::with_capacity(PIECE + 1024);
    let mut count = 0;
    for row in 0..rows.uids.len() {
        let Some(at) = writer.place(rows, row) else { continue };
        out.extend_from_slice(b"* ");
        encode::number(&mut out, at as u64 + 1);
        out.extend_from_slice(b" FETCH (");
        for (n, item) in plan.items.iter().enumerate() {
            if n > 0 {
                out.push(b' ');
            }
            writer.item(item, rows, row, &mut out);
        }
        out.extend_from_slice(b")\r\n");
        count += 1;
        if out.len() >= PIECE {
            stream.write(&out).await?;
            out.clear();
        }
    }
    stream.queue(&out);
    Ok(count)
}

/// Writes single items of rows.
pub struct RowWriter<'a> {
    selected: &'a Selected,
    rev2: bool,
    /// Where to go on looking for the next row's place.
    at: usize,
    /// The last flags and their text: most messages of a mailbox have the same.
    last: Option<(u64, bool)>,
    text: Vec<u8>,
}

impl<'a> RowWriter<'a> {
    /// Begins at the first row.
    pub fn new(selected: &'a Selected, rev2: bool) -> Self {
        RowWriter { selected, rev2, at: 0, last: None, text: Vec::new() }
    }

    /// A row's place in the client's list. Rows come in ascending order.
    pub fn place(&mut self, rows: &MessageColumns, row: usize) -> Option<usize> {
        let uid = rows.uids.get(row)?;
        // The next one, as a rule.
        if self.selected.uids.get(self.at) != Some(uid) {
            self.at += self.selected.uids.get(self.at..)?.partition_point(|known| known < uid);
            if self.selected.uids.get(self.at) != Some(uid) {
                return None;
            }
        }
        self.at += 1;
        Some(self.at - 1)
    }

    /// Writes an item that is in the columns; others write nothing.
    pub fn item(&mut self, item: &FetchItem, rows: &MessageColumns, row: usize, out: &mut Vec<u8>) {
        match item {
            FetchItem::Uid => {
                out.extend_from_slice(b"UID ");
                encode::number(out, rows.uids.get(row).copied().unwrap_or(0));
            }
            FetchItem::Flags => {
                out.extend_from_slice(b"FLAGS ");
                let uid = rows.uids.get(row).copied().unwrap_or(0);
                let key = (rows.flags.get(row).copied().unwrap_or(0), !self.rev2 && self.selected.recent.has(uid));
                if self.last != Some(key) {
                    self.text.clear();
                    super::flags::write(key.0, key.1, &self.selected.keywords, &mut self.text);
                    self.last = Some(key);
                }
                out.extend_from_slice(&self.text);
            }
            FetchItem::Rfc822Size => {
                out.extend_from_slice(b"RFC822.SIZE ");
                encode::number(out, rows.sizes.get(row).copied().unwrap_or(0));
            }
            FetchItem::InternalDate => {
                out.extend_from_slice(b"INTERNALDATE ");
                encode::date_time(out, internal_date(rows, row));
            }
            _ => {}
        }
    }
}

/// A row's internal date, with the offset from UTC that it came with.
pub fn internal_date(rows: &MessageColumns, row: usize) -> OffsetDateTime {
    let seconds = rows.dates.get(row).copied().unwrap_or(0).div_euclid(1000);
    let minutes = rows.zones.get(row).copied().unwrap_or(0);
    let offset = UtcOffset::from_whole_seconds(minutes.saturating_mul(60)).unwrap_or(UtcOffset::UTC);
    let utc = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    utc.checked_to_offset(offset).unwrap_or(utc)
}

/// Rows of a batch, as ranges of the whole.
pub fn part(rows: &MessageColumns, range: Range<usize>) -> MessageColumns {
    fn cut<T: Clone>(column: &[T], range: &Range<usize>) -> Vec<T> {
        column.get(range.clone()).unwrap_or_default().to_vec()
    }
    MessageColumns {
        uids: cut(&rows.uids, &range),
        flags: cut(&rows.flags, &range),
        modseqs: cut(&rows.modseqs, &range),
        sizes: cut(&rows.sizes, &range),
        dates: cut(&rows.dates, &range),
        zones: cut(&rows.zones, &range),
        save_dates: cut(&rows.save_dates, &range),
    }
}

/// So much is made at a time.
const PIECE: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_keep_the_offset_that_they_came_with() {
        let told = |milliseconds, minutes| {
            let rows = MessageColumns {
                uids: vec![1],
                dates: vec![milliseconds],
                zones: vec![minutes],
                ..MessageColumns::default()
            };
            let mut out = Vec::new();
            encode::date_time(&mut out, internal_date(&rows, 0));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(told(837_596_665_000, -420), "\"17-Jul-1996 02:44:25 -0700\"");
        assert_eq!(told(837_596_665_999, 330), "\"17-Jul-1996 15:14:25 +0530\"");
        assert_eq!(told(0, 0), "\" 1-Jan-1970 00:00:00 +0000\"");
        assert_eq!(told(-1, 0), "\"31-Dec-1969 23:59:59 +0000\"");
        // Nothing that a store could hold breaks the answer.
        assert_eq!(told(i64::MIN, i32::MIN), "\" 1-Jan-1970 00:00:00 +0000\"");
        assert_eq!(told(0, 100_000), "\" 1-Jan-1970 00:00:00 +0000\"");
    }

    #[test]
    fn a_part_has_the_columns_that_were_asked_for() {
        let rows = MessageColumns { uids: vec![3, 5, 8], sizes: vec![30, 50, 80], ..MessageColumns::default() };
        let part = part(&rows, 1..3);
        assert_eq!((part.uids, part.sizes, part.flags), (vec![5, 8], vec![50, 80], vec![]));
    }
}
