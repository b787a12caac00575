//! What a client says in SCRAM (RFC 5802 section 7).

use data_encoding::BASE64;

use super::super::{identity, SaslError};
use super::keys::{Key, KEY_OCTETS};

/// `client-first-message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFirst {
    /// `gs2-header`, as said.
    pub gs2_header: String,
    /// What is said about channel binding.
    pub binding: Binding,
    /// Who they want to act as.
    pub act_as: Option<String>,
    /// Who they are.
    pub identity: String,
    /// Their part of the nonce.
    pub nonce: String,
    /// `client-first-message-bare`, as said.
    pub bare: String,
}

/// `gs2-cbind-flag`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// `n`: the client cannot.
    None,
    /// `y`: the client can, and believes that the server cannot.
    NotOffered,
    /// `p=`: the client does, by this type.
    Used(String),
}

/// `client-final-message`.
#[derive(Debug)]
pub struct ClientFinal {
    /// `cbind-input`: the header once more, and the value that binds.
    pub binding: Vec<u8>,
    /// The whole nonce.
    pub nonce: String,
    /// The proof.
    pub proof: Key,
    /// `client-final-message-without-proof`, as said.
    pub without_proof: String,
}

impl ClientFirst {
    /// Reads it.
    pub fn parse(octets: &[u8]) -> Result<Self, SaslError> {
        let text = std::str::from_utf8(octets).map_err(|_| SaslError::Malformed)?;
        let (flag, rest) = text.split_once(',').ok_or(SaslError::Malformed)?;
        let (act_as, bare) = rest.split_once(',').ok_or(SaslError::Malformed)?;
        let binding = match flag {
            "n" => Binding::None,
            "y" => Binding::NotOffered,
            _ => Binding::Used(binding_name(attribute(flag, "p=")?)?),
        };
        let act_as = match act_as {
            "" => None,
            text => Some(saslname(attribute(text, "a=")?)?),
        };
        // An `m=` in front of the name would be an extension that must be understood: it is none of these, so it is refused.
        let mut attributes = bare.split(',');
        let identity = saslname(attribute(attributes.next().unwrap_or_default(), "n=")?)?;
        let nonce = nonce(attribute(attributes.next().unwrap_or_default(), "r=")?, MAX_NONCE)?;
        attributes.try_for_each(extension)?;
        let gs2_header = text.get(..text.len() - bare.len()).unwrap_or_default().to_owned();
        Ok(ClientFirst { gs2_header, binding, act_as, identity, nonce, bare: bare.to_owned() })
    }
}

impl ClientFinal {
    /// Reads it.
    pub fn parse(octets: &[u8]) -> Result<Self, SaslError> {
        let text = std::str::from_utf8(octets).map_err(|_| SaslError::Malformed)?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(SaslError::Malformed)?;
        let mut attributes = without_proof.split(',');
        let binding = attribute(attributes.next().unwrap_or_default(), "c=")?;
        let binding = BASE64.decode(binding.as_bytes()).map_err(|_| SaslError::Malformed)?;
        let nonce = nonce(attribute(attributes.next().unwrap_or_default(), "r=")?, 2 * MAX_NONCE)?;
        attributes.try_for_each(extension)?;
        let proof = BASE64.decode(proof.as_bytes()).map_err(|_| SaslError::Malformed)?;
        let proof = <[u8; KEY_OCTETS]>::try_from(proof).map_err(|_| SaslError::Malformed)?;
        Ok(ClientFinal { binding, nonce, proof, without_proof: without_proof.to_owned() })
    }
}

fn attribute<'a>(text: &'a str, name: &str) -> Result<&'a str, SaslError> {
    text.strip_prefix(name).ok_or(SaslError::Malformed)
}

/// `attr-val`, of an extension that may be ignored.
fn extension(text: &str) -> Result<(), SaslError> {
    match text.as_bytes() {
        [letter, b'=', _, ..] if letter.is_ascii_alphabetic() => Ok(()),
        _ => Err(SaslError::Malformed),
    }
}

/// `cb-name`.
fn binding_name(text: &str) -> Result<String, SaslError> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    match !text.is_empty() && text.len() <= MAX_NONCE && text.bytes().all(good) {
        true => Ok(text.to_owned()),
        false => Err(SaslError::Malformed),
    }
}

/// `saslname`: `=2C` is a comma, `=3D` an equals sign, and `=` nothing else.
fn saslname(text: &str) -> Result<String, SaslError> {
    let mut name = String::with_capacity(text.len());
    let mut pieces = text.split('=');
    name.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (sign, rest) = match (piece.strip_prefix("2C"), piece.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (None, Some(rest)) => ('=', rest),
            (None, None) => return Err(SaslError::Malformed),
        };
        name.push(sign);
        name.push_str(rest);
    }
    identity(name.as_bytes())
}

/// `printable`: no comma, nothing outside visible ASCII.
fn nonce(text: &str, max: usize) -> Result<String, SaslError> {
    match (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b',') {
        true => Ok(text.to_owned()),
        false => Err(SaslError::Malformed),
    }
}

/// Longest nonce of a client. Clients have 18 to 64 characters.
const MAX_NONCE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn first(text: &str) -> Result<ClientFirst, SaslError> {
        ClientFirst::parse(text.as_bytes())
    }

    #[test]
    fn first_messages() {
        let read = first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
        assert_eq!((read.gs2_header.as_str(), read.bare.as_str()), ("n,,", "n=user,r=rOprNGfwEbeRWgbNEkqO"));
        assert_eq!((read.binding, read.act_as, read.identity.as_str()), (Binding::None, None, "user"));
        let read = first("p=tls-exporter,a=b=2Cc,n=a=3Db=2C,r=x,f=more,g=1").unwrap();
        assert_eq!(read.binding, Binding::Used("tls-exporter".into()));
        assert_eq!((read.act_as.as_deref(), read.identity.as_str()), (Some("b,c"), "a=b,"));
        assert_eq!(read.gs2_header, "p=tls-exporter,a=b=2Cc,");
        assert_eq!(first("y,,n=\u{fc},r=x").unwrap().identity, "\u{fc}");
    }

    #[test]
    fn what_is_no_first_message() {
        let long = format!("n,,n=a,r={}", "x".repeat(MAX_NONCE + 1));
        for bad in [
            "",
            "n",
            "n,",
            "n,,",
            "n,,n=a",
            "n,,n=a,",
            "n,,n=a,r=",
            "n,,n=,r=x",
            "n,,r=x,n=a",
            "n,,m=x,n=a,r=x",
            "x,,n=a,r=x",
            "p=,,n=a,r=x",
            "p=a b,,n=a,r=x",
            "n,b=x,n=a,r=x",
            "n,a=,n=a,r=x",
            "n,,n=a=2c,r=x",
            "n,,n=a=,r=x",
            "n,,n=a,r=x y",
            "n,,n=a,r=\u{fc}",
            "n,,n=a\0,r=x",
            "n,,n=a,r=x,",
            "n,,n=a,r=x,1=2",
            "n,,n=a,r=x,f=",
            &long,
        ] {
            assert_eq!(first(bad), Err(SaslError::Malformed), "{bad:?}");
        }
        assert!(ClientFirst::parse(b"n,,n=\xff,r=x").is_err());
    }

    #[test]
    fn final_messages() {
        let proof = BASE64.encode(&[7; 32]);
        let last = ClientFinal::parse(format!("c=biws,r=abc,x=y,p={proof}").as_bytes()).unwrap();
        assert_eq!((last.binding.as_slice(), last.nonce.as_str(), last.proof), (&b"n,,"[..], "abc", [7; 32]));
        assert_eq!(last.without_proof, "c=biws,r=abc,x=y");
        for bad in [
            String::new(),
            format!("c=biws,r=abc,p={}", BASE64.encode(&[7; 31])),
            "c=biws,r=abc,p=".into(),
            "c=biws,r=abc".into(),
            format!("c=biw,r=abc,p={proof}"),
            format!("r=abc,c=biws,p={proof}"),
            format!("c=biws,r=,p={proof}"),
            format!("c=biws,r=abc,p={proof},x=y"),
        ] {
            assert!(ClientFinal::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn names_survive(name in "[ -~\u{e4}]{1,40}", act_as in proptest::option::of("[ -~]{1,40}")) {
            let write = |name: &str| name.replace('=', "=3D").replace(',', "=2C");
            let act = act_as.as_deref().map(|name| format!("a={}", write(name))).unwrap_or_default();
            let read = first(&format!("n,{act},n={},r=x", write(&name))).unwrap();
            prop_assert_eq!((read.identity, read.act_as), (name, act_as));
        }

        #[test]
        fn nothing_makes_it_panic(octets in proptest::collection::vec(any::<u8>(), 0..60), text in "[nypacr=,2CD3xä]{0,40}") {
            for octets in [octets.as_slice(), text.as_bytes()] {
                let _ = ClientFirst::parse(octets);
                let _ = ClientFinal::parse(octets);
            }
        }
    }
}
