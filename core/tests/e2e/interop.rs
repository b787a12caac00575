//! Handshakes with the TLS stacks that people have: OpenSSL, GnuTLS, Java, Python, Node and NSS, with each provider.
//!
//! Every client knows the authority of the test and nothing else, checks chain and host name, speaks TLS 1.2 and 1.3 on all listeners
//! (explicit ones by its own way to TLS, or by hand), says a command inside TLS, and refuses the same server under another name. NSS'
//! `tstclnt` knows no STARTTLS for mail: it has the implicit listeners.

mod gnutls;
mod nss;
mod openssl;
mod scripts;

use crate::{
    harness::{have, plugin_dir, run_ok, Server, Setup, MAIL_CONFIG},
    tls::HOST,
};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// A listener, as clients see it.
pub struct Port {
    pub listener: &'static str,
    pub protocol: &'static str,
    pub explicit: bool,
}

const fn port(listener: &'static str, protocol: &'static str, explicit: bool) -> Port {
    Port { listener, protocol, explicit }
}

/// All of [`MAIL_CONFIG`].
pub const PORTS: [Port; 7] = [
    port("smtp", "smtp", true),
    port("submission", "smtp", true),
    port("submissions", "smtp", false),
    port("pop3", "pop3", true),
    port("pop3s", "pop3", false),
    port("imap", "imap", true),
    port("imaps", "imap", false),
];

/// What every client has to speak.
pub const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

/// A name that the server has no certificate for.
pub const OTHER: &str = "other.example.test";

impl Port {
    /// The command with which a client leaves.
    pub fn farewell(&self) -> &'static str {
        if self.protocol == "imap" {
            "a LOGOUT"
        } else {
            "QUIT"
        }
    }

    /// How the answer to it begins.
    pub fn answer(&self) -> &'static str {
        match self.protocol {
            "smtp" => "221 ",
            "pop3" => "+OK ",
            _ => "* BYE ",
        }
    }
}

/// A server, and the authority that its certificate is from. Tests of one provider that run at the same time share it.
pub struct Lab {
    server: Server,
    /// The authority's certificate.
    pub ca: PathBuf,
}

impl Lab {
    pub fn port(&self, port: &Port) -> String {
        self.server.port(port.listener).to_string()
    }

    /// A folder for what a client needs.
    pub fn folder(&self) -> &Path {
        self.server.setup.dir.path()
    }

    fn start(options: &str) -> Lab {
        let config = MAIL_CONFIG.replace(r#""tls-rustls": ()"#, &format!(r#""tls": ({options})"#));
        assert_ne!(config, MAIL_CONFIG);
        let setup = Setup::mail_with(&config);
        let ca = certify(&setup);
        Lab { server: setup.start(), ca }
    }
}

/// Puts a certificate of an authority of its own, with one in between, where the server finds it; gives the authority's.
fn certify(setup: &Setup) -> PathBuf {
    let dir = setup.dir.path();
    let openssl = |words: &str| run_ok(Command::new("openssl").current_dir(dir).args(words.split(' ')));
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 30 -subj /CN=authority"));
    for (name, issuer, subject, extensions) in [
        ("between", "ca", "between", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n".to_owned()),
        (
            "server",
            "between",
            HOST,
            format!("basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:{HOST}\n"),
        ),
    ] {
        fs::write(dir.join("extensions"), extensions).unwrap();
        openssl(&format!("req {key} -keyout {name}.key -out {name}.csr -subj /CN={subject}"));
        let issuer = format!("-CA {issuer}.pem -CAkey {issuer}.key -CAcreateserial");
        openssl(&format!("x509 -req -in {name}.csr {issuer} -days 20 -extfile extensions -out {name}.pem"));
    }
    let chain = ["server.pem", "between.pem"].map(|file| fs::read_to_string(dir.join(file)).unwrap()).concat();
    fs::create_dir_all(setup.certs()).unwrap();
    fs::write(setup.crt(HOST), chain).unwrap();
    // openssl has made it for its owner alone.
    fs::copy(dir.join("server.key"), setup.certs().join(format!("{HOST}.key"))).unwrap();
    dir.join("ca.pem")
}

static ON_RUSTLS: Mutex<Weak<Lab>> = Mutex::new(Weak::new());
static ON_OPENSSL: Mutex<Weak<Lab>> = Mutex::new(Weak::new());

/// The lab that another test has started, or a new one.
fn shared(place: &Mutex<Weak<Lab>>, options: &str) -> Arc<Lab> {
    // A start that failed leaves nothing half done.
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    place.upgrade().unwrap_or_else(|| {
        let lab = Arc::new(Lab::start(options));
        *place = Arc::downgrade(&lab);
        lab
    })
}

fn on_rustls() -> Option<Arc<Lab>> {
    have("openssl").then(|| shared(&ON_RUSTLS, r#"plugin: "tls-rustls""#))
}

fn on_openssl() -> Option<Arc<Lab>> {
    let library = plugin_dir().join("libdovetail_tls_openssl.so");
    if !library.exists() {
        assert!(std::env::var_os("CI").is_none(), "{} is not built, and in CI nothing skips", library.display());
        eprintln!("SKIPPED: {} is not built; `cargo test --workspace` builds it", library.display());
        return None;
    }
    have("openssl").then(|| shared(&ON_OPENSSL, r#"plugin: "tls-openssl""#))
}

/// Runs a client whose standard input stays open until it ends, so that the server is who ends the conversation; whether it was content,
/// and what it says.
pub fn converse(command: &mut Command, said: &str) -> (bool, String) {
    let shown = format!("{command:?}");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // One that refuses the server does not listen any more.
    let _ = stdin.write_all(said.as_bytes());
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), format!("{shown}\n{text}"))
}

/// Does it for each port that is right, in each version, two at a time.
pub fn for_each(is_right: impl Fn(&Port) -> bool, shake: impl Fn(&Port, &'static str) + Sync) {
    let all: Vec<_> = PORTS.iter().filter(|port| is_right(port)).flat_map(|port| VERSIONS.map(|v| (port, v))).collect();
    let (one, two) = all.split_at(all.len() / 2);
    std::thread::scope(|scope| {
        for half in [one, two] {
            let shake = &shake;
            scope.spawn(move || half.iter().for_each(|(port, version)| shake(port, version)));
        }
    });
}

macro_rules! with_each_client {
    ($lab:ident) => {
        mod $lab {
            with_each_client!($lab: openssl openssl, gnutls gnutls, nss nss, java scripts, python scripts, node scripts);
        }
    };
    ($lab:ident: $($client:ident $file:ident),*) => {$(
        #[test]
        fn $client() {
            if let Some(lab) = super::super::$lab() {
                super::super::$file::$client(&lab);
            }
        }
    )*};
}

/// A test a provider and client.
mod clients {
    with_each_client!(on_rustls);
    with_each_client!(on_openssl);
}
