//! `cargo xtask deps`: the rule that keeps plugins apart.
//!
//! Plugins know the SDK and libraries of their own folder; core knows the ABI; nobody knows a plugin, and no
//! plugin's manifest or source names the ABI's layout library. And plain `cargo test` takes everything that needs no library of
//! the system ([`defaults`]). Every breach is printed, then the chore fails.

mod defaults;
mod rooms;
mod rule;
mod source;

pub use rooms::Room;

use crate::error::Error;
use crate::workspace::Workspace;

/// Checks the workspace and prints every breach.
pub fn run() -> Result<(), Error> {
    let workspace = Workspace::load()?;
    let mut breaches = rule::check(&workspace);
    breaches.extend(defaults::check(&workspace));
    breaches.extend(source::check(&workspace)?);
    for breach in &breaches {
        println!("{breach}");
    }
    if breaches.is_empty() {
        println!("the dependency rule holds for {} packages", workspace.packages.len());
        return Ok(());
    }
    Err(Error::Rule(breaches.len()))
}
