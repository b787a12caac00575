//! Reading config sections, with positions in the operator's file.

pub use dovetail_abi::kernel_v1::{Diagnostic, Section, Severity};
use dovetail_abi::{place, wording};
use ron::extensions::Extensions;
use serde::de::DeserializeOwned;

/// Reads a section. Positions in its errors are moved to where they stand in the file.
pub(crate) fn parse<C: DeserializeOwned>(section: &Section) -> Result<C, Diagnostic> {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME).from_str(&section.text).map_err(|error| {
        let (line, column) = place::token(&section.text, error.span.start.line, error.span.start.col);
        // Only the first line of the section begins somewhere else than a line of the file.
        let before = if line == 1 { section.column.saturating_sub(1) } else { 0 };
        let (message, help) = said(&error.code);
        Diagnostic {
            severity: Severity::Error,
            file: section.file.clone(),
            line: line.saturating_add(section.line.saturating_sub(1)),
            column: column.saturating_add(before),
            message,
            help,
        }
    })
}

/// What is wrong and what to do, in core's words; RON's own are for programmers.
fn said(error: &ron::Error) -> (String, String) {
    match error {
        ron::Error::NoSuchStructField { expected, found, .. } => wording::no_such_option(found, expected),
        ron::Error::MissingStructField { field, .. } => wording::missing_option(field),
        ron::Error::NoSuchEnumVariant { expected, found, .. } => wording::no_such_choice(found, expected),
        ron::Error::Eof => wording::ends_early(),
        ron::Error::ExpectedStringEnd => wording::open_string(),
        ron::Error::ExpectedComma => wording::no_comma(),
        ron::Error::TrailingCharacters => wording::goes_on(),
        ron::Error::ExceededRecursionLimit => wording::too_deep(),
        other => (other.to_string(), String::new()),
    }
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
        assert_eq!((error.message.as_str(), error.help.as_str()), ("there is no option `limt`", "options are: limit"));
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
