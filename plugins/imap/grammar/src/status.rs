//! What `STATUS` and `LIST RETURN (STATUS ...)` may ask for.

/// A `status-att` (RFC 9051 section 6.3.11; `RECENT` from RFC 3501, `SIZE` from RFC 8438).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatusItem {
    /// `MESSAGES`
    Messages,
    /// `RECENT`, IMAP4rev1 only.
    Recent,
    /// `UIDNEXT`
    UidNext,
    /// `UIDVALIDITY`
    UidValidity,
    /// `UNSEEN`
    Unseen,
    /// `DELETED`, IMAP4rev2.
    Deleted,
    /// `SIZE`
    Size,
}

impl StatusItem {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            StatusItem::Messages => "MESSAGES",
            StatusItem::Recent => "RECENT",
            StatusItem::UidNext => "UIDNEXT",
            StatusItem::UidValidity => "UIDVALIDITY",
            StatusItem::Unseen => "UNSEEN",
            StatusItem::Deleted => "DELETED",
            StatusItem::Size => "SIZE",
        }
    }

    /// All of them.
    pub const ALL: [StatusItem; 7] = [
        StatusItem::Messages,
        StatusItem::Recent,
        StatusItem::UidNext,
        StatusItem::UidValidity,
        StatusItem::Unseen,
        StatusItem::Deleted,
        StatusItem::Size,
    ];

    pub(crate) fn from_name(name: &[u8]) -> Option<StatusItem> {
        Self::ALL.into_iter().find(|item| item.name().as_bytes().eq_ignore_ascii_case(name))
    }
}
