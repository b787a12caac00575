//! What a form says of its fields, in lines of a terminal's width.

use dovetail_abi::operations_v1::Field;

/// How long lines are.
pub const WIDTH: usize = 78;

/// What a form calls a field.
pub fn title(field: &Field) -> &str {
    if field.title.is_empty() {
        &field.name
    } else {
        &field.title
    }
}

/// What `?` says about a field.
pub fn explanation(field: &Field) -> String {
    let sentence = match field.help.ends_with(['.', '?', '!']) {
        true => field.help.clone(),
        false => format!("{}.", field.help),
    };
    let mut text = wrapped(&sentence, "  ");
    for paragraph in field.more.lines().filter(|line| !line.is_empty()) {
        text.push_str(&format!("\n{}", wrapped(paragraph, "  ")));
    }
    if !field.example.is_empty() {
        text.push_str(&format!("\n  For example: {}", field.example));
    }
    if field.many {
        text.push_str("\n  One a line; an empty line ends them.");
    }
    text
}

/// Text in lines of a terminal's width, each behind `indent`.
pub fn wrapped(text: &str, indent: &str) -> String {
    let mut lines: Vec<String> = vec![indent.to_owned()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if line.len() == indent.len() || line.chars().count() + 1 + word.chars().count() <= WIDTH {
            if line.len() > indent.len() {
                line.push(' ');
            }
            line.push_str(word);
        } else {
            lines.push(format!("{indent}{word}"));
        }
    }
    lines.join("\n")
}
