//! One answer to a field of a form, read as what the field takes.

use crate::cli::operation::values::of_path;
use dovetail_abi::{
    operations_v1::{Field, FieldKind, FieldValue},
    Secret,
};
use std::path::Path;

/// An answer that the face could read.
#[derive(Debug, Clone)]
pub struct Answer {
    /// As it stands in the summary.
    pub shown: String,
    /// As the operation gets it; of a folder, each of its files.
    pub values: Vec<FieldValue>,
}

impl Answer {
    /// A secret, which is never shown.
    pub fn secret(field: &Field, secret: Secret) -> Self {
        let value = FieldValue { name: field.name.clone(), text: String::new(), bytes: Some(secret) };
        Answer { shown: "(given)".to_owned(), values: vec![value] }
    }
}

/// What became of a line.
pub enum Taken {
    /// An answer.
    Answer(Answer),
    /// None, and why.
    Refused(String),
}

/// Reads a line that is not empty.
pub fn take(field: &Field, text: &str) -> Taken {
    if text.chars().any(char::is_control) {
        // There is no editing but what the terminal itself does.
        return Taken::Refused("There are control characters in it, of an arrow key perhaps. Type it anew.".to_owned());
    }
    let answer = |shown: &str, text: String| {
        let value = FieldValue { name: field.name.clone(), text, bytes: None };
        Taken::Answer(Answer { shown: shown.to_owned(), values: vec![value] })
    };
    match field.kind {
        FieldKind::Number => match text.parse::<i64>() {
            Ok(number) => answer(&number.to_string(), number.to_string()),
            Err(_) => Taken::Refused("Give a whole number.".to_owned()),
        },
        FieldKind::Choice => {
            let by_number = text.parse::<usize>().ok().and_then(|number| field.choices.get(number.checked_sub(1)?));
            let by_word = field.choices.iter().find(|choice| choice.eq_ignore_ascii_case(text));
            match by_word.or(by_number) {
                Some(choice) => answer(choice, choice.clone()),
                None => Taken::Refused(format!("Choose one of {}, or give its number.", field.choices.join(", "))),
            }
        }
        FieldKind::Flag => match text.to_ascii_lowercase().as_str() {
            "y" | "yes" => answer("yes", "true".to_owned()),
            "n" | "no" => answer("no", "false".to_owned()),
            _ => Taken::Refused("Answer y or n.".to_owned()),
        },
        FieldKind::Path | FieldKind::File => match of_path(field, Path::new(text)) {
            Ok(values) => Taken::Answer(Answer { shown: text.to_owned(), values }),
            Err(reason) => Taken::Refused(reason),
        },
        FieldKind::Directory | FieldKind::Place => match of_path(field, Path::new(text)) {
            // Whole: it may be far from where it was typed.
            Ok(values) => {
                let shown = values.first().map(|value| value.text.clone()).unwrap_or_default();
                Taken::Answer(Answer { shown, values })
            }
            Err(reason) => Taken::Refused(reason),
        },
        _ => answer(text, text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(field: &Field, text: &str) -> Result<(String, String), String> {
        match take(field, text) {
            Taken::Answer(answer) => Ok((answer.shown, answer.values[0].text.clone())),
            Taken::Refused(reason) => Err(reason),
        }
    }

    #[test]
    fn each_kind_takes_what_it_is_and_nothing_else() {
        let both = |text: &str| Ok((text.to_owned(), text.to_owned()));
        let number = Field::new("days", FieldKind::Number, "");
        assert_eq!(taken(&number, "090"), both("90"));
        assert!(taken(&number, "soon").unwrap_err().contains("whole number"));
        let choice = Field::choice("type", &["red", "green"], "");
        assert_eq!(taken(&choice, "GREEN"), both("green"));
        assert_eq!(taken(&choice, "1"), both("red"));
        for bad in ["0", "3", "blue", "-1", "99999999999999999999"] {
            assert!(taken(&choice, bad).unwrap_err().contains("red, green"), "{bad}");
        }
        let flag = Field::new("sure", FieldKind::Flag, "");
        assert_eq!(taken(&flag, "Yes"), Ok(("yes".into(), "true".into())));
        assert_eq!(taken(&flag, "n"), Ok(("no".into(), "false".into())));
        assert!(taken(&flag, "perhaps").is_err());
        let text = Field::new("town", FieldKind::Text, "");
        assert_eq!(taken(&text, "Köln"), both("Köln"));
        assert!(taken(&text, "K\u{1b}[Dln").unwrap_err().contains("control characters"));
        let folder = Field::new("dir", FieldKind::Directory, "");
        assert!(taken(&folder, "certs").unwrap().1.starts_with('/'));
    }

    #[test]
    fn a_file_is_read_when_it_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pem");
        std::fs::write(&path, "x").unwrap();
        let field = Field::new("cert", FieldKind::File, "");
        match take(&field, path.to_str().unwrap()) {
            Taken::Answer(answer) => {
                assert_eq!(answer.values[0].text, "a.pem");
                assert_eq!(answer.values[0].bytes.as_ref().unwrap().expose(), b"x");
            }
            Taken::Refused(reason) => panic!("{reason}"),
        }
        assert!(taken(&field, dir.path().to_str().unwrap()).unwrap_err().contains("directory"));
        let secret = Answer::secret(&field, Secret::new(b"sesame".to_vec()));
        assert!(!secret.shown.contains("sesame"));
    }
}
