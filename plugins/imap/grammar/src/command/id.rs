//! `ID`: who the client says it is (RFC 2971). For statistics and logs, never for decisions.

use crate::cursor::{Cursor, Parsed};

/// Fields and values in the order sent. Octets that are no UTF-8 are replaced: this is for people to read, and whoever
/// logs it has to escape it.
pub type IdPairs = Vec<(String, Option<String>)>;

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Parsed<Option<IdPairs>> {
    if cursor.eat_word(b"NIL") {
        return Ok(None);
    }
    let pairs = cursor.list("ID fields", cursor.limits.id_pairs, |cursor| {
        let field = string(cursor, "an ID field in quotes")?;
        cursor.space()?;
        let value = if cursor.eat_word(b"NIL") { None } else { Some(string(cursor, "an ID value in quotes, or NIL")?) };
        Ok((field, value))
    })?;
    Ok(Some(pairs))
}

fn string(cursor: &mut Cursor<'_>, what: &'static str) -> Parsed<String> {
    let octets = cursor.string(cursor.limits.string, what)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

#[cfg(test)]
mod tests {
    use crate::command::testing::{fails, parse};
    use crate::command::Command;
    use crate::error::ErrorKind;

    #[test]
    fn examples_of_the_rfc() {
        assert_eq!(parse("ID NIL"), Command::Id(None));
        assert_eq!(parse("ID nil"), Command::Id(None));
        let Command::Id(Some(pairs)) = parse("ID (\"name\" \"sodr\" \"version\" \"19.34\" \"os\" NIL)") else {
            panic!()
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            pairs,
            [("name".to_owned(), text("sodr")), ("version".to_owned(), text("19.34")), ("os".to_owned(), None)]
        );
        assert_eq!(parse("ID ()"), Command::Id(Some(vec![])));
        let Command::Id(Some(pairs)) = parse("ID (\"a\" {1}\r\nb)") else { panic!() };
        assert_eq!(pairs, [("a".to_owned(), text("b"))]);
    }

    #[test]
    fn what_is_no_id() {
        for bad in [
            "ID",
            "ID NILL",
            "ID (\"a\")",
            "ID (a b)",
            "ID (\"a\" \"b\"",
            "ID (NIL \"b\")",
            "ID (\"a\" \"b\" )",
            "ID x",
        ] {
            fails(bad);
        }
        let many = format!("ID ({})", vec!["\"a\" NIL"; 31].join(" "));
        assert_eq!(fails(&many), ErrorKind::TooMany { what: "ID fields", limit: 30 });
    }
}
