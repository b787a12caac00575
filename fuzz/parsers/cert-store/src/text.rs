//! PEM text.

use crate::import::pem::{encode, looks_like_pem, scan, MAX_BLOCKS};

/// Each block that is found is found again in what is written of it.
pub fn certs_pem(bytes: &[u8]) -> bool {
    let Ok(blocks) = scan(bytes) else {
        return false;
    };
    assert_eq!(!blocks.is_empty(), looks_like_pem(bytes));
    assert!(blocks.len() <= MAX_BLOCKS);
    let mut last_line = 1;
    for block in &blocks {
        assert!(block.line >= last_line, "blocks in the wrong order");
        last_line = block.line;
        assert!(!block.der.is_empty() && block.der.len() <= bytes.len());
        let written = encode(&block.label, &block.der);
        let again = scan(written.as_bytes()).unwrap_or_else(|error| panic!("{:?}: {error}", &written[..]));
        let [again] = &again[..] else {
            panic!("{:?} is not one block any more", &written[..]);
        };
        assert_eq!((again.label.as_str(), &again.der[..], again.line), (block.label.as_str(), &block.der[..], 1));
        assert!(again.headers.is_empty());
    }
    !blocks.is_empty()
}
