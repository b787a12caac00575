//! Runs one case by the real binary, and looks at what it said and did.

use super::{
    case::{Before, Case, Verdict},
    snapshot::Snapshot,
    workshop::Workshop,
};
use crate::harness::{dovetail, run, run_ok};
use rustls::pki_types::{pem::PemObject, CertificateDer, PrivateKeyDer};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// Runs a case; what is wrong with it, if anything is.
pub fn check(case: &Case, shop: &Workshop) -> Result<(), String> {
    let place = shop.file(&format!("cases/{}", case.name));
    let (brought, folder) = (place.join("brought"), place.join("certs"));
    fs::create_dir_all(&brought).map_err(|error| error.to_string())?;
    let name = case.becomes.clone().unwrap_or_else(|| case.name.clone());
    prepare(&folder, case, shop, &name);
    let mut command = import(&folder);
    // The roots that this machine knows.
    command.env("SSL_CERT_FILE", shop.file("roots.pem"));
    command.arg("--cert").arg(bring(case, &case.cert, &brought, shop, ""));
    if let Some(key) = &case.key {
        command.arg("--key").arg(bring(case, key, &brought, shop, "-key"));
    }
    if let Some(password) = &case.password {
        let file = brought.join("password");
        fs::write(&file, password).map_err(|error| error.to_string())?;
        command.arg("--password-file").arg(file);
    }
    command.args(&case.words);

    let (inputs, before) = (Snapshot::of(&brought), Snapshot::of(&folder));
    let (status, stdout, stderr) = run(&mut command);
    let told = format!("{status}\nstdout: {stdout}stderr: {stderr}");
    let expect = |right: bool, what: &str| if right { Ok(()) } else { Err(format!("{what}\n{told}")) };
    expect(Snapshot::of(&brought) == inputs, "what was brought has changed")?;
    expect(!stderr.contains("panicked"), "a panic")?;
    let lines: Vec<&str> = stderr.lines().collect();
    if case.verdict == Verdict::Bad {
        expect(status.code() == Some(1) && stdout.is_empty(), "not refused")?;
        expect(lines.len() == 1 && stderr.starts_with("error: "), "not one line with the reason")?;
        for said in &case.said {
            expect(stderr.contains(said), &format!("it doesn't say {said:?}"))?;
        }
        return expect(Snapshot::of(&folder) == before, "the folder has changed");
    }
    expect(status.code() == Some(0) && !stdout.is_empty(), "not imported")?;
    expect(lines.iter().all(|line| line.starts_with("warning: ")), "something else than warnings")?;
    expect(lines.len() == case.said.len(), &format!("not {} warnings", case.said.len()))?;
    for said in &case.said {
        expect(stderr.contains(said), &format!("it doesn't warn of {said:?}"))?;
    }
    published(&folder, &name, case, shop)
}

/// The folder as the case wants it.
fn prepare(folder: &Path, case: &Case, shop: &Workshop, name: &str) {
    let files = match &case.before {
        Before::Nothing => return,
        Before::Imported(cert, key) => {
            run_ok(
                import(folder).args(["--name", name, "--cert"]).arg(shop.file(cert)).arg("--key").arg(shop.file(key)),
            );
            return;
        }
        Before::Bystander => &vec![("ec.crt".into(), "by.crt".into()), ("ec.key".into(), "by.key".into())],
        Before::Files(files) => files,
    };
    fs::create_dir_all(folder).unwrap();
    for (fixture, name) in files {
        fs::copy(shop.file(fixture), folder.join(name)).unwrap();
    }
}

/// Copies a fixture to where the case takes it from, under the case's name.
fn bring(case: &Case, fixture: &str, brought: &Path, shop: &Workshop, ending: &str) -> PathBuf {
    let from = shop.file(fixture);
    if case.in_place {
        return from;
    }
    let extension = fixture.rsplit_once('.').map_or("pem", |(_, extension)| extension);
    let to = brought.join(format!("{}{ending}.{extension}", case.name));
    fs::copy(&from, &to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    to
}

fn import(folder: &Path) -> Command {
    let mut command = dovetail();
    command.args(["certs", "import", "--dir"]).arg(folder);
    command
}

/// What was published is one whole pair, to openssl and to rustls.
fn published(folder: &Path, name: &str, case: &Case, shop: &Workshop) -> Result<(), String> {
    let (key, crt) = (folder.join(format!("{name}.key")), folder.join(format!("{name}.crt")));
    let expect = |right: bool, what: String| if right { Ok(()) } else { Err(what) };
    for (file, mode) in [(&key, 0o600), (&crt, 0o644)] {
        let meta = file.symlink_metadata().map_err(|error| format!("{}: {error}", file.display()))?;
        let is = meta.permissions().mode() & 0o7777;
        expect(meta.is_file() && is == mode, format!("{} has mode {is:o}", file.display()))?;
    }
    if matches!(case.before, Before::Nothing) {
        let is = folder.metadata().map_err(|error| error.to_string())?.permissions().mode() & 0o7777;
        expect(is == 0o700, format!("the folder has mode {is:o}"))?;
    }
    let hidden = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let litter: Vec<String> = hidden.filter(|name| name.starts_with('.') && name != ".lock").collect();
    expect(litter.is_empty(), format!("left behind: {litter:?}"))?;

    let openssl = |words: &str, file: &Path| {
        let (status, stdout, stderr) = run(Command::new("openssl").args(words.split(' ')).arg(file));
        expect(status.success(), format!("openssl {words}: {stdout}{stderr}")).map(|()| stdout)
    };
    let of_key = openssl("pkey -pubout -in", &key)?;
    expect(of_key == openssl("x509 -noout -pubkey -in", &crt)?, "openssl sees two different keys".into())?;
    if let Some(root) = &case.root {
        let words = format!("verify -CAfile {} -untrusted {}", shop.file(root).display(), crt.display());
        openssl(&words, &crt)?;
    }
    let unreadable = |error| format!("{name}: {error:?}");
    match PrivateKeyDer::from_pem_file(&key).map_err(unreadable)? {
        // Version 1 of PKCS#8 is its number 0; others are refused by OpenSSL 3.0 and GnuTLS.
        PrivateKeyDer::Pkcs8(der) => {
            let head = der.secret_pkcs8_der().get(..8).unwrap_or_default();
            expect(head.windows(3).any(|window| window == [2, 1, 0]), format!("not version 1 of PKCS#8: {head:02x?}"))?;
        }
        _ => return Err("the key isn't PKCS#8".to_owned()),
    }
    if let Some(leaf) = &case.leaf {
        let meant = CertificateDer::from_pem_file(shop.file(leaf)).map_err(unreadable)?;
        let first = CertificateDer::from_pem_file(&crt).map_err(unreadable)?;
        expect(meant == first, format!("not {leaf} was published"))?;
    }
    let chain = CertificateDer::pem_file_iter(&crt).map_err(unreadable)?.count();
    expect(chain == case.chain, format!("{chain} certificates were published"))
}
