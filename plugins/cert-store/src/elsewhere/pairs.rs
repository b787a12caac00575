//! Which certificate belongs to which key, and which certificates lead from it to its authority.
//!
//! Of several certificates for one key the newest counts, of several files with it the one whose layout says most and that
//! brings the longest chain. Intermediates that aren't in that file are looked for beside it, by the rule of every import.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use time::OffsetDateTime;

use super::layout::Place;
use super::{shown, Left, Pair, Parsed, Survey, MAX_PAIRS};
use crate::certificate::Certificate;
use crate::fingerprint::Fingerprint;
use crate::import::chain::issuers;
use crate::key::PrivateKey;
use crate::prove::prove;

/// A key and the files that have it.
struct KeyAt {
    key: PrivateKey,
    files: Vec<usize>,
}

/// Every complete pair; what is left is told.
pub(super) fn match_up(mut files: Vec<Parsed>, now: OffsetDateTime, survey: &mut Survey) -> Vec<Pair> {
    let keys = take_keys(&mut files, survey);
    let known: HashSet<Fingerprint> = keys.iter().map(|at| at.key.fingerprint()).collect();
    let mut taken = HashSet::new();
    let mut pairs = Vec::new();
    for at in keys {
        match pair(&files, at, now) {
            Ok(pair) => {
                taken.extend(pair.certificates.iter().map(|certificate| certificate.fingerprint));
                pairs.push(pair);
            }
            Err(left) => survey.left.push(left),
        }
    }
    tell_the_rest(&files, &known, &taken, survey);
    pairs
}

fn take_keys(files: &mut [Parsed], survey: &mut Survey) -> Vec<KeyAt> {
    let mut keys: Vec<KeyAt> = Vec::new();
    let mut index: HashMap<Fingerprint, usize> = HashMap::new();
    for (at, file) in files.iter_mut().enumerate() {
        for key in file.contents.keys.drain(..) {
            let next = keys.len();
            let place = *index.entry(key.fingerprint()).or_insert(next);
            if let Some(known) = keys.get_mut(place) {
                known.files.push(at);
            } else if next < MAX_PAIRS {
                keys.push(KeyAt { key, files: vec![at] });
            } else {
                index.remove(&key.fingerprint());
                let reason = format!("more than {MAX_PAIRS} keys: bring fewer files at a time");
                survey.left.push(Left { file: shown(&file.path), reason, problem: true });
            }
        }
    }
    keys
}

fn pair(files: &[Parsed], at: KeyAt, now: OffsetDateTime) -> Result<Pair, Left> {
    let KeyAt { key, files: key_files } = at;
    let fingerprint = key.fingerprint();
    let candidates: Vec<(&Parsed, &Certificate)> = files
        .iter()
        .flat_map(|file| file.contents.certificates.iter().map(move |certificate| (file, certificate)))
        .filter(|(_, certificate)| certificate.key_fingerprint == fingerprint && prove(&key, certificate).is_ok())
        .collect();
    let newest = candidates.iter().max_by_key(|(_, certificate)| (certificate.not_before, certificate.not_after));
    let key_file = key_files.iter().filter_map(|&file| files.get(file));
    let Some(&(_, leaf)) = newest else {
        let file = key_file.map(|file| shown(&file.path)).next().unwrap_or_default();
        let reason = format!(
            "none of the certificates here was made for this private key ({}, fingerprint {fingerprint}): bring its \
             certificate along",
            key.kind()
        );
        return Err(Left { file, reason, problem: true });
    };
    let holding = candidates.iter().filter(|(_, certificate)| certificate.fingerprint == leaf.fingerprint);
    let length = |file: &Parsed| std::cmp::Reverse(file.contents.certificates.len());
    let certificate_file =
        holding.map(|(file, _)| *file).min_by_key(|file| (file.place.program, length(file), &file.path));
    let folder = certificate_file.and_then(|file| file.path.parent());
    let key_file = key_file.min_by_key(|file| (file.path.parent() != folder, file.place.program, &file.path));
    let (Some(certificate_file), Some(key_file)) = (certificate_file, key_file) else {
        return Err(Left { file: String::new(), reason: "the files changed".to_owned(), problem: true });
    };
    if leaf.is_ca && signs_others(leaf, files) {
        let reason = format!("\"{}\" is an authority with its private key: a server has no use for it", leaf.subject);
        return Err(Left { file: shown(&certificate_file.path), reason, problem: false });
    }
    let place = Place {
        program: certificate_file.place.program.min(key_file.place.program),
        name: certificate_file.place.name.clone().or_else(|| key_file.place.name.clone()),
    };
    Ok(Pair {
        place,
        certificate_file: certificate_file.path.clone(),
        key_file: key_file.path.clone(),
        certificates: chain(leaf, certificate_file, files, now),
        key,
    })
}

/// Whether it has signed a certificate for any other key here. Self-signed servers' certificates often say that they could.
fn signs_others(issuer: &Certificate, files: &[Parsed]) -> bool {
    let mut others = files.iter().flat_map(|file| &file.contents.certificates);
    others.any(|other| other.key_fingerprint != issuer.key_fingerprint && other.signed_by(issuer) == Some(true))
}

/// The certificate and what leads to its authority, from its own file or from those beside it.
fn chain(leaf: &Certificate, file: &Parsed, files: &[Parsed], now: OffsetDateTime) -> Vec<Certificate> {
    let folder: Option<&Path> = file.path.parent();
    let beside = files.iter().filter(|other| other.path.parent() == folder && other.path != file.path);
    let mut pool: Vec<&Certificate> = file.contents.certificates.iter().collect();
    let near = pool.len();
    pool.extend(beside.flat_map(|file| &file.contents.certificates));
    std::iter::once(leaf).chain(issuers(leaf, &pool, near, now)).cloned().collect()
}

fn tell_the_rest(files: &[Parsed], keys: &HashSet<Fingerprint>, taken: &HashSet<Fingerprint>, survey: &mut Survey) {
    let mut authorities = HashSet::new();
    let mut told = HashSet::new();
    for file in files {
        let path = shown(&file.path);
        for certificate in &file.contents.certificates {
            if taken.contains(&certificate.fingerprint) || !told.insert(certificate.fingerprint) {
                continue;
            }
            let (reason, problem) = if keys.contains(&certificate.key_fingerprint) {
                ("there is a newer certificate for the same key".to_owned(), false)
            } else if certificate.is_ca || certificate.self_issued {
                authorities.insert(certificate.fingerprint);
                continue;
            } else {
                let subject = &certificate.subject;
                (format!("the private key of \"{subject}\" isn't among these files: bring it along"), true)
            };
            survey.left.push(Left { file: path.clone(), reason, problem });
        }
        if file.contents.certificates.is_empty() && !file.contents.useless.is_empty() {
            let what: Vec<String> = file.contents.useless.iter().map(ToString::to_string).collect();
            survey.left.push(Left { file: path, reason: what.join(", "), problem: false });
        }
    }
    if !authorities.is_empty() {
        survey.left.push(Left {
            file: format!("{} certificates of authorities", authorities.len()),
            reason: "no private key here belongs to them".to_owned(),
            problem: false,
        });
    }
}
