//! The plugin's instance: answers who gets which certificate, and follows its folder.
//!
//! At the start every pair is read and proved; one that can't be used is named in the log, and a listener that asks
//! for it gets the reason. After that changes are heard of and looked for ([`attend`]), and looked for at once after an operation
//! or a reload.

use std::sync::Arc;

use dovetail_sdk::certs::{CertsAdminProvider, CertsFailure, CertsJudge, CertsProvider, Choice, Identity};
use dovetail_sdk::listeners::HostListeners;
use dovetail_sdk::operations::{FieldValue, Form, Operation, Remark};
use dovetail_sdk::{task, About, Context, Plugin, Problems, Purpose, ReloadFailure, Service, StartFailure};

use crate::choice;
use crate::clock;
use crate::config::Config;
use crate::follow::Following;
use crate::live::{Changes, How, Live};
use crate::name::CertName;
use crate::operations;
use crate::serving::{RefreshError, Serving};
use crate::{attend, auto_renew};

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
            task::spawn(attend::attend(serving.clone()));
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
        Ok(choice::explain(&self.serving.live, certificate.as_deref(), server_name.as_deref(), clock::now()))
    }
}
