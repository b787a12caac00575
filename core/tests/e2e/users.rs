//! People with certificates: an authority by `openssl`, as an operator would keep one, and its users as TLS clients.

use crate::{
    harness::{run_ok, Client, Server, Setup},
    tls::{certificate, Tls, HOST},
};
use rustls::{
    pki_types::{pem::PemObject, CertificateDer, PrivateKeyDer, ServerName},
    version::{TLS12, TLS13},
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

/// An authority for users, in a folder of its own.
pub struct Authority(pub PathBuf);

/// What an authority issued.
pub struct User {
    pub key: PathBuf,
    pub crt: PathBuf,
}

/// What shall be in a certificate, beside the common name.
#[derive(Default)]
pub struct Wanted<'a> {
    /// Mail addresses among the alternative names.
    pub names: &'a [&'a str],
    /// The mail address in the subject.
    pub subject: Option<&'a str>,
    /// From and until when, as `openssl ca` takes it.
    pub dates: Option<[&'a str; 2]>,
}

/// The versions of TLS, with their names in the log.
pub const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

impl Authority {
    pub fn new(setup: &Setup, name: &str) -> Authority {
        let folder = setup.dir.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("ca.cnf"), CA_CONFIG).unwrap();
        for (file, text) in [("index.txt", ""), ("serial", "1000\n"), ("crlnumber", "01\n")] {
            fs::write(folder.join(file), text).unwrap();
        }
        let authority = Authority(folder);
        authority.openssl("req -x509 -nodes -days 30 -keyout ca.key -out ca.pem", &["-subj", &format!("/CN={name}")]);
        authority
    }

    pub fn openssl(&self, words: &str, more: &[&str]) -> String {
        let mut command = Command::new("openssl");
        command.current_dir(&self.0).args(words.split(' ')).args(more);
        if words.starts_with("req") {
            command.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        }
        run_ok(&mut command)
    }

    pub fn issue(&self, name: &str) -> User {
        self.issue_with(name, &Wanted::default())
    }

    pub fn issue_with(&self, name: &str, wanted: &Wanted<'_>) -> User {
        let (key, csr, crt) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
        let email = wanted.subject.map(|address| format!("/emailAddress={address}")).unwrap_or_default();
        let subject = format!("/CN={name}{email}");
        let names: Vec<String> = wanted.names.iter().map(|address| format!("email:{address}")).collect();
        let names = format!("subjectAltName={}", names.join(","));
        let mut request = vec!["-keyout", &key, "-out", &csr, "-subj", &subject];
        if !wanted.names.is_empty() {
            request.extend(["-addext", &names]);
        }
        self.openssl("req -nodes", &request);
        let mut signature = vec!["-in", &csr, "-out", &crt];
        if let Some([from, until]) = wanted.dates {
            signature.extend(["-startdate", from, "-enddate", until]);
        }
        self.openssl("ca -batch -notext -config ca.cnf", &signature);
        User { key: self.0.join(key), crt: self.0.join(crt) }
    }

    /// Writes the list of those who were revoked.
    pub fn list(&self) {
        self.openssl("ca -config ca.cnf -gencrl -out crl.pem", &[]);
    }

    pub fn revoke(&self, user: &User) {
        self.openssl("ca -config ca.cnf -revoke", &[user.crt.to_str().unwrap()]);
    }
}

impl User {
    /// The certificate's fingerprint, as openssl shows it.
    pub fn fingerprint(&self) -> String {
        let mut command = Command::new("openssl");
        let shown = run_ok(command.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(&self.crt));
        shown.trim().rsplit('=').next().unwrap().to_owned()
    }
}

/// A mail client, with somebody's certificate or without. Comes back with its tickets.
pub fn person(setup: &Setup, user: Option<&User>, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate(setup.crt(HOST))).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
    let builder = builder.with_root_certificates(roots);
    Arc::new(match user {
        Some(User { key, crt }) => {
            let read = |path: &Path| CertificateDer::pem_file_iter(path).unwrap().map(Result::unwrap).collect();
            builder.with_client_auth_cert(read(crt), PrivateKeyDer::from_pem_file(key).unwrap()).unwrap()
        }
        None => builder.with_no_client_auth(),
    })
}

/// A connection to a listener, inside TLS: from the first byte or by the protocol's own way; implicit ones end with `s`. With TLS
/// 1.3 a client hears only later that its certificate is not wanted: the first line is read too.
pub fn enter(server: &Server, listener: &str, person: &Arc<ClientConfig>) -> io::Result<Client<Tls>> {
    let mut client = server.connect(listener);
    let implicit = listener.ends_with('s');
    if !implicit {
        client.line();
        let (command, go_ahead) = match listener {
            "submission" => ("STARTTLS", "220 "),
            "pop3" => ("STLS", "+OK"),
            _ => ("a STARTTLS", "a OK"),
        };
        if listener == "submission" {
            client.send("EHLO client.test\r\n");
            client.reply();
        }
        let said = client.ask(command);
        assert!(said.starts_with(go_ahead), "{listener}: {said}");
    }
    let connection = ClientConnection::new(person.clone(), ServerName::try_from(HOST).unwrap()).unwrap();
    let mut tls = StreamOwned::new(connection, client.stream.into_inner());
    tls.conn.complete_io(&mut tls.sock)?;
    let mut client = Client { stream: io::BufReader::new(tls) };
    if implicit {
        let mut greeting = String::new();
        io::BufRead::read_line(&mut client.stream, &mut greeting)?;
        if greeting.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(client)
}

const CA_CONFIG: &str = "\
[ca]
default_ca = users
[users]
database = index.txt
new_certs_dir = .
serial = serial
crlnumber = crlnumber
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 20
default_crl_days = 20
policy = names
x509_extensions = user
crl_extensions = list
copy_extensions = copy
[names]
commonName = supplied
emailAddress = optional
[user]
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
[list]
authorityKeyIdentifier = keyid:always
";
