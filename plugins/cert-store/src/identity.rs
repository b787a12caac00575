//! A pair of the folder, read and proved: what a TLS provider serves.

use std::path::Path;

use time::OffsetDateTime;

use crate::certificate::Certificate;
use crate::folder::{InputOrKeyError, PairFiles, Stamp};
use crate::import::{chain, contents, ImportError};
use crate::input::{Input, InputError};
use crate::key::PrivateKey;
use crate::name::CertName;

/// A certificate chain with its private key.
#[derive(Debug)]
pub struct Identity {
    /// The pair's name.
    pub name: CertName,
    /// Leaf first, without the root.
    pub chain: Vec<Certificate>,
    /// The leaf's key.
    pub key: PrivateKey,
}

impl Identity {
    /// Reads and proves a pair, and returns the stamp of the files it was read from. A pair that is replaced
    /// meanwhile is read again.
    pub fn load(folder: &Path, name: &CertName, now: OffsetDateTime) -> Result<(Self, Stamp), PairError> {
        let files = PairFiles::of(folder, name);
        let mut stamp = files.stamp();
        for _ in 0..MAX_TRIES {
            let loaded = load_once(&files, name, now);
            let after = files.stamp();
            if after == stamp {
                return loaded.map(|identity| (identity, stamp)).map_err(|reason| PairError {
                    crt: files.crt.display().to_string(),
                    key: files.key.display().to_string(),
                    reason: Box::new(reason),
                });
            }
            stamp = after;
        }
        Err(PairError {
            crt: files.crt.display().to_string(),
            key: files.key.display().to_string(),
            reason: Box::new(PairProblem::Restless),
        })
    }

    /// The key's own certificate.
    pub fn leaf(&self) -> &Certificate {
        &self.chain[0]
    }
}

fn load_once(files: &PairFiles, name: &CertName, now: OffsetDateTime) -> Result<Identity, PairProblem> {
    let key = crate::folder::key_in(&files.key)?;
    let input = Input::read(&files.crt)?;
    let contents =
        contents::read(&input, None).map_err(|reason| ImportError::InFile { origin: input.origin.clone(), reason })?;
    let chain = chain::assemble(contents.certificates, &key, now)?;
    Ok(Identity { name: name.clone(), chain: chain.certificates, key })
}

/// A pair that can't be served, with both files and the reason.
#[derive(Debug, thiserror::Error)]
#[error("the pair {crt}, {key} can't be used: {reason}")]
pub struct PairError {
    /// The certificate's path.
    pub crt: String,
    /// The key's path.
    pub key: String,
    /// What is wrong.
    pub reason: Box<PairProblem>,
}

/// What is wrong with a pair.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PairProblem {
    /// The key.
    #[error(transparent)]
    Key(#[from] InputOrKeyError),
    /// The certificate's file.
    #[error(transparent)]
    Input(#[from] InputError),
    /// What is in it, or that they don't match.
    #[error(transparent)]
    Contents(#[from] ImportError),
    /// It never held still.
    #[error("it keeps changing while it is read")]
    Restless,
}

/// How often a pair that changes while it is read is read again.
const MAX_TRIES: usize = 5;
