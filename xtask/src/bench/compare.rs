//! Two figures for the same work, what the server under test is to reach, and the row of a table that says all of it.

use super::dovetail;
use super::peers;
use super::report::{median, row, Report};
use crate::error::Error;
use std::fmt;

/// What the server under test is to reach.
#[derive(Clone, Copy)]
pub enum Aim {
    /// So many times Dovecot's figure, of the same run.
    Times(f64),
    /// At least so much, whatever Dovecot does.
    AtLeast(f64),
    /// At most so much, whatever Dovecot does.
    AtMost(f64),
    /// Nothing in particular: the figure is there to be watched.
    None,
}

/// One measurement of one server.
#[derive(Clone, Copy)]
pub struct Sample {
    /// The figure.
    pub value: f64,
    /// CPU time of the server for one operation, where operations are counted.
    pub cpu_us: Option<f64>,
}

/// The samples of both servers for one piece of work, in the order of their runs.
pub struct Pair {
    work: String,
    aim: Aim,
    ours: Vec<Sample>,
    theirs: Vec<Sample>,
}

/// A table of such rows in the making. People see each row as soon as it is there.
pub struct Table {
    title: String,
    cpu: bool,
    rows: Vec<Vec<String>>,
    troubles: Vec<String>,
    ours_failed: bool,
}

impl Pair {
    /// Nothing measured yet.
    pub fn new(work: impl Into<String>, aim: Aim) -> Pair {
        Pair { work: work.into(), aim, ours: Vec::new(), theirs: Vec::new() }
    }

    /// Adds what a run of this server gave.
    pub fn add(&mut self, name: &str, sample: Sample) {
        let samples = if name == dovetail::NAME { &mut self.ours } else { &mut self.theirs };
        samples.push(sample);
    }
}

impl Table {
    /// An empty one; `cpu`: with columns for CPU time.
    pub fn new(title: impl Into<String>, cpu: bool) -> Table {
        let mut head = row(&["work", dovetail::NAME, peers::DOVECOT, "ratio", "aim", "met"]);
        if cpu {
            head.push(format!("server CPU µs/op, {}", dovetail::NAME));
            head.push(peers::DOVECOT.to_string());
        }
        let title = title.into();
        eprintln!("\n{title}");
        let table = Table { title, cpu, rows: Vec::new(), troubles: Vec::new(), ours_failed: false };
        table.show(&head);
        Table { rows: vec![head], ..table }
    }

    /// Adds a row.
    pub fn add(&mut self, pair: &Pair) {
        let value = |samples: &[Sample]| middle(samples.iter().map(|s| s.value));
        let (ours, theirs) = (value(&pair.ours), value(&pair.theirs));
        let mut cells = vec![
            pair.work.clone(),
            figure(ours),
            figure(theirs),
            ours.zip(theirs).map_or(NOTHING.to_string(), |(a, b)| format!("{:.2}", a / b)),
            pair.aim.to_string(),
            pair.aim.met(ours, theirs).map_or(NOTHING, |met| if met { "yes" } else { "no" }).to_string(),
        ];
        if self.cpu {
            let cpu = |samples: &[Sample]| figure(middle(samples.iter().filter_map(|s| s.cpu_us)));
            cells.extend([cpu(&pair.ours), cpu(&pair.theirs)]);
        }
        self.show(&cells);
        self.rows.push(cells);
    }

    /// Something that went wrong with this server; its figure may be missing, and the report says why.
    pub fn trouble(&mut self, name: &str, work: &str, what: &str) {
        eprintln!("{name}, {work}: {what}");
        self.troubles.push(format!("{name}, {work}: {what}"));
        self.ours_failed |= name == dovetail::NAME;
    }

    /// Into the report, with a paragraph on how it was measured.
    pub fn finish(self, report: &mut Report, note: &str) {
        report.table(&self.title, &self.rows);
        report.note(note);
        if !self.troubles.is_empty() {
            report.note(&format!("What went wrong:\n\n- {}", self.troubles.join("\n- ")));
        }
        if self.ours_failed {
            report.failed(&self.title);
        }
    }

    fn show(&self, cells: &[String]) {
        let mut line = String::new();
        for (i, cell) in cells.iter().enumerate() {
            let width = if i == 0 { 44 } else { 12 };
            line.push_str(&format!("{cell:<width$} "));
        }
        eprintln!("{}", line.trim_end());
    }
}

impl Aim {
    /// Whether it is reached; unknown where a figure is missing.
    fn met(self, ours: Option<f64>, theirs: Option<f64>) -> Option<bool> {
        match self {
            Aim::Times(n) => ours.zip(theirs).map(|(ours, theirs)| ours >= n * theirs),
            Aim::AtLeast(n) => ours.map(|ours| ours >= n),
            Aim::AtMost(n) => ours.map(|ours| ours <= n),
            Aim::None => None,
        }
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Aim::Times(n) => write!(f, "≥ {n} ×"),
            Aim::AtLeast(n) => write!(f, "≥ {n}"),
            Aim::AtMost(n) => write!(f, "≤ {n}"),
            Aim::None => f.write_str(NOTHING),
        }
    }
}

/// Runs one measurement for each of `sides`, `runs` times, taking turns. What fails is said and leaves no figure.
pub fn take_turns<S>(
    table: &mut Table,
    (work, aim): (&str, Aim),
    runs: usize,
    sides: &[S],
    name: impl Fn(&S) -> &'static str,
    mut measure: impl FnMut(&S) -> Result<Option<Sample>, Error>,
) {
    let mut pair = Pair::new(work, aim);
    let mut broken: Vec<&'static str> = Vec::new();
    for _ in 0..runs {
        for side in sides {
            let name = name(side);
            if broken.contains(&name) {
                continue;
            }
            match measure(side) {
                Ok(Some(sample)) => pair.add(name, sample),
                Ok(None) => {}
                Err(error) => {
                    table.trouble(name, work, &error.to_string());
                    // What doesn't work once isn't tried again: each try may take minutes.
                    broken.push(name);
                }
            }
        }
    }
    table.add(&pair);
}

fn middle(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| median(values))
}

/// Three digits at least; what is missing is a dash.
fn figure(value: Option<f64>) -> String {
    match value {
        None => NOTHING.to_string(),
        Some(value) if value < 10.0 => format!("{value:.2}"),
        Some(value) if value < 100.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.0}"),
    }
}

const NOTHING: &str = "–";

#[cfg(test)]
mod tests {
    use super::*;

    fn table(ours: &[f64], theirs: &[f64], aim: Aim) -> Vec<String> {
        let mut table = Table::new("T", true);
        let mut pair = Pair::new("w", aim);
        for (name, values) in [(dovetail::NAME, ours), (peers::DOVECOT, theirs)] {
            for &value in values {
                pair.add(name, Sample { value, cpu_us: Some(value / 2.0) });
            }
        }
        table.add(&pair);
        table.rows.swap_remove(1)
    }

    #[test]
    fn a_row_has_the_medians_and_their_ratio() {
        let row = table(&[900.0, 100.0, 300.0], &[50.0, 100.0, 999.0], Aim::Times(3.0));
        assert_eq!(row, ["w", "300", "100", "3.00", "≥ 3 ×", "yes", "150", "50.0"]);
    }

    #[test]
    fn aims_that_are_missed() {
        assert_eq!(table(&[299.0], &[100.0], Aim::Times(3.0))[5], "no");
        assert_eq!(table(&[12.1], &[100.0], Aim::AtMost(12.0))[5], "no");
        assert_eq!(table(&[999.0], &[], Aim::AtLeast(1000.0))[5], "no");
    }

    #[test]
    fn without_the_other_a_ratio_is_not_known_and_a_limit_is() {
        assert_eq!(table(&[9.0], &[], Aim::Times(3.0))[1..6], ["9.00", "–", "–", "≥ 3 ×", "–"]);
        assert_eq!(table(&[9.0], &[], Aim::AtMost(12.0))[5], "yes");
    }

    #[test]
    fn servers_take_turns_and_one_that_fails_is_not_tried_again() {
        let mut order = Vec::new();
        let mut table = Table::new("T", false);
        take_turns(
            &mut table,
            ("w", Aim::None),
            2,
            &[dovetail::NAME, peers::DOVECOT],
            |s| s,
            |side| {
                order.push(*side);
                match *side {
                    dovetail::NAME => Ok(Some(Sample { value: 1.0, cpu_us: None })),
                    _ => Err(Error::Server("no".to_string())),
                }
            },
        );
        assert_eq!(order, [dovetail::NAME, peers::DOVECOT, dovetail::NAME]);
        assert_eq!(table.troubles.len(), 1);
        assert!(!table.ours_failed);
    }
}
