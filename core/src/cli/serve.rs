//! `dovetail serve`: the server itself.

use super::{place, Common};
use crate::{
    config::{dev, Config, Problems},
    server::{
        keep_files_private,
        origin::{Origin, Source},
        raise_file_limit, Server,
    },
    telemetry::log::Log,
};
use clap::Args;
use std::{
    io::IsTerminal,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};
use tokio::{
    signal::unix::{signal, SignalKind},
    sync::mpsc,
};

/// What `serve` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Without --dev the config is --config FILE, or /etc/dovetail/dovetail.ron; with --data-dir DIR it runs on that data.\n\n\
Examples:\n  dovetail serve --dev\n  dovetail serve --config /etc/dovetail/dovetail.ron\n  dovetail serve --dev --tls-provider tls-openssl")]
pub struct Serve {
    /// A whole server with working defaults on unprivileged loopback ports, for trying things out: SMTP 2525, submission
    /// 2587 (STARTTLS) and 2465 (TLS), IMAP 2143 (STARTTLS) and 2993 (TLS), POP3 2110 (STLS) and 2995 (TLS)
    #[arg(long, conflicts_with = "config")]
    dev: bool,

    /// Try another TLS provider until the server stops: an instance of the config, or a plugin such as tls-openssl in the place
    /// of the one that the config has
    #[arg(long, value_name = "ID")]
    tls_provider: Option<String>,
}

/// Runs the server until SIGTERM or SIGINT; SIGHUP reloads.
pub fn run(common: &Common, serve: &Serve) -> Result<ExitCode, String> {
    if common.json {
        return Err("`serve` prints nothing that could be JSON (leave --json out; for a log in JSON the config says `log: (format: \
                    Json)`)"
            .into());
    }
    let (config, source) =
        choose(common, serve, Path::new(place::SYSTEM_CONFIG)).map_err(|problems| problems.to_string())?;
    keep_files_private();
    raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the runtime: {error} (raise the limits of threads and open files)"))?;
    crate::runtime::remember(runtime.handle().clone());
    crate::runtime::keep_pulse(runtime.handle().clone())
        .map_err(|error| format!("cannot start a thread: {error} (raise the limit of threads)"))?;
    let log = Log::new(config.log.clone());
    log.install();
    let data_dir = match source {
        Source::Dev => Some(config.data_dir.clone()),
        Source::File(_) => common.data_dir.clone(),
    };
    let is_dev = matches!(source, Source::Dev);
    let tls_provider = serve.tls_provider.clone();
    let origin = Origin { source, data_dir, plugin_dirs: common.plugin_dir.clone(), tls_provider };
    let config = origin.overridden(config).map_err(|problems| problems.to_string())?;
    let outcome = runtime.block_on(async {
        // Before anything is started, so that an early signal is not lost.
        let signals = signals().map_err(|error| {
            Problems::one(format!("cannot wait for signals: {error}"), "raise the limit of open files (ulimit -n)")
        })?;
        let (stop, reloads) = signals;
        let server = Server::start(config, origin, &log).await?;
        server.run(stop, reloads).await
    });
    // Blocking work of plugins that hangs must not keep a stopped server alive.
    runtime.shutdown_timeout(Duration::from_secs(2));
    outcome.map_err(|problems| problems.to_string()).map_err(|error| if is_dev { built_in(error) } else { error })?;
    Ok(ExitCode::SUCCESS)
}

/// An error of the built-in config, which nobody can edit where it is.
fn built_in(error: String) -> String {
    error.replace(
        "choose another port",
        "choose another port in a copy of the built-in config: `dovetail config example --dev > dev.ron`, then `dovetail serve \
         --config dev.ron`",
    )
}

/// A development server is only what was asked for with --dev, whatever ran on a data directory before.
fn choose(common: &Common, serve: &Serve, system: &Path) -> Result<(Config, Source), Problems> {
    if serve.dev {
        let data_dir = common.data_dir.clone().unwrap_or_else(dev::default_data_dir);
        return Ok((dev::config(&data_dir)?, Source::Dev));
    }
    if common.config.is_none() && !system.exists() {
        return Err(Problems::one(
            "no config was named",
            "give --config FILE, or try the server with `dovetail serve --dev`",
        ));
    }
    place::load(common.config.as_deref().unwrap_or(system), common.data_dir.as_deref())
}

/// Signals that come together are one wish to stop: a supervisor may signal the process and then its group.
const TWICE_AFTER: Duration = Duration::from_secs(1);

/// Resolves at the first SIGTERM or SIGINT. One that comes a second later or more ends the process at once, whatever hangs.
/// SIGHUP is a message: to reload. Those that come while a reload runs are one.
fn signals() -> std::io::Result<(impl std::future::Future<Output = ()>, mpsc::Receiver<()>)> {
    let had_terminal = std::io::stderr().is_terminal();
    let (ask, reloads) = mpsc::channel(1);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let (first, mut stopping) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        let mut asked = Instant::now();
        loop {
            let stop = tokio::select! {
                _ = terminate.recv() => true,
                _ = interrupt.recv() => true,
                // Where its terminal is gone there is nobody left who watches the server.
                _ = hangup.recv() => had_terminal && !std::io::stderr().is_terminal(),
            };
            if !stop {
                // One that waits already is enough.
                let _ = ask.try_send(());
            } else if !first.send_replace(true) {
                asked = Instant::now();
            } else if asked.elapsed() >= TWICE_AFTER {
                tracing::error!("asked to stop a second time: ending at once, without waiting for anything");
                std::process::exit(130);
            }
        }
    });
    let stop = async move {
        // The sender lives as long as the runtime.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    Ok((stop, reloads))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_the_built_in_config_can_be_changed_in_a_copy() {
        let error =
            built_in("cannot bind 127.0.0.1:2525: the port is in use (find its owner, or choose another port)".into());
        assert!(error.contains("`dovetail config example --dev > dev.ron`") && error.lines().count() == 1, "{error}");
        assert_eq!(built_in("another".into()), "another");
    }

    #[test]
    fn a_data_directory_alone_means_the_systems_config_on_it() {
        let dir = tempfile::tempdir().unwrap();
        let system = dir.path().join("d.ron");
        let common =
            Common { config: None, data_dir: Some(dir.path().join("other")), plugin_dir: Vec::new(), json: false };
        let chosen = |dev| choose(&common, &Serve { dev, tls_provider: None }, &system);
        assert!(chosen(false).unwrap_err().to_string().contains("no config was named"));
        std::fs::write(&system, "(hostname: \"h.example\", data_dir: \"d\")").unwrap();
        let (config, source) = chosen(false).unwrap();
        assert_eq!((config.hostname.as_str(), config.data_dir), ("h.example", dir.path().join("other")));
        assert!(matches!(source, Source::File(path) if path == system));
        assert!(matches!(chosen(true).unwrap().1, Source::Dev));
    }
}
