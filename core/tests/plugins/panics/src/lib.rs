//! A plugin for tests that panics wherever plugin code can run. Each panic has a text of its own:
//! `panic in <what> (on purpose)`.
//!
//! `panic_in` of the config: `prepare`, `start`, `stop`, `reload`, `traits`, `instance drop`. A session greets with `ready` and obeys
//! the lines of [`session`]. The operation `boom` panics, `fine` answers. It is a directory, too. With `stay_away` the instance
//! does not start while a file of that name is in the data directory. `does` of the config: one of the [`misdeeds`].

mod beyond;
mod bombs;
mod directory;
mod misdeeds;
mod session;

use dovetail_sdk::{
    directory::Directory,
    export_plugin,
    operations::{FieldValue, Operation, OperationFailure, Operations, OperationsProvider, Progress, Report},
    protocol::{Protocol, ProtocolProvider, ProtocolTraits, Session, SessionFailure},
    About, Context, Plugin, Problems, ReloadFailure, StartFailure,
};

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// One of [`PLACES`], or nothing.
    panic_in: String,
    /// A file that keeps it from starting, or nothing.
    stay_away: String,
    /// What it does that it must not.
    does: Option<misdeeds::Misdeed>,
}

const PLACES: [&str; 6] = ["prepare", "start", "stop", "reload", "traits", "instance drop"];

impl Config {
    fn maybe_panic(&self, here: &str) {
        if self.panic_in == here {
            boom(here);
        }
    }
}

/// Panics in the name of a place.
fn boom(what: &str) -> ! {
    panic!("panic in {what} (on purpose)")
}

struct Panics {
    config: Config,
}

impl Plugin for Panics {
    type Config = Config;

    fn validate(config: &Config, about: &About, problems: &mut Problems) {
        config.maybe_panic("prepare");
        if let Some(misdeed) = config.does {
            misdeed.in_prepare(about, problems);
        }
        if !config.panic_in.is_empty() && !PLACES.contains(&config.panic_in.as_str()) {
            problems.error(
                format!("panic_in is {:?}", config.panic_in),
                format!("write one of {}, or leave it out", PLACES.join(", ")),
            );
        }
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        config.maybe_panic("start");
        if let Some(misdeed) = config.does {
            misdeed.in_start(&context.about).await.map_err(StartFailure::new)?;
        }
        if !config.stay_away.is_empty() && context.about.in_data_dir(&config.stay_away).exists() {
            return Err(StartFailure::new(format!("{} is in the way", config.stay_away)));
        }
        tracing::info!("panics starts");
        Ok(Panics { config })
    }

    async fn reload(&self) -> Result<(), ReloadFailure> {
        self.config.maybe_panic("reload");
        Ok(())
    }

    async fn stop(&self) {
        self.config.maybe_panic("stop");
        if let Some(misdeed) = self.config.does {
            misdeed.in_stop().await;
        }
    }

    fn operations() -> Vec<Operation> {
        vec![Operation::new("boom", "Panics"), Operation::new("fine", "Answers, to show that the instance lives")]
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        self.config.maybe_panic("instance drop");
    }
}

impl ProtocolProvider for Panics {
    fn traits(&self) -> ProtocolTraits {
        self.config.maybe_panic("traits");
        ProtocolTraits { alpn: Vec::new(), try_later: b"later\r\n".to_vec() }
    }

    async fn serve(&self, session: Session) -> Result<(), SessionFailure> {
        session::serve(session).await
    }
}

impl OperationsProvider for Panics {
    async fn run(&self, name: String, _: Vec<FieldValue>, _: Progress) -> Result<Report, OperationFailure> {
        match name.as_str() {
            "boom" => boom("operation"),
            "fine" => Ok(Report::line("fine")),
            _ => Err(OperationFailure::new(format!("there is no operation {name}; there are boom and fine"))),
        }
    }
}

export_plugin! {
    plugin: Panics,
    id: "panics",
    summary: "Panics on demand (for tests)",
    command: "panics",
    provides: [Protocol, Operations, Directory],
    requires: [],
}

#[cfg(test)]
mod tests;
