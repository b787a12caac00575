//! `dovetail status`: how the running server is.

use super::{output, place, Common};
use crate::control::{
    client::Client,
    message::{Answer, Call},
    Status,
};
use dovetail_abi::operations_v1::Table;
use std::process::ExitCode;

/// Asks the running server and prints its answer.
pub fn run(common: &Common) -> Result<ExitCode, String> {
    let (config, _) = place::find_data(common)?;
    let shown = config.data_dir.display();
    let client = Client::connect(&config.data_dir)
        .map_err(|error| format!("cannot reach the server of {shown}: {error}"))?
        .ok_or_else(|| {
            format!("no server runs on {shown} (start it with `dovetail serve`, or name another with --data-dir)")
        })?;
    let Answer::Status(status) = client.call(Call::Status, |_| {})? else {
        return Err("the server answered something else than its status".into());
    };
    if common.json {
        output::json(&serde_json::to_string(&status).map_err(|error| error.to_string())?);
    } else {
        print(&status);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(status: &Status) {
    output::line(&format!(
        "dovetail {} on {}, process {}, up {} s, data in {}\n",
        status.version, status.hostname, status.pid, status.uptime_seconds, status.data_dir
    ));
    let listeners = Table {
        columns: ["listener", "address", "protocol", "tls", "sessions", "served"].map(str::to_owned).into(),
        rows: status
            .listeners
            .iter()
            .map(|l| {
                vec![
                    l.name.clone(),
                    l.bind.join(" "),
                    l.protocol.clone(),
                    l.tls.clone(),
                    l.sessions.to_string(),
                    l.served.to_string(),
                ]
            })
            .collect(),
    };
    output::show_table(&listeners);
    output::line("");
    let plugins = Table {
        columns: ["instance", "plugin", "version", "tasks", "panics", "provides"].map(str::to_owned).into(),
        rows: status
            .plugins
            .iter()
            .map(|p| {
                vec![
                    p.instance.clone(),
                    p.plugin.clone(),
                    p.version.clone(),
                    p.tasks.to_string(),
                    p.panics.to_string(),
                    p.provides.join(" "),
                ]
            })
            .collect(),
    };
    output::show_table(&plugins);
}
