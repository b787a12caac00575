//! ClientHellos that no library makes any more (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2).

/// What a hello says.
pub(super) struct Hello {
    /// The version in front: `[3, 3]` is TLS 1.2.
    pub(super) version: [u8; 2],
    pub(super) suites: &'static [u16],
    /// The server name, whatever its bytes are.
    pub(super) name: Option<&'static [u8]>,
}

impl Hello {
    /// The handshake message, with the extensions of a TLS 1.2 client that knows X25519, P-256 and the usual signatures.
    pub(super) fn message(&self) -> Vec<u8> {
        let mut extensions = Vec::new();
        let mut extension = |kind: u16, body: &[u8]| {
            extensions.extend(kind.to_be_bytes());
            extensions.extend(prefixed(2, body));
        };
        if let Some(name) = self.name {
            let entry = [&[0][..], &prefixed(2, name)].concat();
            extension(0, &prefixed(2, &entry));
        }
        extension(10, &prefixed(2, &[0, 29, 0, 23]));
        extension(11, &[1, 0]);
        extension(13, &prefixed(2, &[4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 2, 1, 2, 3]));
        extension(23, &[]);
        extension(0xff01, &[0]);
        let suites: Vec<u8> = self.suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
        // Version, 32 octets of "random", no session, the suites, no compression, the extensions.
        let body =
            [&self.version[..], &[7; 32], &[0], &prefixed(2, &suites), &[1, 0], &prefixed(2, &extensions)].concat();
        [&[1][..], &prefixed(3, &body)].concat()
    }

    /// The message in one record.
    pub(super) fn record(&self) -> Vec<u8> {
        records(&self.message(), usize::MAX)
    }
}

/// A handshake message in records of at most `most` octets (RFC 8446 §5.1 lets it be in many).
pub(super) fn records(message: &[u8], most: usize) -> Vec<u8> {
    message.chunks(most.min(16_384)).flat_map(|piece| [&[22, 3, 1][..], &prefixed(2, piece)].concat()).collect()
}

/// Bytes behind their length in `octets` octets.
fn prefixed(octets: usize, bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_be_bytes();
    [&length[length.len() - octets..], bytes].concat()
}
