//! The exporter of a TLS 1.3 connection (RFC 8446 section 7.5), which rustls' unbuffered interface does not offer.
//!
//! rustls hands over the exporter's secret, and nothing else, where a key log would get it; the value is made of it once, and
//! the secret is wiped.

use rustls::{
    crypto::{
        hash::Hash,
        tls13::{HkdfExpander, OkmBlock},
    },
    KeyLog, SupportedCipherSuite,
};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// The label of the channel binding (RFC 9266 section 4).
const LABEL: &[u8] = b"EXPORTER-Channel-Binding";
/// The value has so many octets (RFC 9266 section 2).
const LEN: usize = 32;

/// The exporter's secret of one connection, once the handshake has made it.
#[derive(Default)]
pub(crate) struct ExporterSecret(Mutex<Option<Zeroizing<Vec<u8>>>>);

impl ExporterSecret {
    /// The connection's `EXPORTER-Channel-Binding` value, once: the secret is gone afterwards.
    pub(crate) fn channel_binding(&self, suite: Option<SupportedCipherSuite>) -> Option<Vec<u8>> {
        let secret = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let Some(SupportedCipherSuite::Tls13(suite)) = suite else {
            return None;
        };
        let hash = suite.common.hash_provider;
        let expander = suite.hkdf_provider.expander_for_okm(&OkmBlock::new(&secret));
        let mut derived = Zeroizing::new(vec![0; hash.output_len()]);
        expand_label(expander.as_ref(), LABEL, &empty(hash), &mut derived)?;
        let expander = suite.hkdf_provider.expander_for_okm(&OkmBlock::new(&derived));
        let mut value = vec![0; LEN];
        // The context is of no length.
        expand_label(expander.as_ref(), b"exporter", &empty(hash), &mut value)?;
        Some(value)
    }
}

impl KeyLog for ExporterSecret {
    fn will_log(&self, label: &str) -> bool {
        label == "EXPORTER_SECRET"
    }

    fn log(&self, label: &str, _client_random: &[u8], secret: &[u8]) {
        if self.will_log(label) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Zeroizing::new(secret.to_vec()));
        }
    }
}

impl std::fmt::Debug for ExporterSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ExporterSecret")
    }
}

fn empty(hash: &dyn Hash) -> Vec<u8> {
    hash.hash(&[]).as_ref().to_vec()
}

/// HKDF-Expand-Label (RFC 8446 section 7.1).
fn expand_label(expander: &dyn HkdfExpander, label: &[u8], context: &[u8], output: &mut [u8]) -> Option<()> {
    let length = u16::try_from(output.len()).ok()?.to_be_bytes();
    let label_length = [u8::try_from(PREFIX.len() + label.len()).ok()?];
    let context_length = [u8::try_from(context.len()).ok()?];
    expander.expand_slice(&[&length, &label_length, PREFIX, label, &context_length, context], output).ok()
}

const PREFIX: &[u8] = b"tls13 ";
