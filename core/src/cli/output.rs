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
        let line = shown(line);
        // Diagnostics say themselves what they are.
        let has_head = line.starts_with("error:") || line.contains(": error: ") || line.contains("warning: ");
        // There is no third place to complain to.
        let _ = if has_head { writeln!(stderr, "{line}") } else { writeln!(stderr, "{head} {line}") };
    }
}

/// Prints text on standard output, control characters replaced; a reader that has gone away ends the command quietly.
pub fn line(text: &str) {
    raw(&shown(text));
}

/// Prints a table on standard output.
pub fn show_table(table: &Table) {
    raw(self::table(table, std::io::stdout().is_terminal()).trim_end());
}

/// Prints JSON on standard output; the control characters that it may have in its strings are escaped.
pub fn json(text: &str) {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        // Writing to a string cannot fail.
        let _ = if is_trick(c) { write!(escaped, "\\u{:04x}", u32::from(c)) } else { escaped.write_char(c) };
    }
    raw(&escaped);
}

fn raw(text: &str) {
    if writeln!(std::io::stdout(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// Whether a character could play tricks on a terminal: text from files and from mail ends up here.
fn is_trick(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

/// Text as it is shown: control characters but line ends and tabs replaced.
pub fn shown(text: &str) -> String {
    text.chars().map(|c| if is_trick(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Prints a report: JSON for programs, else lines and table; warnings on standard error.
pub fn report(report: &Report, json: bool) {
    for warning in &report.warnings {
        // As above.
        let _ = writeln!(std::io::stderr(), "warning: {}", shown(warning));
    }
    if json {
        self::json(&as_json(report));
        return;
    }
    for text in &report.lines {
        line(text);
    }
    if let Some(table) = &report.table {
        show_table(table);
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

/// Lays a table out; control characters in its cells are replaced, line ends and tabs included.
fn table(table: &Table, colour: bool) -> String {
    let clean = |row: &Vec<String>| -> Vec<String> {
        row.iter().map(|cell| shown(cell).replace(['\n', '\t'], &char::REPLACEMENT_CHARACTER.to_string())).collect()
    };
    let table = Table { columns: clean(&table.columns), rows: table.rows.iter().map(clean).collect() };
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
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(shown("a\u{1b}[2J\u{9b}b\r\n\tc"), "a\u{fffd}[2J\u{fffd}b\u{fffd}\n\tc");
        let made = Table { columns: vec!["n".into()], rows: vec![vec!["a\u{1b}\nb".into()]] };
        assert_eq!(table(&made, false), "n\na\u{fffd}\u{fffd}b\n");
    }

    #[test]
    fn columns_stand_under_each_other() {
        let made = Table {
            columns: vec!["name".into(), "size".into()],
            rows: vec![vec!["a".into(), "1".into()], vec!["longer".into(), "22".into()]],
        };
        assert_eq!(table(&made, false), "name    size\na       1\nlonger  22\n");
    }
}
