//! Response codes of UIDPLUS (RFC 4315), without their brackets.

use super::numbers::{number, set, SetWriter};
use crate::ranges::RangeSet;

/// `APPENDUID 38505 3955`
pub fn append_uid(out: &mut Vec<u8>, uid_validity: u32, uid: u32) {
    out.extend_from_slice(b"APPENDUID ");
    number(out, uid_validity);
    out.push(b' ');
    number(out, uid);
}

/// `COPYUID 38505 304,319:320 3956:3958`: the messages' old UIDs in the order copied, and the new ones. Both have to
/// be of one length, and not empty: without any copy there is no code.
pub fn copy_uid(out: &mut Vec<u8>, uid_validity: u32, from: impl IntoIterator<Item = u32>, to: &RangeSet) {
    out.extend_from_slice(b"COPYUID ");
    number(out, uid_validity);
    out.push(b' ');
    let mut writer = SetWriter::new(out);
    from.into_iter().for_each(|uid| writer.push(uid));
    writer.finish();
    out.push(b' ');
    set(out, to);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_the_rfc() {
        let mut out = Vec::new();
        append_uid(&mut out, 38505, 3955);
        out.push(b'|');
        copy_uid(&mut out, 38505, [304, 319, 320], &(3956..=3958).collect());
        assert_eq!(out, b"APPENDUID 38505 3955|COPYUID 38505 304,319:320 3956:3958");
    }
}
