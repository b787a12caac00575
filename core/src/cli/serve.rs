//! `dovetail serve`: the server itself.

use super::{place, Common};
use crate::{
    config::{dev, Config, Problems},
    plugin::instance::Loading,
    server::{keep_files_private, raise_file_limit, Server, Source},
    telemetry::log::{self, Log},
};
use clap::Args;
use std::{io::IsTerminal, process::ExitCode};
use tokio::signal::unix::{signal, SignalKind};

/// What `serve` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Without --dev the config is --config FILE, or /etc/dovetail/dovetail.ron.\n\n\
Examples:\n  dovetail serve --dev\n  dovetail serve --config /etc/dovetail/dovetail.ron")]
pub struct Serve {
    /// A whole server with working defaults on unprivileged loopback ports, for trying things out: SMTP 2525, submission
    /// 2587 (STARTTLS) and 2465 (TLS), POP3 2110 (STLS) and 2995 (TLS)
    #[arg(long, conflicts_with = "config")]
    dev: bool,
}

/// Runs the server until SIGTERM or SIGINT.
pub fn run(common: &Common, serve: &Serve) -> Result<ExitCode, String> {
    let (config, source) = choose(common, serve).map_err(|problems| problems.to_string())?;
    keep_files_private();
    raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))?;
    log::set_runtime(runtime.handle().clone());
    let log = Log::new(config.log.clone());
    log.install();
    let loading =
        Loading { finder: place::finder(common, Some(&config)), copies: Some(config.data_dir.join("run/plugins")) };
    let outcome = runtime.block_on(async {
        // Before anything is started, so that an early signal is not lost.
        let stop = stop_signal().map_err(|error| Problems::one(format!("cannot wait for signals: {error}"), ""))?;
        let server = Server::start(config, &source, loading, &log).await?;
        server.run(stop).await
    });
    // Blocking work of plugins that hangs must not keep a stopped server alive.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    outcome.map_err(|problems| problems.to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn choose(common: &Common, serve: &Serve) -> Result<(Config, Source), Problems> {
    if serve.dev {
        let data_dir = common.data_dir.clone().unwrap_or_else(dev::default_data_dir);
        return Ok((dev::config(&data_dir)?, Source::Dev));
    }
    if common.config.is_none() && !std::path::Path::new(place::SYSTEM_CONFIG).exists() {
        return Err(Problems::one(
            "no config was named",
            "give --config FILE, or try the server with `dovetail serve --dev`",
        ));
    }
    place::find(common)
}

fn stop_signal() -> std::io::Result<impl std::future::Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
                // The terminal is gone, and with it whoever watched the server.
                _ = hangup.recv() => if std::io::stderr().is_terminal() { return },
            }
            tracing::warn!("SIGHUP: the config is read at the start only; restart the server to apply a changed one");
        }
    })
}
