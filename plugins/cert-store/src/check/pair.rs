//! One pair: how long it lasts, whether its chain is whole, and what clients think of it.

use std::path::Path;

use time::OffsetDateTime;

use super::{Finding, Level};
use crate::certificate::Certificate;
use crate::expiry::passed;
use crate::folder::PairFiles;
use crate::identity::Identity;
use crate::import::chain::gap;
use crate::import::checks::{doubts, flaws, Doubt, Flaw, Refusal};
use crate::import::contents;
use crate::import::roots::Roots;
use crate::input::Input;

/// From this mark of [`MARKS`](crate::expiry::MARKS) on it is an error.
const URGENT: i64 = 7;

pub(super) fn check(
    folder: &Path,
    identity: &Identity,
    known: &Roots,
    now: OffsetDateTime,
    findings: &mut Vec<Finding>,
) {
    let name = &identity.name;
    let leaf = identity.leaf();
    expiry(identity, now, findings);
    if let Some(reason) = Refusal::of(leaf) {
        let code = match reason {
            Refusal::UnknownCritical { .. } => "extension",
            _ => "signature",
        };
        let message = format!("the certificate \"{}\" can't be used: {reason}", leaf.subject);
        findings.push(Finding::error(code, name, message));
    }
    for doubt in doubts(leaf, &identity.key, now) {
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
            Doubt::P521 => "curve",
            Doubt::PolicyCritical { .. } => "extension",
        };
        findings.push(Finding::warning(code, name, doubt));
    }
    if leaf.self_issued {
        let request = match PairFiles::of(folder, name).csr.exists() {
            true => format!("send {name}.csr to an authority"),
            false => format!("have a request made by `dovetail certs csr {name}`, send it to an authority"),
        };
        let message = format!(
            "the certificate is self-signed: no client trusts it without being told to; {request} and import its answer"
        );
        findings.push(Finding::warning("self-signed", name, message));
    }
    for above in identity.chain.iter().skip(1) {
        above_leaf(identity, above, now, findings);
    }
    whole(folder, identity, known, findings);
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
}

/// What is wrong with a certificate between the pair's own and its root.
fn above_leaf(identity: &Identity, above: &Certificate, now: OffsetDateTime, findings: &mut Vec<Finding>) {
    let (name, subject) = (&identity.name, &above.subject);
    for flaw in flaws(above, now) {
        let (level, code) = match flaw {
            Flaw::Expired { .. } => (Level::Error, "expired"),
            Flaw::NotYetValid { .. } => (Level::Error, "not-yet-valid"),
            Flaw::NoAuthority => (Level::Error, "authority"),
            Flaw::Md5 => (Level::Error, "signature"),
            Flaw::Sha1 | Flaw::SmallKey { .. } => (Level::Warning, "signature"),
            Flaw::UnknownCritical { .. } => (Level::Error, "extension"),
            Flaw::PolicyCritical { .. } => (Level::Warning, "extension"),
        };
        let message = format!("\"{subject}\" of its chain {flaw}; bring the authority's new one");
        findings.push(Finding { level, code, about: name.to_string(), message });
    }
    if above.not_after >= now && above.not_after < identity.leaf().not_after {
        let end = above.not_after.date();
        let message = format!("\"{subject}\" of its chain expires before it, on {end}: bring the authority's new one");
        findings.push(match passed(above, now).min().is_some_and(|mark| mark <= URGENT) {
            true => Finding::error("chain-expiry", name, message),
            false => Finding::warning("chain-expiry", name, message),
        });
    }
}

/// Whether the file is the chain, from the leaf to what a known root has signed.
fn whole(folder: &Path, identity: &Identity, known: &Roots, findings: &mut Vec<Finding>) {
    let name = &identity.name;
    let crt = PairFiles::of(folder, name).crt;
    // It was read a moment ago; a file that changes now is checked the next time.
    let contents = Input::read(&crt).ok().and_then(|input| contents::read(&input, None).ok());
    let Some(in_file) = contents.map(|contents| contents.certificates) else {
        return;
    };
    if !in_file.iter().map(|certificate| certificate.fingerprint).eq(identity.chain.iter().map(|c| c.fingerprint)) {
        let message = "the file isn't the chain alone, leaf first: this server sorts it out, other programs don't; \
                       import it again";
        findings.push(Finding::warning("chain-order", name, message));
    }
    let is_issuer = |top: &Certificate| in_file.iter().any(|certificate| top.signed_by(certificate) != Some(false));
    let Some(top) = gap(&identity.chain, identity.chain.last().is_some_and(is_issuer), known) else {
        return;
    };
    let whose = match identity.chain.len() {
        1 => "its issuer".to_owned(),
        _ => format!("the issuer of \"{}\",", top.subject),
    };
    let message = format!(
        "the certificate of {whose} \"{}\" isn't in the file, and isn't a root that this machine knows: most clients need \
         it; import the certificate again with its intermediates",
        top.issuer
    );
    findings.push(Finding::warning("chain", name, message));
}
