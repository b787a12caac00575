//! Base64 in pieces (RFC 2045 section 6.8).

#[derive(Debug, Default)]
pub(super) struct Base64 {
    bits: u32,
    count: u32,
}

impl Base64 {
    pub(super) fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let mut rest = piece;
        loop {
            // Whole groups, which is nearly everything.
            while let (0, [a, b, c, d, behind @ ..]) = (self.count, rest) {
                let [a, b, c, d] = [a, b, c, d].map(|&byte| BASE64[usize::from(byte)]);
                if (a | b | c | d) >= PADDING {
                    break;
                }
                let group = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
                let [_, octets @ ..] = group.to_be_bytes();
                out.extend_from_slice(&octets);
                rest = behind;
            }
            let [byte, behind @ ..] = rest else { return };
            rest = behind;
            match BASE64[usize::from(*byte)] {
                value @ 0..64 => {
                    self.bits = self.bits << 6 | u32::from(value);
                    self.count += 6;
                    if self.count >= 8 {
                        self.count -= 8;
                        out.push((self.bits >> self.count) as u8);
                    }
                }
                // Padding ends a group of four; another body may follow that was put behind this one.
                PADDING => self.count = 0,
                _ => {}
            }
        }
    }
}

const PADDING: u8 = 64;

/// The value of each octet; 64 is the padding, 255 is not of the alphabet.
const BASE64: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    let mut table = [255; 256];
    let mut at = 0;
    while at < alphabet.len() {
        table[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    table
};
