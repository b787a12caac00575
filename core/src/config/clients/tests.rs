use super::*;
use proptest::prelude::*;

/// No certificate, but what a file of one looks like from outside.
const DER: &[u8] = &[0x30, 3, 2, 1, 7];
const PEM: &str = "-----BEGIN CERTIFICATE-----\nMAMCAQc=\n-----END CERTIFICATE-----\n";

fn certificates(octets: impl AsRef<[u8]>) -> Result<Vec<Vec<u8>>, String> {
    CERTIFICATES.find(octets.as_ref().to_vec())
}

#[test]
fn files_hold_one_in_der_or_any_number_in_pem() {
    let one = vec![DER.to_vec()];
    assert_eq!(certificates(DER), Ok(one.clone()));
    for good in [
        PEM.to_owned(),
        PEM.replace('\n', "\r\n"),
        format!("\u{feff}{PEM}"),
        format!("Subject: CN = users\n{PEM}and so on\n"),
        PEM.replace("MAMC", "  MA\nMC"),
        PEM.replace("CERTIFICATE", "X509 CERTIFICATE"),
        PEM.trim_end().to_owned(),
    ] {
        assert_eq!(certificates(&good), Ok(one.clone()), "{good}");
    }
    assert_eq!(certificates(PEM.repeat(3)), Ok(vec![DER.to_vec(); 3]));
    assert_eq!(LISTS.find(PEM.replace("CERTIFICATE", "X509 CRL").into()), Ok(one));
}

#[test]
fn what_is_something_else_is_said() {
    let long = [&[0x30, 0x83, 1, 0, 0][..], &[0; 65536]].concat();
    assert_eq!(certificates(&long).map(|found| found.len()), Ok(1));
    for (bad, expected) in [
        (&b""[..], "empty"),
        (b"hello\n", "no PEM block"),
        (b"\xff\xfe", "neither PEM nor DER"),
        (&DER[..4], "cut off"),
        (&[DER, b"\n"].concat(), "cut off"),
        (&long[..65000], "cut off"),
        (b"\x30", "cut off"),
        (b"\x30\x80\0\0", "cut off"),
        (PEM.replace("CERTIFICATE", "PRIVATE KEY").as_bytes(), "line 1 begins a block of the kind \"PRIVATE KEY\""),
        (PEM.replace("CERTIFICATE", "X509 CRL").as_bytes(), "certificates were expected"),
        (PEM.replace("MAMC", "MA!C").as_bytes(), "line 1 is damaged"),
        (PEM.replace("MAMCAQc=", "MAMCAQ==").as_bytes(), "line 1 is damaged"),
        (PEM.split_at(30).0.as_bytes(), "line 1 has no end"),
        (format!("x\n-----BEGIN CERTIFICATE-----\n{PEM}").as_bytes(), "line 2 has no end"),
        (b"-----END CERTIFICATE-----\n", "no beginning"),
    ] {
        let error = certificates(bad).unwrap_err();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("good.pem"), PEM).unwrap();
    std::fs::write(dir.path().join("big.pem"), vec![b' '; usize::try_from(MAX_FILE).unwrap() + 1]).unwrap();
    let text = "(\n    client_certificates: (\n        mode: Required,\n        anchors: [],\n    ),\n)";
    let piece = Piece::file("d.ron", text.to_owned());
    let read = |anchors: &[&str]| {
        let anchors = anchors.iter().map(PathBuf::from).collect();
        let options = ClientOptions { mode: ClientMode::Required, anchors, crls: Vec::new() };
        let mut problems = Problems::default();
        let files = ClientFiles::read(&options, &piece, dir.path(), &mut problems);
        (files.policy(&options).anchors.len(), files.hash(), problems.to_string())
    };
    let (one, hash, none) = read(&["good.pem"]);
    assert!(one == 1 && none.is_empty(), "{none}");
    let (two, other, _) = read(&["good.pem", "good.pem"]);
    assert!(two == 2 && hash.is_some() && hash != other);

    let (left, _, said) = read(&["missing.pem", "good.pem", "big.pem", "."]);
    assert_eq!(left, 1);
    for expected in
        ["d.ron:4:18: error: ", "missing.pem: No such file", "big.pem: it is too long", "not a regular file"]
    {
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn who_knows_only_a_number_is_told_the_file() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("one.pem"), PEM).unwrap();
    std::fs::write(dir.path().join("two.pem"), PEM.repeat(2)).unwrap();
    std::fs::write(dir.path().join("list"), DER).unwrap();
    let anchors = ["one.pem", "two.pem", "one.pem"].map(PathBuf::from).into();
    let options = ClientOptions { mode: ClientMode::Optional, anchors, crls: vec!["list".into()] };
    let mut problems = Problems::default();
    let files = ClientFiles::read(&options, &Piece::empty(), dir.path(), &mut problems);
    assert!(problems.0.is_empty(), "{problems}");
    assert_eq!(
        files.origins(),
        "trust anchor 1 is from one.pem, trust anchors 2 to 3 are from two.pem, trust anchor 4 is from one.pem, \
         revocation list 1 is from list"
    );
}

#[test]
fn who_is_not_asked_needs_no_files() {
    let options = ClientOptions { anchors: vec!["missing.pem".into()], ..ClientOptions::default() };
    let mut problems = Problems::default();
    let files = ClientFiles::read(&options, &Piece::empty(), Path::new("/"), &mut problems);
    assert_eq!((files.policy(&options), files.hash()), (ClientCertificates::off(), None));
    assert!(problems.0.is_empty());
}

proptest! {
    #[test]
    fn never_panics(octets: Vec<u8>, tail: Vec<u8>, text in "(-----(BEGIN|END) (CERTIFICATE|X)-----|[A-Za-z=]{0,8}|\n){0,20}") {
        let _ = certificates(octets);
        let _ = certificates([&[SEQUENCE][..], &tail].concat());
        let _ = certificates(text);
    }
}
