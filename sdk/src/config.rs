//! Reading config sections, with positions in the operator's file.

pub use dovetail_abi::kernel_v1::{Diagnostic, Section, Severity};
use dovetail_abi::place;
use ron::extensions::Extensions;
use serde::de::DeserializeOwned;

/// Reads a section. Positions in its errors are those of the file: the text is padded to where it stands there.
pub(crate) fn parse<C: DeserializeOwned>(section: &Section) -> Result<C, Diagnostic> {
    let lines = section.line.saturating_sub(1) as usize;
    let columns = section.column.saturating_sub(1) as usize;
    let mut padded = String::with_capacity(lines + columns + section.text.len());
    padded.extend(std::iter::repeat_n('\n', lines));
    padded.extend(std::iter::repeat_n(' ', columns));
    padded.push_str(&section.text);
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME).from_str(&padded).map_err(|error| {
        let (line, column) = place::token(&padded, error.span.start.line, error.span.start.col);
        Diagnostic {
            severity: Severity::Error,
            file: section.file.clone(),
            line,
            column,
            message: error.code.to_string(),
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
    fn an_error_on_the_first_line_counts_the_columns_before_it() {
        let section = Section { file: "d.ron".into(), line: 3, column: 10, text: "(limit: x)".into() };
        let error = parse::<Config>(&section).unwrap_err();
        assert_eq!((error.line, error.column), (3, 18));
    }
}
