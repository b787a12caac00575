//! sslscan: protocols, cipher suites and groups as a second pair of eyes sees them. It judges cipher suites only; the rest is judged
//! here.

use super::{finding::Found, server::HOST, Target};
use crate::error::Error;
use std::{collections::HashMap, fs, process::Command};

/// Scans a port.
pub fn scan(target: &Target<'_>) -> Result<Vec<Found>, Error> {
    let xml = target.file("sslscan.xml");
    let mut command = Command::new("sslscan");
    command
        .args(["--no-colour", "--show-sigs"])
        .arg(format!("--xml={}", xml.display()))
        .arg(format!("--sni-name={HOST}"));
    if let Some(protocol) = target.port.starttls {
        command.arg(format!("--starttls-{protocol}"));
    }
    command.arg(format!("127.0.0.1:{}", target.number));
    target.run(&mut command, "sslscan.txt")?;
    let text = fs::read_to_string(&xml).map_err(Error::file(&xml))?;
    Ok(read(&text).into_iter().map(|(id, text)| Found::new(id, "BAD", text)).collect())
}

/// What is wrong in what sslscan writes: what it is about, and what was found.
fn read(xml: &str) -> Vec<(&'static str, String)> {
    let tags: Vec<Tag<'_>> = xml.lines().filter_map(Tag::read).collect();
    let mut wrong = Vec::new();
    for tag in &tags {
        let text = || tag.text.to_owned();
        match tag.name {
            "protocol" if tag.is("enabled", "1") && !GOOD_VERSIONS.iter().any(|version| tag.is("version", version)) => {
                wrong.push(("protocol", text()));
            }
            "cipher" if !GOOD_STRENGTHS.iter().any(|strength| tag.is("strength", strength)) => {
                wrong.push(("cipher", text()));
            }
            "group" if !GOOD_GROUPS.iter().any(|group| tag.is("name", group)) => wrong.push(("group", text())),
            "heartbleed" if !tag.is("vulnerable", "0") => wrong.push(("heartbleed", text())),
            "compression" if !tag.is("supported", "0") => wrong.push(("compression", text())),
            // Renegotiation that the client may begin; the safe kind of the handshake itself is another attribute.
            "renegotiation" if tag.is("supported", "1") && !tag.is("secure", "1") => {
                wrong.push(("renegotiation", text()))
            }
            "error" => wrong.push(("error", text())),
            _ => {}
        }
    }
    for (name, least) in [("protocol", 6), ("cipher", 6), ("group", 3), ("heartbleed", 1)] {
        let count = tags.iter().filter(|tag| tag.name == name).count();
        if count < least {
            wrong.push(("scan", format!("{count} of {name}, where there are at least {least}: it did not get so far")));
        }
    }
    wrong
}

/// An element on a line, with its attributes.
struct Tag<'a> {
    name: &'a str,
    text: &'a str,
    attributes: HashMap<&'a str, &'a str>,
}

impl<'a> Tag<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let text = line.trim();
        let (inside, _) = text.strip_prefix('<')?.rsplit_once('>')?;
        let (name, mut rest) = inside.split_at(inside.find([' ', '>', '/']).unwrap_or(inside.len()));
        let mut attributes = HashMap::new();
        while let Some((key, tail)) = rest.split_once("=\"") {
            let (value, tail) = tail.split_once('"')?;
            attributes.insert(key.trim(), value);
            rest = tail;
        }
        (!name.is_empty()).then_some(Tag { name, text, attributes })
    }

    fn is(&self, attribute: &str, value: &str) -> bool {
        self.attributes.get(attribute) == Some(&value)
    }
}

/// Its name.
pub const NAME: &str = "sslscan";
const GOOD_VERSIONS: [&str; 2] = ["1.2", "1.3"];
const GOOD_STRENGTHS: [&str; 2] = ["strong", "acceptable"];
const GOOD_GROUPS: [&str; 4] = ["x25519", "secp256r1 (NIST P-256)", "secp384r1 (NIST P-384)", "X25519MLKEM768"];

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
 <ssltest host="127.0.0.1" sniname="mail.scan.test" port="36207">
  <protocol type="ssl" version="2" enabled="0" />
  <protocol type="ssl" version="3" enabled="0" />
  <protocol type="tls" version="1.0" enabled="0" />
  <protocol type="tls" version="1.1" enabled="0" />
  <protocol type="tls" version="1.2" enabled="1" />
  <protocol type="tls" version="1.3" enabled="1" />
  <renegotiation supported="0" secure="0" />
  <heartbleed sslversion="TLSv1.2" vulnerable="0" />
  <cipher status="preferred" sslversion="TLSv1.3" bits="256" cipher="A" id="0x1302" strength="acceptable" curve="25519" />
  <cipher status="accepted" sslversion="TLSv1.3" bits="128" cipher="B" id="0x1301" strength="acceptable" />
  <cipher status="accepted" sslversion="TLSv1.3" bits="256" cipher="C" id="0x1303" strength="acceptable" />
  <cipher status="preferred" sslversion="TLSv1.2" bits="256" cipher="D" id="0xC02C" strength="strong" />
  <cipher status="accepted" sslversion="TLSv1.2" bits="128" cipher="E" id="0xC02B" strength="strong" />
  <cipher status="accepted" sslversion="TLSv1.2" bits="256" cipher="F" id="0xCCA9" strength="strong" />
  <group sslversion="TLSv1.3" bits="128" name="secp256r1 (NIST P-256)" id="0x0017" />
  <group sslversion="TLSv1.3" bits="192" name="secp384r1 (NIST P-384)" id="0x0018" />
  <group sslversion="TLSv1.3" bits="128" name="x25519" id="0x001d" />
"#;

    #[test]
    fn what_is_bad_is_found() {
        assert_eq!(read(GOOD), []);
        for (good, bad, id) in [
            (r#"version="1.1" enabled="0""#, r#"version="1.1" enabled="1""#, "protocol"),
            (r#"version="3" enabled="0""#, r#"version="3" enabled="1""#, "protocol"),
            (r#"strength="strong""#, r#"strength="weak""#, "cipher"),
            ("x25519", "sect163k1", "group"),
            (r#"vulnerable="0""#, r#"vulnerable="1""#, "heartbleed"),
            (r#"supported="0" secure="0""#, r#"supported="1" secure="0""#, "renegotiation"),
            ("<renegotiation", "<compression supported=\"1\" />\n<renegotiation", "compression"),
            ("<renegotiation", "<error><![CDATA[Could not connect.]]></error>\n<renegotiation", "error"),
        ] {
            let found = read(&GOOD.replacen(good, bad, 1));
            assert_eq!(found.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [id], "{found:?}");
        }
    }

    #[test]
    fn a_scan_that_broke_off_is_no_pass() {
        assert_eq!(read("").len(), 4);
        assert_eq!(read(GOOD.split("<group").next().unwrap()).len(), 1);
    }
}
