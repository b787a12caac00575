//! Rows survive the way to bytes and back, keys sort like their numbers, and no bytes make the decoders panic.

use super::*;
use proptest::prelude::*;

fn mailbox() -> impl Strategy<Value = MailboxRow> {
    let numbers = (any::<[u32; 8]>(), any::<[u64; 3]>(), any::<u8>());
    (any::<u32>(), numbers, "\\PC{0,40}", prop::collection::vec("[!-~]{1,20}", 0..56)).prop_map(
        |(id, (n, m, special_use), name, keywords)| MailboxRow {
            id,
            parent: n[0],
            name,
            uid_validity: n[1],
            uid_next: n[2],
            highest_modseq: m[0],
            vanished_floor: m[1],
            messages: n[3],
            unseen: n[4],
            deleted: n[5],
            bytes: m[2],
            tombstones: n[6],
            special_use,
            keywords,
            recent_from: n[7],
        },
    )
}

fn message() -> impl Strategy<Value = MessageRow> {
    (any::<(u32, u64, u64, u32)>(), any::<(i64, i16, i64)>(), any::<[u64; 3]>()).prop_map(|(a, d, n)| MessageRow {
        uid: a.0,
        modseq: a.1,
        flags: Flags(a.2),
        size: a.3,
        internal_date: DateTime { milliseconds: d.0, offset: d.1 },
        save_date: d.2,
        body: BodyId(n[0]),
        digest: n[1],
        thread: n[2],
    })
}

proptest! {
    #[test]
    fn rows_come_back(mailbox in mailbox(), message in message(), h in any::<(u32, u32, u64, u64)>(), format in OLDEST_FORMAT..=FORMAT) {
        prop_assert_eq!(&read_mailbox(mailbox.id, &write_mailbox(&mailbox)).unwrap(), &mailbox);
        prop_assert_eq!(&read_message(message.uid, &write_message(&message)).unwrap(), &message);
        let header = Header { format, next_mailbox: h.0, last_uid_validity: h.1, messages: h.2, bytes: h.3 };
        prop_assert_eq!(read_header(&write_header(&header)).unwrap(), header);
        prop_assert_eq!(read_pair("", &write_pair(h.0, h.1)).unwrap(), (h.0, h.1));
    }

    #[test]
    fn keys_come_back(m in any::<u32>(), uid in any::<u32>(), n in any::<u64>(), t in any::<u64>(), d in any::<[u8; 16]>(), account in "\\PC{1,30}") {
        prop_assert_eq!(read_message_key(&message_key(m, uid)).unwrap(), (m, uid));
        prop_assert_eq!(read_mailbox_key(&mailbox_key(m)).unwrap(), m);
        prop_assert_eq!(read_tombstone_key(&tombstone_key(m, n)).unwrap(), (m, n));
        prop_assert_eq!(read_garbage_key(&garbage_key(t, BodyId(n))).unwrap(), (t, BodyId(n)));
        prop_assert_eq!(read_delivery_key(&delivery_key(t, DeliveryId(d), m)).unwrap(), (t, DeliveryId(d), m));
        prop_assert_eq!(read_doomed_key(&doomed_key(m)).unwrap(), m);
        prop_assert_eq!(&read_subscription_key(&subscription_key(&account)).unwrap(), &account);
        let (from, to) = owners(BodyId(n));
        let key = owner_key(BodyId(n), &account);
        prop_assert!(from <= key && key < to);
    }

    #[test]
    fn message_keys_sort_like_numbers(a in any::<(u32, u32)>(), b in any::<(u32, u32)>()) {
        prop_assert_eq!(message_key(a.0, a.1).cmp(&message_key(b.0, b.1)), a.cmp(&b));
        prop_assert!(message_key(a.0, a.1) < message_end(a.0, a.1));
        prop_assert_eq!(message_key(a.0, b.1) < message_end(a.0, a.1), b.1 <= a.1);
    }

    #[test]
    fn uid_sets_come_back(ranges in prop::collection::vec(any::<(u32, u32)>(), 0..50)) {
        let mut set = UidSet::new();
        ranges.iter().for_each(|r| set.insert_range(r.0.min(r.1), r.0.max(r.1)));
        prop_assert_eq!(read_uids(&write_uids(&set)).unwrap(), set);
    }

    #[test]
    fn any_bytes_are_a_row_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..150)) {
        if let Ok(row) = read_mailbox(1, &bytes) {
            prop_assert_eq!(read_mailbox(1, &write_mailbox(&row)).unwrap(), row);
        }
        if let Ok(row) = read_message(1, &bytes) {
            prop_assert_eq!(write_message(&row), bytes.clone());
        }
        if let Ok(row) = read_header(&bytes) {
            prop_assert_eq!(write_header(&row), bytes.clone());
        }
        let _ = (read_uids(&bytes), read_delivery_key(&bytes), read_garbage_key(&bytes));
    }

    #[test]
    fn a_cut_row_is_an_error(row in mailbox(), message in message(), cut in 1usize..40) {
        let bytes = write_mailbox(&row);
        let read = read_mailbox(1, &bytes[..bytes.len() - cut]);
        match cut {
            // The row as format 1 has it.
            4 => prop_assert_eq!(read.unwrap(), MailboxRow { id: 1, recent_from: 1, ..row }),
            _ => prop_assert!(read.is_err()),
        }
        let bytes = write_message(&message);
        prop_assert!(read_message(1, &bytes[..bytes.len() - cut]).is_err());
    }
}

#[test]
fn the_format_of_a_message_row_is_fixed() {
    let row = MessageRow {
        uid: 7,
        modseq: 0x0102,
        flags: Flags(0x0304),
        size: 0x0506,
        internal_date: DateTime { milliseconds: -1, offset: 120 },
        save_date: 0x0708,
        body: BodyId(0x090a),
        digest: 0x0b0c,
        thread: 0,
    };
    let expected = "0000000000000102 0000000000000304 00000506 ffffffffffffffff 0078 0000000000000708 000000000000090a 0000000000000b0c 0000000000000000";
    let hex: String = write_message(&row).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hex, expected.replace(' ', ""));
}

#[test]
fn a_mailbox_of_format_1_is_read() {
    // The octet after the special use was a subscription.
    let row = "00000000 00000001 00000003 0000000000000005 0000000000000000 00000002 00000001 00000000 \
        0000000000000064 00000000 00 01 0005 494e424f58 01 0004 776f726b";
    let hex: Vec<u8> = row.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let read = read_mailbox(1, &hex.chunks(2).map(digits).collect::<Vec<u8>>()).unwrap();
    assert_eq!((read.name.as_str(), read.uid_validity, read.uid_next, read.highest_modseq), ("INBOX", 1, 3, 5));
    assert_eq!((read.messages, read.unseen, read.bytes, read.recent_from), (2, 1, 100, 1));
    assert_eq!((read.special_use, read.keywords), (0, vec!["work".to_owned()]));
}

#[test]
fn a_newer_format_is_refused_in_one_line() {
    let mut bytes =
        write_header(&Header { format: FORMAT, next_mailbox: 1, last_uid_validity: 1, messages: 0, bytes: 0 });
    bytes[0] = FORMAT + 1;
    let error = read_header(&bytes).unwrap_err();
    assert!(matches!(error, BackendError::Schema(_)), "{error}");
    bytes[0] = 0;
    assert!(matches!(read_header(&bytes), Err(BackendError::Schema(_))));
    assert!(!error.to_string().contains('\n'));
}

#[test]
fn the_last_body_has_owners_too() {
    let (from, to) = owners(BodyId(u64::MAX));
    let key = owner_key(BodyId(u64::MAX), "ann@example.org");
    assert!(from <= key && key < to);
}
