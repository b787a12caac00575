//! L0: what a plugin says about itself in an ELF note, readable without running it.
//!
//! The note's descriptor is: length (u32, little-endian, of what follows), the magic `DOVETAIL`, the kernel version (u32,
//! little-endian), then UTF-8 lines `key=value`. Unknown keys are kept out of the way, so the note can grow.

use std::collections::BTreeMap;

/// The section that holds the note.
pub const SECTION: &str = ".note.dovetail";
/// The note's owner name, as ELF wants it: with its NUL.
pub const OWNER: &[u8; 9] = b"Dovetail\0";
/// The note's type.
pub const NOTE_TYPE: u32 = 1;
/// What the descriptor's content begins with.
pub const MAGIC: &[u8; 8] = b"DOVETAIL";
/// The revision of the root module that this crate speaks.
pub const KERNEL: u32 = 1;
/// More than this is no manifest of ours.
pub const MAX_MANIFEST: usize = 64 * 1024;

/// The manifest of a plugin, as read from its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The kernel revision it was built for.
    pub kernel: u32,
    /// Its id, such as `smtp`.
    pub id: String,
    /// Its version.
    pub version: String,
    /// One sentence on what it does.
    pub summary: String,
    /// The SDK's version.
    pub sdk: String,
    /// The compiler, as `rustc --version` says it.
    pub rustc: String,
    /// The target triple.
    pub target: String,
    /// The panic strategy; only `unwind` can be loaded.
    pub panic: String,
    /// The interfaces it provides.
    pub provides: Vec<String>,
    /// The interfaces it needs.
    pub requires: Vec<String>,
    /// The interfaces that some of its config sections ask for.
    pub uses: Vec<String>,
    /// The word its operations go by on the command line, if it offers any.
    pub command: Option<String>,
    /// Whether it owns files that only one instance may use at a time, so that a new generation cannot run beside the old.
    pub exclusive: bool,
}

/// Why a note is no manifest.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The length does not fit the note.
    #[error("the manifest is {found} bytes long but says {said}")]
    Length {
        /// What the descriptor holds.
        found: usize,
        /// What it says it holds.
        said: usize,
    },
    /// It does not begin with the magic.
    #[error("the manifest does not begin with the magic DOVETAIL")]
    Magic,
    /// The text is not UTF-8.
    #[error("the manifest is not UTF-8 text")]
    Text,
    /// The text has control characters, which could play tricks on a terminal.
    #[error("the manifest has control characters")]
    Control,
    /// A key that every manifest has is missing.
    #[error("the manifest has no `{0}`")]
    Missing(&'static str),
}

impl Manifest {
    /// Reads a note's descriptor.
    ///
    /// # Errors
    /// Says what is wrong with it; never panics whatever the bytes are.
    pub fn parse(descriptor: &[u8]) -> Result<Manifest, ManifestError> {
        let (head, content) = descriptor.split_first_chunk::<4>().ok_or(ManifestError::Magic)?;
        let said = u32::from_le_bytes(*head) as usize;
        if said != content.len() || said > MAX_MANIFEST {
            return Err(ManifestError::Length { found: content.len(), said });
        }
        let rest = content.strip_prefix(MAGIC.as_slice()).ok_or(ManifestError::Magic)?;
        let (kernel, text) = rest.split_first_chunk::<4>().ok_or(ManifestError::Magic)?;
        let text = std::str::from_utf8(text).map_err(|_| ManifestError::Text)?;
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(ManifestError::Control);
        }
        let values: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
        let get = |key: &'static str| values.get(key).map(|v| (*v).to_owned()).ok_or(ManifestError::Missing(key));
        let list = |key| get(key).map(|v| v.split_whitespace().map(str::to_owned).collect());
        Ok(Manifest {
            kernel: u32::from_le_bytes(*kernel),
            id: get("id")?,
            version: get("version")?,
            summary: get("summary")?,
            sdk: get("sdk")?,
            rustc: get("rustc")?,
            target: get("target")?,
            panic: get("panic")?,
            provides: list("provides")?,
            requires: list("requires")?,
            uses: values.get("uses").map(|v| v.split_whitespace().map(str::to_owned).collect()).unwrap_or_default(),
            command: values.get("command").filter(|v| !v.is_empty()).map(|v| (*v).to_owned()),
            exclusive: values.get("exclusive").is_some_and(|v| *v == "true"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note;

    const PARTS: &[&str] = &[
        "id=x\nversion=1\nsummary=s\nsdk=1\nrustc=r\ntarget=t\npanic=unwind\n",
        "provides=a/1 b/1\nrequires=\ncommand=\n",
    ];
    const LEN: usize = note::descriptor_len(PARTS);
    static NOTE: note::Note<LEN> = note::Note::new(PARTS);

    #[test]
    fn what_the_note_says_is_read_back() {
        let manifest = Manifest::parse(NOTE.descriptor()).unwrap();
        assert_eq!(manifest.kernel, KERNEL);
        assert_eq!(manifest.provides, ["a/1", "b/1"]);
        assert!(manifest.requires.is_empty());
        assert_eq!(manifest.command, None);
        assert!(!manifest.exclusive);
    }

    #[test]
    fn control_characters_are_refused() {
        let good = NOTE.descriptor();
        let at = good.windows(10).position(|part| part == b"summary=s\n").unwrap() + 8;
        let mut bad = good.to_vec();
        bad[at] = 0x1b;
        assert_eq!(Manifest::parse(&bad), Err(ManifestError::Control));
    }

    #[test]
    fn damage_is_an_error() {
        let good = NOTE.descriptor();
        for end in 0..good.len() {
            assert!(Manifest::parse(&good[..end]).is_err());
        }
        let mut bad = good.to_vec();
        bad[5] ^= 1;
        assert_eq!(Manifest::parse(&bad), Err(ManifestError::Magic));
    }
}
