//! Changes of a header, beside a plain reading of what came out.

use dovetail_sdk::policy::{HeaderAction, HeaderEdit};

use crate::policy::header::apply;

/// Lines `+name:value` and `-name` up to a line `.` are changes, where `\r`, `\n` and `\0` in the values are written out; behind it
/// is the header. What is added is one field each, with that name, and what is removed is gone; nothing else is touched.
pub fn smtp_header(input: &[u8]) -> bool {
    let end = input.windows(3).position(|window| window == b"\n.\n");
    let Some((changes, header)) = end.and_then(|end| Some((input.get(..end)?, input.get(end + 3..)?))) else {
        return false;
    };
    let changes = String::from_utf8_lossy(changes);
    let Some(edits) = changes.lines().map(edit).collect::<Option<Vec<_>>>() else {
        return false;
    };
    // The decoder lets nothing else through (RFC 5321 section 2.3.8).
    let header = String::from_utf8_lossy(header).replace('\r', "").replace('\n', "\r\n");
    let Ok(after) = apply(header.as_bytes(), &edits) else {
        return false;
    };
    let after = String::from_utf8(after).unwrap_or_else(|_| panic!("text became something else"));
    assert_eq!(after.replace("\r\n", "").find(['\r', '\n']), None, "a line end by itself");

    let added = edits.iter().filter(|edit| edit.action == HeaderAction::Add);
    let kept = added.filter(|add| {
        let behind = edits.iter().skip_while(|edit| !std::ptr::eq(*edit, *add));
        !behind.clone().any(|edit| edit.action == HeaderAction::Remove && edit.name.eq_ignore_ascii_case(&add.name))
    });
    let kept: Vec<&HeaderEdit> = kept.collect();
    let fields = fields(&after);
    for (field, add) in fields.iter().zip(kept.iter().rev()) {
        let value = add.value.trim_matches([' ', '\t']);
        let unfolded = field.replace("\r\n", "");
        let told = unfolded.strip_prefix(&format!("{}:", add.name)).map(|told| told.trim_matches([' ', '\t']));
        assert_eq!(told, Some(value), "what was added is not what stands there");
        assert!(field.split("\r\n").all(|line| line.len() <= 998), "a line is too long");
    }
    assert!(fields.len() >= kept.len(), "what was added is not there");
    if let Some(last) = edits.last().filter(|edit| edit.action == HeaderAction::Remove) {
        let named = |field: &&str| {
            let name = field.split_once(':').map(|(name, _)| name.trim_ascii_end());
            name.is_some_and(|name| name.eq_ignore_ascii_case(&last.name))
        };
        assert!(!fields.iter().any(|field| named(&field.as_str())), "what was removed is still there");
    }
    if edits.iter().all(|edit| edit.action == HeaderAction::Add) {
        assert!(after.ends_with(&header), "the rest is not what it was");
    }
    true
}

fn edit(line: &str) -> Option<HeaderEdit> {
    let written = |text: &str| text.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0");
    let (action, name, value) = match line.strip_prefix('+') {
        Some(add) => add.split_once(':').map(|(name, value)| (HeaderAction::Add, name, value))?,
        None => (HeaderAction::Remove, line.strip_prefix('-')?, ""),
    };
    Some(HeaderEdit { action, name: written(name), value: written(value) })
}

/// The fields up to the end of the header, each with its continuation lines.
fn fields(header: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for line in header.split("\r\n") {
        match fields.last_mut() {
            Some(field) if line.starts_with([' ', '\t']) => {
                field.push_str("\r\n");
                field.push_str(line);
            }
            _ => fields.push(line.to_owned()),
        }
    }
    fields
}
