use super::*;
use crate::certificate::Certificate;
use crate::key::{KeyType, PrivateKey};
use crate::testing::{openssl, try_openssl};
use proptest::prelude::*;

/// A key and its certificate, as one PEM text, and the key's fingerprint.
struct Made {
    both: Vec<u8>,
    key: PrivateKey,
    certificate: Vec<u8>,
}

fn made() -> Made {
    let key = KeyType::EcdsaP256.generate().unwrap();
    let pem = key.to_pem();
    let crt = openssl(&["req", "-x509", "-new", "-key", "/dev/stdin", "-subj", "/CN=x"], pem.as_bytes());
    let certificate = openssl(&["x509", "-outform", "DER"], &crt);
    Made { both: [pem.as_bytes(), &crt].concat(), key, certificate }
}

/// `openssl pkcs12 -export` with further options.
fn export(made: &Made, password: &str, options: &[&str]) -> Vec<u8> {
    let pass = format!("pass:{password}");
    let args = [&["pkcs12", "-export", "-passout", &pass], options].concat();
    openssl(&args, &made.both)
}

fn opened(bytes: &[u8], password: Option<&str>) -> Result<Bundle, Pkcs12Error> {
    open(bytes, &mut Opener::new(password.map(str::as_bytes)))
}

fn holds(bundle: &Bundle, made: &Made, what: &str) {
    assert_eq!(bundle.certificates, [&made.certificate[..]], "{what}");
    let [key] = &bundle.keys[..] else { panic!("{what}: {} keys", bundle.keys.len()) };
    assert_eq!(PrivateKey::from_pkcs8(key).unwrap().fingerprint(), made.key.fingerprint(), "{what}");
}

const OLD: [&str; 4] = ["-provider", "legacy", "-provider", "default"];

#[test]
fn opens_everything_that_openssl_writes() {
    let made = made();
    let old = |options: &[&'static str]| [&OLD[..], options].concat();
    for options in [
        vec![],
        vec!["-keypbe", "AES-128-CBC", "-certpbe", "AES-192-CBC", "-macalg", "sha1"],
        vec!["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha384"],
        vec!["-keypbe", "PBE-SHA1-2DES", "-certpbe", "NONE", "-macalg", "sha512"],
        vec!["-keypbe", "NONE", "-certpbe", "NONE", "-macalg", "sha224"],
        vec!["-nomaciter", "-noiter"],
        vec!["-nomac"],
        old(&["-legacy"]),
        old(&["-keypbe", "PBE-SHA1-RC2-128", "-certpbe", "PBE-SHA1-RC2-40"]),
        old(&["-keypbe", "PBE-SHA1-RC4-128", "-certpbe", "PBE-SHA1-RC4-40"]),
    ] {
        let bytes = export(&made, "sesame", &options);
        assert!(looks_like_one(&bytes), "{options:?}");
        holds(&opened(&bytes, Some("sesame")).unwrap(), &made, &format!("{options:?}"));
        assert_eq!(opened(&bytes, Some("guess")).err(), Some(Pkcs12Error::WrongPassword), "{options:?}");
        assert_eq!(opened(&bytes, None).err(), Some(Pkcs12Error::PasswordNeeded), "{options:?}");
    }
}

#[test]
fn a_bundle_in_clear_needs_no_password() {
    let made = made();
    let bytes = export(&made, "", &["-keypbe", "NONE", "-certpbe", "NONE", "-nomac"]);
    holds(&opened(&bytes, None).unwrap(), &made, "none");
    holds(&opened(&bytes, Some("whatever")).unwrap(), &made, "not needed");
}

#[test]
fn an_empty_password_is_found_without_one() {
    let made = made();
    for options in [&[][..], &["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"]] {
        let bytes = export(&made, "", options);
        holds(&opened(&bytes, None).unwrap(), &made, "none given");
        holds(&opened(&bytes, Some("")).unwrap(), &made, "an empty one given");
        assert_eq!(opened(&bytes, Some("guess")).err(), Some(Pkcs12Error::WrongPassword));
    }
}

#[test]
fn letters_beyond_ascii_are_understood() {
    let made = made();
    for options in [&[][..], &["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES"]] {
        let bytes = export(&made, "Grüße€", options);
        holds(&opened(&bytes, Some("Grüße€")).unwrap(), &made, "UTF-8");
    }
}

#[test]
fn a_key_with_a_password_of_its_own_is_said() {
    let made = made();
    let one = export(&made, "one", &["-certpbe", "NONE", "-nomac"]);
    let in_clear = export(&made, "two", &["-keypbe", "NONE", "-certpbe", "NONE", "-nomac"]);
    assert_eq!(opened(&one, Some("two")).err(), Some(Pkcs12Error::WrongPassword));
    // With an integrity check under "two" around a key under "one".
    let checked = with_pbmac1(&one, b"two");
    assert_eq!(opened(&checked, Some("two")).err(), Some(Pkcs12Error::OtherKeyPassword));
    holds(&opened(&with_pbmac1(&in_clear, b"two"), Some("two")).unwrap(), &made, "the check alone");
}

#[test]
fn pbmac1_is_checked() {
    let made = made();
    let bytes = with_pbmac1(&export(&made, "sesame", &["-nomac"]), b"sesame");
    holds(&opened(&bytes, Some("sesame")).unwrap(), &made, "PBMAC1");
    assert_eq!(opened(&bytes, Some("guess")).err(), Some(Pkcs12Error::WrongPassword));
    // Changed contents: what is inside still opens, but the check doesn't fit any more.
    let mut changed = bytes.clone();
    let at = changed.windows(9).position(|window| window == b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x15").unwrap();
    changed[at + 8] = 0x14;
    assert_eq!(opened(&changed, Some("sesame")).err(), Some(Pkcs12Error::WrongPassword));
}

#[test]
fn lengths_and_strings_as_nss_and_java_write_them_are_taken() {
    let made = made();
    let checked = export(&made, "sesame", &[]);
    holds(&opened(&loosened(&checked, false), Some("sesame")).unwrap(), &made, "outside");
    let unchecked = export(&made, "sesame", &["-nomac"]);
    let loose = loosened(&unchecked, true);
    assert_ne!(loose, unchecked);
    assert!(looks_like_one(&loose));
    holds(&opened(&loose, Some("sesame")).unwrap(), &made, "inside too");
}

#[test]
fn costs_are_refused_before_they_are_paid() {
    let made = made();
    let bytes = export(&made, "x", &["-iter", "65536", "-certpbe", "NONE", "-nomac"]);
    let at = bytes.windows(5).position(|window| window == b"\x02\x03\x01\x00\x00").unwrap();
    let mut costly = bytes;
    costly[at + 2] = 0xFF;
    let error = opened(&costly, Some("x")).err().unwrap();
    assert!(error.to_string().contains("16711680 rounds of PBKDF2"), "{error}");
    // The integrity check alone hashes 2,048 rounds; together with certificate and key it is three times as much.
    let bytes = export(&made, "x", &[]);
    for (rounds, enough) in [(2047, false), (3 * 2048 - 1, false), (3 * 2048, true)] {
        match open(&bytes, &mut Opener::among_many(Some(b"x"), rounds)) {
            Ok(_) => assert!(enough, "{rounds}"),
            Err(error) => assert!(!enough && matches!(error, Pkcs12Error::TooCostly { .. }), "{rounds}: {error}"),
        }
    }
}

#[test]
fn damage_is_said_wherever_it_is_cut() {
    let made = made();
    let bytes = export(&made, "x", &["-noiter", "-nomaciter"]);
    for len in 0..bytes.len() {
        assert!(matches!(opened(&bytes[..len], Some("x")), Err(Pkcs12Error::Damaged(_))), "{len}");
    }
    let error = opened(&bytes[..99], Some("x")).err().unwrap().to_string();
    assert_eq!(error, "the PKCS#12 bundle is damaged: it is cut off");
}

#[test]
fn unsupported_ones_are_named() {
    let made = made();
    let args = ["pkcs12", "-export", "-passout", "pass:x", "-keypbe", "camellia-256-cbc"];
    let (written, bytes, said) = try_openssl(&args, &made.both);
    assert!(written, "{said}");
    let error = opened(&bytes, Some("x")).err().unwrap().to_string();
    assert!(error.contains("protected with Camellia, which isn't supported"), "{error}");
}

#[test]
fn bags_in_bags_are_bounded() {
    let bag = |inside: Vec<u8>| tlv(0x30, &[&oid(names::SAFE_CONTENTS_BAG), &tlv(0xA0, &[&tlv(0x30, &[&inside])])]);
    let nested = |depth: usize| {
        let bags = (0..depth).fold(tlv(0x30, &[&oid(names::CRL_BAG), &tlv(0xA0, &[])]), |inside, _| bag(inside));
        in_clear(&tlv(0x30, &[&bags]))
    };
    assert!(opened(&nested(MAX_NESTING), None).unwrap().revocation_list);
    assert_eq!(opened(&nested(MAX_NESTING + 1), None).err(), Some(Pkcs12Error::Damaged(BerError::TooDeep)));
    let many = tlv(0x30, &[&oid(names::CRL_BAG), &tlv(0xA0, &[])]).repeat(MAX_BAGS);
    assert_eq!(opened(&in_clear(&tlv(0x30, &[&many])), None).err(), Some(Pkcs12Error::TooMany));
}

/// A bundle of one safe with these bags, without encryption or check.
fn in_clear(bags: &[u8]) -> Vec<u8> {
    let data = |inside: &[u8]| tlv(0x30, &[&oid(names::DATA), &tlv(0xA0, &[&tlv(0x04, &[inside])])]);
    tlv(0x30, &[b"\x02\x01\x03", &data(&tlv(0x30, &[&data(bags)]))])
}

/// The same bundle with a PBMAC1 check (RFC 9579), which this OpenSSL can't write.
fn with_pbmac1(bundle: &[u8], password: &[u8]) -> Vec<u8> {
    let mut pfx = Reader::new(bundle).sequence("it").unwrap();
    pfx.number("it").unwrap();
    let safe = pfx.element().unwrap();
    let (_, content) = content_info(&mut Reader::new(safe.whole)).unwrap();
    let contents = content.unwrap().reader().octets("it").unwrap();
    let sha256 = |arcs: &str| tlv(0x30, &[&oid(pkcs8::der::asn1::ObjectIdentifier::new_unwrap(arcs)), b"\x05\x00"]);
    let hmac_sha256 = sha256("1.2.840.113549.2.9");
    let pbkdf2 = oid(pkcs8::der::asn1::ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12"));
    let derivation = tlv(0x30, &[b"\x04\x04salt\x02\x02\x08\x00\x02\x01\x20", &hmac_sha256]);
    let parameters = tlv(0x30, &[&tlv(0x30, &[&pbkdf2, &derivation]), &hmac_sha256]);
    let mut key = [0; 32];
    let rounds = 2048.try_into().unwrap();
    aws_lc_rs::pbkdf2::derive(aws_lc_rs::pbkdf2::PBKDF2_HMAC_SHA256, rounds, b"salt", password, &mut key);
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
    let value = aws_lc_rs::hmac::sign(&key, &contents);
    let method = tlv(0x30, &[&oid(names::PBMAC1), &parameters]);
    let mac = tlv(0x30, &[&tlv(0x30, &[&method, &tlv(0x04, &[value.as_ref()])]), b"\x04\x00\x02\x01\x01"]);
    tlv(0x30, &[b"\x02\x01\x03", safe.whole, &mac])
}

fn oid(oid: pkcs8::der::asn1::ObjectIdentifier) -> Vec<u8> {
    tlv(0x06, &[oid.as_bytes()])
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let mut out = vec![tag, 0x82];
    out.extend((contents.len() as u16).to_be_bytes());
    out.extend(contents);
    out
}

/// The same with indefinite lengths and strings in pieces, down to the safe or also in what it holds.
fn loosened(der: &[u8], inside: bool) -> Vec<u8> {
    try_loosened(der, inside).unwrap()
}

/// Nothing if that is no DER throughout: the octets of a key or a hash may begin as a sequence does.
fn try_loosened(der: &[u8], inside: bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut reader = Reader::new(der);
    while !reader.is_empty() {
        let element = reader.element().ok()?;
        let contents = match element.tag {
            0x30 | 0xA0 => try_loosened(element.contents, inside)?,
            0x04 | 0x80 => {
                // A certificate in clear stays what its issuer signed.
                let is_certificate = Certificate::from_der(element.contents).is_ok();
                let nested = inside && !is_certificate && Reader::new(element.contents).sequence("it").is_ok();
                let loose = nested.then(|| try_loosened(element.contents, true)).flatten();
                let octets = loose.unwrap_or_else(|| element.contents.to_vec());
                octets.chunks(100).flat_map(|piece| tlv(0x04, &[piece])).collect()
            }
            _ => {
                out.extend_from_slice(element.whole);
                continue;
            }
        };
        out.extend([element.tag | 0x20, 0x80]);
        out.extend(contents);
        out.extend([0, 0]);
    }
    Some(out)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn never_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), inside: bool) {
        static BUNDLE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let bundle = BUNDLE.get_or_init(|| export(&made(), "x", &["-noiter", "-nomac", "-certpbe", "NONE"]));
        let mut bytes = loosened(bundle, inside);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = open(&bytes, &mut Opener::among_many(Some(b"x"), 100));
    }
}
