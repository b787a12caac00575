//! One generation of an instance, from prepared to stopped.

use super::{
    generation::Generation,
    host::{InstanceHost, END_LIMIT},
    load::Loaded,
    places::Places,
    wiring,
};
use crate::config::PluginConfig;
use dovetail_abi::{
    kernel_v1::{Bound, Instance, Prepared, StartInput},
    layout, AnyHandle,
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// See the module.
pub struct Member {
    /// Its config.
    pub config: PluginConfig,
    /// Its library.
    pub library: Arc<Loaded>,
    /// What the host offers it.
    pub host: InstanceHost,
    /// What it requires and who provides that, the host's own apart: interface and instance.
    pub needs: BTreeSet<(String, String)>,
    /// Counts those that ran under its name, from 1.
    pub generation: u64,
    life: Mutex<Life>,
}

#[derive(Default)]
struct Life {
    prepared: Option<Prepared>,
    running: Option<Instance>,
}

/// An interface that an instance provides, and its provider.
pub type Offer = (String, AnyHandle);

/// Beside a server that runs, an instance gets so long to start.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Reading data anew takes at most so long.
const RELOAD_LIMIT: Duration = Duration::from_secs(30);

impl Member {
    /// An instance that is ready to be started.
    pub fn new(
        config: PluginConfig,
        library: Arc<Loaded>,
        host: InstanceHost,
        needs: BTreeSet<(String, String)>,
        prepared: Option<Prepared>,
    ) -> Member {
        let life = Mutex::new(Life { prepared, running: None });
        Member { config, library, host, needs, generation: 1, life }
    }

    /// Which generation it is, of what.
    pub fn about(&self) -> Generation {
        Generation::of(&self.config.instance, &self.library, self.generation)
    }

    /// Starts it with the services that stand at their places, and gives what it provides.
    ///
    /// # Errors
    /// Why it did not. If it began to run it still must be stopped.
    pub async fn start(&self, places: &Places) -> Result<Vec<Offer>, String> {
        let mut services = Vec::new();
        for required in &self.library.description.requires {
            let id = required.id.to_string();
            if wiring::is_host_interface(&id) {
                let place = super::slot::Place::default();
                place.fill(self.host.query(&id).ok_or_else(|| format!("this server offers no {id}"))?);
                services.push(Bound { id, provider: String::new(), slot: place.slot() });
            } else if !self.needs.iter().any(|(interface, _)| *interface == id) {
                return Err(format!("nobody provides {id}"));
            }
        }
        for (id, provider) in &self.needs {
            let slot = places.place(provider, id).slot();
            services.push(Bound { id: id.clone(), provider: provider.clone(), slot });
        }
        let prepared = self.life().prepared.take().ok_or("it was started before")?;
        let instance = prepared.start(StartInput { services }).await.map_err(|failure| failure.message)?;
        // From here on it runs, and is stopped even if it turns out not to be what it should.
        self.life().running = Some(instance.clone());
        let mut offers = Vec::new();
        for offer in &self.library.description.provides {
            let id = offer.id.to_string();
            let provider = instance.query(id.clone()).map_err(|failure| failure.to_string())?;
            let provider = provider.ok_or_else(|| format!("it does not provide {id} as its manifest says"))?;
            if !std::ptr::eq(provider.layout(), offer.layout) {
                layout::compatible(offer.layout, provider.layout())
                    .map_err(|difference| format!("{id}: {}", difference.between("its description", "its instance")))?;
            }
            offers.push((id, provider));
        }
        Ok(offers)
    }

    /// The same within a limit, for a server that runs and must not wait for ever.
    ///
    /// # Errors
    /// The same, or that it takes too long; it must be stopped then, too.
    pub async fn start_in_time(&self, places: &Places) -> Result<Vec<Offer>, String> {
        let late = |_| Err(format!("it did not start within {} s", START_LIMIT.as_secs()));
        tokio::time::timeout(START_LIMIT, self.start(places)).await.unwrap_or_else(late)
    }

    /// Has it read anew what it keeps outside of its section.
    ///
    /// # Errors
    /// Why it could not; it goes on with what it has.
    pub async fn reload(&self) -> Result<(), String> {
        let Some(instance) = self.running() else {
            return Ok(());
        };
        match tokio::time::timeout(RELOAD_LIMIT, instance.reload()).await {
            Ok(outcome) => outcome.map_err(|failure| failure.message),
            Err(_) => Err(format!("it did not read its data anew within {} s", RELOAD_LIMIT.as_secs())),
        }
    }

    /// Makes one that was stopped ready to be started once more.
    pub fn prepare_again(&self, prepared: Prepared) {
        self.life().prepared = Some(prepared);
    }

    /// Whether it is ready to be started, and was not.
    pub fn is_prepared(&self) -> bool {
        self.life().prepared.is_some()
    }

    /// Whether it has been started, and was not stopped.
    pub fn is_running(&self) -> bool {
        self.life().running.is_some()
    }

    /// How many handles to its services are held; 0 if it does not run. One that cannot say is held by nobody.
    pub fn holders(&self) -> u64 {
        self.running().and_then(|instance| instance.holders().ok()).unwrap_or(0)
    }

    /// Stops it and waits for its tasks; each at most [`END_LIMIT`]. What stands at its places is not its own.
    pub async fn stop(&self) {
        self.end_instance().await;
        self.host.end_tasks().await;
    }

    async fn end_instance(&self) {
        let running = self.life().running.take();
        if let Some(instance) = running {
            let plugin = &self.config.instance;
            match tokio::time::timeout(END_LIMIT, instance.stop()).await {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => {
                    tracing::error!(%plugin, %failure, "the instance did not stop cleanly; what it had acknowledged is kept (report it to the plugin's author)")
                }
                Err(_) => {
                    tracing::error!(%plugin, within = ?END_LIMIT, "the instance does not stop; going on without it (report it to the plugin's author)");
                }
            }
        }
    }

    /// Takes its services from their places and stops it.
    pub async fn take_from(&self, places: &Places) {
        self.end_instance().await;
        places.clear(&self.config.instance);
        self.host.end_tasks().await;
    }

    /// Where it is in its life, in a word.
    pub fn state(&self) -> &'static str {
        let life = self.life();
        match (&life.running, &life.prepared) {
            (Some(_), _) => "running",
            (None, Some(_)) => "prepared",
            (None, None) => "stopped",
        }
    }

    fn running(&self) -> Option<Instance> {
        self.life().running.clone()
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
