//! `cargo xtask dist`: a release as one archive, `target/dist/dovetail-VERSION-TARGET.tar.gz`.
//!
//! One folder: the program with its plugins beside it, where it finds them; manual pages and completions, which the program
//! makes of its own words and those of these plugins; the systemd unit that `dovetail init` writes, for a program in
//! `/usr/local/bin`; the example configurations; licences.
//!
//! A plugin that needs a library of the system comes along if it was built before (`cargo build --release -p PACKAGE`); it is
//! built again, so that it is of this version. What it needs where it runs is the installer's business.

use crate::error::Error;
use crate::run;
use crate::workspace::{Package, Workspace};
use std::path::Path;
use std::process::Command;

const PAPERS: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];
/// Each shell with what it calls the file of our completions.
const COMPLETIONS: [(&str, &str); 5] = [
    ("bash", "dovetail.bash"),
    ("zsh", "_dovetail"),
    ("fish", "dovetail.fish"),
    ("elvish", "dovetail.elv"),
    ("powershell", "_dovetail.ps1"),
];
/// Where the unit expects the program.
const INSTALLED: &str = "/usr/local/bin/dovetail";

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
    for plugin in shipped(&workspace) {
        copy(&release.join(plugin), &folder)?;
    }
    for (package, plugin) in optional(&workspace) {
        if release.join(&plugin).exists() {
            run::through(run::cargo().args(["build", "--quiet", "--release", "--locked", "-p", package]))?;
            copy(&release.join(plugin), &folder)?;
        }
    }
    for paper in PAPERS {
        copy(&workspace.workspace_root.join(paper), &folder)?;
    }
    let examples = workspace.workspace_root.join("conf");
    for entry in std::fs::read_dir(&examples).map_err(Error::file(&examples))? {
        copy(&entry.map_err(Error::file(&examples))?.path(), &conf)?;
    }
    describe(&folder)?;
    let archive = dist.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.args(["--owner=0", "--group=0", "--numeric-owner", "--sort=name", "-C"]);
    run::output(tar.arg(&dist).arg("-czf").arg(&archive).arg(&name))?;
    println!("{}", archive.display());
    Ok(())
}

/// The libraries of the plugins that a plain build makes. The examples (`sdk/examples`) are to be read, not to be installed.
fn shipped(workspace: &Workspace) -> impl Iterator<Item = String> + '_ {
    let plugins = workspace.default_packages().filter(|package| workspace.folder(package).starts_with("plugins"));
    plugins.filter_map(Package::library)
}

/// The plugins that a plain build leaves out, by package and library.
fn optional(workspace: &Workspace) -> impl Iterator<Item = (&str, String)> {
    let is_default = |package: &Package| workspace.workspace_default_members.contains(&package.id);
    let packages = workspace
        .packages
        .iter()
        .filter(move |package| workspace.folder(package).starts_with("plugins") && !is_default(package));
    packages.filter_map(|package| Some((package.name.as_str(), package.library()?)))
}

/// What the program in the folder makes of itself.
fn describe(folder: &Path) -> Result<(), Error> {
    let folder = &folder.canonicalize().map_err(Error::file(folder))?;
    let program = folder.join("dovetail");
    // Not the config of the machine that this runs on.
    let with_config = || {
        let mut command = Command::new(&program);
        command.arg("--config").arg(folder.join("conf/dovetail.ron"));
        command
    };
    run::output(with_config().args(["man", "--dir"]).arg(folder.join("man/man1")))?;
    let completions = folder.join("completions");
    std::fs::create_dir_all(&completions).map_err(Error::file(&completions))?;
    for (shell, name) in COMPLETIONS {
        let script = run::output(with_config().args(["completions", shell]))?;
        write(&completions.join(name), &script)?;
    }
    let print = ["init", "--print", "--json", "--user", "dovetail", "--domain", "example.org", "--hostname"];
    let files = run::output(Command::new(&program).args(print).arg("mail.example.org"))?;
    let unit = unit(&files, &program)?;
    let systemd = folder.join("systemd");
    std::fs::create_dir_all(&systemd).map_err(Error::file(&systemd))?;
    write(&systemd.join("dovetail.service"), &unit)
}

/// The unit among the files that `dovetail init` would write, for the installed program.
fn unit(files: &str, program: &Path) -> Result<String, Error> {
    let what = "the output of `dovetail init --print --json`".to_owned();
    let files: serde_json::Value = serde_json::from_str(files).map_err(|source| Error::Json { what, source })?;
    let files = files["files"].as_array().into_iter().flatten();
    let mut texts = files
        .filter(|file| file["path"].as_str().is_some_and(|path| path.ends_with("/dovetail.service")))
        .filter_map(|file| file["text"].as_str());
    let text =
        texts.next().ok_or_else(|| Error::Server("`dovetail init --print` prints no dovetail.service".into()))?;
    let head = "# An example with the usual paths; `dovetail init` writes one for the machine that it sets up.\n";
    let lines = text.lines().skip_while(|line| line.starts_with('#'));
    let program = program.display().to_string();
    if !text.contains(&program) {
        return Err(Error::Server(format!("the unit that `dovetail init` prints does not name {program}")));
    }
    Ok(lines.fold(head.to_owned(), |all, line| all + &line.replace(&program, INSTALLED) + "\n"))
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(Error::file(path))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_stay_and_what_needs_a_library_of_the_system_may_come_along() {
        let package = |folder: &str| {
            let name = folder.replace('/', "-");
            serde_json::json!({
                "id": folder, "name": name, "manifest_path": format!("/house/{folder}/Cargo.toml"), "dependencies": [],
                "targets": [{ "name": name, "crate_types": ["cdylib"] }],
            })
        };
        let json = serde_json::json!({
            "packages": [
                package("plugins/smtp"), package("plugins/tls-openssl"), package("core/tests/plugins/echo"),
                package("sdk/examples/lmtp"),
            ],
            "workspace_default_members": ["plugins/smtp", "sdk/examples/lmtp"],
            "workspace_root": "/house",
            "target_directory": "/house/target",
        });
        let workspace = Workspace::parse(&json.to_string()).unwrap();
        assert_eq!(shipped(&workspace).collect::<Vec<_>>(), ["libplugins_smtp.so"]);
        let found: Vec<_> = optional(&workspace).collect();
        assert_eq!(found, [("plugins-tls-openssl", "libplugins_tls_openssl.so".to_owned())]);
    }

    #[test]
    fn the_unit_is_for_the_installed_program() {
        let files = r##"{"files":[{"path":"/etc/dovetail/dovetail.ron","text":"()"},
            {"path":"/etc/systemd/system/dovetail.service","text":"# Made for one.\n[Service]\nExecStart=/x/y/dovetail serve\n"}]}"##;
        let unit = super::unit(files, Path::new("/x/y/dovetail")).unwrap();
        assert!(unit.ends_with("that it sets up.\n[Service]\nExecStart=/usr/local/bin/dovetail serve\n"), "{unit}");
        assert!(super::unit(files, Path::new("/z/dovetail")).unwrap_err().to_string().contains("/z/dovetail"));
        super::unit(r#"{"files":[]}"#, Path::new("/x")).unwrap_err();
    }
}
