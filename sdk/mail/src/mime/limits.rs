//! What a scanner keeps of one message at most.

/// Bounds of one scan. A message beyond them is no error: what lies beyond is not described, and stays readable as
/// octets of the part around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one header that are looked at, and of all values of the summary together.
    pub header_octets: usize,
    /// Parts described, the message itself included.
    pub parts: usize,
    /// How deep parts stand in parts; a multipart or message deeper than this is described as a leaf.
    pub depth: usize,
    /// Parameters kept of one header field, and languages kept of one part.
    pub params: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { header_octets: 256 * 1024, parts: 1_000, depth: 64, params: 64 }
    }
}
