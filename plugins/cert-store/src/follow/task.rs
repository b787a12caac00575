//! The running server's part: looks at what is followed, for as long as the store lives.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dovetail_sdk::{task, time as timer};
use time::OffsetDateTime;

use super::watch::{Event, Watch};
use crate::live::How;
use crate::serving::Serving;

/// How often followed files are looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What was seen, shared between the timer, the start and reloads.
#[derive(Clone, Default)]
pub struct Following(Arc<Mutex<Watch>>);

impl Following {
    /// Looks now, and believes what is there: at the start and at a reload, which look at the folder next.
    pub async fn catch_up(&self, folder: &Path) {
        self.look(folder, true).await.into_iter().for_each(tell);
    }

    /// Looks from time to time.
    pub async fn attend(self, serving: Arc<Serving>) {
        loop {
            timer::sleep(LOOK_EVERY).await;
            let events = self.look(serving.live.folder(), false).await;
            if events.iter().any(|event| matches!(event, Event::Taken(_))) {
                if let Err(error) = serving.refresh(How::Whole).await {
                    tracing::error!("{error}");
                }
            }
            events.into_iter().for_each(tell);
        }
    }

    async fn look(&self, folder: &Path, at_once: bool) -> Vec<Event> {
        let (watch, folder) = (self.0.clone(), folder.to_owned());
        let looked = task::spawn_blocking(move || {
            // Nothing in it is half-done when a look panics.
            let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
            watch.look(&folder, at_once, OffsetDateTime::now_utc())
        });
        // A panic was reported already, and the next look begins anew.
        looked.await.unwrap_or_default()
    }
}

/// Tells the log.
fn tell(event: Event) {
    match event {
        Event::Taken(imported) => {
            let name = imported.name;
            tracing::info!(certificate = %name, "followed files have changed: imported");
            for warning in imported.warnings {
                tracing::warn!(certificate = %name, "{warning}");
            }
        }
        Event::Refused(name, reason) => tracing::warn!(
            certificate = %name,
            "followed files can't be used: {reason}; the certificate that was there stays in service"
        ),
    }
}
