//! TLS clients for tests. They trust the certificates in the server's own folder, by name, and nothing else.

use crate::harness::{Client, Server, Setup};
use rustls::{
    pki_types::{pem::PemObject, CertificateDer, ServerName},
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
};
use std::{net::TcpStream, path::PathBuf, sync::Arc};

/// The server's name in [`crate::harness::MAIL_CONFIG`].
pub const HOST: &str = "mail.example.test";

/// A TLS connection.
pub type Tls = StreamOwned<ClientConnection, TcpStream>;

impl Setup {
    /// Where the certificates are.
    pub fn certs(&self) -> PathBuf {
        self.data_dir().join("certs")
    }

    /// A certificate's file.
    pub fn crt(&self, name: &str) -> PathBuf {
        self.certs().join(format!("{name}.crt"))
    }
}

impl Server {
    /// A connection to an implicit listener, as a client of [`HOST`].
    #[track_caller]
    pub fn connect_tls(&self, listener: &str) -> Client<Tls> {
        self.connect(listener).start_tls(&self.setup, HOST)
    }

    /// A session on a submission listener that takes STARTTLS: the TLS side of it, before EHLO.
    #[track_caller]
    pub fn submission_starttls(&self) -> Client<Tls> {
        let mut client = self.connect("submission");
        client.line();
        client.send("EHLO client.test\r\n");
        assert!(client.reply().iter().any(|line| line.ends_with("STARTTLS")));
        assert_eq!(client.ask("STARTTLS"), "220 2.0.0 Ready to start TLS");
        client.start_tls(&self.setup, HOST)
    }
}

impl Client {
    /// Does the client's side of a handshake. Fails the test unless the server shows a certificate for `name`.
    #[track_caller]
    pub fn start_tls(self, setup: &Setup, name: &str) -> Client<Tls> {
        assert!(self.stream.buffer().is_empty(), "unread plain text: {:?}", self.stream.buffer());
        let tcp = self.stream.into_inner();
        let mut tls = StreamOwned::new(connection(setup, name), tcp);
        tls.conn.complete_io(&mut tls.sock).unwrap_or_else(|error| panic!("handshake as {name}: {error}"));
        Client { stream: std::io::BufReader::new(tls) }
    }
}

impl Client<Tls> {
    /// The certificate that the server has shown.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.stream.get_ref().conn.peer_certificates().unwrap()[0].clone().into_owned()
    }
}

/// The certificate in a file.
pub fn certificate(path: impl Into<PathBuf>) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path.into()).unwrap()
}

/// A client that has said nothing yet.
pub fn connection(setup: &Setup, name: &str) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    for entry in std::fs::read_dir(setup.certs()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "crt") {
            roots.add(certificate(path)).unwrap();
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), ServerName::try_from(name.to_owned()).unwrap()).unwrap()
}
