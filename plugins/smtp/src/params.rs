//! Parameters behind a path in `MAIL` and `RCPT` (RFC 5321 section 4.1.2, `esmtp-param`).

use crate::reply::Reply;

/// One `KEYWORD` or `KEYWORD=value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// As written; compare without case.
    pub keyword: &'a str,
    /// What follows `=`.
    pub value: Option<&'a str>,
}

impl Param<'_> {
    /// Whether this is the parameter `name`.
    pub fn is(&self, name: &str) -> bool {
        self.keyword.eq_ignore_ascii_case(name)
    }
}

/// Splits what follows the path. At most [`MAX_PARAMS`], none of them twice.
///
/// # Errors
/// `501` for text that is no parameter list.
pub fn parse(text: &[u8]) -> Result<Vec<Param<'_>>, Reply> {
    let mut params: Vec<Param<'_>> = Vec::new();
    let Ok(text) = std::str::from_utf8(text) else {
        return Err(malformed());
    };
    if !text.is_empty() && !text.starts_with(' ') {
        return Err(malformed());
    }
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let param = parse_one(word).ok_or_else(malformed)?;
        if params.len() == MAX_PARAMS || params.iter().any(|earlier| earlier.is(param.keyword)) {
            return Err(malformed());
        }
        params.push(param);
    }
    Ok(params)
}

fn parse_one(word: &str) -> Option<Param<'_>> {
    let (keyword, value) = match word.split_once('=') {
        Some((keyword, value)) => (keyword, Some(value)),
        None => (word, None),
    };
    let keyword_ok = keyword.starts_with(|c: char| c.is_ascii_alphanumeric())
        && keyword.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let value_ok = match value {
        Some(value) => !value.is_empty() && value.bytes().all(|b| matches!(b, 33..=60 | 62..=126)),
        None => true,
    };
    (keyword_ok && value_ok).then_some(Param { keyword, value })
}

fn malformed() -> Reply {
    Reply::refuse(501, 5, 4, "Malformed parameters: want KEYWORD=value, each once, separated by a space")
}

/// More parameters than all known extensions have.
const MAX_PARAMS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn splits_keywords_and_values() {
        let params = parse(b" SIZE=100 body=8BITMIME X-FLAG").unwrap();
        assert_eq!(params.len(), 3);
        assert_eq!(params[0], Param { keyword: "SIZE", value: Some("100") });
        assert!(params[1].is("BODY"));
        assert_eq!(params[2].value, None);
        assert_eq!(parse(b""), Ok(vec![]));
        assert_eq!(parse(b"  "), Ok(vec![]));
    }

    #[test]
    fn refuses_what_is_not_a_parameter() {
        let many: String = (0..20).map(|i| format!(" K{i}")).collect();
        for bad in ["X=1", " =1", " A=", " -A=1", " A=b=c", " A_B=1", " A=\u{fc}", " A A", " A a=1", " A=\u{7f}", &many]
        {
            assert_eq!(parse(bad.as_bytes()).unwrap_err().code(), 501, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&text);
        }
    }
}
