//! The certificate store with thousands of certificates: how long it takes to start, to choose one of them, and to follow the
//! change of one.

use crate::{error::Error, host::Plugin};
use dovetail_abi::certs_v1::Certs;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::{Duration, Instant},
};

/// Makes so many pairs of P-256 in a folder.
///
/// # Errors
/// If a file cannot be written.
pub fn fill(dir: &Path, count: u32) -> Result<(), Error> {
    std::fs::create_dir_all(dir)?;
    (0..count).try_for_each(|n| make(dir, &name(n)))
}

/// Measures with the pairs that [`fill`] has made, and gives the figures as JSON.
///
/// # Errors
/// If the store does not start, or does not do what it should.
pub fn measure(dir: &Path) -> Result<String, Error> {
    // The store's tasks run beside what is measured.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(runtime.spawn(figures(dir.to_owned())))?
}

async fn figures(dir: std::path::PathBuf) -> Result<String, Error> {
    let section = format!("(dir: {:?})", dir.display().to_string());
    let began = Instant::now();
    let store = Plugin::start_with("cert-store", &section, &[]).await?;
    let start = began.elapsed();
    let certs: Certs = store.provided()?;
    let before = ids(&certs)?;

    let mut times = Vec::with_capacity(RESOLVES);
    for turn in 0..RESOLVES {
        // Neighbours in the folder are no neighbours here.
        let asked = host(&name((turn * 7919 % before.len().max(1)) as u32));
        let began = Instant::now();
        certs.resolve(None, Some(asked))?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let part = |of_thousand: usize| times.get(RESOLVES * of_thousand / 1000).copied().unwrap_or_default();

    make(&dir, &name(0))?;
    let began = Instant::now();
    store.reload().await?;
    let change = began.elapsed();
    let after = ids(&certs)?;
    let read = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    let (milliseconds, microseconds) =
        (|time: Duration| time.as_secs_f64() * 1e3, |time: Duration| time.as_secs_f64() * 1e6);
    Ok(format!(
        r#"{{"certificates":{},"start_ms":{:.1},"resolve_p50_us":{:.2},"resolve_p99_us":{:.2},"change_ms":{:.1},"change_read":{read}}}"#,
        before.len(),
        milliseconds(start),
        microseconds(part(500)),
        microseconds(part(990)),
        milliseconds(change),
    ))
}

/// What the store says of each name, up to the first that it does not know.
fn ids(certs: &Certs) -> Result<Vec<u64>, Error> {
    let default = certs.resolve(None, Some("nobody.invalid".to_owned()))?;
    let mut ids = Vec::new();
    for n in 0.. {
        match certs.resolve(None, Some(host(&name(n))))? {
            // The first is the default.
            Some(id) if n == 0 || Some(id) != default => ids.push(id),
            _ => break,
        }
    }
    Ok(ids)
}

fn name(n: u32) -> String {
    format!("n{n:05}")
}

fn host(name: &str) -> String {
    format!("{name}.bench.test")
}

/// Puts a new pair into the folder, certificate last, each at once.
fn make(dir: &Path, name: &str) -> Result<(), Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = CertificateParams::new(vec![host(name)])?.self_signed(&key)?;
    for (extension, text) in [("key", key.serialize_pem()), ("crt", certificate.pem())] {
        let staged = dir.join(format!(".{name}.{extension}"));
        let mut file = std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&staged)?;
        file.write_all(text.as_bytes())?;
        std::fs::rename(&staged, dir.join(format!("{name}.{extension}")))?;
    }
    Ok(())
}

const RESOLVES: usize = 100_000;
