//! What a PEM label means. Every label that programs write around keys and certificates has a name here, so
//! that a refusal says what the file is and what to bring instead.

/// What a PEM block holds, by its label.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Label {
    /// `CERTIFICATE`, `X509 CERTIFICATE`.
    Certificate,
    /// `TRUSTED CERTIFICATE`: OpenSSL's certificate followed by trust settings.
    TrustedCertificate,
    /// `PRIVATE KEY`: PKCS#8 (RFC 5958).
    Pkcs8,
    /// `ENCRYPTED PRIVATE KEY`: PKCS#8 under a password.
    EncryptedPkcs8,
    /// `RSA PRIVATE KEY`: PKCS#1 (RFC 8017).
    Pkcs1,
    /// `EC PRIVATE KEY`: SEC1 (RFC 5915).
    Sec1,
    /// `EC PARAMETERS`: comes before a SEC1 key and adds nothing to it.
    EcParameters,
    /// `PKCS7`, `CMS`: a chain in a bundle (RFC 5652).
    Pkcs7,
    /// `PKCS12`: certificates and keys in a bundle (RFC 7292).
    Pkcs12,
    /// Something that a certificate store has no use for.
    Useless(&'static Useless),
    /// A label nobody has told us about.
    Unknown(String),
}

/// A kind of file that is refused: what it is, and what to bring.
#[derive(Debug, PartialEq, Eq)]
pub struct Useless {
    /// With its article: "an OpenSSH private key".
    pub what: &'static str,
    /// One sentence on what to do.
    pub cure: &'static str,
}

impl Label {
    /// The meaning of a label's text.
    pub fn of(text: &str) -> Self {
        match text {
            "CERTIFICATE" | "X509 CERTIFICATE" => Self::Certificate,
            "TRUSTED CERTIFICATE" => Self::TrustedCertificate,
            "PRIVATE KEY" => Self::Pkcs8,
            "ENCRYPTED PRIVATE KEY" => Self::EncryptedPkcs8,
            "RSA PRIVATE KEY" => Self::Pkcs1,
            "EC PRIVATE KEY" => Self::Sec1,
            "EC PARAMETERS" => Self::EcParameters,
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Self::Useless(&CSR),
            "X509 CRL" => Self::Useless(&CRL),
            "PUBLIC KEY" | "RSA PUBLIC KEY" | "EC PUBLIC KEY" | "DSA PUBLIC KEY" => Self::Useless(&PUBLIC_KEY),
            "DSA PRIVATE KEY" | "DSA PARAMETERS" => Self::Useless(&DSA),
            "OPENSSH PRIVATE KEY" => Self::Useless(&OPENSSH),
            "SSH2 PUBLIC KEY" | "SSH2 ENCRYPTED PRIVATE KEY" => Self::Useless(&OPENSSH),
            "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS" => Self::Pkcs7,
            "PKCS12" => Self::Pkcs12,
            "DH PARAMETERS" | "X9.42 DH PARAMETERS" => Self::Useless(&DH),
            "ATTRIBUTE CERTIFICATE" => Self::Useless(&ATTRIBUTE),
            "SSL SESSION PARAMETERS" => Self::Useless(&SESSION),
            other if other.starts_with("PGP ") => Self::Useless(&PGP),
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// What it is, with its article, for a message.
    pub fn what(&self) -> String {
        match self {
            Self::Certificate | Self::TrustedCertificate => "a certificate".into(),
            Self::Pkcs8 => "a PKCS#8 private key".into(),
            Self::EncryptedPkcs8 => "an encrypted PKCS#8 private key".into(),
            Self::Pkcs1 => "an RSA private key (PKCS#1)".into(),
            Self::Sec1 => "an EC private key (SEC1)".into(),
            Self::EcParameters => "EC parameters".into(),
            Self::Pkcs7 => "a PKCS#7 bundle".into(),
            Self::Pkcs12 => "a PKCS#12 bundle".into(),
            Self::Useless(useless) => useless.what.into(),
            Self::Unknown(label) => format!("an unknown block \"{label}\""),
        }
    }
}

pub(super) static CSR: Useless = Useless {
    what: "a certificate signing request",
    cure: "send it to a certificate authority and import the certificate that comes back",
};
pub(super) static CRL: Useless =
    Useless { what: "a certificate revocation list", cure: "bring the server's certificate instead" };
pub(super) static PUBLIC_KEY: Useless =
    Useless { what: "a public key", cure: "bring the certificate and the private key that belongs to it" };
static DSA: Useless = Useless {
    what: "a DSA key",
    cure: "no current mail client accepts DSA: create an RSA or ECDSA key with `dovetail certs create`",
};
pub(super) static OPENSSH: Useless = Useless {
    what: "an SSH key",
    cure: "SSH keys don't serve TLS: bring the key that the certificate was requested with",
};
static DH: Useless = Useless { what: "Diffie-Hellman parameters", cure: "they aren't needed: leave them out" };
static ATTRIBUTE: Useless =
    Useless { what: "an attribute certificate", cure: "bring the server's X.509 certificate instead" };
static SESSION: Useless =
    Useless { what: "a saved TLS session", cure: "bring a certificate and its private key instead" };
static PGP: Useless = Useless {
    what: "an OpenPGP key or message",
    cure: "OpenPGP keys don't serve TLS: bring an X.509 certificate and its private key",
};
pub(super) static PUTTY: Useless = Useless {
    what: "a PuTTY key (.ppk)",
    cure: "SSH keys don't serve TLS: bring the key that the certificate was requested with",
};
pub(super) static JKS: Useless = Useless {
    what: "a Java key store (JKS)",
    cure: "convert it to PKCS#12 and bring that: keytool -importkeystore -srckeystore IN -destkeystore out.p12 \
           -deststoretype pkcs12",
};
pub(super) static JCEKS: Useless = Useless {
    what: "a Java key store (JCEKS)",
    cure: "convert it to PKCS#12 and bring that: keytool -importkeystore -srckeystore IN -srcstoretype jceks \
           -destkeystore out.p12 -deststoretype pkcs12",
};
pub(super) static NSS: Useless = Useless {
    what: "a database, perhaps that of NSS (cert9.db, key4.db)",
    cure: "export the certificate with its key: pk12util -o out.p12 -n NICKNAME -d DIRECTORY",
};
pub(super) static PVK: Useless = Useless {
    what: "a Microsoft private key file (.pvk)",
    cure: "convert it: openssl rsa -inform PVK -in KEY -out key.pem",
};
pub(super) static ARCHIVE: Useless =
    Useless { what: "a compressed archive", cure: "unpack it and bring the certificate's file" };
