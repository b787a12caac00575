use super::*;
use proptest::prelude::*;

fn labels(bytes: &[u8]) -> Vec<(String, Vec<u8>, usize)> {
    scan(bytes).unwrap().into_iter().map(|b| (b.label, b.der.to_vec(), b.line)).collect()
}

const ABC: &str = "-----BEGIN A-----\nYWJj\n-----END A-----\n";

#[test]
fn takes_what_editors_make_of_pem() {
    let expected = vec![("A".to_owned(), b"abc".to_vec(), 1)];
    let utf16 = |big: bool, mark: bool| -> Vec<u8> {
        mark.then_some(0xFEFFu16)
            .into_iter()
            .chain(ABC.encode_utf16())
            .flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() })
            .collect()
    };
    for text in [
        ABC.as_bytes().to_vec(),
        ABC.trim_end().as_bytes().to_vec(),
        ABC.replace('\n', "\r\n").into_bytes(),
        ABC.replace('\n', "\r").into_bytes(),
        ABC.replace('\n', "").into_bytes(),
        ABC.replace("YWJj", " Y W\n\tJ j ").into_bytes(),
        format!("\u{FEFF}{ABC}").into_bytes(),
        utf16(false, true),
        utf16(true, true),
        utf16(false, false),
        utf16(true, false),
    ] {
        assert_eq!(labels(&text), expected, "{:?}", String::from_utf8_lossy(&text));
    }
    // The mark may be missing before other text, too.
    let expected = vec![("A".to_owned(), b"abc".to_vec(), 2)];
    for big in [false, true] {
        let before = "Größe 6-7\n".encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() });
        let text: Vec<u8> = before.chain(utf16(big, false)).collect();
        assert!(looks_like_pem(&text));
        assert_eq!(labels(&text), expected);
    }
}

#[test]
fn sees_every_block_with_its_line() {
    let text = format!("Bag Attributes\n  friendlyName: x\n{ABC}-----BEGIN B C-----\nYWJj\n-----END B C----------BEGIN D-----\r\nYQ==\r\n-----END D-----\r\n");
    let found = labels(text.as_bytes());
    assert_eq!(found[0], ("A".into(), b"abc".to_vec(), 3));
    assert_eq!(found[1], ("B C".into(), b"abc".to_vec(), 6));
    assert_eq!(found[2], ("D".into(), b"a".to_vec(), 8));
}

#[test]
fn reads_old_headers() {
    let text = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nYWJj\n-----END RSA PRIVATE KEY-----\n";
    let block = scan(text.as_bytes()).unwrap().remove(0);
    assert_eq!(block.headers[0], ("Proc-Type".into(), "4,ENCRYPTED".into()));
    assert_eq!(block.headers[1].0, "DEK-Info");
    assert_eq!(&block.der[..], b"abc");
}

#[test]
fn says_where_a_block_is_broken() {
    let error = |text: &str| scan(text.as_bytes()).err().unwrap();
    let (label, line) = ("A".to_owned(), 2);
    assert_eq!(error("x\n-----BEGIN A-----\nYWJj\n"), PemError::Truncated { label: label.clone(), line });
    assert_eq!(
        error("x\n-----BEGIN A-----\nYWJj\n-----BEGIN B-----\nYWJj\n-----END B-----\n"),
        PemError::Truncated { label: label.clone(), line }
    );
    assert_eq!(
        error("x\n-----BEGIN A-----\nYWJj\n-----END B-----\n"),
        PemError::WrongEnd { label: label.clone(), found: "B".into(), line }
    );
    for damaged in ["Y!Jj", "YWJ", "", "YWJj=", "YW=j"] {
        assert_eq!(
            error(&format!("x\n-----BEGIN A-----\n{damaged}\n-----END A-----\n")),
            PemError::BadBase64 { label: label.clone(), line },
            "{damaged}"
        );
    }
    assert_eq!(error("-----BEGIN A\n"), PemError::BadBegin { line: 1 });
    assert_eq!(error(&ABC.repeat(MAX_BLOCKS + 1)), PemError::TooMany);
}

proptest! {
    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = scan(&bytes);
    }

    #[test]
    fn never_panics_on_nearly_pem(parts in prop::collection::vec(prop::sample::select(vec![
        "-----BEGIN ", "-----END ", "A", "-----", "\n", "\r", "YWJj", "=", ":", " ", "\u{FEFF}", "\0",
    ]), 0..40)) {
        let _ = scan(parts.concat().as_bytes());
    }

    #[test]
    fn reads_back_what_it_writes(
        blocks in prop::collection::vec(("[A-Z][A-Z ]{0,20}", prop::collection::vec(any::<u8>(), 1..300)), 0..5),
        crlf: bool,
    ) {
        let mut text = String::new();
        for (label, der) in &blocks {
            text.push_str(&encode(label, der));
        }
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        let read = scan(text.as_bytes()).unwrap();
        prop_assert_eq!(read.len(), blocks.len());
        for (block, (label, der)) in read.iter().zip(&blocks) {
            prop_assert_eq!(&block.label, label);
            prop_assert_eq!(&block.der[..], &der[..]);
        }
    }
}
