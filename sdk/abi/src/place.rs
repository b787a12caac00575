//! Places in the operator's texts.

/// Where the next token stands, from a place that may be blanks or line comments before it: RON's errors point at where
/// reading went on, people look for what is wrong there. Lines and columns count from 1.
pub fn token(text: &str, line: usize, column: usize) -> (u32, u32) {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut from = column.saturating_sub(1);
    for (at, content) in text.lines().enumerate().skip(line.saturating_sub(1)) {
        let rest = content.chars().skip(from).collect::<String>();
        let blank = rest.chars().take_while(|c| c.is_whitespace()).count();
        let rest = rest.trim_start();
        if !rest.is_empty() && !rest.starts_with("//") {
            return (number(at + 1), number(from + blank + 1));
        }
        from = 0;
    }
    (number(line), number(column))
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn blanks_and_comments_are_passed_over() {
        let text = "a:  3,\n  // why\n\n\té: x";
        assert_eq!(token(text, 1, 1), (1, 1));
        assert_eq!(token(text, 1, 3), (1, 5));
        assert_eq!(token(text, 1, 7), (4, 2));
        assert_eq!(token(text, 4, 4), (4, 5));
        // Behind the end, and places that aren't there.
        assert_eq!(token(text, 4, 6), (4, 6));
        assert_eq!(token("", 0, 0), (0, 0));
        assert_eq!(token("x", 9, 9), (9, 9));
    }
}
