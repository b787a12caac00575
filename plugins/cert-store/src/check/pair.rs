//! One pair: how long it lasts, whether its chain is whole, and what clients think of it.

use std::path::Path;

use time::OffsetDateTime;

use super::trusted::Roots;
use super::Finding;
use crate::expiry::passed;
use crate::folder::PairFiles;
use crate::identity::Identity;
use crate::import::checks::{self, Doubt};
use crate::import::contents;
use crate::input::Input;

/// From this mark of [`MARKS`](crate::expiry::MARKS) on it is an error.
const URGENT: i64 = 7;

pub(super) fn check(
    folder: &Path,
    identity: &Identity,
    trusted: &Roots,
    now: OffsetDateTime,
    findings: &mut Vec<Finding>,
) {
    let name = &identity.name;
    let leaf = identity.leaf();
    expiry(identity, now, findings);
    if let Err(reason) = checks::refuse(leaf) {
        findings.push(Finding::error("signature", name, reason));
    }
    for doubt in checks::doubts(leaf, &identity.key, now) {
        let code = match doubt {
            // Told in other words.
            Doubt::Expired { .. } | Doubt::NotYetValid { .. } => continue,
            Doubt::NoNames => "no-names",
            // Whoever signs for itself may say that it could sign others.
            Doubt::Authority if leaf.self_issued => continue,
            Doubt::Authority => "authority",
            Doubt::NotForServers => "not-for-servers",
            Doubt::Sha1 => "signature",
            Doubt::Ed25519 => "nss",
        };
        findings.push(Finding::warning(code, name, doubt));
    }
    if leaf.self_issued {
        let message = format!(
            "the certificate is self-signed: no client trusts it without being told to; send {name}.csr to an authority and \
             import its answer"
        );
        findings.push(Finding::warning("self-signed", name, message));
    }
    chain(folder, identity, trusted, findings);
}

fn expiry(identity: &Identity, now: OffsetDateTime, findings: &mut Vec<Finding>) {
    let name = &identity.name;
    let leaf = identity.leaf();
    if leaf.not_before > now {
        let message = format!("the certificate isn't valid before {}: is the clock right?", leaf.not_before);
        findings.push(Finding::error("not-yet-valid", name, message));
    }
    let end = leaf.not_after.date();
    if leaf.not_after < now {
        findings.push(Finding::error(
            "expired",
            name,
            format!("the certificate has expired on {end}: bring a new one"),
        ));
    } else if let Some(mark) = passed(leaf, now).min() {
        let days = (leaf.not_after - now).whole_days();
        let message = format!("the certificate expires in {days} days, on {end}: bring a new one");
        findings.push(match mark <= URGENT {
            true => Finding::error("expiry", name, message),
            false => Finding::warning("expiry", name, message),
        });
    }
    for above in identity.chain.iter().skip(1).filter(|above| above.not_after < leaf.not_after) {
        let (subject, end) = (&above.subject, above.not_after.date());
        if above.not_after < now {
            let message = format!("\"{subject}\" of its chain has expired on {end}: bring the authority's new one");
            findings.push(Finding::error("expired", name, message));
            continue;
        }
        let message = format!("\"{subject}\" of its chain expires before it, on {end}: bring the authority's new one");
        findings.push(match passed(above, now).min().is_some_and(|mark| mark <= URGENT) {
            true => Finding::error("chain-expiry", name, message),
            false => Finding::warning("chain-expiry", name, message),
        });
    }
}

fn chain(folder: &Path, identity: &Identity, trusted: &Roots, findings: &mut Vec<Finding>) {
    let name = &identity.name;
    let crt = PairFiles::of(folder, name).crt;
    // It was read a moment ago; a file that changes now is checked the next time.
    let contents = Input::read(&crt).ok().and_then(|input| contents::read(&input, None).ok());
    if let Some(contents) = contents {
        let in_file: Vec<_> = contents.certificates.iter().map(|certificate| certificate.fingerprint).collect();
        let served: Vec<_> = identity.chain.iter().map(|certificate| certificate.fingerprint).collect();
        if in_file != served {
            let message =
                "the file isn't the chain alone, leaf first: this server sorts it out, other programs don't; \
                           import it again";
            findings.push(Finding::warning("chain-order", name, message));
        }
    }
    if let [leaf] = identity.chain.as_slice() {
        if !leaf.self_signed() && !trusted.have(&leaf.raw_issuer) {
            let message = format!(
                "the certificate of its issuer \"{}\" isn't in the file, and isn't a root that this machine knows: most \
                 clients need it; import the certificate again with its intermediates",
                leaf.issuer
            );
            findings.push(Finding::warning("chain", name, message));
        }
    }
}
