//! A new signing request for a key that is there: one rename.

use std::path::Path;

use super::steps::Steps;
use super::{lock, tidy, PublishError};
use crate::fingerprint::Fingerprint;
use crate::folder::{key_in, PairFiles};
use crate::name::CertName;

/// Puts a signing request beside the key that it was made with, in the place of an older one. On an error nothing has
/// changed, except for [`PublishError::NotDurable`].
///
/// # Errors
/// If the key is another one by now, or the file system says no.
pub fn publish_request(folder: &Path, name: &CertName, key: Fingerprint, csr: &str) -> Result<(), PublishError> {
    let failed = |source| PublishError::Io { folder: folder.to_owned(), source };
    let _lock = lock(folder)?;
    let mut before_each = || Ok(());
    let mut steps = Steps::new(folder, &mut before_each);
    tidy::tidy_all(&mut steps).map_err(failed)?;
    let files = PairFiles::of(folder, name);
    if !key_in(&files.key).is_ok_and(|there| there.fingerprint() == key) {
        return Err(PublishError::Changed { name: name.to_string() });
    }
    let staged = steps.stage(name.as_str(), "csr", csr.as_bytes());
    if let Err(source) = staged.and_then(|()| steps.rename_staged(name.as_str(), "csr")) {
        // What can't be undone now, because the disk fails, is undone by the next publication.
        let _ = steps.unstage(name.as_str(), "csr");
        return Err(failed(source));
    }
    steps.sync_folder().map_err(|source| PublishError::NotDurable { name: name.to_string(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::{create, CreateRequest};
    use crate::publish::{publish, Existing};

    #[test]
    fn a_request_takes_the_place_of_the_old_one_as_long_as_the_key_is_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let make = || create(&CreateRequest::for_host("a.example"), time::OffsetDateTime::now_utc()).unwrap().0;
        let pair = make();
        publish(dir.path(), &pair, Existing::Refuse).unwrap();
        let csr = PairFiles::of(dir.path(), &pair.name).csr;
        publish_request(dir.path(), &pair.name, pair.key_fingerprint, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&csr).unwrap(), "new");

        let other = make();
        let error = publish_request(dir.path(), &pair.name, other.key_fingerprint, "other").unwrap_err();
        assert!(matches!(error, PublishError::Changed { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&csr).unwrap(), "new");
        let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(!names.iter().any(|name| name.to_string_lossy().starts_with(".stage")), "{names:?}");
    }
}
