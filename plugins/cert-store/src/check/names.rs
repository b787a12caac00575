//! Whether clients get a certificate for the name that they connect to, and whether each certificate is of any use.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use dovetail_sdk::listeners::ListenerTls;
use time::OffsetDateTime;

use super::{Around, Finding};
use crate::follow::{self, record};
use crate::name::CertName;
use crate::snapshot::{IdentitySet, Snapshot};

pub(super) fn check(
    folder: &Path,
    snapshot: &Snapshot,
    around: &Around,
    hosts: &[String],
    now: OffsetDateTime,
    findings: &mut Vec<Finding>,
) {
    let tls = || around.listeners.iter().filter(|listener| listener.tls != ListenerTls::Off);
    // Without a listener that speaks TLS nobody asks for the server's name.
    let own = around.hostname.iter().filter(|_| tls().next().is_some());
    let asked: BTreeSet<&String> = own.chain(hosts).collect();
    for host in asked {
        covered(snapshot, host, findings);
    }
    if let Some(default) = around.default.as_ref().filter(|default| snapshot.named(default).is_none()) {
        let message =
            format!("the store's `default` is \"{default}\", and there is no such certificate that can be served");
        findings.push(Finding::error("default", default, message));
    }
    for listener in tls() {
        let Some(certificate) = &listener.certificate else {
            continue;
        };
        let there = CertName::new(certificate).is_ok_and(|name| snapshot.named(&name).is_some());
        if !there {
            let message = format!(
                "listener `{}` names the certificate \"{certificate}\", and there is no such certificate that can be served",
                listener.name
            );
            findings.push(Finding::error("listener", &listener.name, message));
        }
    }
    shadows(snapshot, around, findings);
    waiting(snapshot, now, findings);
    followed(folder, now, findings);
}

/// Whether a client that connects to `host` gets a certificate for it, on a listener that names none.
fn covered(snapshot: &Snapshot, host: &str, findings: &mut Vec<Finding>) {
    let ip: Option<IpAddr> = host.parse().ok();
    let chosen = snapshot.explain(None, ip.is_none().then_some(host));
    let fits = match (&chosen, ip) {
        (Some(chosen), Some(ip)) => chosen.part.identities().any(|identity| identity.leaf().ip_addresses.contains(&ip)),
        (Some(chosen), None) => chosen.fits.is_some(),
        (None, _) => false,
    };
    if fits {
        return;
    }
    let got =
        chosen.map(|chosen| format!("; clients get \"{}\", and refuse it", chosen.part.set.name())).unwrap_or_default();
    let message = format!(
        "no certificate is for {host}{got}: make one with `dovetail certs create --common-name {host}`, or bring one"
    );
    findings.push(Finding::error("host", host, message));
}

/// Identities that no client gets, because others for the same names go before them.
fn shadows(snapshot: &Snapshot, around: &Around, findings: &mut Vec<Finding>) {
    let named: BTreeSet<CertName> = around
        .listeners
        .iter()
        .filter_map(|listener| CertName::new(listener.certificate.as_deref()?).ok())
        .map(|name| name.identity())
        .collect();
    let default = snapshot.explain(None, None).map(|chosen| chosen.part.set.id);
    for set in snapshot.sets() {
        let by_name = named.contains(set.name()) || default == Some(set.id);
        let before = before(snapshot, set);
        if by_name || before.is_empty() {
            continue;
        }
        let others: Vec<String> =
            before.iter().map(|(host, other)| format!("{host} is served from \"{other}\"")).collect();
        let message =
            format!("no client gets this certificate: {}; remove it, or name it at a listener", others.join(", "));
        findings.push(Finding::warning("shadowed", set.name(), message));
    }
}

/// Pairs that no client is shown, because another of the same identity is from an authority.
fn waiting(snapshot: &Snapshot, now: OffsetDateTime, findings: &mut Vec<Finding>) {
    let shown: HashSet<_> = snapshot.parts().flat_map(|part| part.pairs()).map(Arc::as_ptr).collect();
    for set in snapshot.sets() {
        for pair in set.pairs() {
            let leaf = pair.identity.leaf();
            if !leaf.self_issued || leaf.not_after < now || shown.contains(&Arc::as_ptr(pair)) {
                continue;
            }
            let message = format!(
                "no client gets this self-signed certificate, for \"{}\" has another one from an authority: bring an \
                 authority's answer to the request of `dovetail certs csr {}`, or remove it",
                set.name(),
                pair.name()
            );
            findings.push(Finding::warning("shadowed", pair.name(), message));
        }
    }
}

/// For each of the set's names the other set that a client gets; empty if any name is its own.
fn before(snapshot: &Snapshot, set: &IdentitySet) -> BTreeMap<String, CertName> {
    let mut others = BTreeMap::new();
    for name in set.identities().flat_map(|identity| &identity.leaf().dns_names) {
        // Whoever connects to some name that the wildcard is for.
        let asked = name.strip_prefix("*.").map_or(name.clone(), |parent| format!("{SOME_HOST}.{parent}"));
        match snapshot.explain(None, Some(&asked)) {
            Some(chosen) if chosen.part.set.id != set.id => others.insert(name.clone(), chosen.part.set.name().clone()),
            _ => return BTreeMap::new(),
        };
    }
    others
}

/// Followed pairs that aren't what their files are.
fn followed(folder: &Path, now: OffsetDateTime, findings: &mut Vec<Finding>) {
    let names = match record::names(folder) {
        Ok(names) => names,
        Err(error) => return findings.push(Finding::error("follow", folder.display(), error)),
    };
    for name in names {
        let read = record::Record::read(folder, &name).map_err(follow::FollowError::from);
        match read.and_then(|record| follow::in_step(folder, &name, &record, now)) {
            Ok(true) => {}
            Ok(false) => {
                let message =
                    "the files that it follows have another pair: a running server takes it within seconds; is \
                               one running?";
                findings.push(Finding::warning("follow", name, message));
            }
            Err(error) => findings.push(Finding::error("follow", name, format!("it can't be kept in step: {error}"))),
        }
    }
}

/// A label under a wildcard's parent that no certificate has for itself, most likely.
const SOME_HOST: &str = "some-other-host";
