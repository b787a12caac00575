//! ClientHellos that no library makes any more (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2).

/// What a hello says.
pub(super) struct Hello<'a> {
    /// The version in front: `[3, 3]` is TLS 1.2.
    pub(super) version: [u8; 2],
    pub(super) suites: &'a [u16],
    /// The server name, whatever its bytes are.
    pub(super) name: Option<&'static [u8]>,
}

/// What else a hello may say otherwise.
pub(super) struct Offer {
    /// The key exchange groups, by their numbers in IANA's registry.
    pub(super) groups: Vec<u16>,
    /// The signatures that the client can check, likewise.
    pub(super) signatures: Vec<u16>,
    /// The compression methods.
    pub(super) compression: Vec<u8>,
    /// Whether it offers TLS 1.3, with a share for the first group that looks like one of X25519.
    pub(super) tls13: bool,
}

impl Default for Offer {
    /// A TLS 1.2 client that knows X25519, P-256 and the usual signatures.
    fn default() -> Self {
        let signatures = vec![0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0201, 0x0203];
        Offer { groups: vec![29, 23], signatures, compression: vec![0], tls13: false }
    }
}

impl Hello<'_> {
    /// The handshake message, with the extensions of [`Offer::default`].
    pub(super) fn message(&self) -> Vec<u8> {
        self.message_with(&Offer::default())
    }

    fn message_with(&self, offer: &Offer) -> Vec<u8> {
        let mut extensions = Vec::new();
        let mut extension = |kind: u16, body: &[u8]| {
            extensions.extend(kind.to_be_bytes());
            extensions.extend(prefixed(2, body));
        };
        if let Some(name) = self.name {
            let entry = [&[0][..], &prefixed(2, name)].concat();
            extension(0, &prefixed(2, &entry));
        }
        extension(10, &prefixed(2, &numbers(&offer.groups)));
        extension(11, &[1, 0]);
        extension(13, &prefixed(2, &numbers(&offer.signatures)));
        extension(23, &[]);
        if offer.tls13 {
            extension(43, &[2, 3, 4]);
            let share = [&numbers(offer.groups.get(..1).unwrap_or_default()), &prefixed(2, &[9; 32])[..]].concat();
            extension(51, &prefixed(2, &share));
        }
        extension(0xff01, &[0]);
        // Version, 32 octets of "random", no session, the suites, the compression, the extensions.
        let body = [
            &self.version[..],
            &[7; 32],
            &[0],
            &prefixed(2, &numbers(self.suites)),
            &prefixed(1, &offer.compression),
            &prefixed(2, &extensions),
        ]
        .concat();
        [&[1][..], &prefixed(3, &body)].concat()
    }

    /// A message that says something else, in one record.
    pub(super) fn record_with(&self, offer: &Offer) -> Vec<u8> {
        records(&self.message_with(offer), usize::MAX)
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

fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// Bytes behind their length in `octets` octets.
fn prefixed(octets: usize, bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_be_bytes();
    [&length[length.len() - octets..], bytes].concat()
}
