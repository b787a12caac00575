//! `certs reload`: the folder is read anew, now.

use std::collections::BTreeMap;

use dovetail_sdk::operations::{Operation, OperationFailure, Report};
use dovetail_sdk::Purpose;
use serde::Serialize;

use super::json;
use crate::name::CertName;
use crate::service::CertStore;

pub fn describe() -> Operation {
    Operation::new("reload", "Have the running server read its certificates anew").help(
        "The server follows its folder by itself; this is for whoever wants to know that it has, such as a script that has \
         just replaced files. A pair that can't be used is named, and its previous version stays in service. Connections that \
         are open go on.\n\n\
         Ends with 1 if a pair of the folder can't be used, else with 0.",
    )
}

#[derive(Serialize)]
struct Json {
    loaded: Vec<String>,
    withdrawn: Vec<String>,
    broken: BTreeMap<String, String>,
    served: usize,
}

pub async fn run(store: &CertStore) -> Result<Report, OperationFailure> {
    if store.about.purpose != Purpose::Serve {
        return Err(OperationFailure::new("no server is running here, and the folder is read when one starts"));
    }
    let serving = &store.serving;
    let changes = store.read_anew().await.map_err(OperationFailure::new)?;
    let names = |names: &[CertName]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let broken = serving.live.all_broken();
    let shown = Json {
        loaded: names(&changes.loaded),
        withdrawn: names(&changes.withdrawn),
        broken: broken.iter().map(|(name, reason)| (name.to_string(), reason.clone())).collect(),
        served: serving.live.snapshot().pairs().count(),
    };
    let mut lines = vec![match shown.served {
        1 => "1 pair is in service".to_owned(),
        served => format!("{served} pairs are in service"),
    }];
    lines.extend(shown.loaded.iter().map(|name| format!("  loaded     {name}")));
    lines.extend(shown.withdrawn.iter().map(|name| format!("  withdrawn  {name}")));
    let (warnings, exit) = (broken.values().cloned().collect(), u32::from(!broken.is_empty()));
    Ok(Report { json: json(&shown)?, lines, warnings, exit, ..Report::default() })
}
