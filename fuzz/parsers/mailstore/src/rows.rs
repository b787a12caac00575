//! Keys and rows.

use crate::codec::*;
use crate::error::BackendError;
use crate::uidset::UidSet;

/// First octet: which kind of key or row. Rest: its octets. Whatever is read is written the same.
pub fn store_rows(input: &[u8]) -> bool {
    let Some((kind, bytes)) = input.split_first() else {
        return false;
    };
    match kind {
        b'h' => same(bytes, read_header(bytes), write_header),
        b'b' => mailbox(bytes),
        b'm' => same(bytes, read_message(7, bytes), |row| {
            // A body's owners are a range, whatever its number.
            let (from, to) = owners(row.body);
            let key = owner_key(row.body, "ann@example.org");
            assert!(from <= key && key < to, "{:?} has owners outside their range", row.body);
            write_message(row)
        }),
        b'q' => uids(bytes),
        b'd' => same(bytes, read_pair("a delivery", bytes), |pair| write_pair(pair.0, pair.1)),
        b'n' => same(bytes, read_u32("a name", bytes), |number| number.to_be_bytes().to_vec()),
        b'M' => same(bytes, read_message_key(bytes), |key| message_key(key.0, key.1)),
        b'B' => same(bytes, read_mailbox_key(bytes), |key| mailbox_key(*key)),
        b'Q' => same(bytes, read_tombstone_key(bytes), |key| tombstone_key(key.0, key.1)),
        b'G' => same(bytes, read_garbage_key(bytes), |key| garbage_key(key.0, key.1)),
        b'S' => same(bytes, read_subscription_key(bytes), |name| subscription_key(name)),
        b'X' => same(bytes, read_doomed_key(bytes), |mailbox| doomed_key(*mailbox)),
        b'D' => same(bytes, read_delivery_key(bytes), |key| delivery_key(key.0, key.1, key.2)),
        _ => false,
    }
}

fn same<T>(bytes: &[u8], read: Result<T, BackendError>, write: impl FnOnce(&T) -> Vec<u8>) -> bool {
    match read {
        Ok(value) => {
            assert_eq!(write(&value), bytes, "read and written again, it is another row");
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

/// One octet of a mailbox's row has no meaning any more and its end may be missing, so only what has been written once stays
/// the same.
fn mailbox(bytes: &[u8]) -> bool {
    let Ok(row) = read_mailbox(1, bytes) else {
        return false;
    };
    let written = write_mailbox(&row);
    assert!(written.len() == bytes.len() || written.len() == bytes.len() + 4, "{row:?}");
    assert_eq!(read_mailbox(1, &written).unwrap_or_else(|error| panic!("{row:?}: {error}")), row);
    true
}

fn uids(bytes: &[u8]) -> bool {
    let Ok(set) = read_uids(bytes) else {
        return false;
    };
    assert!(set.ranges().len() <= bytes.len() / 8);
    assert!(set.ranges().iter().all(|range| range.0 <= range.1), "{:?}", set.ranges());
    assert!(set.ranges().windows(2).all(|two| two[0].1 < two[1].0 - 1), "ranges touch: {:?}", set.ranges());
    assert_eq!(read_uids(&write_uids(&set)).ok(), Some(set));
    true
}
