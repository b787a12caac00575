//! The file's text, and what its addresses mean.

use crate::book::{Book, Destination, Settings, MAX_EXPANSION};
use crate::content::Content;

/// What is read is written and read back the same; in a book that fits together every address leads somewhere.
pub fn accounts(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let content = match Content::parse(text) {
        Ok(content) => content,
        Err(mistake) => {
            assert!(mistake.line >= 1 && mistake.line <= text.matches('\n').count() + 1, "{mistake:?}");
            assert!(mistake.column >= 1 && !mistake.message.is_empty(), "{mistake:?}");
            return false;
        }
    };
    let written = content.render().unwrap_or_else(|error| panic!("{content:?} cannot be written: {error}"));
    assert_eq!(Content::parse(&written).as_ref(), Ok(&content));

    let settings = Settings { domains: Vec::new(), separator: Some('+') };
    let Ok(book) = Book::new(content.clone(), &settings) else {
        return false;
    };
    for (name, _) in content.accounts.iter() {
        assert_eq!(book.resolve(name.as_str()), Ok(Destination::Local(vec![name.clone()])));
        assert!(book.may_send_as(name.as_str(), name.as_str()), "{name} may not send as itself");
    }
    for (alias, _) in content.aliases.iter() {
        match book.resolve(alias.as_str()) {
            Ok(Destination::Local(accounts)) => assert!((1..=MAX_EXPANSION).contains(&accounts.len()), "{alias}"),
            other => panic!("{alias} leads to {other:?}"),
        }
    }
    true
}
