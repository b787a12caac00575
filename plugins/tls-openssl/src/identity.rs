//! Certificates and keys, as OpenSSL wants them.

use super::{
    errors::{describe, failure},
    ffi,
};
use dovetail_sdk::{
    certs::Identity,
    tls::{TlsError, TlsErrorCode},
};
use openssl::{
    error::ErrorStack,
    pkey::{Id, PKey, Private},
    sha::{sha256, Sha256},
    ssl::SslContextBuilder,
    stack::Stack,
    x509::X509,
};

/// A certificate with its chain and its key.
pub(crate) struct Pair {
    pub(crate) leaf: X509,
    chain: Vec<X509>,
    key: PKey<Private>,
}

impl Pair {
    /// # Errors
    /// [`TlsErrorCode::BadIdentity`], naming the identity: a certificate or key that cannot be read, or that do not match.
    pub(crate) fn new(identity: &Identity) -> Result<Self, TlsError> {
        let bad = |text: String| failure(TlsErrorCode::BadIdentity, &format!("identity {}", identity.name), text);
        let read = |(position, der): (usize, &Vec<u8>)| {
            X509::from_der(der).map_err(|error| {
                bad(format!("certificate {} of its chain cannot be used: {}", position + 1, describe(&error)))
            })
        };
        let mut certificates = identity.chain.iter().enumerate().map(read);
        let leaf = certificates.next().ok_or_else(|| bad("it has no certificate; import it again".into()))??;
        let chain = certificates.collect::<Result<_, _>>()?;
        let key = PKey::private_key_from_pkcs8(identity.key.expose())
            .map_err(|error| bad(format!("its private key cannot be used: {}", describe(&error))))?;
        let belongs = leaf.public_key().is_ok_and(|public| public.public_eq(&key));
        // What did not compare left its reason behind.
        ErrorStack::get();
        if !belongs {
            return Err(bad("its private key does not belong to its certificate; import both again".into()));
        }
        Ok(Pair { leaf, chain, key })
    }

    /// Adds it to what a context shows.
    pub(crate) fn apply(&self, builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
        let mut chain = Stack::new()?;
        for certificate in &self.chain {
            chain.push(certificate.clone())?;
        }
        ffi::add_identity(builder, &self.leaf, &self.key, &chain)
    }

    /// Cheap signatures first: an RSA signature costs about 20 times as much as an ECDSA one.
    fn rank(&self) -> u8 {
        match self.key.id() {
            Id::EC => 0,
            Id::ED25519 => 1,
            _ => 2,
        }
    }
}

/// The identities that answer for a name: at most one of each kind of key.
pub(crate) struct IdentitySet {
    /// The store's id for the set.
    pub(crate) id: u64,
    pairs: Vec<Pair>,
}

impl IdentitySet {
    /// Makes a set of what the store has loaded. An unusable identity is left out and logged, if another is left.
    ///
    /// # Errors
    /// [`TlsErrorCode::BadIdentity`] if none can be used.
    pub(crate) fn new(id: u64, identities: &[Identity]) -> Result<Self, TlsError> {
        let mut pairs: Vec<Pair> = Vec::with_capacity(identities.len());
        let mut last = failure(TlsErrorCode::BadIdentity, "certificate store", "it gave an empty identity set");
        for identity in identities {
            match Pair::new(identity) {
                // OpenSSL has one place for each kind.
                Ok(pair) if pairs.iter().any(|other| other.key.id() == pair.key.id()) => {
                    tracing::debug!(identity = %identity.name, "another identity of its set has the same kind of key and is served instead");
                }
                Ok(pair) => pairs.push(pair),
                Err(error) => {
                    tracing::error!(identity = %identity.name, %error, "an identity cannot be served; import a good pair with `dovetail certs import --replace`");
                    last = error;
                }
            }
        }
        if pairs.is_empty() {
            return Err(last);
        }
        pairs.sort_by_key(Pair::rank);
        Ok(IdentitySet { id, pairs })
    }

    /// Adds all of them to what a context shows.
    pub(crate) fn apply(&self, builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
        self.pairs.iter().try_for_each(|pair| pair.apply(builder))
    }

    /// Equal for sets with equal leaf certificates.
    pub(crate) fn digest(&self) -> Result<[u8; 32], ErrorStack> {
        let mut all = Sha256::new();
        for pair in &self.pairs {
            all.update(&sha256(&pair.leaf.to_der()?));
        }
        Ok(all.finish())
    }

    #[cfg(test)]
    pub(crate) fn kinds(&self) -> Vec<Id> {
        self.pairs.iter().map(|pair| pair.key.id()).collect()
    }
}
