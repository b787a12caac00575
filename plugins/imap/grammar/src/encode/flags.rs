//! Lists of flags.

/// `(\Seen $Forwarded)`. The names are written as they are: system flags with their `\`, keywords that are atoms.
pub fn flags<I>(out: &mut Vec<u8>, names: I)
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    out.push(b'(');
    let mut between = false;
    for name in names {
        if between {
            out.push(b' ');
        }
        between = true;
        out.extend_from_slice(name.as_ref().as_bytes());
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_apart() {
        let written = |names: &[&str]| {
            let mut out = Vec::new();
            flags(&mut out, names);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(&[]), "()");
        assert_eq!(written(&["\\Seen"]), "(\\Seen)");
        assert_eq!(written(&["\\Seen", "$Junk", "\\*"]), "(\\Seen $Junk \\*)");
    }
}
