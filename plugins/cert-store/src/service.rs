//! The plugin's instance: answers who gets which certificate, and follows its folder.
//!
//! At the start every pair is read and proved; one that can't be used is named in the log, and a listener that asks
//! for it gets the reason. After that changes are heard of, looked for from time to time, and looked for at once after an
//! operation or a reload.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dovetail_sdk::certs::{CertsAdminProvider, CertsFailure, CertsJudge, CertsProvider, Choice, Identity};
use dovetail_sdk::listeners::HostListeners;
use dovetail_sdk::operations::{FieldValue, Form, Operation, Remark};
use dovetail_sdk::{
    task, time as timer, About, Context, Plugin, Problems, Purpose, ReloadFailure, Service, StartFailure,
};
use time::OffsetDateTime;

use crate::auto_renew;
use crate::choice;
use crate::config::Config;
use crate::follow::Following;
use crate::live::{Changes, How, Live};
use crate::name::CertName;
use crate::operations;
use crate::serving::{RefreshError, Serving};
use crate::watch::Watch;

/// The plugin's instance.
pub struct CertStore {
    pub(crate) about: About,
    pub(crate) serving: Arc<Serving>,
    pub(crate) default: Option<CertName>,
    pub(crate) listeners: Service<HostListeners>,
    following: Following,
}

impl Plugin for CertStore {
    type Config = Config;

    fn validate(config: &Config, _about: &About, problems: &mut Problems) {
        config.check(problems);
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        let listeners = context.service::<HostListeners>()?;
        let about = context.about;
        let config = Config { create_missing: config.create_missing && about.purpose == Purpose::Serve, ..config };
        let auto_renew = config.auto_renew;
        let (default, following) = (config.default_name(), Following::default());
        let serving = Arc::new(Serving::new(Live::new(config.folder(&about), default.clone())));
        if about.purpose == Purpose::Serve {
            // Another program may have renewed while nobody looked.
            following.catch_up(serving.live.folder()).await;
        }
        // Without a server there is no folder but the one that each operation names.
        if about.purpose != Purpose::Standalone {
            let (starting, hostname) = (serving.clone(), about.hostname.clone());
            task::spawn_blocking(move || starting.open(&config, &hostname)).await.map_err(StartFailure::new)??;
        }
        if about.purpose == Purpose::Serve {
            task::spawn(attend(serving.clone()));
            if auto_renew {
                task::spawn(auto_renew::attend(serving.clone()));
            }
            task::spawn(following.clone().attend(serving.clone()));
        }
        Ok(Self { about, serving, default, listeners, following })
    }

    async fn reload(&self) -> Result<(), ReloadFailure> {
        self.read_anew().await.map(drop).map_err(ReloadFailure::new)
    }

    fn operations() -> Vec<Operation> {
        operations::descriptions()
    }

    fn suggest(form: &Form) -> Option<String> {
        operations::suggest(form)
    }

    fn check_answers(form: &Form) -> Vec<Remark> {
        operations::check_answers(form)
    }

    fn further_files(operation: &str, values: &[FieldValue]) -> Vec<String> {
        operations::further_files(operation, values)
    }
}

impl CertStore {
    /// Takes over what is followed, then reads the folder, now.
    pub(crate) async fn read_anew(&self) -> Result<Changes, RefreshError> {
        self.following.catch_up(self.serving.live.folder()).await;
        self.serving.refresh(How::Whole).await
    }
}

impl CertsProvider for CertStore {
    fn resolve(&self, certificate: Option<String>, server_name: Option<String>) -> Result<Option<u64>, CertsFailure> {
        self.serving.resolve(certificate.as_deref(), server_name.as_deref())
    }

    fn load(&self, set: u64) -> Result<Vec<Identity>, CertsFailure> {
        self.serving.load(set)
    }

    async fn changed(&self, seen: u64) -> Result<u64, CertsFailure> {
        self.serving.changed(seen).await
    }
}

impl CertsAdminProvider for CertStore {
    fn judged_by(&self, judge: CertsJudge) -> Result<(), CertsFailure> {
        self.serving.judged_by(judge);
        Ok(())
    }

    fn explain(
        &self,
        certificate: Option<String>,
        server_name: Option<String>,
    ) -> Result<Option<Choice>, CertsFailure> {
        // Where nothing is chosen, this says why.
        self.serving.resolve(certificate.as_deref(), server_name.as_deref())?;
        let now = OffsetDateTime::now_utc();
        Ok(choice::explain(&self.serving.live, certificate.as_deref(), server_name.as_deref(), now))
    }
}

/// Attends to the folder for as long as the instance lives.
async fn attend(serving: Arc<Serving>) {
    serving.prove_rest().await;
    let watch = Watch::new(serving.live.folder());
    if let Err(error) = &watch {
        tracing::warn!(%error, "the certificate folder can't be watched; it is looked at every second");
    }
    // What changed before it was watched is looked for at once; a folder that isn't there yet, from time to time.
    let renew = || watch.as_ref().is_ok_and(|watch| watch.renew().is_ok());
    let (mut hearing, mut complained, mut warned) = (renew(), false, Instant::now());
    let mut how = How::Whole;
    loop {
        match serving.refresh(how).await {
            Err(error) if !complained => {
                tracing::error!("{error}");
                complained = true;
            }
            Ok(_) => complained = false,
            Err(_) => {}
        }
        if warned.elapsed() >= WARN_EVERY {
            warned = Instant::now();
            serving.warn_of_ends(OffsetDateTime::now_utc());
        }
        how = How::Whole;
        match watch.as_ref().ok().filter(|_| hearing) {
            Some(watch) => {
                if timer::timeout(LOOK_EVERY_HEARING, watch.news()).await.is_ok() {
                    // Whoever changes one file mostly changes another one next.
                    timer::sleep(DEBOUNCE).await;
                }
            }
            None => {
                timer::sleep(LOOK_EVERY).await;
                how = How::Quick;
            }
        }
        // Before the look, so that nothing happens in between; another folder may have taken its place.
        let before = std::mem::replace(&mut hearing, renew());
        if hearing && !before {
            how = How::Whole;
        }
    }
}

/// How often the folder is looked at where nothing tells of changes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked at all the same where something does.
const LOOK_EVERY_HEARING: Duration = Duration::from_secs(10);
/// So long further changes are waited for.
const DEBOUNCE: Duration = Duration::from_millis(250);
/// How often the ends of certificates are looked at.
const WARN_EVERY: Duration = Duration::from_secs(3600);
