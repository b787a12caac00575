//! `dovetail check`: everything up to the start, without starting.

use super::{output, place, Common};
use crate::{
    config::model::LogConfig,
    plugin::instance::{Assembly, Loading},
    telemetry::log::Log,
};
use dovetail_abi::kernel_v1::Purpose;
use std::process::ExitCode;

/// Checks config, plugins, sections and wiring, and reports all problems at once.
pub fn run(common: &Common) -> Result<ExitCode, String> {
    let checked = place::find(common).and_then(|(config, _)| {
        // No private copies: nothing is written.
        let loading = Loading { finder: place::finder(common, Some(&config)), copies: None };
        Assembly::prepare(&config, &loading, &Log::new(LogConfig::default()), None, Purpose::Serve)
            .map(|assembly| (config, assembly))
    });
    match checked {
        Ok((config, assembly)) => {
            for warning in &assembly.warnings {
                output::error(&warning.to_string());
            }
            if common.json {
                output::json(&serde_json::json!({ "ok": true, "warnings": assembly.warnings.len() }).to_string());
            } else {
                output::line(&format!(
                    "ok: {} plugin instances, {} listeners, {} warnings",
                    config.plugins.len(),
                    config.listeners.len(),
                    assembly.warnings.len()
                ));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => {
            if common.json {
                let list: Vec<String> = problems.0.iter().map(ToString::to_string).collect();
                output::json(&serde_json::json!({ "ok": false, "problems": list }).to_string());
            } else {
                output::error(&problems.to_string());
            }
            Ok(ExitCode::FAILURE)
        }
    }
}
