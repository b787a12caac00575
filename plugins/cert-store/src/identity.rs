//! A pair of the folder, read and proved: what a TLS provider serves.

use std::path::Path;

use time::OffsetDateTime;

use crate::certificate::Certificate;
use crate::folder::{InputOrKeyError, PairFiles, Stamp};
use crate::import::{chain, contents, ImportError};
use crate::input::{Input, InputError};
use crate::key::PrivateKey;
use crate::name::CertName;
use crate::prove::{Mismatch, Proof};
use crate::turn;

/// A pair as it was read from the folder.
#[derive(Debug)]
pub struct Pair {
    /// What is in it.
    pub identity: Identity,
    /// What its files looked like then.
    pub stamp: Stamp,
}

impl Pair {
    /// The pair's name.
    pub fn name(&self) -> &CertName {
        &self.identity.name
    }
}

/// A certificate chain with its private key.
#[derive(Debug)]
pub struct Identity {
    /// The pair's name.
    pub name: CertName,
    /// Leaf first, without the root.
    pub chain: Vec<Certificate>,
    /// The leaf's key.
    pub key: PrivateKey,
    /// When the file's certificates may make another chain, for one of them begins or ends then; only if there are more in
    /// it than the chain has.
    pub chain_turn: Option<OffsetDateTime>,
}

impl Identity {
    /// Reads and proves a pair, and returns the stamp of the files it was read from. A pair that is replaced
    /// meanwhile is read again.
    pub fn load(folder: &Path, name: &CertName, now: OffsetDateTime) -> Result<(Self, Stamp), PairError> {
        Self::load_by(folder, name, now, Proof::Signature)
    }

    /// The same with another proof.
    pub fn load_by(
        folder: &Path,
        name: &CertName,
        now: OffsetDateTime,
        proof: Proof,
    ) -> Result<(Self, Stamp), PairError> {
        let files = PairFiles::of(folder, name);
        let mut stamp = files.stamp();
        for _ in 0..MAX_TRIES {
            let loaded = load_once(&files, name, now, proof);
            let after = files.stamp();
            if after == stamp {
                return loaded.map(|identity| (identity, stamp)).map_err(|reason| PairError::new(&files, reason));
            }
            stamp = after;
        }
        Err(PairError::new(&files, PairProblem::Restless))
    }

    /// The key's own certificate.
    pub fn leaf(&self) -> &Certificate {
        &self.chain[0]
    }
}

fn load_once(files: &PairFiles, name: &CertName, now: OffsetDateTime, proof: Proof) -> Result<Identity, PairProblem> {
    let key = crate::folder::key_in(&files.key)?;
    let input = Input::read(&files.crt)?;
    let contents =
        contents::read(&input, None).map_err(|reason| ImportError::InFile { origin: input.origin.clone(), reason })?;
    let spans: Vec<_> = contents.certificates.iter().map(|found| (found.fingerprint, turn::span(found))).collect();
    let chain = chain::order(contents.certificates, &key, now, proof)?.certificates;
    // The leaf is chosen by its age alone.
    let leaf = chain.first().map(|leaf| leaf.fingerprint);
    let issuers = spans.iter().filter(|(found, _)| spans.len() > chain.len() && Some(*found) != leaf);
    let chain_turn = turn::next(issuers.map(|(_, span)| *span), now);
    Ok(Identity { name: name.clone(), chain, key, chain_turn })
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

impl PairError {
    /// About these files.
    pub fn new(files: &PairFiles, reason: PairProblem) -> Self {
        let shown = |path: &Path| path.display().to_string();
        Self { crt: shown(&files.crt), key: shown(&files.key), reason: Box::new(reason) }
    }

    /// Whether there is neither of the files.
    pub fn is_absent(&self) -> bool {
        [&self.crt, &self.key].iter().all(|path| Path::new(path).symlink_metadata().is_err())
    }
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
    /// The signature, after the public halves were the same.
    #[error(transparent)]
    Unproved(#[from] Mismatch),
    /// It is sound, but the TLS provider can't serve it.
    #[error("{reason}")]
    Refused {
        /// What the provider says.
        reason: String,
    },
    /// The TLS provider couldn't be asked.
    #[error("it can't be checked now, and is tried again: {reason}")]
    NotChecked {
        /// Why not.
        reason: String,
    },
}

/// How often a pair that changes while it is read is read again.
const MAX_TRIES: usize = 5;
