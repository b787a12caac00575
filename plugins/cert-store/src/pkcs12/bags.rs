//! The contents of a bundle: safes in clear or under the password, and the bags in them (RFC 7292 section 4.2).

use zeroize::Zeroizing;

use super::{content_info, names, Bundle, Pkcs12Error, MAX_BAGS, MAX_NESTING};
use crate::ber::{BerError, Element, Reader, CONTEXT_0, CONTEXT_0_STRING};
use crate::encryption::{Password, Scheme, Work};

/// Everything in an AuthenticatedSafe.
pub fn take_out(safe: &[u8], password: &Password, work: &mut Work) -> Result<Bundle, Pkcs12Error> {
    let mut taker = Taker { bundle: Bundle::default(), password, work, bags: 0 };
    let mut safes = Reader::new(safe).sequence("the bundle's safes")?;
    while !safes.is_empty() {
        taker.safe(&mut safes)?;
    }
    Ok(taker.bundle)
}

struct Taker<'a> {
    bundle: Bundle,
    password: &'a Password,
    work: &'a mut Work,
    bags: usize,
}

impl Taker<'_> {
    fn safe(&mut self, safes: &mut Reader<'_>) -> Result<(), Pkcs12Error> {
        let (kind, content) = content_info(safes)?;
        let content = content.ok_or(BerError::Unexpected { expected: "a safe's contents" })?;
        self.count()?;
        match kind {
            names::DATA => {
                let bags = content.reader().octets("a safe's contents")?;
                self.bags(&bags)
            }
            names::ENCRYPTED_DATA => {
                let mut data = content.reader().sequence("an encrypted safe")?;
                let _version = data.number("the encrypted safe's version")?;
                let mut info = data.sequence("an encrypted safe's contents")?;
                let _kind = info.identifier("a content's kind")?;
                let scheme = Scheme::read(info.sequence("an encryption")?)?;
                let ciphertext = info.element()?;
                if !matches!(ciphertext.tag, CONTEXT_0 | CONTEXT_0_STRING) {
                    return Err(BerError::Unexpected { expected: "a ciphertext" }.into());
                }
                let opened = self.decrypt(&scheme, &ciphertext)?;
                // Correct padding by chance, and then anything but bags: the password is wrong.
                if Reader::new(&opened).sequence("bags").is_err() {
                    return Err(Pkcs12Error::WrongPassword);
                }
                self.bags(&opened)
            }
            names::ENVELOPED_DATA => {
                Err(Pkcs12Error::Unsupported { scheme: "a public key instead of a password".to_owned() })
            }
            other => Err(Pkcs12Error::Unsupported { scheme: format!("an unknown kind of safe ({other})") }),
        }
    }

    fn bags(&mut self, contents: &[u8]) -> Result<(), Pkcs12Error> {
        self.each_bag(Reader::new(contents).sequence("a list of bags")?, 0)
    }

    fn each_bag(&mut self, mut bags: Reader<'_>, depth: usize) -> Result<(), Pkcs12Error> {
        while !bags.is_empty() {
            self.count()?;
            let mut bag = bags.sequence("a bag")?;
            let kind = bag.identifier("a bag's kind")?;
            let value = bag.expect(CONTEXT_0, "a bag's contents")?;
            match kind {
                names::KEY_BAG => {
                    let key = value.reader().element()?;
                    self.bundle.keys.push(Zeroizing::new(key.whole.to_vec()));
                }
                names::SHROUDED_KEY_BAG => {
                    let mut info = value.reader().sequence("an encrypted key")?;
                    let scheme = Scheme::read(info.sequence("an encryption")?)?;
                    let key = self.decrypt(&scheme, &info.element()?)?;
                    if Reader::new(&key).sequence("a key").is_err() {
                        return Err(Pkcs12Error::WrongPassword);
                    }
                    self.bundle.keys.push(key);
                }
                names::CERT_BAG => self.certificate(&value)?,
                names::CRL_BAG => self.bundle.revocation_list = true,
                names::SAFE_CONTENTS_BAG if depth == MAX_NESTING => return Err(BerError::TooDeep.into()),
                names::SAFE_CONTENTS_BAG => {
                    self.each_bag(value.reader().sequence("a list of bags")?, depth + 1)?;
                }
                _ => self.bundle.something_else = true,
            }
        }
        Ok(())
    }

    fn certificate(&mut self, value: &Element<'_>) -> Result<(), Pkcs12Error> {
        let mut bag = value.reader().sequence("a certificate bag")?;
        if bag.identifier("a certificate's kind")? != names::X509_CERTIFICATE {
            self.bundle.something_else = true;
            return Ok(());
        }
        let certificate = bag.expect(CONTEXT_0, "a certificate")?.reader().octets("a certificate")?;
        self.bundle.certificates.push(certificate.to_vec());
        Ok(())
    }

    fn decrypt(&mut self, scheme: &Scheme, ciphertext: &Element<'_>) -> Result<Zeroizing<Vec<u8>>, Pkcs12Error> {
        let ciphertext = ciphertext.octets()?;
        scheme.open(self.password, &ciphertext, self.work)?.ok_or(Pkcs12Error::WrongPassword)
    }

    fn count(&mut self) -> Result<(), Pkcs12Error> {
        self.bags += 1;
        if self.bags > MAX_BAGS {
            return Err(Pkcs12Error::TooMany);
        }
        Ok(())
    }
}
