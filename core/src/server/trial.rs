//! `serve --tls-provider ID`: another TLS provider for the life of a process, whatever the config says.
//!
//! An instance of that name does TLS then; otherwise the plugin of that id takes the place, name and all, of the instance that
//! the config has for it. The config's own words for that instance's library and section are for another plugin, so they do
//! not count.

use crate::{
    config::{document::Piece, Config, PluginConfig, Problems},
    plugin::{closure, finder::Finder},
};
use dovetail_abi::{handle::Interface, tls_v1::Tls};

/// Changes a config so that `id` does TLS.
///
/// # Errors
/// If nobody has that name, it does no TLS, or it is not clear whose place it takes.
pub fn tls_provider(config: &mut Config, finder: &Finder, id: &str) -> Result<(), Problems> {
    let wrong = |message: String, help: &str| Problems::one(format!("--tls-provider {id}: {message}"), help);
    let does_tls = |plugin: &PluginConfig| {
        let found = closure::locate(config, finder, plugin);
        found.is_ok_and(|found| found.manifest.provides.iter().any(|provided| provided == Tls::ID))
    };
    if let Some(instance) = config.plugins.iter().find(|plugin| plugin.instance == id) {
        if !does_tls(instance) {
            return Err(wrong(format!("the instance `{id}` does not provide {}", Tls::ID), NAME_ANOTHER));
        }
        config.services.insert(Tls::ID.to_owned(), id.to_owned());
        return Ok(());
    }
    let found = finder.find(id).map_err(|error| wrong(error.to_string(), NAME_ANOTHER))?;
    if !found.manifest.provides.iter().any(|provided| provided == Tls::ID) {
        return Err(wrong(format!("the plugin `{id}` does not provide {}", Tls::ID), NAME_ANOTHER));
    }
    let chosen = config.services.get(Tls::ID);
    let mut places = config.plugins.iter().enumerate().filter(|(_, plugin)| match chosen {
        Some(chosen) => plugin.instance == *chosen,
        None => does_tls(plugin),
    });
    let place = match (places.next(), places.next()) {
        (Some((place, _)), None) => place,
        (Some((_, one)), Some((_, other))) => {
            let message = format!("`{}` and `{}` both do TLS in the config", one.instance, other.instance);
            return Err(wrong(message, "name one of them, or let the config choose with `services`"));
        }
        (None, _) => {
            let message = "no instance of the config does TLS, so there is none to replace".to_owned();
            return Err(wrong(message, "add \"tls-rustls\": () to `plugins`"));
        }
    };
    if let Some(plugin) = config.plugins.get_mut(place) {
        id.clone_into(&mut plugin.plugin);
        plugin.path = None;
        plugin.sha256 = None;
        plugin.section = Piece { text: "()".to_owned(), ..plugin.place.clone() };
        tracing::warn!(instance = %plugin.instance, plugin = %id, "another TLS provider than the config's, since --tls-provider asks for it");
    }
    Ok(())
}

const NAME_ANOTHER: &str =
    "name an instance or a plugin that does TLS, such as tls-rustls (`dovetail plugin list` shows what there is)";
