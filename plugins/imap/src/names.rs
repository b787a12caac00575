//! Which mailbox names a LIST pattern means (RFC 9051 section 6.3.9): `*` stands for anything, `%` for anything without a
//! separator.
//!
//! Bounds: time is the product of both lengths, whatever the pattern.

/// Between the levels of a name.
pub const SEPARATOR: char = '/';

/// Whether a name matches. `INBOX` matches in either case.
pub fn matches(pattern: &str, name: &str) -> bool {
    let inbox = name == "INBOX" || name.starts_with("INBOX/");
    let head = if inbox { 5 } else { 0 };
    // states[i]: the first i elements of the pattern fit what was read so far.
    let pattern: Vec<char> = squeeze(pattern);
    let mut states = vec![false; pattern.len() + 1];
    states[0] = true;
    skip_wildcards(&pattern, &mut states);
    for (at, letter) in name.char_indices() {
        let mut next = vec![false; pattern.len() + 1];
        for (i, element) in pattern.iter().enumerate() {
            if !states[i] {
                continue;
            }
            let same = *element == letter || (at < head && element.eq_ignore_ascii_case(&letter));
            match element {
                '*' => next[i] = true,
                '%' if letter != SEPARATOR => next[i] = true,
                '%' => {}
                _ if same => next[i + 1] = true,
                _ => {}
            }
        }
        skip_wildcards(&pattern, &mut next);
        states = next;
    }
    states[pattern.len()]
}

/// Wildcards also stand for nothing.
fn skip_wildcards(pattern: &[char], states: &mut [bool]) {
    for (i, element) in pattern.iter().enumerate() {
        if states[i] && matches!(element, '*' | '%') {
            states[i + 1] = true;
        }
    }
}

/// Several wildcards on end are one.
fn squeeze(pattern: &str) -> Vec<char> {
    let mut squeezed: Vec<char> = Vec::with_capacity(pattern.len());
    for element in pattern.chars() {
        match (squeezed.last(), element) {
            (Some('*'), '*' | '%') | (Some('%'), '%') => {}
            (Some('%'), '*') => {
                squeezed.pop();
                squeezed.push('*');
            }
            _ => squeezed.push(element),
        }
    }
    squeezed
}

/// The names above, nearest first: `a/b/c` has `a/b` and `a`.
pub fn above(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices(SEPARATOR).rev().filter_map(|(at, _)| name.get(..at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wildcards() {
        for (pattern, name, fits) in [
            ("*", "a/b", true),
            ("%", "a/b", false),
            ("%", "a", true),
            ("%/%", "a/b", true),
            ("a*", "a", true),
            ("a/%", "a", false),
            ("a/%", "a/b/c", false),
            ("a/*", "a/b/c", true),
            ("%c", "a/c", false),
            ("*c", "a/c", true),
            ("", "", true),
            ("", "a", false),
            ("inbox", "INBOX", true),
            ("inb*", "INBOX/x", true),
            ("InBoX/x", "INBOX/x", true),
            ("InBoX/X", "INBOX/x", false),
            ("a", "A", false),
            ("%*%", "a/b", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn levels_above() {
        assert_eq!(above("a/b/c").collect::<Vec<_>>(), ["a/b", "a"]);
        assert_eq!(above("a").count(), 0);
    }

    /// The definition, word for word; exponential.
    fn slow(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|n| slow(rest, &name[n..])),
            Some(('%', rest)) => {
                (0..=name.len()).take_while(|n| !name[..*n].contains(&'/')).any(|n| slow(rest, &name[n..]))
            }
            Some((c, rest)) => name.split_first().is_some_and(|(d, more)| c == d && slow(rest, more)),
        }
    }

    proptest! {
        #[test]
        fn as_defined(pattern in "[ab/*%]{0,8}", name in "[ab/]{0,8}") {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &name), slow(&chars(&pattern), &chars(&name)));
        }
    }
}
