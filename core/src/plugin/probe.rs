//! Reading a plugin's manifest from its file, without loading it.
//!
//! Whatever the file is, the answer is a manifest or one sentence. A half-written library would kill the process inside
//! `dlopen`, and a foreign one would fail with a misleading text, so both are found here.

use dovetail_abi::manifest::{Manifest, ManifestError, KERNEL, MAX_MANIFEST, OWNER, SECTION};
use object::{
    elf,
    read::elf::{FileHeader, ProgramHeader, SectionHeader},
    read::{ReadCache, ReadRef},
    LittleEndian,
};
use rustix::fs::OFlags;
use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Why a file is no plugin that can be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// It cannot be read.
    #[error("cannot read the plugin {path}: {source} (check the path, and that the server's user may read it)")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It is no shared library at all.
    #[error("{path} is not an ELF shared library ({detail}); a plugin is what `cargo build` makes of a cdylib crate")]
    NotElf {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        detail: &'static str,
    },
    /// It is for another machine.
    #[error("{path} is built for {found}, this server runs on {ours}; build the plugin for this machine")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its machine.
        found: String,
        /// Ours.
        ours: &'static str,
    },
    /// It ends before what its headers name.
    #[error("{path} is cut short: its headers name {needs} bytes, it has {has}; copy it again")]
    Truncated {
        /// The file.
        path: PathBuf,
        /// What it has.
        has: u64,
        /// What it needs.
        needs: u64,
    },
    /// It is a library, but no plugin.
    #[error("{path} is a shared library but no Dovetail plugin: it has no manifest ({SECTION}); does it use export_plugin!?")]
    NoManifest {
        /// The file.
        path: PathBuf,
    },
    /// Its manifest is damaged.
    #[error("the manifest of {path} cannot be read: {source} (build the plugin again)")]
    BadManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ManifestError,
    },
    /// It speaks another kernel revision.
    #[error("{path} ({id} {version}) is built for plugin kernel {found}, this server has kernel {KERNEL}; use a build of {id} made with the SDK of this release")]
    OtherKernel {
        /// The file.
        path: PathBuf,
        /// The plugin.
        id: String,
        /// Its version.
        version: String,
        /// Its kernel.
        found: u32,
    },
    /// It is for another system on the same machine, such as one with another C library.
    #[error("{path} ({id} {version}) is built for target {found}, this server for {ours}; build the plugin with --target {ours}")]
    OtherTarget {
        /// The file.
        path: PathBuf,
        /// The plugin.
        id: String,
        /// Its version.
        version: String,
        /// Its target.
        found: String,
        /// Ours.
        ours: String,
    },
    /// A panic in it would end the process.
    #[error("{path} ({id}) is built with panic = \"{found}\", this server contains panics that unwind; build it with panic = \"unwind\"")]
    PanicStrategy {
        /// The file.
        path: PathBuf,
        /// The plugin.
        id: String,
        /// Its strategy.
        found: String,
    },
}

type Header = elf::FileHeader64<LittleEndian>;

#[cfg(target_arch = "x86_64")]
const OURS: (elf::Machine, &str) = (elf::EM_X86_64, "x86-64");
#[cfg(target_arch = "aarch64")]
const OURS: (elf::Machine, &str) = (elf::EM_AARCH64, "aarch64");

/// Reads a plugin's manifest; the file must be loadable here.
///
/// # Errors
/// One sentence that names the file, what is wrong, and the cure.
pub fn probe(path: &Path) -> Result<Manifest, ProbeError> {
    probe_as(path, path)
}

/// As [`probe`], for a copy: errors name the original, `path`.
///
/// # Errors
/// As [`probe`].
pub fn probe_as(copy: &Path, path: &Path) -> Result<Manifest, ProbeError> {
    let manifest = examine(copy, path, true)?;
    if manifest.kernel != KERNEL {
        return Err(ProbeError::OtherKernel {
            path: path.to_owned(),
            id: manifest.id,
            version: manifest.version,
            found: manifest.kernel,
        });
    }
    if !same_system(&manifest.target) {
        return Err(ProbeError::OtherTarget {
            path: path.to_owned(),
            id: manifest.id,
            version: manifest.version,
            found: manifest.target,
            ours: ours(),
        });
    }
    if manifest.panic != "unwind" {
        return Err(ProbeError::PanicStrategy { path: path.to_owned(), id: manifest.id, found: manifest.panic });
    }
    Ok(manifest)
}

/// The target that this server is built for, as far as a plugin's must be the same. The vendor in it is a distribution's name.
fn ours() -> String {
    let environment = if cfg!(target_env = "musl") { "musl" } else { "gnu" };
    format!("{}-unknown-{}-{environment}", std::env::consts::ARCH, std::env::consts::OS)
}

fn same_system(target: &str) -> bool {
    let ours = ours();
    // Machine, vendor, system, C library.
    let parts = |target: &str| -> Vec<String> {
        target.split('-').enumerate().filter(|(at, _)| *at != 1).map(|(_, part)| part.to_owned()).collect()
    };
    parts(target) == parts(&ours)
}

/// Reads a plugin's manifest, whether or not it can be loaded here.
///
/// # Errors
/// As [`probe`], but for the machine, the kernel revision and the panic strategy.
pub fn read(path: &Path) -> Result<Manifest, ProbeError> {
    examine(path, path, false)
}

fn examine(file: &Path, path: &Path, ours_only: bool) -> Result<Manifest, ProbeError> {
    let io = |source| ProbeError::Io { path: path.to_owned(), source };
    // Opening a FIFO would wait for a writer.
    let no_wait = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(no_wait).open(file).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(ProbeError::NotElf { path: path.to_owned(), detail: "it is not a regular file" });
    }
    let cache = ReadCache::new(file);
    manifest(path, &cache, metadata.len(), ours_only)
}

fn manifest<'a, R: ReadRef<'a>>(path: &Path, data: R, len: u64, ours_only: bool) -> Result<Manifest, ProbeError> {
    let not_elf = |detail| ProbeError::NotElf { path: path.to_owned(), detail };
    let cut = |needs| ProbeError::Truncated { path: path.to_owned(), has: len, needs };
    let ident = data.read_bytes_at(0, 16).map_err(|()| not_elf("it is too short"))?;
    if !ident.starts_with(&elf::ELFMAG) {
        return Err(not_elf("it does not begin like one"));
    }
    let foreign = |found: String| ProbeError::Foreign { path: path.to_owned(), found, ours: OURS.1 };
    if ident[4] != elf::ELFCLASS64.0 || ident[5] != elf::ELFDATA2LSB.0 {
        return Err(foreign("a 32-bit or big-endian machine".into()));
    }
    let header = Header::parse(data).map_err(|_| cut(64))?;
    let endian = LittleEndian;
    if ours_only && header.e_machine(endian) != OURS.0 {
        return Err(foreign(machine_name(header.e_machine(endian))));
    }
    if header.e_type(endian) != elf::ET_DYN {
        return Err(not_elf("it is an ELF file of another kind"));
    }
    let sections_end = header
        .e_shoff(endian)
        .saturating_add(u64::from(header.e_shnum(endian)) * u64::from(header.e_shentsize(endian)));
    if sections_end > len {
        return Err(cut(sections_end));
    }
    let segments = header.program_headers(endian, data).map_err(|_| cut(len + 1))?;
    for segment in segments {
        let end = segment.p_offset(endian).saturating_add(segment.p_filesz(endian));
        if end > len {
            return Err(cut(end));
        }
    }
    let none = || ProbeError::NoManifest { path: path.to_owned() };
    let sections = header.sections(endian, data).map_err(|_| none())?;
    let (_, section) = sections.section_by_name(endian, SECTION.as_bytes()).ok_or_else(none)?;
    if section.sh_size(endian) > MAX_MANIFEST as u64 {
        return Err(none());
    }
    let mut notes = section.notes(endian, data).map_err(|_| none())?.ok_or_else(none)?;
    while let Ok(Some(note)) = notes.next() {
        if note.name_bytes() == OWNER.as_slice() {
            return Manifest::parse(note.desc())
                .map_err(|source| ProbeError::BadManifest { path: path.to_owned(), source });
        }
    }
    Err(none())
}

fn machine_name(machine: elf::Machine) -> String {
    match machine {
        elf::EM_X86_64 => "x86-64".into(),
        elf::EM_AARCH64 => "aarch64".into(),
        elf::EM_386 => "32-bit x86".into(),
        elf::EM_ARM => "32-bit ARM".into(),
        elf::EM_RISCV => "RISC-V".into(),
        other => format!("ELF machine {}", other.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe_bytes(bytes: &[u8]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("libx.so");
        std::fs::write(&path, bytes).unwrap();
        probe(&path).unwrap_err().to_string()
    }

    #[test]
    fn files_that_are_no_libraries_are_named_so() {
        assert!(probe_bytes(b"").contains("too short"));
        assert!(probe_bytes(b"just some text, long enough to look at").contains("not an ELF"));
        assert!(probe(Path::new("/")).unwrap_err().to_string().contains("not a regular file"));
        assert!(probe(Path::new("/nonexistent.so")).unwrap_err().to_string().contains("No such file"));
    }

    #[test]
    fn a_fifo_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("libx.so");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
        assert!(probe(&path).unwrap_err().to_string().contains("not a regular file"));
    }

    #[test]
    fn a_program_is_no_library_and_a_prefix_of_one_is_cut_short() {
        let me = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let whole = probe_bytes(&me);
        assert!(whole.contains("no Dovetail plugin") || whole.contains("another kind"), "{whole}");
        for len in [64, 100, 1000, me.len() / 2, me.len() - 1] {
            let text = probe_bytes(&me[..len]);
            assert!(text.contains("cut short"), "{len}: {text}");
        }
    }

    #[test]
    fn the_same_system_goes_by_other_vendors_names() {
        let ours = ours();
        assert!(same_system(&ours) && same_system(&ours.replace("unknown", "alpine")));
        for other in ["", "x86_64", "x86_64-unknown-freebsd", "x86_64-unknown-linux-other", "other-unknown-linux-gnu"] {
            assert!(!same_system(other), "{other}");
        }
    }

    #[test]
    fn another_machine_is_named() {
        let mut me = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        me[18..20].copy_from_slice(&elf::EM_S390.0.to_le_bytes());
        assert!(probe_bytes(&me).contains("ELF machine 22"));
        me[4] = elf::ELFCLASS32.0;
        assert!(probe_bytes(&me).contains("32-bit"));
    }
}
