//! Private keys under a password: encrypted PKCS#8 (RFC 5958 section 3) and OpenSSL's old PEM encryption.
//!
//! Fails with the method's name if it isn't supported, with its costs if they are above the limits, and then, before any
//! work is done, without a password. See [`crate::encryption`] for what is understood and its bounds.

use zeroize::Zeroizing;

use super::{KeyError, PrivateKey};
use crate::ber::{BerError, Reader};
use crate::encryption::legacy::Legacy;
use crate::encryption::{Opener, Password, Scheme, SchemeError};

/// Opens an `ENCRYPTED PRIVATE KEY`.
pub fn decrypt_pkcs8(der: &[u8], opener: &mut Opener<'_>) -> Result<PrivateKey, KeyError> {
    let Ok((algorithm, ciphertext)) = parts(der) else {
        return Err(KeyError::Damaged { format: FORMAT });
    };
    let scheme = Scheme::read(algorithm).map_err(refused)?;
    scheme.check(&ciphertext).map_err(refused)?;
    let password = Password::new(opener.password.ok_or(KeyError::PasswordNeeded)?);
    let opened = scheme.open(&password, &ciphertext, opener.work()).map_err(refused)?;
    parsed(PrivateKey::from_pkcs8(&opened.ok_or(KeyError::WrongPassword)?))
}

/// Opens a PEM block's old encryption; the label says what is inside.
pub fn decrypt_legacy(legacy: &Legacy, ciphertext: &[u8], opener: &Opener<'_>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    if !legacy.fits(ciphertext) {
        return Err(KeyError::Damaged { format: "what OpenSSL's old method encrypts" });
    }
    let password = opener.password.ok_or(KeyError::PasswordNeeded)?;
    legacy.open(password, ciphertext).ok_or(KeyError::WrongPassword)
}

/// One wrong password in 256 decrypts to correct padding, and then to anything but a key.
pub fn parsed(key: Result<PrivateKey, KeyError>) -> Result<PrivateKey, KeyError> {
    match key {
        Err(KeyError::Damaged { .. }) => Err(KeyError::WrongPassword),
        other => other,
    }
}

/// EncryptedPrivateKeyInfo: the algorithm and the ciphertext.
fn parts(der: &[u8]) -> Result<(Reader<'_>, Zeroizing<Vec<u8>>), BerError> {
    let mut info = Reader::new(der).sequence("an encrypted private key")?;
    let algorithm = info.sequence("an encryption")?;
    let ciphertext = info.octets("a ciphertext")?;
    // Anything else that begins with a sequence and a string has no identifier there.
    algorithm.clone().identifier("an encryption's identifier")?;
    Ok((algorithm, ciphertext))
}

/// A scheme's refusal, about a private key.
pub fn refused(error: SchemeError) -> KeyError {
    match error {
        SchemeError::Damaged(_) => KeyError::Damaged { format: FORMAT },
        SchemeError::Unsupported(scheme) => KeyError::UnsupportedEncryption { scheme },
        SchemeError::TooCostly { what, limit } => KeyError::TooCostly { what, limit },
    }
}

const FORMAT: &str = "encrypted PKCS#8";

#[cfg(test)]
mod tests;
