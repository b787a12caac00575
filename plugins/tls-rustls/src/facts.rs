//! What is known about an established connection.

use dovetail_sdk::tls::TlsFacts;
use rustls::{CommonState, ConnectionCommon, HandshakeKind, NamedGroup, ProtocolVersion};

/// The facts, with the value of the exporter where there is one to be had.
pub(crate) fn of(connection: &CommonState, server_name: Option<String>, exporter: Option<Vec<u8>>) -> TlsFacts {
    TlsFacts {
        version: if is_13(connection) { "TLSv1.3" } else { "TLSv1.2" }.to_owned(),
        cipher: connection.negotiated_cipher_suite().map(|suite| iana(suite.suite())).unwrap_or_default(),
        group: connection.negotiated_key_exchange_group().map(|group| group_name(group.name())),
        server_name,
        alpn: connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        peer_chain: connection
            .peer_certificates()
            .map(|chain| chain.iter().map(|certificate| certificate.as_ref().to_vec()).collect())
            .unwrap_or_default(),
        resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
        exporter,
    }
}

fn is_13(connection: &CommonState) -> bool {
    connection.protocol_version() == Some(ProtocolVersion::TLSv1_3)
}

/// RFC 9266 §2: 32 bytes, the context is a zero-length string (which TLS 1.2 tells from none). `extended_master_secret` tells
/// whether a TLS 1.2 connection is known to use it (RFC 7627).
pub(crate) fn exporter<Data>(connection: &ConnectionCommon<Data>, extended_master_secret: bool) -> Option<Vec<u8>> {
    if !is_13(connection) && !extended_master_secret {
        return None;
    }
    connection.export_keying_material(vec![0; 32], b"EXPORTER-Channel-Binding", Some(b"")).ok()
}

/// rustls sets its own prefix before the names of TLS 1.3's suites.
fn iana(suite: rustls::CipherSuite) -> String {
    let name = format!("{suite:?}");
    name.strip_prefix("TLS13_").map(|rest| format!("TLS_{rest}")).unwrap_or(name)
}

fn group_name(group: NamedGroup) -> String {
    match group {
        NamedGroup::X25519 => "x25519".into(),
        NamedGroup::secp256r1MLKEM768 => "SecP256r1MLKEM768".into(),
        other => format!("{other:?}"),
    }
}
