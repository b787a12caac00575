//! What editors, mail programs and Windows make of a PEM file.

use crate::certs_import::{
    case::{bad, good, Case},
    workshop::Workshop,
};

pub fn row(shop: &Workshop) -> Vec<Case> {
    let pair = shop.text("ec.pem");
    let lines: Vec<&str> = pair.lines().collect();
    let encoded = |mark: bool, text: &str, turn: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let mark = mark.then_some(0xFEFF);
        mark.into_iter().chain(text.encode_utf16()).flat_map(turn).collect()
    };
    let utf16 = |mark: bool, turn: fn(u16) -> [u8; 2]| encoded(mark, &pair, turn);
    let behind_text = format!("Grüße - von der Behörde:\n{pair}");
    let rewrapped = |width: usize| -> String { lines.iter().map(|line| rewrap(line, width)).collect() };
    let one_line =
        pair.replace("-----\n", "-----\r").replace('\n', "").replace('\r', "\n").replace("-----END", "\n-----END");
    let files: [(&str, Vec<u8>); 25] = [
        ("crlf", pair.replace('\n', "\r\n").into()),
        ("cr", pair.replace('\n', "\r").into()),
        ("crlf-and-lf", pair.replacen('\n', "\r\n", 5).into()),
        ("bom", format!("\u{FEFF}{pair}").into()),
        ("bom-before-each-block", pair.replace("-----BEGIN", "\u{FEFF}-----BEGIN").into()),
        ("bom-and-crlf", format!("\u{FEFF}{}", pair.replace('\n', "\r\n")).into()),
        ("utf16-little-endian", utf16(true, u16::to_le_bytes)),
        ("utf16-big-endian", utf16(true, u16::to_be_bytes)),
        ("utf16-little-endian-without-mark", utf16(false, u16::to_le_bytes)),
        ("utf16-big-endian-without-mark", utf16(false, u16::to_be_bytes)),
        ("utf16-little-endian-without-mark-behind-text", encoded(false, &behind_text, u16::to_le_bytes)),
        ("utf16-big-endian-without-mark-behind-text", encoded(false, &behind_text, u16::to_be_bytes)),
        ("no-last-newline", pair.trim_end().into()),
        ("no-wrapping", one_line.into()),
        ("no-line-breaks-at-all", pair.replace('\n', "").into()),
        ("wrapped-at-76", rewrapped(76).into()),
        ("wrapped-at-1", rewrapped(1).into()),
        ("blank-lines", pair.replace('\n', "\n\n").into()),
        ("blanks-at-the-ends", pair.replace('\n', " \t\n").into()),
        ("indented", lines.iter().map(|line| format!("    {line}\n")).collect::<String>().into()),
        ("text-around", format!("Your certificate:\n\n{pair}\nKind regards,\nthe authority - - -----\n").into()),
        ("text-beyond-ascii", [b"f\xfcr Gr\xf6\xdfe\n".as_slice(), pair.as_bytes(), b"\xff\xfe"].concat()),
        ("glued-blocks", pair.replace("-----\n-----", "----------").into()),
        ("everything-twice", format!("{pair}{pair}").into()),
        ("zeros-behind", [pair.as_bytes(), &[0; 100]].concat()),
    ];
    let mut cases = Vec::new();
    for (what, bytes) in files {
        let file = format!("text-{what}.pem");
        shop.write(&file, bytes);
        cases.push(good(what, &file));
    }
    let quoted: String = lines.iter().map(|line| format!("> {line}\n")).collect();
    shop.write("quoted.pem", quoted);
    shop.write("utf16-cut.pem", &utf16(true, u16::to_le_bytes)[..301]);
    shop.write("utf16-lone-surrogate.pem", [utf16(true, u16::to_le_bytes), vec![0x00, 0xD8]].concat());
    cases.extend([
        bad("quoted-in-a-letter", "quoted.pem", "not valid base64"),
        bad("utf16-cut-off", "utf16-cut.pem", "has no END"),
        bad("utf16-broken", "utf16-lone-surrogate.pem", "UTF-16"),
    ]);
    cases
}

/// A line of base64 in shorter lines; others stay.
fn rewrap(line: &str, width: usize) -> String {
    if line.starts_with('-') {
        return format!("{line}\n");
    }
    let chars: Vec<char> = line.chars().collect();
    chars.chunks(width).map(|chunk| chunk.iter().collect::<String>() + "\n").collect()
}
