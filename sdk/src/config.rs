//! Reading config sections, with positions in the operator's file.

pub use dovetail_abi::kernel_v1::{Diagnostic, Section, Severity};
use dovetail_abi::place;
use ron::extensions::Extensions;
use serde::de::DeserializeOwned;

/// Reads a section. Positions in its errors are moved to where they stand in the file.
pub(crate) fn parse<C: DeserializeOwned>(section: &Section) -> Result<C, Diagnostic> {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME).from_str(&section.text).map_err(|error| {
        let (line, column) = place::token(&section.text, error.span.start.line, error.span.start.col);
        // Only the first line of the section begins somewhere else than a line of the file.
        let before = if line == 1 { section.column.saturating_sub(1) } else { 0 };
        Diagnostic {
            severity: Severity::Error,
            file: section.file.clone(),
            line: line.saturating_add(section.line.saturating_sub(1)),
            column: column.saturating_add(before),
            message: match error.code {
                // RON's own words are for programmers.
                ron::Error::ExceededRecursionLimit => "too many brackets in one another".to_owned(),
                code => code.to_string(),
            },
            help: String::new(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        #[allow(dead_code)]
        limit: u32,
    }

    #[test]
    fn positions_are_those_of_the_file() {
        let section = Section { file: "d.ron".into(), line: 7, column: 20, text: "(\n    limt: 3,\n)".into() };
        let error = parse::<Config>(&section).unwrap_err();
        assert_eq!((error.line, error.file.as_str()), (8, "d.ron"));
        assert!(error.message.contains("limt"), "{}", error.message);
    }

    #[test]
    fn deep_nesting_is_said_in_plain_words() {
        let section =
            Section { file: "d.ron".into(), line: 1, column: 1, text: format!("(limit: {}", "[".repeat(1000)) };
        #[derive(Debug, serde::Deserialize)]
        struct Any {
            #[allow(dead_code)]
            limit: ron::Value,
        }
        assert_eq!(parse::<Any>(&section).unwrap_err().message, "too many brackets in one another");
    }

    #[test]
    fn an_error_on_the_first_line_counts_the_columns_before_it() {
        let section = Section { file: "d.ron".into(), line: 3, column: 10, text: "(limit: x)".into() };
        let error = parse::<Config>(&section).unwrap_err();
        assert_eq!((error.line, error.column), (3, 18));
    }
}
