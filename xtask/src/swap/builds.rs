//! What is swapped: two TLS providers, and two builds of the IMAP plugin.
//!
//! The second build of the IMAP plugin is made by the same compiler from the same sources with other settings. It comes to lie
//! where the first did, so both are copied away and the first is made again at the end.

use crate::{error::Error, run, workspace::Workspace};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A way to do TLS: the instance's options in the config.
#[derive(Debug, Clone)]
pub struct Provider {
    /// What it is called here.
    pub name: String,
    /// Its library.
    pub library: PathBuf,
    /// What the config says.
    pub options: String,
}

/// See the module.
pub struct Builds {
    /// The server.
    pub program: PathBuf,
    /// Both providers; the first is the one that the server starts with.
    pub providers: [Provider; 2],
    /// Both builds; the first is the one that the config finds.
    pub imap: [PathBuf; 2],
}

impl Builds {
    /// Makes all of it.
    pub fn make(workspace: &Workspace) -> Result<Builds, Error> {
        let release = workspace.target_directory.join("release");
        let kept = workspace.target_directory.join("swap");
        fs::create_dir_all(&kept).map_err(Error::file(&kept))?;
        run::through(run::cargo().args(["build", "--quiet", "--release"]))?;
        let built = release.join("libdovetail_imap.so");
        let (first, second) = (kept.join("first.so"), kept.join("second.so"));
        // From an earlier run, if nothing has changed since.
        if !(second.exists() && is_same(&first, &built)) {
            copy(&built, &first)?;
            let other = ["rustc", "--quiet", "--release", "-p", "dovetail-imap", "--lib", "--"];
            run::through(run::cargo().args(other).args(["-C", "opt-level=2", "-C", "metadata=second"]))?;
            copy(&built, &second)?;
            run::through(run::cargo().args(["build", "--quiet", "--release", "-p", "dovetail-imap"]))?;
            copy(&built, &first)?;
        }
        let rustls = release.join("libdovetail_tls_rustls.so");
        let provider =
            |name: &str, library: PathBuf, options: String| Provider { name: name.to_owned(), library, options };
        let openssl =
            run::exists("pkg-config") && run::output(Command::new("pkg-config").args(["--exists", "openssl"])).is_ok();
        let other = match openssl {
            true => {
                run::through(run::cargo().args(["build", "--quiet", "--release", "-p", "dovetail-tls-openssl"]))?;
                let library = release.join("libdovetail_tls_openssl.so");
                provider("tls-openssl", library, "(plugin: \"tls-openssl\")".to_owned())
            }
            false => {
                let library = kept.join("rustls.so");
                copy(&rustls, &library)?;
                let options = format!("(plugin: \"tls-rustls\", path: {library:?})");
                provider("a copy of tls-rustls", library, options)
            }
        };
        Ok(Builds {
            program: release.join("dovetail"),
            providers: [provider("tls-rustls", rustls, "(plugin: \"tls-rustls\")".to_owned()), other],
            imap: [built, second],
        })
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    fs::copy(from, to).map(|_| ()).map_err(Error::file(to))
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}
