//! What all contexts have in common, on either side.
//!
//! Everything that matters is set here, so that the system's `openssl.cnf` decides nothing of it. Suites are Mozilla's
//! (intermediate, without DHE: nobody who speaks TLS 1.2 with AEAD needs it, and its parameters cost an operator thought).
//! Our order counts, ECDSA before RSA, since an RSA signature costs about 20 times as much; clients that like ChaCha20 best
//! get it. A group after quantum computers comes first where OpenSSL knows it (3.5 and later).

use super::policy::Versions;
use openssl::{
    error::ErrorStack,
    ssl::{SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslSessionCacheMode},
};

/// A context that speaks these versions.
pub(crate) fn common(method: SslMethod, (min, max): Versions) -> Result<SslContextBuilder, ErrorStack> {
    let mut builder = SslContext::builder(method)?;
    builder.clear_options(builder.options());
    builder.set_options(
        SslOptions::NO_COMPRESSION
            | SslOptions::NO_RENEGOTIATION
            | SslOptions::CIPHER_SERVER_PREFERENCE
            | SslOptions::PRIORITIZE_CHACHA
            | SslOptions::ENABLE_MIDDLEBOX_COMPAT,
    );
    builder.set_mode(
        SslMode::AUTO_RETRY
            | SslMode::NO_AUTO_CHAIN
            | SslMode::ENABLE_PARTIAL_WRITE
            | SslMode::ACCEPT_MOVING_WRITE_BUFFER
            | SslMode::from_bits_retain(RELEASE_BUFFERS),
    );
    // A record's header and body come in one read.
    builder.set_read_ahead(true);
    builder.set_min_proto_version(Some(min))?;
    builder.set_max_proto_version(Some(max))?;
    builder.set_ciphersuites(SUITES_13)?;
    builder.set_cipher_list(SUITES_12)?;
    builder.set_sigalgs_list(SIGNATURES)?;
    builder.set_groups_list(GROUPS_HYBRID).or_else(|_| builder.set_groups_list(GROUPS))?;
    // Suites, signatures and groups are named one by one above. Here a higher level would only refuse certificates of ours
    // that the store has warned of. What peers show is judged at level 2: 112 bits.
    builder.set_security_level(0);
    builder.verify_param_mut().set_auth_level(2);
    builder.set_verify_depth(MAX_INTERMEDIATES);
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    Ok(builder)
}

const SUITES_13: &str = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";
const SUITES_12: &str = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:\
                         ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305";
const SIGNATURES: &str = "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519:\
                          rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:\
                          rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512";
const GROUPS_HYBRID: &str = "X25519MLKEM768:X25519:P-256:P-384";
const GROUPS: &str = "X25519:P-256:P-384";
const MAX_INTERMEDIATES: u32 = 8;
/// SSL_MODE_RELEASE_BUFFERS: a connection that waits holds no buffers for records (34 kB).
const RELEASE_BUFFERS: i64 = 0x10;
