//! What found pairs are called: as their program calls them, else by their files, else by the host they are for.
//!
//! Pairs of one name with keys of different families become NAME and `NAME+rsa`; of one family the newest has the name.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::{shown, Found, Left, Pair, Survey};
use crate::further::KeyFamily;
use crate::name::CertName;

/// Gives each pair a name of its own; one that gets none is left.
pub(super) fn give(pairs: Vec<Pair>, survey: &mut Survey) {
    let mut wished: Vec<(CertName, Pair)> = Vec::new();
    for pair in pairs {
        match wish(&pair) {
            Some(name) => wished.push((name, pair)),
            None => survey.left.push(Left {
                file: shown(&pair.certificate_file),
                reason: "neither its file nor its names give it a name: import it by itself with --name".to_owned(),
                problem: true,
            }),
        }
    }
    wished.sort_by(|(a, one), (b, other)| {
        let key = |pair: &Pair| {
            let valid_from = pair.certificates.first().map(|leaf| leaf.not_before);
            (order(family(pair)), Reverse(valid_from), pair.place.program, pair.certificate_file.clone())
        };
        a.cmp(b).then_with(|| key(one).cmp(&key(other)))
    });
    let mut given: HashMap<(CertName, KeyFamily), String> = HashMap::new();
    let mut names: HashSet<CertName> = HashSet::new();
    for (wish, pair) in wished {
        let family = family(&pair);
        if let Some(winner) = given.get(&(wish.identity(), family)) {
            let reason =
                format!("{winner} has a newer pair of the same name and kind of key; import this one with --name");
            survey.left.push(Left { file: shown(&pair.certificate_file), reason, problem: true });
            continue;
        }
        let name = match names.contains(&wish) {
            false => Ok(wish.clone()),
            true => wish.further(family),
        };
        let Ok(name) = name else {
            let reason = "its name is too long: import it with --name".to_owned();
            survey.left.push(Left { file: shown(&pair.certificate_file), reason, problem: true });
            continue;
        };
        given.insert((wish.identity(), family), shown(&pair.certificate_file));
        names.insert(name.clone());
        survey.found.push(Found { name, pair });
    }
}

fn family(pair: &Pair) -> KeyFamily {
    KeyFamily::from(pair.key.kind())
}

/// Who gets the plain name: what most clients take, and fastest.
fn order(family: KeyFamily) -> u8 {
    match family {
        KeyFamily::Ecdsa => 0,
        KeyFamily::Rsa => 1,
        KeyFamily::Ed25519 => 2,
    }
}

fn wish(pair: &Pair) -> Option<CertName> {
    let by_program = pair.place.name.as_deref().and_then(|name| CertName::from_text(name).ok());
    // An ending that promises another kind of key than it is would be a lie.
    let by_program = by_program.filter(|name| name.suits(family(pair)).is_ok());
    by_program.or_else(|| {
        let leaf = pair.certificates.first()?;
        let host = leaf.dns_names.first().and_then(|name| CertName::from_text(name).ok());
        host.or_else(|| CertName::from_file_name(pair.certificate_file.file_name()?.to_str()?).ok())
    })
}
