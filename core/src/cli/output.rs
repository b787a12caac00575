//! What people and programs see.

use dovetail_abi::operations_v1::{Report, Table};
use std::{
    fmt::Write as _,
    io::{IsTerminal, Write as _},
};

/// Prints an error on standard error.
pub fn error(message: &str) {
    let mut stderr = std::io::stderr();
    let head = if stderr.is_terminal() { "\x1b[31merror:\x1b[0m" } else { "error:" };
    for line in message.lines() {
        // Diagnostics say themselves what they are.
        let has_head = line.starts_with("error:") || line.contains(": error: ") || line.contains("warning: ");
        // There is no third place to complain to.
        let _ = if has_head { writeln!(stderr, "{line}") } else { writeln!(stderr, "{head} {line}") };
    }
}

/// Prints a line on standard output; a reader that has gone away ends the command quietly.
pub fn line(text: &str) {
    if writeln!(std::io::stdout(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// Prints a report: JSON for programs, else lines and table; warnings on standard error.
pub fn report(report: &Report, json: bool) {
    for warning in &report.warnings {
        // As above.
        let _ = writeln!(std::io::stderr(), "warning: {warning}");
    }
    if json {
        line(&as_json(report));
        return;
    }
    for text in &report.lines {
        line(text);
    }
    if let Some(table) = &report.table {
        line(self::table(table, std::io::stdout().is_terminal()).trim_end());
    }
}

fn as_json(report: &Report) -> String {
    if !report.json.is_empty() {
        return report.json.clone();
    }
    let rows: Option<Vec<serde_json::Value>> = report.table.as_ref().map(|table| {
        table
            .rows
            .iter()
            .map(|row| {
                let cells = row.iter().map(|cell| serde_json::Value::from(cell.as_str()));
                table.columns.iter().cloned().zip(cells).collect()
            })
            .collect()
    });
    serde_json::json!({ "lines": report.lines, "rows": rows, "warnings": report.warnings }).to_string()
}

/// Lays a table out.
pub fn table(table: &Table, colour: bool) -> String {
    let width = |column: usize| {
        let cells = table.rows.iter().filter_map(|row| row.get(column));
        cells.chain(table.columns.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    let mut text = String::new();
    let mut put = |row: &[String], head: bool| {
        let mut laid = String::new();
        for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let gap = if i + 1 == widths.len() { 0 } else { width - cell.chars().count() + 2 };
            laid.push_str(cell);
            laid.push_str(&" ".repeat(gap));
        }
        let laid = laid.trim_end();
        // Writing to a string cannot fail.
        let _ = if head && colour { writeln!(text, "\x1b[1m{laid}\x1b[0m") } else { writeln!(text, "{laid}") };
    };
    put(&table.columns, true);
    for row in &table.rows {
        put(row, false);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let made = Table {
            columns: vec!["name".into(), "size".into()],
            rows: vec![vec!["a".into(), "1".into()], vec!["longer".into(), "22".into()]],
        };
        assert_eq!(table(&made, false), "name    size\na       1\nlonger  22\n");
    }
}
