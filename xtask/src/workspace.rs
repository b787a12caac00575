//! The workspace as `cargo metadata` describes it: packages, their direct dependencies, the target folder.

use crate::error::Error;
use crate::run;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The workspace.
#[derive(Debug, Deserialize)]
pub struct Workspace {
    /// Its members.
    pub packages: Vec<Package>,
    /// The ids of those that a plain `cargo build` builds.
    pub workspace_default_members: Vec<String>,
    /// Its top folder.
    pub workspace_root: PathBuf,
    /// Where cargo builds.
    pub target_directory: PathBuf,
}

/// One member.
#[derive(Debug, Deserialize)]
pub struct Package {
    /// What cargo calls it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its `Cargo.toml`.
    pub manifest_path: PathBuf,
    /// What it depends on directly.
    pub dependencies: Vec<Dependency>,
    /// What is built from it.
    pub targets: Vec<Target>,
}

/// One line of a `[dependencies]` table.
#[derive(Debug, Deserialize)]
pub struct Dependency {
    /// The package's own name, whatever it is renamed to.
    pub name: String,
    /// `dev`, `build`, or nothing for a normal dependency.
    pub kind: Option<String>,
    /// The folder, if it is a path dependency.
    pub path: Option<PathBuf>,
}

/// One library, program, test ... of a package.
#[derive(Debug, Deserialize)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Its crate types.
    pub crate_types: Vec<String>,
}

impl Workspace {
    /// Asks cargo.
    pub fn load() -> Result<Workspace, Error> {
        let mut command = run::cargo();
        command.args(["metadata", "--format-version", "1", "--no-deps"]);
        Workspace::parse(&run::output(&mut command)?)
    }

    /// Reads what cargo said.
    pub fn parse(json: &str) -> Result<Workspace, Error> {
        serde_json::from_str(json)
            .map_err(|source| Error::Json { what: "the output of `cargo metadata`".to_string(), source })
    }

    /// What a plain `cargo build` builds.
    pub fn default_packages(&self) -> impl Iterator<Item = &Package> {
        let ids = &self.workspace_default_members;
        self.packages.iter().filter(|p| ids.contains(&p.id))
    }

    /// A package's folder, relative to the top.
    pub fn folder<'a>(&self, package: &'a Package) -> &'a Path {
        let folder = package.manifest_path.parent().unwrap_or(Path::new(""));
        folder.strip_prefix(&self.workspace_root).unwrap_or(folder)
    }
}

impl Package {
    /// The file name of the shared library (a plugin) that is built from it, if one is.
    pub fn library(&self) -> Option<String> {
        let mut targets = self.targets.iter();
        let target = targets.find(|t| t.crate_types.iter().any(|t| t == "cdylib"))?;
        Some(format!("lib{}.so", target.name.replace('-', "_")))
    }
}
