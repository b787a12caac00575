//! Loading a plugin library: the only place in core with unsafe code.
//!
//! Order matters, since a library's constructors run inside `dlopen`: trust, probe, private copy; then trust, probe and pin
//! of the copy, so that the file that is opened is the one that was checked; then `dlopen` (RTLD_NOW | RTLD_LOCAL), then the
//! kernel's layout is checked before anything in it is called. Libraries are never unloaded: sessions, wakers and vtables
//! point into them.
#![allow(unsafe_code)] // dlopen and reading the root module

use super::{
    build,
    probe::{self, ProbeError},
    trust::{self, TrustError},
    wiring::is_host_interface,
};
use crate::reload::shape::LibraryShape;
use abi_stable::library::{AbiHeader, AbiHeaderRef, LibHeader, LibraryError};
use dovetail_abi::{
    handle::Interface,
    kernel_v1::{Description, Diagnostic, HeapUse, InterfaceUse, KernelRef, PrepareInput, Prepared, SYMBOL},
    layout,
    manifest::Manifest,
    wire::Wire,
    AnyHandle,
};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Why a plugin could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// It is no plugin for this server.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// Others could have written it.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// It is not the file that was pinned.
    #[error("{path} has SHA-256 {found}, the config pins {pinned}; restore the file, or correct `sha256` if the change is yours")]
    Pin {
        /// The file.
        path: PathBuf,
        /// Its hash.
        found: String,
        /// The hash in the config.
        pinned: String,
    },
    /// Others could have written the private copy.
    #[error("the private copy of {path} is not safe: {source}")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// What is open to others.
        source: TrustError,
    },
    /// The private copy could not be made.
    #[error("cannot copy {path} into the data directory: {source} (check that there is room, and that it belongs to the server's user)")]
    Copy {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The system's loader refused it.
    #[error(
        "{path} cannot be loaded: {detail} (install the libraries that it needs, or build it again on this machine)"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// What the loader says.
        detail: String,
    },
    /// Its root module is not ours.
    #[error("{path} ({plugin}) does not fit this server (kernel 1 of SDK {ours}): {detail}; build it again with this release's SDK")]
    Kernel {
        /// The file.
        path: PathBuf,
        /// The plugin's id and version, and its SDK's.
        plugin: String,
        /// Ours.
        ours: &'static str,
        /// What differs.
        detail: String,
    },
    /// It has a manifest and nothing behind it.
    #[error("{path} ({plugin}) has a manifest but no entry point `{SYMBOL}` for this server; export it with the SDK's export_plugin!, and keep it when the file is stripped")]
    NoEntry {
        /// The file.
        path: PathBuf,
        /// The plugin's id and version.
        plugin: String,
    },
    /// What it says when it runs is not what it said before.
    #[error("{path} contradicts its own manifest: {detail}; this server would wire it wrongly, so build it again from its sources, with export_plugin! only")]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// What each says.
        detail: String,
    },
    /// It panicked while describing itself.
    #[error("{path} panicked while describing itself to this server; report this to its author")]
    Describe {
        /// The file.
        path: PathBuf,
    },
}

/// A loaded library. Loaded for the life of the process.
pub struct Loaded {
    /// The file it came from.
    pub path: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// What it gives and needs.
    pub description: Description,
    /// Which build it is.
    pub build: String,
    /// Which file it came from, to see whether there is another one now.
    pub shape: LibraryShape,
    /// The private copy that was opened, if one was made.
    pub copy: Option<PathBuf>,
    kernel: KernelRef,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Loaded({} from {})", self.manifest.id, self.path.display())
    }
}

/// Loads a plugin. With `copies`, a private copy in that directory is loaded instead of the file itself, so that a newer
/// file under the same path is a new library, and nobody can change the code of a running one.
///
/// # Errors
/// One sentence with both sides and the cure. Nothing of the library has run, unless it is a `Kernel` or `Describe` error.
pub fn load(path: &Path, pin: Option<&str>, copies: Option<&Path>) -> Result<Loaded, LoadError> {
    // From here on without links: a link that is changed meanwhile must not lead to a file that nobody has checked.
    let real = trust::check(path)?;
    let stamp = stamp(&real).map_err(|source| ProbeError::Io { path: path.to_owned(), source })?;
    let manifest = probe::probe_as(&real, path)?;
    // Before the copy, so that a wrong file is not even copied.
    let hash = pinned(&real, path, pin)?;
    let shape = LibraryShape { stamp, hash: hash.clone() };
    let _alone = copies.map(|_| COPIES.lock().unwrap_or_else(PoisonError::into_inner));
    let (file, manifest) = match copies {
        Some(directory) => {
            let copy = private_copy(&real, hash.as_deref(), directory)
                .map_err(|source| LoadError::Copy { path: path.to_owned(), source })?;
            let manifest = check_copy(&copy, path, pin)?;
            (copy, manifest)
        }
        None => (real, manifest),
    };
    let build = build::of(&file).map_err(|source| ProbeError::Io { path: path.to_owned(), source })?;
    let header = open(path, &file, &manifest)?;
    let mismatch = |detail: String| LoadError::Kernel {
        path: path.to_owned(),
        plugin: format!("{} {}, SDK {}", manifest.id, manifest.version, manifest.sdk),
        ours: env!("CARGO_PKG_VERSION"),
        detail,
    };
    // SAFETY: the symbol is the `LibHeader` that `export_kernel!` emits; `upgrade` checks its magic and ABI version first.
    let header: &'static LibHeader = header.upgrade().map_err(|error| mismatch(first_line(&error)))?;
    let found = header.layout().ok_or_else(|| mismatch("its layout is missing".into()))?;
    layout::compatible(<KernelRef as abi_stable::StableAbi>::LAYOUT, found)
        .map_err(|difference| mismatch(difference.between("this server", "the plugin")))?;
    // SAFETY: the layout was found compatible just now.
    let kernel = unsafe { header.init_root_module_with_unchecked_layout::<KernelRef>() }
        .map_err(|error| mismatch(first_line(&error)))?;
    let description = kernel.describe()();
    if description.id.is_empty() {
        return Err(LoadError::Describe { path: path.to_owned() });
    }
    if let Some(detail) = contradiction(&manifest, &description) {
        return Err(LoadError::Contradiction { path: path.to_owned(), detail });
    }
    let copy = copies.map(|_| file);
    Ok(Loaded { path: path.to_owned(), manifest, description, build, shape, copy, kernel })
}

impl Loaded {
    /// Reads and checks a section; see [`Prepared`].
    ///
    /// # Errors
    /// What the plugin says about the section.
    pub fn prepare(&self, input: PrepareInput) -> Result<Prepared, Vec<Diagnostic>> {
        Result::from_abi(self.kernel.prepare()(input.into_abi()))
    }

    /// What the library has of the heap; `None` if it does not count.
    pub fn heap(&self) -> Option<HeapUse> {
        self.kernel.heap()().into_option()
    }

    /// What the library offers without an instance, as interface `I`.
    ///
    /// # Errors
    /// If it offers none, or one of another shape.
    pub fn query<I: Interface>(&self) -> Result<I, String> {
        let offered: Option<AnyHandle> = self.kernel.query()(I::ID.into()).into_option();
        offered.ok_or_else(|| format!("{} offers no {}", self.manifest.id, I::ID))?.checked()
    }
}

/// Checks the file that will be opened as the original was; errors name the original, which is what people know.
fn check_copy(copy: &Path, path: &Path, pin: Option<&str>) -> Result<Manifest, LoadError> {
    trust::check(copy).map_err(|source| LoadError::Exposed { path: path.to_owned(), source })?;
    let manifest = probe::probe_as(copy, path)?;
    pinned(copy, path, pin)?;
    Ok(manifest)
}

/// The hash of `file`, if one is pinned; another hash is an error that names `path`.
fn pinned(file: &Path, path: &Path, pin: Option<&str>) -> Result<Option<String>, LoadError> {
    let Some(pinned) = pin else {
        return Ok(None);
    };
    let found = hash(file).map_err(|source| ProbeError::Io { path: path.to_owned(), source })?;
    if found.eq_ignore_ascii_case(pinned.trim()) {
        Ok(Some(found))
    } else {
        Err(LoadError::Pin { path: path.to_owned(), found, pinned: pinned.to_owned() })
    }
}

/// What a library's manifest and its description say differently.
fn contradiction(manifest: &Manifest, description: &Description) -> Option<String> {
    if description.id.as_str() != manifest.id {
        return Some(format!("the manifest says that it is `{}`, its code `{}`", manifest.id, description.id));
    }
    // The SDK asks for the host's services without an author's saying so.
    let told = |list: &[InterfaceUse]| -> BTreeSet<String> {
        list.iter().map(|used| used.id.to_string()).filter(|id| !is_host_interface(id)).collect()
    };
    let lists = [
        ("provides", &manifest.provides, told(&description.provides)),
        ("requires", &manifest.requires, told(&description.requires)),
        ("uses", &manifest.uses, told(&description.uses)),
    ];
    lists.into_iter().find_map(|(word, said, told)| {
        let said: BTreeSet<String> = said.iter().filter(|id| !is_host_interface(id)).cloned().collect();
        let (by_manifest, by_code) = (said.difference(&told).next(), told.difference(&said).next());
        let (id, who, other) = match (by_manifest, by_code) {
            (Some(id), _) => (id, "the manifest", "its code does not"),
            (None, Some(id)) => (id, "its code", "the manifest does not"),
            (None, None) => return None,
        };
        Some(format!("{who} says that it {word} {id}, {other}"))
    })
}

fn open(path: &Path, file: &Path, manifest: &Manifest) -> Result<AbiHeaderRef, LoadError> {
    let refused = |error: libloading::Error| {
        let detail = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        LoadError::Open { path: path.to_owned(), detail }
    };
    // SAFETY: the file was probed and comes from root or ourselves; in-process plugins are trusted code.
    let library = unsafe { Library::open(Some(file), RTLD_NOW | RTLD_LOCAL) }.map_err(refused)?;
    let symbol = format!("{SYMBOL}\0");
    // SAFETY: the symbol is a static `LibHeader`; its address is what an `AbiHeaderRef` is made of.
    let header = unsafe { library.get::<AbiHeaderRef>(symbol.as_bytes()) }.map(|header| *header).map_err(|_| {
        LoadError::NoEntry { path: path.to_owned(), plugin: format!("{} {}", manifest.id, manifest.version) }
    })?;
    // Never unloaded: the header is `'static` from here on.
    std::mem::forget(library);
    Ok(header)
}

fn first_line(error: &LibraryError) -> String {
    if let LibraryError::InvalidAbiHeader(found) = error {
        let ours = AbiHeader::VALUE;
        return format!(
            "it is built on abi_stable {}.{}, this server on {}.{}",
            found.abi_major, found.abi_minor, ours.abi_major, ours.abi_minor
        );
    }
    let text = error.to_string();
    tracing::debug!(%text, "the kernel does not fit");
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("unknown reason").to_owned()
}

fn hash(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut fs::File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Device, inode, size and modification time of a file: a library that was replaced has others.
fn stamp(path: &Path) -> io::Result<String> {
    fs::metadata(path).map(|metadata| tag_of(&metadata))
}

fn tag_of(metadata: &fs::Metadata) -> String {
    format!(
        "{:x}-{:x}-{:x}-{:x}.{:x}",
        metadata.dev(),
        metadata.ino(),
        metadata.len(),
        metadata.mtime(),
        metadata.mtime_nsec()
    )
}

/// Copies a library under a name that changes with its content: by hash if it is pinned, else by device, inode, size and
/// modification time. A copy that is there already is used again, unless its length or its pinned hash is another.
fn private_copy(path: &Path, hash: Option<&str>, directory: &Path) -> io::Result<PathBuf> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    // Without links, so that what is checked is what is opened.
    let directory = directory.canonicalize()?;
    let mut from = fs::File::open(path)?;
    let metadata = from.metadata()?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let tag = match hash {
        Some(hash) => hash.to_owned(),
        None => tag_of(&metadata),
    };
    let copy = directory.join(format!("{stem}-{tag}.so"));
    let same_length = fs::symlink_metadata(&copy).is_ok_and(|there| there.is_file() && there.len() == metadata.len());
    if same_length && hash.map_or(Ok(true), |pinned| self::hash(&copy).map(|found| found == pinned))? {
        return Ok(copy);
    }
    let staged = directory.join(format!(".{stem}-{tag}.{}", std::process::id()));
    // What a process that was killed left under this name.
    match fs::remove_file(&staged) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut to = fs::OpenOptions::new().write(true).create_new(true).mode(0o500).open(&staged)?;
    let copied = io::copy(&mut from, &mut to).and_then(|bytes| {
        if bytes == metadata.len() {
            fs::rename(&staged, &copy)
        } else {
            Err(io::Error::other(format!("it changed while it was copied: {bytes} of {} bytes", metadata.len())))
        }
    });
    copied.inspect_err(|_| {
        // What was half copied is of no use; the error that matters is the copy's.
        let _ = fs::remove_file(&staged);
    })?;
    Ok(copy)
}

/// Held while a copy is made and opened, and while one is removed.
static COPIES: Mutex<()> = Mutex::new(());

/// Removes all copies but those in use.
///
/// # Errors
/// As the file system gives them.
pub fn remove_stale_copies(directory: &Path, in_use: &[PathBuf]) -> io::Result<()> {
    let _alone = COPIES.lock().unwrap_or_else(PoisonError::into_inner);
    let in_use: BTreeSet<_> = in_use.iter().filter_map(|copy| copy.file_name()).collect();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| !in_use.contains(name)) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Removes the copy of a library that nobody uses any more. It stays loaded: the system keeps what is open.
///
/// # Errors
/// As the file system gives them.
pub fn remove_copy(copy: &Path) -> io::Result<()> {
    let _alone = COPIES.lock().unwrap_or_else(PoisonError::into_inner);
    fs::remove_file(copy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A file that is no plugin, and a folder for copies.
    fn original() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("libx.so");
        fs::write(&path, "right").unwrap();
        let copies = dir.path().join("run/plugins");
        (dir, path, copies)
    }

    #[test]
    fn copies_that_nobody_uses_are_removed() {
        let (dir, path, copies) = original();
        let first = private_copy(&path, None, &copies).unwrap();
        let other = dir.path().join("liby.so");
        fs::write(&other, "y").unwrap();
        let second = private_copy(&other, None, &copies).unwrap();
        fs::write(copies.join("left"), "x").unwrap();
        remove_stale_copies(&copies, std::slice::from_ref(&first)).unwrap();
        let left: Vec<PathBuf> = fs::read_dir(&copies).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [first.as_path()]);
        assert!(!second.exists());
        remove_copy(&first).unwrap();
        assert!(!first.exists());
    }

    #[test]
    fn a_pinned_copy_that_was_changed_is_made_again() {
        let (_dir, path, copies) = original();
        let right = hash(&path).unwrap();
        let copy = private_copy(&path, Some(&right), &copies).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(&copy, "wrong").unwrap();
        assert_eq!(private_copy(&path, Some(&right), &copies).unwrap(), copy);
        assert_eq!(fs::read_to_string(&copy).unwrap(), "right");
    }

    #[test]
    fn a_staged_file_that_was_left_or_planted_is_not_written_through() {
        let (dir, path, copies) = original();
        let copy = private_copy(&path, Some("tag"), &copies).unwrap();
        let staged = copies.join(format!(".libx-tag.{}", std::process::id()));
        fs::remove_file(&copy).unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "mine").unwrap();
        std::os::unix::fs::symlink(&victim, &staged).unwrap();
        private_copy(&path, Some("tag"), &copies).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
        assert!(fs::symlink_metadata(&copy).unwrap().is_file());
    }

    #[test]
    fn the_copy_is_checked_as_the_original_was() {
        let (_dir, path, copies) = original();
        let copy = private_copy(&path, None, &copies).unwrap();
        let text = |pin| check_copy(&copy, &path, pin).unwrap_err().to_string();
        let shown = path.display().to_string();
        assert!(text(None).starts_with(&format!("{shown} is not an ELF")), "{}", text(None));
        fs::set_permissions(&copies, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(text(None).starts_with(&format!("the private copy of {shown} is not safe: ")), "{}", text(None));
        assert!(text(None).contains("plugins can be written by others"), "{}", text(None));
    }
}
