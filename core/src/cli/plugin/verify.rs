//! `dovetail plugin verify`: tries a plugin out in a process of its own, and tells what was found, one line a check.
//!
//! This process runs none of the plugin's code: it starts the trial, listens, and ends it when a step takes too long. So a
//! plugin that crashes, hangs or ends the process is a line like any other.
//!
//! **How it fails**: with exit code 1 if a check failed. **Bounds**: a step may take `--seconds`; of what the plugin writes
//! itself the last [`MAX_TAIL`] bytes are kept.

use crate::{
    cli::{output, Common},
    plugin::verify::{self, Finding, Order, Said},
};
use clap::Args;
use dovetail_abi::kernel_v1::Section;
use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, ExitStatus, Stdio},
    sync::mpsc,
    time::Duration,
};

/// What `plugin verify` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Runs the plugin's code, in a process and a folder of its own. The services that it requires stand empty, as if their
providers were away. The exit code is 1 if a check fails.\n
Examples:\n  dovetail plugin verify target/release/libmy_plugin.so\n  dovetail plugin verify libmy_plugin.so --section section.ron")]
pub struct Verify {
    /// The plugin's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A file with the section (RON) that the plugin is started with; `()` if none is given
    #[arg(long, value_name = "FILE")]
    section: Option<PathBuf>,
    /// How long a step may take
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// This is the process that the plugin is tried in, with this folder for it
    #[arg(long, hide = true, value_name = "DIR")]
    trial: Option<PathBuf>,
}

/// Tries a plugin out, or is the process that it is tried in.
pub fn run(common: &Common, verify: &Verify) -> Result<ExitCode, String> {
    if let Some(folder) = &verify.trial {
        return trial(verify, folder).map(|()| ExitCode::SUCCESS);
    }
    let folder = tempfile::Builder::new()
        .prefix("dovetail-verify-")
        .tempdir()
        .map_err(|error| format!("cannot make a folder for the trial: {error} (is there room in $TMPDIR?)"))?;
    let outcome = watch(verify, folder.path(), |finding| {
        if !common.json {
            output::line(&line(finding));
        }
    })?;
    let ok = outcome.findings.iter().all(|finding| finding.ok);
    if common.json {
        let checks: Vec<_> = outcome.findings.iter().map(|found| serde_json::json!(found)).collect();
        let file = verify.file.display().to_string();
        output::json(&serde_json::json!({ "file": file, "ok": ok, "checks": checks }).to_string());
    } else if !ok && !outcome.said.trim().is_empty() {
        output::line("what the plugin said:");
        outcome.said.lines().for_each(|line| output::line(&format!("  {line}")));
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(finding: &Finding) -> String {
    format!("{:<5} {:<10}  {}", if finding.ok { "ok" } else { "FAIL" }, finding.check, finding.text.replace('\n', " "))
}

/// The trial itself, in a process of its own: tells by lines of JSON on standard output.
fn trial(verify: &Verify, folder: &Path) -> Result<(), String> {
    let text = match &verify.section {
        Some(path) => {
            std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?
        }
        None => "()".to_owned(),
    };
    let order = Order {
        file: verify.file.clone(),
        section: Section {
            file: verify.section.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
            line: 1,
            column: 1,
            text,
        },
        config_dir: verify.section.as_deref().and_then(Path::parent).unwrap_or(folder).to_owned(),
        folder: folder.to_owned(),
        limit: Duration::from_secs(verify.seconds),
    };
    verify::run(&order, &mut |said| {
        let Ok(text) = serde_json::to_string(&said) else { return };
        let mut out = std::io::stdout();
        // If nobody listens any more the trial is over.
        if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
            std::process::exit(1);
        }
    })
}

/// What came of a trial.
struct Outcome {
    findings: Vec<Finding>,
    /// The end of what was written to standard error.
    said: String,
}

/// Starts the trial and listens to its end.
fn watch(verify: &Verify, folder: &Path, mut tell: impl FnMut(&Finding)) -> Result<Outcome, String> {
    let mut child = start(verify, folder)?;
    let (sender, received) = mpsc::channel();
    let stdout = child.stdout.take();
    std::thread::spawn(move || {
        for line in stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines()).map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let stderr = child.stderr.take();
    let tail = std::thread::spawn(move || stderr.map(tail).unwrap_or_default());
    let mut findings = Vec::new();
    let mut add = |finding: Finding| {
        tell(&finding);
        findings.push(finding);
    };
    let failed = |check: &str, text: String| Finding { check: check.to_owned(), ok: false, text };
    // A step that does not end by itself is ended within the process; one that blocks it is ended from here.
    let patience = Duration::from_secs(verify.seconds) + SPARE;
    let mut step = "load".to_owned();
    let mut printed = false;
    let mut done = false;
    while !done {
        match received.recv_timeout(patience) {
            Ok(line) => match serde_json::from_str(&line) {
                Ok(Said::Begin(begun)) => step = begun,
                Ok(Said::Finding(finding)) => add(finding),
                Ok(Said::Done) => done = true,
                Err(_) if printed => {}
                Err(_) => {
                    printed = true;
                    let text = format!("it writes to standard output: `{line}`; log with tracing instead");
                    add(failed("output", text));
                }
            },
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                let text = format!("it blocks the thread that it is called on, for more than {} s", verify.seconds);
                add(failed(&step, text));
                break;
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = end(&mut child, if done { SPARE } else { Duration::ZERO })?;
    match status {
        Some(status) if !status.success() && status.signal() != Some(KILLED) => {
            let step = if done { "exit" } else { step.as_str() };
            add(failed(step, format!("the process ended with {status}; a server would have ended with it")));
        }
        Some(_) => {}
        None => add(failed("exit", "the process does not end".into())),
    }
    let said = tail.join().unwrap_or_default();
    Ok(Outcome { findings, said })
}

fn start(verify: &Verify, folder: &Path) -> Result<Child, String> {
    let exe = std::env::current_exe().map_err(|error| format!("cannot find the program itself: {error}"))?;
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // Whatever is written by a relative path, or where programs write, is seen.
    let here = folder.join("here");
    std::fs::create_dir(&here).map_err(|error| format!("cannot make {}: {error}", here.display()))?;
    let mut command = Command::new(&exe);
    command.args(["plugin", "verify"]).arg(absolute(&verify.file)).arg("--trial").arg(folder);
    command.arg("--seconds").arg(verify.seconds.to_string());
    if let Some(section) = &verify.section {
        command.arg("--section").arg(absolute(section));
    }
    command.current_dir(&here).env("HOME", &here).env("TMPDIR", &here);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| format!("{} cannot be run: {error}", exe.display()))
}

/// Waits for the process, at most for so long, then ends it: `None`.
fn end(child: &mut Child, within: Duration) -> Result<Option<ExitStatus>, String> {
    let failed = |error: std::io::Error| format!("cannot wait for the trial: {error}");
    let deadline = std::time::Instant::now() + within;
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok(Some(status));
        }
        if within.is_zero() {
            // It has closed its output, or was killed: it is ending.
            return child.wait().map(Some).map_err(failed);
        }
        if std::time::Instant::now() >= deadline {
            let _ = child.kill();
            child.wait().map_err(failed)?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Reads to the end and keeps the end.
fn tail(mut from: impl Read) -> String {
    let mut kept: Vec<u8> = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        kept.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let over = kept.len().saturating_sub(MAX_TAIL);
        kept.drain(..over);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// What is given to a step beyond its limit before the process is ended.
const SPARE: Duration = Duration::from_secs(5);
/// So much of what the plugin says is kept.
const MAX_TAIL: usize = 4096;
/// SIGKILL: from here.
const KILLED: i32 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_text_is_kept() {
        let text = format!("{}end", "x".repeat(3 * MAX_TAIL));
        let kept = tail(text.as_bytes());
        assert_eq!(kept.len(), MAX_TAIL);
        assert!(kept.ends_with("end"));
    }

    #[test]
    fn a_finding_is_one_line() {
        let finding = Finding { check: "stop".into(), ok: false, text: "a\nb".into() };
        assert_eq!(line(&finding), "FAIL  stop        a b");
    }
}
