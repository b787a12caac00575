//! Which certificates of clients are good.
//!
//! Chains end at one of the given anchors, which may be any certificate, not only a root. With any revocation list, each
//! certificate of a chain but the anchor must be on the books of a list of its issuer: a state that is not known is not good.

use super::{errors::failure, ffi, guard::contained};
use dovetail_sdk::tls::{ClientAuth, ClientCertificates, TlsError, TlsErrorCode};
use openssl::{
    error::ErrorStack,
    sha::{sha256, Sha256},
    ssl::{SslContextBuilder, SslVerifyMode},
    stack::Stack,
    x509::{
        store::{X509Store, X509StoreBuilder},
        verify::X509VerifyFlags,
        X509Crl, X509StoreContextRef, X509VerifyResult, X509,
    },
};

/// See the module.
pub(crate) struct Clients {
    mode: SslVerifyMode,
    anchors: Vec<X509>,
    crls: Vec<X509Crl>,
    digest: [u8; 32],
}

impl Clients {
    /// # Errors
    /// [`TlsErrorCode::BadPolicy`] if certificates are asked for and nobody could be trusted, or an anchor or a list cannot
    /// be read.
    pub(crate) fn new(place: &str, policy: &ClientCertificates) -> Result<Self, TlsError> {
        let mode = match policy.mode {
            ClientAuth::Off => {
                return Ok(Clients { mode: SslVerifyMode::NONE, anchors: vec![], crls: vec![], digest: sha256(b"off") })
            }
            ClientAuth::Optional => SslVerifyMode::PEER,
            _ => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
        };
        let anchors = anchors(place, &policy.anchors)?;
        let read = |(position, der): (usize, &Vec<u8>)| {
            X509Crl::from_der(der).map_err(|_| {
                let text = format!("revocation list {} cannot be read; give X.509 lists", position + 1);
                failure(TlsErrorCode::BadPolicy, place, text)
            })
        };
        let crls = policy.crls.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Clients { mode, anchors, crls, digest: digest(policy) })
    }

    /// Whether clients are asked for certificates.
    pub(crate) fn are_asked(&self) -> bool {
        self.mode != SslVerifyMode::NONE
    }

    /// Equal for equal policies, whatever the order of anchors and lists.
    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Has a context ask for certificates and verify them.
    pub(crate) fn apply(&self, builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
        // Belongs to each session; those of another policy are not resumed, even if their tickets could be opened.
        builder.set_session_id_context(&self.digest)?;
        if !self.are_asked() {
            builder.set_verify(SslVerifyMode::NONE);
            return Ok(());
        }
        let mut names = Stack::new()?;
        for anchor in &self.anchors {
            names.push(anchor.subject_name().to_owned()?)?;
        }
        builder.set_client_ca_list(names);
        builder.set_cert_store(store(&self.anchors, &self.crls)?);
        let parameters = builder.verify_param_mut();
        parameters.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        if !self.crls.is_empty() {
            parameters.set_flags(X509VerifyFlags::CRL_CHECK | X509VerifyFlags::CRL_CHECK_ALL)?;
        }
        builder.set_verify_callback(self.mode, |good, found| contained(false, || good || is_about_the_anchor(found)));
        Ok(())
    }
}

/// OpenSSL wants a list of the anchor's issuer too. But nobody asks whether the anchor is good: it was said to be.
fn is_about_the_anchor(found: &mut X509StoreContextRef) -> bool {
    let last = found.chain().map_or(0, |chain| chain.len().saturating_sub(1));
    let depth = usize::try_from(found.error_depth()).unwrap_or(0);
    let excused = found.error().as_raw() == UNABLE_TO_GET_CRL && depth > 0 && depth == last;
    if excused {
        found.set_error(X509VerifyResult::OK);
    }
    excused
}

/// Reads trust anchors.
///
/// # Errors
/// [`TlsErrorCode::BadPolicy`] if there are none, or one cannot be read.
pub(crate) fn anchors(place: &str, anchors: &[Vec<u8>]) -> Result<Vec<X509>, TlsError> {
    let bad = |text: String| failure(TlsErrorCode::BadPolicy, place, text);
    if anchors.is_empty() {
        return Err(bad("no trust anchors, so nobody could ever be trusted; give at least one".into()));
    }
    let read = |(position, der): (usize, &Vec<u8>)| {
        X509::from_der(der)
            .map_err(|_| bad(format!("trust anchor {} cannot be used: it is no X.509 certificate", position + 1)))
    };
    anchors.iter().enumerate().map(read).collect()
}

/// A store of anchors and revocation lists.
pub(crate) fn store(anchors: &[X509], crls: &[X509Crl]) -> Result<X509Store, ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    for anchor in anchors {
        store.add_cert(anchor.clone())?;
    }
    for crl in crls {
        ffi::add_crl(&mut store, crl)?;
    }
    Ok(store.build())
}

fn digest(policy: &ClientCertificates) -> [u8; 32] {
    let sorted = |items: &[Vec<u8>]| {
        let mut digests: Vec<[u8; 32]> = items.iter().map(|item| sha256(item)).collect();
        digests.sort_unstable();
        digests.dedup();
        digests.concat()
    };
    let mut all = Sha256::new();
    all.update(if policy.mode == ClientAuth::Optional { b"optional" } else { b"required" });
    all.update(&sha256(&sorted(&policy.anchors)));
    all.update(&sha256(&sorted(&policy.crls)));
    all.finish()
}

/// X509_V_ERR_UNABLE_TO_GET_CRL.
const UNABLE_TO_GET_CRL: i32 = 3;
