//! An authority of `openssl`, and the files of other programs as they lie there.

use crate::{harness::run_ok, tls};
use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

/// A root with an intermediate that issues.
pub struct Authority {
    dir: PathBuf,
    issued: AtomicU32,
}

/// A key and the certificate that was issued for it, PEM.
pub struct Issued {
    /// PKCS#8.
    pub key: String,
    /// The certificate alone.
    pub crt: String,
}

impl Issued {
    /// The certificate and the intermediate.
    pub fn chain(&self, authority: &Authority) -> String {
        format!("{}{}", self.crt, authority.intermediate())
    }
}

impl Authority {
    /// Makes one in a folder.
    pub fn new(dir: &Path) -> Authority {
        std::fs::create_dir_all(dir).unwrap();
        let authority = Authority { dir: dir.to_owned(), issued: AtomicU32::new(0) };
        let mut root = authority.openssl(&["req", "-x509", "-nodes", "-days", "900", "-subj", "/CN=Root"]);
        run_ok(root.args(EC).args(["-keyout", "root.key", "-out", "root.crt"]));
        let mut request = authority.openssl(&["req", "-new", "-nodes", "-subj", "/CN=Intermediate"]);
        run_ok(request.args(EC).args(["-keyout", "intermediate.key", "-out", "intermediate.csr"]));
        authority.sign("intermediate", "root", "basicConstraints=critical,CA:TRUE\n");
        authority
    }

    /// The intermediate certificate.
    pub fn intermediate(&self) -> String {
        std::fs::read_to_string(self.dir.join("intermediate.crt")).unwrap()
    }

    /// A new key of this kind (`rsa` or `ec`) and a certificate for a host.
    pub fn issue(&self, host: &str, kind: &str) -> Issued {
        let name = format!("issued-{}", self.issued.fetch_add(1, Ordering::Relaxed));
        let (key, csr) = (format!("{name}.key"), format!("{name}.csr"));
        let mut request = self.openssl(&["req", "-new", "-nodes", "-subj", &format!("/CN={host}")]);
        match kind {
            "rsa" => request.args(["-newkey", "rsa:2048"]),
            _ => request.args(EC),
        };
        run_ok(request.args(["-keyout", &key, "-out", &csr]));
        self.sign(&name, "intermediate", &format!("subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\n"));
        let read = |ending: &str| std::fs::read_to_string(self.dir.join(format!("{name}.{ending}"))).unwrap();
        Issued { key: read("key"), crt: read("crt") }
    }

    fn sign(&self, name: &str, issuer: &str, extensions: &str) {
        std::fs::write(self.dir.join("extensions"), extensions).unwrap();
        let (csr, crt) = (format!("{name}.csr"), format!("{name}.crt"));
        let (ca, ca_key) = (format!("{issuer}.crt"), format!("{issuer}.key"));
        let args = ["x509", "-req", "-days", "90", "-in", &csr, "-out", &crt, "-CA", &ca, "-CAkey", &ca_key];
        run_ok(self.openssl(&args).args(["-CAcreateserial", "-extfile", "extensions"]));
    }

    fn openssl(&self, args: &[&str]) -> Command {
        let mut command = Command::new("openssl");
        command.args(args).current_dir(&self.dir);
        command
    }
}

const EC: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

/// Another version of a name in certbot's tree: files in the archive, then one link after the other, as certbot does it.
pub fn certbot(authority: &Authority, root: &Path, name: &str, version: u32) {
    certbot_archive(authority, root, name, version);
    for which in ["privkey", "cert", "chain", "fullchain"] {
        certbot_switch(root, name, which, version);
    }
}

/// The archive's part of it.
pub fn certbot_archive(authority: &Authority, root: &Path, name: &str, version: u32) {
    let archive = root.join("archive").join(name);
    std::fs::create_dir_all(&archive).unwrap();
    let issued = authority.issue(name, "ec");
    let write = |which: &str, text: &str| std::fs::write(archive.join(format!("{which}{version}.pem")), text).unwrap();
    write("privkey", &issued.key);
    write("cert", &issued.crt);
    write("chain", &authority.intermediate());
    write("fullchain", &issued.chain(authority));
}

/// One link of `live` to a version.
pub fn certbot_switch(root: &Path, name: &str, which: &str, version: u32) {
    let live = root.join("live").join(name);
    std::fs::create_dir_all(&live).unwrap();
    let link = live.join(format!("{which}.pem"));
    if link.symlink_metadata().is_ok() {
        std::fs::remove_file(&link).unwrap();
    }
    symlink(format!("../../archive/{name}/{which}{version}.pem"), link).unwrap();
}

/// Fails unless both files have the same public key.
#[track_caller]
pub fn openssl_agrees(crt: &Path, key: &Path) {
    let from_crt = run_ok(Command::new("openssl").args(["x509", "-noout", "-pubkey", "-in"]).arg(crt));
    let from_key = run_ok(Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(key));
    assert_eq!(from_crt, from_key, "{}", crt.display());
}

/// The blocks of a PEM file, without what is around them.
pub fn blocks(pem: &str) -> Vec<String> {
    pem.split("-----BEGIN").skip(1).map(|block| block.split_whitespace().collect()).collect()
}

/// The first certificate of a file.
pub fn leaf(path: &Path) -> Vec<u8> {
    tls::certificate(path).to_vec()
}
