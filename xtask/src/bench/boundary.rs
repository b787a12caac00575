//! `cargo xtask bench boundary`: what crossing into a plugin costs, in instructions.
//!
//! A program of `benches/` does the same work through a plugin and by direct calls. `PROGRAM list` prints the
//! names of its pieces of work, one a line, as `WORK/WAY`; `PROGRAM run NAME COUNT` does one COUNT times. Each is
//! run twice under callgrind, and the difference of the two is the cost of the work without that of starting.
//! Whatever `PROGRAM facts` prints, Markdown too, ends the report.

use super::report::{row, Report};
use crate::error::Error;
use crate::run;
use crate::workspace::Workspace;
use std::path::Path;
use std::process::Command;

/// Which program, and how often.
#[derive(clap::Args, Clone)]
pub struct Options {
    /// The package that has the program, and the program's name
    #[arg(long, default_value = "boundary")]
    program: String,
    /// How often the shorter run does its work; the longer one does it ten times as often
    #[arg(long, default_value_t = 20)]
    count: u32,
}

/// Builds the program and counts.
pub fn run(workspace: &Workspace, options: &Options) -> Result<(), Error> {
    if !run::exists("valgrind") {
        let library = workspace.workspace_root.join("benches/peers/lib.sh");
        let mut install = Command::new("bash");
        run::output(install.args(["-ec", ". \"$0\"; need valgrind"]).arg(library))?;
    }
    run::through(run::cargo().args(["build", "--quiet", "--release"]))?;
    run::through(run::cargo().args(["build", "--quiet", "--release", "-p", &options.program]))?;
    let release = workspace.target_directory.join("release");
    let program = release.join(&options.program);
    let mut rows = vec![row(&["work", "way", "instructions"])];
    for name in run::output(Command::new(&program).arg("list"))?.lines() {
        eprintln!("{name}");
        let few = instructions(&program, name, options.count)?;
        let many = instructions(&program, name, options.count * 10)?;
        let each = (many - few) / f64::from(options.count * 9);
        let (work, way) = name.split_once('/').unwrap_or((name, ""));
        rows.push(row(&[work, way, &format!("{each:.0}")]));
    }
    let mut report = Report::new();
    report.table("The plugin boundary", &rows);
    report.note(&run::output(Command::new(&program).arg("facts"))?);
    report.finish(workspace, "boundary.md")
}

fn instructions(program: &Path, name: &str, count: u32) -> Result<f64, Error> {
    let mut command = Command::new("valgrind");
    command
        // Else callgrind counts a `rep movsb` of glibc's as one instruction a byte.
        .env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-ERMS")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/stdout"])
        .args(["--dump-line=no", "--dump-instr=no"])
        .arg(program)
        .args(["run", name, &count.to_string()]);
    let profile = run::output(&mut command)?;
    total(&profile).ok_or_else(|| Error::Server(format!("callgrind counted no instructions for {name}")))
}

/// The sum at the end of a profile.
fn total(profile: &str) -> Option<f64> {
    let mut lines = profile.lines().rev();
    lines.find_map(|l| l.strip_prefix("totals: ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn the_total_of_a_profile() {
        assert_eq!(total("events: Ir\n\nfn=(1)\n3 5\n\ntotals: 123456\n"), Some(123_456.0));
        assert_eq!(total("events: Ir\n"), None);
    }
}
