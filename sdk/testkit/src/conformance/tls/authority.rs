//! Certificates for the cases, made on the spot: nothing here is a fixture that expires.
//!
//! **How it fails.** What cannot be made is the suite's own fault, and panics.

use dovetail_sdk::{certs::Identity, Secret};
use rcgen::{
    date_time_ymd, BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose as Purpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose as Usage,
    RevokedCertParams, RsaKeySize, SerialNumber, SignatureAlgorithm,
};
use std::sync::{
    atomic::{AtomicU64, Ordering},
    OnceLock,
};

/// An authority that exists for one case.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate.
    pub(super) der: Vec<u8>,
    /// What stands in a chain between a leaf and the trust anchor.
    between: Vec<Vec<u8>>,
    /// The serial number of its certificate.
    pub(super) serial: u64,
}

/// What a certificate says.
#[derive(Clone)]
pub(super) struct Leaf {
    names: Vec<String>,
    key: Key,
    purposes: Vec<Purpose>,
    years: (i32, i32),
    serial: u64,
    common_name_only: bool,
}

/// The kind of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    P256,
    P384,
    Ed25519,
    Rsa,
}

impl Leaf {
    /// A server's certificate for a name, good now, with a P-256 key.
    pub(super) fn server(name: &str) -> Self {
        Leaf {
            names: vec![name.to_owned()],
            key: Key::P256,
            purposes: vec![Purpose::ServerAuth],
            years: (2020, 2100),
            serial: next(),
            common_name_only: false,
        }
    }

    /// A client's.
    pub(super) fn client(name: &str) -> Self {
        Leaf { purposes: vec![Purpose::ClientAuth], ..Leaf::server(name) }
    }

    pub(super) fn key(self, key: Key) -> Self {
        Leaf { key, ..self }
    }

    /// For one name more.
    pub(super) fn and(mut self, name: &str) -> Self {
        self.names.push(name.to_owned());
        self
    }

    /// Good from the beginning of one year to that of another.
    pub(super) fn years(self, from: i32, to: i32) -> Self {
        Leaf { years: (from, to), ..self }
    }

    /// The name is where it was before names had an extension of their own.
    pub(super) fn common_name_only(self) -> Self {
        Leaf { common_name_only: true, ..self }
    }

    pub(super) fn serial(&self) -> u64 {
        self.serial
    }
}

impl Authority {
    /// One that signs itself.
    pub(super) fn new() -> Self {
        let serial = next();
        let params = authority_params(serial);
        let key = made(KeyPair::generate());
        let der = made(params.self_signed(&key)).der().to_vec();
        Authority { issuer: Issuer::new(params, key), der, between: Vec::new(), serial }
    }

    /// One that is signed by this.
    pub(super) fn intermediate(&self) -> Self {
        let serial = next();
        let params = authority_params(serial);
        let key = made(KeyPair::generate());
        let der = made(params.signed_by(&key, &self.issuer)).der().to_vec();
        let between = std::iter::once(der.clone()).chain(self.between.iter().cloned()).collect();
        Authority { issuer: Issuer::new(params, key), der, between, serial }
    }

    /// Makes a certificate and its key.
    pub(super) fn issue(&self, leaf: &Leaf) -> Identity {
        let names = if leaf.common_name_only { Vec::new() } else { leaf.names.clone() };
        let mut params = made(CertificateParams::new(names));
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(name) = leaf.names.first() {
            params.distinguished_name.push(DnType::CommonName, name.as_str());
        }
        params.extended_key_usages.clone_from(&leaf.purposes);
        params.key_usages = vec![Usage::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(SerialNumber::from(leaf.serial));
        (params.not_before, params.not_after) = (date_time_ymd(leaf.years.0, 1, 1), date_time_ymd(leaf.years.1, 1, 1));
        let key = leaf.key.pair();
        let signed = made(params.signed_by(&key, &self.issuer));
        let chain = std::iter::once(signed.der().to_vec()).chain(self.between.iter().cloned()).collect();
        let name = leaf.names.first().cloned().unwrap_or_default();
        Identity { name, chain, key: leaf.key.secret(&key) }
    }

    /// A revocation list with these serial numbers.
    pub(super) fn revokes(&self, serials: &[u64]) -> Vec<u8> {
        let revoked = serials.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2021, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2021, 1, 1),
            next_update: date_time_ymd(2100, 1, 1),
            crl_number: SerialNumber::from(next()),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        made(list.signed_by(&self.issuer)).der().to_vec()
    }
}

impl Key {
    pub(super) fn pair(self) -> KeyPair {
        let of = |algorithm: &'static SignatureAlgorithm| made(KeyPair::generate_for(algorithm));
        match self {
            Key::P256 => of(&rcgen::PKCS_ECDSA_P256_SHA256),
            Key::P384 => of(&rcgen::PKCS_ECDSA_P384_SHA384),
            Key::Ed25519 => of(&rcgen::PKCS_ED25519),
            // Slow to make, and nothing here depends on there being two.
            Key::Rsa => {
                let der = RSA.get_or_init(|| {
                    made(KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048)).serialize_der()
                });
                made(KeyPair::try_from(der.as_slice()))
            }
        }
    }
}

impl Key {
    /// PKCS#8 v1, as `dovetail.certs/1` has it. Ed25519 keys come out as v2 (RFC 5958), with the public key behind the private one.
    pub(super) fn secret(self, pair: &KeyPair) -> Secret {
        let der = pair.serialize_der();
        match (self, der.get(SEED)) {
            (Key::Ed25519, Some(seed)) => Secret::new([ED25519_V1, seed].concat()),
            _ => Secret::new(der),
        }
    }
}

/// Where the private key of an Ed25519 key stands in either version.
const SEED: std::ops::Range<usize> = 16..48;
/// What stands before it in version 1 (RFC 8410 §7).
const ED25519_V1: &[u8] = &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

fn authority_params(serial: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![Usage::KeyCertSign, Usage::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(SerialNumber::from(serial));
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2100, 1, 1));
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("conformance authority {}", next()));
    params
}

#[track_caller]
fn made<T>(made: Result<T, rcgen::Error>) -> T {
    made.unwrap_or_else(|error| panic!("the suite's own certificate: {error}"))
}

/// A number that was not given out before; never with its top bit set, so that it is positive in DER.
fn next() -> u64 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

static NUMBERS: AtomicU64 = AtomicU64::new(1000);
static RSA: OnceLock<Vec<u8>> = OnceLock::new();
