//! How much of everything one command may hold.
//!
//! The session reads lines and literals, so it asks here before it buffers; the parser asks again, so that a caller
//! who forgot still gets an error instead of a heap full of somebody's ranges.

/// The limits of one command. The defaults let every client pass that is known to behave.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of a whole command with its literals, but without the message of `APPEND`, which is never buffered.
    pub command: usize,
    /// Octets of one string: quoted or literal, user names, passwords, search text.
    pub string: usize,
    /// Octets of a mailbox name or pattern as it comes over the wire.
    pub mailbox: usize,
    /// Octets of a tag. Clients use four to ten.
    pub tag: usize,
    /// Octets of an atom: flags, keywords, charsets, capabilities.
    pub atom: usize,
    /// Literals within one command.
    pub literals: usize,
    /// Ranges of all sequence sets of a command together.
    pub ranges: usize,
    /// How deep search keys may nest: `NOT`, `OR` and parentheses each add one.
    pub search_depth: usize,
    /// Search keys of a command, inner ones counted too.
    pub search_keys: usize,
    /// Data items of a `FETCH`.
    pub fetch_items: usize,
    /// Header names of one `HEADER.FIELDS`.
    pub header_fields: usize,
    /// Numbers in a part like `1.2.3`.
    pub part_depth: usize,
    /// Flags of a `STORE` or `APPEND`.
    pub flags: usize,
    /// Patterns of a `LIST`.
    pub patterns: usize,
    /// Options, status items, special uses and the like in one pair of parentheses.
    pub options: usize,
    /// Pairs in `ID`. RFC 2971 section 3.3 allows clients 30.
    pub id_pairs: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            command: 1024 * 1024,
            string: 16 * 1024,
            mailbox: 1024,
            tag: 64,
            atom: 256,
            literals: 256,
            ranges: 10_000,
            search_depth: 32,
            search_keys: 1_000,
            fetch_items: 128,
            header_fields: 256,
            part_depth: 32,
            flags: 256,
            patterns: 64,
            options: 32,
            id_pairs: 30,
        }
    }
}
