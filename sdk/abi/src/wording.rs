//! What is said of mistakes in the operator's texts, in the same words wherever one is found: by core in the config, by
//! plugins in their sections.

/// A name that no option has: message and help. `options` are the names that there are.
pub fn no_such_option(name: &str, options: &[&str]) -> (String, String) {
    let help = match options {
        [] => "there are no options here: remove it".to_owned(),
        _ => format!("options are: {}", options.join(", ")),
    };
    (format!("there is no option `{name}`"), help)
}

/// An option that must be there: message and help.
pub fn missing_option(name: &str) -> (String, String) {
    (format!("`{name}` is missing"), "add it".to_owned())
}

/// A value that is none of those that can be chosen: message and help.
pub fn no_such_choice(value: &str, choices: &[&str]) -> (String, String) {
    (format!("there is no choice `{value}`"), format!("choices are: {}", choices.join(", ")))
}

/// A text that ends before what it began: message and help.
pub fn ends_early() -> (String, String) {
    let help = "a bracket before this is not closed";
    ("the text ends too early".to_owned(), help.to_owned())
}

/// A string without its closing quotation mark: message and help.
pub fn open_string() -> (String, String) {
    ("a string begins here and does not end".to_owned(), "close it with a quotation mark".to_owned())
}

/// Something that neither goes on nor closes: message and help.
pub fn no_comma() -> (String, String) {
    ("Expected comma".to_owned(), "or the bracket that closes what is open here".to_owned())
}

/// Something behind the last bracket: message and help.
pub fn goes_on() -> (String, String) {
    let help = "remove it, or look for a bracket too many before this";
    ("the text goes on behind its end".to_owned(), help.to_owned())
}

/// Brackets in brackets, without end.
pub fn too_deep() -> (String, String) {
    ("too many brackets in one another".to_owned(), String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_there_are_go_with_the_one_that_is_not() {
        let (message, help) = no_such_option("bnd", &["bind", "tls"]);
        assert_eq!((message.as_str(), help.as_str()), ("there is no option `bnd`", "options are: bind, tls"));
        assert_eq!(no_such_option("x", &[]).1, "there are no options here: remove it");
    }
}
