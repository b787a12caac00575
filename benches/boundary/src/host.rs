//! The host's part: loads plugins, wires and starts them as a server does. Offers the same to code that is compiled in.

use crate::error::Error;
use dovetail::{
    plugin::{finder::Finder, host::InstanceHost, load, slot::Place},
    telemetry::log::Log,
};
use dovetail_abi::{
    handle::Interface,
    kernel_v1::{Bound, Instance, PrepareInput, Section, StartInput},
    layout, AnyHandle,
};
use dovetail_sdk::{glue, host::Host};
use std::{path::PathBuf, sync::Arc};

/// A plugin that runs.
pub struct Plugin {
    id: String,
    instance: Instance,
}

impl Plugin {
    /// Finds a plugin, loads and starts it with an empty section and these services.
    ///
    /// # Errors
    /// If it is not there, or does not fit.
    pub async fn start(id: &str, services: &[AnyHandle]) -> Result<Plugin, Error> {
        Plugin::start_with(id, "()", services).await
    }

    /// The same with a section.
    ///
    /// # Errors
    /// The same, or if the section is wrong.
    pub async fn start_with(id: &str, section: &str, services: &[AnyHandle]) -> Result<Plugin, Error> {
        let found = Finder::new([]).find(id).map_err(Error::plugin(id))?;
        let library = load::load(&found.path, None, None).map_err(Error::plugin(id))?;
        let prepared = library.prepare(input(id, section)).map_err(Error::section(id))?;
        let host = host(id);
        let mut bound = Vec::new();
        for required in &library.description.requires {
            let given = || services.iter().find(|service| service.id() == required.id.as_str()).cloned();
            let offered = host.query(&required.id).or_else(given);
            let offered =
                offered.ok_or_else(|| format!("nobody provides {}", required.id)).map_err(Error::plugin(id))?;
            layout::compatible(required.layout, offered.layout()).map_err(Error::plugin(id))?;
            bound.push(at_a_place(offered));
        }
        let started = prepared.start(StartInput { services: bound }).await;
        let instance = started.map_err(|failure| Error::plugin(id)(failure.message))?;
        Ok(Plugin { id: id.to_owned(), instance })
    }

    /// What it provides.
    ///
    /// # Errors
    /// If it does not provide this.
    pub fn provided<I: Interface>(&self) -> Result<I, Error> {
        self.query(I::ID)?.checked().map_err(Error::plugin(&self.id))
    }

    /// The place of what it provides, from which core takes it for each session.
    ///
    /// # Errors
    /// If it does not provide this.
    pub fn place(&self, interface: &str) -> Result<Place, Error> {
        let place = Place::default();
        place.fill(self.query(interface)?);
        Ok(place)
    }

    /// Has it read its data anew.
    ///
    /// # Errors
    /// If it does not.
    pub async fn reload(&self) -> Result<(), Error> {
        self.instance.reload().await.map_err(|failure| Error::plugin(&self.id)(failure.message))
    }

    fn query(&self, interface: &str) -> Result<AnyHandle, Error> {
        let any = self.instance.query(interface.to_owned())?;
        any.ok_or_else(|| format!("it provides no {interface}")).map_err(Error::plugin(&self.id))
    }
}

/// The same host's services for code that is compiled in, which logs and reads the clock as it does in a plugin.
///
/// # Errors
/// If the host lacks a service.
pub fn for_direct(id: &str) -> Result<Arc<Host>, Error> {
    // Installs the SDK's way into the log, once.
    glue::describe(id, Vec::new(), Vec::new(), Vec::new());
    let host = host(id);
    let services: Vec<Bound> =
        Host::requires().iter().filter_map(|required| host.query(&required.id)).map(at_a_place).collect();
    Host::new(&services).map_err(Error::direct)
}

fn host(id: &str) -> InstanceHost {
    InstanceHost::new(id, PathBuf::from(NOWHERE), Log::default())
}

fn at_a_place(offered: AnyHandle) -> Bound {
    let place = Place::default();
    let id = offered.id().to_owned();
    place.fill(offered);
    Bound { id, provider: String::new(), slot: place.slot() }
}

fn input(id: &str, section: &str) -> PrepareInput {
    PrepareInput {
        instance: id.to_owned(),
        section: Section { file: "boundary.ron".into(), line: 1, column: 1, text: section.to_owned() },
        hostname: HOSTNAME.into(),
        data_dir: NOWHERE.into(),
        config_dir: NOWHERE.into(),
        purpose: dovetail_abi::kernel_v1::Purpose::Serve,
        build: String::new(),
    }
}

/// The server's name.
pub const HOSTNAME: &str = "mail.example.org";
/// Nothing here has files.
const NOWHERE: &str = "/nonexistent/dovetail-boundary";
