//! An authority for one scan, and the server's certificate from it: P-256, less than 90 days, as Mozilla recommends.

use super::server::HOST;
use crate::{error::Error, run};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Makes the authority in a folder; gives its certificate.
pub fn authority(folder: &Path) -> Result<PathBuf, Error> {
    openssl(folder, &format!("req -x509 {KEY} -keyout ca.key -out ca.pem -days 365 -subj /CN=scan -addext keyUsage=critical,keyCertSign,cRLSign"))?;
    Ok(folder.join("ca.pem"))
}

/// Makes `HOST.key` and `HOST.crt` in `certs`, by the authority in `folder`.
pub fn issue(folder: &Path, certs: &Path) -> Result<(), Error> {
    let extensions = folder.join("server.ext");
    let text = format!(
        "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:{HOST}\n\
         authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
    );
    fs::write(&extensions, text).map_err(Error::file(&extensions))?;
    openssl(folder, &format!("req {KEY} -keyout server.key -out server.csr -subj /CN={HOST}"))?;
    let signed = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 89 -extfile server.ext -out server.pem";
    openssl(folder, &format!("x509 -req -in server.csr {signed}"))?;
    fs::create_dir_all(certs).map_err(Error::file(certs))?;
    for (from, ending) in [("server.key", "key"), ("server.pem", "crt")] {
        // With its permissions: openssl makes keys for their owner alone.
        let to = certs.join(format!("{HOST}.{ending}"));
        fs::copy(folder.join(from), &to).map_err(Error::file(&to))?;
    }
    Ok(())
}

fn openssl(folder: &Path, words: &str) -> Result<(), Error> {
    run::output(Command::new("openssl").current_dir(folder).args(words.split(' '))).map(drop)
}

const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
