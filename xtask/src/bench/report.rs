//! The report: Markdown to standard output and into a file.

use crate::error::Error;
use crate::workspace::Workspace;
use std::fmt::Write as _;

/// A report in the making.
pub struct Report {
    text: String,
    failed: Vec<String>,
}

impl Report {
    /// Begins with what it was measured on.
    pub fn new() -> Report {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let text = format!(
            "# Benchmark\n\n{}, {cores} cores, {}. Client and servers share them.\n",
            first_value("/proc/cpuinfo", "model name"),
            kernel()
        );
        Report { text, failed: Vec::new() }
    }

    /// A section with a table; the first row is the heading.
    pub fn table(&mut self, title: &str, rows: &[Vec<String>]) {
        let _ = writeln!(self.text, "\n## {title}\n");
        for (i, row) in rows.iter().enumerate() {
            let _ = writeln!(self.text, "| {} |", row.join(" | "));
            if i == 0 {
                let _ = writeln!(self.text, "|{}", "---|".repeat(row.len()));
            }
        }
    }

    /// A paragraph.
    pub fn note(&mut self, text: &str) {
        let _ = writeln!(self.text, "\n{text}");
    }

    /// Remembers that the server under test failed at something here: the report is made, and the chore fails.
    pub fn failed(&mut self, what: &str) {
        self.failed.push(what.to_string());
    }

    /// Prints it and keeps it in `target/bench/`.
    pub fn finish(self, workspace: &Workspace, name: &str) -> Result<(), Error> {
        let dir = workspace.target_directory.join("bench");
        std::fs::create_dir_all(&dir).map_err(Error::file(&dir))?;
        let path = dir.join(name);
        std::fs::write(&path, &self.text).map_err(Error::file(&path))?;
        print!("{}", self.text);
        eprintln!("(kept in {})", path.display());
        if self.failed.is_empty() {
            return Ok(());
        }
        Err(Error::Server(format!(
            "the server under test failed at something, see the report: {}",
            self.failed.join(", ")
        )))
    }
}

/// The middle one; of an even number, the lower of the two.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied().unwrap_or(f64::NAN)
}

/// A row of a table.
pub fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|c| c.to_string()).collect()
}

fn first_value(path: &str, key: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let value = text.lines().find_map(|line| {
        let (k, v) = line.split_once(':')?;
        (k.trim() == key).then(|| v.trim().to_string())
    });
    value.unwrap_or_else(|| "unknown processor".to_string())
}

fn kernel() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("Linux {}", release.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_order_and_outliers() {
        assert_eq!(median(vec![900.0, 1.0, 3.0]), 3.0);
        assert_eq!(median(vec![2.0, 1.0]), 1.0);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn a_table_has_one_rule_below_its_heading() {
        let mut report = Report::new();
        report.table("T", &[row(&["a", "b"]), row(&["1", "2"])]);
        assert!(report.text.ends_with("## T\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"));
    }
}
