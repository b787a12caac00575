//! Certificates are checked by the TLS provider that runs before they are served.
//!
//! The certificate store is given a judge ([`CertsAdmin::judged_by`]), which asks the provider to shake hands with a pair in
//! memory ([`Tls::check_identity`]). It is given anew whenever another generation of either of them serves, so that what one
//! provider can serve and another cannot is known at once. A store that does not take judges is left alone; what listeners
//! name is proved at start and at reload in any case ([`super::listeners`]).
//!
//! **How it fails.** Without a provider, all pairs pass: nobody shows them. With one that does not answer nobody can tell, and
//! the store keeps what it serves. **Bounds.** [`CHECK_LIMIT`] a pair.

use super::State;
use arc_swap::ArcSwap;
use dovetail_abi::{
    certs_admin_v1::{CertsAdmin, CertsJudge, CertsJudgeProvider},
    certs_v1::{Certs, CertsFailure, Identity},
    handle::Interface,
    tls_v1::{Tls, TlsErrorCode},
};
use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

/// A handshake in memory takes no longer than this.
const CHECK_LIMIT: Duration = Duration::from_secs(10);

/// Whom the store in service has been given a judge for.
#[derive(Default)]
pub struct Judging(Mutex<Option<Parties>>);

/// A store and a provider, each with its generation.
type Parties = ((String, u64), Option<(String, u64)>);

impl Judging {
    /// After instances were started again in their places: such a store knows nothing of before, though its generation is the
    /// same, and is given a judge even if it has had one.
    pub fn arrange_anew(&self, state: &Arc<ArcSwap<State>>, was_restarted: impl Fn(&str) -> bool) {
        self.forget(was_restarted);
        self.arrange(state);
    }

    fn forget(&self, was_restarted: impl Fn(&str) -> bool) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = known.take().filter(|((store, _), _)| !was_restarted(store));
    }

    /// Gives the store that is in service now a judge, unless it has one for the provider that is.
    pub fn arrange(&self, state: &Arc<ArcSwap<State>>) {
        let now = state.load_full();
        let Some(parties) = parties(&now) else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref() == Some(&parties) {
            return;
        }
        let store = &parties.0 .0;
        let Some(admin) = now.assembly.places.get(store, CertsAdmin::ID) else { return };
        let given = admin.checked::<CertsAdmin>().and_then(|admin| {
            let judge = CertsJudge::new(Judge(Arc::downgrade(state)));
            admin.judged_by(judge).map_err(|failure| failure.message)
        });
        match given {
            Ok(()) => *known = Some(parties),
            Err(error) => {
                tracing::warn!(plugin = %store, %error, "certificates are not checked by the TLS provider before they are served");
            }
        }
    }
}

fn parties(state: &State) -> Option<Parties> {
    let party = |interface: &str| {
        let name = state.assembly.provider_for_core(&state.config, interface).ok()?;
        let generation = state.assembly.member(&name)?.generation;
        Some((name, generation))
    };
    Some((party(Certs::ID)?, party(Tls::ID)))
}

/// Asks whoever does TLS at the time.
struct Judge(Weak<ArcSwap<State>>);

impl CertsJudgeProvider for Judge {
    async fn check(&self, identity: Identity) -> Result<Option<String>, CertsFailure> {
        let failure = |message: String| CertsFailure { message };
        // There may be thousands of them, and connections wait.
        tokio::task::yield_now().await;
        let tls: Tls = {
            let state = self.0.upgrade().ok_or_else(|| failure("the server is stopping".into()))?.load_full();
            let Ok(name) = state.assembly.provider_for_core(&state.config, Tls::ID) else { return Ok(None) };
            state.assembly.service(&name).map_err(failure)?
        };
        match tokio::time::timeout(CHECK_LIMIT, tls.check_identity(identity)).await {
            Ok(Ok(())) => Ok(None),
            Ok(Err(error)) if error.code == TlsErrorCode::Provider => Err(failure(error.message)),
            Ok(Err(error)) => Ok(Some(error.message)),
            Err(_) => Err(failure(format!("the TLS provider did not answer within {} s", CHECK_LIMIT.as_secs()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_store_that_was_restarted_needs_its_judge_again() {
        let parties: Parties = (("certs".into(), 3), Some(("tls".into(), 1)));
        for (restarted, left) in [("certs", None), ("tls", Some(&parties)), ("mail", Some(&parties))] {
            let judging = Judging(Mutex::new(Some(parties.clone())));
            judging.forget(|name| name == restarted);
            assert_eq!(judging.0.into_inner().unwrap().as_ref(), left, "{restarted}");
        }
    }
}
