//! Starting one instance anew, with the section and the library that it has: out of quarantine, or by the operator's hand.
//!
//! The new generation starts beside the old, then stands at its places, and listeners that it serves are made anew; the old one
//! retires, as after a reload. One that owns files is restarted in its place ([`in_place`]). The config is not read again.
//!
//! **How it fails.** If the new generation does not start, all stays as it was; but an instance that owns files is stopped then.

use super::{in_place, Sockets, Started};
use crate::{
    config::TlsMode,
    plugin::{
        host::InstanceHost,
        instance::{prepare_one, Assembly},
        member::Member,
    },
    server::{
        listeners::{Making, Services},
        Server, State,
    },
    session::Listener,
};
use dovetail_abi::{handle::Interface, kernel_v1::Purpose, operations_v1::Operations, tls_v1::Tls};
use std::{collections::HashSet, sync::Arc};

impl Server {
    /// Puts a new generation into the place of `old`, and gives it; `None` if another one serves there already. It runs to its
    /// end even if nobody waits for it.
    ///
    /// # Errors
    /// Why the new generation does not serve.
    pub async fn restart(self: &Arc<Self>, old: &Arc<Member>) -> Result<Option<Arc<Member>>, String> {
        let (me, old) = (self.clone(), old.clone());
        let restarting = tokio::spawn(async move {
            let _one_at_a_time = me.reloading.lock().await;
            me.restart_now(&old).await
        });
        restarting.await.unwrap_or_else(|error| Err(format!("the restart ended early: {error} (report this as a bug)")))
    }

    async fn restart_now(self: &Arc<Self>, old: &Arc<Member>) -> Result<Option<Arc<Member>>, String> {
        if self.is_stopping() {
            return Err("the server is stopping".to_owned());
        }
        let running = self.state();
        let Some(at) = running.assembly.members.iter().position(|member| Arc::ptr_eq(member, old)) else {
            return Ok(None);
        };
        let new = Arc::new(self.next_generation(&running, old)?);
        let mut members = running.assembly.members.clone();
        members[at] = new.clone();
        let next = Assembly {
            members,
            warnings: Vec::new(),
            order: running.assembly.order.clone(),
            places: running.assembly.places.clone(),
        };
        let has_operations = old.library.manifest.provides.iter().any(|id| id == Operations::ID);
        let _quiet =
            match has_operations {
                true => Some(tokio::time::timeout(super::OPERATIONS_LIMIT, self.operations.write()).await.map_err(
                    |_| "an operation is running on the instance; it can be restarted when that has ended".to_owned(),
                )?),
                false => None,
            };
        let mut started = Started { members: vec![new.clone()], ..Started::default() };
        match old.library.manifest.exclusive {
            true => in_place::restart(old, &new, None, &next.places).await.map_err(|failure| failure.message)?,
            false => begin(&new, &next, &mut started).await?,
        }
        let (listeners, proved) = match self.listeners_anew(&running, &next, &started, &new.config.instance).await {
            Ok(made) => made,
            Err(message) => {
                drop(started);
                // One that owns files stands at its places already.
                match new.library.manifest.exclusive {
                    true => new.take_from(&next.places).await,
                    false => new.stop().await,
                }
                return Err(message);
            }
        };
        new.about().say_started();
        let (config, shape) = (running.config.clone(), running.shape.clone());
        let state = State { config, assembly: Arc::new(next), listeners, shape, proved, swaps: running.swaps.clone() };
        self.switch(&running, Arc::new(state), started, Sockets { doors: Vec::new(), figures: Vec::new() });
        Ok(Some(new))
    }

    /// The generation after `old`, prepared.
    fn next_generation(&self, running: &State, old: &Member) -> Result<Member, String> {
        let prepare = || prepare_one(&running.config, &old.config, &old.library, Purpose::Serve);
        let prepared = tokio::task::block_in_place(prepare)
            .map_err(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        let host = InstanceHost::new(&old.config.instance, running.config.data_dir.clone(), self.log.clone());
        let library = old.library.clone();
        let mut new = Member::new(old.config.clone(), library, host, old.needs.clone(), Some(prepared));
        new.generation = old.generation + 1;
        Ok(new)
    }

    /// The listeners, those that the instance serves made anew.
    async fn listeners_anew(
        &self,
        running: &State,
        next: &Assembly,
        started: &Started,
        instance: &str,
    ) -> Result<(Vec<Arc<Listener>>, HashSet<u64>), String> {
        let is_tls = next.provider_for_core(&running.config, Tls::ID).is_ok_and(|provider| provider == instance);
        let is_concerned = |listener: &Listener| {
            let options = &listener.config.options;
            options.protocol == instance || is_tls && options.tls != TlsMode::Off
        };
        let concerned = |name: &str| {
            running.listeners.iter().any(|listener| listener.config.name == name && is_concerned(listener))
        };
        if !running.listeners.iter().any(|listener| is_concerned(listener)) {
            return Ok((running.listeners.clone(), running.proved.clone()));
        }
        let mut making = Making {
            config: &running.config,
            assembly: next,
            services: Services { places: &next.places, pending: &started.pending },
            common: &self.common,
            running: Some(running),
            proved: if is_tls { HashSet::new() } else { running.proved.clone() },
        };
        let addresses = |listener: &_| self.doors.addresses(listener, &[]);
        let made = making.all(|name| !concerned(name), addresses).await.map_err(|problems| problems.to_string())?;
        Ok((made, making.proved))
    }
}

/// Starts a generation beside the one that it replaces.
async fn begin(new: &Arc<Member>, next: &Assembly, started: &mut Started) -> Result<(), String> {
    match new.start_in_time(&next.places).await {
        Ok(offers) => {
            let name = &new.config.instance;
            started.pending.extend(offers.into_iter().map(|offer| (name.clone(), offer)));
            Ok(())
        }
        Err(message) => {
            new.stop().await;
            Err(message)
        }
    }
}
