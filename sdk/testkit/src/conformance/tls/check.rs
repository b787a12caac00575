//! `check_identity`: whether a pair will do, before it is served.

use super::{
    authority::{Key, Leaf},
    case::{check, same, Doing, Outcome},
    lab::{Lab, NAME},
};
use dovetail_sdk::{certs::Identity, tls::TlsErrorCode as Code, Secret};

pub(super) async fn good_pairs(lab: Lab) -> Outcome {
    for key in [Key::P256, Key::P384, Key::Rsa, Key::Ed25519] {
        lab.tls().check_identity(lab.issue(&Leaf::server(NAME).key(key))).await.doing(format!("{key:?}"))?;
    }
    let chained = lab.authority().intermediate().issue(&Leaf::server(NAME));
    lab.tls().check_identity(chained).await.doing("with an intermediate")?;
    Ok(())
}

/// Dates and names are for the administrator and the client: a pair that has expired is still a pair.
pub(super) async fn dates_are_not_its_business(lab: Lab) -> Outcome {
    for (from, to) in [(2001, 2002), (2090, 2095)] {
        let identity = lab.issue(&Leaf::server(NAME).years(from, to));
        lab.tls().check_identity(identity).await.doing(format!("a certificate from {from} to {to}"))?;
    }
    Ok(())
}

pub(super) async fn pairs_that_do_not_fit(lab: Lab) -> Outcome {
    for (one, other) in [(Key::P256, Key::P256), (Key::P256, Key::P384), (Key::Rsa, Key::P256), (Key::P256, Key::Rsa)] {
        let mixed = Identity { key: other.secret(&other.pair()), ..lab.issue(&Leaf::server(NAME).key(one)) };
        match lab.tls().check_identity(mixed).await {
            Ok(()) => check!(false, "a {one:?} certificate with another {other:?} key passes"),
            Err(error) => {
                same!(error.code, Code::BadIdentity, "the code ({error})");
                check!(error.message.contains(NAME), "the message does not name the identity: {error}");
            }
        }
    }
    Ok(())
}

pub(super) async fn rubbish(lab: Lab) -> Outcome {
    let good = lab.issue(&Leaf::server(NAME));
    let cut = |bytes: &[u8]| bytes.get(..bytes.len() / 2).unwrap_or_default().to_vec();
    let leaf = good.chain.first().cloned().unwrap_or_default();
    for (what, bad) in [
        ("no chain", Identity { chain: vec![], ..good.clone() }),
        ("an empty certificate", Identity { chain: vec![vec![]], ..good.clone() }),
        ("half a certificate", Identity { chain: vec![cut(&leaf)], ..good.clone() }),
        ("text as a certificate", Identity { chain: vec![b"-----BEGIN CERTIFICATE-----".to_vec()], ..good.clone() }),
        ("no key", Identity { key: Secret::new(vec![]), ..good.clone() }),
        ("half a key", Identity { key: Secret::new(cut(good.key.expose())), ..good.clone() }),
        ("a certificate as key", Identity { key: Secret::new(leaf.clone()), ..good.clone() }),
    ] {
        match lab.tls().check_identity(bad).await {
            Ok(()) => check!(false, "{what} passes"),
            Err(error) => same!(error.code, Code::BadIdentity, "the code for {what} ({error})"),
        }
    }
    lab.tls().check_identity(good).await.doing("a good one after all that")?;
    Ok(())
}
