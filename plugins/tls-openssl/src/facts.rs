//! What is known about an established connection.

use super::{ffi, tickets::Carried};
use dovetail_sdk::tls::TlsFacts;
use openssl::{
    nid::Nid,
    ssl::{SslRef, SslVersion},
};

/// The facts. `verified` tells whether the peer had to show a good certificate, if it showed one.
pub(crate) fn of(ssl: &SslRef, server_name: Option<String>, verified: bool) -> TlsFacts {
    let is_13 = ssl.version2() == Some(SslVersion::TLS1_3);
    TlsFacts {
        version: if is_13 { "TLSv1.3" } else { "TLSv1.2" }.to_owned(),
        cipher: ssl.current_cipher().and_then(|cipher| cipher.standard_name()).unwrap_or_default().to_owned(),
        group: ffi::group(ssl).map(group_name),
        server_name,
        alpn: ssl.selected_alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        peer_chain: if verified { peer_chain(ssl) } else { Vec::new() },
        resumed: ssl.session_reused(),
        // Without the extended master secret two connections could be made to have the same value (RFC 9266 §4.2).
        exporter: if is_13 || ssl.extms_support() == Some(true) { exporter(ssl) } else { None },
    }
}

/// RFC 9266 §2: 32 bytes, the context is a zero-length string (which TLS 1.2 tells from none).
fn exporter(ssl: &SslRef) -> Option<Vec<u8>> {
    let mut value = vec![0; 32];
    ssl.export_keying_material(&mut value, "EXPORTER-Channel-Binding", Some(b"")).ok()?;
    Some(value)
}

/// Leaf first. OpenSSL tells a client the whole chain, a server the leaf and the rest apart; after a resumption the server
/// has the rest from the ticket.
fn peer_chain(ssl: &SslRef) -> Vec<Vec<u8>> {
    let Some(leaf) = ssl.peer_certificate().and_then(|leaf| leaf.to_der().ok()) else {
        return Vec::new();
    };
    let shown = ssl.peer_cert_chain().into_iter().flatten().filter_map(|certificate| certificate.to_der().ok());
    let mut rest: Vec<Vec<u8>> = shown.collect();
    if rest.is_empty() && ssl.session_reused() {
        let carried = ssl.session().and_then(|session| Carried::parse(ffi::carried(session)));
        rest = carried.map(|carried| carried.chain).unwrap_or_default();
    }
    if rest.first() != Some(&leaf) {
        rest.insert(0, leaf);
    }
    rest
}

/// By IANA's names.
fn group_name(group: Result<i32, u16>) -> String {
    match group {
        Ok(nid) => match Nid::from_raw(nid) {
            Nid::X9_62_PRIME256V1 => "secp256r1".into(),
            nid => nid.short_name().unwrap_or("unknown").to_ascii_lowercase(),
        },
        Err(4587) => "SecP256r1MLKEM768".into(),
        Err(4588) => "X25519MLKEM768".into(),
        Err(4589) => "SecP384r1MLKEM1024".into(),
        Err(number) => format!("0x{number:04x}"),
    }
}
