//! `dovetail check`: everything up to the start, without starting.
//!
//! What plugins find only when they start (certificates, accounts, mail) is not looked at, and neither are the ports; it says
//! so, with the commands that look.

use super::{output, place, Common};
use crate::{
    config::{model::LogConfig, Config},
    control::message::{Answer, Call},
    plugin::instance::{Assembly, Loading},
    reload::{plan::Plan, shape::Shape},
    telemetry::log::Log,
};
use clap::Args;
use dovetail_abi::kernel_v1::Purpose;
use std::process::ExitCode;

/// What `check` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:\n  dovetail check --config /etc/dovetail/dovetail.ron\n  dovetail check --against-running && dovetail reload")]
pub struct Check {
    /// Show what a reload of the running server would change, and what needs a restart (then the exit code is 1)
    #[arg(long)]
    against_running: bool,
}

/// Checks config, plugins, sections and wiring, and reports all problems at once.
pub fn run(common: &Common, check: &Check) -> Result<ExitCode, String> {
    let checked = place::find(common).and_then(|(config, _)| {
        // No private copies: nothing is written.
        let loading = Loading { finder: place::finder(common, Some(&config)), ..Loading::default() };
        Assembly::prepare(&config, &loading, &Log::new(LogConfig::default()), None, Purpose::Serve)
            .map(|assembly| (config, assembly))
    });
    match checked {
        Ok((config, assembly)) => {
            for warning in &assembly.warnings {
                output::error(&warning.to_string());
            }
            if check.against_running {
                return against_running(common, &config, &assembly);
            }
            if common.json {
                output::json(&serde_json::json!({ "ok": true, "warnings": assembly.warnings.len() }).to_string());
            } else {
                output::line(&format!(
                    "ok: {} plugin instances, {} listeners, {} warnings; {LOOKED_AT}",
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

/// What an `ok` stands for.
const LOOKED_AT: &str =
    "this is about the config (certificates: `dovetail certs check`; accounts: `dovetail accounts list`)";

fn against_running(common: &Common, config: &Config, assembly: &Assembly) -> Result<ExitCode, String> {
    let Answer::Shape(running) = place::running(common)?.call(Call::Shape, |_| {})? else {
        return Err(
            "the server answered something else than its parts (use the `dovetail` of the running server)".into()
        );
    };
    let mut shape = Shape::of(config, assembly);
    shape.keep_swaps(&running.shape, config);
    let plan = Plan::between(&running.shape, &shape, &running.leaving);
    let restarts = plan.restarts().count();
    let first = match restarts {
        0 => format!("a reload would do this: {}", plan.summary()),
        _ => "a reload would be refused: what needs a restart cannot be changed while the server runs".to_owned(),
    };
    output::report(&plan.report(first), common.json);
    if !common.json {
        output::line(&format!("\n{LOOKED_AT}"));
    }
    Ok(if restarts == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
