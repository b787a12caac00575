//! One case of the table: what is brought, and what must become of it.

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Imported without a word on standard error.
    Good,
    /// Imported with these warnings and no others.
    Warn,
    /// Refused with one line.
    Bad,
}

/// What the certificate folder is like before.
#[derive(Debug, Clone, Default)]
pub enum Before {
    /// It doesn't exist.
    #[default]
    Nothing,
    /// It holds another pair, put there by hand.
    Bystander,
    /// The pair of these fixtures (certificate, key) was imported under the case's own name.
    Imported(String, String),
    /// These files, each a fixture under a name of its own.
    Files(Vec<(String, String)>),
}

/// What is brought to an import.
#[derive(Debug, Clone)]
pub struct Case {
    /// `good-`, `warn-` or `bad-`, and what it proves.
    pub name: String,
    pub verdict: Verdict,
    /// The fixture that is given with `--cert`.
    pub cert: String,
    /// Whether it is given as it is, not as a copy that is named after the case.
    pub in_place: bool,
    /// The fixture that is given with `--key`.
    pub key: Option<String>,
    /// What is in the file that is given with `--password-file`.
    pub password: Option<String>,
    /// Further words.
    pub words: Vec<String>,
    pub before: Before,
    /// What must be said: of a refusal all in its line, of warnings one each.
    pub said: Vec<String>,
    /// The pair's name afterwards, if it isn't the case's.
    pub becomes: Option<String>,
    /// How many certificates are published.
    pub chain: usize,
    /// The fixture that openssl must trust the chain by.
    pub root: Option<String>,
    /// The fixture whose first certificate is published as the first.
    pub leaf: Option<String>,
}

fn case(verdict: Verdict, prefix: &str, what: &str, cert: &str) -> Case {
    Case {
        name: format!("{prefix}-{what}"),
        verdict,
        cert: cert.to_owned(),
        in_place: false,
        key: None,
        password: None,
        words: Vec::new(),
        // A refusal must not touch what is there; where nothing is, the folder is to be made only if it is needed.
        before: if verdict == Verdict::Bad { Before::Bystander } else { Before::Nothing },
        said: Vec::new(),
        becomes: None,
        chain: 1,
        root: None,
        leaf: None,
    }
}

/// A case that goes without a word.
pub fn good(what: &str, cert: &str) -> Case {
    case(Verdict::Good, "good", what, cert)
}

/// A case that goes with a warning.
pub fn warn(what: &str, cert: &str, said: &str) -> Case {
    case(Verdict::Warn, "warn", what, cert).says(said)
}

/// A case that is refused.
pub fn bad(what: &str, cert: &str, said: &str) -> Case {
    case(Verdict::Bad, "bad", what, cert).says(said)
}

impl Case {
    pub fn key(mut self, key: &str) -> Case {
        self.key = Some(key.to_owned());
        self
    }

    pub fn password(mut self, password: &str) -> Case {
        self.password = Some(password.to_owned());
        self
    }

    /// Another thing that must be said.
    pub fn says(mut self, said: impl Into<String>) -> Case {
        self.said.push(said.into());
        self
    }

    pub fn words(mut self, words: &[&str]) -> Case {
        self.words.extend(words.iter().map(|&word| word.to_owned()));
        self
    }

    pub fn before(mut self, before: Before) -> Case {
        self.before = before;
        self
    }

    /// After this pair was imported under the same name.
    pub fn after(self, cert: &str, key: &str) -> Case {
        self.before(Before::Imported(cert.to_owned(), key.to_owned()))
    }

    /// With these files in the folder.
    pub fn among(self, files: &[(&str, &str)]) -> Case {
        self.before(Before::Files(files.iter().map(|&(fixture, name)| (fixture.to_owned(), name.to_owned())).collect()))
    }

    pub fn becomes(mut self, name: &str) -> Case {
        self.becomes = Some(name.to_owned());
        self
    }

    /// So many certificates are published, and openssl trusts them by this root.
    pub fn chain(mut self, length: usize, root: &str) -> Case {
        (self.chain, self.root) = (length, Some(root.to_owned()));
        self
    }

    /// This certificate is the one that is served.
    pub fn publishes(mut self, cert: &str) -> Case {
        self.leaf = Some(cert.to_owned());
        self
    }

    /// The path itself is given: it can't be copied.
    pub fn in_place(mut self) -> Case {
        self.in_place = true;
        self
    }
}
