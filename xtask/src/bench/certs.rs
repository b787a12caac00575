//! Thousands of certificates in the folder: what they add to the start, and what choosing one and changing one takes.

use super::compare::{Aim, Pair, Sample, Table};
use super::report::Report;
use super::{dovetail, Bench};
use crate::error::Error;
use crate::run;
use serde::Deserialize;
use std::path::Path;
use std::process::Command;

/// The program that makes them and asks the store.
const PROGRAM: &str = "boundary";

#[derive(Deserialize)]
struct Figures {
    certificates: u32,
    start_ms: f64,
    resolve_p50_us: f64,
    resolve_p99_us: f64,
    change_ms: f64,
    change_read: u32,
}

/// One of the figures.
type Value = fn(&Figures) -> f64;

/// Measures and writes the table. The folder stays full: whatever else uses this server comes before.
pub fn measure(report: &mut Report, bench: &Bench<'_>) -> Result<(), Error> {
    run::through(run::cargo().args(["build", "--quiet", "--release", "-p", PROGRAM]))?;
    let program = bench.build.program.with_file_name(PROGRAM);
    let folder = bench.dir.join("data").join("certs");
    let count = bench.options.certificates;
    let mut table = Table::new(format!("{count} certificates"), false);
    let few = starts(bench)?;
    run::output(Command::new(&program).arg("fill").arg(&folder).arg(count.to_string()))?;
    let many = starts(bench)?;
    let mut more = Pair::new("longer start to IMAP greeting inside TLS, ms", Aim::AtMost(2000.0));
    few.iter().zip(&many).for_each(|(few, many)| more.add(dovetail::NAME, Sample { value: many - few, cpu_us: None }));
    table.add(&more);
    let figures = asked(&program, &folder, bench.options.runs)?;
    let rows: [(&str, Aim, Value); 5] = [
        ("the store alone starts, ms", Aim::None, |f| f.start_ms),
        ("choosing by server name, median, µs", Aim::None, |f| f.resolve_p50_us),
        ("choosing by server name, 99 of 100, µs", Aim::AtMost(50.0), |f| f.resolve_p99_us),
        ("one pair changes: until it is served, ms", Aim::None, |f| f.change_ms),
        ("one pair changes: pairs that are read", Aim::AtMost(1.0), |f| f64::from(f.change_read)),
    ];
    for (work, aim, value) in rows {
        let mut pair = Pair::new(work, aim);
        figures.iter().for_each(|f| pair.add(dovetail::NAME, Sample { value: value(f), cpu_us: None }));
        table.add(&pair);
    }
    if let Some(wrong) = figures.iter().find(|figures| figures.certificates != count) {
        table.trouble(dovetail::NAME, "certificates", &format!("{} of {count} are served", wrong.certificates));
    }
    let note = format!(
        "Medians of {} runs. {count} pairs of P-256, each with a name of its own, beside the one that the listeners serve. Every \
         pair is read and compared at the start; after it each is proved by a signature, and checked by the TLS provider.",
        bench.options.runs
    );
    table.finish(report, &note);
    Ok(())
}

fn starts(bench: &Bench<'_>) -> Result<Vec<f64>, Error> {
    (0..bench.options.runs).map(|_| bench.build.load.startup(dovetail::IMAPS, &bench.server.command())).collect()
}

fn asked(program: &Path, folder: &Path, runs: usize) -> Result<Vec<Figures>, Error> {
    (0..runs)
        .map(|_| {
            let said = run::output(Command::new(program).arg("certs").arg(folder))?;
            serde_json::from_str(&said).map_err(|source| Error::Json { what: format!("`{}`", said.trim()), source })
        })
        .collect()
}
