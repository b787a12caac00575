use super::kdf::Kdf;
use super::*;
use crate::ber::Reader;
use proptest::prelude::*;

/// `SEQUENCE { OID, SEQUENCE { salt, rounds } }`, without the outer header.
fn pbes1(arcs: &str, rounds: u32) -> Vec<u8> {
    let oid = pkcs8::der::asn1::ObjectIdentifier::new_unwrap(arcs);
    let mut der = vec![0x06, oid.as_bytes().len() as u8];
    der.extend(oid.as_bytes());
    let mut parameters = b"\x04\x08saltsalt\x02\x05\x00".to_vec();
    parameters.extend(rounds.to_be_bytes());
    der.extend([0x30, parameters.len() as u8]);
    der.extend(parameters);
    der
}

const PKCS12_3DES: &str = "1.2.840.113549.1.12.1.3";

#[test]
fn too_much_work_is_refused_before_it_is_done() {
    let costly = pbes1(PKCS12_3DES, MAX_ROUNDS as u32 + 1);
    let scheme = Scheme::read(Reader::new(&costly)).unwrap();
    let mut opener = Opener::new(None);
    let error = scheme.open(&Password::new(b"x"), &[0; 8], opener.work()).unwrap_err();
    let SchemeError::TooCostly { what, .. } = error else { panic!("{error:?}") };
    assert_eq!(what, "10000001 rounds of PKCS#12's password hashing");
}

#[test]
fn all_the_work_of_a_file_is_counted_together() {
    let scheme = pbes1(PKCS12_3DES, 600);
    let scheme = Scheme::read(Reader::new(&scheme)).unwrap();
    let mut opener = Opener::among_many(None, 1000);
    assert!(scheme.open(&Password::new(b"x"), &[0; 8], opener.work()).is_ok());
    let second = scheme.open(&Password::new(b"x"), &[0; 8], opener.work());
    assert!(matches!(second, Err(SchemeError::TooCostly { .. })), "{second:?}");
}

#[test]
fn a_ciphertext_that_cant_be_one_is_damage_and_no_wrong_password() {
    let scheme = pbes1(PKCS12_3DES, 1);
    let scheme = Scheme::read(Reader::new(&scheme)).unwrap();
    for len in [0, 7, 9] {
        assert_eq!(scheme.check(&vec![0; len]), Err(SchemeError::Damaged(BerError::Truncated)), "{len}");
    }
}

#[test]
fn unknown_methods_are_named() {
    let named = |arcs: &str| match Scheme::read(Reader::new(&pbes1(arcs, 1))) {
        Err(SchemeError::Unsupported(name)) => name,
        other => panic!("{:?}", other.err()),
    };
    assert_eq!(named("1.2.840.113549.1.5.1"), "MD2 and DES (PKCS#5 PBES1)");
    assert_eq!(named("1.2.3.4"), "an unknown method (1.2.3.4)");
}

#[test]
fn pkcs12_derives_what_openssl_does() {
    for (hash, name) in [(Pkcs12Hash::Sha1, "SHA1"), (Pkcs12Hash::Sha256, "SHA256"), (Pkcs12Hash::Sha512, "SHA512")] {
        for (purpose, id) in [(Pkcs12Purpose::Key, "1"), (Pkcs12Purpose::Vector, "2"), (Pkcs12Purpose::Mac, "3")] {
            let password = Password::new("sésame".as_bytes());
            let hex = data_encoding::HEXLOWER.encode(&password.wide);
            let options = format!(
                "kdf -binary -keylen 100 -kdfopt digest:{name} -kdfopt hexpass:{hex} -kdfopt hexsalt:0102030405060708 \
                 -kdfopt iter:7 -kdfopt id:{id} PKCS12KDF"
            );
            let expected = crate::testing::openssl(&options.split_whitespace().collect::<Vec<_>>(), b"");
            let derived = pkcs12_key(hash, purpose, &password.wide, &[1, 2, 3, 4, 5, 6, 7, 8], 7, 100);
            assert_eq!(derived[..], expected[..], "{name} {id}");
        }
    }
}

proptest! {
    #[test]
    fn nothing_panics(
        oid in prop::sample::select(vec![
            "1.2.840.113549.1.5.3", "1.2.840.113549.1.5.11", "1.2.840.113549.1.5.13", "1.2.840.113549.1.12.1.2",
            "1.2.840.113549.1.12.1.6", PKCS12_3DES,
        ]),
        rounds in 0u32..4,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ciphertext in prop::collection::vec(any::<u8>(), 0..40),
        password in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut der = pbes1(oid, rounds);
        for (at, byte) in changes {
            let at = at.index(der.len());
            der[at] = byte;
        }
        if let Ok(scheme) = Scheme::read(Reader::new(&der)) {
            for form in Password::forms(&password) {
                let _ = scheme.open(&form, &ciphertext, Opener::among_many(None, 1000).work());
            }
        }
    }

    #[test]
    fn scrypt_never_panics(n in 0u64..2000, r in 0u64..20, p in 0u64..5, key in 1usize..40) {
        let kdf = Kdf::Scrypt { salt: vec![1], n, r, p };
        if kdf.cost().is_ok_and(|cost| cost < 5000) {
            let _ = kdf.derive(&Password::new(b"x"), key, 0);
        }
    }
}
