//! One instance that is tried: every hook with a limit of time, and with what it panicked with.

use super::{
    stand_ins::{self, Faults},
    Order,
};
use crate::{
    plugin::{
        host::{InstanceHost, END_LIMIT},
        load::Loaded,
        wiring,
    },
    telemetry::log::Log,
};
use dovetail_abi::{
    handle::Interface,
    kernel_v1::{Instance, StartInput},
    layout,
    protocol_v1::Protocol,
};
use std::{future::Future, time::Duration};
use tokio::time::Instant;

/// So long a plugin may be about to give back what it was given.
const GIVING_BACK: Duration = Duration::from_secs(2);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// See the module.
pub struct Tried<'a> {
    order: &'a Order,
    loaded: &'a Loaded,
    host: InstanceHost,
    faults: Faults,
}

impl<'a> Tried<'a> {
    /// One that does not run yet.
    pub fn new(order: &'a Order, loaded: &'a Loaded) -> Self {
        let host = InstanceHost::new(&loaded.manifest.id, order.data_dir(), Log::default());
        Tried { order, loaded, host, faults: Faults::default() }
    }

    /// Starts it, with empty services.
    pub async fn start(&self) -> Result<(Instance, String), String> {
        let prepared = self.loaded.prepare(self.order.input(self.loaded));
        let prepared = prepared.map_err(|_| "it does not take the section that it took before".to_owned())?;
        let needs = prepared.needs().map_err(|failure| failure.to_string())?;
        let description = &self.loaded.description;
        let services = stand_ins::services(description, &needs, &self.host, &self.faults)?;
        let required = description.requires.iter().map(|required| required.id.to_string());
        let empty: Vec<String> = required
            .filter(|id| !wiring::is_host_interface(id))
            .chain(needs.iter().map(|need| need.id.clone()))
            .collect();
        let empty =
            if empty.is_empty() { String::new() } else { format!("; away for the trial: {}", empty.join(", ")) };
        let begun = Instant::now();
        let outcome = self.within(self.order.limit, prepared.start(StartInput { services })).await;
        let instance =
            self.judge(outcome?.map_err(|failure| format!("it does not start: {}{empty}", failure.message)))?;
        Ok((instance, format!("it started within {} ms{empty}", begun.elapsed().as_millis())))
    }

    /// Asks for all that it provides.
    pub fn query(&self, instance: &Instance) -> Result<String, String> {
        let provides = &self.loaded.description.provides;
        let all = provides.iter().try_for_each(|offer| {
            let id = offer.id.to_string();
            let answer = instance.query(id.clone()).map_err(|failure| failure.to_string())?;
            let provider = answer.ok_or_else(|| format!("it does not provide {id} as its manifest says"))?;
            if provider.id() != id {
                return Err(format!("asked for {id} it gave {}", provider.id()));
            }
            layout::compatible(offer.layout, provider.layout())
                .map_err(|difference| format!("{id}: {}", difference.between("its description", "its instance")))
        });
        self.judge(all.map(|()| {
            let ids: Vec<&str> = provides.iter().map(|offer| offer.id.as_str()).collect();
            if ids.is_empty() {
                "it provides nothing".to_owned()
            } else {
                format!("it provides {}", ids.join(", "))
            }
        }))
    }

    /// For a protocol: what core asks of it, and a client that leaves at once.
    pub async fn serve(&self, instance: &Instance) -> Option<Result<String, String>> {
        let provider = instance.query(Protocol::ID.to_owned()).ok().flatten()?;
        let outcome = async {
            let protocol: Protocol = provider.checked()?;
            protocol.traits().map_err(|failure| failure.message)?;
            match self.within(self.order.limit, protocol.serve(stand_ins::session_without_a_client())).await? {
                Ok(()) => Ok("a client that leaves at once: the session ends".to_owned()),
                Err(failure) => {
                    Ok(format!("a client that leaves at once: the session ends with `{}`", failure.message))
                }
            }
        };
        Some(self.judge(outcome.await))
    }

    /// Has it read anew what it keeps.
    pub async fn reload(&self, instance: &Instance) -> Result<String, String> {
        let outcome = self.within(self.order.limit, instance.reload()).await;
        self.judge(outcome.and_then(|answer| answer.map_err(|failure| failure.message)).map(|()| "done".into()))
    }

    /// Whether anything of it is still held though all was given back. What a thread of its own is just giving back is not.
    pub async fn holders(&self, instance: &Instance) -> Result<String, String> {
        let begun = Instant::now();
        while instance.holders().is_ok_and(|held| held > 0) && begun.elapsed() < GIVING_BACK {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let outcome = match instance.holders() {
            Ok(0) => Ok("none, once all was given back".into()),
            Ok(held) => Err(format!(
                "{held} handles to its services are held though all were given back; a replaced generation would wait for them until its deadline"
            )),
            Err(failure) => Err(failure.to_string()),
        };
        self.judge(outcome)
    }

    /// Stops it, within the server's limit.
    pub async fn stop(&self, instance: &Instance) -> Result<String, String> {
        let begun = Instant::now();
        let outcome = self.within(self.order.limit.min(END_LIMIT), instance.stop()).await;
        let stopped = outcome.and_then(|answer| answer.map_err(|failure| failure.to_string()));
        self.judge(stopped.map(|()| format!("it stopped within {} ms", begun.elapsed().as_millis())))
    }

    /// Ends the tasks that it left.
    pub async fn end_tasks(&self) -> Result<String, String> {
        let left = self.host.tasks();
        // The host itself gives up after its limit, without saying so here.
        let limit = self.order.limit.min(END_LIMIT);
        let begun = Instant::now();
        let ended = tokio::time::timeout(limit, self.host.end_tasks()).await.is_ok() && begun.elapsed() < limit;
        let outcome = match (left, ended) {
            (0, true) => Ok("none ran on".into()),
            (left, true) => Ok(format!("{left} ran on, and ended when they were told to")),
            (left, false) => {
                Err(format!("{left} of its tasks or jobs ran on, and do not end within {} s", limit.as_secs()))
            }
        };
        self.judge(outcome)
    }

    /// What its end was like; the instance is gone by now.
    pub fn dropped(&self) -> Result<String, String> {
        self.judge(Ok("the instance is gone".into()))
    }

    async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Result<T, String> {
        let late = |_| format!("it is not done within {} s; a server goes on without it", limit.as_secs());
        tokio::time::timeout(limit, work).await.map_err(late)
    }

    /// A panic is the finding, whatever else came of it.
    fn judge<T>(&self, outcome: Result<T, String>) -> Result<T, String> {
        match self.faults.take() {
            Some(panic) => Err(panic),
            None => outcome,
        }
    }
}
