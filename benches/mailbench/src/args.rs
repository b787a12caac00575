//! A very small `--key value` / `--key=value` / `--flag` parser that refuses unknown options.
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

pub struct Args {
    kv: HashMap<String, String>,
    pub rest: Vec<String>,
    used: RefCell<HashSet<String>>,
}

impl Args {
    pub fn parse(argv: &[String], flags: &[&str]) -> Result<Args, String> {
        let mut kv = HashMap::new();
        let mut rest = Vec::new();
        let mut i = 0;
        while i < argv.len() {
            let a = &argv[i];
            if a == "--" {
                rest.extend_from_slice(&argv[i + 1..]);
                break;
            }
            let Some(k) = a.strip_prefix("--") else {
                return Err(format!("unexpected argument {a:?}"));
            };
            if let Some((k, v)) = k.split_once('=') {
                kv.insert(k.to_string(), v.to_string());
            } else if flags.contains(&k) {
                kv.insert(k.to_string(), "1".into());
            } else {
                i += 1;
                let v = argv.get(i).ok_or_else(|| format!("--{k} needs a value"))?;
                kv.insert(k.to_string(), v.clone());
            }
            i += 1;
        }
        Ok(Args { kv, rest, used: RefCell::new(HashSet::new()) })
    }
    pub fn get(&self, k: &str) -> Option<&str> {
        self.used.borrow_mut().insert(k.to_string());
        self.kv.get(k).map(|s| s.as_str())
    }
    pub fn str(&self, k: &str, d: &str) -> String {
        self.get(k).unwrap_or(d).to_string()
    }
    pub fn flag(&self, k: &str) -> bool {
        self.get(k).is_some()
    }
    pub fn num<T: std::str::FromStr>(&self, k: &str, d: T) -> Result<T, String> {
        match self.get(k) {
            None => Ok(d),
            Some(v) => v.parse().map_err(|_| format!("--{k}: bad number {v:?}")),
        }
    }
    /// Sizes such as 8192, 8k, 1m.
    pub fn size(&self, k: &str, d: u64) -> Result<u64, String> {
        self.get(k).map(parse_size).unwrap_or(Ok(d))
    }
    pub fn finish(&self) -> Result<(), String> {
        let used = self.used.borrow();
        let mut bad: Vec<_> = self.kv.keys().filter(|k| !used.contains(*k)).collect();
        bad.sort();
        if bad.is_empty() {
            Ok(())
        } else {
            Err(format!("unknown option(s) for this subcommand: {bad:?}"))
        }
    }
}

pub fn parse_size(v: &str) -> Result<u64, String> {
    let l = v.to_ascii_lowercase();
    let (n, m) = match l.as_bytes().last() {
        Some(b'k') => (&l[..l.len() - 1], 1024),
        Some(b'm') => (&l[..l.len() - 1], 1 << 20),
        _ => (&l[..], 1),
    };
    n.parse::<u64>().map(|x| x * m).map_err(|_| format!("bad size {v:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(argv: &[&str]) -> Result<Args, String> {
        let argv: Vec<String> = argv.iter().map(|s| s.to_string()).collect();
        Args::parse(&argv, &["resume"])
    }

    #[test]
    fn options_flags_and_rest() {
        let a = parse(&["--port", "25", "--size=8k", "--resume", "--", "server", "--config"]);
        let a = a.expect("valid arguments");
        assert_eq!(a.num("port", 0u16), Ok(25));
        assert_eq!(a.size("size", 0), Ok(8192));
        assert!(a.flag("resume"));
        assert_eq!(a.rest, ["server", "--config"]);
        assert_eq!(a.finish(), Ok(()));
    }

    #[test]
    fn unknown_and_unfinished_options_are_refused() {
        assert!(parse(&["port"]).is_err());
        assert!(parse(&["--port"]).is_err());
        assert!(parse(&["--nonsense", "1"]).expect("parses").finish().is_err());
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("1M"), Ok(1 << 20));
        assert_eq!(parse_size("12"), Ok(12));
        assert!(parse_size("k").is_err());
    }
}
