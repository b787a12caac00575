//! What the writers of ENVELOPE and BODYSTRUCTURE share: strings out of headers, and lists of parameters.

use dovetail_imap_grammar::{encode, TextMode};
use dovetail_mail::mime::Param;

/// Writes a media type or the like in capitals, as clients have always seen them.
pub fn token(out: &mut Vec<u8>, text: &str, mode: TextMode) {
    encode::string(out, text.to_ascii_uppercase().as_bytes(), mode);
}

/// Writes `("CHARSET" "utf-8")` or NIL.
pub fn parameters(out: &mut Vec<u8>, params: &[Param], mode: TextMode) {
    if params.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for (n, param) in params.iter().enumerate() {
        if n > 0 {
            out.push(b' ');
        }
        token(out, &param.name, mode);
        out.push(b' ');
        encode::string(out, &param.value, mode);
    }
    out.push(b')');
}
