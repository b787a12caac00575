//! `cargo xtask dist`: a release as one archive, `target/dist/dovetail-VERSION-TARGET.tar.gz`.
//!
//! One folder: the program with its plugins beside it, where it finds them; the example configurations; licences.

use crate::error::Error;
use crate::run;
use crate::workspace::{Package, Workspace};
use std::path::Path;
use std::process::Command;

const PAPERS: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

/// Builds, copies, packs.
pub fn run() -> Result<(), Error> {
    let workspace = Workspace::load()?;
    run::through(run::cargo().args(["build", "--quiet", "--release", "--locked"]))?;
    let name = format!("dovetail-{}-{}", env!("CARGO_PKG_VERSION"), host()?);
    let dist = workspace.target_directory.join("dist");
    let folder = dist.join(&name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(Error::file(&folder))?;
    }
    let conf = folder.join("conf");
    std::fs::create_dir_all(&conf).map_err(Error::file(&conf))?;
    let release = workspace.target_directory.join("release");
    copy(&release.join("dovetail"), &folder)?;
    for plugin in workspace.default_packages().filter_map(Package::library) {
        copy(&release.join(plugin), &folder)?;
    }
    for paper in PAPERS {
        copy(&workspace.workspace_root.join(paper), &folder)?;
    }
    let examples = workspace.workspace_root.join("conf");
    for entry in std::fs::read_dir(&examples).map_err(Error::file(&examples))? {
        copy(&entry.map_err(Error::file(&examples))?.path(), &conf)?;
    }
    let archive = dist.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.args(["--owner=0", "--group=0", "--numeric-owner", "--sort=name", "-C"]);
    run::output(tar.arg(&dist).arg("-czf").arg(&archive).arg(&name))?;
    println!("{}", archive.display());
    Ok(())
}

fn copy(file: &Path, folder: &Path) -> Result<(), Error> {
    let name = file.file_name().unwrap_or_default();
    let copied = std::fs::copy(file, folder.join(name));
    copied.map(|_| ()).map_err(Error::file(file))
}

/// The platform that the compiler builds for.
fn host() -> Result<String, Error> {
    let said = run::output(Command::new("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|l| l.strip_prefix("host: "));
    Ok(host.unwrap_or("unknown").to_string())
}
