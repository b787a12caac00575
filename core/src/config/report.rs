//! Collecting what is wrong, so that all of it is said at once.

use dovetail_abi::kernel_v1::{Diagnostic, Severity};
use std::fmt;

/// Diagnostics, in the order they were found.
#[derive(Debug, Default, Clone)]
pub struct Problems(pub Vec<Diagnostic>);

impl Problems {
    /// One error without a position.
    pub fn one(message: impl Into<String>, help: impl Into<String>) -> Self {
        let mut problems = Problems::default();
        problems.error(message, help);
        problems
    }

    /// Adds an error without a position.
    pub fn error(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.0.push(Diagnostic {
            severity: Severity::Error,
            file: String::new(),
            line: 0,
            column: 0,
            message: message.into(),
            help: help.into(),
        });
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
