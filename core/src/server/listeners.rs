//! Making listeners of a config: protocol, TLS, limits; certificates are proved on the way.

use super::State;
use crate::{
    config::{Config, ListenerConfig, Problems, TlsMode},
    net::limits::{ConnectionLimit, Guessers},
    plugin::{
        instance::Assembly,
        member::{Member, Offer},
        places::Places,
    },
    session::{id::SessionIds, table::Sessions, Listener},
};
use dovetail_abi::{
    certs_v1::Certs,
    handle::Interface,
    protocol_v1::Protocol,
    tls_v1::{ServerPolicy, Tls, TlsAcceptor, TlsErrorCode},
};
use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::sync::{watch, Semaphore};

/// So many clients are told at a time that there is no room; others are closed without a word.
const MAX_TURNING_AWAY: usize = 64;

/// What all listeners of a server share, for its life.
pub struct Common {
    /// Who guesses passwords.
    pub guessers: Arc<Guessers>,
    /// Makes session ids.
    pub ids: Arc<SessionIds>,
    /// The open sessions.
    pub sessions: Arc<Sessions>,
    /// Turns true when sessions should end.
    pub drain: watch::Sender<bool>,
    /// Turns true when sessions are ended.
    pub cut: watch::Sender<bool>,
}

/// Services as they will be: those that stand at their places, but for those that are about to.
pub struct Services<'a> {
    /// The places.
    pub places: &'a Places,
    /// What comes to stand there, by the instance's name.
    pub pending: &'a [(String, Offer)],
}

impl Services<'_> {
    fn of<I: Interface>(&self, instance: &str) -> Result<I, String> {
        let is_it = |(owner, (id, _)): &&(String, Offer)| owner == instance && id == I::ID;
        let pending = self.pending.iter().find(is_it).map(|(_, (_, provider))| provider.clone());
        let any = pending.or_else(|| self.places.get(instance, I::ID));
        any.ok_or_else(|| format!("`{instance}` provides no {} now (`dovetail status` shows its state)", I::ID))?
            .checked()
    }
}

/// What listeners are made with.
pub struct Making<'a> {
    /// The config.
    pub config: &'a Config,
    /// Its instances.
    pub assembly: &'a Assembly,
    /// Their services.
    pub services: Services<'a>,
    /// What is shared.
    pub common: &'a Common,
    /// What runs now, if anything does.
    pub running: Option<&'a State>,
    /// Identity sets that were proved.
    pub proved: HashSet<u64>,
}

/// A message and what to do.
type Complaint = (String, String);

fn plain(message: String) -> Complaint {
    (message, String::new())
}

impl Making<'_> {
    /// Makes all listeners of the config; those that `keep` names are taken over from what runs.
    ///
    /// # Errors
    /// All that is wrong with any of them.
    pub async fn all(
        &mut self,
        keep: impl Fn(&str) -> bool,
        addresses: impl Fn(&ListenerConfig) -> Vec<SocketAddr>,
    ) -> Result<Vec<Arc<Listener>>, Problems> {
        let mut problems = Problems::default();
        let mut made = Vec::new();
        let config = self.config;
        for listener in &config.listeners {
            let earlier = self.earlier(&listener.name).cloned();
            let outcome = match earlier.filter(|_| keep(&listener.name)) {
                Some(kept) => self.prove_for(listener).await.map(|()| kept),
                None => self.make(listener, addresses(listener)).await.map(Arc::new),
            };
            match outcome {
                Ok(listener) => made.push(listener),
                Err((message, help)) => {
                    let message = format!("listener `{}`: {message}", listener.name);
                    problems.0.push(listener.place.diagnostic(message, help));
                }
            }
        }
        if problems.has_errors() {
            return Err(problems);
        }
        Ok(made)
    }

    fn earlier(&self, name: &str) -> Option<&Arc<Listener>> {
        self.running?.listeners.iter().find(|listener| listener.config.name == name)
    }

    async fn make(&mut self, listener: &ListenerConfig, bound: Vec<SocketAddr>) -> Result<Listener, Complaint> {
        let protocol: Protocol = self.services.of(&listener.options.protocol).map_err(plain)?;
        let traits = protocol.traits().map_err(|failure| plain(failure.message))?;
        let (tls, acceptor) = match listener.options.tls {
            TlsMode::Off => (None, None),
            _ => {
                self.prove_for(listener).await?;
                let tls = self.tls()?;
                let acceptor = acceptor(&tls, listener, &traits.alpn)?;
                (Some(tls), Some(acceptor))
            }
        };
        let earlier = self.earlier(&listener.name);
        let member = self.member(&listener.options.protocol).map_err(plain)?;
        let provider = match &tls {
            Some(_) => {
                let provider = self.assembly.provider_for_core(self.config, Tls::ID).map_err(plain)?;
                Some(self.member(&provider).map_err(plain)?)
            }
            None => None,
        };
        let (most, most_each) = (listener.options.max_connections, listener.options.max_connections_per_address);
        Ok(Listener {
            config: listener.clone(),
            bound,
            hostname: self.config.hostname.clone(),
            protocol,
            traits,
            served_by: Arc::new(member.about()),
            tls_by: provider.map(|provider| Arc::new(provider.about())),
            account: member.host.account().clone(),
            tls_account: provider.map(|provider| provider.host.account().clone()),
            tls,
            acceptor,
            limit: earlier.map_or_else(|| ConnectionLimit::new(most, most_each), |earlier| earlier.limit.clone()),
            guessers: self.common.guessers.clone(),
            ids: self.common.ids.clone(),
            sessions: self.common.sessions.clone(),
            turning_away: earlier
                .map_or_else(|| Arc::new(Semaphore::new(MAX_TURNING_AWAY)), |earlier| earlier.turning_away.clone()),
            drain: self.common.drain.subscribe(),
            retire: watch::Sender::new(false),
            cut: self.common.cut.subscribe(),
            refusals: Mutex::default(),
            served: earlier.map_or_else(Arc::default, |earlier| earlier.served.clone()),
        })
    }

    fn member(&self, instance: &str) -> Result<&Arc<Member>, String> {
        self.assembly.member(instance).ok_or_else(|| format!("there is no instance `{instance}`"))
    }

    fn tls(&self) -> Result<Tls, Complaint> {
        let name = self.assembly.provider_for_core(self.config, Tls::ID).map_err(plain)?;
        self.services.of(&name).map_err(plain)
    }

    /// Proves the certificate of a listener, if it does TLS and the certificate was not proved before.
    async fn prove_for(&mut self, listener: &ListenerConfig) -> Result<(), Complaint> {
        if listener.options.tls == TlsMode::Off {
            return Ok(());
        }
        let certs_name = self.assembly.provider_for_core(self.config, Certs::ID).map_err(plain)?;
        let certs: Certs = self.services.of(&certs_name).map_err(plain)?;
        let set = certs
            .resolve(listener.options.certificate.clone(), None)
            .map_err(|failure| plain(failure.message))?
            .ok_or_else(|| match &listener.options.certificate {
                Some(name) => (
                    format!("there is no certificate `{name}` for TLS"),
                    format!("make it with `dovetail certs create --name {name} ...`, import it, or correct `certificate`; `dovetail certs check` tells what is wrong with those that are there"),
                ),
                None => (
                    "there is no certificate for TLS".to_owned(),
                    format!(
                        "make one with `dovetail certs create --name {}`, import one with `dovetail certs import`, or set \
                         `create_missing: true` for `{certs_name}`; `dovetail certs check` tells what is wrong with those that are \
                         there",
                        self.config.hostname
                    ),
                ),
            })?;
        if self.proved.contains(&set) {
            return Ok(());
        }
        let tls = self.tls()?;
        let (mut good, mut refusal) = (false, None);
        for identity in certs.load(set).map_err(|failure| plain(failure.message))? {
            let name = identity.name.clone();
            match tls.check_identity(identity).await {
                Ok(()) => good = true,
                Err(error) => {
                    refusal = Some((
                        format!("the certificate `{name}` cannot be served: {}", error.message),
                        "import a good pair with `dovetail certs import --replace`".to_owned(),
                    ));
                }
            }
        }
        // One of an identity's pairs is enough; the others are complained about by the store.
        if let Some(refusal) = refusal.filter(|_| !good) {
            return Err(refusal);
        }
        self.proved.insert(set);
        Ok(())
    }
}

fn acceptor(tls: &Tls, listener: &ListenerConfig, alpn: &[String]) -> Result<TlsAcceptor, Complaint> {
    let options = &listener.options;
    let policy = ServerPolicy {
        certificate: options.certificate.clone(),
        min_version: options.min_tls.into(),
        profile: options.tls_profile.into(),
        alpn: alpn.to_vec(),
        clients: listener.client_files.policy(&options.client_certificates),
        tickets: options.session_tickets,
        ..ServerPolicy::of(&listener.name)
    };
    tls.acceptor(policy).map_err(|error| match error.code {
        // The provider knows anchors and lists by their numbers.
        TlsErrorCode::BadPolicy => (error.message, listener.client_files.origins()),
        _ => plain(error.message),
    })
}
