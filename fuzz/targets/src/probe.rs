//! A file that should be a plugin.

use dovetail::plugin::probe;
use dovetail_abi::manifest::KERNEL;
use std::{cell::RefCell, io::Write as _, path::Path};
use tempfile::NamedTempFile;

thread_local! {
    /// One file for all runs of a thread.
    static FILE: RefCell<NamedTempFile> = RefCell::new(NamedTempFile::new().expect("a temporary file"));
}

/// What can be loaded is built for this kernel and unwinds; whatever it is, there is a manifest or one sentence.
pub fn probe(file: &[u8]) -> bool {
    FILE.with_borrow_mut(|temporary| {
        temporary.as_file_mut().set_len(0).expect("the temporary file can be emptied");
        std::io::Seek::rewind(temporary).expect("the temporary file can be rewound");
        temporary.write_all(file).expect("the temporary file can be written");
        check(temporary.path())
    })
}

fn check(path: &Path) -> bool {
    let read = probe::read(path);
    match probe::probe(path) {
        Ok(manifest) => {
            assert_eq!((manifest.kernel, manifest.panic.as_str()), (KERNEL, "unwind"));
            assert_eq!(read.ok(), Some(manifest), "it can be loaded, but not read");
            true
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(&path.display().to_string()) && !text.contains('\n'), "no good sentence: {text}");
            false
        }
    }
}
